"""Every sealed record of the school, for what concerns all of them: do they open, and taking them over to a new key.

store/sealed.py lists the places. The content of a record is never opened here: its front alone says whether it would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from socialgov.actions.blobs import front_of_blob
from socialgov.errors import EscrowError
from socialgov.escrow.school_key import BY_SCHOOL_KEY, FRONT, TO_VAULT
from socialgov.store.sealed import PLACES, SealedRow, keep_fronts, keep_sealed_rows, sealed_files, sealed_rows

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.escrow import Escrow, OpenVault
    from socialgov.home import Home

FILES = "blob.wrapped"  # where the front of a file lies once it is not its own any more


@dataclass
class Found:
    """What was gone through. `damaged`: place and row of what does not open; `lost`: blobs whose file is gone."""

    machine: int = 0
    vault: int = 0
    damaged: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    by_place: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.machine + self.vault

    @property
    def whole(self) -> bool:
        return not self.damaged and not self.lost

    def add(self, place: str, scheme: int) -> None:
        self.by_place[place] += 1
        if scheme == TO_VAULT:
            self.vault += 1
        else:
            self.machine += 1


def check_all(home: Home, db: Database, escrow: Escrow, opened: OpenVault | None = None) -> Found:
    """Open the front of every record with this key, and of the vault's with the `opened` vault; keep nothing of it."""
    found = Found()
    for place in PLACES:
        if place.lasting:
            for row in sealed_rows(db, place):
                _try(found, place.name, row, lambda row: escrow.check_front(row.sealed, opened, **row.bound))
    for file in _files(home, db, found):
        _try(found, FILES, file, lambda file: escrow.check_front(file.sealed, **file.bound))
    return found


def take_over(home: Home, db: Database, anew: Callable[[SealedRow], bytes]) -> Found:
    """Write the front of every lasting record anew, as `anew` makes it. Inside `write()`.

    What `anew` refuses with EscrowError is left as it is and told in `damaged`.
    """
    found = Found()
    for place in PLACES:
        if place.lasting:
            keep_sealed_rows(db, place, _renewed(found, place.name, sealed_rows(db, place), anew))
    keep_fronts(db, _renewed(found, FILES, _files(home, db, found), anew))
    return found


def _renewed(
    found: Found, name: str, rows: Iterable[SealedRow], anew: Callable[[SealedRow], bytes]
) -> Iterator[tuple[int, bytes]]:
    for row in rows:
        try:
            sealed = anew(row)
        except EscrowError:
            found.damaged.append(f"{name} {row.id}")
            continue
        found.add(name, sealed[2])
        yield row.id, sealed


def _try(found: Found, name: str, row: SealedRow, check: Callable[[SealedRow], int]) -> None:
    try:
        found.add(name, check(row))
    except EscrowError:
        found.damaged.append(f"{name} {row.id}")


def _files(home: Home, db: Database, found: Found) -> Iterator[SealedRow]:
    """The front of every kept blob, from its row or its file."""
    for file in sealed_files(db):
        front = file.wrapped or front_of_blob(home, file.name)
        if front is None:
            found.lost.append(f"blob {file.id}")
        else:
            yield SealedRow(file.id, front[: FRONT[BY_SCHOOL_KEY]], file.account, file.field, 1)
