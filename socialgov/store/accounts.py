"""Questions about accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.errors import NotFound
from socialgov.models import Account
from socialgov.store.rows import one_of

if TYPE_CHECKING:
    from sqlite_utils import Database


def account_by_id(db: Database, account_id: int) -> Account:
    """The account. Raises NotFound."""
    account = one_of(db, Account, "select * from account where id = ?", (account_id,))
    if account is None:
        raise NotFound("There is no such account.", "Look in the register.")
    return account
