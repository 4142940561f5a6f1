"""Deposited logins: taken in, looked at by one role only, tried, used by the machine, and destroyed with the account.

A secret is opened in unsealing.py: for `reveal` here, and for the product itself by `machine_login`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.deposits import adopt_spare, deposit, deposit_spare
from socialgov.actions.findings import evaluate_account
from socialgov.actions.notices import notify
from socialgov.actions.observing import record_observation
from socialgov.actions.request_checks import checked_reason
from socialgov.actions.unsealing import machine_login, need_credential, need_sealed, record, unseal
from socialgov.errors import Conflict
from socialgov.models import CredentialKind, Fact, Source
from socialgov.store import credentials as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential
from socialgov.store.events import EventTag, actor_of
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Account, Staff

__all__ = [
    "adopt_spare",
    "current_credential",
    "deposit",
    "deposit_spare",
    "destroy_credentials",
    "machine_login",
    "record_login_test",
    "reveal",
]


def reveal(home: Home, actor: Staff, vault: OpenVault, account_id: int, reason: str, *, now: datetime) -> str:
    """Show the deposited password to the network manager, who says why first; the owner is told (SEC207).

    The event is committed before the secret is opened. Whatever keeps it from being written keeps the secret shut.
    """
    permissions.check_can_reveal(actor)
    reason = checked_reason(reason)
    if home.db.conn.in_transaction:  # then the event below would not be committed before the secret is opened
        raise RuntimeError("a reveal inside a transaction")
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        credential = need_credential(db, account, CredentialKind.PASSWORD)
        sealed = need_sealed(db, credential.id)
        reveal_id = store.insert_reveal(db, credential_id=credential.id, staff_id=actor.id, reason=reason, now=now)
        record(db, EventTag.CREDENTIAL_REVEALED, account, actor_of(actor.id), now, credential.id, {"reveal": reveal_id})
        _tell_of_reveal(db, account, actor, reveal_id, now)
    return unseal(home, account_id, credential.kind, credential.id, sealed, vault)


def record_login_test(home: Home, actor: Staff, account_id: int, works: bool, *, now: datetime) -> None:
    """The network manager says whether the deposited login let them in (SEC205).

    Once the new login works, the passwords before it are destroyed. When it does not, the keepers are told. Raises
    Conflict when another login was deposited after the one that they looked at: it would pass untried.
    """
    permissions.check_can_test_login(actor)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        credential = need_credential(db, account, CredentialKind.PASSWORD)
        if store.last_looked_at(db, account_id, actor.id) not in (None, credential.id):
            raise Conflict(
                "Another login was deposited after you looked at the password.", "Look at the new one and try that."
            )
        record_observation(
            db, account_id=account_id, fact=Fact.LOGIN_WORKS, value=works, now=now, source=Source.ATTESTED,
            observed_by=actor.id,
        )  # fmt: skip
        record(db, EventTag.CREDENTIAL_TESTED, account, actor_of(actor.id), now, credential.id, {"works": works})
        if works:
            _destroy(db, account, actor_of(actor.id), now, superseded_only=True)
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


def _destroy(db: Database, account: Account, actor: str, now: datetime, *, superseded_only: bool = False) -> int:
    ids = store.destroy(db, account.id, now, superseded_only=superseded_only)
    if ids:
        record(db, EventTag.CREDENTIAL_DESTROYED, account, actor, now, data={"credentials": ids})
    return len(ids)


# --------------------------------------------------------------------------------------------------- telling


def _tell_of_reveal(db: Database, account: Account, actor: Staff, reveal_id: int, now: datetime) -> None:
    """The owner; where the owner is the one who looked, or has left, the deputy."""
    owner = staff_by_id(db, account.owner_id)
    told = account.deputy_id if owner.id == actor.id or not owner.current else owner.id
    notify(
        db, staff_id=told, kind="password_seen", now=now, account_id=account.id,
        dedupe_key=f"password_seen:{reveal_id}",
        text=f"The network manager looked at the password of the account {account.name}. The log tells when and why.",
    )  # fmt: skip


def _tell_keepers(db: Database, account: Account, kind: str, now: datetime, *, key: str, text: str) -> None:
    for staff_id in sorted({account.owner_id, account.deputy_id}):
        notify(db, staff_id=staff_id, kind=kind, now=now, account_id=account.id, dedupe_key=key, text=text)
