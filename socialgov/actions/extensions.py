"""A longer life for an account that has an end: asked for before the end, and approved before it too (LIF605)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.findings import evaluate_account
from socialgov.actions.notices import answered, notify
from socialgov.actions.own_cause import check_did_not_hand_over
from socialgov.actions.request_checks import checked_reason
from socialgov.errors import Conflict, InvalidInput
from socialgov.lifecycle import WrongState, ends_at
from socialgov.models import AccountState
from socialgov.store.accounts import account_by_id, change_account
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.staff import staff_with_role
from socialgov.store.waivers import extension_by_id, insert_extension, open_extension

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Extension, Staff

S = AccountState
LIVING = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED})


def ask_extension(
    home: Home, actor: Staff, account_id: int, until_on: date, reason: str, *, now: datetime
) -> Extension:
    """Ask for a longer life, while the account still has some. One question at a time.

    Raises InvalidInput with the fields at fault, Conflict after the end or while another one waits.
    """
    reason = checked_reason(reason)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_ask_extension(actor, account)
        _need_life(home, account, now)
        if open_extension(db, account_id) is not None:
            raise Conflict("A longer life was asked for already and waits for a decision.", "Wait for the answer.")
        _check_until(home, account, until_on)
        extension_id = insert_extension(
            db, account_id=account_id, until_on=until_on, reason=reason, asked_by=actor.id, now=now
        )
        _record(db, EventTag.EXTENSION_ASKED, account, extension_id, actor, now, {"until_on": until_on.isoformat()})
        _tell_deciders(home, db, account, extension_id, actor, now)
        return extension_by_id(db, extension_id)


def decide_extension(
    home: Home, actor: Staff, extension_id: int, approved: bool, reason: str, *, now: datetime
) -> Extension:
    """Grant the longer life, which moves the account's last day, or refuse it with a reason.

    Granting is possible only while the account still lives: nothing comes back from closing. Refusing always is.
    """
    reason = checked_reason(reason) if reason.strip() or not approved else ""
    with write(home.db) as db:
        extension = extension_by_id(db, extension_id)
        account = account_by_id(db, extension.account_id)
        permissions.check_can_decide_extension(actor, account, extension, home.settings.policy)
        check_did_not_hand_over(db, actor, account)
        if extension.approved is not None:
            raise Conflict("Somebody else decided on this already, so nothing was saved.", "Look at the account again.")
        decision = {"approved": approved, "decided_by": actor.id, "decided_at": now, "decision_reason": reason or None}
        guarded_update(db, "extension", extension_id, decision, where={"approved": None})
        answered(db, account.id, "extension_waiting", now)
        data = {"extension": extension_id, "approved": approved, "until_on": extension.until_on.isoformat()}
        if approved:
            _need_life(home, account, now)
            _check_until(home, account, extension.until_on)
            change_account(
                db, account, {"ends_on": extension.until_on},
                tag=EventTag.EXTENSION_DECIDED, actor=actor_of(actor.id), now=now, data=data,
            )  # fmt: skip
        else:
            _record(db, EventTag.EXTENSION_DECIDED, account, extension_id, actor, now, data)
        _tell_of_decision(db, account, extension, approved, now)
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
        return extension_by_id(db, extension_id)


def _need_life(home: Home, account: Account, now: datetime) -> None:
    if account.state not in LIVING:
        raise WrongState(f"This account is {account.state.value}, so its life cannot be made longer.")
    end = ends_at(account, home.settings.zone)
    if end is None:
        raise Conflict("A standing account has no last day.", "Confirm each term that it is still needed.")
    if now >= end:
        raise Conflict("The time of this account is over, so it is about to be closed.", "Ask for a new account.")


def _check_until(home: Home, account: Account, until_on: date) -> None:
    """Later than the present last day, by as much as the policy allows."""
    assert account.ends_on is not None
    furthest = account.ends_on + timedelta(days=home.settings.policy.extension_longest_days)
    fault = None
    if until_on <= account.ends_on:
        fault = f"The new last day must be after {account.ends_on.day} {account.ends_on:%B %Y}."
    elif until_on > furthest:
        fault = f"The new last day can be {furthest.day} {furthest:%B %Y} at the latest."
    if fault:
        raise InvalidInput("This is not possible as a longer life.", {"until_on": fault}, "Change the date.")


def _record(
    db: Database,
    tag: EventTag,
    account: Account,
    extension_id: int,
    actor: Staff,
    now: datetime,
    data: dict[str, object],
) -> None:
    record_event(
        db, tag, actor=actor_of(actor.id), now=now, subject="extension", subject_id=extension_id,
        account_id=account.id, data=data,
    )  # fmt: skip


def _tell_deciders(home: Home, db: Database, account: Account, extension_id: int, actor: Staff, now: datetime) -> None:
    deciders = {s.id: s for role in home.settings.policy.approver_roles for s in staff_with_role(db, role)}
    for staff in deciders.values():
        if staff.id not in (actor.id, account.owner_id):
            notify(
                db, staff_id=staff.id, kind="extension_waiting", now=now, account_id=account.id,
                text=f"A longer life is asked for: the account {account.name} waits for a decision.",
                dedupe_key=f"extension_waiting:{extension_id}",
            )  # fmt: skip


def _tell_of_decision(db: Database, account: Account, extension: Extension, approved: bool, now: datetime) -> None:
    until = f"{extension.until_on.day} {extension.until_on:%B %Y}"
    text = f"The account {account.name} may live until {until}." if approved else (
        f"The account {account.name} does not get a longer life. Open it to read why."
    )  # fmt: skip
    for staff_id in sorted({account.owner_id, account.deputy_id, extension.asked_by}):
        notify(
            db, staff_id=staff_id, kind="extension_decided", text=text, now=now, account_id=account.id,
            dedupe_key=f"extension_decided:{extension.id}",
        )  # fmt: skip
