"""Questions about mail on its way out and notices inside the application."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from socialgov.store.connect import guarded_update
from socialgov.store.rows import all_of, moment_text, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlite_utils import Database

LEASE = timedelta(minutes=10)
_FREE = (
    "sent_at is null and gave_up_at is null and next_at <= ?"
    " and (claimed_until is null or claimed_until <= ? or claimed_until > ?)"
)


def _free_at(now: datetime) -> tuple[str, str, str]:
    return moment_text(now), moment_text(now), moment_text(now + LEASE)


@dataclass(frozen=True, slots=True)
class Mail:
    """One message of the outbox. `path` is the page it is about; the link is made when it is sent."""

    id: int
    to_address: str
    subject: str
    body: str = field(repr=False)
    path: str | None
    dedupe_key: str
    queued_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Notice:
    """One line under "what needs you today" that stays until it is read."""

    id: int
    staff_id: int
    account_id: int | None
    kind: str
    text: str
    made_at: datetime
    read_at: datetime | None


def insert_mail(
    db: Database, *, to: str, subject: str, body: str, path: str | None, dedupe_key: str, now: datetime
) -> int | None:
    """Put one message in the outbox; None when one with this `dedupe_key` was there already."""
    at = moment_text(now)
    done = db.execute(
        "insert into outbox (to_address, subject, body, path, dedupe_key, queued_at, next_at, attempts)"
        " values (?, ?, ?, ?, ?, ?, ?, 0) on conflict (dedupe_key) do nothing",
        (to, subject, body, path, dedupe_key, at, at),
    )
    return int(done.lastrowid) if done.rowcount == 1 else None


def due_mail(db: Database, now: datetime, limit: int) -> list[Mail]:
    """Messages whose time has come and which no other sender holds, oldest first."""
    sql = f"select * from outbox where {_FREE} order by next_at, id limit ?"  # noqa: S608
    return all_of(db, Mail, sql, (*_free_at(now), limit))


def claim_mail(db: Database, mail: Mail, now: datetime) -> Mail | None:
    """Take one message for LEASE, to be finished with what is returned; None when another sender was quicker."""
    done = db.execute(
        f"""update outbox set claimed_until = ?, attempts = attempts + 1
            where id = ? and attempts = ? and {_FREE}""",  # noqa: S608
        (moment_text(now + LEASE), mail.id, mail.attempts, *_free_at(now)),
    )
    return replace(mail, attempts=mail.attempts + 1) if done.rowcount == 1 else None


def waiting_mail(db: Database) -> int:
    """How many messages have not been sent and not been given up."""
    return int(scalar(db, "select count(*) from outbox where sent_at is null and gave_up_at is null"))


def purge_mail(db: Database, before: datetime) -> int:
    """Forget text and address of what was sent or given up before `before`; the event and dedupe key stay."""
    done = db.execute(
        "update outbox set to_address = '', subject = '', body = '', path = null, last_error = null"
        " where coalesce(sent_at, gave_up_at) < ? and to_address != ''",
        (moment_text(before),),
    )
    return int(done.rowcount)


def insert_notice(
    db: Database, *, staff_id: int, account_id: int | None, kind: str, text: str, dedupe_key: str, now: datetime
) -> int | None:
    """One notice for one member of staff; None when it was given before."""
    done = db.execute(
        "insert into notice (staff_id, account_id, kind, text, made_at, dedupe_key) values (?, ?, ?, ?, ?, ?)"
        " on conflict (dedupe_key) do nothing",
        (staff_id, account_id, kind, text, moment_text(now), dedupe_key),
    )
    return int(done.lastrowid) if done.rowcount == 1 else None


def notices_of(db: Database, staff_id: int, limit: int = 50) -> list[Notice]:
    """Unread notices, newest first."""
    return all_of(
        db,
        Notice,
        "select * from notice where staff_id = ? and read_at is null order by made_at desc, id desc limit ?",
        (staff_id, limit),
    )


def mark_notice_read(db: Database, notice_id: int, staff_id: int, now: datetime) -> bool:
    """With those that say the same. False when it is somebody else's, unknown or read before."""
    done = db.execute(
        """update notice set read_at = :now where staff_id = :who and read_at is null and (account_id, text) is
             (select account_id, text from notice where id = :this and staff_id = :who and read_at is null)""",
        {"now": moment_text(now), "this": notice_id, "who": staff_id},
    )
    return done.rowcount > 0


def put_away_notices(db: Database, account_id: int, kind: str, now: datetime) -> None:
    """Count everybody's notices of `kind` about this account as read."""
    db.execute(
        "update notice set read_at = ? where account_id = ? and kind = ? and read_at is null",
        (moment_text(now), account_id, kind),
    )


def purge_notices(db: Database, before: datetime) -> int:
    """Erase the text of notices read before `before`; the dedupe key stays so that none is given twice."""
    done = db.execute("update notice set text = '' where read_at < ? and text != ''", (moment_text(before),))
    return int(done.rowcount)


def finish_mail(db: Database, mail: Mail, changes: Mapping[str, Any]) -> None:
    """Sent, put back or given up: while it is still in the hands that claimed it, else Conflict."""
    guards = {"attempts": mail.attempts, "sent_at": None, "gave_up_at": None}
    guarded_update(db, "outbox", mail.id, {"claimed_until": None, **changes}, where=guards)


def stale_mail(db: Database, before: datetime) -> list[int]:
    """Unsent messages older than `before`: what they say is over."""
    rows = db.execute(
        "select id from outbox where sent_at is null and gave_up_at is null and queued_at < ? order by id",
        (moment_text(before),),
    )
    return [row[0] for row in rows]


def give_up_mail(db: Database, mail_id: int, now: datetime, reason: str) -> None:
    changes = {"gave_up_at": now, "last_error": reason, "claimed_until": None}
    guarded_update(db, "outbox", mail_id, changes, where={"sent_at": None, "gave_up_at": None})
