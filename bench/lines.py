"""How a bench reports, and the school that several of them measure with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from socialgov.actions.schools import create_school
from socialgov.actions.staff import add_staff
from socialgov.config import load_settings
from socialgov.escrow import Escrow
from socialgov.home import Home
from socialgov.models import Role
from socialgov.store.connect import write
from socialgov.store.rows import moment_text

ROUNDS = 5
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ESCROW = Escrow.from_key(bytes(range(32)), "5c" * 16)


def tell(name: str, value: float, unit: str, limit: float) -> bool:
    """Print the line; True when the value is over its limit."""
    short = value > limit
    print(f"bench {name} {value:.3g} {unit} limit {limit:g} {'short' if short else 'ok'}", flush=True)
    return short


def report(name: str, value: float, unit: str, limit: float) -> None:
    """Print the line, and end with exit code 1 when the value is over its limit."""
    sys.exit(1 if tell(name, value, unit, limit) else 0)


def median_ratio(ours: Callable[[], float], bare: Callable[[], float]) -> float:
    """The median of ROUNDS ratios, both sides measured in turn so that a busy moment hits both."""
    ours(), bare()  # the first of each warms caches
    return median(ours() / bare() for _ in range(ROUNDS))


def empty_school(root: Path, staff: int) -> Home:
    """A school with this many teachers and no account."""
    create_school(
        root,
        name="Bench School",
        domains=["school.example"],
        contact="office@school.example",
        manager_name="Mo Manager",
        manager_email="manager@school.example",
        approved=("instagram",),
        now=NOW - timedelta(days=400),
        escrow=ESCROW,
    )
    home = Home(root, load_settings(root), ESCROW, clock=lambda: NOW)
    for number in range(staff):
        add_staff(home, None, f"Teacher {number}", f"t{number}@school.example", (Role.TEACHER,), now=NOW)
    return home


def school_with_accounts(root: Path, accounts: int, staff: int = 90) -> Home:
    """A school with this many live accounts, each with findings, some of them broken or not known."""
    home = empty_school(root, staff)
    with write(home.db) as db:
        db.conn.executemany(
            "insert into account (platform, kind, state, handle_wished, handle, purpose, audience, owner_id, deputy_id,"
            " requested_by, requested_at, starts_on, ends_on, live_at, confirmed_at, check_due_at, checked_at)"
            " values ('instagram', 'trip', 'live', ?, ?, 'A trip to the sea', 'Its year', ?, ?, ?, ?, '2026-09-01', ?,"
            " ?, ?, ?, ?)",
            [_account(number, staff) for number in range(accounts)],
        )
        db.conn.executemany(
            "insert into finding (account_id, rule_id, answer, because, enforcement, evaluated_at, since_at)"
            " values (?, ?, ?, 'Because.', 'enforced', ?, ?)",
            [_finding(number, rule) for number in range(accounts) for rule in range(8)],
        )
    home.db.execute("analyze")
    return home


def _account(number: int, staff: int) -> tuple[Any, ...]:
    long_ago, later = moment_text(NOW - timedelta(days=30)), moment_text(NOW + timedelta(hours=5))
    owner, deputy = 2 + number % staff, 2 + (number + 1) % staff
    ends_on = (NOW + timedelta(days=30 + number % 200)).date().isoformat()
    handle = f"school_{number}"
    return (handle, handle, owner, deputy, owner, long_ago, ends_on, long_ago, long_ago, later, long_ago)


def _finding(number: int, rule: int) -> tuple[Any, ...]:
    answer = (True, True, True, True, True, True, number % 5 != 0, None if number % 7 == 0 else True)[rule]
    at = moment_text(NOW - timedelta(days=1))
    return (number + 1, f"ACC{101 + rule}", answer, at, at)
