"""The product's own key to a compromised account: out of force at once, ended on the platform, then destroyed here.

Between the two it is kept sealed, because only with that key can the machine say there that it shall end: destroyed
first, it would go on opening the account, and nobody could name it. Where the platform cannot be asked the page of the
change says what a person does there, and the scheduler tries again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from socialgov.actions.adapters import adapter_of, capabilities_of, note_refusal
from socialgov.actions.machine_tokens import NAME
from socialgov.actions.unsealing import record, unseal
from socialgov.errors import EscrowError
from socialgov.models import Capability, CredentialKind
from socialgov.platforms import Login, LoginRefused, PlatformError
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import forget_tokens
from socialgov.store.connect import write
from socialgov.store.credentials import accounts_with_given_up_key, given_up_key, sealed_of, supersede
from socialgov.store.events import EventTag

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account

LOG = logging.getLogger(__name__)
JOB = "job:token"


def give_up_key(home: Home, db: Database, account: Account, *, actor: str, now: datetime) -> None:
    """Nothing uses the account's key any more. Inside `write()`; `end_given_up_key` after it ends it on the platform.

    Where the platform has no keys that the machine could end it is destroyed at once.
    """
    if Capability.MAKE_TOKEN in capabilities_of(home, account):
        supersede(db, account.id, CredentialKind.API_TOKEN, now)
    else:
        _destroy(db, account, actor, now)


def end_given_up_key(home: Home, account_id: int, *, now: datetime) -> bool:
    """End on the platform, with itself, a key that was given up, and destroy it here; False: it is still alive there.

    One that the platform refuses opens nothing any more, so it counts as ended. Never in a transaction.
    """
    with write(home.db) as db:
        account, kept = account_by_id(db, account_id), given_up_key(db, account_id)
        sealed = sealed_of(db, kept.id) if kept else None
        if kept is None or sealed is None:
            return True
        record(db, EventTag.CREDENTIAL_MACHINE_USE, account, JOB, now, kept.id, {"purpose": "end the key"})
    try:
        secret = unseal(home, account_id, kept.kind, kept.id, sealed)
        adapter_of(home, account, Login(kept.username, secret, is_token=True), now=now).end_token(NAME)
    except LoginRefused:
        LOG.info("the key of account %d opened nothing any more", account_id)
    except (PlatformError, EscrowError) as error:
        LOG.warning("the key of account %d is not ended yet: %s", account_id, error)
        if isinstance(error, PlatformError):
            note_refusal(home, account_id, error, now=now)
        return False
    with write(home.db) as db:
        record(db, EventTag.TOKEN_ENDED, account, JOB, now, kept.id)
        if given_up_key(db, account_id) is not None:  # else a new one has taken its place, and destroyed it
            _destroy(db, account, JOB, now)
    return True


def keys_to_end(home: Home) -> list[int]:
    """The accounts of which a key that was given up may still open something on its platform."""
    return accounts_with_given_up_key(home.db)


def _destroy(db: Database, account: Account, actor: str, now: datetime) -> None:
    for token_id in forget_tokens(db, account.id, now):
        record(db, EventTag.CREDENTIAL_DESTROYED, account, actor, now, token_id)
