"""What a machine reads of an account, and what that costs. Pure: plain data in, sums in micros out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from socialgov.models import CallCost, Capability, Tariff

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
# where a platform has no call of its own for the first, it is told by what answers the second: X lists shares as posts
COMES_WITH: Mapping[Capability, Capability] = {Capability.READ_SHARES: Capability.READ_POSTS}
READS = LISTS | {PROFILE, Capability.SEE_PRESENCE}
_DAY = timedelta(days=1)


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


_UNKNOWN = ListKnown()


@dataclass(frozen=True, slots=True)
class Watched:
    """One account as the planner sees it. `expected` items are assumed of a list whose size nobody has told.

    `can` is what a machine can read now, `shut_out` what it could before the platform refused our access: that is left
    out of every plan until somebody connects the account again.
    """

    account_id: int
    platform: str
    can: frozenset[Capability]
    live: bool = True
    trip: bool = True
    expected: int = 30
    lists: Mapping[Capability, ListKnown] = field(default_factory=dict)
    shut_out: frozenset[Capability] = frozenset()

    def known(self, capability: Capability) -> ListKnown:
        return self.lists.get(capability, _UNKNOWN)

    def size(self, capability: Capability) -> int:
        """How many items one read of it brings."""
        if capability not in LISTS:
            return 1
        told = self.known(capability).told
        return self.expected if told is None else told


# --------------------------------------------------------------------------------------------------- prices


def price_of(tariff: Tariff | None, capability: Capability, items: int) -> int:
    """What one read costs in micros if it brings that many items."""
    return sum(call.price(items, pages_of(call, items)) for call in calls_of(tariff, capability))


def price_for(tariff: Tariff | None, account: Watched, capability: Capability) -> int:
    """The same of one account, from the size that was told last. What another read tells too is not bought extra:
    presence comes with the profile, and shares with the posts where the platform has no call for them alone.
    """
    if capability is Capability.SEE_PRESENCE and PROFILE in account.can:
        return 0
    if carrier_of(tariff, account, capability) is not None:
        return 0
    return price_of(tariff, capability, account.size(capability))


def calls_of(tariff: Tariff | None, capability: Capability) -> list[CallCost]:
    """The calls that one read is made of: its own, else those of the read that tells it too."""
    calls = tariff.calls.values() if tariff else ()
    own = [call for call in calls if call.serves is capability]
    return own or [call for call in calls if call.serves is not None and call.serves is COMES_WITH.get(capability)]


def pages_of(call: CallCost, items: int) -> int:
    """How many requests bring that many items: at least one."""
    return -(-items // call.page) or 1


def carrier_of(tariff: Tariff | None, account: Watched, capability: Capability) -> Capability | None:
    """The read of this account whose answer holds this list too; None where it is asked for by itself."""
    carrier = COMES_WITH.get(capability)
    if tariff is None or carrier not in account.can:
        return None
    return None if any(call.serves is capability for call in tariff.calls.values()) else carrier


def bundles(tariff: Tariff | None, account: Watched) -> list[tuple[Capability, ...]]:
    """The account's lists, each with those that its answer holds too: they are bought, read or left out together."""
    carriers = {one: carrier_of(tariff, account, one) for one in sorted(account.can & LISTS)}
    return [
        (one, *(other for other, its in carriers.items() if its is one))
        for one, carrier in carriers.items()
        if carrier is None
    ]


def fits(tariff: Tariff | None, account: Watched, capability: Capability) -> bool:
    """Can the list be read to its end within one window of the platform's limit? Half of a list is paid for nothing."""
    size = account.size(capability)
    return all(pages_of(call, size) <= call.limit for call in calls_of(tariff, capability))


def daily_price(tariff: Tariff | None, accounts: Iterable[Watched], every: timedelta = _DAY) -> int:
    """One day's profiles of all these accounts, each looked at `every` so often."""
    return looks_a_day(every) * sum(price_for(tariff, one, PROFILE) for one in accounts if PROFILE in one.can)


def looks_a_day(every: timedelta) -> int:
    return max(1, _DAY // every)


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
    accounts: Collection[Watched], tariff: Tariff | None, *, sweep: timedelta, changes: int, every: timedelta = _DAY
) -> Forecast:
    """A month: each profile at every look, each list at each sweep and `changes` times more because its count changed.

    Sizes are those that were told last; where none was, `expected`.
    """
    lists = sum(price_for(tariff, one, capability) for one in accounts for capability in one.can & LISTS)
    sweeps = lists * 30 * _DAY // sweep
    return Forecast(len(accounts), 30 * daily_price(tariff, accounts, every), changes * lists, sweeps)
