"""Tell a member of staff something: a notice in the application and, where wanted, a mail. Each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.actions.mail import queue_mail
from socialgov.errors import NotFound
from socialgov.store.connect import write
from socialgov.store.outbox import Notice, insert_notice, mark_notice_read, notices_of, put_away_notices
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Staff


def notify(
    db: Database,
    *,
    staff_id: int,
    kind: str,
    text: str,
    dedupe_key: str,
    now: datetime,
    account_id: int | None = None,
    by_mail: bool = True,
) -> bool:
    """Give `staff_id` a notice of `kind` once for each `dedupe_key`; call inside `write()`. True when it was new.

    `text` is one or two sentences, the first of which is the mail's subject. It must hold no child's name: mail
    leaves the house. Who left the staff is told nothing.
    """
    staff = staff_by_id(db, staff_id)
    if not staff.current:
        return False
    key = f"{dedupe_key}:{staff_id}"
    given = insert_notice(db, staff_id=staff_id, account_id=account_id, kind=kind, text=text, dedupe_key=key, now=now)
    if given is None:
        return False
    if by_mail:
        path = f"/accounts/{account_id}" if account_id is not None else "/"
        queue_mail(db, to=staff.email, subject=_subject(text), body=text, dedupe_key=key, now=now, path=path)
    return True


def _subject(text: str) -> str:
    first = text.split(". ", 1)[0].rstrip(".")
    return first if len(first) <= 120 else first[:117] + "..."


def open_notices(db: Database, staff_id: int) -> list[Notice]:
    """What this person has not marked as read, newest first."""
    return notices_of(db, staff_id)


def answered(db: Database, account_id: int, kind: str, now: datetime) -> None:
    """What the notices of `kind` about this account asked for is done, by whomever; call inside `write()`."""
    put_away_notices(db, account_id, kind, now)


def read_notice(home: Home, actor: Staff, notice_id: int, *, now: datetime) -> None:
    """Mark one of your own notices as read. Raises NotFound for somebody else's."""
    with write(home.db) as db:
        if not mark_notice_read(db, notice_id, actor.id, now):
            raise NotFound("That notice is not yours, or you have read it already.")
