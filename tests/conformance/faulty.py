"""Networks that fail: the n-th request of whoever uses one is cut off, or gets an answer that should not be.

They stand where every adapter lets a test stand (`transport`), so the adapter, its library and our wire are all real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import httpx

MOST_REQUESTS = 200
RESET = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)  # until when a rate limit lasts


class Cut(StrEnum):
    """Where a network failure falls: before the request left, after the platform did it, or in the answer's body."""

    BEFORE = "before sending"
    AFTER = "after sending"
    BODY = "in the body"


class _Broken(httpx.SyncByteStream):
    """Half of a body, and then the line is dead."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self.content[: len(self.content) // 2]
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


@dataclass
class Cutting(httpx.BaseTransport):
    """Cuts off the n-th request (from 1) and lets the others through; `happened` says whether there was one."""

    inner: httpx.BaseTransport
    number: int
    cut: Cut
    asked: int = 0
    method: str = ""  # of the request that was cut off

    @property
    def happened(self) -> bool:
        return self.asked >= self.number

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked != self.number:
            return self.inner.handle_request(request)
        self.method = request.method
        if self.cut is Cut.BEFORE:
            raise httpx.ConnectError("no route to host", request=request)
        response = self.inner.handle_request(request)
        content = response.read()
        response.close()
        if self.cut is Cut.AFTER:
            raise httpx.ReadTimeout("timed out", request=request)
        return httpx.Response(response.status_code, headers=_plain(response), stream=_Broken(content))


@dataclass
class Shared(httpx.BaseTransport):
    """One line for adapter after adapter: one that is cleared away does not close it under the others."""

    inner: httpx.BaseTransport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.inner.handle_request(request)


def at_every_request(run: Callable[[int, Cut], Cutting], kinds: Iterable[Cut] = tuple(Cut), *, step: int = 1) -> None:
    """`run` with one request after the other cut off, until a whole run needs fewer; with a `step`, every so-manieth.

    That the platform did it and the answer was lost is tried at each of them. The other kinds are tried at those that
    change something: whether a question was lost on its way there or back makes no difference to anybody.
    """
    methods: list[str] = []
    while (network := run(step * len(methods) + 1, Cut.AFTER)).happened:
        methods.append(network.method)
        assert len(methods) < MOST_REQUESTS, "it never comes to an end"
    for cut in kinds:
        for number, method in enumerate(methods, 1):
            if cut is not Cut.AFTER and method != "GET":
                run(step * (number - 1) + 1, cut)


@dataclass(frozen=True)
class Heard:
    """One answered request. `target` is path and query."""

    method: str
    target: str
    status: int
    headers: dict[str, str]
    content: bytes = field(repr=False)

    def again(self) -> httpx.Response:
        return httpx.Response(self.status, headers=self.headers, content=self.content)


@dataclass
class Tape(httpx.BaseTransport):
    """Records what the real network answered, so that faults can be tried at every request without asking again."""

    inner: httpx.BaseTransport
    heard: list[Heard] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        content = response.read()
        response.close()
        one = Heard(request.method, target_of(request), response.status_code, _plain(response), content)
        self.heard.append(one)
        return one.again()


@dataclass
class Replay(httpx.BaseTransport):
    """Plays a tape back with a fault in the place of its n-th answer (none for 0). Nothing leaves this process.

    `strayed` is what was sent to other hosts than the platform's. After the fault an adapter may ask in another
    order: the first answer on the tape to the same address is given, else the next one to the same kind of request
    (an address may hold a name made up each time), else 503.
    """

    heard: list[Heard]
    number: int = 0
    fault: Fault | None = None
    asked: int = 0
    strayed: list[httpx.Request] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.host not in ("localhost", "127.0.0.1"):
            self.strayed.append(request)
            return httpx.Response(404, html="<html>somebody else's page</html>")
        self.asked += 1
        if self.asked == self.number and self.fault is not None:
            return self.fault.answer(request)
        same = [one for one in self.heard if (one.method, one.target) == (request.method, target_of(request))]
        in_turn = [one for one in self.heard[self.asked - 1 : self.asked] if one.method == request.method]
        fitting = [one for one in in_turn if one in same] or same or in_turn
        return fitting[0].again() if fitting else httpx.Response(503)


def target_of(request: httpx.Request) -> str:
    return request.url.raw_path.decode()


def _plain(response: httpx.Response) -> dict[str, str]:
    """The headers without those of how the body travelled."""
    left_out = {"content-length", "transfer-encoding", "content-encoding", "connection"}
    return {name: value for name, value in response.headers.items() if name.lower() not in left_out}


# ------------------------------------------------------------------------------------------- strange answers


class Clock:
    """Stands in for `time` in the wire: a body that drips makes it go on, so that no test waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


CLOCK = Clock()


def _drops() -> Iterator[bytes]:
    for drop in (b"{", b'"', b"a"):
        CLOCK.now += 20
        yield drop


def _endless() -> Iterator[bytes]:
    while True:
        yield b" " * 1_000_000


def _timeout(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("timed out", request=request)


@dataclass(frozen=True)
class Fault:
    """An answer that should not be. `permanent` None: either, for the platform may mean it."""

    name: str
    answer: Callable[[httpx.Request], httpx.Response]
    permanent: bool | None = False
    retry_at: datetime | None = None


def _says(status: int, **more: object) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(status, **more)  # type: ignore[arg-type]


_PAGE = "<html><title>Blocked by the school's filter</title></html>"
_DATE = {"date": "Mon, 23 Nov 2026 09:00:00 GMT"}
_UNTIL = str(int(RESET.timestamp()))

FAULTS = (
    Fault("429 without a reset", _says(429, json={"title": "Too Many Requests"})),
    Fault("429 with retry-after", _says(429, headers={**_DATE, "retry-after": "900"}), retry_at=RESET),
    Fault("429 with x-rate-limit-reset", _says(429, headers={"x-rate-limit-reset": _UNTIL}), retry_at=RESET),
    Fault("429 with ratelimit-reset", _says(429, headers={"ratelimit-reset": _UNTIL}), retry_at=RESET),
    Fault("429 with a moment", _says(429, headers={"x-ratelimit-reset": RESET.isoformat()}), retry_at=RESET),
    Fault("402", _says(402, json={"title": "CreditsDepleted"})),
    Fault("500", _says(500, text="oops")),
    Fault("503 with a page", _says(503, html=_PAGE)),
    Fault("a time-out", _timeout),
    Fault("a cut body", lambda request: httpx.Response(200, stream=_Broken(b'{"data": {"id": "1"}}'))),
    Fault("HTML", _says(200, html=_PAGE)),
    Fault("a list", _says(200, json=[7])),
    Fault("an empty body", _says(200, content=b"")),
    Fault("half of JSON", _says(200, content=b'{"data": {"id"')),
    Fault("null", _says(200, content=b"null")),
    Fault("a number", _says(200, content=b"7")),
    Fault("nested without end", _says(200, content=b'{"a":' * 20_000)),
    Fault("an empty object", _says(200, json={}), permanent=None),
    Fault("a huge body", lambda request: httpx.Response(200, content=_endless()), permanent=True),
    Fault("a slow drip", lambda request: httpx.Response(200, content=_drops())),
    Fault("packed", _says(200, headers={"content-encoding": "br"}, content=b"\x1f\x8b\x08")),
    Fault("a redirect elsewhere", _says(302, headers={"location": "https://elsewhere.test/"}), permanent=None),
    Fault("a redirect into the school", _says(302, headers={"location": "http://10.0.0.7/"}), permanent=None),
    Fault("a redirect to nowhere", _says(307), permanent=None),
    Fault("404 with a page", _says(404, html=_PAGE), permanent=None),
    Fault("403 with a page", _says(403, html=_PAGE), permanent=None),
)
