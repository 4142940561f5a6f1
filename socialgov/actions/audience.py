"""Who an account is for: a trip's pupils and, through them, their parents and carers (P1.S4, AUD302, AUD304).

Pupils belong to the audience because photos show them; whether they may follow as well is the school's choice
(`policy.pupil_followers`, off by default) and is asked when a follower is accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.actions.followers import CLOSED
from socialgov.errors import InvalidInput
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, PersonKind
from socialgov.permissions import check_can_set_audience
from socialgov.store import people as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.people import audience_of, audience_size

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Person, Staff

__all__ = ["add_member", "audience_of", "audience_size", "remove_member", "set_audience"]


def set_audience(
    home: Home, actor: Staff, account_id: int, pupil_ids: Collection[int], *, now: datetime
) -> list[Person]:
    """The audience's pupils are exactly these; carers of those who join come in, carers of those who left go.

    Staff and others added by themselves stay. Returns the audience. Raises InvalidInput for somebody who is not a
    current pupil.
    """
    _check(home, actor, account_id)
    with write(home.db) as db:
        chosen = store.people_by_ids(db, pupil_ids)
        wrong = [one for one in chosen if one.kind is not PersonKind.PUPIL or one.left_on is not None]
        if wrong or len(chosen) != len(set(pupil_ids)):
            raise InvalidInput(
                "Somebody chosen is not a current pupil.", {"pupils": "Choose again: the list of pupils has changed."}
            )
        before = {one.id for one in audience_of(db, account_id)}
        pupils = {one.id for one in audience_of(db, account_id) if one.kind is PersonKind.PUPIL}
        joining = {one.id for one in chosen} - pupils
        carers = {link.person.id for link in store.carers_of(db, joining)}
        store.end_members(db, account_id, pupils - {one.id for one in chosen}, now)
        store.add_members(db, account_id, sorted(joining | carers), actor.id, now)
        store.end_carers_without_pupils(db, now)
        _record(db, actor, account_id, before, now)
    return audience_of(home.db, account_id)


def add_member(home: Home, actor: Staff, account_id: int, person_id: int, *, now: datetime) -> None:
    """One person more: a colleague, or a pupil with their carers. A carer comes in through their child only."""
    _check(home, actor, account_id)
    with write(home.db) as db:
        person = store.person_by_id(db, person_id)
        if person.left_on is not None:
            raise InvalidInput(
                f"{person.name} has left the school.", {"person_id": "Choose somebody who is still here."}
            )
        before = {one.id for one in audience_of(db, account_id)}
        if person.kind is PersonKind.CARER and not _cares_for_one_of(db, person_id, before):
            raise InvalidInput(
                f"No child of {person.name} is in this audience.",
                {"person_id": "Add the child: the carers come along."},
            )
        joining = {person_id}
        if person.kind is PersonKind.PUPIL:
            joining |= {link.person.id for link in store.carers_of(db, [person_id])}
        store.add_members(db, account_id, sorted(joining), actor.id, now)
        _record(db, actor, account_id, before, now)


def remove_member(home: Home, actor: Staff, account_id: int, person_id: int, *, now: datetime) -> None:
    """This person does not belong to the audience any more; a pupil's carers go too unless another child is in it."""
    _check(home, actor, account_id)
    with write(home.db) as db:
        before = {one.id for one in audience_of(db, account_id)}
        store.end_members(db, account_id, [person_id], now)
        store.end_carers_without_pupils(db, now)
        _record(db, actor, account_id, before, now)


def _check(home: Home, actor: Staff, account_id: int) -> None:
    account = account_by_id(home.db, account_id)
    check_can_set_audience(actor, account)
    if account.state in CLOSED or account.state is AccountState.CLOSING:
        raise WrongState("This account is closing or closed, so its audience stays as it is.", "Open its page.")


def _cares_for_one_of(db: Database, carer_id: int, person_ids: Collection[int]) -> bool:
    return any(link.pupil_id in person_ids for link in store.pupils_cared_for(db, carer_id))


def _record(db: Database, actor: Staff, account_id: int, before: set[int], now: datetime) -> None:
    after = {one.id for one in audience_of(db, account_id)}
    if after != before:
        record_event(
            db,
            EventTag.AUDIENCE_CHANGED,
            actor=actor_of(actor.id),
            now=now,
            subject="account",
            subject_id=account_id,
            account_id=account_id,
            data={"joined": sorted(after - before), "left": sorted(before - after)},
        )
