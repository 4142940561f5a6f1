"""Who is at which job: a lease in job_run, so that two schedulers running by mistake do nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.store.connect import write
from socialgov.store.jobs import claim_job, release_job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from socialgov.home import Home

LINES_KEPT = 20  # of what went wrong


def take_job(home: Home, name: str, *, now: datetime) -> datetime | None:
    """Lease a job for a few minutes; the lease's end, with which it is given back, or None while another is at it."""
    with write(home.db) as db:
        return claim_job(db, name, now)


def give_back_job(
    home: Home, name: str, lease: datetime, *, now: datetime, result: str, trouble: Sequence[str]
) -> bool:
    """Say how it went; False when the lease had run out and somebody else is at it."""
    with write(home.db) as db:
        error = "\n".join(trouble[:LINES_KEPT]) or None
        return release_job(db, name, lease, now=now, result=result, error=error)
