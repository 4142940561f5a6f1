"""Step-up: before what matters most, people show once more who they are (ASVS 5.0: 7.5.1, 7.5.3).

A session is *strong* for policy.step_up_minutes after a passkey with user verification, a fresh sign-in at the
school's provider (`auth_time` checked), or an authenticator code where the school allows those. A one-time link
never makes a session strong: whoever can make a link could else open the vault in another's name. A code does not open
the vault, nor break the glass, where passkeys work: a false page can ask somebody for six digits, never for a passkey.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.actions.factors import codes_open_vault, usable, ways_of
from socialgov.actions.sessions import open_session, renew_token
from socialgov.errors import StepUpNeeded
from socialgov.store import guarded_update, record_event, write
from socialgov.store.events import EventTag, actor_of
from socialgov.store.signin import session_by_id

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.store.signin import Session

METHODS = ("passkey", "openid", "code")


def need_fresh(home: Home, session_token: str, *, now: datetime, for_vault: bool = False) -> None:
    """Raise StepUpNeeded unless the session's owner showed who they are within policy.step_up_minutes."""
    session = open_session(home, session_token, now=now)
    if session is None or not is_fresh(home, session, now, for_vault=for_vault):
        raise StepUpNeeded(for_vault=for_vault)


def need_fresh_or_first(home: Home, session_token: str, *, now: datetime) -> None:
    """As need_fresh, but somebody who has no way of showing it yet may add their very first one after signing in.

    Only within policy.step_up_minutes of the sign-in itself: a session left open for an hour is not enough.
    """
    session = open_session(home, session_token, now=now)
    if session is None:
        raise StepUpNeeded
    if is_fresh(home, session, now) or may_add_first(home, session, now):
        return
    raise StepUpNeeded


def is_fresh(home: Home, session: Session, now: datetime, *, for_vault: bool = False) -> bool:
    """Did the session's owner show who they are within policy.step_up_minutes? A moment yet to come does not count.

    `for_vault`: and not by an authenticator code, where they could have used a passkey.
    """
    if for_vault and session.strong_method == "code" and not codes_open_vault(home.settings):
        return False
    return session.strong_at is not None and _lately(home, session.strong_at, now)


def may_add_first(home: Home, session: Session, now: datetime) -> bool:
    """Somebody who has nothing to confirm with, and signed in a moment ago.

    Whoever has an identity at a provider that cannot ask again must have come by it: a link alone is not enough.
    """
    ways = ways_of(home.db, session.staff_id)
    if usable(home, ways).some or not _lately(home, session.started_at, now):
        return False
    return session.method == "openid" or not ways.identities


def _lately(home: Home, moment: datetime, now: datetime) -> bool:
    return timedelta(0) <= now - moment < timedelta(minutes=home.settings.policy.step_up_minutes)


def mark_strong(db: Database, session_id: int, method: str, now: datetime) -> None:
    """Note in the log and the session that its owner just showed who they are by `method`. Inside `write()`.

    `method` is `passkey`, `openid` or `code`. Raises Conflict for a session that ended meanwhile.
    """
    if method not in METHODS:
        raise ValueError(f"{method} shows nobody who somebody is")
    session = session_by_id(db, session_id)
    guarded_update(db, "session", session_id, {"strong_at": now, "strong_method": method}, where={"ended_at": None})
    record_event(
        db,
        EventTag.STEP_UP_DONE,
        actor=actor_of(session.staff_id),
        now=now,
        subject="session",
        subject_id=session_id,
        data={"method": method},
    )


def confirm_session(home: Home, session_token: str, method: str, *, now: datetime) -> str:
    """Mark the session strong and give it a new token, which is returned once: the old one is dead (ASVS 7.2.4).

    The caller has checked the passkey, the provider's answer or the code. Raises StepUpNeeded for an ended session.
    """
    with write(home.db) as db:
        session = open_session(home, session_token, now=now)
        if session is None:
            raise StepUpNeeded
        mark_strong(db, session.id, method, now)
        return renew_token(db, session.id)
