"""Recovery: three sheets of paper of which two open everything, and a backup that they open (0010-vault.md).

Whoever runs the command line of the school's machine does this, at that machine and with the paper in hand. Every use
of the sheets is an event and is told to network managers and heads. Sheets are never kept, and nothing that they
could open is shown: a drill opens the fronts of records in memory and forgets them.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from socialgov.actions import throttle
from socialgov.actions.sealed_places import check_all
from socialgov.actions.staff import make_network_manager
from socialgov.actions.vault import (
    WRONG,
    Invitation,
    keep_recovery_set,
    let_in,
    make_vault,
    refused,
    tell_managers_and_heads,
    vault_key,
)
from socialgov.config import load_settings
from socialgov.errors import Conflict, EscrowError, InvalidInput, NotFound
from socialgov.escrow import Holder, Recovery, replace_key
from socialgov.escrow.shares import join_shares, split_secret
from socialgov.escrow.vault import vault_key_of
from socialgov.home import Home
from socialgov.models import CredentialKind, Role
from socialgov.store import vault as store
from socialgov.store.connect import migrate, write
from socialgov.store.events import EventTag, record_event
from socialgov.store.sealed import CREDENTIALS, deposits_in_vault, keep_sealed_rows, sealed_rows
from socialgov.store.staff import staff_by_email

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.actions.sealed_places import Found
    from socialgov.escrow import Escrow, OpenVault
    from socialgov.models import Staff

FIRST_DRILL_DAYS = 30  # after the sheets were made: a sheet that cannot be read is best found while there are others
REMIND_AGAIN_DAYS = 30
_OTHER_SET = "One of the sheets belongs to an older set, or to another school."


@dataclass(frozen=True, slots=True)
class SheetSet:
    """Three sheets to be printed, of which any two recover the school. Shown once and kept nowhere."""

    number: int
    school: str
    made_at: datetime
    sheets: tuple[str, ...] = field(repr=False)


Keep = Callable[[SheetSet], None]  # puts the sheets where they are printed from; called before anything counts


@dataclass(frozen=True, slots=True)
class Made:
    """The code of the first network manager, shown once, and how many older deposits the vault took over."""

    code: str = field(repr=False)
    taken_over: int


# --------------------------------------------------------------------------------------------------- the vault, sheets


def make(home: Home, manager: Staff, keep: Keep, *, now: datetime) -> Made:
    """Make the vault of a home that has none, hand it every password, and give its sheets to `keep` before it counts.

    Once more where nobody ever joined and nothing is deposited: whoever was to be shown code and sheets never saw
    them. Raises Conflict for a vault that is in use, InvalidInput for somebody who is no network manager.
    """
    _check_manager(manager)
    invitation = Invitation.new()
    with write(home.db) as db:
        _clear_unused(db, now)
        store.set_key_in_force(db, home.escrow.key_id)
        made = make_vault(home, manager.id, now=now, invitation=invitation)
        taken_over = _hand_over(home, db)
        keep(_sheet_set(home, db, made.sheets, now))
    return Made(made.code, taken_over)


def _clear_unused(db: Database, now: datetime) -> None:
    row = store.current_vault_key(db)
    if row is None:
        return
    if store.anybody_joined(db) or deposits_in_vault(db):
        raise Conflict(
            "This school has a vault, and it is in use.",
            "A network manager lets others in; when none can: `socialgov escrow invite` with two sheets.",
        )
    for holder in store.current_holders(db):
        store.end_holder(db, holder.id, now)
    store.retire_vault_key(db, row.id, now)


def _hand_over(home: Home, db: Database) -> int:
    """Passwords from before there was a vault: sealed to it, in memory and for the last time by the machine alone."""
    vault = vault_key(home, db)
    rows = [row for row in sealed_rows(db, CREDENTIALS) if CredentialKind(row.field).in_vault]
    moved = [(row.id, home.escrow.hand_to_vault(row.sealed, vault, **row.bound)) for row in rows]
    keep_sealed_rows(db, CREDENTIALS, moved)
    return len(moved)


def make_sheets(home: Home, opened: OpenVault, keep: Keep, *, now: datetime) -> int:
    """A new recovery set; the sheets of the one before are worth nothing from now on. Its number."""
    recovery = Recovery.new()
    with write(home.db) as db:
        if opened.key_id != vault_key(home, db).key_id:
            raise EscrowError("This opens an older vault.", "Restore the backup that belongs to it.")
        number = keep_new_set(home, db, home.escrow, opened, recovery, keep, now=now)
    return number


def keep_new_set(
    home: Home, db: Database, escrow: Escrow, opened: OpenVault, recovery: Recovery, keep: Keep, *, now: datetime
) -> int:
    """The set on record and its sheets given to `keep`. Inside `write()`."""
    number = keep_recovery_set(db, escrow, opened, recovery, actor="cli", now=now)
    text = f"New recovery sheets were made: set {number}. The sheets before are worth nothing any more."
    tell_managers_and_heads(db, "recovery_made", text, now, key=str(number))
    keep(_sheet_set(home, db, tuple(split_secret(recovery.secret)), now))
    return number


def _sheet_set(home: Home, db: Database, sheets: Sequence[str], now: datetime) -> SheetSet:
    row = store.current_recovery(db)
    assert row is not None  # made a moment ago, in this transaction
    return SheetSet(row.id, home.settings.school_name, now.astimezone(home.settings.zone), tuple(sheets))


def open_as(home: Home, manager: Staff, passphrase: str, *, now: datetime) -> OpenVault:
    """The vault, with this network manager's passphrase. Raises InvalidInput, Throttled, NotFound."""
    throttle.check_person(home, manager.id, now=now, of=throttle.PASSPHRASE)
    held = store.holder_of(home.db, manager.id, "manager")
    if held is None or held.wrapped is None:
        raise NotFound(f"{manager.name} has no vault passphrase.", "Name a network manager who has: --as.")
    try:
        return Holder(held.salt, held.cost).open(home.escrow, held.wrapped, passphrase, held.id)
    except EscrowError:
        refused(home, manager, now)
        raise InvalidInput(WRONG, mend="Try again.") from None


# --------------------------------------------------------------------------------------------------- with two sheets


@dataclass(frozen=True, slots=True)
class Joined:
    """What two sheets open: the set they are of, and the school's key and vault in memory."""

    set_id: int
    escrow: Escrow = field(repr=False)
    opened: OpenVault = field(repr=False)


def join_sheets(db: Database, school_id: str, sheets: Sequence[str]) -> Joined:
    """Two sheets, compared with the school's recovery set. Raises InvalidInput with `fields` sheet_1 and sheet_2."""
    row = store.current_recovery(db)
    if row is None:
        raise NotFound("This school has no recovery sheets.", "Make them: `socialgov escrow make`.")
    newest = f"Take sheets of set {row.id}, made on {row.made_at.day} {row.made_at:%B %Y}: the number stands on each."
    try:
        recovery = Recovery(join_shares(sheets))
    except InvalidInput as error:
        raise InvalidInput(error.message, error.fields, f"{error.mend} {newest}") from None
    if not hmac.compare_digest(recovery.check_value, row.check_value):
        raise InvalidInput("These sheets are not this school's newest.", {"sheet_2": _OTHER_SET}, newest)
    return Joined(row.id, *recovery.open(school_id, row.sealed))


@dataclass(frozen=True, slots=True)
class Drill:
    """How a rehearsal went: which set, and how many records the sheets would bring back."""

    set_id: int
    found: Found


def drill(home: Home, sheets: Sequence[str], *, now: datetime) -> Drill:
    """Rehearse the recovery: would these two sheets, with the database as it is, bring everything back?

    Joined, compared and tried in memory alone: the front of every record is opened and forgotten, no content is.
    Raises InvalidInput for sheets that do not, EscrowError where the recovery set holds another key or vault.
    """
    joined = _joined(home, sheets, now)
    found = check_all(home, home.db, joined.escrow, joined.opened)
    with write(home.db) as db:
        if found.whole:
            store.note_drilled(db, joined.set_id, now)
        data = {"records": found.count, "damaged": len(found.damaged), "lost": len(found.lost)}
        record_event(
            db, EventTag.RECOVERY_DRILLED, actor="cli", now=now, subject="vault", subject_id=joined.set_id, data=data
        )
        text = "The recovery was rehearsed with two of the sheets. Nothing was opened to be read."
        tell_managers_and_heads(db, "recovery_drilled", text, now, key=f"{joined.set_id}:{now}")
    return Drill(joined.set_id, found)


def invite_with_sheets(
    home: Home, sheets: Sequence[str], email: str, *, now: datetime, make_manager: bool = False
) -> str:
    """Let a network manager in when no other can: six words, shown once. Raises InvalidInput, NotFound.

    With `make_manager` anybody who works here, who is given that role: the only one who had it may be gone. That gives
    whoever is at the machine nothing new, as they could sign in as the one there is (`socialgov signin-link`).
    """
    _check_named(staff_by_email(home.db, email), email, make_manager)
    joined = _joined(home, sheets, now)
    return _let_in_with(home, joined, email, now, make_manager)


def recover(
    root: Path, sheets: Sequence[str], email: str, *, now: datetime, make_manager: bool = False
) -> tuple[Found, str]:
    """A backup and two sheets on a new machine: the school's key is put into this machine's keyring again.

    What would be damaged is told; the code lets the named network manager into the vault (`make_manager`: as
    `invite_with_sheets`). The passphrase of a key file is the one that is given now. Raises NotFound, InvalidInput,
    EscrowError, with the keyring as it was.
    """
    root = root.resolve()
    settings = load_settings(root)
    db = migrate(root / "school.db")
    try:
        joined = join_sheets(db, settings.school_id, sheets)
        row, in_force = store.current_vault_key(db), store.key_in_force(db) or settings.key_id
        if row is None:
            raise NotFound("This school has no vault yet.", "Restore a newer backup.")
        vault = vault_key_of(joined.escrow, row.public_key, row.proof, row.key_id)
        _check_holds(joined, settings.key_id, in_force, vault.key_id)
        _check_named(staff_by_email(db, email), email, make_manager)
    finally:
        db.close()
    home = Home(root, settings, joined.escrow)
    found = check_all(home, home.db, joined.escrow, joined.opened)
    if not found.count:
        raise EscrowError(
            "Nothing in this backup opens with what the sheets hold.", "Restore another backup: this one was changed."
        )
    replace_key(root, settings, joined.escrow)
    return found, _let_in_with(home, joined, email, now, make_manager)


def _let_in_with(home: Home, joined: Joined, email: str, now: datetime, make_manager: bool) -> str:
    invitation = Invitation.new()
    with write(home.db) as db:
        manager = _check_named(staff_by_email(db, email), email, make_manager)
        what = "let into the vault"
        if not manager.has(Role.NETWORK_MANAGER):
            manager = make_network_manager(db, manager, actor="cli", now=now)
            what = f"made network manager and {what}"
        record_event(db, EventTag.RECOVERY_USED, actor="cli", now=now, subject="vault", subject_id=joined.set_id)
        store.end_openings(db, now)
        let_in(db, home, joined.opened, invitation, manager.id, made_by=None, now=now)
        text = f"Two recovery sheets were used at the school's machine, and {manager.name} was {what}."
        tell_managers_and_heads(db, "recovery_used", text, now, key=f"{joined.set_id}:{now}")
    return invitation.code


def _joined(home: Home, sheets: Sequence[str], now: datetime) -> Joined:
    """Two sheets at the running school; ones that are refused are on its record. Raises as `drill` does."""
    try:
        joined = join_sheets(home.db, home.settings.school_id, sheets)
    except InvalidInput:
        with write(home.db) as db:
            record_event(db, EventTag.VAULT_REFUSED, actor="cli", now=now, subject="vault", data={"by": "sheets"})
        raise
    _check_holds(joined, home.escrow.identity, home.escrow.key_id, vault_key(home).key_id)
    return joined


def _check_holds(joined: Joined, identity: str, key_id: str, vault_key_id: str) -> None:
    """The recovery set must hold what the database was last written under. Raises EscrowError."""
    if (joined.escrow.identity, joined.escrow.key_id, joined.opened.key_id) != (identity, key_id, vault_key_id):
        raise EscrowError(
            "The recovery set holds another key than the database was last written under.",
            "Restore the newest backup; on the running school make new sheets: `socialgov escrow sheets`.",
        )


def _check_manager(staff: Staff) -> None:
    if not staff.has(Role.NETWORK_MANAGER):
        raise InvalidInput(f"{staff.name} is no network manager.", mend="Name somebody who is.")


def _check_named(staff: Staff | None, email: str, make_manager: bool) -> Staff:
    """Who is to be let in: a network manager, or with `make_manager` whoever works here."""
    if staff is None or not staff.current:
        raise NotFound(f"Nobody with the address {email} works here.", "Check it in the list of staff.")
    if not make_manager and not staff.has(Role.NETWORK_MANAGER):
        raise InvalidInput(
            f"{staff.name} is no network manager.",
            mend="Name somebody who is, or give them the role with the same command: --make-manager.",
        )
    return staff


# --------------------------------------------------------------------------------------------------- the reminder


def drill_due_at(home: Home) -> datetime | None:
    """When the recovery is to be rehearsed next; None where there are no sheets."""
    row = store.current_recovery(home.db)
    if row is None:
        return None
    if row.drilled_at is None:
        return row.made_at + timedelta(days=FIRST_DRILL_DAYS)
    return row.drilled_at + timedelta(days=home.settings.policy.drill_days)


def drill_is_due(home: Home, now: datetime) -> bool:
    due_at = drill_due_at(home)
    return due_at is not None and due_at <= now


def remind_to_drill(home: Home, *, now: datetime) -> None:
    """Tell network managers and heads that the rehearsal is due; again each month until it is done."""
    due_at = drill_due_at(home)
    if due_at is None or now < due_at:
        return
    months = (now - due_at).days // REMIND_AGAIN_DAYS
    text = (
        "The recovery of the vault is to be rehearsed. Take two of the three sheets to the school's machine and run "
        "`socialgov escrow drill`: it takes a few minutes and shows nothing."
    )
    with write(home.db) as db:
        tell_managers_and_heads(db, "recovery_drill", text, now, key=f"{home.today(due_at)}:{months}")
