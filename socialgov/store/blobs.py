"""Questions about blobs: sealed files named by the hash of their sealed bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.errors import NotFound
from socialgov.store.rows import all_of, dicts, one_of

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Blob:
    """`name` is the file's; `content_sha256` is of what was given in, before sealing, as proof.

    `wrapped` takes the place of the file's own front once the school's key was changed; None: it is still good.
    """

    id: int
    name: str
    content_sha256: str
    size: int
    mime: str
    purpose: str
    account_id: int | None
    made_by: int | None
    made_at: datetime
    erased_at: datetime | None
    wrapped: bytes | None = field(repr=False)


def blob_by_id(db: Database, blob_id: int) -> Blob:
    """The row, erased or not. Raises NotFound."""
    blob = one_of(db, Blob, "select * from blob where id = ?", (blob_id,))
    if blob is None:
        raise NotFound("There is no such file.")
    return blob


def blob_names(db: Database) -> dict[str, bool]:
    """Every file's name and whether it is still kept; False: erased."""
    return {row["name"]: row["erased_at"] is None for row in dicts(db, "select name, erased_at from blob")}


def blobs_before(db: Database, purpose: str, moment: datetime) -> list[Blob]:
    """Blobs kept for this purpose since before `moment` and not erased."""
    return all_of(
        db, Blob, "select * from blob where purpose = ? and made_at < ? and erased_at is null", (purpose, moment)
    )
