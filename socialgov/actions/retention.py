"""DAT001: what is no longer needed goes by itself, every day. The log and the proof of closings stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov.actions.adapters import ask_again
from socialgov.actions.blobs import erase_blob, sweep_blobs
from socialgov.actions.uploads import forget_uploads
from socialgov.store.connect import write
from socialgov.store.erasing import truncate_wal
from socialgov.store.events import EventTag, record_event
from socialgov.store.identities import forget_id_tokens
from socialgov.store.jobs import empty_post, photos_of_post, posts_older_than, purge_signin
from socialgov.store.outbox import give_up_mail, purge_mail, purge_notices, stale_mail
from socialgov.store.vault import current_holders, end_holder

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home

ACTOR = "job:retention"
LINK_DAYS = 30  # used links
SESSION_DAYS = 90  # ended sessions, with address and browser: long enough to look into a strange sign-in
FAILURE_DAYS = 1  # counted guesses, and what was begun at sign-in and never finished
MAIL_DAYS = 90  # text and address of sent mail
NOTICE_DAYS = 180  # text of notices that were read
UNSENT_MAIL_DAYS = 14  # what a message said is over by then
BATCH = 500


def old_drafts(home: Home, now: datetime) -> list[tuple[int, int]]:
    """Posts that nobody went on with for policy.draft_days, and discarded ones that still hold something."""
    return posts_older_than(home.db, now - timedelta(days=home.settings.policy.draft_days), BATCH)


def empty_draft(home: Home, post: tuple[int, int], *, now: datetime) -> None:
    """Discard one old draft with its photos, its text and who it showed. Files first, so that a crash leaves none."""
    post_id, account_id = post
    for blob_id in photos_of_post(home.db, post_id):
        erase_blob(home, blob_id, now)
    with write(home.db) as db:
        if empty_post(db, post_id):
            record_event(
                db,
                EventTag.POST_DISCARDED,
                actor=ACTOR,
                now=now,
                subject="post",
                subject_id=post_id,
                account_id=account_id,
            )


def forget_sign_ins(home: Home, now: datetime) -> int:
    with write(home.db) as db:
        return forget_id_tokens(db, now) + purge_signin(
            db,
            links=now - timedelta(days=LINK_DAYS),
            sessions=now - timedelta(days=SESSION_DAYS),
            failures=now - timedelta(days=FAILURE_DAYS),
        )


def forget_invitations(home: Home, now: datetime) -> int:
    """Invitations to the vault whose time is over: what they could have opened is overwritten."""
    with write(home.db) as db:
        over = [row for row in current_holders(db) if row.expires_at is not None and row.expires_at <= now]
        for row in over:
            end_holder(db, row.id, now)
        return len(over)


def forget_mail(home: Home, now: datetime) -> int:
    """Sent mail loses text and address; mail that could not be sent for two weeks is given up first."""
    with write(home.db) as db:
        stale = stale_mail(db, now - timedelta(days=UNSENT_MAIL_DAYS))
        for mail_id in stale:
            give_up_mail(db, mail_id, now, "It could not be sent for two weeks.")
            record_event(db, EventTag.MAIL_FAILED, actor=ACTOR, now=now, subject="mail", subject_id=mail_id)
        return len(stale) + purge_mail(db, now - timedelta(days=MAIL_DAYS))


def forget_notices(home: Home, now: datetime) -> int:
    with write(home.db) as db:
        return purge_notices(db, now - timedelta(days=NOTICE_DAYS))


def sweep_files(home: Home, now: datetime) -> int:
    """Files that no row names any more, and what was deleted from the database but stands in its journal."""
    truncate_wal(home.db)
    return sweep_blobs(home)


RETENTION: Mapping[str, Callable[[Home, datetime], int]] = {
    "sign-ins": forget_sign_ins,
    "invitations": forget_invitations,
    "mail": forget_mail,
    "notices": forget_notices,
    "uploads": forget_uploads,
    "files": sweep_files,
    "refusals": ask_again,  # what a platform was found not to offer is tried again after a while
}
