"""CHANGE_PASSWORD at closing, where the platform lets a machine: a new password that nobody who left knows (PPL704)."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

from socialgov.actions.closing_looks import NotYet, see_it_done
from socialgov.actions.closing_steps import Work, finish_step, note
from socialgov.actions.credentials import adopt_spare, deposit_spare
from socialgov.actions.observing import record_observation
from socialgov.actions.unsealing import need_spare, spare_logins
from socialgov.models import Capability, Fact, Source
from socialgov.platforms import Login, LoginRefused, connect
from socialgov.store.connect import write

if TYPE_CHECKING:
    from socialgov.models import Credential
    from socialgov.platforms import Platform

SIGNS = "-_.!*"
LENGTH = 28  # letters, digits and signs of 67: 169 bits


def change_password(work: Work) -> None:
    """Deposited before it is set, so that whatever crashes, the password that holds is one of those on record.

    The machine cannot open what it sealed to the vault, so after a crash it makes another one. The new deposit stays
    beside the current one until the platform was seen to take it, and only then replaces it.
    """
    if work.step.detail.get("phase") == "look":
        see_it_done(work)
        return
    adapter = work.adapter(Capability.CHANGE_PASSWORD)
    if adapter.login is not None and not adapter.login.is_token and (held := _spare_that_holds(work)) is not None:
        _adopt(work, held)
        return
    adapter.check_login()  # whoever cannot be reached now leaves no password behind that was never set
    secret = new_password()
    work, spare = _with_spare(work, secret)
    adapter.change_password(secret)
    if not _opens(work, Login(spare.username, secret)):
        raise NotYet("The new password does not open the account yet.")
    _adopt(work, spare.id)


def _spare_that_holds(work: Work) -> int | None:
    """Which of the machine's own passwords the platform took before a crash, if any; with the vault open."""
    if work.vault is None or work.actor is None:
        return None
    spares = spare_logins(
        work.home, work.account.id, purpose=work.purpose, now=work.now, vault=work.vault, actor=work.actor
    )
    return next((spare_id for spare_id, login in spares if _opens(work, login)), None)


def _adopt(work: Work, spare_id: int) -> None:
    with write(work.home.db) as db:
        adopt_spare(db, spare_id, actor="job:closing", now=work.now)
        observation_id = record_observation(
            db, account_id=work.account.id, fact=Fact.LOGIN_WORKS, value=True, now=work.now, source=Source.API
        )
        finish_step(work, db, observation_id)


def _with_spare(work: Work, secret: str) -> tuple[Work, Credential]:
    """The new password on record, in one go with the step that noted it."""
    with write(work.home.db) as db:
        spare_id = deposit_spare(work.home, db, work.account.id, secret, now=work.now)
        return note(work, spare=spare_id), need_spare(db, spare_id)


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
