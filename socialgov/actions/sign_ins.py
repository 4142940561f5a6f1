"""Somebody signs in to an account from time to time, where its platform wants that (`login_every_days`).

A person must: what this product reads through an interface is no sign-in. Whoever keeps the account says when it was
done; the network manager's login test counts too (SEC205).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.notices import answered
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.sign_ins import signed_in

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, Staff

SIGN_IN_NOTICE = "sign_in_due"
_THERE = frozenset({AccountState.APPROVED, AccountState.LIVE, AccountState.SUSPENDED})


def sign_ins_due(home: Home, until: datetime) -> list[tuple[Account, datetime]]:
    """The accounts into which somebody must sign in by `until`, with the moment by which: the soonest first."""
    wanting = {key: info.login_every_days for key, info in home.settings.platforms.items() if info.login_every_days}
    found = [(one, at + timedelta(days=wanting[one.platform])) for one, at in signed_in(home.db, wanting.keys())]
    return sorted(((one, due) for one, due in found if due <= until), key=lambda pair: pair[1])


def sign_in_due(home: Home, account: Account) -> datetime | None:
    """By when somebody must sign in to this account; None where its platform does not want that."""
    days = home.settings.platforms[account.platform].login_every_days
    if days is None:
        return None
    found = {one.id: at for one, at in signed_in(home.db, [account.platform])}
    return found[account.id] + timedelta(days=days) if account.id in found else None


def record_sign_in(home: Home, actor: Staff, account_id: int, *, now: datetime) -> None:
    """A person signed in on the platform just now. Raises NotPermitted or WrongState."""
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_set_up(actor, account)
        if account.state not in _THERE or account.set_up_at is None:
            raise WrongState("Nobody needs to sign in to this account now.", "Open the account again.")
        record_event(
            db, EventTag.ACCOUNT_SIGNED_IN, actor=actor_of(actor.id), now=now, subject="account", subject_id=account_id,
            account_id=account_id,
        )  # fmt: skip
        answered(db, account_id, SIGN_IN_NOTICE, now)
