"""Questions about breaking the glass: who asked, who agreed, from when to when the recovery sheets open the vault."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.models import GlassState
from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import all_of, moment_text, one_of

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """One request. `closes_at`: the end of its time to be agreed to, then of the time in which the sheets open it."""

    id: int
    reason: str
    asked_by: int
    asked_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    opens_at: datetime | None
    closes_at: datetime
    opened_at: datetime | None
    stopped_by: int | None
    stopped_at: datetime | None
    stop_reason: str | None
    ended_at: datetime | None

    def state(self, now: datetime) -> GlassState:
        """Where it stands at `now`; the clock alone moves it from waiting to open to over."""
        if self.stopped_at is not None:
            return GlassState.STOPPED
        if self.ended_at is not None or now >= self.closes_at:
            return GlassState.OVER
        if self.opens_at is None:
            return GlassState.ASKED
        return GlassState.WAITING if now < self.opens_at else GlassState.OPEN

    def is_open(self, now: datetime) -> bool:
        return self.state(now) is GlassState.OPEN


def insert_glass(db: Database, *, reason: str, asked_by: int, now: datetime, closes_at: datetime) -> int:
    """Conflict is the caller's: a unique index lets one be under way at a time."""
    values = {"reason": reason, "asked_by": asked_by, "asked_at": now, "closes_at": closes_at}
    return insert(db, "break_glass", values)


def open_glass(db: Database) -> BreakGlass | None:
    """The one that is under way; its time may be over until the scheduler has ended it."""
    return one_of(db, BreakGlass, "select * from break_glass where ended_at is null")


def all_glass(db: Database, limit: int = 20) -> list[BreakGlass]:
    """The newest first."""
    return all_of(db, BreakGlass, "select * from break_glass order by id desc limit ?", (limit,))


def agree(
    db: Database, glass_id: int, *, approved_by: int, now: datetime, opens_at: datetime, closes_at: datetime
) -> None:
    changes = {"approved_by": approved_by, "approved_at": now, "opens_at": opens_at, "closes_at": closes_at}
    guarded_update(db, "break_glass", glass_id, changes, where={"approved_at": None, "ended_at": None})


def note_opened(db: Database, glass_id: int, now: datetime) -> None:
    """The first time that the sheets opened the vault; later ones change nothing."""
    db.execute(
        "update break_glass set opened_at = coalesce(opened_at, ?) where id = ? and ended_at is null",
        (moment_text(now), glass_id),
    )


def stop(db: Database, glass_id: int, *, stopped_by: int, reason: str, now: datetime) -> None:
    changes = {"stopped_by": stopped_by, "stopped_at": now, "stop_reason": reason, "ended_at": now}
    guarded_update(db, "break_glass", glass_id, changes, where={"ended_at": None})


def end(db: Database, glass_id: int, now: datetime) -> None:
    guarded_update(db, "break_glass", glass_id, {"ended_at": now}, where={"ended_at": None})
