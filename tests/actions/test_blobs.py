"""Blobs: sealed, proven, erased, and whatever a crash leaves over is swept."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from factories import NOW

from socialgov.actions import blobs
from socialgov.actions.blobs import ORPHAN_AFTER_SECONDS, erase_blob, read_blob, save_blob, sweep_blobs
from socialgov.errors import EscrowError, NotFound, StoreError
from socialgov.home import Home
from socialgov.store import write
from socialgov.store.blobs import blob_by_id

PHOTO = b"\x89PNG not really a photo" * 100


def save(home: Home, content: bytes = PHOTO, **more: object) -> int:
    values = {"mime": "image/png", "purpose": "screenshot", "account_id": None, "made_by": None, "now": NOW, **more}
    return save_blob(home, content, **values)


def files(home: Home) -> list[Path]:
    return sorted(path for path in (home.path / "blobs").glob("*/*"))


def age(path: Path) -> None:
    then = path.stat().st_mtime - ORPHAN_AFTER_SECONDS - 60
    os.utime(path, (then, then))


def test_what_was_saved_is_read_back_and_proves_itself(home: Home) -> None:
    blob_id = save(home)
    assert read_blob(home, blob_id) == (PHOTO, "image/png")
    assert blob_by_id(home.db, blob_id).size == len(PHOTO)


def test_the_file_shows_nothing_of_its_content_and_is_its_owners_alone(home: Home) -> None:
    save(home)
    (path,) = files(home)
    assert b"PNG" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.parent.name == path.name[:2]


def test_the_same_photo_twice_is_two_files_so_that_erasing_one_leaves_the_other(home: Home) -> None:
    first, second = save(home), save(home)
    assert len(files(home)) == 2
    erase_blob(home, first, NOW)
    assert read_blob(home, second) == (PHOTO, "image/png")


def test_a_changed_file_does_not_open(home: Home) -> None:
    blob_id = save(home)
    (path,) = files(home)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(EscrowError):
        read_blob(home, blob_id)


def test_two_files_that_were_swapped_do_not_pass_for_each_other(home: Home) -> None:
    first, second = save(home, b"first"), save(home, b"second")
    names = {blob: home.path / "blobs" / row.name[:2] / row.name for blob in (first, second)
             for row in [blob_by_id(home.db, blob)]}  # fmt: skip
    one, other = names[first].read_bytes(), names[second].read_bytes()
    names[first].write_bytes(other)
    names[second].write_bytes(one)
    for blob_id in (first, second):
        with pytest.raises(EscrowError):
            read_blob(home, blob_id)


def test_a_photo_is_not_passed_off_as_another_accounts_screenshot(home: Home) -> None:
    """Moving the row to another account or purpose breaks the seal."""
    blob_id = save(home)
    for change in ("account_id = 7", "account_id = null, purpose = 'photo'"):
        with write(home.db) as db:
            db.execute(f"update blob set {change} where id = ?", (blob_id,))
        with pytest.raises(EscrowError):
            read_blob(home, blob_id)


def test_an_erased_blob_is_gone_from_the_disk_and_says_so(home: Home) -> None:
    blob_id = save(home)
    erase_blob(home, blob_id, NOW)
    assert files(home) == []
    with pytest.raises(NotFound, match="erased"):
        read_blob(home, blob_id)
    erase_blob(home, blob_id, NOW)
    assert blob_by_id(home.db, blob_id).erased_at == NOW


def test_a_lost_file_is_told_from_an_erased_one(home: Home) -> None:
    blob_id = save(home)
    files(home)[0].unlink()
    with pytest.raises(StoreError, match="lost"):
        read_blob(home, blob_id)
    with pytest.raises(NotFound):
        read_blob(home, 999)


def test_a_full_disk_is_one_sentence_and_leaves_no_row(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(blobs.os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        save(home)
    assert home.db.execute("select count(*) from blob").fetchone()[0] == 0


def test_the_file_is_on_the_disk_before_its_row_exists(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    order = []
    sync, insert = os.fsync, blobs.insert
    monkeypatch.setattr(blobs.os, "fsync", lambda fd: (order.append("sync"), sync(fd))[1])
    monkeypatch.setattr(blobs, "insert", lambda *args: (order.append("row"), insert(*args))[1])
    save(home)
    assert order == ["sync", "sync", "sync", "row"]


def test_erasing_inside_a_transaction_that_fails_keeps_the_file(home: Home) -> None:
    blob_id = save(home)
    with pytest.raises(RuntimeError), write(home.db):
        erase_blob(home, blob_id, NOW)
        raise RuntimeError("something later went wrong")
    assert read_blob(home, blob_id) == (PHOTO, "image/png")


def test_erasing_inside_a_transaction_leaves_the_file_to_the_sweep(home: Home) -> None:
    blob_id = save(home)
    with write(home.db):
        erase_blob(home, blob_id, NOW)
    (path,) = files(home)
    assert sweep_blobs(home) == 1
    assert not path.exists()


def test_the_sweep_takes_orphans_after_a_day_and_nothing_else(home: Home) -> None:
    blob_id = save(home)
    (kept,) = files(home)
    age(kept)
    for name, old in (("ab" * 32, True), (f".{'cd' * 32}.1234abcd", True), ("ef" * 32, False)):
        path = home.path / "blobs" / name.strip(".")[:2] / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"left by a crash")
        if old:
            age(path)
    assert sweep_blobs(home) == 2
    assert [path.name[:2] for path in files(home)] == sorted([kept.name[:2], "ef"])
    assert read_blob(home, blob_id) == (PHOTO, "image/png")


def test_a_home_without_blobs_has_nothing_to_sweep(home: Home) -> None:
    assert sweep_blobs(home) == 0
