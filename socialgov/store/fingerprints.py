"""Fingerprints as earlier versions kept them, on their way to how they are kept now (escrow/fingerprints.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlite_utils import Database


def quick_fingerprints(db: Database, limit: int) -> list[str]:
    """At most `limit` that are not stretched yet: plain hex, before every one that is marked."""
    rows = db.execute(
        "select distinct fingerprint from credential_fingerprint where fingerprint < 'g' limit ?", (limit,)
    )
    return [row[0] for row in rows]


def any_of(db: Database, quick: Sequence[str]) -> bool:
    """Is one of these kept as it is?"""
    marks = ", ".join("?" for _ in quick)
    sql = f"select 1 from credential_fingerprint where fingerprint in ({marks}) limit 1"  # noqa: S608
    return db.execute(sql, tuple(quick)).fetchone() is not None


def replace_fingerprint(db: Database, old: str, new: str) -> None:
    """In every deposit that has it, at once: whatever was alike stays alike. Call inside `write()`."""
    both = {"old": old, "new": new}
    db.execute(
        """update credential set fingerprint = :new where fingerprint = :old
             and id in (select credential_id from credential_fingerprint where fingerprint = :old)""",
        both,
    )
    db.execute("update credential_fingerprint set fingerprint = :new where fingerprint = :old", both)
