"""By which policy the deposits were measured last, and which there are to be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.store.connect import guarded_update
from socialgov.store.rows import dicts, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlite_utils import Database

    from socialgov.models import Credential

KEY = "passwords_measured_by"


def measured_by(db: Database) -> str | None:
    """The policy's numbers by which every deposit was measured last; None: never."""
    found: str | None = scalar(db, "select value from meta where key = ?", (KEY,))
    return found


def set_measured_by(db: Database, policy: str) -> None:
    db.execute(
        "insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
        (KEY, policy),
    )


def accounts_with_password(db: Database) -> list[int]:
    """Accounts with a password in force, oldest first."""
    rows = dicts(
        db,
        "select distinct account_id from credential where kind = 'password' and superseded_at is null"
        " and destroyed_at is null order by account_id",
    )
    return [row["account_id"] for row in rows]


def keep_problems(db: Database, kept: Credential, problems: Sequence[str]) -> None:
    """What is wrong with it by the policy as it is now. Conflict when it was measured otherwise meanwhile."""
    guarded_update(db, "credential", kept.id, {"problems": tuple(problems)}, where={"problems": kept.problems})
