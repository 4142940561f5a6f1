"""Moving the clock of a demonstration school."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.errors import InvalidInput, NotFound
from socialgov.store import record_event, write
from socialgov.store.clock import clock_offset, set_clock_offset, shift_sign_ins
from socialgov.store.events import EventTag, actor_of

if TYPE_CHECKING:
    from socialgov.home import Home
    from socialgov.models import Staff

FURTHEST = timedelta(days=2000)


def move_clock(home: Home, actor: Staff, by: timedelta, *, now: datetime) -> datetime:
    """Move the clock on by `by`, or back to the real time with zero. Returns the school's new moment.

    Sessions and unused sign-in links move along: it is the school that grows older, not the visitor's visit. Raises
    NotFound in a real school, InvalidInput for a step back or beyond FURTHEST.
    """
    if not home.settings.demonstration:
        raise NotFound("There is nothing at this address.")
    if by < timedelta(0):
        raise InvalidInput("The clock only goes forward, or back to the real time.")
    with write(home.db) as db:
        old = clock_offset(db)
        new = old + by if by else timedelta(0)
        if new > FURTHEST:
            raise InvalidInput("The clock is as far ahead as it goes.", mend="Put it back to the real time.")
        set_clock_offset(db, new)
        shift_sign_ins(db, new - old)
        record_event(
            db,
            EventTag.SCHOOL_CLOCK_MOVED,
            actor=actor_of(actor.id),
            now=now,
            subject="school",
            data={"seconds": int((new - old).total_seconds())},
        )
    return now + (new - old)
