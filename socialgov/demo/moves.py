"""The moves that the demonstration's stories share: asking, setting up, attesting, following, posting."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace

from socialgov.actions.audience import set_audience
from socialgov.actions.closing import complete_task
from socialgov.actions.credentials import deposit, record_login_test
from socialgov.actions.followers import accept_follower
from socialgov.actions.gate import go_live, record_setup
from socialgov.actions.observing import attest, attest_logo, check_account
from socialgov.actions.posts import (
    add_photo,
    confirm,
    draft_post,
    publish_post,
    second_check,
    set_depictions,
    submit_post,
)
from socialgov.actions.requests import approve, request_account
from socialgov.demo import people, pictures
from socialgov.demo.people import Pupil
from socialgov.demo.stage import Moment, Stage
from socialgov.models import Account, AccountKind, AccountRequest, Fact, PersonKind, Post, Staff, StepState
from socialgov.sandbox.network import Member, Shot
from socialgov.store.closings import closing_of, steps_of
from socialgov.store.followers import followers_of

OFFICE = f"office@{people.DOMAIN}"


def asked(stage: Stage, form: AccountRequest) -> Account:
    return request_account(stage.home, owner_of(stage, form), form, now=stage.now)


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
    home, owner, handle = stage.home, owner_of(stage, account), account.handle_wished
    account = record_setup(home, owner, account.id, handle=handle, school_email=OFFICE, now=stage.now)
    secret = stage.secrets.setdefault(handle, f"{secrets.token_urlsafe(9)}-{secrets.token_urlsafe(4)}!7k")
    deposit(home, owner, account.id, username=handle, secret=secret, email=OFFICE, now=stage.now)
    recovery_looked_at(stage, account)
    return account


def recovery_looked_at(stage: Stage, account: Account) -> None:
    """The owner says, with a screenshot, that nobody's own address or phone opens the account."""
    shot = pictures.screenshot("Security and contact", (f"E-mail: {OFFICE}", "Phone: none"))
    attest(
        stage.home,
        owner_of(stage, account),
        account.id,
        Fact.RECOVERY_WITH_SCHOOL,
        True,
        screenshot=shot,
        now=stage.now,
    )


def live_on_the_network(stage: Stage, form: AccountRequest, day: int) -> Iterator[Moment]:
    """From the request to the gate in four days, all in order. Returns the account."""
    account: Account = yield from asked_and_approved(stage, form, day)
    yield day + 2, 12.5
    on_the_network(stage, form.handle_wished)
    account = set_up(stage, account)
    yield day + 3, 8.5
    record_login_test(stage.home, stage.manager, account.id, True, now=stage.now)
    check_account(stage.home, account.id, now=stage.now)
    return go_live(stage.home, owner_of(stage, account), account.id, now=stage.now)


def attest_everything(stage: Stage, account: Account, *, private: bool = True, followers: int = 0) -> None:
    """What an owner says of an account that no machine can read, with a screenshot each."""
    home, owner = stage.home, owner_of(stage, account)
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
            accept_follower(
                stage.home, owner_of(stage, account), follower.id, person.id, how="By phone.", now=stage.now
            )


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


def owner_of(stage: Stage, account: Account | AccountRequest) -> Staff:
    return next(staff for staff in stage.staff if staff.id == account.owner_id)


def choose_audience(stage: Stage, account: Account, pupils: list[Pupil]) -> None:
    ids = [stage.person(PersonKind.PUPIL, pupil.who.ref).id for pupil in pupils]
    owner = owner_of(stage, account)
    set_audience(stage.home, owner, account.id, ids, now=stage.now)


def ready_post(stage: Stage, account: Account, text: str, *, seed: int) -> Post:
    """A photo post of nobody, confirmed by its author."""
    home, owner = stage.home, owner_of(stage, account)
    post = draft_post(home, owner, account.id, text, now=stage.now)
    add_photo(home, owner, post.id, pictures.landscape(seed), "Hills under a low sun", now=stage.now)
    set_depictions(home, owner, post.id, shown=(), people_in_picture=0, nobody_identifiable=True, now=stage.now)
    return confirm(home, owner, post.id, permanence=True, school_equipment=True, own_work=True, now=stage.now)


def publish(stage: Stage, account: Account, text: str, *, seed: int) -> None:
    """Looked at by the deputy, then put out by the owner."""
    post = ready_post(stage, account, text, seed=seed)
    by_id = {staff.id: staff for staff in stage.staff}
    submit_post(stage.home, by_id[account.owner_id], post.id, now=stage.now)
    second_check(stage.home, by_id[account.deputy_id], post.id, True, now=stage.now)
    publish_post(stage.home, by_id[account.owner_id], post.id, now=stage.now)


def draft_of_somebody_refused(stage: Stage, account: Account, pupils: list[Pupil]) -> None:
    """A draft that cannot go out: one of the two pupils in it may not be shown."""
    answers = {pupil.who.ref: {answer for _, use, answer in pupil.answers if use == "photo"} for pupil in pupils}
    refused = next(ref for ref, said in answers.items() if said != {"granted"})
    granted = next(ref for ref, said in answers.items() if said == {"granted"})
    home, owner = stage.home, owner_of(stage, account)
    shown = [stage.person(PersonKind.PUPIL, ref).id for ref in (granted, refused)]
    post = draft_post(home, owner, account.id, "Two who found the best shell.", now=stage.now)
    add_photo(home, owner, post.id, pictures.landscape(6), "Two pupils on a beach, from far away", now=stage.now)
    set_depictions(home, owner, post.id, shown=shown, people_in_picture=2, now=stage.now)


def do_open_task(stage: Stage, account: Account) -> None:
    """The owner does the first task of the closing, with a screenshot."""
    closing = closing_of(stage.home.db, account.id)
    owner = owner_of(stage, account)
    if closing is not None:
        step = next(step for step in steps_of(stage.home.db, closing.id) if step.state is StepState.TASK)
        shot = pictures.screenshot("marrowdown.history", ("No posts yet",))
        complete_task(stage.home, owner, step.id, screenshot=shot, note="Everything is deleted.", now=stage.now)
