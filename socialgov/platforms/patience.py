"""A line that drips the head of an answer is cut. httpx bounds the wait for each piece, not for all: one byte now and
then would keep whoever waits for days. httpx tells of each step of a request (its `trace` extension), so that is cut.

One thread watches every line of the process. A thread for each request would take longer than sending it; this one is
begun by the first that waits, sleeps until the earliest of them has waited too long, and ends when nobody waits.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_OPENED = ("connection.connect_tcp.complete", "connection.start_tls.complete")
_HEAD = "http11.receive_response_headers."
_STARTED = f"{_HEAD}started"


class Patience:
    """For the connections of one client: each head of an answer gets `seconds`, then its line is cut."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lines: list[Any] = []

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """What httpx calls at each step."""
        if event in _OPENED:
            self._lines.append(info["return_value"])
        elif event == _STARTED:
            _watch.begin(self, time.monotonic() + self._seconds)
        elif event.startswith(_HEAD):
            _watch.end(self)

    def cut(self) -> None:
        """Whoever is reading hears at once that the line is dead."""
        for line in self._lines:
            with suppress(OSError):  # closed already, or handed over to TLS
                socket.socket.shutdown(line.get_extra_info("socket"), socket.SHUT_RDWR)


class _Watch:
    """Who waits for the head of an answer, and until when."""

    def __init__(self) -> None:
        self.begin_anew()
        os.register_at_fork(after_in_child=self.begin_anew)

    def begin_anew(self) -> None:
        """As in a process that was forked: the thread that watched, and whoever it watched, stayed behind."""
        self._changed = threading.Condition()
        self._waiting: dict[Patience, float] = {}
        self._wakes_at: float | None = None  # None: no thread watches

    def begin(self, one: Patience, until: float) -> None:
        with self._changed:
            self._waiting[one] = until
            if self._wakes_at is None:
                threading.Thread(target=self._run, name="patience", daemon=True).start()
                self._wakes_at = until
            elif until < self._wakes_at:
                self._wakes_at = until
                self._changed.notify()

    def end(self, one: Patience) -> None:
        with self._changed:
            self._waiting.pop(one, None)

    def _run(self) -> None:
        with self._changed:
            while self._waiting:
                self._wakes_at = min(self._waiting.values())
                self._changed.wait(self._wakes_at - time.monotonic())
                now = time.monotonic()
                for one in [one for one, until in self._waiting.items() if until <= now]:
                    del self._waiting[one]
                    one.cut()
            self._wakes_at = None


_watch = _Watch()
