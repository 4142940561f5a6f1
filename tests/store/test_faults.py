"""A full disk, a read-only or damaged file: a clear StoreError with its mend, and never half a change."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlite_utils import Database

from socialgov.errors import StoreError
from socialgov.store.connect import check_schema, connect, insert, migrate, not_waiting_for_the_disk, write
from socialgov.store.events import EventTag, record_event
from socialgov.store.rows import scalar

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    migrate(tmp_path / "school.db").close()
    return tmp_path / "school.db"


@pytest.fixture
def db(path: Path) -> Database:
    return connect(path)


def fill(db: Database, rows: int = 2000) -> None:
    for number in range(rows):
        insert(db, "meta", {"key": f"filler {number}", "value": "x" * 2000})


@pytest.mark.asvs("2.3.3")
def test_a_full_database_says_so_and_keeps_nothing_of_the_change(db: Database) -> None:
    pages = scalar(db, "pragma page_count")
    db.execute(f"pragma max_page_count={pages + 20}")
    with pytest.raises(StoreError, match="disk is full") as caught, write(db):
        record_event(db, EventTag.SCHOOL_CREATED, actor="cli", now=NOW, subject="school")
        fill(db)
    assert "Free some space" in caught.value.mend
    assert scalar(db, "select count(*) from meta where key like 'filler%'") == 0
    assert scalar(db, "select count(*) from event") == 0
    with write(db):
        insert(db, "meta", {"key": "room again", "value": "yes"})


FILL_THE_DISK = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from socialgov.errors import StoreError
from socialgov.store.connect import connect, insert, write
db = connect(Path(sys.argv[1]))
try:
    with write(db):
        for number in range(2000):
            insert(db, "meta", {"key": f"filler {number}", "value": "x" * 2000})
except StoreError as error:
    print(error)
"""


def limit_file_size() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))


def test_a_file_that_may_not_grow_says_so_and_stays_whole(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(path), *sys.path],
        preexec_fn=limit_file_size,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert "disk is full or failing, so nothing was saved" in done.stdout
    db = connect(path)
    check_schema(db)
    assert scalar(db, "select count(*) from meta where key like 'filler%'") == 0
    assert scalar(db, "pragma integrity_check") == "ok"


def test_a_read_only_database_names_what_is_missing(db: Database) -> None:
    db.execute("pragma query_only=on")
    with pytest.raises(StoreError, match="cannot be written") as caught, write(db):
        insert(db, "meta", {"key": "a", "value": "b"})
    assert "write access" in caught.value.mend


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("where a folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        migrate(tmp_path / "a file" / "school.db")


def test_a_missing_database_tells_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database") as caught:
        connect(tmp_path / "school.db")
    assert "socialgov init" in caught.value.mend


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "school.db").write_bytes(b"certainly not a database " * 300)
    with pytest.raises(StoreError, match="not a whole database"):
        connect(tmp_path / "school.db")


def test_a_damaged_database_is_refused_when_it_is_read(path: Path, db: Database) -> None:
    with write(db):
        fill(db, 200)
    db.execute("pragma wal_checkpoint(truncate)")
    db.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 8192))
    with pytest.raises(StoreError, match="not a whole database"):
        migrate(path)


def test_a_database_of_a_newer_version_is_refused(db: Database) -> None:
    with write(db):
        db["_sqlite_migrations"].insert(
            {"migration_set": "socialgov", "name": "m9999_later", "applied_at": "2030-01-01"}, strict=False
        )
    with pytest.raises(StoreError, match="newer socialgov"):
        check_schema(db)


def test_a_database_that_lost_a_trigger_is_refused(path: Path, db: Database) -> None:
    db.execute("drop trigger event_no_delete")
    with pytest.raises(StoreError, match="event_no_delete"):
        migrate(path)


def test_a_mistyped_table_makes_no_table(db: Database) -> None:
    with pytest.raises(StoreError, match="no such table"), write(db):
        insert(db, "acount", {"id": 1})


def test_a_broken_promise_inside_a_transaction_undoes_all_of_it(db: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError), write(db):
        insert(db, "meta", {"key": "first", "value": "kept?"})
        insert(db, "session", {"staff_id": 404, "token_hash": "x", "started_at": "", "seen_at": "", "expires_at": ""})
    assert scalar(db, "select count(*) from meta where key = 'first'") == 0


def test_an_inner_write_that_fails_leaves_the_outer_one_whole(db: Database) -> None:
    with write(db):
        insert(db, "meta", {"key": "outer", "value": "yes"})
        with pytest.raises(ValueError, match="inner"), write(db):
            insert(db, "meta", {"key": "inner", "value": "no"})
            raise ValueError("inner")
    assert [row[0] for row in db.execute("select key from meta where key in ('outer', 'inner')")] == ["outer"]


def test_what_is_deleted_does_not_stay_in_the_file(path: Path, db: Database) -> None:
    secret = "plover-lantern-canary"
    with write(db):
        insert(db, "meta", {"key": "secret", "value": secret})
    with write(db):
        db.execute("delete from meta where key = 'secret'")
    db.execute("pragma wal_checkpoint(truncate)")
    assert secret.encode() not in path.read_bytes()


def test_a_database_built_in_a_hurry_is_on_the_disk_in_the_end(path: Path, db: Database) -> None:
    with not_waiting_for_the_disk(db), write(db):
        insert(db, "meta", {"key": "built", "value": "quickly"})
    assert scalar(db, "pragma synchronous") == 2  # full
    assert path.with_name("school.db-wal").stat().st_size == 0
    assert b"quickly" in path.read_bytes()
