"""The school's rules as pure code: facts in, answers out. One file a family, one small class a rule."""

from __future__ import annotations

from socialgov.rules.base import FACT_WORDS, AccountRule, PostRule, Rule
from socialgov.rules.catalogue import (
    ACCOUNT_RULES,
    CATALOGUE,
    POST_RULES,
    PUBLIC_ACCOUNT_RULES,
    as_markdown,
    blocking,
    evaluate,
    evaluate_post,
    gate_findings,
)

__all__ = [
    "ACCOUNT_RULES",
    "CATALOGUE",
    "FACT_WORDS",
    "POST_RULES",
    "PUBLIC_ACCOUNT_RULES",
    "AccountRule",
    "PostRule",
    "Rule",
    "as_markdown",
    "blocking",
    "evaluate",
    "evaluate_post",
    "gate_findings",
]
