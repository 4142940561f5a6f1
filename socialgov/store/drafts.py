"""Answers of a form that is not sent yet: one draft a person and form, so that nothing typed on a phone is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from socialgov.store.rows import moment_text, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlite_utils import Database


def draft_answers(db: Database, staff_id: int, form: str, *, not_before: datetime) -> dict[str, Any]:
    """What this person answered so far; empty when there is no draft or it is older than `not_before`."""
    found = scalar(
        db,
        "select answers from form_draft where staff_id = ? and form = ? and saved_at >= ?",
        (staff_id, form, not_before),
    )
    return json.loads(found) if found else {}


def put_draft(db: Database, staff_id: int, form: str, answers: Mapping[str, Any], now: datetime) -> None:
    """Inside a transaction: keep these answers in place of the earlier ones."""
    db.execute(
        "insert into form_draft (staff_id, form, answers, saved_at) values (?, ?, ?, ?)"
        " on conflict (staff_id, form) do update set answers = excluded.answers, saved_at = excluded.saved_at",
        (staff_id, form, json.dumps(answers, ensure_ascii=False), moment_text(now)),
    )


def drop_draft(db: Database, staff_id: int, form: str) -> None:
    db.execute("delete from form_draft where staff_id = ? and form = ?", (staff_id, form))


def drop_old_drafts(db: Database, before: datetime) -> int:
    """Delete drafts nobody came back to; how many (DAT001)."""
    return int(db.execute("delete from form_draft where saved_at < ?", (moment_text(before),)).rowcount)
