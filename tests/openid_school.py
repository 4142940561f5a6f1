"""A school with a sign-in service, served over HTTP by the real clock, and its people, each with a browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from factories import DOMAIN, ESCROW, make_home
from networks import served
from visitor import Visitor

from socialgov.actions.staff import add_staff
from socialgov.config import load_settings
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.openid.provider import forget_providers
from socialgov.store.events import Event, EventTag, events_page
from socialgov.store.outbox import notices_of
from socialgov.store.staff import staff_by_email
from socialgov.web import build_app

BUTTON = "Sign in with your school account"


@dataclass
class GoingClock:
    """The real time, as the service has it, and how far ours is ahead of it."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_time(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@dataclass
class OpenIdSchool:
    """`visitor()` is a new browser; `clock` is ours alone, the service has its own."""

    home: Home
    url: str
    clock: GoingClock
    manager: Staff
    head: Staff
    teacher: Staff
    _visitors: list[Visitor] = field(default_factory=list)

    def visitor(self) -> Visitor:
        visitor = Visitor(self.url)
        self._visitors.append(visitor)
        return visitor

    def at_the_service(self) -> Visitor:
        """A new browser that pressed the button and looks at the service's sign-in page."""
        return self.visitor().open("/signin").press(BUTTON)

    def events(self, tag: EventTag) -> list[Event]:
        return events_page(self.home.db, before=None, tag=tag.value, actor=None, limit=20)

    def reasons(self, tag: EventTag = EventTag.IDENTITY_REFUSED) -> list[str]:
        """Why somebody was refused, the newest first."""
        return [str(event.data["reason"]) for event in self.events(tag)]

    def told(self, staff: Staff) -> list[str]:
        """Kinds of the notices that wait for this person."""
        return [notice.kind for notice in notices_of(self.home.db, staff.id)]

    def person(self, email: str) -> Staff | None:
        return staff_by_email(self.home.db, email)

    def sessions(self) -> list[tuple[Any, ...]]:
        sql = "select staff_id, method, strong_method from session where ended_at is null order by id"
        return self.home.db.execute(sql).fetchall()


def openid_table(folder: Path, issuer: str, secret: str, **choices: Any) -> str:
    """[signin.openid] of a school.toml; `groups` is a table of its own."""
    file = folder / "client-secret"
    file.write_text(secret + "\n", encoding="utf-8")
    groups = choices.pop("groups", {})
    values = {"issuer": issuer, "client_id": "socialgov", "client_secret_file": str(file), **choices}
    lines = ["\n[signin.openid]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    if groups:
        lines += [
            "[signin.openid.groups]",
            *(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in groups.items()),
        ]
    return "\n".join(lines) + "\n"


def openid_home(
    folder: Path, issuer: str, secret: str, *, base_url: str, clock: Callable[[], datetime], **choices: Any
) -> Home:
    """A new school with such a table."""
    forget_providers()
    root = make_home(folder, base_url=base_url, now=clock()).path
    with (root / "school.toml").open("a", encoding="utf-8") as settings:
        settings.write(openid_table(folder, issuer, secret, **choices))
    return Home(root, load_settings(root), ESCROW, clock=clock)


@contextmanager
def open_openid_school(
    folder: Path, issuer: str, secret: str, *, port: int = 0, **choices: Any
) -> Iterator[OpenIdSchool]:
    """Served at localhost:`port`, with a manager, a head and a teacher whose addresses the service knows."""
    clock = GoingClock()
    home = openid_home(folder, issuer, secret, base_url=f"http://localhost:{port or 5000}", clock=clock, **choices)
    manager = staff_by_email(home.db, f"manager@{DOMAIN}")
    assert manager is not None
    head = add_staff(home, None, "Hana Head", f"head@{DOMAIN}", [Role.HEAD], now=clock())
    teacher = add_staff(home, None, "Tess Teacher", f"teacher@{DOMAIN}", [Role.TEACHER], now=clock())
    with served(build_app(home), port) as address:
        url = f"http://localhost:{address.rsplit(':', 1)[1]}"
        school = OpenIdSchool(home, url, clock, manager, head, teacher)
        try:
            yield school
        finally:
            for visitor in school._visitors:
                visitor.close()
