"""Questions about the school itself: the few values that belong to no other table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.store.rows import scalar

if TYPE_CHECKING:
    from sqlite_utils import Database


def meta_value(db: Database, key: str) -> str | None:
    return scalar(db, "select value from meta where key = ?", (key,))


def set_meta(db: Database, key: str, value: str) -> None:
    """Write one value, new or changed. Inside `write()`."""
    db.execute(
        "insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
        (key, value),
    )
