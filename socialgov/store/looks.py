"""Questions about looks at deposited secrets (SEC207): who, when, why, from where. No secret is read here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.models import CredentialKind
from socialgov.store.connect import insert
from socialgov.store.events import EventTag
from socialgov.store.rows import all_of, one_of

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Reveal:
    """One look at a secret. `shown` is a `Shown`; `break_glass_id` None: in the ordinary way."""

    id: int
    credential_id: int
    staff_id: int
    reason: str
    at: datetime
    shown: str
    address: str
    break_glass_id: int | None
    copies: int = 0  # how often the copy button was pressed
    superseded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A deposit whose secret is still there: the one in force, or one before it that was not destroyed yet."""

    id: int
    kind: CredentialKind
    username: str
    deposited_by: int | None
    deposited_at: datetime
    superseded_at: datetime | None
    spare: bool


def insert_reveal(
    db: Database,
    *,
    credential_id: int,
    staff_id: int,
    reason: str,
    shown: str,
    address: str,
    break_glass_id: int | None,
    now: datetime,
) -> int:
    values = {"credential_id": credential_id, "staff_id": staff_id, "reason": reason, "at": now, "shown": shown}
    return insert(db, "reveal", {**values, "address": address, "break_glass_id": break_glass_id})


_REVEALS = """
    select r.*, c.superseded_at, (select count(*) from event where event.account_id = c.account_id
      and event.tag = ? and json_extract(event.data, '$.reveal') = r.id) as copies
    from reveal r join credential c on c.id = r.credential_id"""


def reveals_of(db: Database, account_id: int) -> list[Reveal]:
    """Every look at the account's secrets, newest first."""
    sql = f"{_REVEALS} where c.account_id = ? order by r.id desc"
    return all_of(db, Reveal, sql, (EventTag.CREDENTIAL_COPIED.value, account_id))


def reveal_by_id(db: Database, account_id: int, reveal_id: int) -> Reveal | None:
    """One look at a secret of this account; None where there was none."""
    sql = f"{_REVEALS} where c.account_id = ? and r.id = ?"
    return one_of(db, Reveal, sql, (EventTag.CREDENTIAL_COPIED.value, account_id, reveal_id))


def kept_credentials(db: Database, account_id: int) -> list[Kept]:
    """The deposits that can still be opened: those in force first, then the newest."""
    sql = """select id, kind, username, deposited_by, deposited_at, superseded_at, spare from credential
      where account_id = ? and sealed is not null order by superseded_at is not null, id desc"""
    return all_of(db, Kept, sql, (account_id,))
