"""Who could get into an account past its password: what recovery leads to (SEC206), and the delegates of a platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.models import ContactKind, Delegate, RecoveryContact
from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import all_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database


def contacts_of(db: Database, account_id: int) -> list[RecoveryContact]:
    """Where recovery leads now, in the order of recording."""
    return all_of(
        db,
        RecoveryContact,
        "select * from recovery_contact where account_id = ? and ended_at is null order by kind, id",
        (account_id,),
    )


def delegates_of(db: Database, account_id: int) -> list[Delegate]:
    """Whom the platform lets in now, in the order of recording."""
    return all_of(
        db, Delegate, "select * from delegate where account_id = ? and ended_at is null order by id", (account_id,)
    )


def accounts_letting_in(db: Database, staff_id: int) -> set[int]:
    """Accounts whose recovery leads to this person, or whose platform has them as a delegate."""
    found = db.execute(
        "select account_id from recovery_contact where staff_id = :who and ended_at is null"
        " union select account_id from delegate where staff_id = :who and ended_at is null",
        {"who": staff_id},
    )
    return {row[0] for row in found}


def insert_contact(
    db: Database,
    *,
    account_id: int,
    kind: ContactKind,
    value: str,
    of_school: bool,
    staff_id: int | None,
    recorded_by: int,
    now: datetime,
) -> int:
    values = {"account_id": account_id, "kind": kind, "value": value, "of_school": of_school, "staff_id": staff_id}
    return insert(db, "recovery_contact", {**values, "recorded_by": recorded_by, "recorded_at": now})


def insert_delegate(
    db: Database, *, account_id: int, name: str, rights: str, staff_id: int | None, recorded_by: int, now: datetime
) -> int:
    values = {"account_id": account_id, "name": name, "rights": rights, "staff_id": staff_id}
    return insert(db, "delegate", {**values, "recorded_by": recorded_by, "recorded_at": now})


def end_contact(db: Database, account_id: int, contact_id: int, now: datetime) -> None:
    """It leads there no more; the value goes with it. Conflict when somebody ended it before, or it is another's."""
    where = {"account_id": account_id, "ended_at": None}
    guarded_update(db, "recovery_contact", contact_id, {"ended_at": now, "value": ""}, where=where)


def end_delegate(db: Database, account_id: int, delegate_id: int, now: datetime) -> None:
    """They are let in no more; the name goes with it. Conflict as for `end_contact`."""
    where = {"account_id": account_id, "ended_at": None}
    guarded_update(db, "delegate", delegate_id, {"ended_at": now, "name": "", "rights": ""}, where=where)
