"""Networks for tests: an application served over real HTTP, and one of which every answer is a test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from waitress import create_server

from socialgov.models import PlatformInfo
from socialgov.sandbox import Network, create_sandbox

INFO = PlatformInfo(
    key="somewhere",
    name="Somewhere",
    adapter="sandbox",
    profile_url="http://127.0.0.1/@{handle}",
    can_be_private=True,
    minimum_age=13,
    minimum_age_source="a test",
    minimum_age_on=date(2026, 1, 1),
    deletion_delay_days=30,
    handle_pattern=".+",
    guides={},
    api_base="https://somewhere.test",
)

Handler = Callable[[httpx.Request], httpx.Response]


@contextmanager
def served(app: Any, port: int = 0) -> Iterator[str]:
    """The address of a WSGI application, served by waitress meanwhile; on a free port unless one is named."""
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=port, threads=4)

    def serve() -> None:
        with suppress(OSError):  # its sockets are closed under it when the block ends
            server.run()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # in its own thread, and at once: it waits for its sockets, of which none is left then
        with suppress(OSError):  # it was awake, and has closed them before it could be woken
            server.trigger.pull_trigger(lambda: _close_all(sockets))
        thread.join(timeout=5)


def _close_all(sockets: dict[int, Any]) -> None:
    for open_socket in list(sockets.values()):  # the listening one, and those of clients that linger
        with suppress(OSError):
            open_socket.close()
    sockets.clear()


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@dataclass
class Sandbox:
    """The running simulated network: `network` for arranging, `info` for adapters, `url` for a browser."""

    network: Network
    clock: Clock
    url: str

    @property
    def info(self) -> PlatformInfo:
        return replace(INFO, api_base=f"{self.url}/api")


@contextmanager
def served_sandbox(path: Path, clock: Clock) -> Iterator[Sandbox]:
    """A simulated network of its own, kept at `path`, until the block ends."""
    app = create_sandbox(path, clock)
    with served(app) as url:
        yield Sandbox(app.extensions["network"], clock, url)


@dataclass
class Recorded(httpx.BaseTransport):
    """A network that answers what a test says and remembers what it was asked."""

    answer: Handler
    asked: list[httpx.Request] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        response = self.answer(request)
        response.headers.setdefault("date", "Mon, 02 Mar 2026 09:00:00 GMT")
        return response
