"""Where a deposited secret is opened, and nowhere else: for the network manager's look, or for the machine's own use.

The caller's event is committed before anything is opened here (SEC207). Imports no other action, so that whatever
needs the machine's login can ask for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socialgov.errors import Conflict, NotFound
from socialgov.models import Credential, CredentialKind
from socialgov.platforms.base import Login
from socialgov.store import credentials as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential
from socialgov.store.events import EventTag, record_event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account


def machine_login(
    home: Home,
    account_id: int,
    *,
    purpose: str,
    now: datetime,
    kind: CredentialKind | None = None,
) -> Login | None:
    """The login for an adapter, its use logged first; None where nothing is deposited.

    An API token is preferred to the password, unless `kind` insists.
    """
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        credential = _current_of(db, account_id, kind)
        sealed = store.sealed_of(db, credential.id) if credential else None
        if credential is None or sealed is None:
            return None
        record(db, EventTag.CREDENTIAL_MACHINE_USE, account, "job:login", now, credential.id, {"purpose": purpose})
    return Login(credential.username, unseal(home, account_id, credential.kind, credential.id, sealed))


def open_spare(home: Home, spare_id: int, *, purpose: str, now: datetime) -> Login:
    """The login with the spare password, for the machine, its use logged first. Raises NotFound once it is no spare."""
    with write(home.db) as db:
        spare = need_spare(db, spare_id)
        account, sealed = account_by_id(db, spare.account_id), need_sealed(db, spare_id)
        record(db, EventTag.CREDENTIAL_MACHINE_USE, account, "job:login", now, spare_id, {"purpose": purpose})
    return Login(spare.username, unseal(home, account.id, spare.kind, spare_id, sealed))


def unseal(home: Home, account_id: int, kind: CredentialKind, credential_id: int, sealed: bytes) -> str:
    """The secret of one deposit. Raises EscrowError when it was changed, moved, or sealed under another key."""
    return home.escrow.open(sealed, account=str(account_id), field=kind.value, version=credential_id).decode()


def need_credential(db: Database, account: Account, kind: CredentialKind) -> Credential:
    found = current_credential(db, account.id, kind)
    if found is None:
        raise NotFound("No password is deposited for this account.", "Ask its owner to deposit it.")
    return found


def need_spare(db: Database, spare_id: int) -> Credential:
    spare = store.spare_by_id(db, spare_id)
    if spare is None:
        raise NotFound("This password does not wait beside another one any more.", "Look at the one in force.")
    return spare


def need_sealed(db: Database, credential_id: int) -> bytes:
    sealed = store.sealed_of(db, credential_id)
    if sealed is None:
        raise Conflict("This password was destroyed.", "Nothing is left to show.")
    return sealed


def _current_of(db: Database, account_id: int, kind: CredentialKind | None) -> Credential | None:
    kinds = (kind,) if kind else (CredentialKind.API_TOKEN, CredentialKind.PASSWORD)
    return next((found for kind in kinds if (found := current_credential(db, account_id, kind))), None)


def record(
    db: Database,
    tag: EventTag,
    account: Account,
    actor: str,
    now: datetime,
    credential_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    record_event(
        db, tag, actor=actor, now=now, subject="credential", subject_id=credential_id, account_id=account.id, data=data
    )
