"""Where sealed records lie: one `Place` a column. A rotation of the school's key and a drill go through all of them.

tests/actions/test_sealed_places.py fails when something is sealed into a column that is not here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Place:
    """One column of sealed records and, as SQL, what each is bound to: account, field, version.

    `key`: within a JSON document, in base64. `lasting`: False for what a rotation ends instead of taking over.
    """

    table: str
    column: str
    account: str
    field: str
    version: str = "id"
    key: str = ""
    lasting: bool = True

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def _content(self) -> str:
        return f"json_extract({self.column}, '$.{self.key}')" if self.key else self.column


@dataclass(frozen=True, slots=True)
class SealedRow:
    """One sealed record and what it is bound to."""

    id: int
    sealed: bytes = field(repr=False)
    account: str
    field: str
    version: int

    @property
    def bound(self) -> dict[str, Any]:
        """As the arguments of Escrow.open, rewrap and the others."""
        return {"account": self.account, "field": self.field, "version": self.version}


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A blob: its file's front stands in the file until the school's key is changed, then in `wrapped`."""

    id: int
    name: str
    wrapped: bytes | None = field(repr=False)
    account: str
    field: str


CREDENTIALS = Place("credential", "sealed", account="account_id", field="kind")
PLACES: tuple[Place, ...] = (
    CREDENTIALS,
    Place("vault_holder", "wrapped", account="'vault'", field="'holder'"),
    Place("vault_holder", "sealed_public", account="'vault'", field="'public'"),
    Place("vault_opening", "sealed", account="'vault'", field="'opening'", lasting=False),
    Place("authenticator", "sealed", account="'staff:' || staff_id", field="'authenticator'"),
    Place("connection", "sealed", account="account_id", field="'connection'"),
    Place("platform_app", "sealed", account="'platform_app'", field="'client'"),
    Place("session", "id_token", account="'session'", field="'id_token'"),
    Place(
        "closing_step",
        "detail",
        account="(select account_id from closing where closing.id = closing_id)",
        field="'deletion_code'",
        key="code",
    ),
)


def sealed_rows(db: Database, place: Place) -> list[SealedRow]:
    """Every record of one place. One that is no base64 where it should be comes as what it is, and opens nowhere."""
    content = place._content
    rows = db.execute(
        f"select id, {content}, {place.account}, {place.field}, {place.version} from {place.table}"  # noqa: S608
        f" where {content} is not null order by id"
    )
    unpack = _unpacked if place.key else bytes
    return [SealedRow(row[0], unpack(row[1]), str(row[2]), row[3], row[4]) for row in rows]


def keep_sealed_rows(db: Database, place: Place, records: Iterable[tuple[int, bytes]]) -> None:
    """Put records back where they came from: (id of the row, sealed)."""
    if place.key:
        sql = f"update {place.table} set {place.column} = json_set({place.column}, '$.{place.key}', ?) where id = ?"  # noqa: S608
        db.conn.executemany(sql, ((base64.b64encode(sealed).decode(), row_id) for row_id, sealed in records))
        return
    sql = f"update {place.table} set {place.column} = ? where id = ?"  # noqa: S608
    db.conn.executemany(sql, ((sealed, row_id) for row_id, sealed in records))


def sealed_files(db: Database) -> list[SealedFile]:
    """Every blob that is kept."""
    rows = db.execute(
        "select id, name, wrapped, coalesce(cast(account_id as text), 'school'), 'blob:' || purpose"
        " from blob where erased_at is null order by id"
    )
    return [SealedFile(*row) for row in rows]


def keep_fronts(db: Database, fronts: Iterable[tuple[int, bytes]]) -> None:
    """Give blobs the fronts that count from now on: (id, front)."""
    db.conn.executemany("update blob set wrapped = ? where id = ?", ((front, blob_id) for blob_id, front in fronts))


def deposits_in_vault(db: Database) -> bool:
    """Is anything sealed to the vault's key? The byte after the mark says so (escrow/school_key.py)."""
    row = db.execute("select 1 from credential where hex(substr(sealed, 3, 1)) = '02' limit 1").fetchone()
    return row is not None


def _unpacked(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return b""
