"""Questions about the export files of platforms that people handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.models import ExportRead
from socialgov.store.connect import insert
from socialgov.store.rows import all_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlite_utils import Database


def exports_of(db: Database, account_id: int) -> list[ExportRead]:
    """Every export file that was read for the account, newest first."""
    return all_of(db, ExportRead, "select * from export_read where account_id = ? order by id desc", (account_id,))


def insert_export(
    db: Database,
    *,
    account_id: int,
    blob_id: int,
    made_on: date,
    read_by: int,
    counts: Mapping[str, int],
    now: datetime,
) -> int:
    """`counts`: how long each list was, by the fact that it answers."""
    values = {"account_id": account_id, "blob_id": blob_id, "made_on": made_on, "read_by": read_by}
    return insert(db, "export_read", {**values, "counts": dict(counts), "read_at": now})
