"""Each rule about a post answers True, False and None from plain data, and the reason tells what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rule_facts import DAY, NOW, PHOTO, TODAY, grant, post_facts, shown

from socialgov.models import AccountKind, AccountState, Answer, Enforcement, PersonKind, PostState, RuleChoice, Use
from socialgov.rules import CATALOGUE, POST_RULES, blocking, evaluate_post

TEXT_ONLY = {"media": (), "shown": (), "people_in_picture": None}
REFUSED = grant(Answer.REFUSED)
CARER = {"kind": PersonKind.CARER, "person_id": 60}
OWN = grant(person_id=60, given_by=60)

CASES: list[tuple[str, bool | None, dict[str, Any]]] = [
    ("MED501", True, {}),
    ("MED501", True, TEXT_ONLY),
    ("MED501", True, {"shown": (), "post": {"nobody_identifiable": True}}),
    ("MED501", False, {"shown": (shown(),)}),
    ("MED501", False, {"shown": (shown(grant(use=Use.NAME)),)}),
    ("MED501", False, {"shown": (shown(grant(person_id=51)),)}),
    ("MED501", False, {"shown": (shown(grant(given_by=50)),)}),
    ("MED501", False, {"shown": (shown(grant()), shown(person_id=51))}),
    ("MED501", None, {"shown": ()}),
    ("MED502", True, {}),
    ("MED502", True, {"shown": (shown(OWN, **CARER),)}),
    ("MED502", False, {"shown": (shown(**CARER),)}),
    ("MED502", False, {"shown": (shown(replace(OWN, answer=Answer.WITHDRAWN), **CARER),)}),
    ("MED502", None, {"shown": ()}),
    ("MED503", True, {}),
    ("MED503", True, {"shown": (shown(grant(use=Use.NAME), use=Use.NAME, in_text=True),)}),
    ("MED503", True, {"post": {"text": " "}, "names_in_text_not_listed": None}),
    ("MED503", False, {"shown": (shown(grant(), in_text=True),)}),
    ("MED503", False, {"shown": (shown(grant(), use=Use.NAME),)}),
    ("MED503", False, {"names_in_text_not_listed": ("Sam Sample",)}),
    ("MED503", None, {"names_in_text_not_listed": None}),
    ("MED504", True, {}),
    ("MED504", True, {"shown": (shown(grant(account_id=7)),)}),
    ("MED504", False, {"shown": (shown(grant(account_id=8)),)}),
    ("MED504", False, {"shown": (shown(grant(valid_until_on=TODAY - DAY)),)}),
    ("MED504", False, {"shown": (shown(grant(given_on=TODAY + DAY)),)}),
    ("MED504", False, {"shown": (shown(grant(), grant(Answer.REFUSED, given_by=61)),)}),
    ("MED504", False, {"shown": (shown(grant(), grant(Answer.REFUSED, given_by=50)),)}),
    ("MED504", False, {"shown": (shown(grant(), grant(Answer.WITHDRAWN, given_on=TODAY)),)}),
    ("MED504", None, {"shown": ()}),
    ("MED505", True, {}),
    ("MED505", True, TEXT_ONLY),
    ("MED505", True, {"people_in_picture": 0, "shown": ()}),
    ("MED505", False, {"people_in_picture": 2}),
    ("MED505", False, {"people_in_picture": 2, "shown": (shown(), shown(use=Use.WORK), shown(use=Use.NAME))}),
    ("MED505", None, {"people_in_picture": None}),
    ("MED506", True, {}),
    ("MED506", True, {"policy": {"second_checker": False}, "post": {"checked_by": None, "checked_at": None}}),
    ("MED506", False, {"post": {"checked_by": None, "checked_at": None}}),
    ("MED506", False, {"post": {"checked_by": 1}}),
    ("MED506", False, {"post": {"state": PostState.REFUSED}}),
    ("MED507", True, {}),
    ("MED507", False, {"post": {"permanence_confirmed_at": None}}),
    ("MED508", True, {}),
    ("MED508", True, {**TEXT_ONLY, "post": {"school_equipment": False}}),
    ("MED508", False, {"post": {"school_equipment": False}}),
    ("MED509", True, {}),
    ("MED509", True, {"post": {"own_work": False, "credit": "The museum"}}),
    ("MED509", False, {"post": {"own_work": False, "credit": " "}}),
    ("MED510", True, {}),
    ("MED510", True, TEXT_ONLY),
    ("MED510", False, {"media": (PHOTO, replace(PHOTO, cleaned=False))}),
    ("MED511", True, {}),
    ("MED511", False, {"account": {"state": AccountState.SUSPENDED}}),
    ("MED511", False, {"account": {"state": AccountState.CLOSING}}),
    ("DAT005", True, {}),
    ("DAT005", True, {"shown": (shown(grant(use=Use.NAME, basis="")),)}),
    ("DAT005", False, {"shown": (shown(grant(basis=" ")),)}),
]
ALWAYS_KNOWN = {"MED506", "MED507", "MED508", "MED509", "MED510", "MED511", "DAT005"}


@pytest.mark.parametrize(("rule_id", "expected", "changes"), CASES)
def test_a_publishing_rule_answers_from_plain_data(
    rule_id: str, expected: bool | None, changes: dict[str, Any]
) -> None:
    rule, facts = CATALOGUE[rule_id], post_facts(**changes)
    assert rule.check(facts) is expected
    because = rule.because(facts, expected)
    assert because.endswith(".") and (because[0].isupper() or because[0].isdigit())


def test_each_publishing_rule_is_tried_with_every_answer_that_it_can_give() -> None:
    tried = {(rule_id, expected) for rule_id, expected, _ in CASES}
    for rule in POST_RULES:
        for answer in (True, False, None):
            never = answer is None and rule.id in ALWAYS_KNOWN
            assert ((rule.id, answer) in tried) is not never, (rule.id, answer)


def test_a_post_in_order_is_blocked_by_nothing() -> None:
    assert blocking(evaluate_post(post_facts())) == []


def test_a_refusal_says_of_whom_and_when() -> None:
    facts = post_facts(shown=(shown(grant(), grant(Answer.REFUSED, given_by=61, given_on=TODAY - DAY)),))
    [finding] = blocking(evaluate_post(facts))
    assert finding.rule_id == "MED504"
    assert finding.because == "Sam Sample: A parent or carer refused on 21 November 2026, and that wins."


def test_a_photo_of_whom_nobody_says_who_is_in_it_stays_down() -> None:
    stuck = {finding.rule_id for finding in blocking(evaluate_post(post_facts(shown=(), people_in_picture=None)))}
    assert {"MED501", "MED502", "MED504"} <= stuck


def test_faces_that_nobody_counted_are_said_so_and_block_nothing_by_themselves() -> None:
    facts = post_facts(people_in_picture=None)
    [finding] = [one for one in evaluate_post(facts) if one.rule_id == "MED505"]
    assert finding.answer is None and "faces are not counted in this version" in finding.because
    assert blocking([finding]) == []


def test_no_exception_of_an_account_reaches_a_post() -> None:
    assert all(finding.waived_by is None for finding in evaluate_post(post_facts(shown=())))


def test_a_rule_that_the_school_switched_off_blocks_nothing_and_is_not_said_to_hold() -> None:
    off = RuleChoice({AccountKind.TRIP: Enforcement.OFF}, "the governors", NOW.date())
    facts = post_facts(policy={"rules": {"MED507": off}}, post={"permanence_confirmed_at": None})
    [finding] = [one for one in evaluate_post(facts) if one.rule_id == "MED507"]
    assert finding.answer is None and finding.passes
