"""Permission to publish fails closed, whatever is on record and in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from rule_facts import DAY, TODAY, grant

from socialgov.models import Answer, Grant, PersonKind, Use
from socialgov.rules.grants import covers

PUPIL, MOTHER, FATHER = 50, 60, 61
ACCOUNT = 7

days = st.integers(-40, 10).map(lambda number: TODAY + timedelta(days=number))
answers = st.sampled_from(Answer)
negative = st.sampled_from([Answer.REFUSED, Answer.WITHDRAWN])
kinds = st.sampled_from(PersonKind)


def grants(answer: st.SearchStrategy[Answer] = answers) -> st.SearchStrategy[Grant]:
    return st.builds(
        grant,
        answer,
        person_id=st.sampled_from([PUPIL, 51]),
        use=st.sampled_from([Use.PHOTO, Use.NAME]),
        account_id=st.sampled_from([None, ACCOUNT, 8]),
        given_by=st.sampled_from([None, PUPIL, MOTHER, FATHER]),
        given_on=days,
        valid_until_on=st.none() | days,
        recorded_at=st.integers(0, 3).map(lambda hour: datetime(2026, 11, 1, hour, tzinfo=UTC)),
    )


def permitted(*on_record: Grant, kind: PersonKind = PersonKind.PUPIL) -> bool:
    return covers(on_record, PUPIL, Use.PHOTO, ACCOUNT, TODAY, kind=kind).permitted


@given(st.lists(grants(), max_size=8), grants(negative), kinds)
def test_one_more_refusal_or_withdrawal_never_turns_no_into_yes(
    on_record: list[Grant], more: Grant, kind: PersonKind
) -> None:
    if permitted(*on_record, more, kind=kind):
        assert permitted(*on_record, kind=kind)


@given(st.lists(grants(), max_size=8), kinds, st.randoms())
def test_the_order_on_record_does_not_matter(on_record: list[Grant], kind: PersonKind, random: object) -> None:
    mixed = list(on_record)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert permitted(*on_record, kind=kind) is permitted(*mixed, kind=kind)


@given(st.lists(grants(), max_size=8), kinds)
def test_yes_needs_a_grant_of_this_person_use_account_and_day(on_record: list[Grant], kind: PersonKind) -> None:
    if not permitted(*on_record, kind=kind):
        return
    assert any(
        one.answer is Answer.GRANTED
        and one.person_id == PUPIL
        and one.use is Use.PHOTO
        and one.account_id in (None, ACCOUNT)
        and one.given_on <= TODAY
        and (one.valid_until_on is None or one.valid_until_on >= TODAY)
        and (kind is not PersonKind.PUPIL or one.given_by != PUPIL)
        for one in on_record
    )


@given(st.lists(grants(), max_size=8), st.sampled_from([MOTHER, FATHER, PUPIL]), negative, kinds)
def test_a_withdrawal_of_today_wins_at_once_over_all_that_was_said_before(
    on_record: list[Grant], giver: int, answer: Answer, kind: PersonKind
) -> None:
    before = [one for one in on_record if one.given_on < TODAY]
    last = grant(answer, given_by=giver, given_on=TODAY)
    assert not permitted(*before, last, kind=kind)


def test_nothing_recorded_is_no() -> None:
    answer = covers([], PUPIL, Use.PHOTO, ACCOUNT, TODAY)
    assert not answer.permitted and "Nobody has recorded" in answer.reason


def test_between_parents_the_refusal_wins() -> None:
    assert permitted(grant(given_by=MOTHER))
    assert not permitted(grant(given_by=MOTHER), grant(Answer.REFUSED, given_by=FATHER))
    assert not permitted(grant(given_by=MOTHER, given_on=TODAY), grant(Answer.REFUSED, given_by=FATHER))


def test_a_childs_own_refusal_wins_and_its_own_grant_is_not_enough() -> None:
    assert not permitted(grant(given_by=MOTHER), grant(Answer.REFUSED, given_by=PUPIL))
    assert not permitted(grant(given_by=PUPIL))
    assert permitted(grant(given_by=PUPIL), kind=PersonKind.STAFF)


def test_the_same_parent_may_change_their_mind_both_ways() -> None:
    refused = grant(Answer.REFUSED, given_on=TODAY - 5 * DAY)
    assert permitted(refused, grant(given_on=TODAY - DAY))
    assert not permitted(grant(given_on=TODAY - 5 * DAY), grant(Answer.WITHDRAWN, given_on=TODAY - DAY))


def test_a_refusal_for_one_account_is_not_taken_back_by_a_grant_for_all() -> None:
    here = grant(Answer.REFUSED, account_id=ACCOUNT, given_on=TODAY - 5 * DAY)
    assert not permitted(here, grant(given_on=TODAY - DAY))
    assert permitted(here, grant(account_id=ACCOUNT, given_on=TODAY - DAY))


def test_a_grant_that_has_ended_does_not_take_back_an_older_refusal() -> None:
    refused = grant(Answer.REFUSED, given_on=TODAY - 9 * DAY)
    lapsed = grant(given_on=TODAY - 5 * DAY, valid_until_on=TODAY - DAY)
    assert not permitted(refused, lapsed, grant(given_by=FATHER))


def test_a_withdrawal_dated_tomorrow_counts_today() -> None:
    assert not permitted(grant(), grant(Answer.WITHDRAWN, given_on=TODAY + DAY))


def test_the_last_day_of_a_grant_is_covered_and_the_next_is_not() -> None:
    assert permitted(grant(valid_until_on=TODAY))
    answer = covers([grant(valid_until_on=TODAY - DAY)], PUPIL, Use.PHOTO, ACCOUNT, TODAY)
    assert answer == (False, "The permission ended on 21 November 2026.")
