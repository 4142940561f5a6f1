"""A password made up for an account, good by the school's rules and by any measure. Nothing of it is kept here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.deposits import assessed
from socialgov.errors import Conflict
from socialgov.generator import Make, random_password
from socialgov.store.accounts import account_by_id

if TYPE_CHECKING:
    from socialgov.home import Home
    from socialgov.models import Staff

__all__ = ["Make", "propose_password"]

TRIES = 20  # one is enough unless chance picks the school's own words


def propose_password(
    home: Home, actor: Staff, account_id: int, make: Make, *, username: str = "", email: str = ""
) -> str:
    """A password that `deposit` takes: long enough, with every kind of sign, and nothing anybody could guess in it.

    Raises NotPermitted for those who could not deposit it.
    """
    account = account_by_id(home.db, account_id)
    permissions.check_can_deposit(actor, account)
    for _ in range(TRIES):
        proposed = random_password(make, home.settings.policy.password_min_length)
        if not assessed(home, account, proposed, username=username, email=email).problems:
            return proposed
    raise Conflict(
        "No password could be made that the school's rules take.", "Ask the network manager to look at them."
    )
