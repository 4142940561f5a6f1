"""All rules in the order of the school's list, and the answers that follow from facts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from socialgov.models import Enforcement, Finding, When
from socialgov.rules import account, audience, data, interaction, lifetime, media, oversight, people, safeguarding
from socialgov.rules import secrets as credentials
from socialgov.rules.base import AccountRule, PostRule, Rule
from socialgov.rules.facts import AccountFacts, PostFacts

_FAMILIES = (account, credentials, audience, interaction, media, lifetime, people, oversight, safeguarding, data)

CATALOGUE: Mapping[str, Rule[Any]] = {rule.id: rule() for family in _FAMILIES for rule in family.RULES}
ACCOUNT_RULES: tuple[AccountRule, ...] = tuple(rule for rule in CATALOGUE.values() if isinstance(rule, AccountRule))
POST_RULES: tuple[PostRule, ...] = tuple(rule for rule in CATALOGUE.values() if isinstance(rule, PostRule))

SWITCHED_OFF = "The school does not ask this of such an account (config/policy.toml, school.toml)."

# what the head's exception "this account may be public" is made of
PUBLIC_ACCOUNT_RULES = ("ACC103", "AUD301", "AUD302", "AUD304", "AUD305")


def evaluate(facts: AccountFacts) -> list[Finding]:
    """Every rule's answer for an account, in the catalogue's order. Rules that make no sense any more are left out."""
    return [_finding(rule, facts) for rule in ACCOUNT_RULES if rule.applies(facts)]


def _finding(rule: AccountRule, facts: AccountFacts) -> Finding:
    enforcement = facts.policy.enforcement(rule.id, facts.account.kind)
    if enforcement is Enforcement.OFF:
        return Finding(rule.id, None, SWITCHED_OFF, enforcement, evaluated_at=facts.now)
    answer = rule.check(facts)
    seen = rule.rests_on(facts)
    waiver = facts.waivers.get(rule.id)
    return Finding(
        rule_id=rule.id,
        answer=answer,
        because=rule.because(facts, answer),
        enforcement=enforcement,
        evidence_at=seen.observed_at if seen else None,
        evidence_source=seen.source if seen else None,
        evidence_by=seen.observed_by if seen else None,
        waived_by=waiver.decided_by if waiver else None,
        evaluated_at=facts.now,
    )


def evaluate_post(facts: PostFacts) -> list[Finding]:
    """Every publishing rule's answer for a post, in the catalogue's order. A post knows no exceptions."""
    return [_post_finding(rule, facts) for rule in POST_RULES]


def _post_finding(rule: PostRule, facts: PostFacts) -> Finding:
    enforcement = facts.policy.enforcement(rule.id, facts.account.kind)
    if enforcement is Enforcement.OFF:
        return Finding(rule.id, None, SWITCHED_OFF, enforcement, evaluated_at=facts.now)
    answer = rule.check(facts)
    return Finding(rule.id, answer, rule.because(facts, answer), enforcement, evaluated_at=facts.now)


def gate_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Those of rules that must hold before an account goes live."""
    return [finding for finding in findings if When.GATE in CATALOGUE[finding.rule_id].when]


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    """Those that keep a gate shut: enforced, not excepted by the head, and not answered True.

    Unknown is never a pass. The only None that does not block is that of a rule which says itself that this version
    cannot answer it (`Rule.later`); no rule of the gate to go live is one (a test holds that).
    """
    return [
        finding
        for finding in findings
        if not finding.passes and not (finding.answer is None and CATALOGUE[finding.rule_id].later)
    ]


def as_markdown() -> str:
    """The catalogue as docs/rules.md; a test compares, `python -m socialgov.rules` prints it."""
    lines = [
        "# The rules",
        "",
        "Generated from `socialgov/rules/` by `python -m socialgov.rules > docs/rules.md`; a test compares the two.",
        "",
        "Evidence in capitals is an observed fact: read from the platform, or attested by a person with a screenshot.",
        "“Own records” means that the register, the deposits, the permissions or the log answer it.",
        "",
        "| id | rule | source | when | evidence |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {rule.id} | {rule.title} | {rule.source} | {_when(rule)} | {_evidence(rule)} |"
        for rule in CATALOGUE.values()
    ]
    return "\n".join(lines) + "\n"


def _when(rule: Rule[Any]) -> str:
    return ", ".join(when.value.replace("_", " ") for when in rule.when)


def _evidence(rule: Rule[Any]) -> str:
    if rule.evidence:
        return ", ".join(fact.name for fact in rule.evidence)
    return "later version" if rule.later and rule.subject == "account" else "own records"
