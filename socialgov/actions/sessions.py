"""Sessions: begun by a sign-in, ended by their owner, by those who manage them, by leaving, and by time.

ASVS 5.0: 7.2.4 (a new token at each sign-in and each step-up), 7.3.1 and 7.3.2 (time-outs), 7.4.1 and 7.4.2 (dead
at once on the server), 7.5.2 (one's own are listed and ended). A token is 256 random bits; the database holds its
hash. A session keeps how it was begun, from which address and with which browser in words, so that its owner can
tell a stranger's from their own; retention erases it 90 days after its end.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.errors import NotFound
from socialgov.escrow import random_token
from socialgov.models import Staff
from socialgov.store import guarded_update, record_event, write
from socialgov.store import signin as rows
from socialgov.store.events import EventTag, actor_of
from socialgov.store.staff import staff_by_id
from socialgov.store.vault import end_openings

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.home import Home

TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a sign-in comes from: the network address, and the browser in words (web/browsers.py)."""

    address: str = ""
    agent: str = ""


def token_hash(token: str) -> str:
    """The token itself has 256 random bits, so a plain hash cannot be searched."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


# --------------------------------------------------------------------------------------------------- begin


def start_session(
    db: Database,
    home: Home,
    staff_id: int,
    *,
    method: str,
    visitor: Visitor,
    now: datetime,
    previous: str | None = None,
    strong: bool = False,
) -> str:
    """Begin a session inside `write()` and return its token, once. `previous`, the browser's own, ends.

    `method` is `link`, `passkey`, `openid`, `link+passkey` or `link+code`; `strong` says that what stands last in it
    counts as a step-up.
    """
    if previous is not None:
        end_by_token(db, previous, now)
    token = random_token()
    session_id = rows.add_session(
        db,
        staff_id=staff_id,
        token_hash=token_hash(token),
        started_at=now,
        expires_at=now + timedelta(hours=home.settings.policy.session_absolute_hours),
        method=method,
        address=visitor.address[:64],
        agent=visitor.agent[:100],
        strong_at=now if strong else None,
    )
    record_event(
        db,
        EventTag.SESSION_STARTED,
        actor=actor_of(staff_id),
        now=now,
        subject="session",
        subject_id=session_id,
        data={"method": method},
    )
    return token


def renew_token(db: Database, session_id: int) -> str:
    """A new token for a session that goes on: a copy of the old one is dead (ASVS 7.2.4). Inside `write()`."""
    token = random_token()
    guarded_update(db, "session", session_id, {"token_hash": token_hash(token)}, where={"ended_at": None})
    return token


# --------------------------------------------------------------------------------------------------- ask


def open_session(home: Home, token: str | None, *, now: datetime) -> rows.Session | None:
    """The session of this token, or None when it is unknown, ended or timed out. Its owner may have left."""
    session = rows.session_by_hash(home.db, token_hash(token)) if token else None
    if session is None or not is_open(home, session, now):
        return None
    return session


def is_open(home: Home, session: rows.Session, now: datetime) -> bool:
    """Neither ended nor timed out: after idling, and after the longest time however busy (ASVS 7.3.1, 7.3.2)."""
    idle = timedelta(minutes=home.settings.policy.session_idle_minutes)
    return session.ended_at is None and now < session.expires_at and now - session.seen_at <= idle


def session_staff(home: Home, token: str, *, now: datetime) -> Staff | None:
    """Who is signed in with this session, or None when it is unknown, ended, timed out, or its owner has left.

    Notes that it was used, at most once a minute, so that a page costs no write.
    """
    session = open_session(home, token, now=now)
    if session is None:
        return None
    staff = staff_by_id(home.db, session.staff_id)
    if not staff.current:
        return None
    if now - session.seen_at >= TOUCH_EVERY:
        with write(home.db) as db:
            rows.touch_session(db, session.id, now)
    return staff


def sessions_of(home: Home, staff_id: int, *, now: datetime) -> list[rows.Session]:
    """The open sessions of one person, the one used last first."""
    there = [one for one in rows.open_sessions(home.db, staff_id) if is_open(home, one, now)]
    return sorted(there, key=lambda one: one.seen_at, reverse=True)


# --------------------------------------------------------------------------------------------------- end


def end_session(home: Home, token: str, *, now: datetime) -> None:
    """Sign out: the token is dead on the server. An unknown or ended one is no error."""
    with write(home.db) as db:
        end_by_token(db, token, now)


def end_own_session(home: Home, actor: Staff, session_id: int, *, now: datetime) -> None:
    """End one of your own sessions, on another device. Raises NotFound for somebody else's or one that ended."""
    with write(home.db) as db:
        mine = next((one for one in rows.open_sessions(db, actor.id) if one.id == session_id), None)
        if mine is None:
            raise NotFound("That session is not yours, or has ended.", "Look at the list of your sessions.")
        _close(db, mine, actor=actor_of(actor.id), now=now)


def end_other_sessions(home: Home, actor: Staff, token: str, *, now: datetime) -> int:
    """End all of your own sessions but this one; how many."""
    with write(home.db) as db:
        mine = [one for one in rows.open_sessions(db, actor.id) if one.token_hash != token_hash(token)]
        for session in mine:
            _close(db, session, actor=actor_of(actor.id), now=now)
        return len(mine)


def end_sessions_of(db: Database, staff_id: int, *, actor: str, now: datetime) -> None:
    """End every session and void every link and half-finished sign-in of one person. Inside `write()`."""
    rows.void_signin_links(db, staff_id, now)
    rows.void_ceremonies(db, staff_id, now)
    for session in rows.open_sessions(db, staff_id):
        _close(db, session, actor=actor, now=now)


def end_by_token(db: Database, token: str, now: datetime) -> None:
    """End the session of this token, if it is open. Inside `write()`."""
    session = rows.session_by_hash(db, token_hash(token))
    if session is not None and session.ended_at is None:
        _close(db, session, actor=actor_of(session.staff_id), now=now)


def end_session_by_id(db: Database, session_id: int, *, actor: str, now: datetime) -> None:
    """End one session that is open. Inside `write()`."""
    _close(db, rows.session_by_id(db, session_id), actor=actor, now=now)


def _close(db: Database, session: rows.Session, *, actor: str, now: datetime) -> None:
    guarded_update(db, "session", session.id, {"ended_at": now, "id_token": None}, where={"ended_at": None})
    end_openings(db, now, session_id=session.id)  # what held the vault open in it is overwritten
    record_event(db, EventTag.SESSION_ENDED, actor=actor, now=now, subject="session", subject_id=session.id)
