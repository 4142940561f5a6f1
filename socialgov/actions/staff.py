"""Staff: joining, changing roles, leaving. Somebody who left is signed out in the same transaction (PPL704)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.actions.findings import evaluate_account
from socialgov.actions.notices import notify
from socialgov.actions.rotations import begin_for_leaver
from socialgov.actions.sessions import end_sessions_of
from socialgov.actions.vault import end_holders_of
from socialgov.actions.ways import end_ways_of
from socialgov.config import ADDRESS
from socialgov.errors import Conflict, InvalidInput
from socialgov.models import Role, Staff
from socialgov.permissions import check_can_manage_staff
from socialgov.store import guarded_update, record_event, write
from socialgov.store.accounts import accounts_of_keeper
from socialgov.store.connect import insert
from socialgov.store.contacts import accounts_letting_in
from socialgov.store.credentials import accounts_known_to
from socialgov.store.events import EventTag, actor_of
from socialgov.store.rows import moment_text
from socialgov.store.staff import staff_by_email, staff_by_id, staff_with_role
from socialgov.store.vault import end_openings

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.config import Settings
    from socialgov.home import Home

BY_GROUPS = "job:sign-in_groups"  # the actor in the log when the sign-in service's groups decide
_LAST_MANAGER = (
    "You stay network manager although your groups at the school's sign-in service no longer say so. "
    "The school would have no other: give somebody else that role first."
)


def add_staff(
    home: Home,
    actor: Staff | None,
    name: str,
    email: str,
    roles: Iterable[Role],
    *,
    now: datetime,
    person_ref: str | None = None,
) -> Staff:
    """Enter somebody who works here. `actor` None is the command line; `email` must be of the school (ACC101).

    Raises NotPermitted, InvalidInput with `fields`. A leaver who comes back is entered again with the same address.
    """
    if actor is not None:
        check_can_manage_staff(actor)
    name, email = _checked(home.settings, name, email)
    wanted = frozenset(roles)
    with write(home.db) as db:
        known = staff_by_email(db, email)
        if known is not None and known.current:
            raise InvalidInput(
                "Somebody with this address works here already.", {"email": "Another member of staff has this address."}
            )
        if known is not None:
            changes = {"name": name, "roles": sorted(wanted), "left_at": None}
            guarded_update(db, "staff", known.id, changes, where={"left_at": known.left_at})
            staff_id = known.id
        else:
            row = {"name": name, "email": email, "roles": sorted(wanted), "person_ref": person_ref, "joined_at": now}
            staff_id = insert(db, "staff", row)
        _added(db, staff_id, wanted, actor=_actor(actor), now=now)
        return staff_by_id(db, staff_id)


def enter_by_groups(db: Database, name: str, email: str, roles: frozenset[Role], *, now: datetime) -> Staff:
    """Enter somebody of whom the school's sign-in service says that they work here. Inside `write()`.

    The school decided so in [signin.openid] of school.toml; the caller has checked the address and the groups.
    """
    row = {"name": name, "email": email, "roles": sorted(roles), "joined_at": now}
    staff_id = insert(db, "staff", row)
    _added(db, staff_id, roles, actor=BY_GROUPS, now=now)
    return staff_by_id(db, staff_id)


def set_roles(home: Home, actor: Staff | None, staff_id: int, roles: Iterable[Role], *, now: datetime) -> Staff:
    """Give somebody exactly these roles. The school never loses its last network manager: Conflict."""
    if actor is not None:
        check_can_manage_staff(actor)
    wanted = frozenset(roles)
    with write(home.db) as db:
        staff = staff_by_id(db, staff_id)
        _check_still_here(staff)
        if staff.roles == wanted:
            return staff
        if Role.NETWORK_MANAGER not in wanted:
            _check_not_last(db, staff)
        return _change_roles(db, staff, wanted, actor=_actor(actor), now=now)


def set_roles_by_groups(db: Database, staff: Staff, roles: frozenset[Role], *, now: datetime) -> Staff:
    """Give somebody the roles that the groups of the school's sign-in service say. Inside `write()`.

    The last network manager stays one, whatever the groups say, and is told: the school must not lock itself out.
    """
    if Role.NETWORK_MANAGER not in roles and _is_last_manager(db, staff):
        roles |= {Role.NETWORK_MANAGER}
        notify(db, staff_id=staff.id, kind="last_manager", text=_LAST_MANAGER, dedupe_key="last_manager", now=now)
    return staff if roles == staff.roles else _change_roles(db, staff, roles, actor=BY_GROUPS, now=now)


def make_network_manager(db: Database, staff: Staff, *, actor: str, now: datetime) -> Staff:
    """Give this role to somebody who works here. Inside `write()`; who may decide so, the caller has asked."""
    _check_still_here(staff)
    if staff.has(Role.NETWORK_MANAGER):
        return staff
    return _change_roles(db, staff, staff.roles | {Role.NETWORK_MANAGER}, actor=actor, now=now)


def staff_leaves(home: Home, actor: Staff | None, staff_id: int, *, now: datetime) -> Staff:
    """Somebody leaves: their sessions, links, passkeys and codes end at once (PPL704, ASVS 7.4.2).

    Raises Conflict for the last network manager.
    """
    if actor is not None:
        check_can_manage_staff(actor)
    with write(home.db) as db:
        staff = staff_by_id(db, staff_id)
        _check_still_here(staff)
        _check_not_last(db, staff)
        guarded_update(db, "staff", staff_id, {"left_at": now}, where={"left_at": None})
        record_event(db, EventTag.STAFF_LEFT, actor=_actor(actor), now=now, subject="staff", subject_id=staff_id)
        end_sessions_of(db, staff_id, actor=_actor(actor), now=now)
        end_ways_of(db, staff_id, actor=_actor(actor), now=now)
        end_holders_of(db, staff_id, actor=_actor(actor), now=now, leaving=True)
        begin_for_leaver(home, db, staff_id, actor=_actor(actor), now=now)
        kept = {account.id for account in accounts_of_keeper(db, staff_id)} | accounts_known_to(db, staff_id)
        kept |= accounts_letting_in(db, staff_id)
        for account_id in sorted(kept):  # the rules break now (ACC105, SEC204, PPL704), not at the next check
            evaluate_account(home, account_id, now=now, actor=_actor(actor))
        return staff_by_id(db, staff_id)


def _actor(actor: Staff | None) -> str:
    return "cli" if actor is None else actor_of(actor.id)


def _added(db: Database, staff_id: int, roles: frozenset[Role], *, actor: str, now: datetime) -> None:
    data = {"roles": sorted(roles)}
    record_event(db, EventTag.STAFF_ADDED, actor=actor, now=now, subject="staff", subject_id=staff_id, data=data)
    _tell_heads(db, actor, staff_id, roles, now)


def _change_roles(db: Database, staff: Staff, wanted: frozenset[Role], *, actor: str, now: datetime) -> Staff:
    guarded_update(
        db, "staff", staff.id, {"roles": sorted(wanted)}, where={"roles": sorted(staff.roles), "left_at": None}
    )
    data = {"before": sorted(staff.roles), "roles": sorted(wanted)}
    record_event(
        db, EventTag.STAFF_ROLES_CHANGED, actor=actor, now=now, subject="staff", subject_id=staff.id, data=data
    )
    _tell_heads(db, actor, staff.id, wanted - staff.roles, now)
    if Role.NETWORK_MANAGER in staff.roles - wanted:
        end_holders_of(db, staff.id, actor=actor, now=now, leaving=True)
    end_openings(db, now, staff_id=staff.id)  # whatever they had open, they had it open in a role
    return staff_by_id(db, staff.id)


def _tell_heads(db: Database, actor: str, staff_id: int, given: Collection[Role], now: datetime) -> None:
    """Whoever manages staff could make a head of themselves, and exceptions are the head's alone: heads are told."""
    if actor == "cli" or Role.HEAD not in given:
        return
    for head in staff_with_role(db, Role.HEAD):
        if head.id != staff_id and actor_of(head.id) != actor:
            notify(
                db,
                staff_id=head.id,
                kind="head_named",
                text="Somebody was given the role of head. If you do not know of it, look in the log who did that.",
                dedupe_key=f"head_named:{staff_id}:{moment_text(now)}",
                now=now,
            )


def _check_still_here(staff: Staff) -> None:
    if not staff.current:
        raise Conflict("This person has left already.", "Enter them again if they came back.")


def _is_last_manager(db: Database, staff: Staff) -> bool:
    return staff_with_role(db, Role.NETWORK_MANAGER) == [staff]


def _check_not_last(db: Database, staff: Staff) -> None:
    if _is_last_manager(db, staff):
        raise Conflict("The school would have no network manager.", "Give somebody else that role first.")


def _checked(settings: Settings, name: str, email: str) -> tuple[str, str]:
    """Name and address as kept, or InvalidInput with a sentence a field."""
    name, email = " ".join(name.split()), email.strip().lower()
    fields = {}
    if not name or len(name) > 100 or not name.isprintable():
        fields["name"] = "Enter a name of up to 100 characters."
    if not re.fullmatch(ADDRESS, email) or len(email) > 254 or not email.isprintable():
        fields["email"] = "Enter an e-mail address, such as name@" + settings.email_domains[0]
    elif email.rpartition("@")[2] not in settings.email_domains:
        fields["email"] = f"Enter an address of the school: {', '.join(settings.email_domains)}."
    if fields:
        raise InvalidInput("This person cannot be entered as written.", fields)
    return name, email
