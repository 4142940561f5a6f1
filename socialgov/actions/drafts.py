"""Keep the answers of a long form between its pages. A draft is a person's own, and no event: nothing happened yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from socialgov.store import write
from socialgov.store.drafts import draft_answers, drop_draft, drop_old_drafts, put_draft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from socialgov.home import Home
    from socialgov.models import Staff


def draft_of(home: Home, actor: Staff, form: str, *, now: datetime) -> dict[str, Any]:
    """The answers so far, as plain JSON values; empty after `policy.draft_days`."""
    return draft_answers(home.db, actor.id, form, not_before=_oldest(home, now))


def save_draft(home: Home, actor: Staff, form: str, answers: Mapping[str, Any], *, now: datetime) -> None:
    """Keep `answers`, and drop everybody's drafts that are too old."""
    with write(home.db) as db:
        put_draft(db, actor.id, form, answers, now)
        drop_old_drafts(db, _oldest(home, now))


def discard_draft(home: Home, actor: Staff, form: str) -> None:
    with write(home.db) as db:
        drop_draft(db, actor.id, form)


def _oldest(home: Home, now: datetime) -> datetime:
    return now - timedelta(days=home.settings.policy.draft_days)
