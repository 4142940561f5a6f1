"""The product's own key to an account: made with the password just deposited, kept under the school's key, revocable.

From then on the machine checks, posts and closes with it and opens no password (docs/decisions/0010-vault.md). The
platform is asked after the deposit's transaction; what it answers never undoes the deposit.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from socialgov.actions.adapters import adapter_of, capabilities_of
from socialgov.actions.closing_steps import FOR_VAULT, KEY_REFUSED, hand_to_machine
from socialgov.actions.findings import evaluate_account
from socialgov.actions.notices import notify
from socialgov.actions.observing import record_observation
from socialgov.actions.rotation_progress import manager_said_so
from socialgov.actions.unsealing import machine_login, need_credential, record
from socialgov.errors import NotFound
from socialgov.models import AccountState, Capability, CredentialKind, Fact, Source, StepName, StepState
from socialgov.platforms import Login, LoginRefused, PlatformError, capabilities
from socialgov.store import credentials as store
from socialgov.store.accounts import account_by_id, accounts_without_own_key
from socialgov.store.closings import closing_of, first_open_step, forget_tokens, steps_of
from socialgov.store.connect import write
from socialgov.store.events import EventTag
from socialgov.store.observations import newest_observation

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Account, Credential, Staff

LOG = logging.getLogger(__name__)
NAME = "socialgov"  # what the key is called on the platform, where its holder can revoke it
JOB = "job:token"
_ON_PLATFORM = frozenset({AccountState.APPROVED, AccountState.LIVE, AccountState.SUSPENDED, AccountState.CLOSING})


def make_after_deposit(home: Home, credential: Credential, secret: str, *, now: datetime) -> None:
    """Sign in once with the password just typed and have a key made. Call after the deposit's transaction.

    A refused login is known, and told, at once (LOGIN_WORKS False). Whatever else goes wrong is for a later try with
    the vault open (`make_machine_token`); only its kind is kept.
    """
    if credential.kind is not CredentialKind.PASSWORD:
        return
    try:
        _make(home, credential, Login(credential.username, secret), now)
    except PlatformError as error:
        LOG.info("no key for account %d yet: %s", credential.account_id, error)


def make_machine_token(home: Home, account_id: int, vault: OpenVault, *, now: datetime, actor: Staff) -> bool:
    """Have a key made with the deposited password, for a network manager who has the vault open; False: no such keys.

    Raises NotFound without a deposit, PlatformError with what the platform said (LoginRefused: it is on record too).
    """
    account = account_by_id(home.db, account_id)
    if not makes_keys(home, account):
        return False
    credential = need_credential(home.db, account, CredentialKind.PASSWORD)
    login = machine_login(
        home, account_id, purpose="make a key", now=now, needs_password=True, vault=vault, actor=actor
    )
    if login is None:
        raise NotFound("No password is deposited for this account.", "Ask its owner to deposit it.")
    return _make(home, credential, login, now)


def makes_keys(home: Home, account: Account) -> bool:
    """Can the product have a key of its own for this account, and may it still?"""
    there = account.state in _ON_PLATFORM and (account.handle is not None or account.remote_id is not None)
    return (
        there and Capability.MAKE_TOKEN in capabilities_of(home, account) and not access_was_revoked(home.db, account)
    )


def key_since(home: Home, account_id: int) -> datetime | None:
    """Since when the product has the key of its own that it uses; None where it has none, or it is refused."""
    held = store.current_credential(home.db, account_id, CredentialKind.API_TOKEN)
    if held is None:
        return None
    seen = newest_observation(home.db, account_id, Fact.OUR_ACCESS)
    refused = seen is not None and seen.value is False and seen.observed_at >= held.deposited_at
    return None if refused else held.deposited_at


def was_refused(home: Home, account_id: int) -> bool:
    """The platform was asked with the login that is deposited now, and refused it."""
    held = store.current_credential(home.db, account_id, CredentialKind.PASSWORD)
    seen = newest_observation(home.db, account_id, Fact.LOGIN_WORKS, source=Source.API)
    return held is not None and seen is not None and seen.value is False and seen.observed_at >= held.deposited_at


def accounts_without_key(home: Home) -> list[Account]:
    """Accounts in use whose platform makes keys, and of which the product has none that works."""
    makers = [key for key, info in home.settings.platforms.items() if Capability.MAKE_TOKEN in capabilities(info)]
    return accounts_without_own_key(home.db, makers)


# --------------------------------------------------------------------------------------------------- making


def _make(home: Home, credential: Credential, login: Login, now: datetime) -> bool:
    account = account_by_id(home.db, credential.account_id)
    if not makes_keys(home, account):
        return False
    adapter = adapter_of(home, account, login, now=now)
    try:
        token = adapter.make_token(NAME)
    except LoginRefused:
        _refused(home, credential, now)
        raise
    except PlatformError as error:
        with write(home.db) as db:
            data = {"permanent": error.permanent}
            record(db, EventTag.TOKEN_FAILED, account, JOB, now, credential.id, data)
        raise
    if not _keep(home, account, credential, token, now):
        with suppress(PlatformError):  # nobody has it on record, so nobody shall be able to use it
            adapter.end_token(NAME)
    return True


def _keep(home: Home, asked_for: Account, credential: Credential, token: str, now: datetime) -> bool:
    """The key on record in place of the one before; False where the account or its deposit is another one by now."""
    prints = home.escrow.fingerprints(token)  # slow, so before the transaction
    with write(home.db) as db:
        account = account_by_id(db, credential.account_id)
        held = store.current_credential(db, account.id, CredentialKind.PASSWORD)
        same = (account.handle, account.remote_id) == (asked_for.handle, asked_for.remote_id)
        if held is None or held.id != credential.id or not same or not makes_keys(home, account):
            return False
        for old in forget_tokens(db, account.id, now):
            record(db, EventTag.CREDENTIAL_DESTROYED, account, JOB, now, old)
        _insert(home, db, account, credential.username, token, prints, now)
        _let_closing_go_on(db, account, now)
        _saw(db, account.id, Fact.OUR_ACCESS, now)
        if not manager_said_so(db, credential):  # a machine's word does not replace theirs
            _saw(db, account.id, Fact.LOGIN_WORKS, now)
        evaluate_account(home, account.id, now=now, actor=JOB)
    return True


def _insert(
    home: Home, db: Database, account: Account, username: str, token: str, prints: tuple[str, ...], now: datetime
) -> None:
    kind = CredentialKind.API_TOKEN
    new_id = store.insert_credential(
        db, account_id=account.id, kind=kind, username=username, email=None,
        fingerprints=prints, strength=4, problems=(), deposited_by=None, secret_at=now,
        now=now,
    )  # fmt: skip
    sealed = home.escrow.seal(token.encode(), account=str(account.id), field=kind.value, version=new_id)
    store.keep_sealed(db, new_id, sealed)
    record(db, EventTag.CREDENTIAL_DEPOSITED, account, JOB, now, new_id, {"kind": kind.value})


def _let_closing_go_on(db: Database, account: Account, now: datetime) -> None:
    """A closing that stood still for want of a key tries the new one; what needs the password waits again."""
    closing = closing_of(db, account.id) if account.state is AccountState.CLOSING else None
    step = first_open_step(db, closing.id) if closing else None
    if step is not None and step.state is StepState.TASK and step.detail.get(FOR_VAULT):
        kept = {key: value for key, value in step.detail.items() if key not in (FOR_VAULT, KEY_REFUSED)}
        hand_to_machine(db, step, account, kept, actor=JOB, now=now)


def _refused(home: Home, credential: Credential, now: datetime) -> None:
    """The deposit stands, and everybody who can mend it hears at once that it opens nothing."""
    with write(home.db) as db:
        account = account_by_id(db, credential.account_id)
        name = home.settings.platforms[account.platform].name
        record_observation(
            db, account_id=account.id, fact=Fact.LOGIN_WORKS, value=False, now=now, source=Source.API
        )  # fmt: skip
        for staff_id in sorted({account.owner_id, account.deputy_id}):
            notify(
                db, staff_id=staff_id, kind="login_refused", now=now, account_id=account.id,
                dedupe_key=f"login_refused:{credential.id}",
                text=f"{name} refused the login deposited for the account {account.name}."
                " Deposit the user name and the password that work.",
            )  # fmt: skip
        evaluate_account(home, account.id, now=now, actor=JOB)


def _saw(db: Database, account_id: int, fact: Fact, now: datetime) -> None:
    record_observation(db, account_id=account_id, fact=fact, value=True, now=now, source=Source.API)


def access_was_revoked(db: Database, account: Account) -> bool:
    """The closing has ended our access: no new one is made, whatever is deposited after that."""
    closing = closing_of(db, account.id) if account.state is AccountState.CLOSING else None
    steps = steps_of(db, closing.id) if closing else []
    return any(step.name is StepName.REVOKE_ACCESS and step.state is StepState.DONE for step in steps)
