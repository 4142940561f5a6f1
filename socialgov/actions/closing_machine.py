"""The machine's part of a closing: claim a step, do it, see for itself that it is done, and say so.

Each step is claimed for a few minutes, works outside any transaction, and is finished in one: observation, step,
event and the next step's turn stand or fall together, guarded by the claim. So a crash before the finish leaves a step
that is done again, and every doing is harmless when done twice: what is gone already is success (platforms/base.py).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from socialgov.actions.adapters import needs_connection, note_refusal
from socialgov.actions.closing_doing import PERFORM
from socialgov.actions.closing_steps import (
    FOR_VAULT,
    KEY_REFUSED,
    OPEN_AND,
    Work,
    keepers_to_tell,
    managers_to_tell,
    note,
    step_event,
)
from socialgov.errors import Conflict, SocialgovError, VaultShut
from socialgov.lifecycle import back_off
from socialgov.models import ClosingStep, CredentialKind, StepDoer, StepName, StepState
from socialgov.platforms import LoginRefused, PlatformError
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import claim_step, closing_by_id, first_open_step, step_by_id, update_step
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential
from socialgov.store.events import EventTag

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Staff

LOG = logging.getLogger(__name__)
TELL_AFTER = 3  # failures in a row before people are told


def advance(
    home: Home, closing_id: int, *, now: datetime, vault: OpenVault | None = None, actor: Staff | None = None
) -> list[ClosingStep]:
    """Work off what is due for the machine, up to a person's task, a wait or an error. Returns the steps done.

    1. take the first step that is not done; 2. claim it; 3. do it; 4. look afresh; 5. finish it, with observation,
    event and the next step's turn in one transaction. Safe to call at any time and from several processes. What needs
    the password is done only with the `vault` that `actor` has open; without it the step becomes their task.
    """
    done: list[ClosingStep] = []
    account = account_by_id(home.db, closing_by_id(home.db, closing_id).account_id)
    for _ in range(3 * len(StepName)):
        step = first_open_step(home.db, closing_id)
        if step is None or step.state is not StepState.WAITING:
            break
        with write(home.db) as db:
            attempt = claim_step(db, step, now)
        if attempt is None:
            break
        claimed, platform = replace(step, attempts=attempt), home.settings.platforms[account.platform]
        work = Work(home, account, platform, claimed, now, vault, actor)
        _attempt(work)
        after = step_by_id(home.db, step.id)
        if after.state is StepState.DONE:
            done.append(after)
    return done


def _attempt(work: Work) -> None:
    """One try at one step. Whatever goes wrong ends as a later try or as a person's task, with the reason shown."""
    try:
        PERFORM[work.step.name](work)
    except Conflict:
        LOG.info("closing step %d is in other hands", work.step.id)
    except VaultShut:
        _to_manager(work)
    except PlatformError as error:
        note_refusal(work.home, work.account.id, error, now=work.now)
        if isinstance(error, LoginRefused) and error.of_token and _password_held(work):
            _without_key(work, str(error))
        elif error.permanent:
            _to_person(work, str(error))
        else:
            _later(work, str(error), error.retry_at)
    except SocialgovError as error:
        _later(work, str(error))
    except Exception as error:
        # the text of an unexpected error may quote what the step had in hand, so only its kind is kept
        LOG.error("closing step %d failed: %s", work.step.id, type(error).__name__)
        _later(work, f"Something unexpected happened ({type(error).__name__}).")


def _later(work: Work, reason: str, retry_at: datetime | None = None) -> None:
    """Back off, show the reason, and tell people when it keeps failing."""
    step, now = work.step, work.now
    not_before_at = max(retry_at or now, now + back_off(step.attempts))
    _give_up_claim(
        work,
        {"state": StepState.WAITING, "not_before_at": not_before_at, "last_error": reason},
        {"step": step.name, "attempt": step.attempts, "permanent": False},
        f"The closing of {_name(work)} is held up. {reason}" if step.attempts == TELL_AFTER else None,
    )


def _password_held(work: Work) -> bool:
    """Is there a password that could do what our own key was refused for?"""
    held = current_credential(work.home.db, work.account.id, CredentialKind.PASSWORD) is not None
    return held and not needs_connection(work.home, work.account)


def _without_key(work: Work, refused: str) -> None:
    """Our own key is not taken any more: go on with the password, at once where the vault is open."""
    try:
        work = note(work, **{KEY_REFUSED: True})
    except Conflict:
        LOG.info("closing step %d is in other hands", work.step.id)
        return
    if work.vault is None:
        _to_manager(work, refused)
    else:
        _attempt(work)


def _to_manager(work: Work, refused: str = "") -> None:
    """Only the account's password will do: the step waits until a network manager opens the vault."""
    step, name = work.step, _name(work)
    detail = {**step_by_id(work.home.db, step.id).detail, "machine": True, FOR_VAULT: True}
    changes = {"state": StepState.TASK, "doer": StepDoer.PERSON, "not_before_at": work.now, "detail": detail}
    text = f"The closing of {name} needs you. {refused} Open the vault, then socialgov {OPEN_AND[step.name]}."
    try:
        with write(work.home.db) as db:
            update_step(
                db, step.id, {**changes, "last_error": refused or None}, state=StepState.WAITING, attempts=step.attempts
            )
            data = {"step": step.name, "for": "vault"}
            step_event(db, EventTag.CLOSING_STEP_WAITS, step, work.account, work.now, data)
            key = f"closing-vault:{step.id}:{detail.get('phase', '')}"
            managers_to_tell(db, work.account, key, " ".join(text.split()), now=work.now)
    except Conflict:
        LOG.info("closing step %d is in other hands", step.id)


def _to_person(work: Work, reason: str) -> None:
    """The machine cannot do it, ever: the step becomes a person's task that says why."""
    step = work.step
    detail: dict[str, Any] = {"machine": True}
    noted = step_by_id(work.home.db, step.id).detail  # the step may have noted something on its way
    # a password that the platform may have taken after all, and whose key was refused: whoever goes on finds it again
    detail |= {key: noted[key] for key in ("spare", "revoking", KEY_REFUSED) if key in noted}
    if step.name is StepName.DELETE and step.detail.get("phase") == "delete":
        detail["phase"] = "code"  # the code was refused: another can be asked for
    _give_up_claim(
        work,
        {"state": StepState.TASK, "doer": StepDoer.PERSON, "last_error": reason, "detail": detail},
        {"step": step.name, "attempt": step.attempts, "permanent": True},
        f"The closing of {_name(work)} needs you. {reason}",
    )


def _give_up_claim(work: Work, changes: Mapping[str, Any], data: Mapping[str, Any], text: str | None) -> None:
    step = work.step
    try:
        with write(work.home.db) as db:
            update_step(db, step.id, changes, state=StepState.WAITING, attempts=step.attempts)
            step_event(db, EventTag.CLOSING_STEP_FAILED, step, work.account, work.now, data)
            if text:
                key = f"closing-step:{step.id}:{step.attempts}"
                keepers_to_tell(db, work.account, key, text, now=work.now)
    except Conflict:
        LOG.info("closing step %d is in other hands", step.id)


def _name(work: Work) -> str:
    return f"{work.account.handle or work.account.handle_wished} on {work.platform.name}"
