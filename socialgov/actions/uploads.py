"""A file between its dry run and the confirmation: sealed, its sender's only, and gone after a day (DAT001)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov.actions.blobs import erase_blob, read_blob, save_blob
from socialgov.errors import NotFound
from socialgov.permissions import check_can_import
from socialgov.store.blobs import blob_by_id, blobs_before

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Staff

PURPOSE = "import"
KEPT = timedelta(days=1)


def keep_upload(home: Home, actor: Staff, content: bytes, *, now: datetime) -> int:
    """Keep a file for its confirmation; those that nobody confirmed in time go. Returns its number."""
    check_can_import(actor)
    forget_uploads(home, now)
    return save_blob(home, content, mime="text/csv", purpose=PURPOSE, account_id=None, made_by=actor.id, now=now)


def read_upload(home: Home, actor: Staff, upload_id: int) -> bytes:
    """The file's bytes, for the one who sent it. Raises NotFound for anybody else's, or once it is erased."""
    check_can_import(actor)
    blob = blob_by_id(home.db, upload_id)
    if blob.purpose != PURPOSE or blob.made_by != actor.id or blob.erased_at is not None:
        raise NotFound("There is no such file waiting.", "Choose the file again.")
    return read_blob(home, upload_id)[0]


def forget_upload(home: Home, actor: Staff, upload_id: int, *, now: datetime) -> None:
    """Erase the file: it was applied, or is not wanted."""
    read_upload(home, actor, upload_id)
    erase_blob(home, upload_id, now)


def forget_uploads(home: Home, now: datetime) -> int:
    """Erase what nobody confirmed within a day; returns how many files went."""
    old = blobs_before(home.db, PURPOSE, now - KEPT)
    for blob in old:
        erase_blob(home, blob.id, now)
    return len(old)
