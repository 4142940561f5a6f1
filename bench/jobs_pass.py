"""What a jobs pass costs for each due account, against a bare transaction of the same writes.

A school with 10,000 accounts, 200 of which came to their end: one whole pass (every job, every account looked through)
is timed and divided by 200. What the pass wrote is then read back and written again into a copy of the school from
before it, one plain transaction for each account, by sqlite3 alone: each row as it ended up, nothing looked up, no hash
computed. Both on the same disk with the same settings (WAL, full sync). The median of five pairs counts.

Run: python bench/jobs_pass.py [--profile]
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench.lines import NOW, empty_school
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.store.connect import connect, write
from socialgov.store.rows import dicts, moment_text

ACCOUNTS, DUE, STAFF, ROUNDS, LIMIT = 10_000, 200, 90, 5, 5.0
# the table and the column by which its new rows belong to an account
WRITTEN = {
    "closing": "select id as row_id, account_id as owner, * from closing",
    "closing_step": "select s.id as row_id, c.account_id as owner, s.* from closing_step s"
    " join closing c on c.id = s.closing_id",
    "notice": "select id as row_id, account_id as owner, * from notice where id > :notice",
    "outbox": "select o.id as row_id, n.account_id as owner, o.* from outbox o"
    " join notice n on n.dedupe_key = o.dedupe_key where o.id > :outbox",
    "event": "select e.seq as row_id, coalesce(e.account_id, n.account_id) as owner, e.* from event e"
    " left join outbox o on e.subject = 'mail' and o.id = e.subject_id"
    " left join notice n on n.dedupe_key = o.dedupe_key where e.seq > :event",
}


def make_template(root: Path) -> Home:
    """The school just before the pass: reminders of today are given, and 200 accounts have come to their end."""
    home = empty_school(root, STAFF)
    with write(home.db) as db:
        db.conn.executemany(
            "insert into account (platform, kind, state, handle_wished, handle, purpose, audience, owner_id, deputy_id,"
            " requested_by, requested_at, starts_on, ends_on, live_at, confirmed_at, check_due_at)"
            " values ('instagram', ?, 'live', ?, ?, 'A trip', 'Its year', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_account(number) for number in range(ACCOUNTS)],
        )
    run_once(home, NOW)
    with write(home.db) as db:
        db.execute(
            "update account set kind = 'trip', ends_on = ? where id % ? = 0",
            (date(2026, 11, 21).isoformat(), ACCOUNTS // DUE),
        )
    home.db.conn.execute("pragma wal_checkpoint(truncate)")
    home.db.close()
    return home


def _account(number: int) -> tuple[Any, ...]:
    """Every third account is standing; the others end over the next 300 days, so some are in their last weeks."""
    trip, owner = number % 3 != 0, 2 + number % STAFF
    ends_on = (NOW + timedelta(days=1 + number % 300)).date().isoformat() if trip else None
    long_ago, soon = moment_text(NOW - timedelta(days=30)), moment_text(NOW + timedelta(hours=1 + number % 23))
    kind, handle = "trip" if trip else "standing", f"school_{number}"
    deputy = 2 + (number + 1) % STAFF
    return (kind, handle, handle, owner, deputy, owner, long_ago, "2026-09-01", ends_on, long_ago, long_ago, soon)


def timed_pass(template: Home, place: Path) -> float:
    """Seconds of one whole pass over a fresh copy."""
    shutil.copytree(template.path, place)
    home = Home(place, template.settings, template.escrow, template.clock)
    _warm(home.db)
    begun = time.perf_counter()
    report = run_once(home, NOW)
    seconds = time.perf_counter() - begun
    done = {job.name: job.done for job in report.jobs}
    assert report.whole and done["close due accounts"] == DUE, report
    home.db.close()
    return seconds


def written(template: Home, place: Path) -> dict[int, list[tuple[str, list[Any]]]]:
    """What the pass wrote for each account, as plain statements with their values."""
    before, after = connect(template.path / "school.db"), connect(place / "school.db")
    newest = {
        table: before.execute(f"select coalesce(max({key}), 0) from {table}").fetchone()[0]
        for table, key in (("notice", "id"), ("outbox", "id"), ("event", "seq"))
    }
    wanted: dict[int, list[tuple[str, list[Any]]]] = defaultdict(list)
    for row in dicts(after, "select * from account where state = 'closing'"):
        values = [row["state"], row["check_due_at"], row["version"], row["id"]]
        wanted[row["id"]].append(("update account set state = ?, check_due_at = ?, version = ? where id = ?", values))
    for table, sql in WRITTEN.items():
        for row in dicts(after, sql, newest):
            if row["owner"] in wanted:
                columns = {name: value for name, value in row.items() if name not in ("row_id", "owner")}
                marks = ", ".join("?" for _ in columns)
                insert = f"insert into {table} ({', '.join(columns)}) values ({marks})"
                wanted[row["owner"]].append((insert, list(columns.values())))
    before.close()
    after.close()
    assert len(wanted) == DUE
    return wanted


def timed_bare(template: Home, place: Path, writes: dict[int, list[tuple[str, list[Any]]]]) -> float:
    """Seconds of the same writes into a fresh copy: one plain transaction for each account."""
    shutil.copytree(template.path, place)
    db = connect(place / "school.db")
    _warm(db)
    conn = db.conn
    begun = time.perf_counter()
    for statements in writes.values():
        conn.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            conn.execute(sql, values)
        conn.execute("COMMIT")
    seconds = time.perf_counter() - begun
    db.close()
    return seconds


def _warm(db: Any) -> None:
    """Both sides start with the file in the system's memory."""
    db.execute("select count(*), max(handle) from account").fetchone()


def main() -> None:
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder) / "template")
        for number in range(ROUNDS):
            passed, bare = Path(folder) / f"pass{number}", Path(folder) / f"bare{number}"
            whole = timed_pass(template, passed) / DUE
            writes = written(template, passed)
            plain = timed_bare(template, bare, writes) / DUE
            rows = sum(map(len, writes.values())) / DUE
            ratios.append(whole / plain)
            print(f"  {rows:.0f} rows: pass {1000 * whole:.2f} ms, bare {1000 * plain:.2f} ms", file=sys.stderr)
            shutil.rmtree(passed)
            shutil.rmtree(bare)
    value = statistics.median(ratios)
    print(f"bench jobs_pass {value:.2f} x limit {LIMIT:g} {'ok' if value <= LIMIT else 'short'}")


if __name__ == "__main__":
    if "--profile" in sys.argv:
        import cProfile

        cProfile.run("main()", sort="cumulative")
    else:
        main()
