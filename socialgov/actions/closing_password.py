"""CHANGE_PASSWORD at closing, where the platform lets a machine: a new password that nobody who left knows (PPL704)."""

from __future__ import annotations

import secrets
import string
from dataclasses import replace
from typing import TYPE_CHECKING

from socialgov.actions.closing_looks import NotYet, see_it_done
from socialgov.actions.closing_steps import Work, finish_step
from socialgov.actions.credentials import adopt_spare, deposit_spare, open_spare
from socialgov.actions.observing import record_observation
from socialgov.models import CredentialKind, Fact, Source, StepState
from socialgov.platforms import LoginRefused, connect
from socialgov.store.closings import update_step
from socialgov.store.connect import write

if TYPE_CHECKING:
    from socialgov.platforms import Login, Platform

SIGNS = "-_.!*"
LENGTH = 28  # letters, digits and signs of 67: 169 bits


def change_password(work: Work) -> None:
    """Deposited before it is set, so that whatever crashes, the password that holds is one of those on record.

    The new deposit stays beside the current one until the platform was seen to take it, and only then replaces it.
    """
    if work.step.detail.get("phase") == "look":
        see_it_done(work)
        return
    work, spare_id = _with_spare(work)
    login = open_spare(work.home, spare_id, purpose="closing: change_password", now=work.now)
    if not _opens(work, login):
        work.adapter(CredentialKind.PASSWORD).change_password(login.secret)
    if not _opens(work, login):
        raise NotYet("The new password does not open the account yet.")
    with write(work.home.db) as db:
        adopt_spare(db, spare_id, actor="job:closing", now=work.now)
        observation_id = record_observation(
            db, account_id=work.account.id, fact=Fact.LOGIN_WORKS, value=True, now=work.now, source=Source.API
        )
        finish_step(work, db, observation_id)


def _with_spare(work: Work) -> tuple[Work, int]:
    """The spare deposit of this step: made once, and found again after a crash."""
    spare_id = work.step.detail.get("spare")
    if spare_id is not None:
        return work, int(spare_id)
    with write(work.home.db) as db:
        spare_id = deposit_spare(work.home, db, work.account.id, new_password(), now=work.now)
        detail = {**work.step.detail, "spare": spare_id}
        update_step(
            db, work.step.id, {"detail": detail}, state=StepState.WAITING, attempts=work.step.attempts, keep_claim=True
        )
    return replace(work, step=replace(work.step, detail=detail)), spare_id


def _opens(work: Work, login: Login) -> bool:
    adapter: Platform = connect(work.platform, work.account, login)
    try:
        return adapter.check_login()
    except LoginRefused:
        return False


def new_password() -> str:
    """At random, with letters, digits and signs in it (SEC202)."""
    alphabet = string.ascii_letters + string.digits + SIGNS
    while True:
        made = "".join(secrets.choice(alphabet) for _ in range(LENGTH))
        if any(c.isdigit() for c in made) and any(c in SIGNS for c in made) and any(c.isalpha() for c in made):
            return made
