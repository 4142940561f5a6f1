"""Fingerprints that an earlier version kept are stretched, in place and without opening a deposit (SEC203).

Until then whoever holds the keyring and the database tries hundreds of thousands of guesses a second against them;
afterwards about six (docs/decisions/0012-deposits.md). It takes a sixth of a second each, so a share of them a pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.store import fingerprints as store
from socialgov.store.connect import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlite_utils import Database

    from socialgov.home import Home

SHARE = 60  # a pass: ten seconds of it, so that nothing else waits for long


def to_stretch(home: Home) -> list[str]:
    """A share of those that are still as an earlier version made them. Empty: all are stretched."""
    return store.quick_fingerprints(home.db, SHARE)


def stretch(home: Home, quick: str) -> None:
    """One of them, in every deposit that has it, so that at no moment two deposits cease to be alike."""
    new = home.escrow.stretched(quick)
    with write(home.db) as db:
        store.replace_fingerprint(db, quick, new)


def bring_along(home: Home, db: Database, secret: str, fingerprints: Sequence[str]) -> None:
    """Where an earlier version's fingerprint of this secret is kept, put it in place of that: a new deposit is compared
    with the old ones before all of them are stretched. Call inside `write()`; nothing is stretched here."""
    quick = home.escrow.quick_fingerprints(secret)
    if store.any_of(db, quick):
        for old, new in zip(quick, fingerprints, strict=True):
            store.replace_fingerprint(db, old, new)
