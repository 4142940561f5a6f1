"""Findings as a page shows them: with their rule's words, in the catalogue's families, trouble first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from socialgov.models import Finding
from socialgov.rules import CATALOGUE, Rule, blocking

FAMILIES = {
    "ACC": "Account",
    "SEC": "Secrets",
    "AUD": "Audience",
    "INT": "Interaction",
    "MED": "Media and messages",
    "LIF": "Lifetime",
    "PPL": "People",
    "OVS": "Oversight",
    "SAF": "Safeguarding",
    "DAT": "Data",
}


@dataclass(frozen=True, slots=True)
class Group:
    """A family's findings, and how many of them are broken or not known (and enforced, and not excepted)."""

    title: str
    rows: tuple[tuple[Rule, Finding], ...]
    broken: int
    unknown: int


def grouped(findings: Sequence[Finding]) -> list[Group]:
    """The findings by family, each in the catalogue's order. A family without findings is left out."""
    by_rule = {finding.rule_id: finding for finding in findings}
    groups = []
    for prefix, title in FAMILIES.items():
        rows = tuple(
            (rule, by_rule[rule.id]) for rule in CATALOGUE.values() if rule.id[:3] == prefix and rule.id in by_rule
        )
        if rows:
            trouble = [finding for _, finding in rows if in_trouble(finding)]
            broken = sum(finding.answer is False for finding in trouble)
            groups.append(Group(title, rows, broken, len(trouble) - broken))
    return groups


def in_trouble(finding: Finding) -> bool:
    """Enforced, without exception, and not known to hold; what only a later version can answer is nobody's trouble."""
    return bool(blocking([finding]))
