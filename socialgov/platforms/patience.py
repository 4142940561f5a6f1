"""How long a platform may take to begin its answer, however it spreads the bytes.

A time-out is for each wait alone: a server that sends the head of its answer byte by byte never has one, and keeps
whoever waits for days. httpx tells of each step of a request (its `trace` extension), so that the line is cut instead.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_OPENED = ("connection.connect_tcp.complete", "connection.start_tls.complete")
_HEAD = "http11.receive_response_headers."


class Patience:
    """For the connections of one client: each head of an answer gets `seconds`, then its line is cut."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lines: list[Any] = []
        self._clock: threading.Timer | None = None

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """What httpx calls at each step."""
        if event in _OPENED:
            self._lines.append(info["return_value"])
        elif event == f"{_HEAD}started":
            self._clock = threading.Timer(self._seconds, self._cut)
            self._clock.daemon = True
            self._clock.start()
        elif event.startswith(_HEAD) and self._clock is not None:
            self._clock.cancel()

    def _cut(self) -> None:
        """Whoever is reading hears at once that the line is dead."""
        for line in self._lines:
            with suppress(OSError):  # closed already, or handed over to TLS
                socket.socket.shutdown(line.get_extra_info("socket"), socket.SHUT_RDWR)
