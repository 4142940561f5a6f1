"""Questions about sign-in links and sessions. Only the hash of a token is ever in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.store.connect import insert
from socialgov.store.rows import all_of, moment_text, one_of

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class SigninLink:
    id: int
    staff_id: int
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Session:
    id: int
    staff_id: int
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None


def add_signin_link(db: Database, *, staff_id: int, token_hash: str, made_at: datetime, expires_at: datetime) -> int:
    return insert(
        db,
        "signin_link",
        {"staff_id": staff_id, "token_hash": token_hash, "made_at": made_at, "expires_at": expires_at},
    )


def signin_link_by_hash(db: Database, token_hash: str) -> SigninLink | None:
    return one_of(db, SigninLink, "select * from signin_link where token_hash = ?", (token_hash,))


def void_signin_links(db: Database, staff_id: int, now: datetime) -> None:
    """Links of somebody who left, or was given a new one, open nothing any more."""
    db.execute(
        "update signin_link set used_at = ? where staff_id = ? and used_at is null", (moment_text(now), staff_id)
    )


def add_session(db: Database, *, staff_id: int, token_hash: str, started_at: datetime, expires_at: datetime) -> int:
    return insert(
        db,
        "session",
        {
            "staff_id": staff_id,
            "token_hash": token_hash,
            "started_at": started_at,
            "seen_at": started_at,
            "expires_at": expires_at,
        },
    )


def session_by_hash(db: Database, token_hash: str) -> Session | None:
    return one_of(db, Session, "select * from session where token_hash = ?", (token_hash,))


def open_sessions(db: Database, staff_id: int) -> list[Session]:
    """Sessions of one person that nobody ended; some may have timed out."""
    return all_of(db, Session, "select * from session where staff_id = ? and ended_at is null order by id", (staff_id,))


def touch_session(db: Database, session_id: int, now: datetime) -> None:
    """Note that it was used; never backwards, and never one that ended."""
    text = moment_text(now)
    db.execute(
        "update session set seen_at = ? where id = ? and ended_at is null and seen_at < ?", (text, session_id, text)
    )
