"""Sign-in by one-time links, and the sessions they open (ASVS 5.0: 6.5.1, 7.2.4, 7.3.1, 7.3.2, 7.4.1, 7.4.2).

A link and a session are 256 random bits each; the database holds their hashes, so whoever reads it can use neither.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.actions.notices import notify
from socialgov.errors import Conflict, NotPermitted
from socialgov.escrow import random_token
from socialgov.models import Staff
from socialgov.store import guarded_update, record_event, write
from socialgov.store import signin as links
from socialgov.store.events import EventTag, actor_of
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.home import Home

TOUCH_EVERY = timedelta(minutes=1)
# Whoever makes a link could use it in the other's name: the other is told, and the log names who made it.
_LINK_MADE = (
    "A sign-in link was made for you. If you did not ask for one, tell the head at once: it opens your account."
)


class LinkRefused(NotPermitted):
    """The link is unknown, used, too old, or its owner has left. The reader is not told which (no probing)."""

    def __init__(self) -> None:
        super().__init__("This sign-in link does not work any more.", "Ask the network manager for a new one.")


def make_signin_link(home: Home, staff_id: int, *, actor: str, now: datetime) -> str:
    """A new link for one member of staff, as its path `/signin/<token>`; earlier unused ones stop working.

    `actor` is `cli` or `staff:ID`; somebody for whom another made a link is told of it. Raises NotFound, NotPermitted
    for somebody who left.
    """
    token = random_token()
    expires_at = now + timedelta(minutes=home.settings.policy.signin_link_minutes)
    with write(home.db) as db:
        if not staff_by_id(db, staff_id).current:
            raise NotPermitted("Somebody who left gets no sign-in link.")
        links.void_signin_links(db, staff_id, now)
        link_id = links.add_signin_link(
            db, staff_id=staff_id, token_hash=_hash(token), made_at=now, expires_at=expires_at
        )
        record_event(db, EventTag.LINK_MADE, actor=actor, now=now, subject="staff", subject_id=staff_id)
        if actor not in ("cli", actor_of(staff_id)):
            notify(db, staff_id=staff_id, kind="link_made", text=_LINK_MADE, dedupe_key=f"link:{link_id}", now=now)
    return f"/signin/{token}"


def peek_signin_link(home: Home, token: str, now: datetime) -> Staff | None:
    """Whom the link would sign in, without using it up: the page that shows the button (GET)."""
    link = links.signin_link_by_hash(home.db, _hash(token))
    if link is None or not _usable(home.db, link, now):
        return None
    return staff_by_id(home.db, link.staff_id)


def use_signin_link(home: Home, token: str, *, now: datetime, previous: str | None = None) -> str:
    """Use the link up and open a session; its token is returned once. `previous`, the browser's own, ends.

    Raises LinkRefused. Of two that use one link at the same moment, one gets in.
    """
    link = links.signin_link_by_hash(home.db, _hash(token))
    if link is None:
        raise LinkRefused  # not logged: anybody could fill the log with guesses
    actor = actor_of(link.staff_id)
    try:
        with write(home.db) as db:
            if not _usable(db, link, now):
                raise LinkRefused
            guarded_update(db, "signin_link", link.id, {"used_at": now}, where={"used_at": None})
            record_event(db, EventTag.LINK_USED, actor=actor, now=now, subject="staff", subject_id=link.staff_id)
            if previous is not None:
                _end(db, previous, now)
            return _start_session(db, home, link.staff_id, now)
    except (LinkRefused, Conflict):
        with write(home.db) as db:
            record_event(db, EventTag.LINK_REFUSED, actor=actor, now=now, subject="staff", subject_id=link.staff_id)
        raise LinkRefused from None


def _usable(db: Database, link: links.SigninLink, now: datetime) -> bool:
    fresh = link.used_at is None and link.made_at <= now < link.expires_at
    return fresh and staff_by_id(db, link.staff_id).current


def _start_session(db: Database, home: Home, staff_id: int, now: datetime) -> str:
    token = random_token()
    expires_at = now + timedelta(hours=home.settings.policy.session_absolute_hours)
    session_id = links.add_session(
        db, staff_id=staff_id, token_hash=_hash(token), started_at=now, expires_at=expires_at
    )
    record_event(
        db, EventTag.SESSION_STARTED, actor=actor_of(staff_id), now=now, subject="session", subject_id=session_id
    )
    return token


def session_staff(home: Home, token: str, *, now: datetime) -> Staff | None:
    """Who is signed in with this session, or None when it is unknown, ended, timed out, or its owner has left.

    Notes that it was used, at most once a minute, so that a page costs no write.
    """
    session = links.session_by_hash(home.db, _hash(token))
    if session is None or session.ended_at is not None or now >= session.expires_at:
        return None
    if now - session.seen_at > timedelta(minutes=home.settings.policy.session_idle_minutes):
        return None
    staff = staff_by_id(home.db, session.staff_id)
    if not staff.current:
        return None
    if now - session.seen_at >= TOUCH_EVERY:
        with write(home.db) as db:
            links.touch_session(db, session.id, now)
    return staff


def end_session(home: Home, token: str, *, now: datetime) -> None:
    """Sign out: the token is dead on the server. An unknown or ended one is no error."""
    with write(home.db) as db:
        _end(db, token, now)


def end_sessions_of(db: Database, staff_id: int, *, actor: str, now: datetime) -> None:
    """End every session and void every link of one person. Inside `write()`."""
    links.void_signin_links(db, staff_id, now)
    for session in links.open_sessions(db, staff_id):
        _close(db, session, actor=actor, now=now)


def _end(db: Database, token: str, now: datetime) -> None:
    session = links.session_by_hash(db, _hash(token))
    if session is not None and session.ended_at is None:
        _close(db, session, actor=actor_of(session.staff_id), now=now)


def _close(db: Database, session: links.Session, *, actor: str, now: datetime) -> None:
    guarded_update(db, "session", session.id, {"ended_at": now}, where={"ended_at": None})
    record_event(db, EventTag.SESSION_ENDED, actor=actor, now=now, subject="session", subject_id=session.id)


def _hash(token: str) -> str:
    """The token itself has 256 random bits, so a plain hash cannot be searched."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
