"""Which identity at the school's sign-in service is which member of staff (ASVS 5.0: 6.8.1).

An identity is the pair of issuer and subject. The verified school address only says, the first time, whom it belongs
to; from then on it is the subject that counts, and another one with the same address is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.actions.notices import notify
from socialgov.actions.sessions import end_session_by_id
from socialgov.actions.staff import enter_by_groups, set_roles_by_groups
from socialgov.models import Role, Staff
from socialgov.openid.refusals import Reason, SignInRefused
from socialgov.permissions import check_can_manage_staff
from socialgov.store import guarded_update, record_event, write
from socialgov.store import identities as rows
from socialgov.store.events import EventTag, actor_of
from socialgov.store.rows import moment_text
from socialgov.store.staff import staff_by_email, staff_by_id, staff_with_role

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.config_signin import OpenIdSettings
    from socialgov.home import Home
    from socialgov.openid.claims import Identity
    from socialgov.store.identities import LinkedIdentity

_LINKED = (
    "Your account at the school's sign-in service can sign you in from now on. "
    "If you did not just sign in there, tell the network manager at once."
)
_LINKED_HEADS = (
    "A member of staff was linked with their account at the school's sign-in service. "
    "Look at the page Staff or in the log if you did not expect that."
)
_SECOND = (
    "Somebody was refused: their account at the school's sign-in service has the address of a member of staff who is "
    "linked with another one. Was an address given to somebody else, or the account made anew? The log says who."
)
_ENDED = "An identity that signed you in was ended. If you did not expect that, ask the network manager."


def identities_of(db: Database, staff_id: int) -> list[LinkedIdentity]:
    """Those this person can sign in with, the oldest first."""
    return rows.current_identities(db, staff_id)


def end_identity(home: Home, actor: Staff, identity_id: int, *, now: datetime) -> None:
    """It signs nobody in any more, and the sessions it began end. Your own, or anybody's for who manages staff.

    Raises NotPermitted, NotFound. The caller has asked for a fresh confirmation.
    """
    with write(home.db) as db:
        identity = rows.identity_by_id(db, identity_id)
        if identity.staff_id != actor.id:
            check_can_manage_staff(actor)
        _end(db, actor, identity, now)


def unlink_staff(home: Home, actor: Staff, staff_id: int, *, now: datetime) -> int:
    """Somebody's account at the service was made anew or given to another: all that is linked with them ends; how many.

    They are told. Who comes next with their verified address is linked with them. Raises NotPermitted, NotFound. The
    caller has asked for a fresh confirmation.
    """
    check_can_manage_staff(actor)
    with write(home.db) as db:
        linked = rows.current_identities(db, staff_by_id(db, staff_id).id)
        for identity in linked:
            _end(db, actor, identity, now)
        return len(linked)


def recognise(db: Database, identity: Identity, settings: OpenIdSettings, *, now: datetime) -> tuple[Staff, int]:
    """Who it is and the id of their identity, linked or entered now where that is right. Inside `write()`.

    The roles that the school lets groups decide are set. Raises SignInRefused.
    """
    linked = rows.current_identity(db, identity.issuer, identity.subject)
    staff = staff_by_id(db, linked.staff_id) if linked else _by_address(db, identity, settings, now)
    if not staff.current:
        raise SignInRefused(Reason.LEFT, staff.id)
    if linked is None:
        identity_id = _link(db, identity, staff, now)
    else:
        identity_id = linked.id
    rows.note_identity_used(db, identity_id, now)
    return set_roles_by_groups(db, staff, identity.roles_with(staff.roles, settings), now=now), identity_id


def tell_of_second(db: Database, staff_id: int, now: datetime) -> None:
    """An identity was refused because of another: network managers hear of it, once a day. Inside `write()`."""
    for manager in staff_with_role(db, Role.NETWORK_MANAGER):
        key = f"second_identity:{staff_id}:{moment_text(now)[:10]}"
        notify(db, staff_id=manager.id, kind="second_identity", text=_SECOND, dedupe_key=key, now=now)


# --------------------------------------------------------------------------------------------------- within


def _end(db: Database, actor: Staff, identity: LinkedIdentity, now: datetime) -> None:
    who = actor_of(actor.id)
    guarded_update(db, "identity", identity.id, {"ended_at": now}, where={"ended_at": None})
    record_event(db, EventTag.IDENTITY_ENDED, actor=who, now=now, subject="staff", subject_id=identity.staff_id)
    for session_id in rows.open_sessions_of_identity(db, identity.id):
        end_session_by_id(db, session_id, actor=who, now=now)
    if identity.staff_id != actor.id:
        key = f"identity_ended:{identity.id}"
        notify(db, staff_id=identity.staff_id, kind="identity_ended", text=_ENDED, dedupe_key=key, now=now)


def _by_address(db: Database, identity: Identity, settings: OpenIdSettings, now: datetime) -> Staff:
    """Who has this address on the staff, or is entered now because the school's groups say that they work here."""
    staff = staff_by_email(db, identity.email)
    if staff is not None:
        return staff
    roles = identity.given_roles(settings)
    if not settings.enter_staff or not roles:
        raise SignInRefused(Reason.NOT_ON_STAFF)
    return enter_by_groups(db, identity.name, identity.email, roles, now=now)


def _link(db: Database, identity: Identity, staff: Staff, now: datetime) -> int:
    if any(other.issuer == identity.issuer for other in rows.current_identities(db, staff.id)):
        raise SignInRefused(Reason.OTHER_IDENTITY, staff.id)
    identity_id = rows.add_identity(
        db, staff_id=staff.id, issuer=identity.issuer, subject=identity.subject, email=identity.email, linked_at=now
    )
    record_event(db, EventTag.IDENTITY_LINKED, actor=actor_of(staff.id), now=now, subject="staff", subject_id=staff.id)
    key = f"identity_linked:{identity_id}"
    notify(db, staff_id=staff.id, kind="identity_linked", text=_LINKED, dedupe_key=key, now=now)
    for head in staff_with_role(db, Role.HEAD):
        if head.id != staff.id:
            notify(db, staff_id=head.id, kind="identity_linked", text=_LINKED_HEADS, dedupe_key=key, now=now)
    return identity_id
