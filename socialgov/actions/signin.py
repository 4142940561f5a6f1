"""Sign-in by one-time links (ASVS 5.0: 6.5.1, 6.5.5).

A link is 256 random bits; the database holds its hash, so whoever reads it cannot use one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.actions.notices import notify
from socialgov.actions.sessions import Visitor, start_session, token_hash
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

NOBODY = Visitor()
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
            db, staff_id=staff_id, token_hash=token_hash(token), made_at=now, expires_at=expires_at
        )
        record_event(db, EventTag.LINK_MADE, actor=actor, now=now, subject="staff", subject_id=staff_id)
        if actor not in ("cli", actor_of(staff_id)):
            notify(db, staff_id=staff_id, kind="link_made", text=_LINK_MADE, dedupe_key=f"link:{link_id}", now=now)
    return f"/signin/{token}"


def peek_signin_link(home: Home, token: str, now: datetime) -> Staff | None:
    """Whom the link would sign in, without using it up: the page that shows the button (GET)."""
    link = links.signin_link_by_hash(home.db, token_hash(token))
    if link is None or not _usable(home.db, link, now):
        return None
    return staff_by_id(home.db, link.staff_id)


def use_signin_link(
    home: Home, token: str, *, now: datetime, previous: str | None = None, visitor: Visitor = NOBODY
) -> str:
    """Use the link up and open a session; its token is returned once. `previous`, the browser's own, ends.

    Raises LinkRefused. Of two that use one link at the same moment, one gets in.
    """
    link = links.signin_link_by_hash(home.db, token_hash(token))
    if link is None:
        raise LinkRefused  # not logged: anybody could fill the log with guesses
    actor = actor_of(link.staff_id)
    try:
        with write(home.db) as db:
            if not _usable(db, link, now):
                raise LinkRefused
            guarded_update(db, "signin_link", link.id, {"used_at": now}, where={"used_at": None})
            record_event(db, EventTag.LINK_USED, actor=actor, now=now, subject="staff", subject_id=link.staff_id)
            return start_session(db, home, link.staff_id, method="link", visitor=visitor, now=now, previous=previous)
    except (LinkRefused, Conflict):
        with write(home.db) as db:
            record_event(db, EventTag.LINK_REFUSED, actor=actor, now=now, subject="staff", subject_id=link.staff_id)
        raise LinkRefused from None


def _usable(db: Database, link: links.SigninLink, now: datetime) -> bool:
    fresh = link.used_at is None and link.made_at <= now < link.expires_at
    return fresh and staff_by_id(db, link.staff_id).current
