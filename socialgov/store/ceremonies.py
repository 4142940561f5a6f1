"""Questions about ceremonies: sign-ins and confirmations that were begun and not yet finished.

A ceremony belongs to one browser: only that browser's cookie holds the token whose hash stands in the row. It is good
once and for a few minutes. `data` holds no secret: a challenge, a state, or the kept fields of an interrupted form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import moment_text, one_of, scalar

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Ceremony:
    id: int
    purpose: str
    staff_id: int | None
    session_id: int | None
    data: Mapping[str, Any]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None

    def usable(self, now: datetime) -> bool:
        return self.used_at is None and self.made_at <= now < self.expires_at


def add_ceremony(
    db: Database,
    purpose: str,
    *,
    token_hash: str,
    made_at: datetime,
    expires_at: datetime,
    staff_id: int | None = None,
    session_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> int:
    return insert(
        db,
        "ceremony",
        {
            "purpose": purpose,
            "token_hash": token_hash,
            "staff_id": staff_id,
            "session_id": session_id,
            "data": dict(data or {}),
            "made_at": made_at,
            "expires_at": expires_at,
        },
    )


def ceremony_by_hash(db: Database, token_hash: str) -> Ceremony | None:
    """Used up and expired ones too."""
    return one_of(db, Ceremony, "select * from ceremony where token_hash = ?", (token_hash,))


def use_up_ceremony(db: Database, ceremony_id: int, now: datetime) -> None:
    """Raises Conflict when somebody else used it up first; its data is erased. Inside `write()`."""
    guarded_update(db, "ceremony", ceremony_id, {"used_at": now, "data": {}}, where={"used_at": None})


def waiting_ceremonies(db: Database, purpose: str, now: datetime) -> int:
    """How many of this purpose were begun and can still be finished."""
    sql = "select count(*) from ceremony where purpose = ? and used_at is null and expires_at > ?"
    return int(scalar(db, sql, (purpose, moment_text(now))))


def purge_ceremonies(db: Database, now: datetime) -> int:
    """What ran out goes; how many rows. A used one stays until then, so that its token is never good again."""
    return int(db.execute("delete from ceremony where expires_at < ?", (moment_text(now),)).rowcount)
