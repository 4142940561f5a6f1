"""Mail through a durable outbox: queued in the transaction of what it tells, sent afterwards, with back-off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.store.events import EventTag, record_event
from socialgov.store.outbox import insert_mail

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database


def queue_mail(
    db: Database, *, to: str, subject: str, body: str, dedupe_key: str, now: datetime, path: str | None = None
) -> int | None:
    """Put one message in the outbox, inside the caller's `write()`; None when `dedupe_key` was queued before.

    `path` is the page it is about: the link is written below the body when the message is sent. Mail leaves the
    house, so neither subject nor body may hold a secret or a child's name (DAT002).
    """
    one_line = " ".join(subject.split())
    mail_id = insert_mail(db, to=to, subject=one_line, body=body, path=path, dedupe_key=dedupe_key, now=now)
    if mail_id is not None:
        record_event(db, EventTag.MAIL_QUEUED, actor="job:mail", now=now, subject="mail", subject_id=mail_id)
    return mail_id
