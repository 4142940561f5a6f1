"""Questions about connected accounts. No listing holds a token; `sealed_tokens` alone reads them, still sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.models import Capability, Connection
from socialgov.store.rows import all_of, one_of

if TYPE_CHECKING:
    from sqlite_utils import Database

_CONNECTIONS = """
    select id, account_id, server, remote_id, handle, scopes, connected_by, connected_at, token_until, renewed_at,
      lost_at, lost_why, ended_at
    from connection"""


def connection_of(db: Database, account_id: int) -> Connection | None:
    """The account's connection in force, works it or is it lost; None where it was never made, or was ended."""
    return one_of(db, Connection, f"{_CONNECTIONS} where account_id = ? and ended_at is null", (account_id,))


def connections(db: Database) -> list[Connection]:
    """Every connection in force."""
    return all_of(db, Connection, f"{_CONNECTIONS} where ended_at is null order by account_id")


def sealed_tokens(db: Database, connection_id: int) -> bytes | None:
    row = db.execute("select sealed from connection where id = ?", (connection_id,)).fetchone()
    return bytes(row[0]) if row and row[0] is not None else None


def capabilities_off(db: Database, account_id: int) -> frozenset[Capability]:
    """What the platform was found not to offer to this account, although its adapter could."""
    rows = db.execute("select capability from capability_off where account_id = ?", (account_id,))
    return frozenset(Capability(row[0]) for row in rows)
