"""Questions about the head's exceptions and about longer lives asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.errors import NotFound
from socialgov.models import Extension, Waiver
from socialgov.store.connect import insert
from socialgov.store.rows import all_of, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlite_utils import Database


def active_waivers(db: Database, account_id: int, today: date) -> list[Waiver]:
    """The exceptions in force for the account on `today`, oldest first."""
    return all_of(
        db,
        Waiver,
        """select * from waiver where account_id = ? and ended_at is null and (until_on is null or until_on >= ?)
           order by id""",
        (account_id, today),
    )


def waivers_of(db: Database, account_id: int) -> list[Waiver]:
    """Every exception the account ever had, newest first."""
    return all_of(db, Waiver, "select * from waiver where account_id = ? order by id desc", (account_id,))


def waiver_by_id(db: Database, waiver_id: int) -> Waiver:
    """The exception. Raises NotFound."""
    waiver = one_of(db, Waiver, "select * from waiver where id = ?", (waiver_id,))
    if waiver is None:
        raise NotFound("There is no such exception.")
    return waiver


def insert_waiver(
    db: Database, *, account_id: int, rule_id: str, reason: str, decided_by: int, until_on: date | None, now: datetime
) -> int:
    values = {"account_id": account_id, "rule_id": rule_id, "reason": reason, "decided_by": decided_by}
    return insert(db, "waiver", {**values, "decided_at": now, "until_on": until_on})


def extensions_of(db: Database, account_id: int) -> list[Extension]:
    """Every longer life asked for, newest first."""
    return all_of(db, Extension, "select * from extension where account_id = ? order by id desc", (account_id,))


def extension_by_id(db: Database, extension_id: int) -> Extension:
    """The extension. Raises NotFound."""
    extension = one_of(db, Extension, "select * from extension where id = ?", (extension_id,))
    if extension is None:
        raise NotFound("Nobody asked for this longer life.")
    return extension


def open_extension(db: Database, account_id: int) -> Extension | None:
    """The longer life that was asked for and waits for a decision."""
    found = all_of(db, Extension, "select * from extension where account_id = ? and approved is null", (account_id,))
    return found[0] if found else None


def extensions_waiting(db: Database) -> Sequence[Extension]:
    """Those that wait for a decision on an account that still lives, the soonest end first."""
    return all_of(
        db,
        Extension,
        """select extension.* from extension join account on account.id = extension.account_id
           where extension.approved is null and account.state in ('approved', 'live', 'suspended')
           order by account.ends_on, extension.id""",
    )


def insert_extension(
    db: Database, *, account_id: int, until_on: date, reason: str, asked_by: int, now: datetime
) -> int:
    values = {"account_id": account_id, "until_on": until_on, "reason": reason, "asked_by": asked_by}
    return insert(db, "extension", {**values, "asked_at": now})
