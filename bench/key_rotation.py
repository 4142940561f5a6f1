"""What the rotation of the school's key costs for 10,000 records, against re-wrapping them barely.

Ours is the whole transaction of `socialgov escrow rotate-key`: every place, the log, the recovery set, the notices. The
bare side reads the same 10,000 rows with sqlite3, opens and seals each wrapped data key with AES-GCM alone, writes the
rows back, and commits. Half of the records are passwords of the vault, half the machine's own tokens.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.lines import ESCROW, NOW, median_ratio, report, school_with_accounts
from socialgov.actions.key_rotation import Change, take_over_all
from socialgov.actions.vault import vault_key
from socialgov.home import Home
from socialgov.store.connect import write
from socialgov.store.rows import moment_text

RECORDS, LIMIT = 10_000, 3.0
BOUND = bytes(96)
FRONTS = {"password": (19, 19 + 108), "api_token": (11, 11 + 60)}  # where the wrapped data key begins and ends


def school(root: Path) -> Home:
    home = school_with_accounts(root, RECORDS // 2)
    vault, text = vault_key(home), moment_text(NOW)
    rows: list[tuple[Any, ...]] = []
    for row_id, (account, kind) in enumerate(
        ((account, kind) for account in range(1, RECORDS // 2 + 1) for kind in FRONTS), 1
    ):
        place = {"account": str(account), "field": kind, "version": row_id}
        secret = b"correct horse battery staple"
        sealed = (
            home.escrow.seal_to(vault, secret, **place) if kind == "password" else home.escrow.seal(secret, **place)
        )
        rows.append((row_id, account, kind, sealed, text, text))
    with write(home.db) as db:
        db.conn.executemany(
            "insert into credential (id, account_id, kind, username, sealed, strength, problems, deposited_at,"
            " secret_at) values (?, ?, ?, 'u', ?, 4, '[]', ?, ?)",
            rows,
        )
    home.db.conn.execute("pragma wal_checkpoint(truncate)")
    home.db.close()
    return home


def bare_front(sealed: bytes, kind: str, key: AESGCM) -> bytes:
    """The record with a front that the bare side can open: the same number of bytes under a key of its own."""
    start, end = FRONTS[kind]
    nonce = secrets.token_bytes(12)
    return sealed[:start] + nonce + key.encrypt(nonce, bytes(end - start - 28), BOUND) + sealed[end:]


def timed_ours(template: Home, place: Path) -> float:
    shutil.copytree(template.path, place)
    home = Home(place, template.settings, template.escrow, template.clock)
    home.db.execute("select count(*), max(username) from credential").fetchone()
    to = ESCROW.with_next_key(secrets.token_bytes(32))
    begun = time.perf_counter()
    found = take_over_all(home, to, Change(), now=NOW)
    taken = time.perf_counter() - begun
    assert found.by_place["credential.sealed"] == RECORDS
    home.db.close()
    shutil.rmtree(place)
    return taken


def timed_bare(template: Home, place: Path) -> float:
    shutil.copytree(template.path, place)
    conn = sqlite3.connect(place / "school.db", isolation_level=None)
    old, new = AESGCM(secrets.token_bytes(32)), AESGCM(secrets.token_bytes(32))
    conn.execute("drop trigger credential_key_in_force")
    for pragma in ("journal_mode=wal", "synchronous=full", "secure_delete=on"):
        conn.execute(f"pragma {pragma}")
    rows = conn.execute("select id, kind, sealed from credential").fetchall()
    conn.execute("BEGIN")
    conn.executemany("update credential set sealed = ? where id = ?", [(bare_front(s, k, old), i) for i, k, s in rows])
    conn.execute("COMMIT")
    begun = time.perf_counter()
    conn.execute("BEGIN IMMEDIATE")
    changed = []
    for row_id, kind, sealed in conn.execute("select id, kind, sealed from credential").fetchall():
        start, end = FRONTS[kind]
        inner = old.decrypt(sealed[start : start + 12], sealed[start + 12 : end], BOUND)
        nonce = secrets.token_bytes(12)
        changed.append((sealed[:start] + nonce + new.encrypt(nonce, inner, BOUND) + sealed[end:], row_id))
    conn.executemany("update credential set sealed = ? where id = ?", changed)
    conn.execute("COMMIT")
    taken = time.perf_counter() - begun
    conn.close()
    shutil.rmtree(place)
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        template, numbers = school(Path(folder) / "template"), count()
        ratio = median_ratio(
            lambda: timed_ours(template, Path(folder) / f"ours{next(numbers)}"),
            lambda: timed_bare(template, Path(folder) / f"bare{next(numbers)}"),
        )
    report("key_rotation", ratio, "x", LIMIT)


if __name__ == "__main__":
    main()
