"""Photos and screenshots, sealed in files named by the hash of their sealed bytes (SAF902, DAT001).

A file is on the disk for good before its row exists, and its row says `erased` before the file goes: whatever a crash
leaves over is a file without a living row, and `sweep_blobs` takes it away.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from socialgov.errors import EscrowError, NotFound, StoreError
from socialgov.escrow.school_key import BY_SCHOOL_KEY, FRONT
from socialgov.store import guarded_update, write
from socialgov.store.blobs import blob_by_id, blob_names
from socialgov.store.connect import insert, key_changed
from socialgov.store.vault import key_in_force

if TYPE_CHECKING:
    from socialgov.home import Home
    from socialgov.store.blobs import Blob

ORPHAN_AFTER_SECONDS = 24 * 3600  # an upload in progress has a file and no row yet


def save_blob(
    home: Home,
    content: bytes,
    *,
    mime: str,
    purpose: str,
    account_id: int | None,
    made_by: int | None,
    now: datetime,
) -> int:
    """Seal `content` into a file, then enter it; returns the blob's id. Raises StoreError when the disk refuses.

    `purpose` is one word (screenshot, photo, avatar) and is bound into the seal, as the account is.
    """
    escrow = home.escrow
    sealed = escrow.seal(content, account=_bound_to(account_id), field=f"blob:{purpose}", version=1)
    name = hashlib.sha256(sealed).hexdigest()
    try:
        _put(_path(home, name), sealed)
    except OSError as error:
        raise StoreError(f"The file was not saved: {error.strerror}.", "Free some space and try again.") from None
    row = {
        "name": name,
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "mime": mime,
        "purpose": purpose,
        "account_id": account_id,
        "made_by": made_by,
        "made_at": now,
    }
    with write(home.db) as db:
        if key_in_force(db) not in (None, escrow.key_id):  # rotated since it was sealed; the file is swept away
            raise key_changed()
        return insert(db, "blob", row)


def read_blob(home: Home, blob_id: int) -> tuple[bytes, str]:
    """Content and MIME type. NotFound when erased, StoreError when lost, EscrowError when changed."""
    blob = blob_by_id(home.db, blob_id)
    if blob.erased_at is not None:
        raise NotFound("This file was erased.", "The log tells when.")
    sealed = _sealed(home, blob)
    content = home.escrow.open(sealed, account=_bound_to(blob.account_id), field=f"blob:{blob.purpose}", version=1)
    if hashlib.sha256(content).hexdigest() != blob.content_sha256:
        raise EscrowError("This file is not the one that was given in.", "Restore it from the newest backup.")
    return content, blob.mime


def _sealed(home: Home, blob: Blob) -> bytes:
    """The file; where the school's key was changed since it was written, its front is in the row (0010-vault.md)."""
    try:
        sealed = _path(home, blob.name).read_bytes()
    except OSError:
        raise StoreError("This file is lost from the disk.", "Restore it from the newest backup.") from None
    return blob.wrapped + sealed[len(blob.wrapped) :] if blob.wrapped else sealed


def front_of_blob(home: Home, name: str) -> bytes | None:
    """The front of a blob's file, which says under which key it is; None where the file is lost."""
    try:
        with _path(home, name).open("rb") as file:
            return file.read(FRONT[BY_SCHOOL_KEY])
    except OSError:
        return None


def erase_blob(home: Home, blob_id: int, now: datetime) -> None:
    """Erase for good; already erased is success. Inside a caller's transaction the file goes with the next sweep."""
    outer = home.db.conn.in_transaction
    with write(home.db) as db:
        blob = blob_by_id(db, blob_id)
        if blob.erased_at is None:
            guarded_update(db, "blob", blob_id, {"erased_at": now, "wrapped": None}, where={"erased_at": None})
    if not outer:  # the outer transaction may still be rolled back, and the file is needed then
        _path(home, blob.name).unlink(missing_ok=True)


def sweep_blobs(home: Home) -> int:
    """Delete files that no living row names: erased ones at once, unknown ones after a day. Returns how many."""
    folder = home.path / "blobs"
    if not folder.is_dir():
        return 0
    known, swept = blob_names(home.db), 0
    clock = folder / f".clock-{secrets.token_hex(4)}"
    clock.touch()  # the disk's own clock: `now` may be a demonstration's
    oldest = clock.stat().st_mtime - ORPHAN_AFTER_SECONDS
    clock.unlink()
    for path in folder.glob("*/*"):
        kept = known.get(path.name)
        if kept is False or (kept is None and path.stat().st_mtime < oldest):
            path.unlink(missing_ok=True)
            swept += 1
    return swept


def _bound_to(account_id: int | None) -> str:
    return "school" if account_id is None else str(account_id)


def _path(home: Home, name: str) -> Path:
    return home.path / "blobs" / name[:2] / name


def _put(path: Path, content: bytes) -> None:
    """Write beside, sync, rename, sync the folder: after this a power cut does not lose it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    for folder in (path.parent, path.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
