"""One's own vault passphrase: set with the code of an invitation, changed by who knows the old one, and what it may be.

It is long, and not to be guessed by a machine that has all the time it wants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions import throttle
from socialgov.actions.vault import add_holder, check_still_held, open_with_own, refused, tell_managers_and_heads
from socialgov.errors import EscrowError, InvalidInput, VaultShut
from socialgov.escrow import Holder
from socialgov.passwords import guesses_of
from socialgov.store import vault as store
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.staff import current_staff, staff_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Staff

SHORTEST = 15  # characters: NIST SP 800-63B-4, 3.1.1.2, for a secret that stands alone
LONGEST = 200
# Powers of ten. Whoever has the server and the school's key tries passphrases at home, six a second on each processor:
# a name and a year stand below ten, full names and a date at 13, six words of the EFF's list at 20 and more.
FEWEST_GUESSES = 17


def join(home: Home, actor: Staff, code: str, passphrase: str, *, now: datetime) -> None:
    """Set one's own vault passphrase with the code of an invitation, which ends. Raises InvalidInput with `fields`."""
    permissions.check_can_open_vault(actor)
    throttle.check_person(home, actor.id, now=now, of=throttle.PASSPHRASE)
    check_passphrase(home, actor, passphrase)
    held = store.holder_of(home.db, actor.id, "invitation")
    wrong = "This code is wrong, or its time is over."
    try:
        if held is None or held.wrapped is None or held.expires_at is None or now >= held.expires_at:
            raise EscrowError("There is no invitation.")
        words = " ".join(code.lower().split())
        opened = Holder(held.salt, held.cost).open(home.escrow, held.wrapped, words, held.id)
    except EscrowError:
        refused(home, actor, now)
        raise InvalidInput(wrong, {"code": wrong}, "Ask another network manager for a new one.") from None
    _set_passphrase(home, actor, held, opened, passphrase, EventTag.VAULT_JOINED, now=now)


def change_passphrase(home: Home, actor: Staff, old: str, new: str, *, now: datetime) -> None:
    """Another passphrase for oneself, who knows the old one (ASVS 5.0: 6.2.3). Raises InvalidInput with `fields`.

    An open vault is not enough: whoever finds one on a desk would have a way in for good.
    """
    permissions.check_can_open_vault(actor)
    check_passphrase(home, actor, new)
    held, opened = open_with_own(home, actor, old, "old", now=now)
    _set_passphrase(home, actor, held, opened, new, EventTag.VAULT_PASSPHRASE_CHANGED, now=now)


def _set_passphrase(
    home: Home,
    actor: Staff,
    held: store.HolderRow,
    opened: OpenVault,
    passphrase: str,
    tag: EventTag,
    *,
    now: datetime,
) -> None:
    """In place of `held`, the way in that `opened` it. Whatever else this person has open is shut, and they are told.

    Stretching takes a moment, in which the way in or the role may be taken from them: both are asked for once more.
    """
    holder = Holder.new()
    public = holder.public_of(passphrase)
    with write(home.db) as db:
        permissions.check_can_open_vault(staff_by_id(db, actor.id))
        check_still_held(db, held)
        row = store.current_vault_key(db)
        if row is None or row.key_id != opened.key_id:
            raise VaultShut
        for kind in ("invitation", "manager"):
            if (before := store.holder_of(db, actor.id, kind)) is not None:
                store.end_holder(db, before.id, now)
        store.end_openings(db, now, staff_id=actor.id)
        add_holder(
            db, home.escrow, opened, holder, public, kind="manager", staff_id=actor.id, vault_key_id=row.id,
            made_by=actor.id, now=now,
        )  # fmt: skip
        record_event(db, tag, actor=actor_of(actor.id), now=now, subject="staff", subject_id=actor.id)
        text = f"{actor.name} set a vault passphrase. Should that be you and you did not, tell the head at once."
        tell_managers_and_heads(db, "vault_joined", text, now, key=f"{actor.id}:{now}")


def check_passphrase(home: Home, actor: Staff, passphrase: str) -> None:
    """Raise InvalidInput with `fields` for one that is short, over-long or easy to guess."""
    settings = home.settings
    people = [text for person in current_staff(home.db) for text in (person.name, person.email)]
    context = (settings.school_name, *settings.email_domains, actor.name, actor.email, *people)
    fault = ""
    if not SHORTEST <= len(passphrase) <= LONGEST:
        fault = f"Take {SHORTEST} to {LONGEST} characters: six random words are right."
    elif guesses_of(passphrase, context=context) < FEWEST_GUESSES:
        fault = "This is too easy to guess. Take six words at random."
    if fault:
        raise InvalidInput("This passphrase cannot be taken.", {"passphrase": fault})
