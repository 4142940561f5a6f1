"""Questions about identities: who at the school's sign-in service is which member of staff."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.errors import NotFound
from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import all_of, moment_text, one_of, scalar

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """`subject` is whom the issuer means, for good; `email` is the address it was linked by."""

    id: int
    staff_id: int
    issuer: str
    subject: str = field(repr=False)
    email: str = field(repr=False)
    linked_at: datetime
    linked_by: int | None
    used_at: datetime | None
    ended_at: datetime | None


def current_identity(db: Database, issuer: str, subject: str) -> LinkedIdentity | None:
    """The one that counts, or None: it was never linked, or ended."""
    sql = "select * from identity where issuer = ? and subject = ? and ended_at is null"
    return one_of(db, LinkedIdentity, sql, (issuer, subject))


def current_identities(db: Database, staff_id: int) -> list[LinkedIdentity]:
    """Those this person can sign in with, the oldest first."""
    sql = "select * from identity where staff_id = ? and ended_at is null order by id"
    return all_of(db, LinkedIdentity, sql, (staff_id,))


def identity_by_id(db: Database, identity_id: int) -> LinkedIdentity:
    """Raises NotFound for one that is unknown or ended."""
    sql = "select * from identity where id = ? and ended_at is null"
    found = one_of(db, LinkedIdentity, sql, (identity_id,))
    if found is None:
        raise NotFound("That identity is not there any more.", "Look at the list of ways to sign in.")
    return found


def add_identity(db: Database, *, staff_id: int, issuer: str, subject: str, email: str, linked_at: datetime) -> int:
    values = {"staff_id": staff_id, "issuer": issuer, "subject": subject, "email": email, "linked_at": linked_at}
    return insert(db, "identity", values)


def note_identity_used(db: Database, identity_id: int, now: datetime) -> None:
    guarded_update(db, "identity", identity_id, {"used_at": now}, where={"ended_at": None})


# --------------------------------------------------------------------------------------------------- sessions


def keep_id_token(db: Database, session_id: int, identity_id: int, sealed: bytes) -> None:
    """What the provider's own sign-out asks for, with the session until it ends."""
    guarded_update(db, "session", session_id, {"identity_id": identity_id, "id_token": sealed})


def kept_id_token(db: Database, session_id: int, issuer: str) -> bytes | None:
    """The sealed token of a session that was begun at this issuer and has not ended."""
    sql = "select id_token from session join identity on identity.id = identity_id where session.id = ? and issuer = ?"
    found: bytes | None = scalar(db, sql, (session_id, issuer))
    return found


def open_sessions_of_identity(db: Database, identity_id: int) -> list[int]:
    """Ids of the sessions that were begun with it and that nobody ended."""
    sql = "select id from session where identity_id = ? and ended_at is null order by id"
    return [row[0] for row in db.execute(sql, (identity_id,)).fetchall()]


def forget_id_tokens(db: Database, now: datetime) -> int:
    """Sessions that timed out without an end keep no token either; how many."""
    sql = "update session set id_token = null where id_token is not null and expires_at < ?"
    return int(db.execute(sql, (moment_text(now),)).rowcount)
