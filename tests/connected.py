"""A school whose accounts on X can be connected, and the stand-in for X that they are connected with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from factories import account_at
from networks import Clock
from peers.x_standin import StandIn, User

from socialgov.actions import connections
from socialgov.actions.clients import callback_of
from socialgov.home import Home
from socialgov.models import Account, AccountState, ApiClient, Staff
from socialgov.platforms.x import XPlatform
from socialgov.store.accounts import account_by_id
from socialgov.store.staff import staff_by_id

ADDRESS = "http://127.0.0.1:18999"
Fault = Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response]


@dataclass
class Line(httpx.BaseTransport):
    """The line to X. `fault` sees each request and what would answer it, and may answer otherwise or break off."""

    standin: StandIn
    fault: Fault | None = None
    asked: list[httpx.Request] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        direct = httpx.WSGITransport(app=self.standin)

        def answer() -> httpx.Response:
            response = direct.handle_request(request)
            response.read()
            return response

        return self.fault(request, answer) if self.fault else answer()

    def count(self, path: str) -> int:
        return sum(request.url.path == path for request in self.asked)


@dataclass
class Connected:
    """`home` with its clock, X, the line between them, and one live account there, as X has it."""

    home: Home
    clock: Clock
    x: StandIn
    line: Line
    account: Account
    there: User
    secret: str

    @property
    def now(self) -> datetime:
        return self.clock.now

    @property
    def owner(self) -> Staff:
        return staff_by_id(self.home.db, self.account.owner_id)

    def again(self) -> Account:
        return account_by_id(self.home.db, self.account.id)

    def later(self, **span: float) -> datetime:
        self.clock.now += timedelta(**span)
        return self.clock.now

    def confirm(self, begun: connections.Begun, who: User | None = None, **changed: str) -> dict[str, str]:
        """What a person who is signed in to X as `who` brings back to us from there."""
        asked = {name: one[0] for name, one in parse_qs(urlsplit(begun.url).query).items()}
        wish = self.x.doors.wish(asked)
        return {"state": wish.state, "code": self.x.doors.code(wish, (who or self.there).id), **changed}

    def connect(self) -> Account:
        begun = connections.begin(self.home, self.owner, self.account.id, now=self.now)
        return connections.finish(self.home, self.owner, begun.token, self.confirm(begun), now=self.now)


@contextmanager
def connectable(home: Home, folder: Path, x: StandIn | None = None, clock: Clock | None = None) -> Iterator[Connected]:
    """The school has registered with X, and has a live account there that nobody has connected yet.

    `x` is a stand-in that is served, for tests in which a browser goes there.
    """
    clock = clock or Clock(home.now())
    x = x or StandIn(clock)
    school, secret = school_with_x(home, x, folder, clock)
    line, before = Line(x), XPlatform.transport
    XPlatform.transport = line
    try:
        account = account_at(school, AccountState.LIVE, platform="x", handle="trip_wales")
        there = x.world.join("trip_wales", protected=True, description="Official account of Test School")
        yield Connected(school, clock, x, line, account, there, secret)
    finally:
        XPlatform.transport = before


def school_with_x(home: Home, x: StandIn, folder: Path, clock: Clock) -> tuple[Home, str]:
    """`home` as if its school.toml named a client of X, and the client's secret."""
    client = x.doors.register(callback_of(home))
    file = folder / "x-secret"
    file.write_text(f"{client.secret}\n")
    info = replace(
        home.settings.platforms["x"], api_base=x.url or ADDRESS, client=ApiClient(client.id, str(file)),
        monthly_budget=1_000_000_000,
    )  # fmt: skip
    settings = replace(home.settings, platforms={**home.settings.platforms, "x": info})
    return Home(home.path, settings, home.escrow, clock), str(client.secret)


def with_app_token(one: Connected, folder: Path) -> Home:
    """The same school with a token of its own for looks."""
    info = one.home.settings.platforms["x"]
    assert info.client is not None
    file = folder / "x-app-token"
    file.write_text(one.x.doors.app_token())
    info = replace(info, client=replace(info.client, app_token_file=str(file)))
    settings = replace(one.home.settings, platforms={**one.home.settings.platforms, "x": info})
    return Home(one.home.path, settings, one.home.escrow, one.clock)


__all__ = ["ADDRESS", "Connected", "Fault", "Line", "connectable", "school_with_x", "with_app_token"]
