"""What `socialgov platforms` does: how each platform stands, and trying one account's reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from socialgov.home import open_home

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.actions.platform_states import PlatformState
    from socialgov.home import Home


def platforms(path: Path) -> None:
    """One line a platform that is approved or in use. A pause, a lost connection or no money left makes the exit 1."""
    from socialgov.actions.platform_states import platform_states
    from socialgov.platforms import capabilities
    from socialgov.store.connections import lost_connections
    from socialgov.store.observations import last_read_by_platform

    home = open_home(path)
    now, lost = home.now(), lost_connections(home.db)
    states, last = platform_states(home, now=now), last_read_by_platform(home.db)
    table = _table("Platform", "Accounts", "Connected", "Spent this month", "Last read", "State")
    for state in states:
        table.add_row(*map(escape, _row(home, state, last.get(state.info.key))))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table if states else "No platform is approved, and there is no account.")
    for state in states:
        can = ", ".join(sorted(capabilities(state.info)))
        console.print(
            escape(f"{state.info.name} ({state.info.adapter}): {state.by_machine}{f' It can: {can}.' if can else ''}")
        )
        if state.pause is not None:
            console.print(escape(f"{state.info.name}: {state.pause.why} It is asked nothing until then."))
    if lost:
        numbers = ", ".join(str(one.account_id) for one in lost)
        console.print(f"The platform no longer lets us in, so connect anew on the account's page: {numbers}.")
    if lost or any(state.pause is not None or state.used_up for state in states):
        raise SystemExit(1)


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
        "never" if last is None else f"{last.astimezone(home.settings.zone):%Y-%m-%d}",
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
        table.add_column(title, overflow="fold", no_wrap=title in ("Accounts", "Connected", "Last read", "Requests"))
    return table
