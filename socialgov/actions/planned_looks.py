"""One look at an account by the day's plan. Where looks cost money: the profile with its counts first, then only what
is worth it. Where they cost none: everything that the plan does not leave out, as far as shared limits reach.

A list that was not read again because the platform tells the same number as at its last complete reading is confirmed,
but only within the sweep time, and the observation says so. Everything else that is not read stays as it was and gets
older.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov import planning
from socialgov.actions import spending
from socialgov.actions.adapters import capabilities_of
from socialgov.actions.planning import check_every, plan_of_today, sweep_time, watched_account
from socialgov.actions.reading import FACTS_OF, Reading, read_platform, try_read
from socialgov.models import Capability, Fact, Presence, Source
from socialgov.platforms import BudgetUsedUp, PaymentNeeded, PlatformError
from socialgov.prices import COUNT_OF, LISTS, PROFILE, READS, ListKnown, carrier_of, daily_price
from socialgov.store import plans as store
from socialgov.store.observations import newest_observation
from socialgov.store.posts import own_posts_since

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, PlatformInfo, ReadPlan
    from socialgov.platforms import Counts, Platform
    from socialgov.prices import Watched

MONEY = (BudgetUsedUp, PaymentNeeded)  # refused for want of money: until there is some, people look


def look_at(home: Home, account: Account, platform: Platform, *, asked: bool, now: datetime) -> Reading:
    """What is read of one account now: what the day's plan says, and where it costs money what the counts say too.

    `asked`: a person wants it now, whatever was read today already.
    """
    one = watched_account(home, account)
    if one is None:
        return read_platform(platform)
    plan = plan_of_today(home, account, now)
    if not spending.costs_money(platform.info):
        return _free_look(home, platform, one, plan, asked=asked, now=now)
    reading = Reading()
    known = one.known(PROFILE)
    fresh = timedelta(minutes=home.settings.policy.asked_again_minutes) if asked else check_every(home) / 2
    if known.read_at is None or now - known.read_at >= fresh:
        if PROFILE not in plan.reads and not asked:
            reading.left_out = one.can & READS
            return reading
        _profile_first(platform, reading)
        if PROFILE in reading.failed or reading.values.get(Fact.PRESENCE, Presence.LIVE) is not Presence.LIVE:
            reading.left_out = one.can & LISTS if PROFILE in reading.failed else frozenset()
            return reading
    _lists(home, account, platform, one, plan, reading, now)
    return reading


def usual_next_look(home: Home, account: Account, now: datetime) -> datetime:
    """The account's own time, within one interval from now, so that the looks at all accounts spread over the day."""
    return planning.next_slot(account.id, now, check_every(home))


def shut_out_of(home: Home, account: Account) -> frozenset[Capability]:
    """What a machine read of the account until the platform refused our access to it; nobody connected it since."""
    one = watched_account(home, account)
    return frozenset() if one is None else one.shut_out


def _free_look(home: Home, platform: Platform, one: Watched, plan: ReadPlan, *, asked: bool, now: datetime) -> Reading:
    """Without what the plan leaves out, and for now without what the whole school has asked for often enough.

    A person's own wish is one look more, and is made in any case: the platform itself says when that is too much.
    """
    if asked:
        return read_platform(platform)
    left_out, full = one.can & READS - plan.reads, _used_up(home, platform.info, now)
    reading = read_platform(platform, without=left_out | full.keys())
    reading.left_out = left_out
    reading.failed |= {
        capability: PlatformError(
            f"The school has asked {platform.info.name} as often as it may for now.",
            permanent=False,
            mend="It is asked again by itself.",
            retry_at=until,
        )
        for capability, until in full.items()
        if platform.can(capability) and capability not in left_out
    }
    return reading


def _used_up(home: Home, info: PlatformInfo, now: datetime) -> dict[Capability, datetime]:
    """Reads of which the whole school has made as many as one window of the platform's limit allows: until when."""
    found = {}
    for call in info.tariff.calls.values() if info.tariff else ():
        if call.shared and call.serves is not None:
            window = timedelta(minutes=call.window_minutes)
            made, first = store.requests_since(home.db, info.key, call.serves, now - window, page=call.page)
            if first is not None and made >= call.limit:
                found[call.serves] = first + window
    return found


def was_checked(home: Home, account: Account, reading: Reading) -> bool:
    """Did the platform tell something, or is there no machine that looks, so that what people said was all there is?"""
    return reading.brought or not (reading.left_out or capabilities_of(home, account))


def _profile_first(platform: Platform, reading: Reading) -> None:
    """A profile that is answered is there, so presence is not bought beside it; one that is refused may be gone."""
    try_read(platform, PROFILE, reading)
    refused = reading.failed.get(PROFILE)
    if refused is None and platform.can(PROFILE):
        if platform.can(Capability.SEE_PRESENCE):
            reading.values[Fact.PRESENCE] = Presence.LIVE
            reading.done.add(Capability.SEE_PRESENCE)
    elif refused is None or (refused.permanent and not isinstance(refused, MONEY)):
        try_read(platform, Capability.SEE_PRESENCE, reading)
        if reading.values.get(Fact.PRESENCE, Presence.LIVE) is not Presence.LIVE:
            reading.failed.pop(PROFILE, None)  # an account that is not there has no profile: that is no failure


def _lists(
    home: Home, account: Account, platform: Platform, one: Watched, plan: ReadPlan, reading: Reading, now: datetime
) -> None:
    """Read those that are due, confirm those that stand, and say which were left out.

    Nothing is confirmed by a number that was told at an earlier look.
    """
    seen = replace(one, lists=_told_now(home, account, one.lists, reading.counts))
    done = {what for what in LISTS if (at := seen.known(what).read_at) and at >= plan.made_at}
    after = planning.after_counts(
        seen, platform.info.tariff, planned=plan.reads - done, pot=_pot(home, platform.info, one, now), now=now,
        sweep=sweep_time(home),
    )  # fmt: skip
    for capability in sorted(after.read):
        no_money = reading.failed and isinstance(next(reversed(reading.failed.values())), MONEY)
        if not no_money and carrier_of(platform.info.tariff, one, capability) not in reading.failed:
            try_read(platform, capability, reading)
    if reading.counts is not None:
        for capability in sorted(after.stands - done):
            _confirm(home, account, platform.info, capability, seen.lists[capability], reading)
        for capability in sorted(after.empty):
            fact = FACTS_OF[capability][0]
            reading.values[fact] = 0
            reading.notes[fact] = f"Not asked for: {platform.info.name} tells that there are none."
            reading.done.add(capability)
    unread = (after.read & platform.capabilities) - reading.done
    reading.left_out = frozenset(after.left_out | unread)


def _told_now(
    home: Home, account: Account, lists: Mapping[Capability, ListKnown], counts: Counts | None
) -> dict[Capability, ListKnown]:
    """The lists with the numbers that the profile has just told. Our own posts since then are no change."""
    told = dict(lists)
    before = lists.get(PROFILE, ListKnown()).read_at
    for capability, name in COUNT_OF.items():
        number = None if counts is None else getattr(counts, name)
        known = lists.get(capability, ListKnown())
        if number is None:
            continue
        if name == "posts" and known.told_then is not None and before is not None:
            known = replace(known, told_then=known.told_then + own_posts_since(home.db, account.id, before))
        told[capability] = replace(known, told=number)
    return told


def _pot(home: Home, info: PlatformInfo, one: Watched, now: datetime) -> int:
    """The money for lists that have changed, beside what today's plans of other accounts still need."""
    promised = store.promised(home.db, info.key, home.today(now), other_than=one.account_id)
    daily = daily_price(info.tariff, [one], check_every(home)) * store.accounts_looked_at(home.db, info.key)
    return spending.purse_of(home, info, now, daily=daily, promised=promised).for_changes


def _confirm(
    home: Home, account: Account, info: PlatformInfo, capability: Capability, known: ListKnown, reading: Reading
) -> None:
    """The same number as at the last complete reading, which was within the sweep time: what was seen then stands."""
    at = home.today(known.read_at) if known.read_at else None
    day = f" on {at.day} {at:%B %Y}" if at else ""
    for fact in FACTS_OF[capability]:
        seen = newest_observation(home.db, account.id, fact, source=Source.API)
        if seen is None or (account.set_up_at is not None and seen.observed_at < account.set_up_at):
            continue
        reading.values[fact] = seen.value
        reading.notes[fact] = f"Not read again: {info.name} tells the same number as at the full reading{day}."
    reading.stands.add(capability)


def keep_counts(home: Home, db: Database, account: Account, reading: Reading, now: datetime) -> None:
    """Write down what was read to its end, what was told, and what was left out; call inside `write()`."""
    told = _told_now(home, account, {}, reading.counts)
    for capability in reading.done:
        number = told[capability].told if capability in told else None
        store.note_read(db, account.id, capability, number, now)
    for capability, known in told.items():
        if capability not in reading.done and known.told is not None:
            stands = capability in reading.stands
            store.note_told(db, account.id, capability, known.told, now, stands=stands)
    store.set_left_out(db, account.id, not_read(reading), now)


def not_read(reading: Reading) -> Collection[Capability]:
    """What a machine could have read and did not, for want of money, of an answer or of our access."""
    return (reading.left_out | reading.failed.keys()) - reading.done
