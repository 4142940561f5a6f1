"""The demonstration's clock offset, and the sign-ins that must move with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov.store.rows import dicts, moment, moment_text, scalar

if TYPE_CHECKING:
    from sqlite_utils import Database

KEY = "clock_offset_seconds"


def clock_offset(db: Database) -> timedelta:
    """How far the visitor moved the clock."""
    return timedelta(seconds=int(scalar(db, "select value from meta where key = ?", (KEY,)) or 0))


def set_clock_offset(db: Database, offset: timedelta) -> None:
    """Inside a transaction: from now on the school's clock is ahead by `offset`."""
    db.execute(
        "insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
        (KEY, str(int(offset.total_seconds()))),
    )


def shift_sign_ins(db: Database, by: timedelta) -> None:
    """Inside a transaction: move open sessions and unused links by `by`."""
    for row in dicts(db, "select id, started_at, seen_at, expires_at from session where ended_at is null"):
        times = [moment_text(moment(row[name]) + by) for name in ("started_at", "seen_at", "expires_at")]
        db.execute("update session set started_at = ?, seen_at = ?, expires_at = ? where id = ?", (*times, row["id"]))
    for row in dicts(db, "select id, made_at, expires_at from signin_link where used_at is null"):
        times = [moment_text(moment(row[name]) + by) for name in ("made_at", "expires_at")]
        db.execute("update signin_link set made_at = ?, expires_at = ? where id = ?", (*times, row["id"]))
