"""Open a school's database, bring it up to date, and write to it safely.

Measured reasons for each choice stand in docs/decisions/0003-store.md. In short: BEGIN IMMEDIATE is the only way two
writers neither lose an update nor meet "database is locked", and a guarded update is the only way a state changes.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from socialgov.errors import Conflict, StoreError
from socialgov.store.migrations import EXPECTED_TRIGGERS
from socialgov.store.migrations_platforms import migrations  # all of them, migrations.py's too
from socialgov.store.rows import to_column

BUSY_MS = 10_000
_FULL = 2  # SQLite's number for synchronous=full
KEY_CHANGED = "the school key was changed"  # what the triggers of m0006_vault and m0007_signin say


class SchoolDatabase(Database):
    """A connection to a school. `before_write` is asked at the start of each transaction and may refuse it."""

    before_write: Callable[[Database], None] | None = None


def connect(path: Path) -> SchoolDatabase:
    """A connection for one thread: WAL, full sync, foreign keys, 10 s patience, deleted bytes overwritten.

    Raises StoreError when the file is missing, unreadable or no database.
    """
    if not path.is_file():
        raise StoreError(f"There is no database at {path}.", "Run `socialgov init` for this home first.")
    return _open(path)


def _open(path: Path) -> SchoolDatabase:
    try:
        conn = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=wal",
            "synchronous=full",
            "foreign_keys=on",
            "secure_delete=on",
            "recursive_triggers=on",
            "trusted_schema=off",
        ):
            conn.execute(f"pragma {pragma}")
        return SchoolDatabase(conn, strict=True)
    except sqlite3.Error as error:
        raise _explained(error, path) from error


def migrate(path: Path) -> Database:
    """Create or bring up to date the database at `path` under a file lock, and assert that its triggers stand."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".migrating").open("w")
    except OSError as error:
        raise StoreError(
            f"The database at {path} cannot be written: {error.strerror}.", "Give this user write access to the home."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        db = _open(path)
        try:
            migrations.apply(db)
            check_schema(db)
        except sqlite3.Error as error:
            raise _explained(error, path) from error
    return db


def check_schema(db: Database) -> None:
    """Raise StoreError unless every migration is applied and every append-only trigger stands."""
    known = {m.name for m in migrations._migrations}
    applied = {m.name for m in migrations.applied(db)}
    if applied - known:
        raise StoreError(
            "This database was written by a newer socialgov.", "Update socialgov, or restore a backup from before."
        )
    if known - applied:
        raise StoreError("This database is not up to date.", "Restart socialgov: it brings the database up to date.")
    missing = EXPECTED_TRIGGERS - {trigger.name for trigger in db.triggers}
    if missing:
        raise StoreError(
            f"The database lost the triggers that protect the log: {', '.join(sorted(missing))}.",
            "Somebody changed its schema. Keep the file as evidence and restore the newest backup.",
        )


@contextmanager
def write(db: Database) -> Iterator[Database]:
    """The one way to change anything: BEGIN IMMEDIATE, all or nothing; nested calls become savepoints.

    Raises StoreError for a locked database, a full disk, a damaged file, or a school's key that was changed meanwhile,
    with nothing written.
    """
    if db.conn.in_transaction:
        with db.atomic():
            yield db
        return
    try:
        db.conn.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise _explained(error) from error
    try:
        if (ask := getattr(db, "before_write", None)) is not None:
            ask(db)
        yield db
    except BaseException as error:
        if db.conn.in_transaction:
            db.conn.rollback()
        if isinstance(error, sqlite3.IntegrityError) and KEY_CHANGED in str(error):
            raise key_changed() from error
        if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.IntegrityError
        ):
            raise _explained(error) from error
        raise
    try:
        db.conn.execute("COMMIT")
    except sqlite3.Error as error:
        if db.conn.in_transaction:
            db.conn.rollback()
        raise _explained(error) from error


@contextmanager
def not_waiting_for_the_disk(db: Database) -> Iterator[None]:
    """For building a database that is thrown away when the building breaks off: a power cut may damage it meanwhile.

    At the end everything is on the disk, and from then on each change is again.
    """
    db.execute("pragma synchronous=off")
    try:
        yield
    finally:
        db.execute("pragma synchronous=full")
        db.execute("pragma wal_checkpoint(truncate)")


@contextmanager
def write_in_no_hurry(db: Database) -> Iterator[Database]:
    """`write` for what a power cut may undo without harm: on the disk with the next write, and not waited for."""
    waits = db.conn.execute("pragma synchronous").fetchone() == (_FULL,)
    if db.conn.in_transaction or not waits:
        with write(db):
            yield db
        return
    db.conn.execute("pragma synchronous=normal")
    try:
        with write(db):
            yield db
    finally:
        db.conn.execute("pragma synchronous=full")


def guarded_update(
    db: Database, table: str, row_id: int, changes: Mapping[str, Any], *, where: Mapping[str, Any] | None = None
) -> None:
    """Change exactly one row, only while `where` still holds; else Conflict and the transaction must end.

    `table` and the column names come from code, never from input.
    """
    guards = {"id": row_id, **(where or {})}
    sets = ", ".join(f"[{name}] = ?" for name in changes)
    tests = " and ".join(f"[{name}] is ?" for name in guards)
    values = [to_column(value) for value in (*changes.values(), *guards.values())]
    done = db.execute(f"update [{table}] set {sets} where {tests}", values)  # noqa: S608
    if done.rowcount != 1:
        raise Conflict("Somebody else changed this a moment ago, so nothing was saved.", "Look again and repeat.")


def insert(db: Database, table: str, values: Mapping[str, Any]) -> int:
    """Insert one row and return its id. One statement, where sqlite-utils' `insert` takes eleven."""
    names = ", ".join(f"[{name}]" for name in values)
    marks = ", ".join("?" for _ in values)
    done = db.execute(
        f"insert into [{table}] ({names}) values ({marks})",  # noqa: S608
        [to_column(value) for value in values.values()],
    )
    return int(done.lastrowid)


def key_changed() -> StoreError:
    """For whoever still holds the school's key from before its rotation."""
    return StoreError("The school's key was changed a moment ago, so nothing was saved.", "Try again.")


def _explained(error: sqlite3.Error, path: Path | None = None) -> StoreError:
    """SQLite's error as a sentence with a mend."""
    text = str(error)
    where = f" at {path}" if path else ""
    if "locked" in text or "busy" in text:
        return StoreError("The database is busy, so nothing was saved.", "Try again in a moment.")
    if "disk is full" in text or "disk I/O" in text:
        return StoreError("The disk is full or failing, so nothing was saved.", "Free some space and try again.")
    if "not a database" in text or "malformed" in text:
        return StoreError(f"The file{where} is not a whole database.", "Restore the newest backup.")
    if "readonly" in text or "unable to open" in text:
        return StoreError(f"The database{where} cannot be written.", "Give this user write access to the home.")
    return StoreError(f"The database{where} refused: {text}.", "Nothing was saved.")
