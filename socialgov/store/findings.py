"""Questions about findings, and about the school's own records that rules rest on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.models import Finding
from socialgov.store.events import EventTag
from socialgov.store.rows import all_of, moment, moment_text, scalar, to_column

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlite_utils import Database

RETENTION_JOB = "retention"

_SAVE = """
    insert into finding (account_id, rule_id, answer, because, enforcement, evidence_at, evidence_source, evidence_by,
      waived_by, evaluated_at, since_at)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (account_id, rule_id) do update set
      since_at = case when finding.answer is excluded.answer then finding.since_at else excluded.since_at end,
      answer = excluded.answer, because = excluded.because, enforcement = excluded.enforcement,
      evidence_at = excluded.evidence_at, evidence_source = excluded.evidence_source,
      evidence_by = excluded.evidence_by, waived_by = excluded.waived_by, evaluated_at = excluded.evaluated_at
"""


@dataclass(frozen=True, slots=True)
class SchoolRecords:
    """What is known about the school as a whole: when the log was last checked and how, when the erasure last ran."""

    log_checked_at: datetime | None
    log_whole: bool | None
    retention_ran_at: datetime | None


def findings_of(db: Database, account_id: int) -> list[Finding]:
    """The account's findings as they were last stored."""
    return all_of(db, Finding, "select * from finding where account_id = ?", (account_id,))


def save_findings(db: Database, account_id: int, findings: Iterable[Finding], now: datetime) -> None:
    """Store these answers; `since_at` moves only where the answer is another one."""
    at = moment_text(now)
    db.conn.executemany(
        _SAVE,
        [
            (
                account_id,
                one.rule_id,
                to_column(one.answer),
                one.because,
                one.enforcement.value,
                to_column(one.evidence_at),
                to_column(one.evidence_source),
                one.evidence_by,
                one.waived_by,
                at,
                at,
            )
            for one in findings
        ],
    )


def forget_findings(db: Database, account_id: int, rule_ids: Collection[str]) -> None:
    """These rules are not asked of the account any more."""
    db.conn.executemany(
        "delete from finding where account_id = ? and rule_id = ?", [(account_id, rule_id) for rule_id in rule_ids]
    )


def touch_findings(db: Database, account_id: int, now: datetime) -> None:
    """All of the account's findings were asked again at `now`."""
    db.execute("update finding set evaluated_at = ? where account_id = ?", (moment_text(now), account_id))


# --------------------------------------------------------------------------------------------------- own records


def unrecorded_looks(db: Database, account_id: int) -> int:
    """Looks at the account's secrets that have no reason or no line in the log (SEC207). One statement."""
    return int(
        scalar(
            db,
            """select count(*) from reveal join credential on credential.id = reveal.credential_id
               where credential.account_id = ?1 and (trim(reveal.reason) = '' or reveal.id not in (
                 select coalesce(json_extract(data, '$.reveal'), 0) from event where account_id = ?1 and tag = ?2))""",
            (account_id, EventTag.CREDENTIAL_REVEALED),
        )
    )


def school_records(db: Database) -> SchoolRecords:
    """The newest check of the log and the last whole run of the daily erasure, in one statement."""
    row = db.execute(
        """select (select json_array(at, data) from event where tag = ?1 order by seq desc limit 1),
                  (select finished_at from job_run where name = ?2 and error is null)""",
        (EventTag.LOG_VERIFIED.value, RETENTION_JOB),
    ).fetchone()
    checked_at, whole = None, None
    if row[0] is not None:
        at, data = json.loads(row[0])
        checked_at, whole = moment(at), bool(json.loads(data).get("whole"))
    return SchoolRecords(checked_at, whole, moment(row[1]) if row[1] else None)
