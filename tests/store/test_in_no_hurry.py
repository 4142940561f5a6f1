"""What a power cut may undo is written without waiting for the disk, and nothing else is (store/connect.py)."""

from __future__ import annotations

import pytest

from socialgov.home import Home
from socialgov.store.connect import connect, not_waiting_for_the_disk, write, write_in_no_hurry

FULL, NORMAL, OFF = 2, 1, 0


def durable(home: Home) -> int:
    found = home.db.conn.execute("pragma synchronous").fetchone()
    return int(found[0])


def test_others_see_it_at_once_and_what_comes_after_waits_again(home: Home) -> None:
    with write_in_no_hurry(home.db) as db:
        assert durable(home) == NORMAL
        db.execute("insert into platform_pause (platform, why, since) values ('x', 'A test.', '2026')")
    assert durable(home) == FULL
    other = connect(home.path / "school.db")
    assert other.execute("select platform from platform_pause").fetchall() == [("x",)]


def test_what_fails_in_it_is_undone_and_leaves_no_hurry_behind(home: Home) -> None:
    with pytest.raises(RuntimeError, match="broke"), write_in_no_hurry(home.db) as db:
        db.execute("insert into platform_pause (platform, why, since) values ('x', 'A test.', '2026')")
        raise RuntimeError("broke")
    assert durable(home) == FULL
    assert home.db.execute("select count(*) from platform_pause").fetchone() == (0,)


def test_within_another_write_it_is_part_of_that(home: Home) -> None:
    with write(home.db), write_in_no_hurry(home.db):
        assert durable(home) == FULL


def test_a_database_that_is_thrown_away_is_not_waited_for_either(home: Home) -> None:
    with not_waiting_for_the_disk(home.db):
        with write_in_no_hurry(home.db):
            assert durable(home) == OFF
        assert durable(home) == OFF
