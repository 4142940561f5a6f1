"""What is read of each account today, and what that costs. Pure: plain data in, a plan out.

Where every look costs money, risk decides what it is spent on: the profiles of live trips, with the counts that a
platform tells beside them; lists whose count changed; then everything else. A full list is read again without a sign
of change only after the sweep time. Where looking is free, everything is read, as far as the rate limits reach.

What is left out is never taken as fine: it gets older until the rules say that they cannot tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from socialgov.models import Capability, PlatformInfo, ReadPlan, Tariff

PROFILE = Capability.READ_PROFILE
# lists, and what of a profile's counts tells whether one has changed. A share is a post of the account, and counted so.
COUNT_OF: Mapping[Capability, str] = {
    Capability.READ_FOLLOWERS: "followers",
    Capability.READ_FOLLOWS: "follows",
    Capability.READ_LIKES: "likes",
    Capability.READ_POSTS: "posts",
    Capability.READ_SHARES: "posts",
}
LISTS = frozenset(COUNT_OF)
READS = LISTS | {PROFILE, Capability.SEE_PRESENCE}
# where a profile tells that there are none of these, there is nothing to ask for
EMPTY_IF_NONE = frozenset({Capability.READ_FOLLOWS, Capability.READ_LIKES, Capability.READ_SHARES})
CHANGES_A_MONTH = 4  # how often a forecast expects each list to change, beside the sweeps
_DAY = timedelta(days=1)
_GOLDEN = 0.6180339887498949  # its multiples, without their whole part, lie evenly however many there are
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ListKnown:
    """What is known of one kind of list: when it was read to its end, what was told then, and what is told now."""

    read_at: datetime | None = None
    told_then: int | None = None
    told: int | None = None

    @property
    def changed(self) -> bool:
        """Never read, or another number is told than when it was."""
        return self.read_at is None or (self.told is not None and self.told != self.told_then)


@dataclass(frozen=True, slots=True)
class Watched:
    """One account as the planner sees it. `expected` items are assumed of a list whose size nobody has told."""

    account_id: int
    platform: str
    can: frozenset[Capability]
    live: bool = True
    trip: bool = True
    expected: int = 30
    lists: Mapping[Capability, ListKnown] = field(default_factory=dict)

    def size(self, capability: Capability) -> int:
        known = self.lists.get(capability)
        return self.expected if known is None or known.told is None else known.told


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


# --------------------------------------------------------------------------------------------------- prices


def price_of(tariff: Tariff | None, capability: Capability, items: int) -> int:
    """What one read costs in micros if it brings that many items."""
    calls = tariff.calls.values() if tariff else ()
    return sum(call.price(items, -(-items // call.page) or 1) for call in calls if call.serves is capability)


def price_for(tariff: Tariff | None, account: Watched, capability: Capability) -> int:
    """The same of one account, from the size that was told last. Presence is told by the profile: not bought extra."""
    if capability is Capability.SEE_PRESENCE and PROFILE in account.can:
        return 0
    return price_of(tariff, capability, 1 if capability not in LISTS else account.size(capability))


def daily_price(tariff: Tariff | None, accounts: Iterable[Watched], every: timedelta = _DAY) -> int:
    """One day's profiles of all these accounts, each looked at `every` so often."""
    return looks_a_day(every) * sum(price_for(tariff, one, PROFILE) for one in accounts if PROFILE in one.can)


def looks_a_day(every: timedelta) -> int:
    return max(1, _DAY // every)


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
            plans.append(ReadPlan(one.account_id, day, at, wanted, left_out, micros, now))
    return plans


_EMPTY = Purse(0, 0, 0, 1, 1)
Bought = tuple[frozenset[Capability], frozenset[Capability], int]  # what is read, what is left out, for how much


def next_slot(account_id: int, now: datetime, every: timedelta) -> datetime:
    """When to look next: the account's own time, the same in each stretch of `every`, evenly spread over all accounts.

    Later than `now`, and no more than `every` later.
    """
    own = _EPOCH + account_id * _GOLDEN % 1 * every
    return own + (now + every - own) // every * every


def _bought(
    accounts: list[Watched], tariff: Tariff, purse: Purse, now: datetime, sweep: timedelta, looks: int
) -> dict[int, Bought]:
    """What the day's money reaches for, the most urgent first; what is too dear today does not hold up the rest."""
    share, changes = purse.share, purse.for_changes
    reads: dict[int, set[Capability]] = {one.account_id: set() for one in accounts}
    left_out: dict[int, set[Capability]] = {one.account_id: set() for one in accounts}
    paid = dict.fromkeys(reads, 0)
    for rank, _, account_id, capability, micros in sorted(_wishes(accounts, tariff, now, sweep, looks)):
        if micros <= (max(share, changes) if rank in _BY_CHANGE else share):
            share, changes = max(0, share - micros), max(0, changes - micros)
            paid[account_id] += micros
            reads[account_id].add(capability)
        else:
            left_out[account_id].add(capability)
    for one in accounts:
        if PROFILE in reads[one.account_id]:
            reads[one.account_id] |= one.can & {Capability.SEE_PRESENCE}
    return {number: (frozenset(reads[number]), frozenset(left_out[number]), paid[number]) for number in reads}


# ranks of what is bought because a count changed
_BY_CHANGE = frozenset({1, 3, 7})


def _wishes(
    accounts: list[Watched], tariff: Tariff, now: datetime, sweep: timedelta, looks: int
) -> Iterable[tuple[int, float, int, Capability, int]]:
    """Each read that is due: (rank, when last read, account, what, price). The lower rank is bought first, and of the
    same rank what was not read for longest.
    """
    for account in accounts:
        first, second, third = _ranks(account)
        for capability in sorted(account.can & READS):
            known = account.lists.get(capability, ListKnown())
            age = known.read_at.timestamp() if known.read_at else 0.0
            micros = price_for(tariff, account, capability)
            if capability is PROFILE or (capability is Capability.SEE_PRESENCE and PROFILE not in account.can):
                yield first, age, account.account_id, capability, micros * looks
            elif capability in LISTS and (due := why_due(known, now, sweep)):
                yield second if due is Due.CHANGED else third, age, account.account_id, capability, micros


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
    left = {call.name: float(call.limit * 1440 // call.window_minutes) for call in shared.values()}
    plan: dict[int, Bought] = {}
    for account in sorted(accounts, key=lambda one: (_ranks(one), one.account_id)):
        wanted: set[Capability] = set()
        for capability in sorted(account.can & READS):
            call = shared.get(capability)
            if call is not None:
                pages = -(-account.size(capability) // call.page) or 1
                if left[call.name] < pages:
                    continue
                left[call.name] -= pages
            wanted.add(capability)
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
    for capability in sorted(account.can & LISTS, key=lambda one: price_for(tariff, account, one)):
        known = account.lists.get(capability, ListKnown())
        if known.told == 0 and capability in EMPTY_IF_NONE:
            empty.add(capability)
        elif capability in planned:
            read.add(capability)
        elif (due := why_due(known, now, sweep)) is None:
            if known.told is not None:
                stands.add(capability)
        elif due is Due.CHANGED and (micros := price_for(tariff, account, capability)) <= pot:
            pot -= micros
            read.add(capability)
        else:
            left_out.add(capability)
    return AfterCounts(frozenset(read), frozenset(stands), frozenset(empty), frozenset(left_out))


# --------------------------------------------------------------------------------------------------- forecast


@dataclass(frozen=True, slots=True)
class Forecast:
    """What these accounts would cost in a month of 30 days, in micros, if nothing were left out."""

    accounts: int
    profiles: int
    changes: int
    sweeps: int

    @property
    def micros(self) -> int:
        return self.profiles + self.changes + self.sweeps


def forecast(
    accounts: Collection[Watched], tariff: Tariff | None, *, sweep: timedelta, every: timedelta = _DAY
) -> Forecast:
    """A month: each profile daily, each list at each sweep and CHANGES_A_MONTH times more because its count changed.

    Sizes are those that were told last; where none was, `expected`.
    """
    lists = sum(price_for(tariff, one, capability) for one in accounts for capability in one.can & LISTS)
    sweeps = lists * 30 * _DAY // sweep
    return Forecast(len(accounts), 30 * daily_price(tariff, accounts, every), CHANGES_A_MONTH * lists, sweeps)
