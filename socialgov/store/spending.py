"""What platforms cost: each request is written down before it leaves, so that a crash can lose no money unseen.

A row a day, account and kind of call. `micros` is what counts against the budget; `reserved` is the part of it that is
in doubt, because the answer has not come, or was lost. Doubt is never forgiven: it counts as spent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from socialgov.models import Pause
from socialgov.store.rows import all_of, dicts, moment_text, one_of

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Spent:
    """What was asked of a platform in some days: requests, items answered, micros, and those of them in doubt."""

    requests: int = 0
    items: int = 0
    micros: int = 0
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class CallSpent:
    """The same for one kind of call."""

    call: str
    requests: int
    items: int
    micros: int
    reserved: int


_SUMS = """coalesce(sum(requests), 0) as requests, coalesce(sum(items), 0) as items, coalesce(sum(micros), 0) as micros,
           coalesce(sum(reserved), 0) as reserved"""


def reserve(db: Database, platform: str, day: date, account_id: int, call: str, micros: int) -> None:
    """Count one more request at its dearest; call inside the write that found it affordable."""
    db.execute(
        """insert into spending (platform, day, account_id, call, requests, micros, reserved)
             values (:platform, :day, :account, :call, 1, :micros, :micros)
           on conflict (platform, day, account_id, call) do update set requests = requests + 1,
             micros = micros + excluded.micros, reserved = reserved + excluded.reserved""",
        {"platform": platform, "day": day.isoformat(), "account": account_id, "call": call, "micros": micros},
    )


def settle(
    db: Database, platform: str, day: date, account_id: int, call: str, *, reserved: int, micros: int, items: int
) -> None:
    """The answer is here: what was `reserved` for it cost `micros`."""
    db.execute(
        """update spending set micros = max(0, micros - :reserved + :micros), reserved = max(0, reserved - :reserved),
             items = items + :items
           where platform = :platform and day = :day and account_id = :account and call = :call""",
        {"platform": platform, "day": day.isoformat(), "account": account_id, "call": call, "reserved": reserved,
         "micros": micros, "items": items},
    )  # fmt: skip


def spent(db: Database, platform: str, since: date, until: date) -> Spent:
    """What the days from `since` to `until` cost, both included: of the days' sums, which triggers keep."""
    found = one_of(
        db,
        Spent,
        f"select {_SUMS} from spending_day where platform = ? and day between ? and ?",  # noqa: S608
        (platform, since.isoformat(), until.isoformat()),
    )
    return found or Spent()


def spent_by_call(db: Database, platform: str, since: date, until: date) -> list[CallSpent]:
    """The same by kind of call, the dearest first."""
    return all_of(
        db,
        CallSpent,
        f"select call, {_SUMS} from spending where platform = ? and day between ? and ?"  # noqa: S608
        " group by call order by micros desc, call",
        (platform, since.isoformat(), until.isoformat()),
    )


def spent_on_account(db: Database, platform: str, account_id: int, since: date, until: date) -> Spent:
    """What one account's share of it was."""
    found = one_of(
        db,
        Spent,
        f"select {_SUMS} from spending where platform = ? and account_id = ? and day between ? and ?",  # noqa: S608
        (platform, account_id, since.isoformat(), until.isoformat()),
    )
    return found or Spent()


# ---------------------------------------------------------------------------------------------------- pauses


def pause_of(db: Database, platform: str, now: datetime) -> Pause | None:
    """Why nothing is asked of this platform now; None where it may be asked."""
    found = one_of(db, Pause, "select * from platform_pause where platform = ?", (platform,))
    return found if found and (found.until is None or found.until > now) else None


def pauses(db: Database, now: datetime) -> dict[str, Pause]:
    """Every platform that is paused now."""
    found = all_of(db, Pause, "select * from platform_pause where until is null or until > ?", (moment_text(now),))
    return {one.platform: one for one in found}


def set_pause(db: Database, platform: str, why: str, since: datetime, until: datetime | None) -> None:
    db.execute(
        """insert into platform_pause (platform, why, since, until) values (?, ?, ?, ?)
           on conflict (platform) do update set why = excluded.why, since = excluded.since, until = excluded.until""",
        (platform, why, moment_text(since), None if until is None else moment_text(until)),
    )


def end_pause(db: Database, platform: str) -> bool:
    return bool(db.execute("delete from platform_pause where platform = ?", (platform,)).rowcount)


def told_in_log(db: Database, tag: str, platform: str, since: datetime) -> bool:
    """Does the log hold this tag about this platform since then?"""
    rows = dicts(
        db,
        "select 1 as found from event where tag = ? and at >= ? and json_extract(data, '$.platform') = ? limit 1",
        (tag, moment_text(since), platform),
    )
    return any(True for _ in rows)
