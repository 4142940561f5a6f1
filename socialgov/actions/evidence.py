"""Look at a screenshot, or take the export file of a platform: those who look are logged too (OVS806)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.actions.blobs import read_blob
from socialgov.errors import NotFound
from socialgov.permissions import check_can_view_account, check_can_view_posts
from socialgov.store import record_event, write
from socialgov.store.accounts import account_by_id
from socialgov.store.blobs import blob_by_id
from socialgov.store.events import EventTag, actor_of

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Staff

EVIDENCE = ("screenshot", "avatar", "export")
POST_EVIDENCE = "post"  # shows a post as it is out, and so the children in it


def see_evidence(home: Home, actor: Staff, account_id: int, blob_id: int, *, now: datetime) -> tuple[bytes, str]:
    """A screenshot of this account and its MIME type; the look is committed to the log before it is opened.

    One that shows a post is for those who may see the account's posts. Raises NotPermitted, and NotFound for another
    account's file, a photo of a post, or one that was erased.
    """
    account = account_by_id(home.db, account_id)
    check_can_view_account(actor, account)
    blob = blob_by_id(home.db, blob_id)
    if blob.account_id != account_id or blob.purpose not in (*EVIDENCE, POST_EVIDENCE) or blob.erased_at is not None:
        raise NotFound("This screenshot is not there any more.", "It goes when the account is closed.")
    if blob.purpose == POST_EVIDENCE:
        check_can_view_posts(actor, account)
    with write(home.db) as db:
        record_event(
            db,
            EventTag.EVIDENCE_SEEN,
            actor=actor_of(actor.id),
            now=now,
            subject="blob",
            subject_id=blob_id,
            account_id=account_id,
        )
    return read_blob(home, blob_id)
