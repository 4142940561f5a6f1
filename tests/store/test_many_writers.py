"""Eight processes at once: no lost update, no "database is locked", the chain whole, the schema made once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlite_utils import Database

from socialgov.errors import Conflict, StoreError
from socialgov.store.connect import check_schema, connect, guarded_update, insert, migrate, write
from socialgov.store.events import EventTag, record_event, verify_chain
from socialgov.store.migrations import migrations
from socialgov.store.rows import scalar

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PROCESSES, ROUNDS = 8, 40
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    db = migrate(tmp_path / "school.db")
    with write(db):
        insert(db, "meta", {"key": "counter", "value": "0"})
        insert(
            db,
            "person",
            {
                "kind": "pupil",
                "ref": "P1",
                "first_name": "Wren",
                "last_name": "Ashdown",
                "year_group": "0",
                "form": "7A",
            },
        )
    db.close()
    return tmp_path / "school.db"


def at_once(work: Callable[[Path, int], None], path: Path, processes: int = PROCESSES) -> list[str]:
    """Run `work(path, number)` in processes that start together; the errors that they met."""
    with SPAWN.Pool(processes) as pool:
        return [error for error in pool.starmap(_caught, [(work, path, n) for n in range(processes)]) if error]


def _caught(work: Callable[[Path, int], None], path: Path, number: int) -> str | None:
    try:
        work(path, number)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def add_one_many_times(path: Path, number: int) -> None:
    """Read, add, write and log in one transaction, which is what every action does."""
    db = connect(path)
    for _ in range(ROUNDS):
        with write(db):
            count = int(scalar(db, "select value from meta where key = 'counter'"))
            db.execute("update meta set value = ? where key = 'counter'", [str(count + 1)])
            record_event(db, EventTag.ACCOUNT_CHECKED, actor="job:check", now=NOW, subject="account", subject_id=number)


def change_what_was_read_before(path: Path, number: int) -> None:
    """Read outside the transaction, as a page does, and change under a guard; look again after a conflict."""
    db = connect(path)
    for _ in range(ROUNDS):
        while not _guarded_add(db):
            pass


def _guarded_add(db: Database) -> bool:
    count = scalar(db, "select year_group from person")
    try:
        with write(db):
            guarded_update(db, "person", 1, {"year_group": str(int(count) + 1)}, where={"year_group": count})
    except Conflict:
        return False
    return True


def bring_up_to_date(path: Path, number: int) -> None:
    migrate(path).close()


def read_while_others_write(path: Path, number: int) -> None:
    if number % 2:
        add_one_many_times(path, number)
        return
    db = connect(path)
    for _ in range(ROUNDS * 5):
        scalar(db, "select count(*) from event")


def test_eight_writers_lose_no_update_and_meet_no_lock(path: Path) -> None:
    assert at_once(add_one_many_times, path) == []
    db = connect(path)
    assert int(scalar(db, "select value from meta where key = 'counter'")) == PROCESSES * ROUNDS
    chain = verify_chain(db)
    assert chain.whole
    assert chain.count == PROCESSES * ROUNDS


def test_a_guard_keeps_eight_writers_from_overwriting_each_other(path: Path) -> None:
    assert at_once(change_what_was_read_before, path) == []
    assert int(scalar(connect(path), "select year_group from person")) == PROCESSES * ROUNDS


def test_readers_are_not_held_up_by_writers(path: Path) -> None:
    assert at_once(read_while_others_write, path) == []


def test_eight_processes_make_the_same_database_once(tmp_path: Path) -> None:
    path = tmp_path / "school.db"
    assert at_once(bring_up_to_date, path) == []
    db = connect(path)
    check_schema(db)
    applied = [migration.name for migration in migrations.applied(db)]
    assert sorted(applied) == sorted(set(applied))


def hold_a_transaction_open(path: str, ready: str) -> None:
    db = connect(Path(path))
    with write(db):
        db.execute("update meta set value = '999' where key = 'counter'")
        Path(ready).touch()
        time.sleep(60)


def test_a_writer_killed_in_the_middle_leaves_nothing_and_holds_nobody_up(path: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    process = SPAWN.Process(target=hold_a_transaction_open, args=(str(path), str(ready)))
    process.start()
    while not ready.exists():
        time.sleep(0.01)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()

    db = connect(path)
    with write(db):
        assert scalar(db, "select value from meta where key = 'counter'") == "0"


def test_a_database_that_stays_busy_says_so_and_saves_nothing(path: Path) -> None:
    holder, other = connect(path), connect(path)
    other.execute("pragma busy_timeout=50")
    with write(holder), pytest.raises(StoreError, match="busy, so nothing was saved"), write(other):
        pass


def test_a_guarded_update_refuses_a_second_writer(path: Path) -> None:
    db = connect(path)
    with write(db):
        guarded_update(db, "person", 1, {"form": "7B"}, where={"form": "7A"})
    with pytest.raises(Conflict, match="Somebody else changed this"), write(db):
        guarded_update(db, "person", 1, {"form": "7C"}, where={"form": "7A"})
    assert scalar(db, "select form from person") == "7B"
