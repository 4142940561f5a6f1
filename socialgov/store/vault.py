"""Questions about the vault: its public key, its holders, its openings, its recovery set. Sealed bytes only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import all_of, one_of, scalar, to_column

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class VaultKeyRow:
    """The vault's public key in force. `proof`: that we put it there."""

    id: int
    key_id: str
    public_key: bytes
    proof: bytes
    made_at: datetime


@dataclass(frozen=True, slots=True)
class HolderRow:
    """A way into the vault: a manager's passphrase, or an invitation's code. `wrapped` None once it was ended."""

    id: int
    kind: str
    staff_id: int
    salt: bytes = field(repr=False)
    cost: str
    sealed_public: bytes | None = field(repr=False)
    wrapped: bytes | None = field(repr=False)
    vault_key_id: int
    made_at: datetime
    made_by: int | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """A vault that is open in one session, sealed to what the browser holds."""

    id: int
    session_id: int
    staff_id: int
    sealed: bytes | None = field(repr=False)
    opened_at: datetime
    expires_at: datetime
    break_glass_id: int | None


@dataclass(frozen=True, slots=True)
class RecoverySetRow:
    """The newest recovery set: three sheets of paper stand against `public_key`. `proof`: that we put it there."""

    id: int
    public_key: bytes
    proof: bytes = field(repr=False)
    check_value: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    made_at: datetime
    drilled_at: datetime | None


# --------------------------------------------------------------------------------------------------- the key


def current_vault_key(db: Database) -> VaultKeyRow | None:
    return one_of(db, VaultKeyRow, "select * from vault_key where retired_at is null")


def insert_vault_key(db: Database, *, key_id: str, public_key: bytes, proof: bytes, now: datetime) -> int:
    values = {"key_id": key_id, "public_key": public_key, "proof": proof, "made_at": now}
    return insert(db, "vault_key", values)


def retire_vault_key(db: Database, row_id: int, now: datetime) -> None:
    guarded_update(db, "vault_key", row_id, {"retired_at": now}, where={"retired_at": None})


def key_in_force(db: Database) -> str | None:
    """The id of the school's key that sealed records are under; None where it was never changed."""
    found: str | None = scalar(db, "select value from meta where key = 'key_id'")
    return found


def set_key_in_force(db: Database, key_id: str) -> None:
    db.execute(
        "insert into meta (key, value) values ('key_id', ?) on conflict (key) do update set value = excluded.value",
        (key_id,),
    )


# --------------------------------------------------------------------------------------------------- holders


def insert_holder(
    db: Database,
    *,
    kind: str,
    staff_id: int,
    salt: bytes,
    cost: str,
    vault_key_id: int,
    made_by: int | None,
    now: datetime,
    expires_at: datetime | None = None,
) -> int:
    """A way in without its sealed parts yet: its id is part of what they are sealed to (`keep_holder`)."""
    values = {"kind": kind, "staff_id": staff_id, "salt": salt, "cost": cost, "vault_key_id": vault_key_id}
    return insert(db, "vault_holder", {**values, "made_at": now, "made_by": made_by, "expires_at": expires_at})


def keep_holder(db: Database, holder_id: int, *, sealed_public: bytes, wrapped: bytes, vault_key_id: int) -> None:
    changes = {"sealed_public": sealed_public, "wrapped": wrapped, "vault_key_id": vault_key_id}
    guarded_update(db, "vault_holder", holder_id, changes, where={"ended_at": None})


def current_holders(db: Database) -> list[HolderRow]:
    """Managers and invitations, oldest first; an invitation that ran out is among them until it is ended."""
    return all_of(db, HolderRow, "select * from vault_holder where ended_at is null order by id")


def managers_who_open(db: Database) -> set[int]:
    """Ids of the staff who open the vault with a passphrase of their own."""
    return {row.staff_id for row in current_holders(db) if row.kind == "manager"}


def holder_of(db: Database, staff_id: int, kind: str) -> HolderRow | None:
    sql = "select * from vault_holder where ended_at is null and staff_id = ? and kind = ?"
    return one_of(db, HolderRow, sql, (staff_id, kind))


def empty_expired_invitations(db: Database, now: datetime) -> int:
    """An invitation whose time is over stays on the page as such; what its code would open is overwritten."""
    done = db.execute(
        "update vault_holder set wrapped = null, sealed_public = null"
        " where kind = 'invitation' and ended_at is null and expires_at <= ? and wrapped is not null",
        (to_column(now),),
    )
    return int(done.rowcount)


def end_holder(db: Database, holder_id: int, now: datetime) -> None:
    """The way in is gone, its sealed parts overwritten."""
    changes = {"ended_at": now, "wrapped": None, "sealed_public": None}
    guarded_update(db, "vault_holder", holder_id, changes, where={"ended_at": None})


# --------------------------------------------------------------------------------------------------- openings


def insert_opening(
    db: Database,
    *,
    session_id: int,
    staff_id: int,
    opened_at: datetime,
    expires_at: datetime,
    break_glass_id: int | None,
) -> int:
    values = {"session_id": session_id, "staff_id": staff_id, "opened_at": opened_at, "expires_at": expires_at}
    return insert(db, "vault_opening", {**values, "break_glass_id": break_glass_id})


def keep_opening(db: Database, opening_id: int, sealed: bytes) -> None:
    guarded_update(db, "vault_opening", opening_id, {"sealed": sealed}, where={"ended_at": None})


def opening_of_session(db: Database, session_id: int) -> OpeningRow | None:
    sql = "select * from vault_opening where session_id = ? and ended_at is null order by id desc limit 1"
    return one_of(db, OpeningRow, sql, (session_id,))


def end_openings(
    db: Database,
    now: datetime,
    *,
    session_id: int | None = None,
    staff_id: int | None = None,
    break_glass_id: int | None = None,
    expired_only: bool = False,
) -> int:
    """Shut the vault and overwrite what held it open: in one session, for one person or one broken glass, or in all."""
    text = to_column(now)
    done = db.execute(
        "update vault_opening set ended_at = :now, sealed = null where ended_at is null"
        " and (:session is null or session_id = :session) and (:staff is null or staff_id = :staff)"
        " and (:glass is null or break_glass_id = :glass) and (:expired = 0 or expires_at <= :now)",
        {"now": text, "session": session_id, "staff": staff_id, "glass": break_glass_id, "expired": int(expired_only)},
    )
    return int(done.rowcount)


def openings_of_now(db: Database, now: datetime) -> list[OpeningRow]:
    """The vault as it is open at this moment, in whoever's session."""
    sql = "select * from vault_opening where ended_at is null and opened_at <= ? and expires_at > ? order by id"
    return all_of(db, OpeningRow, sql, (now, now))


# --------------------------------------------------------------------------------------------------- recovery


def current_recovery(db: Database) -> RecoverySetRow | None:
    return one_of(db, RecoverySetRow, "select * from recovery_set where ended_at is null order by id desc limit 1")


def insert_recovery(
    db: Database, *, public_key: bytes, proof: bytes, check_value: bytes, sealed: bytes, now: datetime
) -> int:
    """A new recovery set; the one before counts no more and its content is overwritten."""
    db.execute("update recovery_set set ended_at = ?, sealed = zeroblob(0) where ended_at is null", (to_column(now),))
    values = {"public_key": public_key, "proof": proof, "check_value": check_value, "sealed": sealed, "made_at": now}
    return insert(db, "recovery_set", values)


def note_drilled(db: Database, row_id: int, now: datetime) -> None:
    """Two of its sheets were joined, and would have recovered everything."""
    guarded_update(db, "recovery_set", row_id, {"drilled_at": now}, where={"ended_at": None})


def anybody_joined(db: Database) -> bool:
    """Has any network manager ever set a vault passphrase?"""
    return scalar(db, "select 1 from vault_holder where kind = 'manager' limit 1") is not None


def move_holder(db: Database, holder_id: int, *, wrapped: bytes, vault_key_id: int) -> None:
    """The same way in, to the vault's next key."""
    changes = {"wrapped": wrapped, "vault_key_id": vault_key_id}
    guarded_update(db, "vault_holder", holder_id, changes, where={"ended_at": None})


def keep_recovery(db: Database, row_id: int, sealed: bytes) -> None:
    """The same sheets, for what changed since."""
    guarded_update(db, "recovery_set", row_id, {"sealed": sealed}, where={"ended_at": None})
