"""Questions about what people sign in with: passkeys, authenticator apps, identities of a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.store.rows import scalar

if TYPE_CHECKING:
    from sqlite_utils import Database


def has_factor(db: Database, staff_id: int) -> bool:
    """Has this person a passkey, a confirmed authenticator, or an identity of the provider?"""
    sql = (
        "select exists (select 1 from passkey where staff_id = :id and ended_at is null)"
        " or exists (select 1 from authenticator where staff_id = :id and ended_at is null"
        " and confirmed_at is not null)"
        " or exists (select 1 from identity where staff_id = :id and ended_at is null)"
    )
    return bool(scalar(db, sql.replace(":id", "?"), (staff_id,) * 3))
