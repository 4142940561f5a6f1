"""The day's plan: what is read of each account today, made once a day and kept, so that the checks follow it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from socialgov import planning, platforms, prices
from socialgov.actions import spending
from socialgov.models import AccountKind, AccountState, Capability, ReadPlan
from socialgov.prices import READS, ListKnown, Watched
from socialgov.store import plans as store
from socialgov.store.connect import write
from socialgov.store.events import EventTag, record_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from socialgov.home import Home
    from socialgov.models import Account, PlatformInfo

PLANNER = "job:plan"


def plan_reads(home: Home, *, now: datetime) -> int:
    """Plan today for every account that has no plan of today yet; returns how many. Costs one query else."""
    without = store.accounts_without_plan(home.db, home.today(now))
    if not without:
        return 0
    known = store.all_lists(home.db)
    everything = [watched(home, row, known.get(row.id, {})) for row in store.watched_rows(home.db)]
    missing = [one for one in everything if one.account_id in without]
    made = _plan(home, missing, everything, now)
    with write(home.db) as db:
        store.save_plans(db, made)
        left = sum(bool(one.left_out) for one in made)
        data = {"accounts": len(made), "left_out": left, "micros": sum(one.micros for one in made)}
        record_event(db, EventTag.READS_PLANNED, actor=PLANNER, now=now, subject="plan", data=data)
    return len(made)


def plan_of_today(home: Home, account: Account, now: datetime) -> ReadPlan:
    """The account's plan of today; made now where it has none, or where it was connected or shut out since."""
    plan = store.plan_in_force(home.db, account.id, home.today(now))
    if plan is not None:
        return plan
    one = watched_account(home, account)
    if one is None:
        return ReadPlan(account.id, home.today(now), now, frozenset(), frozenset(), 0, now)
    made = _plan(home, [one], [one], now)
    with write(home.db) as db:
        store.save_plans(db, made)
    return made[0]


def _plan(home: Home, missing: list[Watched], everything: Iterable[Watched], now: datetime) -> list[ReadPlan]:
    settings, today = home.settings, home.today(now)
    every, sweep = check_every(home), sweep_time(home)
    purses = {
        key: spending.purse_of(
            home,
            info,
            now,
            daily=prices.daily_price(info.tariff, [one for one in everything if one.platform == key], every),
            promised=store.promised(home.db, key, today),
        )
        for key, info in settings.platforms.items()
        if may_spend(home, info, now)
    }
    begins = datetime.combine(today, time(), settings.zone).astimezone(UTC)
    return planning.plan_day(
        missing, settings.platforms, purses, day=today, begins=begins, now=now, sweep=sweep, every=every
    )


def may_spend(home: Home, info: PlatformInfo, now: datetime) -> bool:
    """Does it cost money, is there a budget, and is it not paused?"""
    return info.tariff is not None and info.tariff.costs_money and spending.may_be_asked(home, info, now)


def check_every(home: Home) -> timedelta:
    return timedelta(hours=home.settings.policy.check_every_hours)


def sweep_time(home: Home) -> timedelta:
    return timedelta(days=home.settings.policy.list_sweep_days)


# ---------------------------------------------------------------------------------------------------- what there is


def watched_account(home: Home, account: Account) -> Watched | None:
    """One account as the planner sees it; None where there is nothing to look at yet, or not any more."""
    row = store.watched_row(home.db, account.id)
    return None if row is None else watched(home, row, store.lists_of(home.db, account.id))


def watched(home: Home, row: store.WatchedRow, lists: Mapping[Capability, ListKnown]) -> Watched:
    """`row` with what its adapter can read, or could if the platform had not refused our access to the account."""
    info = home.settings.platforms[row.platform]
    offered = (platforms.capabilities(info) & READS) - {Capability(one) for one in row.off}
    apart = platforms.needs_connection(info) and not row.connected
    return Watched(
        account_id=row.id,
        platform=row.platform,
        can=frozenset() if apart else offered,
        shut_out=offered if apart and row.lost_at is not None else frozenset(),
        live=row.state is AccountState.LIVE,
        trip=row.kind is AccountKind.TRIP,
        expected=row.audience or home.settings.policy.expected_followers,
        lists=lists,
    )


def forecast_of(home: Home, info: PlatformInfo, accounts: Iterable[store.WatchedRow]) -> prices.Forecast:
    """What a month would cost with these accounts connected, whether they are or not."""
    can = platforms.declared_capabilities(info) & READS
    known = store.all_lists(home.db)
    those = [
        replace(watched(home, row, known.get(row.id, {})), can=can - {Capability(one) for one in row.off})
        for row in accounts
        if row.platform == info.key
    ]
    return _forecast(home, info, those)


def forecast_of_one(home: Home, info: PlatformInfo) -> prices.Forecast:
    """The same of one account of usual size, for a school that has none there yet."""
    usual = home.settings.policy.expected_followers
    return _forecast(home, info, [Watched(0, info.key, platforms.declared_capabilities(info) & READS, expected=usual)])


def _forecast(home: Home, info: PlatformInfo, those: list[Watched]) -> prices.Forecast:
    return prices.forecast(
        those,
        info.tariff,
        sweep=sweep_time(home),
        changes=home.settings.policy.expected_changes,
        every=check_every(home),
    )
