"""Break the glass: the head and a second person open the vault when no network manager can.

Five steps, each of them an event that everybody concerned is told of: a head asks and says why; a second person, never
the same, agrees; the school's waiting time runs, in which any network manager or head can stop it; then two of the
three recovery sheets, typed in side by side, open the vault in the session of the head who asked; and after the
school's open hours it is over. The sheets are never kept: each opening asks for them again. What can be done then: look
at a secret, logged as such (actions/looking.py), and name a network manager who opens the vault from now on.

The second person is another head, the safeguarding lead or a governor. A network manager cannot agree: the glass is
broken because none of them opens the vault, and one who acts against the school must not open it in the head's name.
They can stop it; who stops it without good cause is on record with the reason, and the head can ask again.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions import throttle, vault
from socialgov.actions.notices import notify
from socialgov.actions.request_checks import checked_reason
from socialgov.actions.staff import make_network_manager
from socialgov.actions.stepup import need_fresh
from socialgov.errors import Conflict, EscrowError, InvalidInput, NotPermitted
from socialgov.escrow import Recovery
from socialgov.escrow.shares import join_shares
from socialgov.models import GlassState, Role
from socialgov.store import break_glass as store
from socialgov.store.accounts import owners_of_live_accounts
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.staff import staff_by_id, staff_with_role
from socialgov.store.vault import current_recovery, end_holder, end_openings, holder_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Staff
    from socialgov.store.break_glass import BreakGlass

DAYS_TO_AGREE = 7  # a request that nobody agreed to is over then: it must not be agreed to a year later, unnoticed
TOLD_ROLES = (Role.NETWORK_MANAGER, Role.HEAD, Role.SAFEGUARDING_LEAD, Role.GOVERNOR)
JOB = "job:glass"
WRONG = "These sheets do not open the vault."


def under_way(home: Home, *, now: datetime) -> BreakGlass | None:
    """The request that is asked for, waits or is open now; None where there is none."""
    found = store.open_glass(home.db)
    return found if found is not None and found.state(now) is not GlassState.OVER else None


def ask(home: Home, actor: Staff, session_token: str, reason: str, *, now: datetime) -> int:
    """A head asks, and says why; its id. Raises StepUpNeeded, InvalidInput, Conflict while another is under way."""
    permissions.check_can_ask_glass(actor)
    need_fresh(home, session_token, now=now, for_vault=True)
    reason = checked_reason(reason)
    with write(home.db) as db:
        _end_if_over(db, now)
        if store.open_glass(db) is not None:
            raise Conflict("The glass is being broken already.", "Stop that first, or go on with it.")
        closes_at = now + timedelta(days=DAYS_TO_AGREE)
        glass_id = store.insert_glass(db, reason=reason, asked_by=actor.id, now=now, closes_at=closes_at)
        _record(db, EventTag.GLASS_ASKED, actor, glass_id, now)
        _tell_everybody(
            db, "glass_asked", glass_id, now,
            f"{actor.name} asks to break the glass of the vault. With a second person's word and two recovery sheets "
            "deposited passwords could be opened without the network manager. A network manager or head can stop it.",
        )  # fmt: skip
    return glass_id


def agree(home: Home, actor: Staff, session_token: str, glass_id: int, *, now: datetime) -> BreakGlass:
    """The second person agrees; the waiting time begins. Raises StepUpNeeded, NotPermitted, Conflict."""
    permissions.check_can_agree_glass(actor)
    need_fresh(home, session_token, now=now, for_vault=True)
    policy = home.settings.policy
    opens_at = now + timedelta(hours=policy.break_glass_wait_hours)
    with write(home.db) as db:
        found = _need(db, glass_id, now, GlassState.ASKED)
        permissions.check_can_agree_glass(actor, found.asked_by)
        store.agree(
            db, glass_id, approved_by=actor.id, now=now, opens_at=opens_at,
            closes_at=opens_at + timedelta(hours=policy.break_glass_open_hours),
        )  # fmt: skip
        _record(db, EventTag.GLASS_APPROVED, actor, glass_id, now)
        _tell_everybody(
            db, "glass_agreed", glass_id, now,
            f"{actor.name} agreed to breaking the glass of the vault. In {policy.break_glass_wait_hours} hours the "
            "recovery sheets open it, unless a network manager or head stops it.",
        )  # fmt: skip
        return _need(db, glass_id, now, GlassState.WAITING, GlassState.OPEN)


def stop(home: Home, actor: Staff, glass_id: int, reason: str, *, now: datetime) -> None:
    """A network manager or head stops it, at any stage, and says why. A vault it has opened is shut at once."""
    permissions.check_can_stop_glass(actor)
    reason = checked_reason(reason)
    with write(home.db) as db:
        _need(db, glass_id, now, GlassState.ASKED, GlassState.WAITING, GlassState.OPEN)
        store.stop(db, glass_id, stopped_by=actor.id, reason=reason, now=now)
        end_openings(db, now, break_glass_id=glass_id)
        _record(db, EventTag.GLASS_STOPPED, actor, glass_id, now)
        text = f"{actor.name} stopped the breaking of the glass. The vault's page tells why."
        _tell_everybody(db, "glass_stopped", glass_id, now, text)


def open_with_sheets(
    home: Home, actor: Staff, session_token: str, glass_id: int, sheets: tuple[str, str], *, now: datetime
) -> str:
    """Open the vault with two recovery sheets in the session of the head who asked; the browser's token, once.

    The sheets are compared with the recovery set and forgotten. Raises StepUpNeeded, NotPermitted, Throttled,
    InvalidInput with `fields` for sheets that cannot be read or are another school's, Conflict outside its time.
    """
    permissions.check_can_ask_glass(actor)
    need_fresh(home, session_token, now=now, for_vault=True)
    found = _need(home.db, glass_id, now, GlassState.OPEN)
    _check_two_persons(home.db, actor, found)
    throttle.check_person(home, actor.id, now=now, of=throttle.PASSPHRASE)
    try:
        opened = _joined(home, sheets)
    except InvalidInput:
        vault.refused(home, actor, now)
        raise
    with write(home.db) as db:  # what is opened is on record before the browser can open anything with it
        _check_two_persons(db, actor, _need(db, glass_id, now, GlassState.OPEN))
        first = found.opened_at is None
        store.note_opened(db, glass_id, now)
        _record(db, EventTag.RECOVERY_USED, actor, glass_id, now)
        _record(db, EventTag.GLASS_BROKEN, actor, glass_id, now)
        token = vault.keep_open(
            home, actor, session_token, opened, now=now, break_glass_id=glass_id, until=found.closes_at
        )
        if first:
            text = f"{actor.name} opened the vault with the recovery sheets. The log tells each look, and why."
            _tell_everybody(db, "glass_broken", glass_id, now, text)
    return token


def name_manager(home: Home, actor: Staff, opened: OpenVault, glass_id: int, staff_id: int, *, now: datetime) -> str:
    """Make somebody a network manager who opens the vault from now on: the six words of their code, shown once.

    A way in that they had before ends: they may have forgotten its passphrase. Raises NotPermitted, Conflict.
    """
    permissions.check_can_use_glass(actor, glass=True)
    invitation = vault.Invitation.new()
    with write(home.db) as db:
        found = _need(db, glass_id, now, GlassState.OPEN)
        _check_two_persons(db, actor, found)
        if staff_id == actor.id:
            raise NotPermitted("You cannot name yourself.", "Name somebody else: two persons answer for the vault.")
        named = make_network_manager(db, staff_by_id(db, staff_id), actor=actor_of(actor.id), now=now)
        if (held := holder_of(db, named.id, "manager")) is not None:
            end_holder(db, held.id, now)
        vault.let_in(db, home, opened, invitation, named.id, made_by=actor.id, now=now)
    return invitation.code


def end_if_over(home: Home, *, now: datetime) -> bool:
    """End what is over, and shut what it opened; True where there was something. For the scheduler."""
    found = store.open_glass(home.db)
    if found is None or found.state(now) is not GlassState.OVER:
        return False
    with write(home.db) as db:
        return _end_if_over(db, now)


# --------------------------------------------------------------------------------------------------- shared


def _joined(home: Home, sheets: tuple[str, str]) -> OpenVault:
    """The vault that these two sheets open, compared with this school's recovery set."""
    recovery, row = Recovery(join_shares(sheets)), current_recovery(home.db)
    fault = {"sheet_2": "One of the sheets belongs to an older set, or to another school."}
    if row is None or not hmac.compare_digest(recovery.check_value, row.check_value):
        raise InvalidInput(WRONG, fault, "Take the newest sheets.")
    try:
        return recovery.open(home.escrow.school_id, row.sealed)[1]
    except EscrowError:
        raise InvalidInput(WRONG, fault, "Take the newest sheets.") from None


def _need(db: Database, glass_id: int, now: datetime, *states: GlassState) -> BreakGlass:
    found = store.open_glass(db)
    if found is None or found.id != glass_id or found.state(now) not in states:
        raise Conflict("This is not where the breaking of the glass stands.", "Look at its page again.")
    return found


def _check_two_persons(db: Database, actor: Staff, found: BreakGlass) -> None:
    """Who asked opens, still as head; who agreed must still be here, in a role that may agree."""
    permissions.check_can_ask_glass(staff_by_id(db, actor.id))
    if actor.id != found.asked_by:
        raise NotPermitted("Only the head who asked opens the vault with the sheets.", "Ask for it yourself.")
    second = staff_by_id(db, found.approved_by) if found.approved_by else None
    if second is None or not permissions.can_agree_glass(second, found.asked_by):
        raise NotPermitted(
            "The second person no longer has a role that may agree.", "Stop it and ask again, with another person."
        )


def _end_if_over(db: Database, now: datetime) -> bool:
    found = store.open_glass(db)
    if found is None or found.state(now) is not GlassState.OVER:
        return False
    store.end(db, found.id, now)
    end_openings(db, now, break_glass_id=found.id)
    record_event(db, EventTag.GLASS_ENDED, actor=JOB, now=now, subject="glass", subject_id=found.id)
    return True


def _record(db: Database, tag: EventTag, actor: Staff, glass_id: int, now: datetime) -> None:
    record_event(db, tag, actor=actor_of(actor.id), now=now, subject="glass", subject_id=glass_id)


def _tell_everybody(db: Database, kind: str, glass_id: int, now: datetime, text: str) -> None:
    """Network managers, heads, safeguarding leads, governors, and the owners of live accounts, each once a stage."""
    told = {staff.id for role in TOLD_ROLES for staff in staff_with_role(db, role)} | owners_of_live_accounts(db)
    for staff_id in sorted(told):
        notify(db, staff_id=staff_id, kind=kind, text=text, dedupe_key=f"{kind}:{glass_id}", now=now)
