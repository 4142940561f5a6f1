"""Questions about changes of passwords that are due, or were done (SEC204, SEC205)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socialgov.models import Account, Rotation
from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import all_of, moment_text, one_of, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlite_utils import Database


def open_rotation(db: Database, account_id: int) -> Rotation | None:
    """The one that is due and not done; None when nothing has to be changed."""
    return one_of(db, Rotation, "select * from rotation where account_id = ? and finished_at is null", (account_id,))


def rotations_of(db: Database, account_id: int) -> list[Rotation]:
    """Every rotation of the account, newest first."""
    return all_of(db, Rotation, "select * from rotation where account_id = ? order by id desc", (account_id,))


def open_rotations(db: Database) -> list[tuple[Rotation, Account]]:
    """Every rotation that is due and not done, of accounts that are not closed, the most pressing first."""
    rotations = all_of(
        db,
        Rotation,
        """select * from rotation where finished_at is null and account_id in (select id from account
             where state in ('requested', 'approved', 'live', 'suspended', 'closing')) order by due_at, id""",
    )
    having = "select * from account where id in (select account_id from rotation where finished_at is null)"
    accounts = {one.id: one for one in all_of(db, Account, having)}
    return [(rotation, accounts[rotation.account_id]) for rotation in rotations]


def insert_rotation(db: Database, values: Mapping[str, Any]) -> int:
    return insert(db, "rotation", values)


def change_rotation(db: Database, rotation: Rotation, changes: Mapping[str, Any]) -> None:
    """Raises Conflict when it was changed or finished since it was read."""
    guards = {"finished_at": None, "old_credential_id": rotation.old_credential_id, "reason": rotation.reason}
    guarded_update(db, "rotation", rotation.id, changes, where=guards)


def newest_password_id(db: Database, account_id: int) -> int | None:
    """The deposit that was made last, in force or not; None where there never was one."""
    found: int | None = scalar(
        db, "select max(id) from credential where account_id = ? and kind = 'password' and spare = 0", (account_id,)
    )
    return found


def has_given_way(db: Database, rotation: Rotation, credential_id: int) -> bool:
    """Is this deposit, in force now, another secret than every one that must give way, in exact and near forms?

    Every earlier deposit counts that was not destroyed, whether it was ever in force for long or not.
    """
    old = rotation.old_credential_id or 0
    if credential_id <= old:
        return False
    like_an_old_one = scalar(
        db,
        """select 1 from credential_fingerprint mine
             join credential_fingerprint theirs on theirs.fingerprint = mine.fingerprint
             join credential earlier on earlier.id = theirs.credential_id
           where mine.credential_id = ? and earlier.account_id = ? and earlier.kind = 'password' and earlier.id <= ?
           limit 1""",
        (credential_id, rotation.account_id, old),
    )
    return like_an_old_one is None


def accounts_to_rotate(db: Database, secret_before: datetime) -> list[int]:
    """Accounts in use whose password has been the same since before that moment, and is not being changed yet."""
    rows = db.execute(
        """select c.account_id from credential c join account a on a.id = c.account_id
           where c.kind = 'password' and c.superseded_at is null and c.destroyed_at is null and c.secret_at <= ?
             and a.state in ('approved', 'live', 'suspended')
             and not exists (select 1 from rotation r where r.account_id = a.id and r.finished_at is null)
           order by c.secret_at, c.account_id""",
        (moment_text(secret_before),),
    )
    return [row[0] for row in rows]
