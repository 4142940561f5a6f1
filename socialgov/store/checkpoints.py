"""Questions about the log's signed checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov.store.connect import insert
from socialgov.store.rows import all_of, one_of, scalar

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """At `at` the log had `seq` events and event `seq` had the hash `head`.

    `at` stays text: it is part of what was signed.
    """

    seq: int
    head: str
    at: str
    key_id: str
    signature: str


def add_checkpoint(db: Database, checkpoint: Checkpoint) -> int:
    return insert(
        db,
        "checkpoint",
        {
            "seq": checkpoint.seq,
            "head": checkpoint.head,
            "at": checkpoint.at,
            "key_id": checkpoint.key_id,
            "signature": checkpoint.signature,
        },
    )


def checkpoints(db: Database) -> list[Checkpoint]:
    """All of them, oldest first."""
    return all_of(db, Checkpoint, "select * from checkpoint order by id")


def newest_checkpoint(db: Database) -> Checkpoint | None:
    return one_of(db, Checkpoint, "select * from checkpoint order by id desc limit 1")


def newest_event(db: Database) -> tuple[int, str] | None:
    """Number and hash of the log's last event; None while it is empty."""
    row = db.execute("select seq, hash from event order by seq desc limit 1").fetchone()
    return None if row is None else (row[0], row[1])


def news_since(db: Database, seq: int) -> bool:
    """Did anything happen after event `seq`, apart from what checking the log and signing it write themselves?"""
    sql = (
        "select 1 from event where seq > ? and tag not in ('log:checkpoint:signed', 'log:chain:verified')"
        " and tag not like 'mail:%' limit 1"
    )
    return scalar(db, sql, (seq,)) is not None
