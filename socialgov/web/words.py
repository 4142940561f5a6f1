"""Plain words for what the store keeps as codes: states, answers, events, days. One place, so every page agrees."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import g

from socialgov.models import AccountKind, AccountState, Enforcement, Finding, Role, Source
from socialgov.store.rows import moment

if TYPE_CHECKING:
    from flask import Flask

    from socialgov.home import Home

STATE_KIND = {
    AccountState.REQUESTED: "blue",
    AccountState.APPROVED: "teal",
    AccountState.LIVE: "green",
    AccountState.SUSPENDED: "orange",
    AccountState.CLOSING: "purple",
    AccountState.CLOSED: "grey",
    AccountState.DECLINED: "grey",
    AccountState.WITHDRAWN: "grey",
}
KINDS = {
    AccountKind.TRIP: "Trip",
    AccountKind.STANDING: "Standing account",
    AccountKind.WHOLE_SCHOOL: "Whole school",
}
ROLES = {
    Role.TEACHER: "Teacher",
    Role.NETWORK_MANAGER: "Network manager",
    Role.HEAD: "Head",
    Role.SAFEGUARDING_LEAD: "Safeguarding lead",
    Role.DATA_MANAGER: "Data manager",
    Role.GOVERNOR: "Governor",
}


def install(app: Flask, home: Home) -> None:
    zone = home.settings.zone

    def day(value: date | datetime | str | None) -> str:
        """`3 December 2026`, in the school's own zone."""
        value = _moment(value)
        if value is None:
            return "not set"
        if isinstance(value, datetime):
            value = value.astimezone(zone).date()
        return day_words(value)

    def clock(value: datetime | str | None) -> str:
        """`3 December 2026, 14:05`, in the school's own zone."""
        value = _moment(value)
        if value is None:
            return "never"
        local = value.astimezone(zone)  # type: ignore[union-attr]
        return f"{local.day} {local:%B %Y}, {local:%H:%M}"

    app.jinja_env.filters.update(
        day=day, clock=clock, ago=ago, plain=plain, state_kind=STATE_KIND.__getitem__, account_kind=KINDS.__getitem__,
        role=ROLES.__getitem__, roles=role_list, answer=answer_words,
    )  # fmt: skip
    app.jinja_env.globals.update(settings=home.settings, now_words=lambda: clock(home.now()))


@lru_cache(4096)  # a page of the register shows fifty days, most of them the same
def day_words(day: date) -> str:
    """`3 December 2026`."""
    return f"{day.day} {day:%B %Y}"


def _moment(value: date | datetime | str | None) -> Any:
    return moment(value) if isinstance(value, str) else value


def plain(value: object) -> str:
    """`network_manager` → `network manager`."""
    return str(getattr(value, "value", value)).replace("_", " ")


def role_list(roles: frozenset[Role]) -> str:
    return ", ".join(ROLES[role] for role in Role if role in roles)


def ago(value: datetime | None, now: datetime | None = None) -> str:
    """How old something is, in words a reader takes in at a glance."""
    if value is None:
        return "never"
    age = (now or g.now) - value
    if age < timedelta(minutes=1):
        return "just now"
    if age < timedelta(hours=1):
        return _count(age // timedelta(minutes=1), "minute") + " ago"
    if age < timedelta(days=1):
        return _count(age // timedelta(hours=1), "hour") + " ago"
    return _count(age.days, "day") + " ago"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def answer_words(finding: Finding) -> tuple[str, str]:
    """The finding's answer as (words, colour). Unknown never looks like a pass."""
    if finding.enforcement is Enforcement.OFF:
        return "Off", "grey"
    if finding.answer is True:
        return "Holds", "green"
    if finding.waived_by is not None:
        return "Exception", "purple"
    words = "Broken" if finding.answer is False else "Not known"
    if finding.enforcement is Enforcement.ADVISED:
        return f"{words} (advice)", "yellow"
    return words, "red" if finding.answer is False else "yellow"


def source_words(source: Source | None) -> str:
    """Whose the evidence is."""
    if source is None:
        return "school's own records"
    return "read from the platform" if source is Source.API else "said by a person"
