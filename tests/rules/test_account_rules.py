"""Each rule about an account answers True, False and None from plain data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rule_facts import (
    DAY,
    DEPUTY,
    HOUR,
    LEAVER,
    NOW,
    OWNER,
    PLATFORM,
    TODAY,
    account_facts,
    closing,
    contact,
    credential,
    extension,
    followers,
    rotation,
    seen,
)

from socialgov.models import AccountKind, AccountState, Fact, LogoMatch, Presence, RotationReason, Source
from socialgov.rules import ACCOUNT_RULES, CATALOGUE
from socialgov.rules.base import LaterRule

OVER = {"account": {"ends_on": TODAY - DAY}}
CLOSING = {"account": {"ends_on": TODAY - 2 * DAY, "state": AccountState.CLOSING}, "closing": closing()}
CLOSED = {"account": {"ends_on": TODAY - 2 * DAY, "state": AccountState.CLOSED}}
STANDING = {"kind": AccountKind.STANDING, "ends_on": None, "review_on": TODAY + 90 * DAY}
NEVER_SET_UP = {"handle": None, "remote_id": None, "state": AccountState.CLOSING}


def see(fact: Fact, value: Any) -> dict[str, Any]:
    return {"look": {fact: value}}


def unseen(*facts: Fact) -> dict[str, Any]:
    return {"without": facts}


CASES: list[tuple[str, bool | None, dict[str, Any]]] = [
    ("ACC101", True, see(Fact.SETUP_EMAIL, " Trips@SCHOOL.example ")),
    ("ACC101", False, see(Fact.SETUP_EMAIL, "someone@mail.example")),
    ("ACC101", False, see(Fact.SETUP_EMAIL, "someone@evil-school.example")),
    ("ACC101", False, see(Fact.SETUP_EMAIL, "someone@sub.school.example")),
    ("ACC101", False, see(Fact.SETUP_EMAIL, "a@b.example@school.example")),
    ("ACC101", False, see(Fact.SETUP_EMAIL, "@school.example")),
    ("ACC101", None, unseen(Fact.SETUP_EMAIL)),
    ("ACC102", True, see(Fact.LOGO, LogoMatch.MATCH)),
    ("ACC102", True, see(Fact.LOGO, "match")),
    ("ACC102", False, see(Fact.LOGO, LogoMatch.DIFFERENT)),
    ("ACC102", None, see(Fact.LOGO, LogoMatch.UNSURE)),
    ("ACC103", True, see(Fact.PRIVATE, True)),
    ("ACC103", False, see(Fact.PRIVATE, False)),
    ("ACC103", None, unseen(Fact.PRIVATE)),
    ("ACC103", False, {"platform": replace(PLATFORM, can_be_private=False)}),
    ("ACC104", True, {}),
    ("ACC104", False, {"platform_approved": False}),
    ("ACC105", True, {}),
    ("ACC105", False, {"deputy": LEAVER}),
    ("ACC105", False, {"deputy": OWNER}),
    ("ACC105", False, {"owner": None}),
    ("ACC106", True, see(Fact.PROFILE_TEXT, "OFFICIAL account. See www.school.example")),
    ("ACC106", True, see(Fact.PROFILE_TEXT, "The official\naccount of 9B, office@school.example")),
    ("ACC106", False, see(Fact.PROFILE_TEXT, "Our trip. office@school.example")),
    ("ACC106", False, see(Fact.PROFILE_TEXT, "Unofficial account, office@school.example")),
    ("ACC106", False, see(Fact.PROFILE_TEXT, "This is not an official account. office@school.example")),
    ("ACC106", False, see(Fact.PROFILE_TEXT, "Official account of the trip")),
    ("ACC106", False, see(Fact.PROFILE_TEXT, "")),
    ("ACC106", None, unseen(Fact.PROFILE_TEXT)),
    ("ACC107", True, {}),
    ("ACC107", True, {"audience_size": 90}),
    ("ACC107", False, {"account": {"purpose": " "}}),
    ("ACC107", False, {"account": {"decided_by": 1}}),
    ("ACC107", None, {"account": {"decided_by": None}}),
    ("ACC107", None, {"account": {"state": AccountState.REQUESTED}}),
    ("ACC108", True, {}),
    ("ACC108", True, {"account": {"found_unregistered": True}}),
    ("ACC108", False, {"account": {"found_unregistered": True, "state": AccountState.REQUESTED}}),
    ("ACC108", False, {"account": {"found_unregistered": True, "state": AccountState.DECLINED}}),
    ("SEC201", True, {}),
    ("SEC201", False, {"credential": None}),
    ("SEC202", True, {}),
    ("SEC202", False, {"credential": credential(strength=1)}),
    ("SEC202", False, {"credential": credential(one_word=True)}),
    ("SEC202", False, {"credential": credential(signs=("letters", "numbers"))}),
    ("SEC202", False, {"credential": credential(length_at_least=8), "policy": {"password_min_length": 10}}),
    ("SEC202", True, {"credential": credential(signs=("letters",)), "policy": {"password_signs": ()}}),
    ("SEC202", None, {"credential": credential(length_at_least=14), "policy": {"password_min_length": 15}}),
    ("SEC202", None, {"credential": credential(length_at_least=None, signs=None, one_word=None)}),
    ("SEC202", False, {"credential": credential(problems=("It has no symbol.",), signs=None, length_at_least=None)}),
    ("SEC202", None, {"credential": None}),
    ("SEC203", True, {}),
    ("SEC203", False, {"credential": credential(reused=True)}),
    ("SEC203", None, {"credential": None}),
    ("SEC204", True, {}),
    ("SEC204", False, {"knowers_left": 1}),
    ("SEC204", False, {"credential": credential(secret_at=NOW - 366 * DAY)}),
    ("SEC204", False, {"credential": credential(secret_at=None, deposited_at=NOW - 366 * DAY)}),
    ("SEC204", True, {"credential": credential(secret_at=NOW - 3660 * DAY), "policy": {"password_max_age_days": 0}}),
    ("SEC204", False, {"knowers_left": 1, "policy": {"password_max_age_days": 0}}),
    ("SEC204", False, {"rotation": rotation(RotationReason.COMPROMISED), "policy": {"password_max_age_days": 0}}),
    ("SEC204", None, {"credential": None}),
    ("SEC204", False, {"rotation": rotation(RotationReason.COMPROMISED)}),
    ("SEC204", True, {"rotation": rotation(RotationReason.LEFT)}),
    ("SEC204", True, {"rotation": rotation(RotationReason.SCHEDULE)}),
    ("SEC204", False, {"rotation": rotation(RotationReason.SCHEDULE, due_at=NOW)}),
    ("SEC204", False, {"rotation": rotation(RotationReason.HANDED_OVER, due_at=NOW - HOUR)}),
    ("SEC204", None, {"credential": None, "rotation": rotation(RotationReason.COMPROMISED)}),
    ("SEC205", True, see(Fact.LOGIN_WORKS, True)),
    ("SEC205", False, see(Fact.LOGIN_WORKS, False)),
    ("SEC205", False, see(Fact.LOGIN_WORKS, seen(Fact.LOGIN_WORKS, False, source=Source.API))),
    ("SEC205", None, see(Fact.LOGIN_WORKS, seen(Fact.LOGIN_WORKS, True, source=Source.API))),
    ("SEC205", None, see(Fact.LOGIN_WORKS, seen(Fact.LOGIN_WORKS, True, ago=6 * DAY))),
    ("SEC205", None, {"credential": None}),
    ("SEC205", None, unseen(Fact.LOGIN_WORKS)),
    ("SEC206", True, see(Fact.RECOVERY_WITH_SCHOOL, True)),
    ("SEC206", False, see(Fact.RECOVERY_WITH_SCHOOL, False)),
    ("SEC206", None, unseen(Fact.RECOVERY_WITH_SCHOOL)),
    ("SEC206", None, {**unseen(Fact.RECOVERY_WITH_SCHOOL), "contacts": (contact(of_school=True),)}),
    ("SEC206", True, {"contacts": (contact(of_school=True),)}),
    ("SEC206", False, {"contacts": (contact(of_school=True), contact(staff_id=1))}),
    ("SEC206", False, {"contacts": (contact(staff_id=2), contact(staff_id=9), contact())}),
    ("PPL704", False, {"delegates_left": 1}),
    ("SEC207", True, {}),
    ("SEC207", True, {**CLOSED, "credential": None}),
    ("SEC207", False, {"unrecorded_looks": 2}),
    ("SEC207", None, {"credential": None}),
    ("SEC207", None, {"unrecorded_looks": None}),
    ("AUD301", True, {}),
    ("AUD301", True, {"followers": followers()}),
    ("AUD301", False, {"followers": followers(refused_still_there=1)}),
    ("AUD301", False, {"followers_not_on_record": 2}),
    ("AUD301", False, {"followers": followers(unchecked=1, oldest_unchecked_at=NOW - 4 * DAY)}),
    ("AUD301", False, {**see(Fact.PRIVATE, False), "followers": followers(unchecked=1, oldest_unchecked_at=NOW)}),
    ("AUD301", False, {**unseen(Fact.PRIVATE), "followers": followers(unchecked=1, oldest_unchecked_at=NOW)}),
    ("AUD301", None, {"followers": followers(unchecked=1, oldest_unchecked_at=NOW)}),
    ("AUD301", None, unseen(Fact.FOLLOWERS)),
    ("AUD302", True, {"followers": followers()}),
    ("AUD302", False, {"followers": followers(outside_audience=1)}),
    ("AUD302", None, unseen(Fact.FOLLOWERS)),
    ("AUD303", True, {"followers": followers()}),
    ("AUD303", False, {"followers": followers(under_age=1)}),
    ("AUD303", None, {"followers": followers(age_unknown=1)}),
    ("AUD303", None, {"followers": followers(unchecked=1)}),
    ("AUD303", None, unseen(Fact.FOLLOWERS)),
    ("AUD304", True, {"followers": followers()}),
    ("AUD304", False, {"followers": followers(left_audience=1)}),
    ("AUD304", None, unseen(Fact.FOLLOWERS)),
    ("AUD305", True, {"followers": followers()}),
    ("AUD305", False, {"followers": followers(first_seen_before_private_unchecked=1)}),
    ("AUD305", False, {"followers_not_on_record": 1}),
    ("AUD305", None, unseen(Fact.FOLLOWERS)),
    ("INT401", True, see(Fact.FOLLOWS, 0)),
    ("INT401", False, see(Fact.FOLLOWS, 1)),
    ("INT401", None, unseen(Fact.FOLLOWS)),
    ("INT402", True, see(Fact.LIKES, 0)),
    ("INT402", False, see(Fact.LIKES, 3)),
    ("INT402", None, unseen(Fact.LIKES)),
    ("INT403", True, see(Fact.SHARES, 0)),
    ("INT403", False, see(Fact.SHARES, 1)),
    ("INT403", None, unseen(Fact.SHARES)),
    ("INT404", True, see(Fact.CONVERSATIONS, 0)),
    ("INT404", False, see(Fact.CONVERSATIONS, 1)),
    ("INT404", None, unseen(Fact.CONVERSATIONS)),
    ("MED512", True, see(Fact.OUTSIDE_POSTS, 0)),
    ("MED512", False, see(Fact.OUTSIDE_POSTS, 1)),
    ("MED512", None, unseen(Fact.OUTSIDE_POSTS)),
    ("MED513", True, {}),
    ("MED513", False, {"take_down_due_at": (NOW + HOUR, NOW)}),
    ("MED513", None, {"take_down_due_at": (NOW + HOUR,)}),
    ("LIF601", True, {}),
    ("LIF601", True, {"account": STANDING}),
    ("LIF601", False, {"account": {"ends_on": None}}),
    ("LIF601", False, {"account": {**STANDING, "review_on": None}}),
    ("LIF601", False, {"account": {"ends_on": TODAY + 51 * DAY}}),
    ("LIF601", True, {"account": {"ends_on": TODAY + 51 * DAY}, "extensions": (extension(True, TODAY + 51 * DAY),)}),
    ("LIF601", False, {"account": {"ends_on": TODAY + 51 * DAY}, "extensions": (extension(None, TODAY + 51 * DAY),)}),
    ("LIF602", True, {}),
    ("LIF602", True, {"account": {"ends_on": TODAY}}),
    ("LIF602", True, {"account": {**NEVER_SET_UP, "ends_on": TODAY - DAY}}),
    ("LIF602", True, {**CLOSING, "closing": closing(deactivated_seen_at=NOW)}),
    ("LIF602", True, {**CLOSING, **see(Fact.PRESENCE, Presence.DEACTIVATED)}),
    ("LIF602", False, OVER),
    ("LIF602", False, CLOSING),
    ("LIF602", None, {**CLOSING, **unseen(Fact.PRESENCE)}),
    ("LIF602", None, {**CLOSING, **see(Fact.PRESENCE, seen(Fact.PRESENCE, Presence.GONE, ago=3 * DAY))}),
    ("LIF603", True, {}),
    ("LIF603", True, {"account": NEVER_SET_UP}),
    ("LIF603", True, {**CLOSED, "closing": closing(gone_seen_at=NOW)}),
    ("LIF603", False, {**CLOSING, "account": {"ends_on": TODAY - 46 * DAY, "state": AccountState.CLOSING}}),
    ("LIF603", False, {"account": {"ends_on": TODAY - 46 * DAY}}),
    ("LIF603", None, CLOSING),
    ("LIF604", True, {}),
    ("LIF604", True, {"account": STANDING}),
    ("LIF604", True, {"account": {**STANDING, "live_at": None}}),
    ("LIF604", True, {"account": {**STANDING, "live_at": NOW - 121 * DAY, "confirmed_at": NOW - DAY}}),
    ("LIF604", True, {"account": {**STANDING, "live_at": NOW - 121 * DAY, "state": AccountState.CLOSING}}),
    ("LIF604", False, {"account": {**STANDING, "live_at": NOW - 121 * DAY}}),
    ("LIF605", True, {}),
    ("LIF605", True, {"extensions": (extension(False, TODAY + 20 * DAY),)}),
    ("LIF605", None, {"extensions": (extension(None, TODAY + 20 * DAY),)}),
    ("LIF605", False, {**OVER, "extensions": (extension(None, TODAY + 20 * DAY),)}),
    ("LIF605", True, {**CLOSING, "extensions": (extension(None, TODAY + 20 * DAY),)}),
    ("LIF606", True, {}),
    ("LIF606", True, {**CLOSED, "closing": closing(erased_at=NOW)}),
    ("LIF606", False, CLOSED),
    ("LIF606", None, CLOSING),
    ("PPL704", True, {}),
    ("PPL704", False, {"deputy": LEAVER}),
    ("PPL704", False, {"knowers_left": 1}),
    ("PPL704", True, {"rotation": rotation(RotationReason.LEFT)}),
    ("PPL704", False, {"rotation": rotation(RotationReason.LEFT, due_at=NOW)}),
    ("PPL704", True, {"rotation": rotation(RotationReason.SCHEDULE, due_at=NOW)}),
    ("OVS801", True, {}),
    ("OVS801", True, see(Fact.LOGIN_WORKS, seen(Fact.LOGIN_WORKS, True, source=Source.API))),
    ("OVS801", False, see(Fact.LOGIN_WORKS, False)),
    ("OVS801", False, see(Fact.PRESENCE, Presence.GONE)),
    ("OVS801", None, unseen(Fact.LOGIN_WORKS)),
    ("OVS802", True, {}),
    ("OVS802", False, {"log_whole": False}),
    ("OVS802", None, {"log_whole": None}),
    ("OVS805", True, {}),
    ("OVS805", False, {"account": {"handle": None}}),
    ("OVS806", True, {}),
    ("OVS806", False, {"unrecorded_looks": 1, "log_whole": None}),
    ("OVS806", False, {"log_whole": False}),
    ("OVS806", None, {"log_whole": None}),
    ("SAF904", True, {}),
    ("SAF904", True, {"account": {"state": AccountState.SUSPENDED}, **unseen(Fact.LOGIN_WORKS)}),
    ("SAF904", False, see(Fact.LOGIN_WORKS, False)),
    ("SAF904", None, unseen(Fact.LOGIN_WORKS)),
    ("SAF905", True, {}),
    ("SAF905", None, see(Fact.CONVERSATIONS, 1)),
    ("SAF905", None, unseen(Fact.CONVERSATIONS)),
    ("DAT001", True, {}),
    ("DAT001", True, {**CLOSED, "closing": closing(erased_at=NOW)}),
    ("DAT001", False, CLOSED),
    ("DAT001", False, {"retention_ran_at": NOW - 3 * DAY}),
    ("DAT001", None, {"retention_ran_at": None}),
]

# the school's own records always know, or (SAF905) only a person can say that it is broken
NEVER_FALSE = {"SAF905"}
NEVER_NONE = {"ACC104", "ACC105", "ACC108", "SEC201", "LIF601", "LIF604", "PPL704", "OVS805"}


@pytest.mark.parametrize(("rule_id", "expected", "changes"), CASES)
def test_a_rule_answers_from_plain_data(rule_id: str, expected: bool | None, changes: dict[str, Any]) -> None:
    rule, facts = CATALOGUE[rule_id], account_facts(**changes)
    assert rule.check(facts) is expected
    because = rule.because(facts, expected)
    assert because[-1] in ".?)" and (because[0].isupper() or because[0].isdigit())


def test_each_rule_is_tried_with_every_answer_that_it_can_give() -> None:
    tried = {(rule_id, expected) for rule_id, expected, _ in CASES}
    for rule in ACCOUNT_RULES:
        if isinstance(rule, LaterRule):
            continue
        for answer in (True, False, None):
            never = (answer is False and rule.id in NEVER_FALSE) or (answer is None and rule.id in NEVER_NONE)
            assert ((rule.id, answer) in tried) is not never, (rule.id, answer)


@pytest.mark.parametrize(
    "rule", [rule for rule in ACCOUNT_RULES if isinstance(rule, LaterRule)], ids=lambda one: one.id
)
def test_a_rule_whose_evidence_comes_later_says_so(rule: LaterRule) -> None:
    facts = account_facts()
    assert rule.check(facts) is None
    assert rule.because(facts, None).startswith("Later version: ")


OBSERVED = [rule for rule in ACCOUNT_RULES if rule.evidence and rule.id not in {"LIF602", "LIF603"}]


@pytest.mark.parametrize("rule", OBSERVED, ids=lambda one: one.id)
def test_stale_evidence_answers_nothing(rule: Any) -> None:
    days = 181 if Fact.LOGIN_WORKS in rule.evidence else 31
    old = account_facts(ago=timedelta(days=days), credential=credential(deposited_at=NOW - 300 * DAY))
    assert rule.check(old) is None
    fresh = account_facts(ago=timedelta(days=29), credential=credential(deposited_at=NOW - 300 * DAY))
    assert rule.check(fresh) is True


def test_what_a_platform_said_itself_ages_faster_than_a_persons_word() -> None:
    look = {Fact.LIKES: seen(Fact.LIKES, 0, ago=4 * DAY, source=Source.API)}
    facts = account_facts(look=look)
    assert CATALOGUE["INT402"].check(facts) is None
    assert "too long ago" in CATALOGUE["INT402"].because(facts, None)
    assert CATALOGUE["INT402"].check(account_facts(look={Fact.LIKES: seen(Fact.LIKES, 0, ago=4 * DAY)})) is True


def test_missing_evidence_is_named() -> None:
    facts = account_facts(without=(Fact.PRIVATE,))
    assert CATALOGUE["ACC103"].because(facts, None) == "Nobody has looked yet at whether it is private."


def test_a_date_is_told_in_the_schools_own_zone() -> None:
    from zoneinfo import ZoneInfo

    late = seen(Fact.LIKES, 0, ago=40 * DAY)
    late = replace(late, observed_at=late.observed_at.replace(month=7, day=3, hour=23, minute=30))
    facts = account_facts(look={Fact.LIKES: late}, zone=ZoneInfo("Europe/London"))
    assert "4 July 2026" in CATALOGUE["INT402"].because(facts, None)


def test_whose_the_recovery_is_is_said_by_office_and_nothing_is_quoted() -> None:
    facts = account_facts(contacts=(contact(staff_id=1), contact(staff_id=2), contact(staff_id=9), contact()))
    said = CATALOGUE["SEC206"].because(facts, False)
    assert all(words in said for words in ("the owner's own", "the deputy's own", "a colleague's own", "not on the"))
    assert facts.contacts[0].value not in said


def test_a_deposit_whose_make_up_was_never_measured_is_no_pass_and_says_so() -> None:
    facts = account_facts(credential=credential(length_at_least=None, signs=None, one_word=None))
    assert "what it is made of was not" in CATALOGUE["SEC202"].because(facts, None)


def test_a_leaver_as_deputy_is_named_by_office_and_not_by_name() -> None:
    facts = account_facts(deputy=LEAVER)
    assert CATALOGUE["ACC105"].because(facts, False) == "The deputy does not work here any more."
    assert DEPUTY.name not in CATALOGUE["PPL704"].because(facts, False).split()
