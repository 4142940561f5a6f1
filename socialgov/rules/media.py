from __future__ import annotations

from socialgov.rules.base import AccountRule

RULES: tuple[type[AccountRule], ...] = ()
