"""Questions about the head's permissions for accounts that everybody can see (ACC103)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.errors import NotFound
from socialgov.models import PublicAllowance
from socialgov.store.connect import insert
from socialgov.store.rows import all_of, one_of, to_column

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from sqlite_utils import Database

# a permission is for one account: used unless that account's request was dropped
_UNUSED = """not exists (
    select 1 from account where account.id = public_allowance.used_by_account
      and account.state not in ('declined', 'withdrawn'))"""


def open_allowance(db: Database, platform: str, staff_ids: Collection[int], today: date) -> PublicAllowance | None:
    """The oldest permission that one of these people may still use on this platform."""
    return one_of(
        db,
        PublicAllowance,
        f"""select * from public_allowance where platform = ? and ended_at is null
            and (until_on is null or until_on >= ?) and staff_id in (select value from json_each(?)) and {_UNUSED}
            order by id""",  # noqa: S608
        (platform, today, to_column(sorted(staff_ids))),
    )


def unused_allowances(db: Database) -> frozenset[int]:
    """Ids of the permissions under which no account stands, whether they are still in force or not."""
    return frozenset(row[0] for row in db.execute(f"select id from public_allowance where {_UNUSED}"))  # noqa: S608


def allowances(db: Database) -> list[PublicAllowance]:
    """Every permission that was ever given, newest first."""
    return all_of(db, PublicAllowance, "select * from public_allowance order by id desc")


def allowance_by_id(db: Database, allowance_id: int) -> PublicAllowance:
    """The permission. Raises NotFound."""
    found = one_of(db, PublicAllowance, "select * from public_allowance where id = ?", (allowance_id,))
    if found is None:
        raise NotFound("There is no such permission for a public account.")
    return found


def allowance_of_account(db: Database, account_id: int) -> PublicAllowance | None:
    """The permission under which this account was asked for last."""
    return one_of(
        db, PublicAllowance, "select * from public_allowance where used_by_account = ? order by id desc", (account_id,)
    )


def insert_allowance(
    db: Database,
    *,
    platform: str,
    staff_id: int,
    purpose: str,
    reason: str,
    decided_by: int,
    until_on: date | None,
    now: datetime,
) -> int:
    values = {"platform": platform, "staff_id": staff_id, "purpose": purpose, "reason": reason}
    return insert(db, "public_allowance", {**values, "decided_by": decided_by, "decided_at": now, "until_on": until_on})
