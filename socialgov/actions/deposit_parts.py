"""What belongs to a login besides its password: recovery codes, the second factor's seed, notes. Sealed to the vault.

Each is a deposit of its own with its own versions. None leaves a fingerprint: a code of eight digits would be found
from its fingerprint by whoever holds the key to it (docs/decisions/0012-deposits.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.credentials import destroy_superseded
from socialgov.actions.deposits import need_depositable, seal
from socialgov.actions.findings import evaluate_account
from socialgov.actions.rotations import note_new_part
from socialgov.actions.unsealing import record
from socialgov.errors import Conflict, InvalidInput, NotFound
from socialgov.escrow.codes import code_at, read_seed
from socialgov.models import CredentialKind
from socialgov.store import credentials as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential, held_credentials
from socialgov.store.events import EventTag, actor_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Credential, Staff

__all__ = [
    "current_credential",
    "deposit_codes",
    "deposit_notes",
    "deposit_seed",
    "end_part",
    "held_credentials",
    "strike_code",
]

PARTS = frozenset({CredentialKind.RECOVERY_CODES, CredentialKind.SECOND_FACTOR, CredentialKind.NOTES})
MOST_CODES = 100
LONGEST_CODE = 64
LONGEST_SEED = 1_000
LONGEST_NOTES = 4_000
NOT_MEASURED = 4  # strength is a password's; what a platform or chance made up counts as strong
_NUMBERING = re.compile(r"[0-9]{1,3}[.):]\s+|[-*•]\s+")


@dataclass(frozen=True, slots=True)
class CodeNow:
    """The digits of a second factor at the moment of its deposit, to be compared with the phone; never the seed."""

    digits: str = field(repr=False)
    seconds_left: int


def deposit_codes(home: Home, actor: Staff, account_id: int, text: str, *, now: datetime) -> Credential:
    """Recovery codes, one a line, in place of those before; none of them is used yet.

    Raises InvalidInput (`codes`) that names the line at fault and never quotes it.
    """
    codes = read_codes(text)
    return _keep(home, actor, account_id, CredentialKind.RECOVERY_CODES, "\n".join(codes), now, codes=len(codes))


def deposit_seed(home: Home, actor: Staff, account_id: int, text: str, *, now: datetime) -> tuple[Credential, CodeNow]:
    """The seed of the account's second factor, as the platform shows it, and the code that it makes now.

    Raises InvalidInput (`seed`) for what makes no codes.
    """
    if len(text) > LONGEST_SEED:
        fault = "That is too long for the key of a second factor. Was something else pasted here?"
        raise InvalidInput("The second factor cannot be deposited as it is.", {"seed": fault})
    try:
        seed = read_seed(text)
    except InvalidInput as error:
        raise InvalidInput("The second factor cannot be deposited as it is.", {"seed": error.message}) from None
    digits, seconds = code_at(seed, now)
    return _keep(home, actor, account_id, CredentialKind.SECOND_FACTOR, text.strip(), now), CodeNow(digits, seconds)


def deposit_notes(home: Home, actor: Staff, account_id: int, text: str, *, now: datetime) -> Credential:
    """What else whoever holds the login must know. Raises InvalidInput (`notes`)."""
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not text:
        raise InvalidInput("There is nothing to deposit.", {"notes": "Enter the notes."})
    if len(text) > LONGEST_NOTES or not _can_be_kept(text):
        fault = f"Use {LONGEST_NOTES:,} characters or fewer, and nothing but text."
        raise InvalidInput("The notes cannot be deposited as they are.", {"notes": fault})
    return _keep(home, actor, account_id, CredentialKind.NOTES, text, now)


def strike_code(home: Home, actor: Staff, account_id: int, number: int, *, now: datetime) -> int:
    """Recovery code `number` (from 1, as deposited) was used and works no more; how many are left.

    Nothing is opened: the number stands beside the sealed list. Raises Conflict for one that was struck before.
    """
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_deposit(actor, account)
        need_depositable(account)
        kept = current_credential(db, account_id, CredentialKind.RECOVERY_CODES)
        if kept is None or kept.codes is None or not 1 <= number <= kept.codes:
            raise NotFound("There is no such recovery code.", "Choose from the list.")
        if number in kept.struck:
            raise Conflict("This recovery code was struck before.", "Look at the list once more.")
        struck = tuple(sorted((*kept.struck, number)))
        store.strike(db, kept, struck)
        data = {"number": number, "left": kept.codes - len(struck)}
        record(db, EventTag.RECOVERY_CODE_STRUCK, account, actor_of(actor.id), now, kept.id, data)
    return kept.codes - len(struck)


def end_part(home: Home, actor: Staff, account_id: int, kind: CredentialKind, *, now: datetime) -> None:
    """The platform has nothing of this kind any more: from now on none is in force, and none keeps a change open.

    Like what a new deposit replaces it is kept until a login is next known to work. Raises NotFound without a deposit.
    """
    who = actor_of(actor.id)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_deposit(actor, account)
        need_depositable(account)
        kept = current_credential(db, account_id, kind) if kind in PARTS else None
        if kept is None:
            raise NotFound("Nothing of this kind is deposited.", "Look at what is deposited.")
        store.supersede(db, account_id, kind, now)
        record(db, EventTag.CREDENTIAL_ENDED, account, who, now, kept.id, {"kind": kind.value})
        _may_finish(home, db, account, who, now)
        evaluate_account(home, account_id, now=now, actor=who)


def _may_finish(home: Home, db: Database, account: Account, who: str, now: datetime) -> None:
    """Where an open change of the password waited for just this it is done, and what it replaced is destroyed."""
    if note_new_part(home, db, account, actor=who, now=now):
        destroy_superseded(db, account, actor=who, now=now)


def read_codes(text: str) -> tuple[str, ...]:
    """One code a line; empty lines, and a list's own numbers or dashes in front, are left out."""
    codes: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        code = " ".join(_NUMBERING.sub("", line.strip(), count=1).split())
        if not code:
            continue
        if len(code) > LONGEST_CODE or not _can_be_kept(code):
            raise _refused(f"Line {number} is no recovery code: it is too long, or no text. Put one code on each line.")
        if code in codes:
            raise _refused(f"Line {number} repeats a code that stands above it.")
        codes.append(code)
    if not codes:
        raise _refused("Enter the recovery codes, one on each line.")
    if len(codes) > MOST_CODES:
        raise _refused(f"That is more than {MOST_CODES} codes. Was something else pasted here?")
    return tuple(codes)


def _refused(fault: str) -> InvalidInput:
    return InvalidInput("The recovery codes cannot be deposited as they are.", {"codes": fault})


def _can_be_kept(text: str) -> bool:
    return text.replace("\n", " ").replace("\t", " ").isprintable()


def _keep(
    home: Home,
    actor: Staff,
    account_id: int,
    kind: CredentialKind,
    secret: str,
    now: datetime,
    *,
    codes: int | None = None,
) -> Credential:
    """The new version in force, sealed; the one before is kept until it is rotated away."""
    who = actor_of(actor.id)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_deposit(actor, account)
        need_depositable(account)
        store.supersede(db, account_id, kind, now)
        new_id = store.insert_credential(
            db, account_id=account_id, kind=kind, username="", email=None, fingerprints=(), strength=NOT_MEASURED,
            problems=(), deposited_by=actor.id, secret_at=now, now=now, measured={"codes": codes},
        )  # fmt: skip
        store.keep_sealed(db, new_id, seal(home, db, account_id, kind, new_id, secret))
        record(db, EventTag.CREDENTIAL_DEPOSITED, account, who, now, new_id, {"kind": kind.value})
        _may_finish(home, db, account, who, now)
        evaluate_account(home, account_id, now=now, actor=who)
        return _in_force(db, account, kind)


def _in_force(db: Database, account: Account, kind: CredentialKind) -> Credential:
    found = current_credential(db, account.id, kind)
    if found is None:
        raise Conflict("What was deposited was destroyed at the same moment.", "Look whether the account is closed.")
    return found
