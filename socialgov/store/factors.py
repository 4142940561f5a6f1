"""Questions about what people sign in with: passkeys, authenticator apps, identities of a provider.

A public key and a sign count are no secrets; the seed of an authenticator is sealed and in no listing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.errors import NotFound
from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import all_of, moment, moment_text, one_of, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey of one person. `credential_id` is base64url; `sign_count` stays 0 where a maker does not count."""

    id: int
    staff_id: int
    credential_id: str
    public_key: bytes = field(repr=False)
    sign_count: int
    name: str
    transports: tuple[str, ...]
    backed_up: bool
    made_at: datetime
    used_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Authenticator:
    """One authenticator app of one person. Unconfirmed until a first code was right; `sealed` is None once ended."""

    id: int
    staff_id: int
    sealed: bytes | None = field(repr=False)
    made_at: datetime
    confirmed_at: datetime | None
    last_step: int | None
    ended_at: datetime | None


# --------------------------------------------------------------------------------------------------- passkeys


def insert_passkey(db: Database, values: Mapping[str, Any]) -> int:
    return insert(db, "passkey", values)


def passkeys_of(db: Database, staff_id: int) -> list[Passkey]:
    """The passkeys this person can sign in with, oldest first."""
    sql = "select * from passkey where staff_id = ? and ended_at is null order by id"
    return all_of(db, Passkey, sql, (staff_id,))


def passkey_of(db: Database, staff_id: int, passkey_id: int) -> Passkey:
    """One of this person's own. Raises NotFound for another's, or one that was removed."""
    sql = "select * from passkey where id = ? and staff_id = ? and ended_at is null"
    found = one_of(db, Passkey, sql, (passkey_id, staff_id))
    if found is None:
        raise NotFound("That passkey is not yours, or was removed already.", "Look at the list of your passkeys.")
    return found


def passkey_by_credential(db: Database, credential_id: str) -> Passkey | None:
    """The passkey that calls itself this, removed or not; None when nobody has registered it."""
    return one_of(db, Passkey, "select * from passkey where credential_id = ?", (credential_id,))


def note_passkey_used(db: Database, passkey: Passkey, sign_count: int, now: datetime) -> None:
    """Keep its new count. Raises Conflict when another sign-in with it came between, or it was removed."""
    where = {"sign_count": passkey.sign_count, "ended_at": None}
    guarded_update(db, "passkey", passkey.id, {"sign_count": sign_count, "used_at": now}, where=where)


# --------------------------------------------------------------------------------------------------- authenticators


def insert_authenticator(db: Database, staff_id: int, now: datetime) -> int:
    """A row for a seed, which is sealed with the row's own number and put in right after."""
    return insert(db, "authenticator", {"staff_id": staff_id, "made_at": now})


def authenticator_of(db: Database, staff_id: int) -> Authenticator | None:
    """The one that counts or waits for its first code."""
    return one_of(db, Authenticator, "select * from authenticator where staff_id = ? and ended_at is null", (staff_id,))


def drop_unconfirmed(db: Database, staff_id: int, now: datetime) -> None:
    """One that was begun and never confirmed makes room for the next; its seed goes."""
    db.execute(
        "update authenticator set ended_at = ?, sealed = null"
        " where staff_id = ? and ended_at is null and confirmed_at is null",
        (moment_text(now), staff_id),
    )


# --------------------------------------------------------------------------------------------------- asking for one


def ways_postponed_at(db: Database, staff_id: int) -> datetime | None:
    """When this person last said that they will add a passkey later."""
    text = scalar(db, "select ways_postponed_at from staff where id = ?", (staff_id,))
    return moment(text) if text else None


def postpone_ways(db: Database, staff_id: int, now: datetime) -> None:
    db.execute("update staff set ways_postponed_at = ? where id = ?", (moment_text(now), staff_id))
