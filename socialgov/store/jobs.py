"""Questions of the scheduler: who holds which job, and what lies over its time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.store.rows import moment_text, one_of, scalar

if TYPE_CHECKING:
    from sqlite_utils import Database

LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class JobRun:
    """The newest run of one job. `claimed_until` None: nobody is at it."""

    name: str
    claimed_until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    result: str | None
    error: str | None


def job_run(db: Database, name: str) -> JobRun | None:
    return one_of(db, JobRun, "select * from job_run where name = ?", (name,))


def claim_job(db: Database, name: str, now: datetime) -> datetime | None:
    """Take a job for LEASE; the end of the lease, which releases it again, or None while somebody else is at it.

    A lease that lies further ahead than any can was taken before the clock was moved back: it holds nobody up.
    """
    until = moment_text(now + LEASE)
    done = db.execute(
        "insert into job_run (name, claimed_until, started_at) values (?, ?, ?)"
        " on conflict (name) do update set claimed_until = excluded.claimed_until, started_at = excluded.started_at"
        " where job_run.claimed_until is null or job_run.claimed_until <= ? or job_run.claimed_until > ?",
        (name, until, moment_text(now), moment_text(now), until),
    )
    return now + LEASE if done.rowcount == 1 else None


def release_job(db: Database, name: str, lease: datetime, *, now: datetime, result: str, error: str | None) -> bool:
    """Say how it went and let go; False when the lease ran out and somebody else took the job."""
    done = db.execute(
        "update job_run set claimed_until = null, finished_at = ?, result = ?, error = ?"
        " where name = ? and claimed_until = ?",
        (moment_text(now), result, error, name, moment_text(lease)),
    )
    return done.rowcount == 1


def accounts_to_check(db: Database, now: datetime, limit: int) -> list[int]:
    """Accounts with something to look at whose check is due: never checked first, then the longest overdue."""
    rows = db.execute(
        "select id from account where (state in ('live', 'suspended') or (state = 'approved' and handle is not null))"
        " and (check_due_at is null or check_due_at <= ?) order by check_due_at, id limit ?",
        (moment_text(now), limit),
    )
    return [row[0] for row in rows]


def watched_accounts(db: Database) -> int:
    return int(scalar(db, "select count(*) from account where state in ('approved', 'live', 'suspended')"))


def posts_older_than(db: Database, moment: datetime, limit: int) -> list[tuple[int, int]]:
    """Drafts nobody went on with or looked at, and discarded posts that still hold something: (post, account)."""
    rows = db.execute(
        "select id, account_id from post where created_at < ? and (state in ('draft', 'waiting', 'refused')"
        " or (state = 'discarded' and (text != '' or exists (select 1 from media where media.post_id = post.id))))"
        " order by id limit ?",
        (moment_text(moment), limit),
    )
    return [(row[0], row[1]) for row in rows]


def photos_of_post(db: Database, post_id: int) -> list[int]:
    """Blobs of a post's photos."""
    return [row[0] for row in db.execute("select blob_id from media where post_id = ? order by id", (post_id,))]


def empty_post(db: Database, post_id: int) -> bool:
    """Discard a draft and forget what it showed and said; False when it went on meanwhile."""
    done = db.execute(
        "update post set state = 'discarded', text = '', credit = null, check_reason = null, version = version + 1"
        " where id = ? and state in ('draft', 'waiting', 'refused', 'discarded')",
        (post_id,),
    )
    if done.rowcount != 1:
        return False
    db.execute("delete from media where post_id = ?", (post_id,))
    db.execute("delete from depiction where post_id = ?", (post_id,))
    return True


def purge_signin(db: Database, *, links: datetime, sessions: datetime, failures: datetime) -> int:
    """Links that were used or ran out before `links`, sessions that ended or timed out before `sessions` with what
    opened the vault in them, counted failures before `failures`, and what was begun and has run out; how many rows."""
    link, session, failure = moment_text(links), moment_text(sessions), moment_text(failures)
    old = "session_id in (select id from session where ended_at < :at or expires_at < :at)"
    done = [
        db.execute("delete from signin_link where used_at < ? or expires_at < ?", (link, link)),
        db.execute("delete from signin_failure where at < ?", (failure,)),
        db.execute("delete from ceremony where expires_at < ?", (failure,)),
        db.execute(f"delete from ceremony where {old}", {"at": session}),  # noqa: S608
        db.execute(f"delete from vault_opening where {old}", {"at": session}),  # noqa: S608
        db.execute("delete from session where ended_at < :at or expires_at < :at", {"at": session}),
    ]
    return sum(int(one.rowcount) for one in done)
