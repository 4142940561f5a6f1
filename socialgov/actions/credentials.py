"""Deposited logins: taken in, looked at by one role only, tried, used by the machine, and destroyed with the account.

A secret is opened in unsealing.py: for `reveal` here, and for the product itself by `machine_login`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.deposits import adopt_spare, deposit, deposit_spare
from socialgov.actions.findings import evaluate_account
from socialgov.actions.looking import reveal
from socialgov.actions.notices import notify
from socialgov.actions.observing import record_observation
from socialgov.actions.rotations import note_login_test
from socialgov.actions.unsealing import machine_login, need_credential, record
from socialgov.errors import Conflict
from socialgov.models import CredentialKind, Fact, Source
from socialgov.store import credentials as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential
from socialgov.store.events import EventTag, actor_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Staff

__all__ = [
    "adopt_spare",
    "current_credential",
    "deposit",
    "deposit_spare",
    "destroy_credentials",
    "destroy_superseded",
    "machine_login",
    "record_login_test",
    "reveal",
]


def record_login_test(
    home: Home, actor: Staff, account_id: int, works: bool, *, now: datetime, tried: int | None = None
) -> None:
    """The network manager says whether the deposited login let them in (SEC205).

    Once a new login works, the passwords before it are destroyed, and a change that was due is done (SEC204). When it
    does not, the keepers are told. `tried` names the deposit that was tried; without it, the one they looked at last.
    Raises Conflict when another login was deposited since: it would pass untried.
    """
    permissions.check_can_test_login(actor)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        credential = need_credential(db, account, CredentialKind.PASSWORD)
        if (tried or store.last_looked_at(db, account_id, actor.id)) not in (None, credential.id):
            raise Conflict(
                "Another login was deposited than the one that was tried.", "Look at the new one and try that."
            )
        record_observation(
            db, account_id=account_id, fact=Fact.LOGIN_WORKS, value=works, now=now, source=Source.ATTESTED,
            observed_by=actor.id,
        )  # fmt: skip
        record(db, EventTag.CREDENTIAL_TESTED, account, actor_of(actor.id), now, credential.id, {"works": works})
        if works:
            if note_login_test(home, db, account, credential, actor=actor_of(actor.id), now=now):
                destroy_superseded(db, account, actor=actor_of(actor.id), now=now)
        else:
            _tell_keepers(
                db, account, "login_refused", now, key=f"login_refused:{credential.id}",
                text=f"The login deposited for the account {account.name} did not work. Deposit the one that does.",
            )  # fmt: skip
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))


def destroy_credentials(home: Home, account_id: int, *, now: datetime, actor: str) -> int:
    """Overwrite every secret of the account and its fingerprints, when it is closed. Returns how many there were."""
    with write(home.db) as db:
        return _destroy(db, account_by_id(db, account_id), actor, now)


def destroy_superseded(db: Database, account: Account, *, actor: str, now: datetime) -> None:
    """Overwrite what is not in force any more, once what took its place is known to work. Call inside `write()`."""
    _destroy(db, account, actor, now, superseded_only=True)


def _destroy(db: Database, account: Account, actor: str, now: datetime, *, superseded_only: bool = False) -> int:
    ids = store.destroy(db, account.id, now, superseded_only=superseded_only)
    if ids:
        record(db, EventTag.CREDENTIAL_DESTROYED, account, actor, now, data={"credentials": ids})
    return len(ids)


# --------------------------------------------------------------------------------------------------- telling


def _tell_keepers(db: Database, account: Account, kind: str, now: datetime, *, key: str, text: str) -> None:
    for staff_id in sorted({account.owner_id, account.deputy_id}):
        notify(db, staff_id=staff_id, kind=kind, now=now, account_id=account.id, dedupe_key=key, text=text)
