"""Questions about staff."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from socialgov.errors import NotFound
from socialgov.models import Role, Staff
from socialgov.store.rows import dicts, moment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlite_utils import Database


def _staff(row: Mapping[str, Any]) -> Staff:
    return Staff(
        id=row["id"],
        name=row["name"],
        email=row["email"],
        roles=frozenset(Role(role) for role in json.loads(row["roles"])),
        left_at=moment(row["left_at"]) if row["left_at"] else None,
    )


def staff_by_id(db: Database, staff_id: int) -> Staff:
    """The member of staff, current or left. Raises NotFound."""
    for row in dicts(db, "select * from staff where id = ?", (staff_id,)):
        return _staff(row)
    raise NotFound("There is no such member of staff.")


def staff_by_ids(db: Database, staff_ids: Collection[int]) -> dict[int, Staff]:
    """Those of these ids that exist, current or left, in one query."""
    rows = dicts(db, "select * from staff where id in (select value from json_each(?))", (json.dumps(list(staff_ids)),))
    return {row["id"]: _staff(row) for row in rows}


def staff_by_email(db: Database, email: str) -> Staff | None:
    """By school address, whatever its capitals; None when unknown."""
    for row in dicts(db, "select * from staff where email = lower(?)", (email.strip(),)):
        return _staff(row)
    return None


def current_staff(db: Database) -> list[Staff]:
    """Everybody who works here now, by name."""
    return [_staff(row) for row in dicts(db, "select * from staff where left_at is null order by name, id")]


def staff_with_role(db: Database, role: Role) -> list[Staff]:
    """Current staff who have `role`."""
    return [staff for staff in current_staff(db) if role in staff.roles]


def staff_names(db: Database) -> dict[int, str]:
    """Names by id, of those who left too: for pages that tell who did what."""
    return {row["id"]: row["name"] for row in dicts(db, "select id, name from staff")}
