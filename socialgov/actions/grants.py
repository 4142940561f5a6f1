"""What parents, carers and people themselves permit: recorded, withdrawn, and what must come down then (MED513).

A grant is never changed: a new answer is a new line, so that what held on a day can be shown later. A withdrawal or a
refusal counts from the moment it is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov.actions.notices import notify
from socialgov.errors import InvalidInput
from socialgov.models import Answer, Grant, PersonKind, Use
from socialgov.permissions import check_can_record_grant
from socialgov.rules.grants import covers
from socialgov.store import people as people_store
from socialgov.store import posts as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag, actor_of, record_event

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Person, Post, Staff


@dataclass(frozen=True, slots=True)
class GrantForm:
    """One answer as the data manager records it. `account_id` None: every account of the school."""

    person_id: int
    use: Use
    answer: Answer
    given_on: date
    given_by: int | None = None
    account_id: int | None = None
    valid_until_on: date | None = None
    basis: str = "consent"


def record_grant(home: Home, actor: Staff, form: GrantForm, *, now: datetime) -> list[Post]:
    """Put an answer on record. Returns the posts that must come down because of it.

    Raises InvalidInput where the answer cannot be so: given in the future, or by somebody who is not a carer of the
    pupil.
    """
    check_can_record_grant(actor)
    with write(home.db) as db:
        person = people_store.person_by_id(db, form.person_id)
        problems = _problems(db, person, form, home.today(now))
        if problems:
            raise InvalidInput("This answer cannot be recorded as it is.", problems)
        grant_id = people_store.insert_grant(
            db,
            {
                "person_id": person.id,
                "use": form.use,
                "account_id": form.account_id,
                "answer": form.answer,
                "given_by": form.given_by,
                "given_on": form.given_on,
                "valid_until_on": form.valid_until_on,
                "basis": " ".join(form.basis.split()),
                "recorded_at": now,
                "recorded_by": actor.id,
            },
        )
        record_event(
            db,
            EventTag.GRANT_RECORDED,
            actor=actor_of(actor.id),
            now=now,
            subject="grant",
            subject_id=grant_id,
            account_id=form.account_id,
            data={"person": person.id, "use": form.use.value, "answer": form.answer.value, "by": form.given_by},
        )
        return note_take_downs(home, db, {person.id}, now, actor_of(actor.id))


def withdraw_grant(home: Home, actor: Staff, grant_id: int, *, now: datetime) -> list[Post]:
    """The one who gave this permission takes it back, from now on. Returns the posts that must come down."""
    grant = people_store.grant_by_id(home.db, grant_id)
    if grant.answer is not Answer.GRANTED:
        raise InvalidInput("Only a permission that was given can be withdrawn.", {"grant_id": "This is not one."})
    form = GrantForm(
        grant.person_id,
        grant.use,
        Answer.WITHDRAWN,
        home.today(now),
        grant.given_by,
        grant.account_id,
        None,
        grant.basis,
    )
    return record_grant(home, actor, form, now=now)


def _problems(db: Database, person: Person, form: GrantForm, today: date) -> dict[str, str]:
    problems: dict[str, str] = {}
    if form.given_on > today:
        problems["given_on"] = "This day is still to come."
    if form.valid_until_on and form.valid_until_on < form.given_on:
        problems["valid_until_on"] = "This is before the day on which it was given."
    if not form.basis.strip() or len(form.basis) > 200:
        problems["basis"] = "Say on which lawful basis it rests, in a few words."
    if form.given_by is not None and form.given_by != person.id:
        carers = {link.person.id for link in people_store.carers_of(db, [person.id])}
        if person.kind is not PersonKind.PUPIL or form.given_by not in carers:
            problems["given_by"] = f"Choose a parent or carer of {person.name}, or {person.first_name} themself."
    if form.account_id is not None:
        account_by_id(db, form.account_id)
    return problems


def note_take_downs(home: Home, db: Database, person_ids: Collection[int], now: datetime, actor: str) -> list[Post]:
    """After answers about these people changed: which posts online are no longer covered, and must come down by when.

    Sets or lifts each post's deadline, tells the account's keepers, and returns the posts to take down. Call inside
    `write()`.
    """
    posts = store.posts_showing(db, person_ids) if person_ids else []
    shown = store.depictions_of(db, [post.id for post in posts])
    grants = people_store.grants_of(db, {one.person.id for one in shown})
    due_at = now + timedelta(hours=home.settings.policy.take_down_hours)
    to_take_down = []
    for post in posts:
        covered = all(
            covers(
                grants[one.person.id], one.person.id, one.use, post.account_id, home.today(now), kind=one.person.kind
            )[0]
            for one in shown
            if one.post_id == post.id
        )
        if covered and post.take_down_by_at is not None:
            guarded_update(db, "post", post.id, {"take_down_by_at": None}, where={"state": post.state})
        if not covered:
            to_take_down.append(post)
            if post.take_down_by_at is None:
                _ask_to_take_down(home, db, post, due_at, now, actor)
    return [store.post_by_id(db, post.id) for post in to_take_down]


def _ask_to_take_down(home: Home, db: Database, post: Post, due_at: datetime, now: datetime, actor: str) -> None:
    guarded_update(db, "post", post.id, {"take_down_by_at": due_at}, where={"state": post.state})
    account = account_by_id(db, post.account_id)
    record_event(
        db,
        EventTag.POST_TAKE_DOWN,
        actor=actor,
        now=now,
        subject="post",
        subject_id=post.id,
        account_id=post.account_id,
    )
    when = due_at.astimezone(home.settings.zone)
    text = (
        f"A post on {account.handle or account.handle_wished} must come down by {when:%H:%M on %-d %B}."
        " A permission for somebody it shows does not cover it any more. The page of posts says which one."
    )
    for staff_id in {account.owner_id, account.deputy_id}:
        notify(
            db,
            staff_id=staff_id,
            kind="take_down",
            text=text,
            dedupe_key=f"take-down:{post.id}:{due_at:%Y%m%dT%H%M%S}",
            now=now,
            account_id=post.account_id,
        )


def grants_about(db: Database, person_id: int) -> list[Grant]:
    """Everything on record about one person, newest first."""
    return list(reversed(people_store.grants_of(db, [person_id])[person_id]))
