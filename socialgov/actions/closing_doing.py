"""What the machine does for each step of a closing, and how it looks afterwards. PERFORM names one function a step.

Every function here runs outside a transaction and may run again after a crash: it looks before it acts, and what it
finds done already is success.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from socialgov.actions.adapters import is_connected, needs_connection
from socialgov.actions.certificates import issue_certificate
from socialgov.actions.closing_looks import NotYet, our_key_opens, posts_and_replies, presence_seen, see_it_done
from socialgov.actions.closing_password import change_password
from socialgov.actions.closing_steps import Work, finish_step, keepers_to_tell, note, step_event
from socialgov.actions.erasing import erase_people
from socialgov.models import Capability, Presence, StepDoer, StepName, StepState
from socialgov.store.closings import posts_being_published, update_step
from socialgov.store.connect import write
from socialgov.store.events import EventTag


def do_and_see(work: Work) -> None:
    """Do the step unless a person did, look with a fresh adapter, and finish it only when the look proves it."""
    name = work.step.name
    if work.step.detail.get("phase") != "look":
        DOING.get(name, _nothing)(work)
    see_it_done(work)


# --------------------------------------------------------------------------------------------------- doing


def _nothing(work: Work) -> None:
    """Steps that only look."""


def _take_content_down(work: Work) -> None:
    if posts_being_published(work.home.db, work.account.id):
        raise NotYet("A post is just being published; its fate is settled first.")
    adapter = work.adapter(Capability.DELETE_POST)
    for remote_id in posts_and_replies(adapter):
        adapter.delete_post(remote_id)


def _revoke_access(work: Work) -> None:
    """Our own key ends with all others, so it is noted before: refused after a crash, it was we who ended it.

    Where accounts are connected and this one is not any more, the platform has ended our access already.
    """
    if needs_connection(work.home, work.account) and not is_connected(work.home, work.account):
        return
    if work.step.detail.get("revoking") and not our_key_opens(work):
        return
    adapter = work.adapter(Capability.REVOKE_ACCESS)
    note(work, revoking=True)
    adapter.revoke_access()


def _deactivate(work: Work) -> None:
    if presence_seen(work) is Presence.LIVE:
        work.adapter(Capability.DEACTIVATE).deactivate()


DOING: Mapping[StepName, Callable[[Work], None]] = {
    StepName.TAKE_CONTENT_DOWN: _take_content_down,
    StepName.REVOKE_ACCESS: _revoke_access,
    StepName.DEACTIVATE: _deactivate,
}


def _wait(work: Work) -> None:
    """Its time has come: `not_before_at` was reached, or the step could not have been claimed."""
    with write(work.home.db) as db:
        finish_step(work, db, None)


# ---- deletion with a code that the platform mails


def _delete(work: Work) -> None:
    """DELETE at once where the platform can; else ask for the code, wait for a person to hand it over, and delete."""
    phase = work.step.detail.get("phase")
    if phase != "look" and presence_seen(work) is not Presence.GONE:
        if Capability.DELETE in work.can:
            work.adapter(Capability.DELETE).delete()
        elif phase == "delete":
            work.adapter(Capability.DELETE_BY_MAILED_CODE).delete(_handed_over(work))
        elif Capability.DELETE_BY_MAILED_CODE in work.can:
            work.adapter(Capability.DELETE_BY_MAILED_CODE).ask_deletion_code()
            _wait_for_code(work)
            return
    see_it_done(work)


def _handed_over(work: Work) -> str:
    sealed = base64.b64decode(work.step.detail["code"])
    account = str(work.account.id)
    return work.home.escrow.open(sealed, account=account, field="deletion_code", version=work.step.id).decode()


def _wait_for_code(work: Work) -> None:
    step, account = work.step, work.account
    changes = {"state": StepState.TASK, "doer": StepDoer.PERSON, "last_error": None, "detail": {"phase": "code"}}
    text = (
        f"{work.platform.name} has mailed a deletion code for {account.handle or account.handle_wished}."
        " Enter it on the closing page, and the account is deleted."
    )
    with write(work.home.db) as db:
        update_step(db, step.id, changes, state=StepState.WAITING, attempts=step.attempts)
        step_event(db, EventTag.CLOSING_STEP_WAITS, step, account, work.now, {"step": step.name, "for": "code"})
        keepers_to_tell(db, account, f"closing-code:{step.id}:{step.attempts}", text, now=work.now)


PERFORM: Mapping[StepName, Callable[[Work], None]] = {
    StepName.TAKE_CONTENT_DOWN: do_and_see,
    StepName.CHANGE_PASSWORD: change_password,
    StepName.REVOKE_ACCESS: do_and_see,
    StepName.DEACTIVATE: do_and_see,
    StepName.SEE_IT_GONE: do_and_see,
    StepName.WAIT_THE_DELAY: _wait,
    StepName.DELETE: _delete,
    StepName.SEE_IT_GONE_FOR_GOOD: do_and_see,
    StepName.ERASE_PEOPLE: erase_people,
    StepName.CERTIFICATE: issue_certificate,
}
