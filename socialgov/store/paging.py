"""A long list, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from socialgov.store.rows import dicts

if TYPE_CHECKING:
    from sqlite_utils import Database

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """`rows` of page number `page` (from 1), at most `size` of them, out of `total` that match."""

    rows: tuple[R, ...]
    page: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


def read_page(
    db: Database,
    sql: str,
    params: Mapping[str, Any],
    row: Callable[[Mapping[str, Any]], R],
    *,
    page: int,
    size: int,
) -> Page[R]:
    """Page number `page` of what `sql` finds; the first one when there is no such page.

    The query is limited by `:size` and `:skip` and tells in each line, as `total`, how many match.
    """
    page = max(1, page)
    found = list(dicts(db, sql, {**params, "size": size, "skip": (page - 1) * size}))
    if not found and page > 1:  # past the end, as after a filter was narrowed
        return read_page(db, sql, params, row, page=1, size=size)
    return Page(tuple(map(row, found)), page, size, found[0]["total"] if found else 0)
