"""What the school writes down as spent is what X bills: with tweepy's client, against a stand-in that keeps a bill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from connected import Connected, connectable

from socialgov.actions.observing import check_account
from socialgov.actions.spending import money_of, month_of
from socialgov.home import Home
from socialgov.models import Capability, Fact, PlatformInfo
from socialgov.store.findings import findings_of
from socialgov.store.observations import newest_observation
from socialgov.store.plans import not_checked
from socialgov.store.spending import pause_of, spent

DAY = timedelta(days=1)


@pytest.fixture
def on_x(home: Home, tmp_path: Path) -> Iterator[Connected]:
    """Connected, with twelve followers and five posts of its own."""
    with connectable(home, tmp_path) as one:
        for number in range(12):
            one.x.world.accept(one.there, one.x.world.follow(f"carer_{number}", one.there))
        for number in range(5):
            one.x.world.post(one.there, f"Day {number}")
        one.connect()
        yield one


def info_of(one: Connected) -> PlatformInfo:
    return one.home.settings.platforms["x"]


def with_budget(one: Connected, micros: int) -> Home:
    info = replace(info_of(one), monthly_budget=micros)
    platforms = {**one.home.settings.platforms, "x": info}
    return Home(one.home.path, replace(one.home.settings, platforms=platforms), one.home.escrow, one.clock)


def ours(one: Connected) -> int:
    """What we wrote down, in all months."""
    return sum(spent(one.home.db, "x", *month_of(one.home.today(one.now + days * DAY))).micros for days in (0, -31))


def look(one: Connected, home: Home | None = None) -> None:
    check_account(home or one.home, one.account.id, now=one.now)


def test_every_cent_of_a_fortnight_is_on_our_books_and_a_quiet_day_costs_one(on_x: Connected) -> None:
    look(on_x)
    days = []
    for day in range(14):
        before = on_x.x.spent_micros
        on_x.later(days=1)
        if day == 4:
            on_x.x.world.accept(on_x.there, on_x.x.world.follow("stranger", on_x.there))
        if day == 8:
            on_x.x.world.like(on_x.there, on_x.x.world.post(on_x.x.world.anybody("carer_1"), "Hello"))
        look(on_x)
        days.append(on_x.x.spent_micros - before)
    assert ours(on_x) == on_x.x.spent_micros
    assert days[:4] == [10_000] * 4
    assert days[4] == 10_000 + 13 * 10_000, "the list of followers, because its number changed, and no other"
    assert days[8] == 10_000 + 5_000
    answers = {one.rule_id: one.answer for one in findings_of(on_x.home.db, on_x.account.id)}
    assert (answers["AUD301"], answers["INT402"]) == (False, False)


def test_a_budget_that_does_not_reach_is_never_passed_and_what_is_left_out_is_said(on_x: Connected) -> None:
    look(on_x)
    on_x.later(days=9)  # into the next month
    before, budget = on_x.x.spent_micros, 200_000
    poor = with_budget(on_x, budget)
    for day in range(31):
        on_x.x.world.accept(on_x.there, on_x.x.world.follow(f"stranger_{day}", on_x.there))
        look(on_x, poor)
        on_x.later(hours=23)
    assert on_x.x.spent_micros - before <= budget
    assert on_x.x.spent_micros - before > budget - 40_000
    assert Capability.READ_FOLLOWERS in {one.capability for one in not_checked(poor.db, on_x.account.id)}


def test_a_timeline_too_dear_for_the_day_is_not_read_for_the_shares_in_it(on_x: Connected) -> None:
    look(on_x)
    on_x.later(days=1)
    for number in range(60):
        on_x.x.world.post(on_x.there, f"Hour {number}")
    poor, before, asked = with_budget(on_x, on_x.x.spent_micros + 120_000), on_x.x.spent_micros, len(on_x.x.asked)
    look(on_x, poor)
    assert [one.call for one in on_x.x.asked[asked:] if one.call != "token"] == ["me"]
    assert ours(on_x) - before == on_x.x.spent_micros - before == 10_000
    missing = {one.capability for one in not_checked(poor.db, on_x.account.id)}
    assert missing == {Capability.READ_POSTS, Capability.READ_SHARES}


def test_an_answer_that_was_lost_counts_as_spent_so_our_books_never_hold_less_than_the_bill(on_x: Connected) -> None:
    look(on_x)
    on_x.later(days=1)
    on_x.x.world.accept(on_x.there, on_x.x.world.follow("stranger", on_x.there))
    on_x.x.answers_lost = {"followers": 1}
    look(on_x)
    assert ours(on_x) >= on_x.x.spent_micros
    assert newest_observation(on_x.home.db, on_x.account.id, Fact.FOLLOWERS).value == 12  # type: ignore[union-attr]
    on_x.later(hours=1)
    look(on_x)
    assert ours(on_x) >= on_x.x.spent_micros
    assert newest_observation(on_x.home.db, on_x.account.id, Fact.FOLLOWERS).value == 13  # type: ignore[union-attr]
    assert money_of(on_x.home, info_of(on_x), on_x.now).reserved > 0


def test_when_x_wants_payment_it_is_left_alone(on_x: Connected) -> None:
    look(on_x)
    on_x.later(days=1)
    on_x.x.out_of_credit = True
    look(on_x)
    assert pause_of(on_x.home.db, "x", on_x.now) is not None
    asked = len(on_x.x.asked)
    on_x.later(days=1)
    look(on_x)
    assert len(on_x.x.asked) == asked
