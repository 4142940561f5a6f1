"""Followers: put on record, accepted as a known person or refused, and removed (AUD301 to AUD305).

The API list and the hand-kept list end in the same table, so an account on a platform that tells nothing is governed
by the same rules. A decision is the school's and stands even while the platform does not answer; what the platform
still has to do is then a guided task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov import platforms
from socialgov.actions.adapters import adapter_of, capabilities_of, note_refusal
from socialgov.actions.unsealing import machine_login
from socialgov.errors import Conflict, InvalidInput
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, Capability, Decision, Person, PersonKind
from socialgov.names import fold, one_line, words
from socialgov.permissions import check_can_check_followers
from socialgov.rules.facts import FollowerSummary
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.followers import (
    all_followers_of,
    born_by,
    end_missing_followers,
    follower_by_id,
    follower_counts,
    insert_follower,
    touch_followers,
)
from socialgov.store.people import audience_of, is_member, person_by_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Follower, PlatformInfo, Policy, Staff
    from socialgov.platforms import Platform, RemoteFollower

BY_HAND = "hand:"  # how the lasting id of a follower starts that nobody's API gave us
CLOSED = frozenset({AccountState.DECLINED, AccountState.WITHDRAWN, AccountState.CLOSED})


def follower_summary(
    db: Database, account: Account, platform: PlatformInfo, policy: Policy, today: date
) -> FollowerSummary:
    """What the AUD rules read about an account's followers, in one query."""
    counts, read_at = follower_counts(
        db,
        account.id,
        pupil_followers=policy.pupil_followers,
        born_by=born_by(platform.minimum_age, today),
    )
    return FollowerSummary(**counts, read_at=read_at)


def record_followers(
    home: Home, account_id: int, followers: Sequence[RemoteFollower], *, now: datetime, actor: str = "job:check"
) -> None:
    """Bring the record in line with the complete list that the platform gave.

    New ones are unchecked, missing ones have gone, and one who comes back keeps the decision made about them: the
    lasting id says that it is the same account, whatever its handle is now.
    """
    with write(home.db) as db:
        known = {one.remote_id: one for one in all_followers_of(db, account_id)}
        by_hand = {one.handle.casefold(): one for one in known.values() if one.remote_id.startswith(BY_HAND)}
        new = 0
        followers = list({one.remote_id: _as_shown(one) for one in followers}.values())
        for remote in followers:
            old = known.get(remote.remote_id) or by_hand.get(remote.handle.casefold())
            if old is None:
                insert_follower(
                    db,
                    account_id,
                    remote_id=remote.remote_id,
                    handle=remote.handle,
                    name=remote.display_name,
                    waiting=remote.waiting,
                    now=now,
                )
                new += 1
            else:
                _refresh(db, old, remote)
        seen = {remote.remote_id for remote in followers}
        touch_followers(db, account_id, seen, now)
        gone = end_missing_followers(db, account_id, seen, now)
        if new or gone:
            record_event(
                db,
                EventTag.FOLLOWER_SEEN,
                actor=actor,
                now=now,
                subject="account",
                subject_id=account_id,
                account_id=account_id,
                data={"total": len(seen), "new": new, "gone": gone},
            )


def _as_shown(remote: RemoteFollower) -> RemoteFollower:
    """Handle and name are the follower's own choice, and people here decide by them."""
    return remote._replace(handle=one_line(remote.handle), display_name=one_line(remote.display_name))


def _refresh(db: Database, old: Follower, remote: RemoteFollower) -> None:
    changes = {
        "remote_id": remote.remote_id,
        "handle": remote.handle,
        "display_name": remote.display_name,
        "waiting": remote.waiting,
    }
    if any(getattr(old, name) != value for name, value in changes.items()):
        guarded_update(db, "follower", old.id, changes)


def add_follower_by_hand(
    home: Home, actor: Staff, account_id: int, handle: str, name: str, *, now: datetime
) -> Follower:
    """Put a follower on record whom a person saw on the platform. Raises InvalidInput when already listed or empty."""
    account = account_by_id(home.db, account_id)
    check_can_check_followers(actor, account)
    _check_open(account)
    handle, name = " ".join(handle.split()).lstrip("@"), " ".join(name.split())
    if not handle or len(handle) > 100 or len(name) > 200:
        raise InvalidInput(
            "The follower's name on the platform is needed.", {"handle": "Enter the name as the platform shows it."}
        )
    remote_id = BY_HAND + handle.casefold()
    with write(home.db) as db:
        for old in all_followers_of(db, account_id):
            if old.handle.casefold() != handle.casefold():
                continue
            if old.gone_at is None:
                raise InvalidInput(
                    "That follower is on the list already.", {"handle": f"{handle} is on the list already."}
                )
            touch_followers(db, account_id, [old.remote_id], now)
            follower_id = old.id
            break
        else:
            follower_id = insert_follower(
                db, account_id, remote_id=remote_id, handle=handle, name=name or handle, waiting=False, now=now
            )
        _record(db, EventTag.FOLLOWER_SEEN, actor, account_id, follower_id, now, data={"by_hand": True})
    return follower_by_id(home.db, follower_id)


def why_not_accept(
    db: Database, account: Account, platform: PlatformInfo, policy: Policy, person: Person, today: date
) -> str | None:
    """Why `person` may not follow `account` today, in a sentence; None when they may (AUD302 to AUD304).

    The age of carers and staff is not in a school's records and they are adults; of a pupil it must be known.
    """
    if person.left_on is not None:
        return f"{person.name} has left the school, so they do not belong to this account's audience."
    if not is_member(db, account.id, person.id):
        return f"{person.name} does not belong to this account's audience."
    if person.kind is PersonKind.PUPIL and not policy.pupil_followers:
        return f"{person.name} is a pupil, and this school lets only parents, carers and staff follow."
    if person.born_on is not None and person.born_on > born_by(platform.minimum_age, today):
        return f"{person.name} is younger than {platform.minimum_age}, the minimum age on {platform.name}."
    if person.born_on is None and person.kind is PersonKind.PUPIL:
        return (
            f"Nobody knows how old {person.name} is, and {platform.name} has a minimum age of {platform.minimum_age}."
        )
    return None


def accept_follower(
    home: Home, actor: Staff, follower_id: int, person_id: int, *, now: datetime, how: str = ""
) -> Follower:
    """The owner knows this follower: they are `person_id`, and belong here (AUD301, AUD302).

    `how` says how it was checked. Where the platform keeps followers waiting, it is told to let them in; while it does
    not answer the follower stays `waiting`, and accepting again asks again. Raises InvalidInput with the reason.
    """
    follower = follower_by_id(home.db, follower_id)
    account = account_by_id(home.db, follower.account_id)
    check_can_check_followers(actor, account)
    _check_open(account)
    info, policy = home.settings.platforms[account.platform], home.settings.policy
    with write(home.db) as db:
        person = person_by_id(db, person_id)
        reason = why_not_accept(db, account, info, policy, person, home.today(now))
        if reason is not None:
            raise InvalidInput(reason, {"person_id": reason}, "Refuse this follower, or correct the audience first.")
        _decide(db, follower, Decision.ACCEPTED, person_id, how, actor, now)
        _record(db, EventTag.FOLLOWER_ACCEPTED, actor, account.id, follower_id, now, data={"person": person_id})
    if follower.waiting and (adapter := _adapter(home, account, Capability.ACCEPT_FOLLOWER, now)):
        try:
            adapter.accept_follower(follower.remote_id)
        except platforms.PlatformError as error:
            note_refusal(home, account.id, error, now=now)
            return follower_by_id(home.db, follower_id)
        with write(home.db) as db:
            guarded_update(db, "follower", follower_id, {"waiting": False})
    return follower_by_id(home.db, follower_id)


def refuse_follower(home: Home, actor: Staff, follower_id: int, reason: str, *, now: datetime) -> Follower:
    """This follower does not belong here, or not any more (AUD301, AUD304): remove them.

    Where the platform cannot remove a follower, or does not answer, `gone_at` stays empty and removing is a task for a
    person (`confirm_removed`). Raises InvalidInput without a reason.
    """
    follower = follower_by_id(home.db, follower_id)
    account = account_by_id(home.db, follower.account_id)
    check_can_check_followers(actor, account)
    _check_open(account)
    reason = " ".join(reason.split())
    if not reason or len(reason) > 500:
        raise InvalidInput("A refusal needs a reason.", {"reason": "Say in a sentence why."})
    with write(home.db) as db:
        _decide(db, follower, Decision.REFUSED, None, reason, actor, now)
        _record(db, EventTag.FOLLOWER_REFUSED, actor, account.id, follower_id, now)
    if adapter := _adapter(home, account, Capability.REMOVE_FOLLOWER, now):
        try:
            adapter.remove_follower(follower.remote_id)
        except platforms.PlatformError as error:
            note_refusal(home, account.id, error, now=now)
            return follower_by_id(home.db, follower_id)
        with write(home.db) as db:
            _gone(db, actor, account.id, follower_id, now)
    return follower_by_id(home.db, follower_id)


def confirm_removed(home: Home, actor: Staff, follower_id: int, *, now: datetime) -> Follower:
    """A person removed this refused follower on the platform. The next complete list shows whether it is so."""
    follower = follower_by_id(home.db, follower_id)
    account = account_by_id(home.db, follower.account_id)
    check_can_check_followers(actor, account)
    if follower.decision is not Decision.REFUSED:
        raise Conflict("This follower has not been refused.", "Refuse them first, with a reason.")
    with write(home.db) as db:
        _gone(db, actor, account.id, follower_id, now)
    return follower_by_id(home.db, follower_id)


def likely_people(db: Database, account_id: int, follower: Follower, query: str = "", limit: int = 12) -> list[Person]:
    """Members of the audience whom this follower could be: those matching `query`, else the most alike by name.

    Likeness only orders the list. It is never evidence: `dave32457` may call himself anything.
    """
    members = audience_of(db, account_id)
    if query.strip():
        wanted = fold(query).split()
        return [one for one in members if all(part in fold(one.name) for part in wanted)][:limit]
    shown = set(words(f"{follower.display_name} {follower.handle}"))

    def likeness(person: Person) -> int:
        return -len(shown & set(words(person.name)))

    return sorted(members, key=likeness)[:limit]


def _check_open(account: Account) -> None:
    if account.state in CLOSED:
        raise WrongState("This account has ended, so its followers cannot be changed.", "Open the account's page.")


def _adapter(home: Home, account: Account, capability: Capability, now: datetime) -> Platform | None:
    """An adapter that can do this, signed in; None where a person must do it."""
    if capability not in capabilities_of(home, account):
        return None
    login = machine_login(home, account.id, purpose=capability.value, now=now)
    return adapter_of(home, account, login, now=now)


def _decide(
    db: Database,
    follower: Follower,
    decision: Decision,
    person_id: int | None,
    reason: str,
    actor: Staff,
    now: datetime,
) -> None:
    guarded_update(
        db,
        "follower",
        follower.id,
        {
            "decision": decision,
            "person_id": person_id,
            "reason": " ".join(reason.split()) or None,
            "decided_by": actor.id,
            "decided_at": now,
        },
        where={"decision": follower.decision, "decided_at": follower.decided_at, "gone_at": None},
    )


def _gone(db: Database, actor: Staff, account_id: int, follower_id: int, now: datetime) -> None:
    guarded_update(db, "follower", follower_id, {"gone_at": now, "waiting": False}, where={"gone_at": None})
    _record(db, EventTag.FOLLOWER_REMOVED, actor, account_id, follower_id, now)


def _record(
    db: Database,
    tag: EventTag,
    actor: Staff,
    account_id: int,
    follower_id: int,
    now: datetime,
    data: dict[str, object] | None = None,
) -> None:
    record_event(
        db,
        tag,
        actor=actor_of(actor.id),
        now=now,
        subject="follower",
        subject_id=follower_id,
        account_id=account_id,
        data=data,
    )
