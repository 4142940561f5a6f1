"""Sign-in by one-time links, and the second step that follows for those who have one (ASVS 5.0: 6.4.1, 6.5.1, 6.5.5).

A link is 256 random bits; the database holds its hash, so whoever reads it cannot use one. Whoever makes a link could
use it in the other's name: where the other has a passkey or an authenticator app, the link alone is not enough
(policy.link_needs_second_factor).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.actions.authenticators import use_code
from socialgov.actions.ceremonies import CeremonyOver, begin, finish, look
from socialgov.actions.factors import usable, ways_of
from socialgov.actions.notices import notify
from socialgov.actions.passkeys import second_factor_passkey
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
_LINK_USED = (
    "A sign-in link of yours was used, although you have another way to sign in. If it was not you, tell the network "
    "manager at once."
)
SECOND = "signin.second"


@dataclass(frozen=True, slots=True)
class Begun:
    """What a link led to: a `session` token, or the token of a sign-in that is `waiting` for its second step."""

    session: str | None = None
    waiting: str | None = None


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
) -> Begun:
    """Use the link up and open a session, or begin the second step. `previous`, the browser's own session, ends.

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
            _tell_of_link(db, link, now)
            if needs_second_factor(home, link.staff_id):
                return Begun(waiting=begin(home, SECOND, {}, staff_id=link.staff_id, now=now))
            session = start_session(db, home, link.staff_id, method="link", visitor=visitor, now=now, previous=previous)
            return Begun(session=session)
    except (LinkRefused, Conflict):
        with write(home.db) as db:
            record_event(db, EventTag.LINK_REFUSED, actor=actor, now=now, subject="staff", subject_id=link.staff_id)
        raise LinkRefused from None


def needs_second_factor(home: Home, staff_id: int) -> bool:
    """Has this person a factor that can be asked for here, and does the school want it asked for after a link?"""
    return home.settings.policy.link_needs_second_factor and usable(home, ways_of(home.db, staff_id)).factor


def who_waits(home: Home, waiting: str | None, *, now: datetime) -> Staff:
    """Whose sign-in waits for its second step in this browser. Raises CeremonyOver."""
    ceremony = look(home, SECOND, waiting, now=now)
    if ceremony.staff_id is None:
        raise CeremonyOver
    return staff_by_id(home.db, ceremony.staff_id)


def finish_with_code(
    home: Home, waiting: str | None, code: str, *, visitor: Visitor, now: datetime, previous: str | None = None
) -> str:
    """After the link a code: the session's token. Raises CeremonyOver, InvalidInput, Throttled."""
    use_code(home, who_waits(home, waiting, now=now).id, code, now=now)
    return _finish(home, waiting, "link+code", visitor=visitor, now=now, previous=previous)


def finish_with_passkey(
    home: Home,
    waiting: str | None,
    ceremony: str | None,
    answer: str,
    *,
    visitor: Visitor,
    now: datetime,
    previous: str | None = None,
) -> str:
    """After the link a passkey of the same person: the session's token. Raises CeremonyOver, PasskeyRefused."""
    second_factor_passkey(home, who_waits(home, waiting, now=now).id, ceremony, answer, now=now)
    return _finish(home, waiting, "link+passkey", visitor=visitor, now=now, previous=previous)


def _finish(
    home: Home, waiting: str | None, method: str, *, visitor: Visitor, now: datetime, previous: str | None
) -> str:
    with write(home.db) as db:
        staff_id = finish(db, SECOND, waiting, now=now).staff_id
        if staff_id is None or not staff_by_id(db, staff_id).current:
            raise CeremonyOver
        return start_session(
            db, home, staff_id, method=method, visitor=visitor, now=now, previous=previous, strong=True
        )


def _tell_of_link(db: Database, link: links.SigninLink, now: datetime) -> None:
    """Somebody who has a better way hears of each link that was used: it may be another who did."""
    if ways_of(db, link.staff_id).some:
        notify(db, staff_id=link.staff_id, kind="link_used", text=_LINK_USED, dedupe_key=f"used:{link.id}", now=now)


def _usable(db: Database, link: links.SigninLink, now: datetime) -> bool:
    fresh = link.used_at is None and link.made_at <= now < link.expires_at
    return fresh and staff_by_id(db, link.staff_id).current
