"""What is read of each account today, and what that costs. Pure: plain data in, a plan out.

Where every look costs money, risk decides what it is spent on: the profiles of live trips, with the counts that a
platform tells beside them; lists whose count changed; then everything else. A full list is read again without a sign
of change only after the sweep time. Where looking is free, everything is read, as far as the rate limits reach.

What is left out is never taken as fine: it gets older until the rules say that they cannot tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from socialgov.models import Capability, PlatformInfo, ReadPlan, Tariff
from socialgov.prices import (
    LISTS,
    PROFILE,
    READS,
    ListKnown,
    Watched,
    bundles,
    fits,
    looks_a_day,
    pages_of,
    price_for,
)

# where a profile tells that there are none of these, there is nothing to ask for
EMPTY_IF_NONE = frozenset({Capability.READ_FOLLOWS, Capability.READ_LIKES, Capability.READ_SHARES})
_DAY = timedelta(days=1)
_GOLDEN = 0.6180339887498949  # its multiples, without their whole part, lie evenly however many there are
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Purse:
    """One platform's money, in micros. `day` of `days` is today's number in the month.

    `kept_percent` of the budget is for what people do (posts, a look before the gate, taking something back): it
    shrinks day by day, so that on the last day nothing is kept for nothing. `daily` is what all profiles cost a day,
    `promised` what today's plans of other accounts still need.
    """

    budget: int
    spent_before: int
    spent_today: int
    day: int
    days: int
    kept_percent: int = 0
    daily: int = 0
    promised: int = 0

    @property
    def days_left(self) -> int:
        """Today included."""
        return self.days - self.day + 1

    @property
    def left(self) -> int:
        return max(0, self.budget - self.spent_before - self.spent_today)

    @property
    def kept(self) -> int:
        return self.budget * self.kept_percent * (self.days_left - 1) // (100 * self.days)

    @property
    def share(self) -> int:
        """What may be spent on the rest of today, so that the money lasts evenly to the end of the month."""
        today = (self.budget - self.spent_before - self.kept) // self.days_left
        return max(0, min(self.left, today - self.spent_today) - self.promised)

    @property
    def for_changes(self) -> int:
        """What may be spent today on lists that changed: a sign of risk does not wait for tomorrow's share.

        Half of what the profiles of the rest of the month do not need.
        """
        spare = self.left - self.kept - self.promised - self.daily * (self.days_left - 1)
        return max(self.share, min(self.left - self.promised, spare // 2), 0)


class Due(StrEnum):
    """Why a list is read, the most urgent first."""

    CHANGED = "changed"
    SWEEP = "sweep"


# --------------------------------------------------------------------------------------------------- the plan


def plan_day(
    accounts: Iterable[Watched],
    platforms: Mapping[str, PlatformInfo],
    purses: Mapping[str, Purse],
    *,
    day: date,
    begins: datetime,
    now: datetime,
    sweep: timedelta,
    every: timedelta = _DAY,
) -> list[ReadPlan]:
    """A plan for each account, an empty one where no machine reads anything. `begins`: when `day` does, in UTC.

    `purses` holds the money of each platform that costs any; without one nothing of it is bought. `every` is how often
    an account is looked at.
    """
    by_platform: dict[str, list[Watched]] = {}
    for account in accounts:
        by_platform.setdefault(account.platform, []).append(account)
    plans: list[ReadPlan] = []
    for key, those in by_platform.items():
        tariff = platforms[key].tariff
        if tariff is not None and tariff.costs_money:
            bought = _bought(those, tariff, purses.get(key, _EMPTY), now, sweep, looks_a_day(every))
        else:
            bought = _within_limits(those, tariff)
        for one in those:
            at = next_slot(one.account_id, begins - every, every)
            wanted, left_out, micros = bought[one.account_id]
            plans.append(ReadPlan(one.account_id, day, at, wanted, left_out | one.shut_out, micros, now))
    return plans


_EMPTY = Purse(0, 0, 0, 1, 1)
Bought = tuple[frozenset[Capability], frozenset[Capability], int]  # what is read, what is left out, for how much


def next_slot(account_id: int, now: datetime, every: timedelta) -> datetime:
    """When to look next: the account's own time, the same in each stretch of `every`, evenly spread over all accounts.

    Later than `now`, and no more than `every` later.
    """
    own = _EPOCH + account_id * _GOLDEN % 1 * every
    return own + (now + every - own) // every * every


class _Wish(NamedTuple):
    """One read that is due. The lower rank is bought first, and of the same rank what was not read for longest."""

    rank: int
    age: float
    account_id: int
    capability: Capability
    micros: int
    brings: tuple[Capability, ...]  # with what its answer holds too
    due: tuple[Capability, ...]
    fits: bool = True


def _bought(
    accounts: list[Watched], tariff: Tariff, purse: Purse, now: datetime, sweep: timedelta, looks: int
) -> dict[int, Bought]:
    """What the day's money reaches for, the most urgent first; what is too dear today does not hold up the rest."""
    share, changes = purse.share, purse.for_changes
    reads: dict[int, set[Capability]] = {one.account_id: set() for one in accounts}
    left_out: dict[int, set[Capability]] = {one.account_id: set() for one in accounts}
    paid = dict.fromkeys(reads, 0)
    for wish in sorted(_wishes(accounts, tariff, now, sweep, looks)):
        if wish.fits and wish.micros <= (max(share, changes) if wish.rank in _BY_CHANGE else share):
            share, changes = max(0, share - wish.micros), max(0, changes - wish.micros)
            paid[wish.account_id] += wish.micros
            reads[wish.account_id].update(wish.brings)
        else:
            left_out[wish.account_id].update(wish.due)
    for one in accounts:
        if PROFILE in reads[one.account_id]:
            reads[one.account_id] |= one.can & {Capability.SEE_PRESENCE}
    return {number: (frozenset(reads[number]), frozenset(left_out[number]), paid[number]) for number in reads}


# ranks of what is bought because a count changed
_BY_CHANGE = frozenset({1, 3, 7})


def _wishes(accounts: list[Watched], tariff: Tariff, now: datetime, sweep: timedelta, looks: int) -> Iterable[_Wish]:
    """Each read that is due."""
    for account in accounts:
        number, (first, second, third) = account.account_id, _ranks(account)
        for one in sorted(account.can & READS - LISTS):
            if one is PROFILE or PROFILE not in account.can:
                micros = price_for(tariff, account, one) * looks
                yield _Wish(first, _age(account, (one,)), number, one, micros, (one,), (one,))
        for bundle in bundles(tariff, account):
            if due := dues(account, bundle, now, sweep):
                rank = second if Due.CHANGED in due.values() else third
                micros, within = price_for(tariff, account, bundle[0]), fits(tariff, account, bundle[0])
                yield _Wish(rank, _age(account, due), number, bundle[0], micros, bundle, tuple(due), within)


def _age(account: Watched, capabilities: Iterable[Capability]) -> float:
    """When that of these which was not read for longest was read; 0 where one never was."""
    return min(at.timestamp() if (at := account.known(one).read_at) else 0.0 for one in capabilities)


def dues(account: Watched, lists: Iterable[Capability], now: datetime, sweep: timedelta) -> dict[Capability, Due]:
    """Which of these lists must be read, and why."""
    found = {one: why_due(account.known(one), now, sweep) for one in lists}
    return {one: why for one, why in found.items() if why is not None}


def _ranks(account: Watched) -> tuple[int, int, int]:
    """Of its profile, its changed lists and its sweeps: live trips before all others (children are away from home)."""
    if account.live:
        return (0, 1, 4) if account.trip else (2, 3, 5)
    return 6, 7, 8


def why_due(known: ListKnown, now: datetime, sweep: timedelta) -> Due | None:
    """Must the whole list be read? None: it was, lately, and no other number is told since."""
    if known.changed:
        return Due.CHANGED
    return Due.SWEEP if known.read_at is None or now - known.read_at >= sweep else None


def _within_limits(accounts: list[Watched], tariff: Tariff | None) -> dict[int, Bought]:
    """Everything, where it is free, as long as the day's requests stay within what the whole school may make."""
    shared = {call.serves: call for call in tariff.calls.values() if call.shared and call.serves} if tariff else {}
    left = {call.name: call.limit * 1440 // call.window_minutes for call in shared.values()}
    plan: dict[int, Bought] = {}
    for account in sorted(accounts, key=lambda one: (_ranks(one), one.account_id)):
        wanted: set[Capability] = set()
        for bundle in [*((one,) for one in sorted(account.can & READS - LISTS)), *bundles(tariff, account)]:
            if not fits(tariff, account, bundle[0]):
                continue
            if (call := shared.get(bundle[0])) is not None:
                pages = pages_of(call, account.size(bundle[0]))
                if left[call.name] < pages:
                    continue
                left[call.name] -= pages
            wanted.update(bundle)
        plan[account.account_id] = frozenset(wanted), (account.can & READS) - wanted, 0
    return plan


# --------------------------------------------------------------------------------------------------- after the counts


@dataclass(frozen=True, slots=True)
class AfterCounts:
    """What follows from a profile's counts: lists to read, lists that stand as they were read, lists that are empty,
    and lists that should be read but are not, because the money does not reach.
    """

    read: frozenset[Capability]
    stands: frozenset[Capability]
    empty: frozenset[Capability]
    left_out: frozenset[Capability]


def after_counts(
    account: Watched,
    tariff: Tariff | None,
    *,
    planned: Collection[Capability],
    pot: int,
    now: datetime,
    sweep: timedelta,
) -> AfterCounts:
    """Decide about each list. `account.lists` holds what the profile has just told; `pot` is the money for changes.

    A list stands only where the same number is told as at its last complete reading, and that is within the sweep
    time: what came in exchange for what went is found by the sweep.
    """
    read, stands, empty, left_out = set(), set(), set(), set()
    for bundle in sorted(bundles(tariff, account), key=lambda one: price_for(tariff, account, one[0])):
        none = {one for one in bundle if account.known(one).told == 0 and one in EMPTY_IF_NONE}
        empty |= none
        there = [one for one in bundle if one not in none]
        due, wanted = dues(account, there, now, sweep), {one for one in there if one in planned}
        micros = price_for(tariff, account, bundle[0])
        by_change = Due.CHANGED in due.values() and micros <= pot
        if (wanted or by_change) and fits(tariff, account, bundle[0]):
            pot -= 0 if wanted else micros
            read.update(there)
            continue
        left_out |= wanted | due.keys()
        stands |= {one for one in there if one not in left_out and account.known(one).told is not None}
    return AfterCounts(frozenset(read), frozenset(stands), frozenset(empty), frozenset(left_out))
