"""The day's plan as the product makes it: `plan_reads` on a school of 10,000 accounts in a real SQLite file.

The accounts, their platforms and what is known of their lists are those of bench/plan_day.py, and those that must be
connected are. Two days are planned, so that the second replaces the first. bench/plan_day.py runs this in a process of
its own and reports its figures; the last line printed is "SECONDS MEGABYTES": the slower day's, and the process's peak.

Run: python -m bench.plan_school
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.lines import NOW, empty_school
from socialgov import platforms
from socialgov.actions.planning import plan_reads
from socialgov.home import Home
from socialgov.models import ApiClient, Capability, PlatformInfo
from socialgov.prices import COUNT_OF, READS
from socialgov.store.connect import write
from socialgov.store.rows import moment_text

ACCOUNTS, STAFF, SEED = 10_000, 90, 4
BUDGET = 1_250_000_000
DAY = timedelta(days=1)


def school(root: Path) -> Home:
    """10,000 accounts, spread over all platforms that socialgov knows, each read at some time of the last 14 days."""
    home = empty_school(root, STAFF)
    home = replace(home, settings=replace(home.settings, platforms=_ready(home.settings.platforms)))
    infos, chance, long_ago = home.settings.platforms, random.Random(SEED), moment_text(NOW - 30 * DAY)
    keys = sorted(infos)
    on = {number: infos[keys[number % len(keys)]] for number in range(1, ACCOUNTS + 1)}
    with write(home.db) as db:
        db.conn.executemany(
            "insert into account (id, platform, kind, state, handle_wished, handle, purpose, audience, owner_id,"
            " deputy_id, requested_by, requested_at, starts_on, ends_on, live_at) values"
            " (?, ?, ?, ?, ?, ?, 'A trip', 'Its year', 2, 3, 2, ?, '2026-09-01', '2027-01-31', ?)",
            [(number, info.key, *_kind(chance), f"a{number}", f"a{number}", long_ago, long_ago)
             for number, info in on.items()],
        )  # fmt: skip
        db.conn.executemany(
            "insert into connection (account_id, server, remote_id, handle, scopes, token_hash, connected_at)"
            " values (?, ?, ?, ?, '', ?, ?)",
            [(number, info.api_base or "", str(number), f"a{number}", str(number), long_ago)
             for number, info in on.items() if platforms.needs_connection(info)],
        )  # fmt: skip
        db.conn.executemany(
            "insert into list_read (account_id, capability, read_at, told_then, told, told_at)"
            " values (?, ?, ?, ?, ?, ?)",
            [row for number, info in on.items() for row in _lists(number, info, chance)],
        )
    home.db.execute("analyze")
    return home


def _ready(infos: Any) -> dict[str, PlatformInfo]:
    """Each platform as a school has it that registered a client and set a budget where one is needed."""
    client = ApiClient("bench", None)
    return {
        key: replace(info, client=client, monthly_budget=BUDGET if info.tariff and info.tariff.costs_money else None)
        for key, info in infos.items()
    }


def _kind(chance: random.Random) -> tuple[str, str]:
    return "trip" if chance.random() < 0.5 else "standing", "live" if chance.random() < 0.9 else "suspended"


def _lists(number: int, info: PlatformInfo, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """Of each kind of list when it was read and how long it was; one in fourteen has changed since."""
    for capability in sorted(platforms.declared_capabilities(info) & READS):
        told = chance.randrange(0, 60) if capability in COUNT_OF and capability is not Capability.READ_LIKES else 0
        now_told = told + (chance.random() < 1 / 14)
        read_at = moment_text(NOW - timedelta(minutes=chance.randrange(1440, 14 * 1440)))
        yield number, capability.value, read_at, told, now_told, moment_text(NOW - DAY)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home, slowest = school(Path(folder) / "home"), 0.0
        for now in (NOW, NOW + DAY):
            started = time.perf_counter()
            made = plan_reads(home, now=now)
            slowest = max(slowest, time.perf_counter() - started)
            assert made == ACCOUNTS, f"{made} planned"
        started = time.perf_counter()
        assert plan_reads(home, now=NOW + DAY) == 0
        print(f"  nothing to plan: {time.perf_counter() - started:.3f} s", file=sys.stderr)
        home.db.close()
    print(slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return 0


if __name__ == "__main__":
    sys.exit(main())
