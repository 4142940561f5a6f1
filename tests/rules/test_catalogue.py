"""The catalogue is the school's list: every rule, in order, with its words; and what a gate makes of the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rule_facts import NOW, TODAY, account_facts, grant, post_facts, shown

from socialgov.models import AccountKind, AccountState, Enforcement, Fact, Finding, RuleChoice, Waiver, When
from socialgov.rules import (
    ACCOUNT_RULES,
    CATALOGUE,
    FACT_WORDS,
    POST_RULES,
    PUBLIC_ACCOUNT_RULES,
    as_markdown,
    blocking,
    evaluate,
    evaluate_post,
    gate_findings,
)

ROOT = Path(__file__).parents[2]
FAMILIES = {
    "ACC": range(101, 109),
    "SEC": range(201, 208),
    "AUD": range(301, 306),
    "INT": range(401, 405),
    "MED": range(501, 514),
    "LIF": range(601, 607),
    "PPL": range(701, 706),
    "OVS": range(801, 807),
    "SAF": range(901, 908),
    "DAT": range(1, 6),
}
EVERY_ID = [f"{family}{number:03}" for family, numbers in FAMILIES.items() for number in numbers]
GATE = ["ACC101", "ACC102", "ACC103", "ACC104", "ACC106", "SEC201", "SEC204", "SEC205", "SEC206", "AUD305"]


def waiver(rule_id: str) -> dict[str, Any]:
    return {"waivers": {rule_id: Waiver(1, 7, rule_id, "a festival", 3, NOW, TODAY, None)}}


def off(rule_id: str, choice: Enforcement) -> dict[str, Any]:
    return {"policy": {"rules": {rule_id: RuleChoice({AccountKind.TRIP: choice}, "the governors", TODAY)}}}


def test_every_rule_of_the_list_is_there_in_its_order() -> None:
    assert len(EVERY_ID) == 66
    assert list(CATALOGUE) == EVERY_ID
    assert len(ACCOUNT_RULES) + len(POST_RULES) == 66


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=lambda rule: rule.id)
def test_a_rule_has_its_words(rule: Any) -> None:
    assert rule.title and rule.source and rule.when
    assert rule.advice.endswith(".") and rule.advice[0].isupper()
    assert set(rule.evidence) <= set(FACT_WORDS)


def test_every_fact_has_words_for_a_person() -> None:
    assert set(FACT_WORDS) == set(Fact)


def test_the_page_of_rules_is_the_catalogue() -> None:
    assert (ROOT / "docs" / "rules.md").read_text() == as_markdown(), "run `python -m socialgov.rules > docs/rules.md`"


def test_an_account_in_order_passes_everything_that_this_version_answers() -> None:
    findings = evaluate(account_facts())
    assert [one.rule_id for one in findings] == [rule.id for rule in ACCOUNT_RULES]
    for one in findings:
        later = CATALOGUE[one.rule_id].later
        assert one.answer is (None if later else True), one


def test_the_gate_is_made_of_the_gate_rules_and_each_can_be_answered_now() -> None:
    findings = gate_findings(evaluate(account_facts()))
    assert [one.rule_id for one in findings] == GATE
    assert not any(CATALOGUE[rule_id].later for rule_id in GATE)
    assert blocking(findings) == []


def test_nothing_known_opens_no_gate() -> None:
    facts = account_facts(without=tuple(Fact), credential=None)
    shut = {one.rule_id for one in blocking(gate_findings(evaluate(facts)))}
    assert shut == set(GATE) - {"ACC104"}


@pytest.mark.parametrize("private", [False, None])
def test_broken_and_unknown_both_keep_the_gate_shut(private: bool | None) -> None:
    facts = (
        account_facts(look={Fact.PRIVATE: private}) if private is not None else account_facts(without=(Fact.PRIVATE,))
    )
    [obstacle] = blocking(gate_findings(evaluate(facts)))
    assert (obstacle.rule_id, obstacle.answer) == ("ACC103", private)


def test_the_heads_exception_opens_the_gate_and_does_not_change_the_answer() -> None:
    facts = account_facts(look={Fact.PRIVATE: False}, **waiver("ACC103"))
    assert blocking(gate_findings(evaluate(facts))) == []
    [finding] = [one for one in evaluate(facts) if one.rule_id == "ACC103"]
    assert finding.answer is False and finding.waived_by == 3


@pytest.mark.parametrize("choice", [Enforcement.ADVISED, Enforcement.OFF])
def test_what_the_school_does_not_enforce_keeps_no_gate_shut(choice: Enforcement) -> None:
    facts = account_facts(look={Fact.PRIVATE: False}, **off("ACC103", choice))
    assert blocking(gate_findings(evaluate(facts))) == []


def test_a_rule_that_is_off_is_not_asked_but_shown() -> None:
    facts = account_facts(look={Fact.PRIVATE: False}, **off("ACC103", Enforcement.OFF))
    [finding] = [one for one in evaluate(facts) if one.rule_id == "ACC103"]
    assert finding.answer is None and finding.enforcement is Enforcement.OFF


def test_a_finding_tells_the_oldest_evidence_and_whose_it_is() -> None:
    [finding] = [one for one in evaluate(account_facts()) if one.rule_id == "ACC103"]
    assert (finding.evidence_by, finding.evidence_source) == (1, "attested")
    assert finding.evidence_at is not None and finding.evidence_at < NOW


def test_of_a_closed_account_only_what_outlives_it_is_asked() -> None:
    facts = account_facts(account={"state": AccountState.CLOSED})
    assert [one.rule_id for one in evaluate(facts)] == [
        "SEC207",
        "LIF602",
        "LIF603",
        "LIF606",
        "OVS802",
        "OVS805",
        "OVS806",
        "DAT001",
    ]


def test_of_a_declined_account_nothing_is_asked_but_of_a_found_one_what_became_of_it() -> None:
    assert evaluate(account_facts(account={"state": AccountState.DECLINED})) == []
    found = evaluate(account_facts(account={"state": AccountState.DECLINED, "found_unregistered": True}))
    assert [(one.rule_id, one.answer) for one in found] == [("ACC108", False)]


def test_the_exception_for_a_public_account_covers_rules_that_exist() -> None:
    assert set(PUBLIC_ACCOUNT_RULES) <= set(CATALOGUE)


def test_rules_asked_again_are_watched_and_others_are_not() -> None:
    assert CATALOGUE["ACC103"].watched and CATALOGUE["MED513"].watched and CATALOGUE["PPL704"].watched
    assert not CATALOGUE["SEC201"].watched and not CATALOGUE["MED507"].watched
    assert When.GATE in CATALOGUE["SEC205"].when


def test_no_sentence_about_an_account_names_a_person() -> None:
    facts = account_facts(without=tuple(Fact))
    text = " ".join(one.because for one in evaluate(facts))
    assert not any(staff is not None and staff.email in text for staff in (facts.owner, facts.deputy))


def test_unknown_never_passes() -> None:
    assert not Finding("ACC103", None, "", Enforcement.ENFORCED).passes
    assert blocking([Finding("MED503", None, "", Enforcement.ENFORCED)])


def test_a_post_is_asked_every_publishing_rule_in_order() -> None:
    findings = evaluate_post(post_facts(shown=(shown(grant()),)))
    assert [one.rule_id for one in findings] == [rule.id for rule in POST_RULES]
    assert [rule.id for rule in POST_RULES] == [*EVERY_ID[24:35], "DAT005"]
