"""Questions about connected accounts, what their platforms offer, and when each was last read.

No listing holds a token; `sealed_tokens` alone reads them, still sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.models import Capability, Connection, PlatformApp
from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import all_of, dicts, load, moment_text, one_of, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlite_utils import Database

_COLUMNS = """id, account_id, server, remote_id, handle, scopes, connected_by, connected_at, token_until, renewed_at,
      lost_at, lost_why, ended_at, app_id"""
_CONNECTIONS = f"select {_COLUMNS} from connection"  # noqa: S608


def connection_of(db: Database, account_id: int) -> Connection | None:
    """The account's connection in force, works it or is it lost; None where it was never made, or was ended."""
    return one_of(db, Connection, f"{_CONNECTIONS} where account_id = ? and ended_at is null", (account_id,))


def last_connection_of(db: Database, account_id: int) -> Connection | None:
    """The newest connection that the account ever had: it says where the account is, and as whom."""
    return one_of(db, Connection, f"{_CONNECTIONS} where account_id = ? order by id desc limit 1", (account_id,))


def connections(db: Database) -> list[Connection]:
    """Every connection in force."""
    return all_of(db, Connection, f"{_CONNECTIONS} where ended_at is null order by account_id")


def lost_connections(db: Database) -> list[Connection]:
    """Those that somebody must make anew: the account is still there, and the platform refuses us."""
    return all_of(db, Connection, f"{_CONNECTIONS} where ended_at is null and lost_at is not null order by lost_at, id")


def others_that_work(db: Database, platform: str, server: str, not_account: int) -> list[Connection]:
    """Working connections of other accounts on this server, the one renewed last first."""
    of_platform = "account_id in (select id from account where platform = ?)"
    where = f"ended_at is null and lost_at is null and server = ? and account_id <> ? and {of_platform}"
    sql = f"{_CONNECTIONS} where {where} order by coalesce(renewed_at, connected_at) desc, id desc"
    return all_of(db, Connection, sql, (server, not_account, platform))


# --------------------------------------------------------------------------------------------------- tokens


def sealed_tokens(db: Database, account_id: int) -> tuple[Connection, bytes] | None:
    """The account's connection in force with its tokens, as they were at one moment; None where it has none."""
    sql = f"select {_COLUMNS}, sealed from connection where account_id = ? and ended_at is null"  # noqa: S608
    row = next(iter(dicts(db, sql, (account_id,))), None)
    return (load(Connection, row), bytes(row["sealed"])) if row and row["sealed"] is not None else None


def insert_connection(
    db: Database,
    *,
    account_id: int,
    server: str,
    remote_id: str,
    handle: str,
    scopes: Sequence[str],
    token_hash: str,
    token_until: datetime | None,
    connected_by: int,
    app_id: int | None,
    now: datetime,
) -> int:
    """A connection without its tokens: they are sealed for its own number, and kept by `keep_tokens`."""
    values = {
        "account_id": account_id,
        "server": server,
        "remote_id": remote_id,
        "handle": handle,
        "scopes": list(scopes),
        "token_hash": token_hash,
        "token_until": token_until,
        "connected_by": connected_by,
        "app_id": app_id,
        "connected_at": now,
    }
    return insert(db, "connection", values)


def keep_tokens(db: Database, connection_id: int, sealed: bytes) -> None:
    """The tokens of a connection just made."""
    guarded_update(db, "connection", connection_id, {"sealed": sealed}, where={"ended_at": None})


def replace_tokens(
    db: Database,
    connection_id: int,
    sealed: bytes,
    *,
    token_hash: str,
    before: str,
    token_until: datetime | None,
    scopes: Sequence[str],
    now: datetime,
) -> None:
    """The next tokens in place of those whose hash is `before`; the claim ends. Conflict where others are there."""
    changes = {
        "sealed": sealed,
        "token_hash": token_hash,
        "token_until": token_until,
        "scopes": list(scopes),
        "renewed_at": now,
        "claimed_until": None,
    }
    where = {"token_hash": before, "lost_at": None, "ended_at": None}
    guarded_update(db, "connection", connection_id, changes, where=where)


def claim(db: Database, connection_id: int, *, until: datetime, now: datetime) -> bool:
    """Take the right to renew these tokens; False while somebody else has it. A claim that ran out counts as none."""
    done = db.execute(
        "update connection set claimed_until = ? where id = ? and lost_at is null and ended_at is null"
        " and (claimed_until is null or claimed_until <= ?)",
        (moment_text(until), connection_id, moment_text(now)),
    )
    return bool(done.rowcount == 1)


def release(db: Database, connection_id: int, *, until: datetime) -> None:
    """Give the claim that runs until then back. One that somebody else has taken meanwhile stays theirs."""
    db.execute(
        "update connection set claimed_until = null where id = ? and claimed_until = ?",
        (connection_id, moment_text(until)),
    )


def lose_connection(db: Database, connection_id: int, why: str, *, token_hash: str, now: datetime) -> None:
    """The platform refuses us: the tokens are erased. Conflict where other tokens are there by now, or it ended."""
    changes = {"lost_at": now, "lost_why": why, "sealed": None, "token_until": None, "claimed_until": None}
    where = {"token_hash": token_hash, "lost_at": None, "ended_at": None}
    guarded_update(db, "connection", connection_id, changes, where=where)


def end_connection(db: Database, connection_id: int, now: datetime) -> None:
    """It is over, and its tokens are erased. Conflict where somebody ended it first."""
    changes = {"ended_at": now, "sealed": None, "token_until": None, "claimed_until": None}
    guarded_update(db, "connection", connection_id, changes, where={"ended_at": None})


def token_hash_of(db: Database, connection_id: int) -> str:
    return str(scalar(db, "select token_hash from connection where id = ?", (connection_id,)))


# --------------------------------------------------------------------------------------------------- servers


_APPS = "select id, platform, server, client_id, redirect_uri, scopes, made_at from platform_app"


def app_of(db: Database, platform: str, server: str) -> PlatformApp | None:
    """What this product is registered as with this server now; None where it is not."""
    sql = f"{_APPS} where platform = ? and server = ? and ended_at is null"
    return one_of(db, PlatformApp, sql, (platform, server))


def app_by_id(db: Database, app_id: int) -> PlatformApp | None:
    """As which a connection was made, though we may be registered anew by now."""
    return one_of(db, PlatformApp, f"{_APPS} where id = ?", (app_id,))


def sealed_client(db: Database, app_id: int) -> bytes | None:
    row = db.execute("select sealed from platform_app where id = ?", (app_id,)).fetchone()
    return bytes(row[0]) if row and row[0] is not None else None


def insert_app(
    db: Database,
    *,
    platform: str,
    server: str,
    client_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    now: datetime,
) -> int:
    values = {
        "platform": platform,
        "server": server,
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scopes": list(scopes),
        "made_at": now,
    }
    return insert(db, "platform_app", values)


def keep_client(db: Database, app_id: int, sealed: bytes) -> None:
    guarded_update(db, "platform_app", app_id, {"sealed": sealed}, where={"ended_at": None})


def end_app(db: Database, app_id: int, now: datetime) -> None:
    """It is registered anew when next needed. Its secret stays, for connections that were made with it."""
    db.execute(
        "update platform_app set ended_at = ? where id = ? and ended_at is null",
        (moment_text(now), app_id),
    )


# --------------------------------------------------------------------------------------------------- what is offered


# Each platform refuses a client, not an account. `server`: where the client is one of many that this product got by
# itself, "" where the platform has one client of the school's.


def capabilities_off(db: Database, platform: str, server: str = "") -> frozenset[Capability]:
    """What this client was found not to be offered, although the platform's adapter could."""
    rows = db.execute(
        "select capability from capability_off where platform = ? and server = ?",
        (platform, server),
    )
    return frozenset(Capability(row[0]) for row in rows)


def all_capabilities_off(db: Database) -> list[tuple[str, str, Capability]]:
    """The same of every client: platform, server, what is not offered."""
    rows = dicts(db, "select platform, server, capability from capability_off order by platform, server, capability")
    return [(row["platform"], row["server"], Capability(row["capability"])) for row in rows]


def put_off(db: Database, platform: str, server: str, capability: Capability, why: str, now: datetime) -> bool:
    """Remember that it is not offered; False where that is known already."""
    done = db.execute(
        "insert or ignore into capability_off (platform, server, capability, found_at, why) values (?, ?, ?, ?, ?)",
        (platform, server, capability.value, moment_text(now), why),
    )
    return bool(done.rowcount == 1)


def put_on_again(db: Database, before: datetime) -> list[tuple[str, Capability]]:
    """Forget what was found until `before`, so that it is tried again: platform and capability of each."""
    found = "from capability_off where found_at <= ?"
    rows = list(dicts(db, f"select platform, capability {found} order by platform, capability", (moment_text(before),)))
    db.execute(f"delete {found}", (moment_text(before),))
    return [(row["platform"], Capability(row["capability"])) for row in rows]


# --------------------------------------------------------------------------------------------------- what was reached


@dataclass(frozen=True, slots=True)
class Reached:
    """An account that somebody may look at by machine. `read_at`: when something of it was last read to its end."""

    account_id: int
    platform: str
    handle: str
    connected_at: datetime | None
    lost_at: datetime | None
    read_at: datetime | None


def reached(db: Database) -> list[Reached]:
    """Every account in use with a connection in force, or of which something was ever read by machine."""
    return all_of(
        db,
        Reached,
        """select a.id as account_id, a.platform, coalesce(a.handle, a.handle_wished) as handle, c.connected_at,
             c.lost_at, max(case when a.set_up_at is null or l.read_at >= a.set_up_at then l.read_at end) as read_at
           from account a left join connection c on c.account_id = a.id and c.ended_at is null
             left join list_read l on l.account_id = a.id
           where a.state in ('approved', 'live', 'suspended')
           group by a.id having c.id is not null or read_at is not null order by a.platform, a.id""",
    )
