"""Questions about sign-in links and sessions. Only the hash of a token is ever in the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.errors import NotFound
from socialgov.store.connect import insert
from socialgov.store.rows import all_of, moment_text, one_of, scalar

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
    """One sign-in. `agent` is the browser in words; `strong_at` is when its owner last showed who they are."""

    id: int
    staff_id: int
    token_hash: str = field(repr=False)
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    method: str
    address: str
    agent: str
    strong_at: datetime | None
    strong_method: str | None


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


def add_session(
    db: Database,
    *,
    staff_id: int,
    token_hash: str,
    started_at: datetime,
    expires_at: datetime,
    method: str,
    address: str,
    agent: str,
    strong_at: datetime | None,
) -> int:
    values = {
        "staff_id": staff_id,
        "token_hash": token_hash,
        "started_at": started_at,
        "seen_at": started_at,
        "expires_at": expires_at,
        "method": method,
        "address": address,
        "agent": agent,
        "strong_at": strong_at,
        "strong_method": method.rpartition("+")[2] if strong_at else None,
    }
    return insert(db, "session", values)


def session_by_hash(db: Database, token_hash: str) -> Session | None:
    return one_of(db, Session, "select * from session where token_hash = ?", (token_hash,))


def session_by_id(db: Database, session_id: int) -> Session:
    """Open or ended. Raises NotFound."""
    found = one_of(db, Session, "select * from session where id = ?", (session_id,))
    if found is None:
        raise NotFound("There is no such session.")
    return found


def open_sessions(db: Database, staff_id: int) -> list[Session]:
    """Sessions of one person that nobody ended; some may have timed out."""
    return all_of(db, Session, "select * from session where staff_id = ? and ended_at is null order by id", (staff_id,))


def touch_session(db: Database, session_id: int, now: datetime) -> None:
    """Note that it was used; never backwards, and never one that ended."""
    text = moment_text(now)
    db.execute(
        "update session set seen_at = ? where id = ? and ended_at is null and seen_at < ?", (text, session_id, text)
    )


def void_ceremonies(db: Database, staff_id: int, now: datetime) -> None:
    """Half-finished sign-ins, registrations and interrupted forms of one person lead nowhere any more."""
    db.execute(
        "update ceremony set used_at = ?, data = '{}' where staff_id = ? and used_at is null",
        (moment_text(now), staff_id),
    )


# --------------------------------------------------------------------------------------------------- failures


def add_failure(db: Database, kind: str, key_hash: str, now: datetime) -> None:
    """Note one refused guess; `kind` is `person` or `address`."""
    insert(db, "signin_failure", {"kind": kind, "key_hash": key_hash, "at": now})


def count_failures(db: Database, kind: str, key_hash: str, since: datetime) -> int:
    """Refused guesses of one person or address since a moment."""
    sql = "select count(*) from signin_failure where kind = ? and key_hash = ? and at > ?"
    return int(scalar(db, sql, (kind, key_hash, since)))


def count_all_failures(db: Database) -> int:
    """Every refused guess that retention has not erased yet."""
    return int(scalar(db, "select count(*) from signin_failure"))


def clear_failures(db: Database, kind: str, key_hash: str) -> None:
    """Somebody got in: what they mistyped before is forgotten."""
    db.execute("delete from signin_failure where kind = ? and key_hash = ?", (kind, key_hash))
