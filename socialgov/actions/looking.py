"""Look at a deposited secret: a reason first, the event on the disk, then the secret, then nothing more (SEC207).

One look shows one secret to one person, who is a network manager or a head with the glass broken. The owner is told
of each. Copying it is an event of its own, because whoever copies takes the secret out of this house.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.notices import notify
from socialgov.actions.request_checks import LONGEST_TEXT, checked_reason
from socialgov.actions.unsealing import need_sealed, record, unseal
from socialgov.errors import InvalidInput, NotFound, NotPermitted
from socialgov.escrow.codes import code_at, read_seed
from socialgov.models import Shown
from socialgov.store import looks as store
from socialgov.store.accounts import account_by_id
from socialgov.store.break_glass import open_glass
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Account, Staff
    from socialgov.store.looks import Kept

SHORTEST_REASON = 10  # letters, in two words or more: "x" tells nobody who reads the log later anything
WORDS = {
    Shown.PASSWORD: "the password",
    Shown.RECOVERY_CODES: "the recovery codes",
    Shown.SECOND_FACTOR_CODE: "the second factor's code of the moment",
    Shown.SECOND_FACTOR_SEED: "the second factor's seed",
    Shown.NOTES: "the notes beside the login",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What one look shows, once. `seconds_left`: of a second factor's code, until the next; None for all else."""

    reveal_id: int
    deposit: Kept
    shown: Shown
    secret: str = field(repr=False)
    seconds_left: int | None = None


def look(
    home: Home,
    actor: Staff,
    vault: OpenVault,
    account_id: int,
    reason: str,
    *,
    now: datetime,
    shown: Shown = Shown.PASSWORD,
    credential_id: int | None = None,
    address: str = "",
    glass: int | None = None,
) -> Look:
    """Show one deposited secret to somebody who says why first; the owner is told (SEC207).

    The event is committed before the secret is opened. Whatever keeps it from being written keeps the secret shut
    (ASVS 5.0: 16.5.3). `credential_id` asks for a deposit before the one in force; `glass` is the broken glass that
    opened the vault. Raises NotPermitted, InvalidInput with `fields`, NotFound, Conflict for one that was destroyed.
    """
    permissions.check_can_reveal(actor, glass=glass is not None)
    reason = _look_reason(reason)
    if home.db.conn.in_transaction:  # then the event below would not be committed before the secret is opened
        raise RuntimeError("a look inside a transaction")
    with write(home.db) as db:
        permissions.check_can_reveal(staff_by_id(db, actor.id), glass=glass is not None)
        if glass is not None:
            _check_glass(db, actor, glass, now)
        account = account_by_id(db, account_id)
        deposit = _deposit(db, account, shown, credential_id)
        sealed = need_sealed(db, deposit.id)
        reveal_id = store.insert_reveal(
            db, credential_id=deposit.id, staff_id=actor.id, reason=reason, shown=shown.value, address=address[:64],
            break_glass_id=glass, now=now,
        )  # fmt: skip
        data = {"reveal": reveal_id, "shown": shown.value, "glass": glass}
        record(db, EventTag.CREDENTIAL_REVEALED, account, actor_of(actor.id), now, deposit.id, data)
        _tell_of_look(db, account, actor, shown, reveal_id, glass, now)
    secret = unseal(home, account_id, deposit.kind, deposit.id, sealed, vault)
    if shown is Shown.SECOND_FACTOR_CODE:
        digits, left = code_at(read_seed(secret), now)
        return Look(reveal_id, deposit, shown, digits, left)
    return Look(reveal_id, deposit, shown, secret)


def reveal(home: Home, actor: Staff, vault: OpenVault, account_id: int, reason: str, *, now: datetime) -> str:
    """The password in force, shown by `look`."""
    return look(home, actor, vault, account_id, reason, now=now).secret


def record_copy(home: Home, actor: Staff, account_id: int, reveal_id: int, *, now: datetime) -> None:
    """Somebody copies what a look shows them: an event of its own, written before it is copied.

    Only who looked, and only while it is shown (policy.reveal_seconds, and a minute for a slow line). Raises NotFound.
    """
    with write(home.db) as db:
        found = store.reveal_by_id(db, account_id, reveal_id)
        longest = timedelta(seconds=home.settings.policy.reveal_seconds, minutes=1)
        if found is None or found.staff_id != actor.id or not found.at <= now <= found.at + longest:
            raise NotFound("What you looked at is hidden again.", "Look once more, with a reason.")
        account, data = account_by_id(db, account_id), {"reveal": reveal_id, "shown": found.shown}
        record(db, EventTag.CREDENTIAL_COPIED, account, actor_of(actor.id), now, found.credential_id, data)


def what_can_be_shown(home: Home, account_id: int) -> list[tuple[Shown, Kept]]:
    """Everything that can be asked for: what is in force first, then what was before it and is still kept."""
    kept = store.kept_credentials(home.db, account_id)
    found = [(shown, deposit) for shown in Shown for deposit in kept if shown.kind is deposit.kind]
    return sorted(found, key=lambda one: one[1].superseded_at is not None)


def _deposit(db: Database, account: Account, shown: Shown, credential_id: int | None) -> Kept:
    fitting = [one for one in store.kept_credentials(db, account.id) if one.kind is shown.kind]
    if credential_id is None:
        found = next((one for one in fitting if one.superseded_at is None), None)
    else:
        found = next((one for one in fitting if one.id == credential_id), None)
    if found is None:
        what = "password" if shown is Shown.PASSWORD else shown.kind.value.replace("_", " ")
        raise NotFound(f"No {what} is kept for this account.", "Ask its owner to deposit it.")
    return found


def _look_reason(text: str) -> str:
    reason = checked_reason(text)
    words = [word for word in reason.split() if any(sign.isalnum() for sign in word)]
    if sum(sign.isalnum() for sign in reason) < SHORTEST_REASON or len(words) < 2:
        fault = "Say why in a few words, for example: the owner is ill and a post must come down."
        raise InvalidInput("A reason of a few words is needed.", {"reason": fault})
    return reason[:LONGEST_TEXT]


def _check_glass(db: Database, actor: Staff, glass: int, now: datetime) -> None:
    """The glass is still broken, for this head. Stopped or over: NotPermitted, whatever the browser holds."""
    found = open_glass(db)
    if found is None or found.id != glass or found.asked_by != actor.id or not found.is_open(now):
        raise NotPermitted("The glass is not broken any more.", "Ask again, or ask a network manager.")


def _tell_of_look(
    db: Database, account: Account, actor: Staff, shown: Shown, reveal_id: int, glass: int | None, now: datetime
) -> None:
    """The owner; where the owner is the one who looked, or has left, the deputy."""
    owner = staff_by_id(db, account.owner_id)
    told = account.deputy_id if owner.id == actor.id or not owner.current else owner.id
    who = "The network manager" if glass is None else "The head, who broke the glass of the vault,"
    notify(
        db, staff_id=told, kind="password_seen", now=now, account_id=account.id,
        dedupe_key=f"password_seen:{reveal_id}",
        text=f"{who} looked at {WORDS[shown]} of the account {account.name}. The account's page tells when and why.",
    )  # fmt: skip
