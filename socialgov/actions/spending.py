"""The school's money on platforms: written down before a request leaves, and never more than the month's budget.

The budget is a calendar month's, in the school's own zone, for the whole school. A platform that asks for payment
(402) is not asked again until the network manager has looked.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.notices import notify
from socialgov.errors import Conflict
from socialgov.models import Capability, Role
from socialgov.planning import Purse
from socialgov.platforms import BudgetUsedUp, PaymentNeeded
from socialgov.platforms.base import NoMeter
from socialgov.prices import ListKnown
from socialgov.store import spending as store
from socialgov.store.connect import write, write_in_no_hurry
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.plans import lists_of
from socialgov.store.staff import staff_with_role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import CallCost, PlatformInfo, Staff
    from socialgov.platforms import Meter

METER = "job:meter"
_LOST_PROFILES = 20  # that many lost answers are no reason to wait, however little is left
_PLENTY = 100  # for so many more pages like this the money reached a moment ago: it need not be counted anew
_MARGIN = 10  # how many more than it said the platform may answer with before a page is full


@dataclass(frozen=True, slots=True)
class Money:
    """One platform's month: micros of `budget` (None: the school set none) and what of it is gone or in doubt."""

    budget: int | None
    spent: int
    reserved: int
    resets_at: datetime

    @property
    def left(self) -> int:
        return max(0, (self.budget or 0) - self.spent)


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of its month."""
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def next_month(home: Home, now: datetime) -> datetime:
    """When the school's next month begins, in UTC."""
    last = month_of(home.today(now))[1]
    return datetime.combine(last + timedelta(days=1), time(), home.settings.zone).astimezone(UTC)


def money_of(home: Home, info: PlatformInfo, now: datetime) -> Money:
    """What the platform may cost this month and has cost."""
    gone = store.spent(home.db, info.key, *month_of(home.today(now)))
    return Money(info.monthly_budget, gone.micros, gone.reserved, next_month(home, now))


def purse_of(home: Home, info: PlatformInfo, now: datetime, *, daily: int = 0, promised: int = 0) -> Purse:
    """The same as the planner wants it, with what one day's profiles cost and what today's plans still need."""
    today = home.today(now)
    first, last = month_of(today)
    before = store.spent(home.db, info.key, first, today - timedelta(days=1)) if today > first else store.Spent()
    return Purse(
        budget=info.monthly_budget or 0,
        spent_before=before.micros,
        spent_today=store.spent(home.db, info.key, today, today).micros,
        day=today.day,
        days=last.day,
        kept_percent=home.settings.policy.budget_kept_percent,
        daily=daily,
        promised=promised,
    )


# ---------------------------------------------------------------------------------------------------- the meter


def costs_money(info: PlatformInfo) -> bool:
    """Is any of its calls paid for?"""
    return info.tariff is not None and info.tariff.costs_money


def meter_of(home: Home, info: PlatformInfo, account_id: int, *, now: datetime) -> Meter:
    """What counts the requests made for one account (0: for none). What costs nothing is not counted."""
    if not costs_money(info):
        return NoMeter()
    return SchoolMeter(home, info, account_id, now)


class SchoolMeter:
    """Meter of platforms/base.py, in the school's database. Lives as long as its adapter, for one job."""

    def __init__(self, home: Home, info: PlatformInfo, account_id: int, now: datetime) -> None:
        self._home, self._info, self._account_id, self._now = home, info, account_id, now
        self._day = home.today(now)
        self._open: dict[str, list[int]] = defaultdict(list)
        self._left = 0  # of the month's money, when that was looked at last

    def room(self, call: str, items: int) -> int:
        """A list's page: as many as the platform said there are and a few more, if the money left pays for them."""
        cost = self._cost(call)
        if cost.unit != "item" or not cost.micros:
            return items
        known = self._lists.get(cost.serves) if cost.serves else None
        wanted = items if known is None or known.told is None else min(items, known.told + _MARGIN)
        if self._left < _PLENTY * wanted * cost.micros:
            self._left = money_of(self._home, self._info, self._now).left
        return max(1, min(wanted, self._left // cost.micros))

    def before(self, call: str, items: int = 1) -> None:
        """Reserve. Raises BudgetUsedUp where the month's money does not reach, PaymentNeeded while it is paused.

        What was reserved must outlive whatever the job undoes later, so it is never part of another transaction.
        """
        db = self._home.db
        if db.conn.in_transaction:
            raise RuntimeError("a platform is asked inside a transaction")
        price = self._cost(call).price(items)
        with write(db):
            if store.pause_of(db, self._info.key, self._now) is not None:
                raise PaymentNeeded(self._info.name)
            money = money_of(self._home, self._info, self._now)
            if enough := money.left >= price and money.budget is not None:
                store.reserve(db, self._info.key, self._day, self._account_id, call, price)
            elif money.budget is not None:
                _tell_used_up(db, self._home, self._info, self._now)
        if not enough:
            raise BudgetUsedUp(self._info.name, money.resets_at, none_set=money.budget is None)
        self._open[call].append(price)
        self._left = money.left - price

    def after(self, call: str, items: int = 1) -> None:
        """Settle the newest request of this kind that is not settled; those before it had no answer, and stay.

        Where a power cut undoes that, the request is in doubt again, which counts as spent.
        """
        if not self._open[call]:
            return
        reserved, cost = self._open[call].pop(), self._cost(call)
        self._open[call].clear()
        with write_in_no_hurry(self._home.db) as db:
            store.settle(
                db, self._info.key, self._day, self._account_id, call, reserved=reserved, micros=cost.price(items),
                items=items,
            )  # fmt: skip

    @cached_property
    def _lists(self) -> Mapping[Capability, ListKnown]:
        """How long each list was when the job came to its first one; the number was told with the profile before."""
        return lists_of(self._home.db, self._account_id)

    def _cost(self, call: str) -> CallCost:
        """Of a call that the tariff does not name: that of the dearest, for it may be."""
        assert self._info.tariff is not None
        calls = self._info.tariff.calls
        return calls[call] if call in calls else max(calls.values(), key=lambda one: one.micros)


def _tell_used_up(db: Database, home: Home, info: PlatformInfo, now: datetime) -> None:
    """Once a month, in the log and to the network managers: from now on people look, or nobody does."""
    first = month_of(home.today(now))[0]
    if store.told_in_log(db, EventTag.BUDGET_USED_UP, info.key, datetime.combine(first, time(), home.settings.zone)):
        return
    record_event(db, EventTag.BUDGET_USED_UP, actor=METER, now=now, subject="platform", data={"platform": info.key})
    text = (
        f"The budget for {info.name} does not reach for all that is due this month. What is not checked stands on each"
        " account's page. Raise monthly_budget in school.toml, or look yourselves and say so with a screenshot."
    )
    _tell_managers(db, "budget_used_up", text, f"budget:{info.key}:{first}", now)


# ---------------------------------------------------------------------------------------------------- pauses


def pause_for_payment(home: Home, info: PlatformInfo, *, now: datetime) -> bool:
    """The platform asked for payment (402): ask it nothing more, for the whole school. False where that stands.

    Where nothing costs money that is one server's odd answer, and no reason to leave all others.
    """
    if not costs_money(info):
        return False
    with write(home.db) as db:
        if store.pause_of(db, info.key, now) is not None:
            return False
        why = f"{info.name} asked for payment."
        store.set_pause(db, info.key, why, now, None)
        record_event(
            db, EventTag.PLATFORM_PAUSED, actor=METER, now=now, subject="platform", data={"platform": info.key}
        )
        text = (
            f"{info.name} asks for payment, so socialgov asks it nothing more. Put credit on the school's developer"
            " account there, then say on the page Platforms that it may be asked again. Until then, people look."
        )
        _tell_managers(db, "platform_paused", text, f"paused:{info.key}:{now.isoformat()}", now)
    return True


def resume(home: Home, actor: Staff, platform: str, *, now: datetime) -> None:
    """The network manager has looked: the platform may be asked again. Raises Conflict where it was not paused."""
    permissions.check_can_run_platforms(actor)
    with write(home.db) as db:
        if not store.end_pause(db, platform):
            raise Conflict("This platform is not paused.", "Open the page again to see how it stands.")
        tag, data = EventTag.PLATFORM_RESUMED, {"platform": platform}
        record_event(db, tag, actor=actor_of(actor.id), now=now, subject="platform", data=data)


def may_be_asked(home: Home, info: PlatformInfo, now: datetime) -> bool:
    """Is there money for one more look at a profile, and is the platform not paused? True where it costs nothing."""
    if not costs_money(info):
        return True
    if store.pause_of(home.db, info.key, now) is not None:
        return False
    return info.monthly_budget is not None and money_of(home, info, now).left >= profile_price(info)


def too_much_in_doubt(home: Home, info: PlatformInfo, account_id: int, now: datetime) -> bool:
    """Were answers about this account lost today that may have cost a tenth of what the month has left?

    While a platform is down each try may cost money all the same, so it is not tried again and again.
    """
    today = home.today(now)
    doubt = store.spent_on_account(home.db, info.key, account_id, today, today).reserved
    return doubt > max(_LOST_PROFILES * profile_price(info), money_of(home, info, now).left // 10)


def profile_price(info: PlatformInfo) -> int:
    """What one look at a profile costs, in micros."""
    calls: Mapping[str, CallCost] = info.tariff.calls if info.tariff else {}
    return max((one.price(1) for one in calls.values() if one.serves is Capability.READ_PROFILE), default=0)


def _tell_managers(db: Database, kind: str, text: str, key: str, now: datetime) -> None:
    for staff in staff_with_role(db, Role.NETWORK_MANAGER):
        notify(db, staff_id=staff.id, kind=kind, text=text, dedupe_key=key, now=now)
