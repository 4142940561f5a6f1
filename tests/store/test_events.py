"""The log: append-only by trigger, chained by hash, one canonical text for each event."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from socialgov.store.connect import connect, migrate, write
from socialgov.store.events import (
    GENESIS,
    EventTag,
    event_hash,
    events_of_account,
    events_page,
    hash_at,
    record_event,
    verify_chain,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Database:
    db = migrate(tmp_path / "school.db")
    with write(db):
        for number in range(1, 6):
            record_event(
                db,
                EventTag.ACCOUNT_CHECKED if number % 2 else EventTag.POST_DRAFTED,
                actor=f"staff:{number % 2}",
                now=NOW + timedelta(minutes=number),
                subject="account",
                subject_id=number,
                account_id=number % 2,
                data={"count": number},
            )
    return db


def tamper(db: Database, statement: str) -> None:
    """What somebody with the file and another program could do: no trigger stands in the way."""
    db.execute("drop trigger event_no_update")
    db.execute("drop trigger event_no_delete")
    db.execute(statement)


def test_a_chain_nobody_touched_is_whole(db: Database) -> None:
    report = verify_chain(db)
    assert (report.whole, report.count, report.head) == (True, 5, hash_at(db, 5))


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    report = verify_chain(migrate(tmp_path / "school.db"))
    assert (report.whole, report.count, report.head) == (True, 0, GENESIS)


@pytest.mark.parametrize(
    "statement",
    [
        "update event set data = '{}' where seq = 2",
        "delete from event where seq = 2",
        "insert or replace into event select * from event where seq = 2",
        "update event set hash = 'x'",
    ],
)
def test_the_log_refuses_change_and_deletion(db: Database, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("update event set data = '{\"count\": 3}' where seq = 2", "event 2 was changed"),
        ("update event set actor = 'staff:9' where seq = 3", "event 3 was changed"),
        ("update event set at = '2020-01-01T00:00:00.000000Z' where seq = 1", "event 1 was changed"),
        ("delete from event where seq = 2", "event 2 is missing"),
        ("delete from event where seq = 1", "event 1 is missing"),
        ("update event set prev_hash = 'x' where seq = 4", "event 4 does not follow"),
    ],
)
def test_a_change_behind_our_back_is_found(db: Database, statement: str, fault: str) -> None:
    tamper(db, statement)
    report = verify_chain(db)
    assert not report.whole
    assert fault in str(report.fault)


def test_a_replaced_line_with_a_matching_hash_breaks_the_next_one(db: Database) -> None:
    row = list(db.execute("select * from event where seq = 3").fetchone())
    forged = event_hash(row[8], row[0], row[1], "staff:9", *row[3:8])
    tamper(db, "select 1")
    db.execute("update event set actor = 'staff:9', hash = ? where seq = 3", [forged])
    assert verify_chain(db).fault == "event 4 does not follow the one before it"


@pytest.mark.asvs("2.3.3")
def test_an_event_outside_a_transaction_is_a_programming_error(db: Database) -> None:
    with pytest.raises(RuntimeError, match="outside a transaction"):
        record_event(db, EventTag.ACCOUNT_CHECKED, actor="cli", now=NOW, subject="account")


@pytest.mark.asvs("2.3.3")
def test_an_event_goes_with_the_change_that_failed(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), write(db):
        record_event(db, EventTag.ACCOUNT_CHECKED, actor="cli", now=NOW, subject="account")
        1 / 0  # noqa: B018
    assert verify_chain(db).count == 5


def test_an_account_shows_its_own_events_newest_first(db: Database) -> None:
    assert [event.seq for event in events_of_account(db, 1)] == [5, 3, 1]


def test_a_page_of_the_log_goes_back_in_time_and_can_be_narrowed(db: Database) -> None:
    def page(**choice: Any) -> list[int]:
        return [event.seq for event in events_page(db, **{"before": None, "tag": None, "actor": None, **choice})]

    assert page(limit=2) == [5, 4]
    assert page(limit=2, before=4) == [3, 2]
    assert page(limit=9, tag="post:") == [4, 2]
    assert page(limit=9, actor="staff:1") == [5, 3, 1]
    assert page(limit=9, tag="%") == []


COLUMNS = st.tuples(
    st.text(max_size=5), st.integers(), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5),
    st.text(max_size=5), st.none() | st.integers(), st.none() | st.integers(), st.text(max_size=5),
)  # fmt: skip


@given(COLUMNS, COLUMNS)
def test_no_two_different_events_have_one_hash(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert (event_hash(*one) == event_hash(*other)) == (one == other)


def test_event_tags_are_unique_and_in_three_parts() -> None:
    assert all(tag.value.count(":") == 2 for tag in EventTag)
    assert len({tag.value for tag in EventTag}) == len(EventTag)


def test_a_connection_sees_what_another_committed(tmp_path: Path) -> None:
    one, other = migrate(tmp_path / "school.db"), connect(tmp_path / "school.db")
    with write(one):
        record_event(one, EventTag.SCHOOL_CREATED, actor="cli", now=NOW, subject="school")
        assert verify_chain(other).count == 0
    assert verify_chain(other).count == 1
