"""Put right on the platform what the rules found, with one press of a button, where the platform lets a machine do it.

The school's logo as the picture (ACC102), the account made private (ACC103), likes, follows and reposts taken back
(INT401 to INT403). What was done is an event at once; then the platform is asked again, so that what the page says
afterwards was seen and not hoped for. Doing any of it twice is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.adapters import adapter_of, capabilities_of, note_refusal
from socialgov.actions.findings import evaluate_account
from socialgov.actions.observing import CHECKER, keep_reading, school_logo
from socialgov.actions.reading import Reading, try_read
from socialgov.actions.unsealing import machine_login
from socialgov.errors import Conflict
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, Capability
from socialgov.platforms import CannotDo, PlatformError
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, Staff
    from socialgov.platforms import Platform

S = AccountState
THERE = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED})
MOST_AT_ONCE = 40  # a page must answer; the next press goes on


class Mend(StrEnum):
    """What the machine may be able to put right."""

    PICTURE = "picture"
    PRIVATE = "private"
    LIKES = "likes"
    FOLLOWS = "follows"
    SHARES = "shares"


@dataclass(frozen=True, slots=True)
class Way:
    """The rule that is put right, what the platform must offer for it, and what is read to see that it is so."""

    rule_id: str
    needs: frozenset[Capability]
    seen_by: Capability


@dataclass(frozen=True, slots=True)
class TakenBack:
    """How many were taken back and how many are left; `stopped_by`: why it went no further."""

    done: int
    left: int
    stopped_by: PlatformError | None = None


C = Capability
WAYS: Mapping[Mend, Way] = {
    Mend.PICTURE: Way("ACC102", frozenset({C.SET_PICTURE}), C.READ_PROFILE),
    Mend.PRIVATE: Way("ACC103", frozenset({C.SET_PRIVATE}), C.READ_PROFILE),
    Mend.FOLLOWS: Way("INT401", frozenset({C.READ_FOLLOWS, C.UNDO_FOLLOW}), C.READ_FOLLOWS),
    Mend.LIKES: Way("INT402", frozenset({C.READ_LIKES, C.UNDO_LIKE}), C.READ_LIKES),
    Mend.SHARES: Way("INT403", frozenset({C.READ_SHARES, C.UNDO_SHARE}), C.READ_SHARES),
}
# what is taken back: how it is listed, and how one is undone
_INTERACTIONS: Mapping[Mend, tuple[Callable[[Platform], list[str]], Callable[[Platform, str], None]]] = {
    Mend.FOLLOWS: (lambda platform: platform.follows(), lambda platform, number: platform.undo_follow(number)),
    Mend.LIKES: (lambda platform: platform.likes(), lambda platform, number: platform.undo_like(number)),
    Mend.SHARES: (lambda platform: platform.shares(), lambda platform, number: platform.undo_share(number)),
}


def mends_of(home: Home, account: Account) -> frozenset[Mend]:
    """What the machine can put right for this account now; the rest is a guided task."""
    if account.state not in THERE or not (account.handle or account.remote_id):
        return frozenset()
    can = capabilities_of(home, account)
    return frozenset(mend for mend, way in WAYS.items() if way.needs <= can)


def set_picture(home: Home, actor: Staff, account_id: int, *, now: datetime) -> None:
    """Make the school's logo the account's picture (ACC102). Raises Conflict where the school has no logo here."""
    account = _account(home, actor, account_id, Mend.PICTURE)
    content = school_logo(home)
    if content is None:
        raise Conflict(
            "The school's logo is not here yet.", "The network manager puts it into the school's folder as logo.png."
        )
    with _remembering(home, account, now):
        _platform(home, account, Mend.PICTURE, now).set_picture(content, "image/png")
    _done(home, actor, account, EventTag.PICTURE_SET, now)
    _look_again(home, account, Mend.PICTURE, now)


def make_private(home: Home, actor: Staff, account_id: int, *, now: datetime) -> None:
    """From now on only people who were accepted see what it posts (ACC103).

    Who follows already stays, and what was posted for everybody stays so: the check shows both.
    """
    account = _account(home, actor, account_id, Mend.PRIVATE)
    with _remembering(home, account, now):
        _platform(home, account, Mend.PRIVATE, now).set_private()
    _done(home, actor, account, EventTag.PRIVATE_SET, now)
    _look_again(home, account, Mend.PRIVATE, now)


def take_back(home: Home, actor: Staff, account_id: int, mend: Mend, *, now: datetime) -> TakenBack:
    """Take back what the account likes, follows or reposts (INT401 to INT403): all of it, MOST_AT_ONCE at a time.

    Each one is undone and noted by itself, so that what was done stays done where the platform stops answering.
    Raises PlatformError where not even the list can be read.
    """
    account = _account(home, actor, account_id, mend)
    platform = _platform(home, account, mend, now)
    listed, undo = _INTERACTIONS[mend]
    done, stopped = 0, None
    with _remembering(home, account, now):
        numbers = tuple(listed(platform))
    for number in numbers[:MOST_AT_ONCE]:
        try:
            with _remembering(home, account, now):
                undo(platform, number)
        except PlatformError as error:
            stopped = error
            break
        _done(home, actor, account, EventTag.INTERACTION_UNDONE, now, {"what": mend.value, "remote_id": number})
        done += 1
    _look_again(home, account, mend, now)
    return TakenBack(done, len(numbers) - done, stopped)


def _account(home: Home, actor: Staff, account_id: int, mend: Mend) -> Account:
    account = account_by_id(home.db, account_id)
    permissions.check_can_set_up(actor, account)
    if account.state not in THERE:
        raise WrongState(
            f"This account is {account.state.value}, so nothing is put right on the platform.",
            "Open the account again to see where it stands.",
        )
    if mend not in mends_of(home, account):
        missing = WAYS[mend].needs - capabilities_of(home, account)
        raise CannotDo(home.settings.platforms[account.platform].name, min(missing or WAYS[mend].needs))
    return account


def _platform(home: Home, account: Account, mend: Mend, now: datetime) -> Platform:
    login = machine_login(home, account.id, purpose=f"put_right_{mend.value}", now=now)
    return adapter_of(home, account, login, now=now)


@contextmanager
def _remembering(home: Home, account: Account, now: datetime) -> Iterator[None]:
    """What the platform turns out not to offer is a person's from now on."""
    try:
        yield
    except PlatformError as error:
        note_refusal(home, account.id, error, now=now)
        raise


def _done(
    home: Home, actor: Staff, account: Account, tag: EventTag, now: datetime, data: Mapping[str, str] | None = None
) -> None:
    with write(home.db) as db:
        record_event(
            db,
            tag,
            actor=actor_of(actor.id),
            now=now,
            subject="account",
            subject_id=account.id,
            account_id=account.id,
            data=data,
        )


def _look_again(home: Home, account: Account, mend: Mend, now: datetime) -> None:
    """See for ourselves, by a new adapter that remembers nothing, and ask the rules. Where the platform does not answer
    now, the last picture stands and the next check brings the new one."""
    reading, seen_by = Reading(), WAYS[mend].seen_by
    if seen_by not in capabilities_of(home, account):
        return
    try_read(_platform(home, account, mend, now), seen_by, reading)
    with write(home.db) as db:
        keep_reading(home, db, account, reading, now)
        evaluate_account(home, account.id, now=now, actor=CHECKER)
