"""Where a deposited secret is opened, and nowhere else: for the network manager's look, or for the machine's own use.

The caller's event is committed before anything is opened here (SEC207). Imports no other action, so that whatever
needs the machine's login can ask for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socialgov.errors import Conflict, NotFound, VaultShut
from socialgov.models import Credential, CredentialKind
from socialgov.platforms.base import Login
from socialgov.store import credentials as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential
from socialgov.store.events import EventTag, actor_of, record_event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Account, Staff


def machine_login(
    home: Home,
    account_id: int,
    *,
    purpose: str,
    now: datetime,
    needs_password: bool = False,
    vault: OpenVault | None = None,
    actor: Staff | None = None,
) -> Login | None:
    """The login for an adapter, its use logged first; None where there is none that may be opened.

    The machine opens its own API token and nothing else. The account's password is opened for a person only: with the
    `vault` that `actor` has opened, where the token is not enough (`needs_password`) or there is none. Raises VaultShut
    where the password is needed and no vault is open; then nothing was opened and nothing is logged.
    """
    if needs_password and vault is None:
        raise VaultShut
    kind = CredentialKind.PASSWORD if needs_password else CredentialKind.API_TOKEN
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        credential = current_credential(db, account_id, kind)
        if credential is None and vault is not None:
            credential = current_credential(db, account_id, CredentialKind.PASSWORD)
        sealed = store.sealed_of(db, credential.id) if credential else None
        if credential is None or sealed is None:
            return None
        who = actor_of(actor.id) if credential.kind.in_vault and actor else "job:login"
        record(db, EventTag.CREDENTIAL_MACHINE_USE, account, who, now, credential.id, {"purpose": purpose})
    secret = unseal(home, account_id, credential.kind, credential.id, sealed, vault)
    return Login(credential.username, secret, is_token=not credential.kind.in_vault)


def spare_logins(
    home: Home, account_id: int, *, purpose: str, now: datetime, vault: OpenVault, actor: Staff
) -> list[tuple[int, Login]]:
    """The machine's own passwords that the platform may have taken, newest first, for a person with the vault open."""
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        spares = [(spare, need_sealed(db, spare.id)) for spare in store.spares_of(db, account_id)]
        for spare, _ in spares:
            who = actor_of(actor.id)
            record(db, EventTag.CREDENTIAL_MACHINE_USE, account, who, now, spare.id, {"purpose": purpose})
    return [
        (spare.id, Login(spare.username, unseal(home, account_id, spare.kind, spare.id, sealed, vault)))
        for spare, sealed in spares
    ]


def unseal(
    home: Home,
    account_id: int,
    kind: CredentialKind,
    credential_id: int,
    sealed: bytes,
    vault: OpenVault | None = None,
) -> str:
    """The secret of one deposit. Raises EscrowError when it was changed, moved, or sealed under another key.

    Raises VaultShut for what only a network manager opens, where none of them has opened the vault.
    """
    place = {"account": str(account_id), "field": kind.value}
    if not kind.in_vault:
        return home.escrow.open(sealed, **place, version=credential_id).decode()
    if vault is None:
        raise VaultShut
    return home.escrow.open_with(vault, sealed, **place, version=credential_id).decode()


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
