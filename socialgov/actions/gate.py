"""From approved to live and back: what was set up is recorded, the gate opens or says why not, suspend, resume.

The gate is asked inside the transaction that opens it, so nothing can change between the answer and the step. A
refusal changes nothing but is itself an event.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from socialgov import permissions, platforms
from socialgov.actions import findings
from socialgov.actions.adapters import adapter_of, is_connected, needs_connection
from socialgov.actions.notices import answered, notify
from socialgov.actions.observing import look_before_gate
from socialgov.actions.request_checks import (
    checked_reason,
    handle_fits,
    school_email_fault,
    text_faults,
    tidy,
    tidy_handle,
)
from socialgov.errors import Conflict, GateRefused, InvalidInput
from socialgov.lifecycle import WrongState, check_transition, due_transition
from socialgov.models import AccountState, Capability, Role
from socialgov.store.accounts import account_by_id, account_with_handle, account_with_remote_id, change_account
from socialgov.store.connect import write
from socialgov.store.connections import connection_of
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.staff import staff_with_role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.config import Settings
    from socialgov.home import Home
    from socialgov.models import Account, Finding, Staff

S = AccountState
SETUP_STATES = frozenset({S.APPROVED, S.SUSPENDED})


def record_setup(
    home: Home,
    actor: Staff,
    account_id: int,
    *,
    handle: str,
    school_email: str,
    remote_id: str | None = None,
    now: datetime,
) -> Account:
    """What was set up on the platform: the handle, and the school address it was set up with (ACC101).

    Where the platform can be read, the profile is looked up to keep its lasting id: a handle can be given to somebody
    else, an id cannot. Another handle than before makes what was observed until now evidence about another account.
    Raises InvalidInput with the fields at fault, PlatformError when the platform does not answer.
    """
    account = account_by_id(home.db, account_id)
    permissions.check_can_set_up(actor, account)
    _need_setting_up(account)
    handle, school_email = tidy_handle(home.settings.platforms[account.platform], handle), tidy(school_email)
    _check_setup(home.db, home.settings, account, handle, school_email)
    remote_id = remote_id or _lasting_id(home, account, handle, now)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_set_up(actor, account)
        _need_setting_up(account)
        _check_setup(db, home.settings, account, handle, school_email)
        _check_remote_id(db, replace(account, handle=handle), remote_id)
        same = (account.handle, account.remote_id) == (handle, remote_id)
        changes = {"handle": handle, "school_email": school_email, "remote_id": remote_id}
        account = change_account(
            db, account, {**changes, "set_up_at": account.set_up_at if same else now},
            tag=EventTag.ACCOUNT_SET_UP, actor=actor_of(actor.id), now=now, data={"same_as_before": same},
        )  # fmt: skip
        findings.evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    return account


def go_live(home: Home, actor: Staff, account_id: int, *, now: datetime) -> Account:
    """Open the gate: live only when every gate rule answers True or is excepted by the head.

    Raises GateRefused with the findings that keep it shut (the refusal is in the log), Conflict before the first day
    that was approved or after the last, PlatformError where a platform that can be read does not answer.
    """
    account = account_by_id(home.db, account_id)
    permissions.check_can_go_live(actor, account)
    if account.state is S.APPROVED:
        look_before_gate(home, account_id, now=now)
    refused: Sequence[Finding] = ()
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_go_live(actor, account)
        if account.state is not S.APPROVED:
            raise WrongState(f"This account is {account.state.value}, so it cannot go live from here.")
        _need_its_time(home, account, now)
        refused = _refused_by_gate(home, db, account, actor, now)
        if not refused:
            account = change_account(
                db, account, {"state": S.LIVE, "live_at": now, "check_due_at": now},
                tag=EventTag.ACCOUNT_LIVE, actor=actor_of(actor.id), now=now,
            )  # fmt: skip
            answered(db, account.id, "request_approved", now)
            _tell(db, account, "account_live", f"The account {account.name} is live.", _keepers(account), actor, now)
        findings.evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    _raise_if(refused, "go live")
    return account


def resume(home: Home, actor: Staff, account_id: int, *, now: datetime) -> Account:
    """Let a suspended account go on, through the gate again. Raises like `go_live`."""
    permissions.check_can_resume(actor)
    if account_by_id(home.db, account_id).state is S.SUSPENDED:
        look_before_gate(home, account_id, now=now)
    refused: Sequence[Finding] = ()
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_resume(actor)
        if account.state is not S.SUSPENDED:
            raise WrongState(f"This account is {account.state.value}, so there is nothing to resume.")
        _need_its_time(home, account, now)
        refused = _refused_by_gate(home, db, account, actor, now)
        if not refused:
            account = change_account(
                db, account, {"state": S.LIVE, "suspended_at": None, "suspend_reason": None, "check_due_at": now},
                tag=EventTag.ACCOUNT_RESUMED, actor=actor_of(actor.id), now=now,
            )  # fmt: skip
            answered(db, account.id, "account_suspended", now)
            text = f"The account {account.name} may go on."
            _tell(db, account, "account_resumed", text, _watchers(db, account), actor, now)
        findings.evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    _raise_if(refused, "go on")
    return account


def suspend(home: Home, actor: Staff, account_id: int, reason: str, *, now: datetime) -> Account:
    """Stop an account at once (SAF904): nothing is posted from now on. Keepers, network manager and head are told."""
    reason = checked_reason(reason)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_suspend(actor, account)
        check_transition(account.state, S.SUSPENDED)
        account = change_account(
            db, account, {"state": S.SUSPENDED, "suspended_at": now, "suspend_reason": reason},
            tag=EventTag.ACCOUNT_SUSPENDED, actor=actor_of(actor.id), now=now,
        )  # fmt: skip
        text = f"The account {account.name} was suspended. Nothing can be posted on it. Open it to read why."
        _tell(db, account, "account_suspended", text, _watchers(db, account), actor, now)
        findings.evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    return account


# --------------------------------------------------------------------------------------------------- the gate


def _refused_by_gate(home: Home, db: Database, account: Account, actor: Staff, now: datetime) -> list[Finding]:
    """The findings that keep the gate shut. Empty: it opens. A refusal is recorded."""
    refused = [finding for finding in findings.gate(home, account.id, now) if not finding.passes]
    if refused:
        record_event(
            db, EventTag.ACCOUNT_GATE_REFUSED, actor=actor_of(actor.id), now=now, subject="account",
            subject_id=account.id, account_id=account.id, data={"rules": [finding.rule_id for finding in refused]},
        )  # fmt: skip
    return refused


def _raise_if(refused: Sequence[Finding], what: str) -> None:
    if refused:
        checks = "One check does" if len(refused) == 1 else f"{len(refused)} checks do"
        raise GateRefused(
            f"{checks} not hold, so the account cannot {what}.",
            refused,
            "Work through the task list: each line says what is missing and who does it.",
        )


def _need_its_time(home: Home, account: Account, now: datetime) -> None:
    """Approved for certain days: going live before them would make a longer life than was approved (LIF601)."""
    if home.today(now) < account.starts_on:
        day = account.starts_on
        raise Conflict(f"This account was approved from {day.day} {day:%B %Y} on, and that day has not come.")
    if due_transition(account, now, home.settings.zone, home.settings.policy) is S.CLOSING:
        raise Conflict("The time of this account is over, so it is about to be closed.", "Ask for a new account.")


# --------------------------------------------------------------------------------------------------- setting up


def _need_setting_up(account: Account) -> None:
    """Only in front of the gate: a live account that changed its handle would carry on with another one's evidence."""
    if account.state not in SETUP_STATES:
        raise WrongState(
            f"This account is {account.state.value}, so what was set up cannot be changed.",
            "It is recorded after approval and before going live, or while the account is suspended.",
        )


def _check_setup(db: Database, settings: Settings, account: Account, handle: str, school_email: str) -> None:
    platform = settings.platforms[account.platform]
    faults = text_faults({"handle": handle})
    if not faults and not handle_fits(platform, handle):
        faults["handle"] = f"{platform.name} does not allow this handle. Check the letters and signs in it."
    elif not faults and account_with_handle(db, account.platform, handle, other_than=account.id):
        faults["handle"] = "Another account in the register has this handle, or asks for it."
    if fault := school_email_fault(settings, school_email):
        faults["school_email"] = fault
    if faults:
        raise InvalidInput("What was set up cannot be recorded as it is.", faults, "Change what is marked.")


def _check_remote_id(db: Database, account: Account, remote_id: str | None) -> None:
    known = account_with_remote_id(db, account.platform, remote_id, account.handle or "") if remote_id else None
    if known not in (None, account.id):
        message = "This is the same account on the platform as another one in the register."
        raise InvalidInput(message, {"handle": message}, "Look for it in the register.")


def _lasting_id(home: Home, account: Account, handle: str, now: datetime) -> str | None:
    """The platform's own id of `handle`; None where nothing can be read by machine, as before it was connected."""
    info = home.settings.platforms[account.platform]
    if needs_connection(home, account) and not is_connected(home, account):
        return account.remote_id if account.handle == handle else None
    if Capability.READ_PROFILE not in platforms.capabilities(info):
        return None
    connected = connection_of(home.db, account.id) if needs_connection(home, account) else None
    try:
        elsewhere = connected and connected.server != platforms.adapter_class(info).server_of(info, handle)
        profile = adapter_of(home, replace(account, handle=handle, remote_id=None), now=now).profile()
    except platforms.PlatformError as error:
        if not error.permanent:
            raise
        message = f"{info.name} has no account with this handle that can be read."
        raise InvalidInput(message, {"handle": message}, "Check the spelling, and that it is set up.") from error
    if connected and (elsewhere or profile.handle.casefold() != handle.casefold()):
        message = f"socialgov is connected with {profile.handle} on {info.name}, which is another account."
        raise InvalidInput(message, {"handle": message}, "Disconnect that one first, on the account's page.")
    return profile.remote_id


# --------------------------------------------------------------------------------------------------- telling


def _keepers(account: Account) -> set[int]:
    return {account.owner_id, account.deputy_id}


def _watchers(db: Database, account: Account) -> set[int]:
    """Keepers, network manager and head."""
    return _keepers(account) | {
        staff.id for role in (Role.NETWORK_MANAGER, Role.HEAD) for staff in staff_with_role(db, role)
    }


def _tell(
    db: Database, account: Account, kind: str, text: str, staff_ids: set[int], actor: Staff, now: datetime
) -> None:
    """Everybody but the one who did it."""
    for staff_id in sorted(staff_ids - {actor.id}):
        notify(
            db, staff_id=staff_id, kind=kind, text=text, now=now, account_id=account.id,
            dedupe_key=f"{kind}:{account.id}:{account.version}",
        )  # fmt: skip
