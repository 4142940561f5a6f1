"""What `socialgov platforms` does: how each platform stands, and trying one account's reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from socialgov.home import open_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from socialgov.actions.platform_states import PlatformState
    from socialgov.home import Home
    from socialgov.store.connections import Reached
    from socialgov.store.plans import NotChecked

_SHORT = ("Accounts", "Connected", "Connection", "Last read", "Requests", "Since")  # columns that are never broken


def platforms(path: Path) -> None:
    """A line a platform in use, then a line an account that a machine reads.

    A pause, a lost connection or no money left makes the exit code 1.
    """
    from socialgov.actions.platform_states import platform_states
    from socialgov.store.connections import lost_connections, reached
    from socialgov.store.observations import last_read_by_platform

    home = open_home(path)
    now, lost, accounts = home.now(), lost_connections(home.db), reached(home.db)
    states, last = platform_states(home, now=now), last_read_by_platform(home.db)
    table = _table("Platform", "Accounts", "Connected", "Spent this month", "Last read", "State")
    for state in states:
        table.add_row(*map(escape, _row(home, state, last.get(state.info.key))))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table if states else "No platform is approved, and there is no account.")
    for state in states:
        for line in _can_there(state):
            console.print(escape(f"{state.info.name}: {line}"))
    if accounts:
        console.print(_accounts(home, accounts))
    if lost:
        numbers = ", ".join(str(one.account_id) for one in lost)
        console.print(f"The platform no longer lets us in, so connect anew on the account's page: {numbers}.")
    if lost or any(state.pause is not None or state.used_up for state in states):
        raise SystemExit(1)


def _can_there(state: PlatformState) -> Iterator[str]:
    """What a machine does there, what the platform was found not to offer, and why nothing is asked, in words."""
    from socialgov.platforms import needs_connection

    words = (
        "It could, once an account is connected" if needs_connection(state.info) and not state.connected else "It can"
    )
    can = ", ".join(sorted(state.can))
    yield f"{state.by_machine} (Adapter: {state.info.adapter}.)" + (f" {words}: {can}." if can else "")
    for server in sorted({server for server, _ in state.off}):
        missing = ", ".join(sorted(capability for where, capability in state.off if where == server))
        who = f"{server} does not offer" if server else "Not offered to the school's client"
        yield f"{who}: {missing}. People do that, and each month it is tried again."
    if state.pause is not None:
        yield f"{state.pause.why} It is asked nothing until then."


def _accounts(home: Home, accounts: Sequence[Reached]) -> Table:
    """Which accounts are connected, and when each was last read."""
    from socialgov.store.plans import not_checked_since

    missing = not_checked_since(home.db, [one.account_id for one in accounts])
    table = _table("Account", "Platform", "Connection", "Last read", "All of it")
    for one in accounts:
        connection = "none" if one.connected_at is None else f"since {_day(home, one.connected_at)}"
        if one.lost_at is not None:
            connection = f"lost on {_day(home, one.lost_at)}"
        whole = "yes" if one.read_at else "not yet"
        if one.account_id in missing:
            since = missing[one.account_id]
            whole = f"not since {_clock(home, since)}" if since else "never"
        name = home.settings.platforms[one.platform].name
        row = (f"{one.account_id} {one.handle}", name, connection, _clock(home, one.read_at), whole)
        table.add_row(*map(escape, row))
    return table


def tell_not_checked(home: Home, console: Console, missing: Sequence[NotChecked], now: datetime) -> None:
    """What a machine could have read and did not, since when, and why."""
    from socialgov.actions.platform_states import need_of, reasons

    table = _table("Account", "Not checked", "Since")
    for one in missing:
        table.add_row(*map(escape, (f"{one.account_id} {one.handle}", need_of(one), _clock(home, one.since))))
    console.print(table)
    for reason in reasons(home, missing, now):
        console.print(escape(reason))
    console.print("What was not checked gets older, until the rules say that they cannot tell.")


def _day(home: Home, at: datetime) -> str:
    return f"{home.today(at):%Y-%m-%d}"


def _clock(home: Home, at: datetime | None) -> str:
    """In the school's own zone."""
    return "never" if at is None else f"{at.astimezone(home.settings.zone):%Y-%m-%d %H:%M}"


def _row(home: Home, state: PlatformState, last: datetime | None) -> tuple[str, ...]:
    from socialgov.actions.platform_states import amount

    info, money = state.info, state.money
    currency = info.tariff.currency if info.tariff else "USD"
    cost = "free" if money is None else "no budget set"
    if money is not None and money.budget is not None:
        cost = f"{amount(money.spent, currency)} of {amount(money.budget, currency)}"
    how = "budget used up" if state.used_up else "in order" if state.switched_on else "not switched on"
    how = "paused" if state.pause is not None else how
    return (
        info.name,
        str(state.accounts),
        str(state.connected),
        cost,
        "never" if last is None else _day(home, last),
        how if state.approved else f"not approved, {how}",
    )


def probe(path: Path, name: str) -> None:
    """Every read of one account. One that fails makes the exit 1, and so does an account that no machine reads."""
    from socialgov.actions.platform_states import NEEDS, amount
    from socialgov.actions.probing import account_named, probe_account

    home = open_home(path)
    report = probe_account(home, account_named(home, name).id, now=home.now())
    currency = report.info.tariff.currency if report.info.tariff else "USD"
    console = Console(highlight=False, soft_wrap=True)
    console.print(escape(f"{report.info.name}, account {report.account.id} {report.account.name}"))
    table = _table("Read", "Works", "Found", "Requests", "Cost")
    for one in report.probes:
        works = {True: "yes", False: "no", None: "not tried"}[one.works]
        cost = (str(one.requests), amount(one.micros, currency)) if one.micros or one.requests else ("", "")
        table.add_row(*map(escape, (NEEDS[one.capability], works, one.found, *cost)))
    console.print(table)
    if report.not_tried:
        console.print(f"Not tried, for it changes something: {', '.join(word.value for word in report.not_tried)}.")
    console.print(f"It cost {amount(report.micros, currency)}.")
    if not report.works:
        raise SystemExit(1)


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title in _SHORT)
    return table
