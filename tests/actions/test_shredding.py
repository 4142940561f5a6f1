"""What deleting reaches and what it does not: each promise of docs/decisions/0010-vault.md, and one of its limits."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from factories import NOW, sheets_of
from sealed_school import Records, account_of, add_blob, add_credential, add_one_of_each, assert_all_open, opened_by
from test_key_rotation import rotated, under

from socialgov.actions.blobs import erase_blob
from socialgov.actions.credentials import destroy_credentials
from socialgov.actions.recovery import drill, join_sheets
from socialgov.actions.retention import RETENTION
from socialgov.actions.unsealing import unseal
from socialgov.errors import EscrowError
from socialgov.home import Home
from socialgov.models import CredentialKind
from socialgov.store.connect import connect
from socialgov.store.rows import scalar


def everything_in(home: Home) -> bytes:
    return b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())


def test_a_destroyed_deposit_stands_in_no_byte_of_the_database_after_the_clean_up(home: Home) -> None:
    account = account_of(home)
    row_id = add_credential(home, Records(), account.id, CredentialKind.PASSWORD, "to be destroyed")
    sealed = scalar(home.db, "select sealed from credential where id = ?", (row_id,))
    home.db.execute("pragma wal_checkpoint(truncate)")
    assert sealed in everything_in(home)
    destroy_credentials(home, account.id, now=NOW, actor="cli")
    RETENTION["files"](home, NOW)
    left = everything_in(home)
    assert sealed not in left
    assert sealed[127:] not in left


def test_after_a_rotation_a_deleted_photo_opens_with_nothing_on_this_machine(home: Home) -> None:
    records = Records()
    blob_id = add_blob(home, records, b"a photo that was deleted")
    path = next((home.path / "blobs").glob("*/*"))
    undeleted = path.read_bytes()  # as its blocks are still on the disk
    assert hashlib.sha256(undeleted).hexdigest() == path.name
    erase_blob(home, blob_id, NOW)
    place = {"account": "school", "field": "blob:photo", "version": 1}
    assert home.escrow.open(undeleted, **place) == b"a photo that was deleted"
    after = rotated(home)
    with pytest.raises(EscrowError, match="another key"):
        after.escrow.open(undeleted, **place)
    recovered = join_sheets(after.db, after.settings.school_id, sheets_of(home)[:2]).escrow
    with pytest.raises(EscrowError, match="another key"):
        recovered.open(undeleted, **place)


def test_a_photo_deleted_after_a_rotation_loses_the_front_that_opened_it(home: Home) -> None:
    blob_id = add_blob(home, Records(), b"a photo")
    after = rotated(home)
    front = scalar(after.db, "select wrapped from blob where id = ?", (blob_id,))
    assert front is not None
    erase_blob(after, blob_id, NOW)
    RETENTION["files"](after, NOW)
    assert front not in everything_in(after)


def test_an_old_private_half_opens_nothing_that_was_deposited_after_a_change_of_the_vault(home: Home) -> None:
    account, copied = account_of(home), opened_by(home)
    after = rotated(home, opened=opened_by(home), new_vault=True)
    row_id = add_credential(after, Records(), account.id, CredentialKind.PASSWORD, "deposited since")
    sealed = scalar(after.db, "select sealed from credential where id = ?", (row_id,))
    with pytest.raises(EscrowError, match="another vault"):
        unseal(after, account.id, CredentialKind.PASSWORD, row_id, sealed, copied)


def test_an_old_backup_opens_with_what_was_good_when_it_was_made(home: Home, tmp_path: Path) -> None:
    """The limit that the documentation tells of: only deleting the backup, or burning its sheets, ends this."""
    records, kept = Records(), []
    add_one_of_each(home, records)
    home.db.execute("pragma wal_checkpoint(truncate)")
    backup = tmp_path / "backup"
    shutil.copytree(home.path, backup)
    after = rotated(home, opened=opened_by(home), new_vault=True, keep_sheets=kept.append)
    assert drill(after, kept[0].sheets[:2], now=NOW).found.whole
    old = join_sheets(connect(backup / "school.db"), home.settings.school_id, sheets_of(home)[:2])
    assert_all_open(under(Home(backup, home.settings, old.escrow), old.escrow), records, old.opened)
