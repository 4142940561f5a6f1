"""Let the product try a deposited login on the platform, for a network manager who has the vault open (SEC205)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from socialgov import permissions, platforms
from socialgov.actions.adapters import adapter_of, capabilities_of
from socialgov.actions.credentials import record_login_test
from socialgov.actions.machine_tokens import key_since, make_machine_token
from socialgov.actions.unsealing import machine_login
from socialgov.errors import Conflict, NotFound
from socialgov.models import Capability, CredentialKind
from socialgov.store.accounts import account_by_id
from socialgov.store.credentials import current_credential

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Account, Staff


def can_try(home: Home, account: Account) -> bool:
    """Does the platform's adapter sign in by itself, and is there an account to sign in to?"""
    return Capability.CHECK_LOGIN in capabilities_of(home, account) and bool(account.handle or account.remote_id)


def try_login(home: Home, actor: Staff, vault: OpenVault, account_id: int, *, now: datetime) -> bool:
    """Sign in on the platform with the deposited password and record in the actor's name whether it works.

    The opening is logged as the actor's use; no transaction is held while the platform is asked. Raises NotFound
    without a deposit, PlatformError when the platform does not say: then nothing is recorded.
    """
    permissions.check_can_test_login(actor)
    account = account_by_id(home.db, account_id)
    if not can_try(home, account):
        raise Conflict("This platform lets no program try the login.", "Sign in yourself and say whether it works.")
    credential = current_credential(home.db, account_id, CredentialKind.PASSWORD)
    login = machine_login(
        home, account_id, purpose="login test", now=now, needs_password=True, vault=vault, actor=actor
    )
    if credential is None or login is None:
        raise NotFound("No password is deposited for this account.", "Ask its owner to deposit it.")
    adapter = adapter_of(home, account, login, now=now)
    try:
        works = adapter.check_login()
    except platforms.LoginRefused:
        works = False
    record_login_test(home, actor, account_id, works, now=now, tried=credential.id)
    if works and key_since(home, account_id) is None:  # this is the moment to have one made
        with suppress(platforms.PlatformError):  # its failure is in the log, and Today goes on asking
            make_machine_token(home, account_id, vault, now=now, actor=actor)
    return works
