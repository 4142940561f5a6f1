"""Followers: put on record, accepted as a known person or refused, counted, and removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from closing_school import PASSWORD, deposited, events, with_platform
from factories import NOW, staff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import Clock, Sandbox, served
from people_school import carer, person, pupil, trip

from socialgov import platforms
from socialgov.actions.audience import add_member, audience_of, remove_member, set_audience
from socialgov.actions.credentials import machine_login
from socialgov.actions.followers import (
    accept_follower,
    add_follower_by_hand,
    confirm_removed,
    follower_summary,
    likely_people,
    record_followers,
    refuse_follower,
)
from socialgov.errors import Conflict, InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, AccountState, Decision, Follower, Person, PersonKind, Staff
from socialgov.platforms import RemoteFollower
from socialgov.rules.facts import FollowerSummary
from socialgov.sandbox import create_sandbox
from socialgov.store.connect import guarded_update, insert, write
from socialgov.store.followers import all_followers_of, born_by, follower_by_id, followers_of

LATER = NOW + timedelta(days=1)


@pytest.fixture
def account(home: Home, teacher: Staff) -> Account:
    return trip(home, teacher)


@pytest.fixture
def child(home: Home) -> Person:
    return pupil(home, "Ann", "Lee")


@pytest.fixture
def mother(home: Home, teacher: Staff, account: Account, child: Person) -> Person:
    """The child's mother; both belong to the audience."""
    one = carer(home, "Mary", "Lee", of=[child])
    set_audience(home, teacher, account.id, [child.id], now=NOW)
    return one


def remote(number: int, name: str = "somebody", *, waiting: bool = False) -> RemoteFollower:
    return RemoteFollower(f"id{number}", name, name.title(), waiting)


def summary(home: Home, account: Account) -> FollowerSummary:
    info = home.settings.platforms[account.platform]
    return follower_summary(home.db, account, info, home.settings.policy, home.today(NOW))


def by_hand(home: Home, actor: Staff, account: Account, handle: str = "mary_l") -> Follower:
    return add_follower_by_hand(home, actor, account.id, handle, "Mary", now=NOW)


# --------------------------------------------------------------------------------------------------- audience


def test_the_audience_of_a_trip_is_its_pupils_and_their_carers(
    home: Home, teacher: Staff, account: Account, child: Person, mother: Person
) -> None:
    brother = pupil(home, "Ben", "Lee")
    father = carer(home, "Joe", "Lee", of=[child, brother])
    set_audience(home, teacher, account.id, [brother.id], now=NOW)
    assert {one.id for one in audience_of(home.db, account.id)} == {brother.id, father.id}
    log = events(home, "audience:members:changed")
    assert len(log) == 2 and "Lee" not in str(log)


def test_a_carer_taken_out_stays_out_while_their_child_stays(
    home: Home, teacher: Staff, account: Account, child: Person, mother: Person
) -> None:
    remove_member(home, teacher, account.id, mother.id, now=NOW)
    set_audience(home, teacher, account.id, [child.id], now=NOW)
    assert [one.id for one in audience_of(home.db, account.id)] == [child.id]


def test_a_colleague_may_be_added_and_a_stranger_among_carers_may_not(
    home: Home, teacher: Staff, account: Account, mother: Person
) -> None:
    colleague = person(home, PersonKind.STAFF, "Sam", "Reed")
    stranger = carer(home, "Kit", "Page", of=[pupil(home, "Cy", "Page")])
    add_member(home, teacher, account.id, colleague.id, now=NOW)
    with pytest.raises(InvalidInput, match="No child of Kit Page"):
        add_member(home, teacher, account.id, stranger.id, now=NOW)
    assert colleague.id in {one.id for one in audience_of(home.db, account.id)}


def test_only_current_pupils_can_be_chosen(home: Home, teacher: Staff, account: Account, mother: Person) -> None:
    for wrong in (mother.id, 9999):
        with pytest.raises(InvalidInput):
            set_audience(home, teacher, account.id, [wrong], now=NOW)


def test_the_audience_of_a_closing_account_stays_as_it_is(home: Home, teacher: Staff, child: Person) -> None:
    closing = trip(home, teacher, state=AccountState.CLOSING)
    with pytest.raises(WrongState):
        set_audience(home, teacher, closing.id, [child.id], now=NOW)


# --------------------------------------------------------------------------------------------------- the list


def test_a_list_is_recorded_and_the_next_one_tells_who_came_and_went(home: Home, account: Account) -> None:
    record_followers(home, account.id, [remote(1), remote(2, waiting=True)], now=NOW)
    record_followers(home, account.id, [remote(2), remote(3)], now=LATER)
    state = {one.remote_id: (one.gone_at, one.waiting) for one in all_followers_of(home.db, account.id)}
    assert state == {"id1": (LATER, False), "id2": (None, False), "id3": (None, False)}
    assert [event["data"] for event in events(home, "follower:list:read")] == [
        '{"gone": 0, "new": 2, "total": 2}',
        '{"gone": 1, "new": 1, "total": 2}',
    ]


def test_the_same_list_again_writes_no_event(home: Home, account: Account) -> None:
    for moment in (NOW, LATER):
        record_followers(home, account.id, [remote(1)], now=moment)
    assert len(events(home, "follower:list:read")) == 1
    assert followers_of(home.db, account.id)[0].last_seen_at == LATER


def test_a_follower_who_returns_under_another_name_is_still_the_one_refused(
    home: Home, teacher: Staff, account: Account
) -> None:
    record_followers(home, account.id, [remote(1, "dave")], now=NOW)
    refuse_follower(home, teacher, followers_of(home.db, account.id)[0].id, "Nobody knows them.", now=NOW)
    record_followers(home, account.id, [], now=NOW)
    record_followers(home, account.id, [remote(1, "ann_lees_mum")], now=LATER)
    (one,) = followers_of(home.db, account.id)
    assert (one.handle, one.decision) == ("ann_lees_mum", Decision.REFUSED)
    assert summary(home, account).refused_still_there == 1


def test_who_was_added_by_hand_is_the_same_in_the_list(home: Home, teacher: Staff, account: Account) -> None:
    one = by_hand(home, teacher, account, "@Mary_L")
    record_followers(home, account.id, [remote(7, "mary_l")], now=LATER)
    assert [(found.id, found.remote_id) for found in all_followers_of(home.db, account.id)] == [(one.id, "id7")]


def test_a_follower_is_added_by_hand_once(home: Home, teacher: Staff, account: Account) -> None:
    by_hand(home, teacher, account)
    with pytest.raises(InvalidInput, match="on the list already"):
        by_hand(home, teacher, account, "MARY_L")
    with pytest.raises(InvalidInput):
        by_hand(home, teacher, account, " @ ")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sets(st.integers(1, 6)), min_size=1, max_size=5))
def test_the_record_always_ends_as_the_last_list(home: Home, teacher: Staff, lists: list[set[int]]) -> None:
    account = trip(home, teacher, handle=None, handle_wished="h")
    for numbers in lists:
        record_followers(home, account.id, [remote(number, f"name{number}") for number in numbers], now=NOW)
    assert {one.remote_id for one in followers_of(home.db, account.id)} == {f"id{number}" for number in lists[-1]}
    assert len(all_followers_of(home.db, account.id)) == len(set().union(*lists))


# --------------------------------------------------------------------------------------------------- decisions


def test_a_follower_is_accepted_as_somebody_of_the_audience(
    home: Home, teacher: Staff, account: Account, mother: Person
) -> None:
    follower = by_hand(home, teacher, account)
    done = accept_follower(home, teacher, follower.id, mother.id, how="Asked at the gate", now=NOW)
    assert (done.decision, done.person_id, done.reason) == (Decision.ACCEPTED, mother.id, "Asked at the gate")
    assert summary(home, account) == FollowerSummary(total=1)


def test_who_does_not_belong_is_not_accepted_and_the_reason_is_said(
    home: Home, teacher: Staff, account: Account, child: Person, mother: Person
) -> None:
    follower = by_hand(home, teacher, account)
    stranger = carer(home, "Kit", "Page", of=[pupil(home, "Cy", "Page")])
    with pytest.raises(InvalidInput, match="does not belong to this account's audience"):
        accept_follower(home, teacher, follower.id, stranger.id, now=NOW)
    with pytest.raises(InvalidInput, match="is a pupil"):
        accept_follower(home, teacher, follower.id, child.id, now=NOW)
    assert follower_by_id(home.db, follower.id).decision is None
    assert events(home, "follower:check:accepted") == []


@pytest.mark.parametrize(
    ("born_on", "reason"),
    [
        (date(2013, 11, 24), "younger than 13"),
        (date(2013, 11, 23), None),  # thirteen today
        (None, "Nobody knows how old"),
    ],
)
def test_a_pupil_follows_only_when_known_to_be_old_enough(
    home: Home, teacher: Staff, born_on: date | None, reason: str | None
) -> None:
    home = with_platform(home, home.settings.platforms["instagram"], pupil_followers=True)
    account, young = trip(home, teacher), pupil(home, "Ann", "Lee", born_on=born_on)
    set_audience(home, teacher, account.id, [young.id], now=NOW)
    follower = by_hand(home, teacher, account)
    if reason is None:
        assert accept_follower(home, teacher, follower.id, young.id, now=NOW).decision is Decision.ACCEPTED
    else:
        with pytest.raises(InvalidInput, match=reason):
            accept_follower(home, teacher, follower.id, young.id, now=NOW)


def test_a_birthday_on_the_29th_of_february_comes_on_the_1st_of_march() -> None:
    assert date(2012, 2, 29) > born_by(13, date(2025, 2, 28))
    assert date(2012, 2, 29) <= born_by(13, date(2025, 3, 1))
    assert born_by(13, date(2028, 2, 29)) == date(2015, 2, 28)


def test_a_refusal_needs_a_reason_and_removing_is_then_a_task(home: Home, teacher: Staff, account: Account) -> None:
    follower = by_hand(home, teacher, account)
    with pytest.raises(InvalidInput):
        refuse_follower(home, teacher, follower.id, "  ", now=NOW)
    with pytest.raises(Conflict):
        confirm_removed(home, teacher, follower.id, now=NOW)
    assert refuse_follower(home, teacher, follower.id, "Nobody knows them.", now=NOW).gone_at is None
    assert summary(home, account).refused_still_there == 1
    assert confirm_removed(home, teacher, follower.id, now=NOW).gone_at == NOW
    assert summary(home, account) == FollowerSummary()
    assert "knows" not in str(events(home, "follower:check:refused"))


def test_only_keepers_and_the_network_manager_decide(home: Home, teacher: Staff, account: Account) -> None:
    follower = by_hand(home, teacher, account)
    with pytest.raises(NotPermitted):
        refuse_follower(home, staff(home), follower.id, "No", now=NOW)


def test_the_summary_agrees_with_what_acceptance_asks(
    home: Home, teacher: Staff, account: Account, child: Person, mother: Person
) -> None:
    """AUD302 to AUD304 in one query: everything that could go wrong after somebody was accepted."""
    young_carer = carer(home, "Kim", "Lee", of=[child], born_on=date(2014, 1, 1))
    ageless = pupil(home, "Bo", "Day", born_on=None)
    gone = person(home, PersonKind.STAFF, "Sam", "Reed")
    stranger = person(home, PersonKind.STAFF, "Al", "Fox")
    add_member(home, teacher, account.id, gone.id, now=NOW)
    remove_member(home, teacher, account.id, gone.id, now=NOW)
    for number, someone in enumerate((mother, young_carer, ageless, gone, stranger, child)):
        follower = by_hand(home, teacher, account, f"name{number}")
        with write(home.db) as db:
            guarded_update(db, "follower", follower.id, {"decision": Decision.ACCEPTED, "person_id": someone.id})
    by_hand(home, teacher, account, "unchecked")
    record = summary(home, account)
    assert record.total == 7 and record.unchecked == 1
    assert record.left_audience == 1  # Sam
    assert record.outside_audience == 4  # Kim was never added, Bo, Al, and Ann is a pupil
    assert record.under_age == 1 and record.age_unknown == 1


def test_followers_from_before_the_account_was_private_are_counted(
    home: Home, teacher: Staff, account: Account
) -> None:
    by_hand(home, teacher, account, "early")
    assert summary(home, account).first_seen_before_private_unchecked == 1  # nobody has seen it private yet
    with write(home.db) as db:
        for value, days in (("true", 1), ("false", 2), ("true", 3), ("true", 4)):
            insert(
                db,
                "observation",
                {
                    "account_id": account.id,
                    "fact": "private",
                    "value": value,
                    "observed_at": NOW + timedelta(days=days),
                    "source": "api",
                },
            )
    for number, days in ((1, 2.5), (2, 3.5)):
        known = [remote(one) for one in range(1, number + 1)] + [remote(9, "early")]
        record_followers(home, account.id, known, now=NOW + timedelta(days=days))
    assert summary(home, account).first_seen_before_private_unchecked == 2


def test_likeness_only_orders_the_list(
    home: Home, teacher: Staff, account: Account, child: Person, mother: Person
) -> None:
    follower = by_hand(home, teacher, account, "MaryLee82")
    assert likely_people(home.db, account.id, follower)[0].id == mother.id
    assert [one.id for one in likely_people(home.db, account.id, follower, "ann")] == [child.id]
    assert likely_people(home.db, account.id, follower, "nobody") == []


# --------------------------------------------------------------------------------------------------- by machine


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Sandbox]:
    clock = Clock(NOW)
    app = create_sandbox(tmp_path / "sandbox.db", clock)
    with served(app) as url:
        yield Sandbox(app.extensions["network"], clock, url)


def test_where_the_platform_can_a_refused_follower_is_removed_and_an_accepted_one_let_in(
    home: Home, teacher: Staff, network: Sandbox, child: Person
) -> None:
    info = replace(home.settings.platforms["sandbox"], api_base=network.info.api_base)
    home = with_platform(home, info)
    ours = network.network.create_account("lakes2026", PASSWORD, private=True)
    for name in ("mum", "dave"):
        network.network.follow(network.network.create_account(name, PASSWORD), ours)
    account = trip(home, teacher, platform="sandbox")
    deposited(home, account)
    mother = carer(home, "Mary", "Lee", of=[child])
    set_audience(home, teacher, account.id, [child.id], now=NOW)
    login = machine_login(home, account.id, purpose="test", now=NOW)
    seen = platforms.connect(info, account, login).followers()
    record_followers(home, account.id, seen, now=NOW)
    ids = {one.handle: one.id for one in followers_of(home.db, account.id)}
    assert accept_follower(home, teacher, ids["mum"], mother.id, now=NOW).waiting is False
    assert refuse_follower(home, teacher, ids["dave"], "Nobody knows them.", now=NOW).gone_at == NOW
    now_there = platforms.connect(info, account, login).followers()
    assert [(one.handle, one.waiting) for one in now_there] == [("mum", False)]


def test_while_the_platform_does_not_answer_the_decision_stands(home: Home, teacher: Staff, child: Person) -> None:
    home = with_platform(home, replace(home.settings.platforms["sandbox"], api_base="http://127.0.0.1:9"))
    account = trip(home, teacher, platform="sandbox")
    record_followers(home, account.id, [remote(1, "dave", waiting=True)], now=NOW)
    done = refuse_follower(home, teacher, followers_of(home.db, account.id)[0].id, "Nobody knows them.", now=NOW)
    assert (done.decision, done.gone_at) == (Decision.REFUSED, None)
