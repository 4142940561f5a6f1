"""A school's home, opened: its settings, its database and its key. What every action is given."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from socialgov.config import Settings, load_settings
from socialgov.escrow import Escrow, open_escrow
from socialgov.store.clock import clock_offset
from socialgov.store.connect import connect, key_changed, migrate
from socialgov.store.vault import key_in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Home:
    """One school. Threads share it; each gets its own connection (`db`)."""

    path: Path
    settings: Settings
    escrow: Escrow
    clock: Callable[[], datetime] = wall_clock
    _local: threading.local = field(default_factory=threading.local, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def db(self) -> Database:
        """This thread's connection."""
        db = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = connect(self.path / "school.db")
            db.before_write = self.need_key_in_force
        return db

    def need_key_in_force(self, db: Database) -> None:
        """Raise StoreError where the school's key was changed since it was opened: what it seals would be lost."""
        if key_in_force(db) not in (None, self.escrow.key_id):
            raise key_changed()

    def refresh(self) -> None:
        """Open the school's key anew where `socialgov escrow rotate-key` has changed it. Raises EscrowError.

        Asked at the beginning of each request and each pass of the jobs; costs one small query while nothing changed.
        """
        if key_in_force(self.db) in (None, self.escrow.key_id):
            return
        with self._opening:
            in_force = key_in_force(self.db)
            if in_force not in (None, self.escrow.key_id):  # another thread may have been faster
                # the only thing about a home that changes while it is open; everybody who holds the home sees it
                object.__setattr__(self, "escrow", open_escrow(self.path, self.settings, in_force))

    def now(self) -> datetime:
        """The moment it is for this school: the clock, and in a demonstration the visitor's offset on top."""
        now = self.clock()
        if self.settings.demonstration:
            now += clock_offset(self.db)
        return now

    def today(self, now: datetime) -> date:
        """The school's own day at `now`."""
        return now.astimezone(self.settings.zone).date()


def open_home(path: str | Path, clock: Callable[[], datetime] = wall_clock) -> Home:
    """Open a home for work: settings checked, database brought up to date, key read and self-tested.

    Raises ConfigError, StoreError or EscrowError, each with its mend.
    """
    root = Path(path).resolve()
    settings = load_settings(root)
    db = migrate(root / "school.db")
    try:
        in_force = key_in_force(db) or settings.key_id  # before keys could be changed, the first one was it
    finally:
        db.close()
    escrow = open_escrow(root, settings, in_force)
    return Home(root, settings, escrow, clock)
