"""Closing with proof (P1.S8, LIF602, LIF603, LIF606): begin it, and a person's part of it.

A closing is a durable plan of steps, worked off strictly in order. One step has its turn at a time: it waits for the
machine (`waiting`) or for a person (`task`). What the machine does stands in closing_machine.py; how a crash at any
point is survived is told in docs/decisions/0007-closing.md.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from socialgov.actions.adapters import capabilities_of
from socialgov.actions.blobs import save_blob
from socialgov.actions.closing_machine import advance
from socialgov.actions.closing_steps import (
    FOR_VAULT,
    KEY_REFUSED,
    Work,
    finish_step,
    hand_to_machine,
    keepers_to_tell,
    open_next,
)
from socialgov.actions.credentials import current_credential
from socialgov.actions.observing import check_screenshot, record_observation
from socialgov.errors import InvalidInput
from socialgov.lifecycle import PROOFS, Proof, WrongState, check_transition, closing_plan
from socialgov.models import AccountState, ClosingStep, CredentialKind, Source, StepName, StepState
from socialgov.permissions import check_can_close, check_can_do_closing_task, check_can_open_vault
from socialgov.platforms import needs_password
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import (
    closing_by_id,
    closing_of,
    discard_unpublished_posts,
    first_open_step,
    insert_closing,
    insert_plan,
    step_by_id,
    steps_of,
    update_step,
)
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag, actor_of, record_event

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Account, Closing, Staff

__all__ = [
    "advance",
    "ask_new_code",
    "closing_of",
    "complete_task",
    "go_on_with_vault",
    "let_machine_try",
    "start_closing",
    "steps_of",
]

JOB = "job:closing"
LONGEST_REASON = 500
LONGEST_CODE = 200
LONGEST_NOTE = 1000


def start_closing(
    home: Home, actor: Staff | None, account_id: int, reason: str, *, now: datetime, account: Account | None = None
) -> Closing:
    """Turn the account to `closing`, lay down its plan and freeze it, in one transaction.

    `actor` None is the clock (LIF602, LIF604). From the commit on nothing more is published, whatever crashes next.
    A caller that has just read the `account` may pass it; its version guards the change either way. Raises
    NotPermitted, InvalidInput without a reason, WrongState when it cannot close from where it stands.
    """
    reason = _reason(reason)
    account = account or account_by_id(home.db, account_id)
    if actor is not None:
        check_can_close(actor, account)
    check_transition(account.state, AccountState.CLOSING)
    platform = home.settings.platforms[account.platform]
    plan = closing_plan(account, platform, capabilities_of(home, account), needs_password(platform))
    who = actor_of(actor.id) if actor else JOB
    with write(home.db) as db:
        guarded_update(
            db,
            "account",
            account.id,
            {"state": AccountState.CLOSING, "check_due_at": None, "version": account.version + 1},
            where={"state": account.state, "version": account.version},
        )
        started_by = actor.id if actor else None
        closing_id = insert_closing(db, account_id=account.id, reason=reason, started_by=started_by, now=now)
        insert_plan(db, closing_id, plan)
        record_event(
            db,
            EventTag.ACCOUNT_CLOSING,
            actor=who,
            now=now,
            subject="account",
            subject_id=account.id,
            account_id=account.id,
            data={"from": account.state, "steps": [step.name for step in plan]},
        )
        keepers_to_tell(db, account, f"closing:{closing_id}", _begun(account, platform.name), now=now)
        _freeze(home, db, account, closing_id, who, now)
        closing = closing_by_id(db, closing_id)
    return closing


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        message = f"Say why in 1 to {LONGEST_REASON} characters."
        raise InvalidInput(message, {"reason": message})
    return reason


def _begun(account: Account, platform_name: str) -> str:
    name = account.handle or account.handle_wished
    return f"The account {name} on {platform_name} is being closed. Nothing more can be posted on it."


def _freeze(home: Home, db: Database, account: Account, closing_id: int, who: str, now: datetime) -> None:
    """The plan's first step is done where it is laid down: no moment lies between closing and frozen."""
    discarded = discard_unpublished_posts(db, account.id)
    freeze = first_open_step(db, closing_id)
    assert freeze is not None  # every plan begins with it
    changes = {"state": StepState.DONE, "done_at": now, "detail": {"discarded": discarded}}
    update_step(db, freeze.id, changes, state=StepState.PENDING)
    record_event(
        db,
        EventTag.CLOSING_STEP_DONE,
        actor=who,
        now=now,
        subject="closing_step",
        subject_id=freeze.id,
        account_id=account.id,
        data={"step": freeze.name, "discarded": discarded},
    )
    open_next(home, db, account, closing_id, now=now)


# --------------------------------------------------------------------------------------------------- a person's part


def complete_task(
    home: Home,
    actor: Staff,
    step_id: int,
    *,
    now: datetime,
    screenshot: bytes | None = None,
    code: str | None = None,
    note: str = "",
    vault: OpenVault | None = None,
) -> ClosingStep:
    """A person says that their task is done; returns the step as it then stands.

    What the machine can see for itself it looks at before the step counts as done, and hands the task back with the
    reason when it sees otherwise. Elsewhere the person's word counts, with a screenshot where PROOFS asks for one.
    A deletion code is sealed, and the machine deletes with it, at once where the `vault` is open. Raises
    NotPermitted, WrongState when the task is not open, InvalidInput for what is missing.
    """
    step, account = _open_task(home, actor, step_id)
    proof = PROOFS[step.name]
    if step.detail.get("phase") == "code":
        _take_code(home, actor, step, account, code, now)
    elif step.name is StepName.CHANGE_PASSWORD and not _deposited_since(home, step, account):
        message = "Deposit the new password first: set it on the platform, then deposit it here."
        raise InvalidInput(message, {"password": message})
    elif proof.capability in capabilities_of(home, account):
        _let_machine_look(home, actor, step, account, now)
    else:
        _attest(home, actor, step, account, proof, screenshot, note, now)
        return step_by_id(home.db, step_id)
    return _advanced(home, actor, step, vault, now)


def ask_new_code(
    home: Home, actor: Staff, step_id: int, *, now: datetime, vault: OpenVault | None = None
) -> ClosingStep:
    """The mailed code never came or ran out: the machine asks the platform for another."""
    step, account = _open_task(home, actor, step_id)
    if step.detail.get("phase") != "code":
        raise WrongState("This step does not wait for a code.", "Open the closing again to see where it stands.")
    with write(home.db) as db:
        hand_to_machine(db, step, account, {"phase": "ask"}, actor=actor_of(actor.id), now=now)
    return _advanced(home, actor, step, vault, now)


def let_machine_try(home: Home, actor: Staff, step_id: int, *, now: datetime) -> ClosingStep:
    """The cause of a refusal is mended (a new deposit, say): the machine takes the step back and tries again."""
    step, account = _open_task(home, actor, step_id)
    if not step.detail.get("machine"):
        raise WrongState("This step was never the machine's.", "Follow the guide of the task.")
    dropped = ("done_by", "code", FOR_VAULT, KEY_REFUSED)  # a new deposit brought a new key: that is tried first
    with write(home.db) as db:
        kept = {key: value for key, value in step.detail.items() if key not in dropped}
        hand_to_machine(db, step, account, kept, actor=actor_of(actor.id), now=now)
    return _advanced(home, actor, step, None, now)


def go_on_with_vault(home: Home, actor: Staff, step_id: int, vault: OpenVault, *, now: datetime) -> ClosingStep:
    """The vault is open: the machine does, in this moment and in this person's name, what needs the password.

    What else is due goes on behind it. Raises NotPermitted, or WrongState when the step does not wait for the vault.
    """
    check_can_open_vault(actor)
    step, account = _open_task(home, actor, step_id)
    if not step.detail.get(FOR_VAULT):
        raise WrongState("This step does not wait for the vault.", "Open the closing again to see where it stands.")
    with write(home.db) as db:
        kept = {key: value for key, value in step.detail.items() if key != FOR_VAULT}
        hand_to_machine(db, step, account, kept, actor=actor_of(actor.id), now=now)
    return _advanced(home, actor, step, vault, now)


def _advanced(home: Home, actor: Staff, step: ClosingStep, vault: OpenVault | None, now: datetime) -> ClosingStep:
    advance(home, step.closing_id, now=now, vault=vault, actor=actor if vault else None)
    return step_by_id(home.db, step.id)


def _open_task(home: Home, actor: Staff, step_id: int) -> tuple[ClosingStep, Account]:
    step = step_by_id(home.db, step_id)
    account = account_by_id(home.db, closing_by_id(home.db, step.closing_id).account_id)
    check_can_do_closing_task(actor, account)
    if step.state is not StepState.TASK:
        raise WrongState("This step does not wait for a person.", "Open the closing again to see where it stands.")
    return step, account


def _take_code(home: Home, actor: Staff, step: ClosingStep, account: Account, code: str | None, now: datetime) -> None:
    """Seal the code and give the step back to the machine, so that a crash loses neither code nor deletion."""
    code = (code or "").strip()
    if not code or len(code) > LONGEST_CODE:
        message = "Enter the code from the platform's mail."
        raise InvalidInput(message, {"code": message}, "Without a mail, ask for a new code.")
    sealed = home.escrow.seal(code.encode(), account=str(account.id), field="deletion_code", version=step.id)
    detail = {"phase": "delete", "code": base64.b64encode(sealed).decode(), "done_by": actor.id}
    with write(home.db) as db:
        hand_to_machine(db, step, account, detail, actor=actor_of(actor.id), now=now)


def _deposited_since(home: Home, step: ClosingStep, account: Account) -> bool:
    found = current_credential(home.db, account.id, CredentialKind.PASSWORD)
    if found is None or found.secret_at is None:
        return False
    return found.secret_at > closing_by_id(home.db, step.closing_id).started_at


def _let_machine_look(home: Home, actor: Staff, step: ClosingStep, account: Account, now: datetime) -> None:
    detail = {**step.detail, "phase": "look", "done_by": actor.id}
    with write(home.db) as db:
        hand_to_machine(db, step, account, detail, actor=actor_of(actor.id), now=now)


def _attest(
    home: Home,
    actor: Staff,
    step: ClosingStep,
    account: Account,
    proof: Proof,
    screenshot: bytes | None,
    note: str,
    now: datetime,
) -> None:
    """No machine can look: the person's word, dated and with the screenshot's hash, is the evidence."""
    if proof.screenshot and not screenshot:
        message = "Add a screenshot: no machine can look at this platform, so it is the only evidence."
        raise InvalidInput(message, {"screenshot": message})
    if len(note) > LONGEST_NOTE:
        message = f"Keep the note to {LONGEST_NOTE} characters."
        raise InvalidInput(message, {"note": message})
    evidence_id = None
    if screenshot:
        mime = check_screenshot(screenshot)
        evidence_id = save_blob(
            home, screenshot, mime=mime, purpose="closing", account_id=account.id, made_by=actor.id, now=now
        )
    with write(home.db) as db:
        observation = record_observation(
            db,
            account_id=account.id,
            fact=proof.fact,
            value=proof.attested,
            now=now,
            source=Source.ATTESTED,
            observed_by=actor.id,
            evidence_id=evidence_id,
            note=note.strip() or None,
        )
        work = Work(home, account, home.settings.platforms[account.platform], step, now)
        finish_step(work, db, observation, done_by=actor.id)
