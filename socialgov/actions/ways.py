"""Ways to sign in: whether to ask somebody for a better one, and taking them away when a device is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov.actions.authenticators import end_authenticator
from socialgov.actions.factors import ways_of
from socialgov.actions.notices import notify
from socialgov.actions.passkeys import end_passkey
from socialgov.actions.sessions import end_sessions_of
from socialgov.actions.stepup import need_fresh
from socialgov.models import Role
from socialgov.permissions import check_can_end_sessions, check_can_remove_factors
from socialgov.store import factors, guarded_update, record_event, write
from socialgov.store.events import EventTag, actor_of
from socialgov.store.identities import current_identities
from socialgov.store.rows import moment_text
from socialgov.store.staff import staff_by_id, staff_with_role

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Staff

POSTPONED = timedelta(days=30)
ASKED_EACH_TIME = (Role.NETWORK_MANAGER, Role.HEAD)  # what they may do is worth most to a thief
_HEADS_TOLD = (
    "The passkeys and the authenticator app of somebody were removed, as after a lost device. "
    "If you do not know of it, look in the log who did that."
)
_ENDED = "You were signed out everywhere by the network manager or the head. Sign in again when you need to."


def should_ask(home: Home, staff: Staff, now: datetime) -> bool:
    """Ask somebody who just came by link alone to add a passkey: heads and managers each time, others each month."""
    if ways_of(home.db, staff.id).some:
        return False
    postponed = factors.ways_postponed_at(home.db, staff.id)
    return staff.has(*ASKED_EACH_TIME) or postponed is None or now - postponed > POSTPONED


def postpone(home: Home, actor: Staff, *, now: datetime) -> None:
    """`actor` will add a passkey another day."""
    with write(home.db) as db:
        factors.postpone_ways(db, actor.id, now)


def remove_factors(home: Home, actor: Staff | None, session_token: str | None, staff_id: int, *, now: datetime) -> int:
    """Somebody lost their device: their passkeys, authenticator and sessions end; they and the heads are told.

    `actor` None is the command line on the server: the way out for the only network manager. How many were removed.
    Raises NotPermitted, StepUpNeeded, NotFound.
    """
    if actor is not None:
        check_can_remove_factors(actor, staff_by_id(home.db, staff_id))
        need_fresh(home, session_token or "", now=now)
    who = "cli" if actor is None else actor_of(actor.id)
    with write(home.db) as db:
        removed = _end_factors(db, staff_id, actor=who, now=now)
        end_sessions_of(db, staff_id, actor=who, now=now)
        if removed:
            _tell_heads(db, {staff_id, actor.id if actor else 0}, staff_id, now)
        return removed


def end_ways_of(db: Database, staff_id: int, *, actor: str, now: datetime) -> None:
    """Somebody left: nothing of theirs signs anybody in, even should they come back one day. Inside `write()`."""
    _end_factors(db, staff_id, actor=actor, now=now)
    for identity in current_identities(db, staff_id):
        guarded_update(db, "identity", identity.id, {"ended_at": now}, where={"ended_at": None})
        record_event(db, EventTag.IDENTITY_ENDED, actor=actor, now=now, subject="staff", subject_id=staff_id)


def end_all_sessions(home: Home, actor: Staff, session_token: str, staff_id: int, *, now: datetime) -> None:
    """Sign somebody out everywhere; they are told. Raises NotPermitted, StepUpNeeded, NotFound."""
    check_can_end_sessions(actor)
    need_fresh(home, session_token, now=now)
    with write(home.db) as db:
        staff_by_id(db, staff_id)
        end_sessions_of(db, staff_id, actor=actor_of(actor.id), now=now)
        key = f"sessions_ended:{moment_text(now)}"
        notify(db, staff_id=staff_id, kind="sessions_ended", text=_ENDED, dedupe_key=key, now=now)


def _end_factors(db: Database, staff_id: int, *, actor: str, now: datetime) -> int:
    ways = ways_of(db, staff_id)
    for passkey in ways.passkeys:
        end_passkey(db, passkey, actor=actor, now=now)
    app = factors.authenticator_of(db, staff_id)
    if app is not None:
        end_authenticator(db, app, actor=actor, now=now)
    return len(ways.passkeys) + (ways.authenticator is not None)


def _tell_heads(db: Database, without: set[int], staff_id: int, now: datetime) -> None:
    for head in staff_with_role(db, Role.HEAD):
        if head.id not in without:
            key = f"factors_removed:{staff_id}:{moment_text(now)}"
            notify(db, staff_id=head.id, kind="factors_removed", text=_HEADS_TOLD, dedupe_key=key, now=now)
