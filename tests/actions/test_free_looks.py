"""Looks that cost nothing keep to the day's plan, to the account's own time, and to limits that all accounts share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import walk
from factories import NOW
from recording_platform import Shown, recorded_home

from socialgov.actions.observing import check_account
from socialgov.actions.planning import plan_reads
from socialgov.home import Home
from socialgov.models import Account, CallCost, Capability, Fact, Tariff
from socialgov.planning import next_slot
from socialgov.platforms import PlatformError, RemoteFollower
from socialgov.store.accounts import account_by_id
from socialgov.store.observations import newest_observation
from socialgov.store.plans import not_checked, requests_since

C = Capability
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
Watched = tuple[Home, Account, Shown]


def shared(limit: int, minutes: int, page: int = 100, serves: Capability = C.READ_FOLLOWERS) -> Tariff:
    call = CallCost(serves.value, "request", 0, limit, minutes, page, shared=True, serves=serves)
    return Tariff("USD", "a test", date(2026, 11, 22), {call.name: call})


def limited(home: Home, tariff: Tariff) -> Home:
    info = replace(home.settings.platforms["instagram"], tariff=tariff)
    platforms = {**home.settings.platforms, "instagram": info}
    return replace(home, settings=replace(home.settings, platforms=platforms))


@pytest.fixture
def watched(home: Home, cast: walk.Cast, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Two live accounts that a machine reads for nothing, and has not read yet: the school and the first of them."""
    account = walk.live(home, cast)
    walk.live(home, cast, form=walk.form_of(cast, handle_wished="second_one"))
    school, shown = recorded_home(home, monkeypatch)
    return school, account, shown


def missing(school: Home, account: Account) -> dict[Capability, datetime | None]:
    return {one.capability: one.since for one in not_checked(school.db, account.id)}


def test_without_a_limit_everything_is_read(watched: Watched) -> None:
    school, account, shown = watched
    check_account(school, account.id, now=NOW)
    assert {"presence", "profile", "followers", "follows", "likes", "posts", "shares"} <= set(shown.asked)
    assert missing(school, account) == {}


def test_what_the_days_requests_do_not_reach_for_is_not_read_and_is_said(watched: Watched) -> None:
    school, account, shown = watched
    one_a_day = limited(school, shared(1, 1440))
    second = account_by_id(school.db, account.id + 1)
    plan_reads(one_a_day, now=NOW)
    for one in (account, second):
        check_account(one_a_day, one.id, now=NOW + HOUR)
    assert shown.asked.count("followers") == 1 and shown.asked.count("profile") == 2
    assert missing(one_a_day, account) == {}
    assert missing(one_a_day, second) == {C.READ_FOLLOWERS: None}


def test_a_window_that_is_used_up_is_waited_for_whoever_used_it(watched: Watched) -> None:
    school, account, shown = watched
    tight = limited(school, shared(1, 60))
    second = account_by_id(school.db, account.id + 1)
    check_account(tight, account.id, now=NOW)
    check_account(tight, second.id, now=NOW + MINUTE)
    assert shown.asked.count("followers") == 1
    assert missing(tight, second) == {C.READ_FOLLOWERS: None}
    assert account_by_id(tight.db, second.id).check_due_at == NOW + HOUR, "when the window is over"
    check_account(tight, second.id, now=NOW + HOUR)
    assert shown.asked.count("followers") == 2
    assert missing(tight, second) == {}


def test_a_person_who_asks_is_not_made_to_wait(watched: Watched) -> None:
    school, account, shown = watched
    tight = limited(school, shared(1, 60))
    check_account(tight, account.id, now=NOW)
    check_account(tight, account.id, now=NOW + MINUTE, asked=True)
    assert shown.asked.count("followers") == 2


def test_a_long_list_counts_with_each_of_its_pages(watched: Watched) -> None:
    school, account, shown = watched
    shown.profile = replace(shown.profile, counts=None)
    shown.followers = [RemoteFollower(f"f{number}", f"carer{number}", "") for number in range(25)]
    check_account(school, account.id, now=NOW)
    made, first = requests_since(school.db, "instagram", C.READ_FOLLOWERS, NOW - HOUR, page=10)
    assert (made, first) == (1, NOW), "of a list of which no number is told, a page is all that is known"
    assert requests_since(school.db, "instagram", C.READ_FOLLOWERS, NOW, page=10) == (0, None)


def test_what_failed_this_morning_is_read_again_today(watched: Watched) -> None:
    school, account, shown = watched
    shown.failing = {"likes": PlatformError("Down.", permanent=False)}
    check_account(school, account.id, now=NOW)
    assert missing(school, account) == {C.READ_LIKES: None}
    shown.failing = {}
    check_account(school, account.id, now=NOW + HOUR)
    assert missing(school, account) == {}
    seen = newest_observation(school.db, account.id, Fact.LIKES)
    assert seen is not None and seen.observed_at == NOW + HOUR


def test_the_next_look_is_at_the_accounts_own_time(watched: Watched) -> None:
    school, account, _ = watched
    check_account(school, account.id, now=NOW)
    due = account_by_id(school.db, account.id).check_due_at
    assert due == next_slot(account.id, NOW, DAY)
    check_account(school, account.id, now=due)
    assert account_by_id(school.db, account.id).check_due_at == due + DAY
