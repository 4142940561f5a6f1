"""Rows to frozen dataclasses and back, by the dataclass's own annotations.

Moments are kept as fixed-width UTC text (`2026-03-01T09:30:00.000000Z`), so that text order is time order.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from sqlite_utils import Database

from socialgov.errors import NotFound

T = TypeVar("T")
_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def moment_text(moment: datetime) -> str:
    """UTC text of an aware moment. A naive one is a programming error: ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).strftime(_FORMAT)


def moment(text: str) -> datetime:
    """The aware UTC moment that moment_text wrote (strptime takes twenty times as long)."""
    return datetime.fromisoformat(text)


def to_column(value: Any) -> Any:
    """A Python value as SQLite stores it. Raises NotFound for a number that SQLite has no room for."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise NotFound("There is nothing with that number.", "Go back and choose from the list.")  # no row can have it
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value


def load(cls: type[T], row: Mapping[str, Any]) -> T:
    """A row as `cls`, whose fields are named like the columns; columns it does not name are left out."""
    names, converted = _plan(cls)
    values = {name: row[name] for name in names}
    for name, convert in converted:
        values[name] = convert(values[name])
    return cls(**values)


def all_of(db: Database, cls: type[T], sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[T]:
    """Every row of a query as `cls`."""
    return [load(cls, row) for row in dicts(db, sql, params)]


def one_of(db: Database, cls: type[T], sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> T | None:
    """The first row of a query as `cls`, or None."""
    return next((load(cls, row) for row in dicts(db, sql, params)), None)


def dicts(db: Database, sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> Iterable[dict[str, Any]]:
    """The rows of a query as plain dicts (db.query costs four times as much)."""
    bound = params if isinstance(params, Mapping) else [to_column(value) for value in params]
    cursor = db.execute(sql, bound)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def scalar(db: Database, sql: str, params: Sequence[Any] = ()) -> Any:
    """The single value of a query, or None when it has no row."""
    row = db.execute(sql, [to_column(value) for value in params]).fetchone()
    return None if row is None else row[0]


@cache
def _plan(cls: type[Any]) -> tuple[tuple[str, ...], tuple[tuple[str, Callable[[Any], Any]], ...]]:
    """The names of the fields, and those whose column is not yet what the field holds."""
    hints = typing.get_type_hints(cls)
    names = tuple(field.name for field in fields(cls))
    found = ((name, _converter(hints[name])) for name in names)
    return names, tuple((name, convert) for name, convert in found if convert is not None)


def _converter(hint: Any) -> Callable[[Any], Any] | None:
    """How a column becomes a value of type `hint`; None where it is one already."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = _converter(next(arg for arg in args if arg is not type(None)))
        return inner and (lambda value: None if value is None else inner(value))
    if hint is bool:
        return bool
    if hint is datetime:
        return moment
    if hint is date:
        return date.fromisoformat
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if origin is tuple:
        return lambda value: tuple(json.loads(value))
    if origin is Mapping or origin is dict or hint is Any:
        return json.loads
    return None
