"""Throttle guesses by person and by address, without shutting anybody out for good (ASVS 5.0: 6.3.1).

What can be guessed, and what is done about it:

- *Six digits of an authenticator, a vault passphrase*: guessable, and only by whoever holds that person's session or
  one-time link. Counted by **person**; after policy.signin_tries refusals within policy.signin_tries_minutes no more
  is looked at, right or wrong, until the oldest of them is that old. Ten tries in fifteen minutes at three codes in a
  million: a year of guessing without a break finds one with a chance of two thirds, and the person is told of the
  first quarter of an hour. A stranger cannot cause it: without session or link no guess is counted for anybody.
  Each kind has its own count: a right code makes no room for guesses at the passphrase, and wrong ones do not shut
  somebody out of the vault. A deposit that is refused because another account has that password counts as a guess too.
- *One-time links, passkeys, answers of the provider*: 256 random bits and signatures, which nobody guesses. Refusals
  are counted by **address**, which keeps the noise of a scanner down. A good link or passkey is never refused for its
  address: a whole school has one, and one pupil with a script would shut out its staff. So callers look first
  whether it is good, and ask `check_address` only about what they refuse anyhow.

The counts are rows (store/signin.py), so that they hold across processes and restarts. A key is a hash that needs the
school's root key: the table tells nobody who tried, or from where. Retention erases it after a day.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.actions.notices import notify
from socialgov.errors import Throttled
from socialgov.store import record_event, write
from socialgov.store import signin as rows
from socialgov.store.events import EventTag, actor_of
from socialgov.store.rows import moment_text

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.home import Home

CODE, PASSPHRASE, REUSE = "code", "passphrase", "reuse"  # what a person tries; each has a count of its own
MOST_ROWS = 50_000  # a flood from a network of many addresses must not fill the disk; people are counted all the same
_TRYING = threading.RLock()
_TOLD = (
    "Somebody who is signed in as you, or holds a sign-in link of yours, entered wrong codes or passwords again and "
    "again. "
    "Nothing of that kind is accepted for you for a while. If it was not you, tell the network manager at once."
)


def check_person(home: Home, staff_id: int, *, now: datetime, of: str = CODE) -> None:
    """Raise Throttled while this person's tries of this kind are not looked at. Ask before looking at one."""
    _check(home, "person", _person(staff_id, of), now)


@contextmanager
def one_try(home: Home, staff_id: int, *, now: datetime, of: str = CODE) -> Iterator[None]:
    """`check_person` around a look at what somebody tried, in which a wrong one is noted before the next is looked at.

    Of many that are sent at once no more are looked at than of those sent one after another.
    """
    with _TRYING:
        check_person(home, staff_id, now=now, of=of)
        yield


def check_address(home: Home, address: str, *, now: datetime) -> None:
    """Raise Throttled for an address that was refused too often. Ask only about what is refused anyhow."""
    _check(home, "address", _network(address), now)


def note_wrong_person(home: Home, staff_id: int, *, now: datetime, of: str = CODE) -> None:
    """Count a wrong code or passphrase of this person; they are told once the window is full."""
    with write(home.db) as db:
        if _note(db, home, "person", _person(staff_id, of), now):
            _record(db, "person", now, actor=actor_of(staff_id), staff_id=staff_id)
            key = f"throttled:{moment_text(now)}"
            notify(db, staff_id=staff_id, kind="throttled", text=_TOLD, dedupe_key=key, now=now)


def note_wrong_address(home: Home, address: str, *, now: datetime) -> None:
    """Count a refused link, passkey or answer of the provider from this address."""
    with write(home.db) as db:
        if rows.count_all_failures(db) < MOST_ROWS and _note(db, home, "address", _network(address), now):
            _record(db, "address", now, actor="visitor", staff_id=None)


def forgive_person(db: Database, home: Home, staff_id: int, *, of: str = CODE) -> None:
    """What somebody mistyped before they got it right is forgotten. Inside `write()`.

    Of this kind alone: a right code must not make room for more guesses at the passphrase.
    """
    rows.clear_failures(db, "person", _key(home, "person", _person(staff_id, of)))


def _check(home: Home, kind: str, who: str, now: datetime) -> None:
    policy = home.settings.policy
    since = now - timedelta(minutes=policy.signin_tries_minutes)
    if rows.count_failures(home.db, kind, _key(home, kind, who), since) >= policy.signin_tries:
        raise Throttled(
            "There were too many tries, so nothing is looked at for a while.",
            f"Wait {policy.signin_tries_minutes} minutes, then try again.",
        )


def _note(db: Database, home: Home, kind: str, who: str, now: datetime) -> bool:
    """Add one; True when this one fills the window, so that the log has one line and not one a guess."""
    policy, key = home.settings.policy, _key(home, kind, who)
    since = now - timedelta(minutes=policy.signin_tries_minutes)
    before = rows.count_failures(db, kind, key, since)
    if before >= policy.signin_tries:
        return False
    rows.add_failure(db, kind, key, now)
    return before + 1 == policy.signin_tries


def _record(db: Database, kind: str, now: datetime, *, actor: str, staff_id: int | None) -> None:
    record_event(
        db, EventTag.SIGNIN_THROTTLED, actor=actor, now=now, subject="staff", subject_id=staff_id, data={"by": kind}
    )


def _person(staff_id: int, of: str) -> str:
    return str(staff_id) if of == CODE else f"{staff_id}:{of}"


def _key(home: Home, kind: str, who: str) -> str:
    return hmac.new(home.escrow.derive("signin.throttle"), f"{kind}:{who}".encode(), hashlib.sha256).hexdigest()


def _network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: one household or server has that many to try from."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
