"""Money on platforms: reserved before the request leaves, settled after, never more than the month's budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from factories import NOW, account_at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from priced_platform import CENT, priced_home, with_budget

from socialgov.actions.spending import (
    meter_of,
    money_of,
    month_of,
    next_month,
    pause_for_payment,
    purse_of,
    resume,
)
from socialgov.errors import Conflict, NotPermitted
from socialgov.home import Home
from socialgov.models import AccountState, Capability, PlatformInfo, Staff
from socialgov.platforms import BudgetUsedUp, Meter, PaymentNeeded
from socialgov.platforms.base import NoMeter
from socialgov.store import spending as store
from socialgov.store.connect import write
from socialgov.store.events import EventTag, events_page
from socialgov.store.outbox import notices_of
from socialgov.store.plans import note_told
from socialgov.store.rows import scalar


@pytest.fixture
def school(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """With 10 cents a month."""
    return priced_home(home, monkeypatch, 10)[0]


def info_of(school: Home) -> PlatformInfo:
    return school.settings.platforms["instagram"]


def meter(school: Home, account_id: int = 1, now: datetime = NOW) -> Meter:
    return meter_of(school, info_of(school), account_id, now=now)


def cents(school: Home, now: datetime = NOW) -> tuple[float, float]:
    """Spent, and how much of it is in doubt."""
    money = money_of(school, info_of(school), now)
    return money.spent / CENT, money.reserved / CENT


def tags(school: Home, tag: EventTag) -> list[dict[str, object]]:
    return [dict(one.data) for one in events_page(school.db, before=None, tag=tag, actor=None, limit=50)]


def test_a_request_is_written_down_at_its_dearest_before_it_leaves_and_settled_after(school: Home) -> None:
    one = meter(school)
    one.before("followers", 5)
    assert cents(school) == (5, 5)
    one.after("followers", 2)
    assert cents(school) == (2, 0)


def test_what_a_killed_job_reserved_stays_spent(school: Home) -> None:
    meter(school).before("followers", 5)
    fresh = meter(school)
    fresh.before("followers", 1)
    fresh.after("followers", 1)
    assert cents(school) == (6, 5)


def test_a_request_whose_answer_was_lost_stays_reserved_when_it_is_made_again(school: Home) -> None:
    one = meter(school)
    one.before("profile")
    one.before("profile")
    one.after("profile")
    assert cents(school) == (2, 1)


def test_the_month_stops_at_its_budget_and_says_until_when(school: Home) -> None:
    one = meter(school)
    one.before("followers", 10)
    with pytest.raises(BudgetUsedUp) as refusal:
        one.before("profile")
    assert refusal.value.retry_at == datetime(2026, 12, 1, tzinfo=UTC) and not refusal.value.permanent
    assert cents(school) == (10, 10)


def test_a_new_month_has_its_own_budget(school: Home) -> None:
    one = meter(school)
    one.before("followers", 10)
    one.after("followers", 10)
    later = NOW + timedelta(days=9)
    meter(school, now=later).before("followers", 10)
    assert cents(school, later) == (10, 10)


def test_months_begin_at_midnight_where_the_school_is(school: Home) -> None:
    summer = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)  # half past midnight on 1 July in London
    assert school.today(summer).month == 7
    assert next_month(school, summer) == datetime(2026, 7, 31, 23, 0, tzinfo=UTC)
    assert [day.day for day in month_of(school.today(summer))] == [1, 31]


def test_that_the_budget_is_used_up_is_told_once_a_month(school: Home, manager: Staff) -> None:
    for _ in range(3):
        with pytest.raises(BudgetUsedUp):
            meter(school).before("followers", 11)
    with pytest.raises(BudgetUsedUp):
        meter(school, now=NOW + timedelta(days=10)).before("followers", 11)
    assert tags(school, EventTag.BUDGET_USED_UP) == [{"platform": "instagram"}] * 2
    assert sum(one.kind == "budget_used_up" for one in notices_of(school.db, manager.id)) == 2


def test_what_costs_money_is_not_asked_before_a_budget_is_set(school: Home) -> None:
    bare = with_budget(school, None)
    with pytest.raises(BudgetUsedUp, match="no budget is set") as refusal:
        meter(bare).before("profile")
    assert "monthly_budget" in refusal.value.mend
    assert cents(bare) == (0, 0) and tags(bare, EventTag.BUDGET_USED_UP) == []


def test_what_costs_nothing_is_not_counted(home: Home) -> None:
    assert isinstance(meter_of(home, home.settings.platforms["bluesky"], 1, now=NOW), NoMeter)


def test_a_call_without_a_price_of_its_own_costs_as_much_as_the_dearest(school: Home) -> None:
    one = meter(school)
    one.before("something_new", 3)
    assert cents(school) == (3, 3)


def test_a_page_is_no_larger_than_what_is_told_and_what_can_be_paid(school: Home) -> None:
    assert meter(school).room("followers", 1000) == 10
    rich = with_budget(school, 100_000)
    assert meter(rich).room("followers", 1000) == 1000
    account = account_at(rich, AccountState.REQUESTED).id
    with write(rich.db) as db:
        note_told(db, account, Capability.READ_FOLLOWERS, 7, NOW, stands=False)
    assert meter(rich, account).room("followers", 1000) == 17


def test_nothing_is_reserved_inside_another_transaction(school: Home) -> None:
    with pytest.raises(RuntimeError), write(school.db):
        meter(school).before("profile")
    assert cents(school) == (0, 0)


def test_a_platform_that_asks_for_payment_is_paused_for_the_whole_school_until_somebody_has_looked(
    school: Home, manager: Staff, teacher: Staff
) -> None:
    assert pause_for_payment(school, info_of(school), now=NOW)
    assert not pause_for_payment(school, info_of(school), now=NOW)
    with pytest.raises(PaymentNeeded):
        meter(school, account_id=2, now=NOW + timedelta(days=40)).before("profile")
    assert cents(school) == (0, 0)
    with pytest.raises(NotPermitted):
        resume(school, teacher, "instagram", now=NOW)
    resume(school, manager, "instagram", now=NOW)
    meter(school).before("profile")
    with pytest.raises(Conflict):
        resume(school, manager, "instagram", now=NOW)
    assert len(tags(school, EventTag.PLATFORM_PAUSED)) == len(tags(school, EventTag.PLATFORM_RESUMED)) == 1
    assert [one.kind for one in notices_of(school.db, manager.id)].count("platform_paused") == 1


def test_the_purse_tells_today_from_the_days_before(school: Home) -> None:
    for days, items in ((3, 2), (0, 1)):
        one = meter(school, now=NOW - timedelta(days=days))
        one.before("followers", items)
        one.after("followers", items)
    purse = purse_of(school, info_of(school), NOW)
    assert (purse.spent_before, purse.spent_today, purse.day, purse.days) == (2 * CENT, CENT, 23, 30)


def test_what_each_call_and_each_account_cost_can_be_asked(school: Home) -> None:
    for account, call in ((1, "profile"), (1, "followers"), (2, "profile")):
        one = meter(school, account)
        one.before(call, 3)
        one.after(call, 3 if call == "followers" else 1)
    first, last = month_of(school.today(NOW))
    assert [
        (one.call, one.requests, one.items) for one in store.spent_by_call(school.db, "instagram", first, last)
    ] == [
        ("followers", 1, 3),
        ("profile", 2, 2),
    ]
    assert store.spent_on_account(school.db, "instagram", 1, first, last).micros == 4 * CENT
    assert scalar(school.db, "select max(day) from spending") == school.today(NOW).isoformat()


steps = st.lists(
    st.tuples(st.sampled_from(["profile", "followers"]), st.integers(1, 4), st.integers(0, 3)), max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_whatever_is_asked_lost_or_answered_the_budget_is_never_passed_and_no_cent_is_forgotten(
    school: Home, asked: list[tuple[str, int, int]]
) -> None:
    with write(school.db) as db:
        db.execute("delete from spending")
    known, doubt = 0, 0
    one = meter(school)
    for call, items, fate in asked:
        try:
            one.before(call, items)
        except BudgetUsedUp:
            assert known + doubt + items > 10
            continue
        if fate == 0:
            doubt += items  # the answer was lost, or the job was killed
            one = meter(school)
        else:
            known += min(items, fate)
            one.after(call, min(items, fate))
        assert cents(school) == (known + doubt, doubt)
        assert known + doubt <= 10
    by_call = store.spent_by_call(school.db, "instagram", *month_of(school.today(NOW)))
    assert sum(one.micros for one in by_call) == (known + doubt) * CENT  # as the days' sums say
