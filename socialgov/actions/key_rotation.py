"""The school's key is changed: every sealed record is taken over to a new one, in one transaction (0010-vault.md).

Three steps, each of which can be killed and gone on from. The next key is put into the keyring beside the one in
force; one transaction writes the front of every record anew and says which key is in force; the old key leaves the
keyring. A process that starts in between finds both keys and takes the one in force; one that runs opens the new one
at its next request (`Home.refresh`), and what it sealed under the old one meanwhile is refused by the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from socialgov.actions.recovery import Keep, keep_new_set
from socialgov.actions.sealed_places import take_over
from socialgov.actions.vault import tell_managers_and_heads, vault_key
from socialgov.errors import Conflict, EscrowError
from socialgov.escrow import (
    Recovery,
    drop_old_key,
    make_vault_key,
    renewed_recovery,
    stage_next_key,
)
from socialgov.escrow.school_key import TO_VAULT
from socialgov.store import vault as store
from socialgov.store.connect import key_changed, write
from socialgov.store.events import EventTag, record_event

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.actions.sealed_places import Found
    from socialgov.escrow import Escrow, OpenVault
    from socialgov.home import Home
    from socialgov.store.sealed import SealedRow


@dataclass(frozen=True, slots=True)
class Change:
    """What is changed besides the school's key.

    `opened`: the vault, opened with a manager's passphrase; needed for the others. `new_vault`: its key pair too.
    `keep_sheets`: new recovery sheets, given to it. `leave_damaged`: go on although some records do not open.
    """

    opened: OpenVault | None = None
    new_vault: bool = False
    keep_sheets: Keep | None = field(default=None, repr=False)
    leave_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Rotated:
    """`found` None: a rotation that was interrupted was finished, and nothing else was done."""

    key_id: str
    found: Found | None


def rotate_key(home: Home, change: Change, *, now: datetime) -> Rotated:
    """Change the school's key, or finish an earlier change that was interrupted.

    Raises EscrowError where records do not open and `leave_damaged` is not set, Conflict where somebody else changed
    the key meanwhile; then nothing was changed but that a next key waits in the keyring.
    """
    to = stage_next_key(home.path, home.settings)
    found = None
    if to.key_id != store.key_in_force(home.db):
        found = take_over_all(home, to, change, now=now)
    drop_old_key(home.path, home.settings, to.key_id)
    home.refresh()
    return Rotated(to.key_id, found)


def take_over_all(home: Home, to: Escrow, change: Change, *, now: datetime) -> Found:
    """Every record under `to`, which is in force from then on: one transaction, all of it or nothing."""
    old = home.escrow
    with write(home.db) as db:
        if store.key_in_force(db) not in (None, old.key_id):
            raise key_changed()
        opened, following = _vaults(home, db, change)
        store.set_key_in_force(db, to.key_id)  # first, so that the triggers hold every record against it
        store.end_openings(db, now)
        found = take_over(home, db, lambda row: _anew(to, old, opened, following, row))
        if found.damaged and not change.leave_damaged:
            raise _damaged(found)
        if opened is not None and following is not None:
            _change_vault(db, to, opened, following, now)
        _renew_recovery(home, db, to, following or opened, change, now)
        data = {"from": old.key_id, "to": to.key_id, "records": found.count, "damaged": len(found.damaged)}
        record_event(db, EventTag.SCHOOL_KEY_ROTATED, actor="cli", now=now, subject="school", data=data)
        text = "The school's key was changed. Backups from before open with the key file or the sheets of their time."
        tell_managers_and_heads(db, "key_rotated", text, now, key=to.key_id)
    return found


def _vaults(home: Home, db: Database, change: Change) -> tuple[OpenVault | None, OpenVault | None]:
    """The vault as it is and, where it is to be changed, the one that follows."""
    if change.opened is None:
        if change.new_vault or change.keep_sheets:
            raise EscrowError("For this the vault must be opened.", "Give a network manager's vault passphrase.")
        return None, None
    if change.opened.key_id != vault_key(home, db).key_id:
        raise Conflict("The vault's key was changed a moment ago.", "Begin again.")
    return change.opened, make_vault_key() if change.new_vault else None


def _anew(to: Escrow, old: Escrow, opened: OpenVault | None, following: OpenVault | None, row: SealedRow) -> bytes:
    """One record under the new key and, where the vault is changed too, to its next key."""
    moved = to.rewrap(row.sealed, old, **row.bound)
    if opened is not None and following is not None and moved[2] == TO_VAULT:
        return to.reseal(moved, opened, following.public, **row.bound)
    return moved


def _change_vault(db: Database, to: Escrow, opened: OpenVault, following: OpenVault, now: datetime) -> None:
    """The next key pair in place of this one. Holders keep their passphrases: it is sealed to their public keys."""
    row = store.current_vault_key(db)
    assert row is not None  # it was compared with the opened one
    store.retire_vault_key(db, row.id, now)
    public = following.public.public
    key_id = store.insert_vault_key(db, key_id=following.key_id, public_key=public, proof=to.proof_of(public), now=now)
    for holder in store.current_holders(db):
        if holder.sealed_public is None:
            continue
        holder_public = to.open(holder.sealed_public, account="vault", field="public", version=holder.id)
        wrapped = following.wrapped_for(to, holder_public, holder.id)
        store.move_holder(db, holder.id, wrapped=wrapped, vault_key_id=key_id)
    data = {"from": opened.key_id, "to": following.key_id}
    record_event(db, EventTag.VAULT_ROTATED, actor="cli", now=now, subject="vault", subject_id=key_id, data=data)


def _renew_recovery(
    home: Home, db: Database, to: Escrow, opened: OpenVault | None, change: Change, now: datetime
) -> None:
    """The recovery set follows: new sheets where they are asked for, else the same sheets open the new key."""
    row = store.current_recovery(db)
    if change.keep_sheets is not None and opened is not None:
        keep_new_set(home, db, to, opened, Recovery.new(), change.keep_sheets, now=now)
    elif row is not None and opened is not None:
        store.keep_recovery(db, row.id, opened.recovery_of(to, row.public_key, row.proof))
    elif row is not None:
        store.keep_recovery(db, row.id, renewed_recovery(to, row.public_key, row.proof, row.sealed))


def _damaged(found: Found) -> EscrowError:
    some = ", ".join(found.damaged[:5]) + (" …" if len(found.damaged) > 5 else "")
    return EscrowError(
        f"{len(found.damaged)} sealed records do not open ({some}), so nothing was changed.",
        "Restore them from a backup; or go on without them, as they open nowhere: --leave-damaged.",
    )
