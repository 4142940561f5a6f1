"""From asking for an account to the decision: ask, amend, return, approve, decline, withdraw, and one that was found.

A request is decided as it stands at that moment: if meanwhile the deputy left, the platform was struck off the list or
its last day has come, it cannot be approved, and the approver reads why. It stays waiting until somebody amends,
declines or withdraws it.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.findings import evaluate_account
from socialgov.actions.notices import answered, notify
from socialgov.actions.own_cause import check_did_not_write_request
from socialgov.actions.public_accounts import use_allowance
from socialgov.actions.request_checks import checked_reason, checked_request, request_faults
from socialgov.errors import Conflict, InvalidInput
from socialgov.lifecycle import WrongState, check_transition
from socialgov.models import Account, AccountRequest, AccountState
from socialgov.store.accounts import account_by_id, change_account, insert_account
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.staff import staff_with_role

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Staff

S = AccountState


def request_account(home: Home, actor: Staff, form: AccountRequest, *, now: datetime) -> Account:
    """Ask for an account (ACC107, LIF601). Raises InvalidInput with the fields at fault."""
    permissions.check_can_request(actor)
    with write(home.db) as db:
        form = checked_request(db, home.settings, form, today=home.today(now), asker=actor)
        account_id = insert_account(db, form, requested_by=actor.id, now=now)
        _record(db, EventTag.ACCOUNT_REQUESTED, account_id, actor, now)
        account = account_by_id(db, account_id)
        use_allowance(home, db, account, actor, now=now)
        _tell_approvers(home, db, account, now)
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    return account


def amend_request(home: Home, actor: Staff, account_id: int, form: AccountRequest, *, now: datetime) -> Account:
    """Change a request that waits or was sent back; it waits for a decision again."""
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_amend_request(actor, account)
        _need_requested(account)
        form = checked_request(
            db, home.settings, form, today=home.today(now), account=account, found=account.found_unregistered,
            asker=actor,
        )  # fmt: skip
        if account.found_unregistered and (form.platform, form.handle_wished) != (account.platform, account.handle):
            raise InvalidInput(
                "This account exists already, so its platform and handle are what they are.",
                {"handle_wished": f"It was found as {account.handle}."},
            )
        changed = [name for name in form.__slots__ if getattr(form, name) != getattr(account, name)]
        changes = {name: getattr(form, name) for name in form.__slots__}
        account = change_account(
            db, account, {**changes, "return_reason": None, "returned_at": None},
            tag=EventTag.ACCOUNT_AMENDED, actor=actor_of(actor.id), now=now, data={"fields": changed},
        )  # fmt: skip
        if not account.found_unregistered:
            use_allowance(home, db, account, actor, now=now)
        answered(db, account.id, "request_returned", now)
        _tell_approvers(home, db, account, now)
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    return account


def return_request(home: Home, actor: Staff, account_id: int, reason: str, *, now: datetime) -> Account:
    """Send a request back to its author, who changes it or withdraws it."""
    reason = checked_reason(reason)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_decide(actor, account, home.settings.policy)
        _need_waiting(account)
        account = change_account(
            db, account, {"return_reason": reason, "returned_at": now},
            tag=EventTag.ACCOUNT_RETURNED, actor=actor_of(actor.id), now=now,
        )  # fmt: skip
        answered(db, account.id, "request_waiting", now)
        text = (
            f"Your request for the account {account.name} was sent back to you. Open it to read why, and send it again."
        )
        _tell_askers(db, account, "request_returned", text, now)
    return account


def approve(
    home: Home, actor: Staff, account_id: int, *, now: datetime, reason: str = "", seen_version: int | None = None
) -> Account:
    """Let the account be set up (ACC107). `seen_version`: refuse when it was amended after the approver looked.

    Raises Conflict when somebody decided first, or when what is asked for is no longer possible.
    """
    reason = checked_reason(reason) if reason.strip() else ""
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_decide(actor, account, home.settings.policy)
        check_did_not_write_request(db, actor, account)
        check_transition(account.state, S.APPROVED)
        _need_waiting(account)
        if seen_version is not None and seen_version != account.version:
            raise Conflict("The request was changed after you opened it.", "Read it again, then decide.")
        _need_still_possible(home, db, account, now)
        account = _decide(db, account, S.APPROVED, EventTag.ACCOUNT_APPROVED, actor, reason, now)
        text = (
            f"The account {account.name} was approved. Set it up by its task list; it goes live when every check holds."
        )
        _tell_askers(db, account, "request_approved", text, now)
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    return account


def decline(home: Home, actor: Staff, account_id: int, reason: str, *, now: datetime) -> Account:
    """Refuse a request, with the reason. One that exists already cannot be wished away: it is approved and closed."""
    reason = checked_reason(reason)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_decide(actor, account, home.settings.policy)
        check_transition(account.state, S.DECLINED)
        _need_not_found(account)
        account = _decide(db, account, S.DECLINED, EventTag.ACCOUNT_DECLINED, actor, reason, now)
        text = f"Your request for the account {account.name} was declined. Open it to read why."
        _tell_askers(db, account, "request_declined", text, now)
    return account


def withdraw(home: Home, actor: Staff, account_id: int, *, now: datetime) -> Account:
    """Take back a request that nobody has decided on."""
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_amend_request(actor, account)
        check_transition(account.state, S.WITHDRAWN)
        _need_not_found(account)
        answered(db, account.id, "request_waiting", now)
        answered(db, account.id, "request_returned", now)
        return change_account(
            db, account, {"state": S.WITHDRAWN},
            tag=EventTag.ACCOUNT_WITHDRAWN, actor=actor_of(actor.id), now=now,
        )  # fmt: skip


def register_found(home: Home, actor: Staff, form: AccountRequest, *, handle: str, now: datetime) -> Account:
    """Record an account that was found on a platform without being registered (ACC108).

    Found by somebody who may approve (and will not own it), it is taken in hand at once: approved, so that it goes
    through the gate like any other, or is closed. Found by anybody else, it waits for an approver.
    """
    permissions.check_can_request(actor)
    with write(home.db) as db:
        form = _as_found(form, handle)
        form = checked_request(db, home.settings, form, today=home.today(now), found=True)
        more = {"found_unregistered": True, "handle": form.handle_wished, "set_up_at": now}
        account_id = insert_account(db, form, requested_by=actor.id, now=now, **more)
        _record(db, EventTag.ACCOUNT_FOUND, account_id, actor, now)
        account = account_by_id(db, account_id)
        if actor.has(*home.settings.policy.approver_roles) and actor.id != form.owner_id:
            account = _decide(db, account, S.APPROVED, EventTag.ACCOUNT_APPROVED, actor, "Found unregistered.", now)
        else:
            _tell_approvers(home, db, account, now)
        text = f"The account {account.name} was found and is now on the register. It must pass the checks or be closed."
        _tell_askers(db, account, "account_found", text, now)
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    return account


def as_request(account: Account) -> AccountRequest:
    """What was asked for, as the form holds it."""
    return AccountRequest(**{field.name: getattr(account, field.name) for field in fields(AccountRequest)})


def why_not_approvable(home: Home, account: Account, *, now: datetime) -> tuple[str, ...]:
    """What stands in the way of approving this request today, for the page of the approver. Empty: nothing."""
    _, faults = request_faults(
        home.db, home.settings, as_request(account), today=home.today(now), account=account,
        found=account.found_unregistered,
    )  # fmt: skip
    return tuple(faults.values())


def _as_found(form: AccountRequest, handle: str) -> AccountRequest:
    return AccountRequest(**{**{f.name: getattr(form, f.name) for f in fields(form)}, "handle_wished": handle})


def _decide(
    db: Database, account: Account, state: AccountState, tag: EventTag, actor: Staff, reason: str, now: datetime
) -> Account:
    changes = {"state": state, "decided_by": actor.id, "decided_at": now, "decision_reason": reason or None}
    answered(db, account.id, "request_waiting", now)
    return change_account(db, account, changes, tag=tag, actor=actor_of(actor.id), now=now)


def _need_requested(account: Account) -> None:
    if account.state is not S.REQUESTED:
        raise WrongState("This request was decided on or withdrawn already.", "Open the account to see its state.")


def _need_waiting(account: Account) -> None:
    _need_requested(account)
    if account.returned_at is not None:
        raise Conflict("This request was sent back and waits for its author.", "Wait until it is sent again.")


def _need_not_found(account: Account) -> None:
    if account.found_unregistered:
        raise Conflict(
            "This account exists on the platform already, so dropping the request would leave it there unwatched.",
            "Approve it to take it in hand, then let it pass the checks or close it.",
        )


def _need_still_possible(home: Home, db: Database, account: Account, now: datetime) -> None:
    if faults := why_not_approvable(home, account, now=now):
        raise Conflict(
            f"This can no longer be approved as it was asked for. {' '.join(faults)}",
            "Send it back with that as the reason, or decline it.",
        )


def _record(db: Database, tag: EventTag, account_id: int, actor: Staff, now: datetime) -> None:
    record_event(
        db, tag, actor=actor_of(actor.id), now=now, subject="account", subject_id=account_id, account_id=account_id
    )


def _tell_approvers(home: Home, db: Database, account: Account, now: datetime) -> None:
    """Everybody whose role lets them decide and who is not barred as asker or owner."""
    approvers = {s.id: s for role in home.settings.policy.approver_roles for s in staff_with_role(db, role)}
    for staff in approvers.values():
        if permissions.can_decide(staff, account, home.settings.policy):
            notify(
                db, staff_id=staff.id, kind="request_waiting", now=now, account_id=account.id,
                text=f"A request for the account {account.name} waits for a decision.",
                dedupe_key=f"request_waiting:{account.id}:{account.version}",
            )  # fmt: skip


def _tell_askers(db: Database, account: Account, kind: str, text: str, now: datetime) -> None:
    """Asker, owner and deputy. Without the reason, which may name somebody: notices go out by mail."""
    for staff_id in sorted({account.requested_by, account.owner_id, account.deputy_id}):
        notify(
            db, staff_id=staff_id, kind=kind, text=text, now=now, account_id=account.id,
            dedupe_key=f"{kind}:{account.id}:{account.version}",
        )  # fmt: skip
