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
    """Inside a transaction: move open sessions, unused links, what was begun and not finished, and counted guesses.

    An authenticator's last used step moves too: after going back, its codes would else count as used.
    """
    _shift(db, "session", ("started_at", "seen_at", "expires_at", "strong_at"), "ended_at is null", by)
    _shift(db, "signin_link", ("made_at", "expires_at"), "used_at is null", by)
    _shift(db, "ceremony", ("made_at", "expires_at"), "used_at is null", by)
    _shift(db, "signin_failure", ("at",), "1", by)
    db.execute("update authenticator set last_step = last_step + ?", (int(by.total_seconds()) // 30,))


def _shift(db: Database, table: str, columns: tuple[str, ...], which: str, by: timedelta) -> None:
    """The names come from above, never from input."""
    sets = ", ".join(f"[{column}] = ?" for column in columns)
    for row in dicts(db, f"select id, {', '.join(columns)} from [{table}] where {which}"):  # noqa: S608
        times = [row[name] and moment_text(moment(row[name]) + by) for name in columns]
        db.execute(f"update [{table}] set {sets} where id = ?", (*times, row["id"]))  # noqa: S608
