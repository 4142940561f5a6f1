"""The stage of the demonstration's stories: who plays, what moment it is, and the few moves that most stories share.

A story is a generator. It yields the day and hour at which it goes on, counted from today, and between two yields it
calls the product's own actions with `stage.now`. All stories are told together, in the order of their moments, so the
log of the school reads as it would have been written.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from socialgov import demo_people as people
from socialgov import demo_pictures as pictures
from socialgov.actions.credentials import deposit, record_login_test
from socialgov.actions.followers import accept_follower
from socialgov.actions.gate import go_live, record_setup
from socialgov.actions.observing import attest, attest_logo, check_account
from socialgov.actions.requests import approve, request_account
from socialgov.home import Home
from socialgov.models import Account, AccountKind, AccountRequest, Fact, Person, PersonKind, Staff
from socialgov.sandbox.network import Member, Network, Shot
from socialgov.store.followers import followers_of
from socialgov.store.people import people_by_ref

if TYPE_CHECKING:
    from socialgov.demo import NetworkClock

Moment = tuple[float, float]  # days from today, hour of that day in the school's zone
Story = Iterator[Moment]
OFFICE = f"office@{people.DOMAIN}"
FIRST_TEACHER = 5  # in front of the teachers stand those with other roles


@dataclass
class Stage:
    """The school while its story is told."""

    home: Home
    people: people.InventedSchool
    staff: Sequence[Staff]
    network: Network
    clock: NetworkClock
    today: datetime
    now: datetime = field(init=False)
    known: dict[tuple[PersonKind, str], Person] = field(default_factory=dict, repr=False)
    members: dict[str, Member] = field(default_factory=dict)  # carers on the simulated network, by reference
    secrets: dict[str, str] = field(default_factory=dict, repr=False)  # what the owners know, by handle

    def __post_init__(self) -> None:
        self.now = self.today

    @property
    def manager(self) -> Staff:
        return self.staff[0]

    @property
    def head(self) -> Staff:
        return self.staff[1]

    @property
    def lead(self) -> Staff:
        return self.staff[2]

    @property
    def data_manager(self) -> Staff:
        return self.staff[3]

    def teacher(self, number: int) -> Staff:
        return self.staff[FIRST_TEACHER + number]

    def day(self, days: int) -> date:
        """The school's own day, counted from today."""
        return self.home.today(self.today) + timedelta(days=days)

    def moment(self, when: Moment) -> datetime:
        """A little jitter apart, so that no two accounts were asked for at nine o'clock sharp; never in the future."""
        days, hour = when
        local = self.today.astimezone(self.home.settings.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        wanted = local + timedelta(days=days, hours=hour, seconds=secrets.randbelow(1200))
        return min(wanted.astimezone(self.today.tzinfo), self.today)

    def turn_to(self, moment: datetime) -> None:
        self.now = self.clock.told = max(moment, self.now) if self.clock.told else moment

    def person(self, kind: PersonKind, ref: str) -> Person:
        if not self.known:
            self.known = people_by_ref(self.home.db)
        return self.known[kind, ref]


def tell(stage: Stage, stories: Iterable[Story]) -> None:
    """Go on with whichever story's moment is next, until all are told."""
    queue: list[tuple[datetime, int, Story]] = []
    for order, story in enumerate(stories):
        heapq.heappush(queue, (stage.moment(next(story)), order, story))
    while queue:
        moment, order, story = heapq.heappop(queue)
        stage.turn_to(moment)
        when = next(story, None)
        if when is not None:
            heapq.heappush(queue, (max(stage.moment(when), moment), order, story))


# ------------------------------------------------------------------------------------------------ shared moves


def asked(stage: Stage, form: AccountRequest) -> Account:
    return request_account(stage.home, _owner(stage, form), form, now=stage.now)


def asked_and_approved(stage: Stage, form: AccountRequest, day: int) -> Iterator[Moment]:
    """Asked for in the morning, approved the next day by the network manager. Returns the account."""
    yield day, 9
    account = asked(stage, form)
    yield day + 1, 10
    return approve(stage.home, stage.manager, account.id, now=stage.now)


def on_the_network(stage: Stage, handle: str, *, private: bool = True, picture: bytes | None = None) -> Member:
    """What the owner does on the simulated network: make the account, official, with the logo, private."""
    password = stage.secrets.setdefault(handle, f"{secrets.token_urlsafe(9)}-{secrets.token_urlsafe(4)}!7k")
    text = f"Official account of {stage.home.settings.school_name}. Questions: {OFFICE}"
    member = stage.network.create_account(
        handle, password, email=OFFICE, display_name=handle.replace("_", " ").title(), text=text, private=private
    )
    stage.network.change_profile(member, picture=Shot(picture or pictures.logo(), "image/png", ""))
    return member


def set_up(stage: Stage, account: Account) -> Account:
    """Record what was set up, deposit the login, and say that recovery is in the school's hands."""
    home, owner, handle = stage.home, _owner(stage, account), account.handle_wished
    account = record_setup(home, owner, account.id, handle=handle, school_email=OFFICE, now=stage.now)
    secret = stage.secrets.setdefault(handle, f"{secrets.token_urlsafe(9)}-{secrets.token_urlsafe(4)}!7k")
    deposit(home, owner, account.id, username=handle, secret=secret, email=OFFICE, now=stage.now)
    shot = pictures.screenshot("Security and contact", (f"E-mail: {OFFICE}", "Phone: none"))
    attest(home, owner, account.id, Fact.RECOVERY_WITH_SCHOOL, True, screenshot=shot, now=stage.now)
    return account


def live_on_the_network(stage: Stage, form: AccountRequest, day: int) -> Iterator[Moment]:
    """From the request to the gate in four days, all in order. Returns the account."""
    account: Account = yield from asked_and_approved(stage, form, day)
    yield day + 2, 12.5
    on_the_network(stage, form.handle_wished)
    account = set_up(stage, account)
    yield day + 3, 8.5
    record_login_test(stage.home, stage.manager, account.id, True, now=stage.now)
    check_account(stage.home, account.id, now=stage.now)
    return go_live(stage.home, _owner(stage, account), account.id, now=stage.now)


def attest_everything(stage: Stage, account: Account, *, private: bool = True, followers: int = 0) -> None:
    """What an owner says of an account that no machine can read, with a screenshot each."""
    home, owner = stage.home, _owner(stage, account)
    text = f"Official account of {home.settings.school_name}. Questions: {OFFICE}"
    for fact, value in (
        (Fact.SETUP_EMAIL, OFFICE),
        (Fact.PROFILE_TEXT, text),
        (Fact.PRIVATE, private),
        (Fact.FOLLOWERS, followers),
        (Fact.FOLLOWS, 0),
        (Fact.LIKES, 0),
        (Fact.SHARES, 0),
        (Fact.CONVERSATIONS, 0),
        (Fact.OUTSIDE_POSTS, 0),
    ):
        shot = pictures.screenshot(f"{account.handle}: {fact.value.replace('_', ' ')}", (str(value),))
        attest(home, owner, account.id, fact, value, screenshot=shot, now=stage.now)
    attest_logo(home, owner, account.id, pictures.logo(), now=stage.now)


def followed_by(stage: Stage, handle: str, carers: Iterable[people.Named]) -> None:
    """Carers ask to follow on the simulated network."""
    owner = stage.network.named(handle)
    for carer in carers:
        if carer.ref not in stage.members:
            name = f"{carer.first}.{carer.ref}".lower()
            stage.members[carer.ref] = stage.network.create_account(
                name, secrets.token_urlsafe(12), display_name=carer.name
            )
        stage.network.follow(stage.members[carer.ref], owner)


def accept_all(stage: Stage, account: Account, carers: Iterable[people.Named]) -> None:
    """The owner looks at the list and accepts those of `carers` who are on it."""
    check_account(stage.home, account.id, now=stage.now)
    refs = {carer.name: carer.ref for carer in carers}
    for follower in followers_of(stage.home.db, account.id):
        ref = refs.get(follower.display_name)
        if ref and follower.decision is None:
            person = stage.person(PersonKind.CARER, ref)
            accept_follower(stage.home, _owner(stage, account), follower.id, person.id, how="By phone.", now=stage.now)


def request_for(
    stage: Stage,
    keepers: tuple[int, int],
    platform: str,
    handle: str,
    *,
    purpose: str,
    audience: str,
    day: int,
    until: int,
    kind: AccountKind = AccountKind.TRIP,
) -> AccountRequest:
    """A teacher's request, made `day` days from today; `until` is its last day, or its review."""
    form = AccountRequest(
        platform=platform,
        kind=kind,
        handle_wished=handle,
        purpose=purpose,
        audience=audience,
        owner_id=stage.teacher(keepers[0]).id,
        deputy_id=stage.teacher(keepers[1]).id,
        starts_on=stage.day(day + 2),
        ends_on=stage.day(until),
        review_on=None,
    )
    return form if kind is AccountKind.TRIP else replace(form, ends_on=None, review_on=stage.day(until))


def _owner(stage: Stage, account: Account | AccountRequest) -> Staff:
    return next(staff for staff in stage.staff if staff.id == account.owner_id)
