"""The stories of the demonstration's accounts: one in each state of the lifecycle, some in order and some in breach.

Days count from today, so the school looks the same on whichever day the demonstration is made. Handles end in what
they show, and the purpose of each is what a teacher would have written.
"""

from __future__ import annotations

from collections.abc import Callable

from socialgov import demo_pictures as pictures
from socialgov.actions.audience import set_audience
from socialgov.actions.closing import complete_task, start_closing
from socialgov.actions.credentials import record_login_test, reveal
from socialgov.actions.extensions import ask_extension
from socialgov.actions.gate import go_live, suspend
from socialgov.actions.observing import check_account
from socialgov.actions.posts import (
    add_photo,
    confirm,
    draft_post,
    publish_post,
    second_check,
    set_depictions,
    submit_post,
)
from socialgov.actions.requests import decline, register_found, return_request, withdraw
from socialgov.actions.staff import staff_leaves
from socialgov.actions.waivers import PUBLIC_ACCOUNT_RULES, grant_waiver
from socialgov.demo_people import Pupil
from socialgov.demo_stage import (
    Stage,
    Story,
    accept_all,
    asked,
    asked_and_approved,
    attest_everything,
    followed_by,
    live_on_the_network,
    on_the_network,
    request_for,
    set_up,
)
from socialgov.models import Account, AccountKind, PersonKind, Post, StepState
from socialgov.sandbox.wall import Wall
from socialgov.store.closings import closing_of, steps_of

STANDING, WHOLE_SCHOOL = AccountKind.STANDING, AccountKind.WHOLE_SCHOOL

# ------------------------------------------------------------------------------------------------------ in order


def harbour_trip(stage: Stage) -> Story:
    """A trip account as it should be: its audience, its followers, two photos out, one waiting, one refused."""
    form = request_for(
        stage,
        (0, 1),
        "sandbox",
        "md_harbour_trip",
        day=-20,
        until=18,
        purpose="Daily news from the harbour trip of form 9B for those at home",
        audience="Pupils of 9B who come along, and their parents and carers",
    )
    account = yield from live_on_the_network(stage, form, -20)
    pupils = stage.people.form(9, "B")
    carers = [carer for pupil in pupils[:4] for carer, _ in pupil.carers]
    _audience(stage, account, pupils)
    followed_by(stage, form.handle_wished, carers)
    yield -16, 17
    accept_all(stage, account, carers[:-1])
    yield -13, 16
    _publish(stage, account, "Boats in the morning light. All is well.", seed=1)
    yield -6, 18
    _publish(stage, account, "The cliffs we walked along today.", seed=2)
    yield -1, 16
    post = _ready(stage, account, "Packing for the day after tomorrow.", seed=3)
    submit_post(stage.home, stage.teacher(0), post.id, now=stage.now)
    yield -1, 17
    _draft_of_somebody_refused(stage, account, pupils)


def market_day(stage: Stage) -> Story:
    """Nearly over: reminded, and a longer life asked for."""
    form = request_for(
        stage,
        (2, 3),
        "sandbox",
        "md_market_day",
        day=-40,
        until=3,
        purpose="Business studies' stall at the market: what is sold and what the pupils learn",
        audience="Parents and carers of 10C",
    )
    account = yield from live_on_the_network(stage, form, -40)
    _audience(stage, account, stage.people.form(10, "C"))
    yield -2, 13
    reason = "The market was moved by a week because of the weather."
    ask_extension(stage.home, stage.teacher(2), account.id, stage.day(12), reason, now=stage.now)


def page_of_the_school(stage: Stage) -> Story:
    """A public page, which the head has allowed. People say how it stands, with screenshots."""
    form = request_for(
        stage,
        (4, 5),
        "facebook_page",
        "MarrowdownLantern",
        kind=WHOLE_SCHOOL,
        day=-80,
        until=200,
        purpose="News of the whole school for the neighbourhood: concerts, open days, snow closures",
        audience="Everybody in the neighbourhood",
    )
    account = yield from asked_and_approved(stage, form, -80)
    yield -77, 11
    account = set_up(stage, account)
    attest_everything(stage, account, private=False)
    record_login_test(stage.home, stage.manager, account.id, True, now=stage.now)
    yield -76, 12
    reason = "The school's page for the neighbourhood is meant to be public. No child is shown on it."
    grant_waiver(stage.home, stage.head, account.id, PUBLIC_ACCOUNT_RULES, reason, stage.day(200), now=stage.now)
    go_live(stage.home, stage.teacher(4), account.id, now=stage.now)
    for day in (-50, -24, -5):
        yield day, 11
        attest_everything(stage, account, private=False, followers=0)


# ----------------------------------------------------------------------------------------------------- in breach


def netball(stage: Stage) -> Story:
    """Somebody flipped it to public, and strangers came in."""
    form = request_for(
        stage,
        (6, 7),
        "sandbox",
        "md_netball",
        kind=STANDING,
        day=-70,
        until=150,
        purpose="Fixtures and results of the netball teams",
        audience="Players' parents and carers",
    )
    account = yield from live_on_the_network(stage, form, -70)
    pupils = stage.people.form(8, "D")
    carers = [carer for pupil in pupils[:3] for carer, _ in pupil.carers]
    _audience(stage, account, pupils)
    followed_by(stage, form.handle_wished, carers)
    yield -64, 12
    accept_all(stage, account, carers)
    yield -3, 21
    member = stage.network.named(form.handle_wished)
    stage.network.change_profile(member, private=False)
    for name in ("dave32457", "kettle_fan"):
        stage.network.follow(stage.network.named(name), stage.network.named(form.handle_wished))


def choir_tour(stage: Stage) -> Story:
    """It liked something, follows somebody, and posted past the gate."""
    form = request_for(
        stage,
        (8, 9),
        "sandbox",
        "md_choir_tour",
        day=-25,
        until=20,
        purpose="The choir on tour: where they sing and how it went",
        audience="Parents and carers of the choir",
    )
    account = yield from live_on_the_network(stage, form, -25)
    _audience(stage, account, stage.people.form(11, "A"))
    yield -2, 20
    wall, tour = Wall(stage.network), stage.network.named(form.handle_wished)
    outsider = stage.network.named("local_news_bot")
    number = wall.publish(outsider, "Road works on the bypass until Friday.")
    wall.like(tour, number)
    stage.network.follow(tour, outsider)
    wall.publish(tour, "What a night! Everybody was brilliant.")


def art_department(stage: Stage) -> Story:
    """Nobody has looked for weeks, so nothing is known any more; and nothing unknown counts as holding."""
    form = request_for(
        stage,
        (10, 11),
        "instagram",
        "marrowdown.art",
        kind=STANDING,
        day=-60,
        until=120,
        purpose="Work of the art department, photographed without its makers",
        audience="Parents and carers of pupils who take art",
    )
    account = yield from asked_and_approved(stage, form, -60)
    yield -57, 14
    account = set_up(stage, account)
    attest_everything(stage, account)
    yield -56, 9
    record_login_test(stage.home, stage.manager, account.id, True, now=stage.now)
    go_live(stage.home, stage.teacher(10), account.id, now=stage.now)


def drama_club(stage: Stage) -> Story:
    """A weak password that the school only advises against, and a deputy who has left."""
    form = request_for(
        stage,
        (12, 13),
        "sandbox",
        "md_drama_club",
        kind=STANDING,
        day=-90,
        until=100,
        purpose="Rehearsals and performances of the drama club",
        audience="Parents and carers of the club's members",
    )
    stage.secrets[form.handle_wished] = "Rehearsal2024!"
    account = yield from live_on_the_network(stage, form, -90)
    _audience(stage, account, stage.people.form(12, "C"))
    yield -30, 10
    reveal(stage.home, stage.manager, account.id, "The owner was locked out before the performance.", now=stage.now)
    yield -7, 15
    staff_leaves(stage.home, stage.manager, stage.teacher(13).id, now=stage.now)
    check_account(stage.home, account.id, now=stage.now)


# ------------------------------------------------------------------------------------------- before and after live


def spring_trip(stage: Stage) -> Story:
    """Asked for today; the network manager decides."""
    yield 0, 8
    form = request_for(
        stage,
        (0, 2),
        "sandbox",
        "md_spring_trip",
        day=10,
        until=40,
        purpose="Pictures of the moor for those at home, none of them with a face",
        audience="Parents and carers of 7A",
    )
    asked(stage, form)


def chess_club(stage: Stage) -> Story:
    """Sent back with a question."""
    yield -4, 10
    form = request_for(
        stage,
        (14, 15),
        "instagram",
        "marrowdown.chess",
        kind=STANDING,
        day=-4,
        until=150,
        purpose="Games worth looking at",
        audience="Anybody",
    )
    account = asked(stage, form)
    yield -3, 9
    reason = (
        "Who is the audience? Pupils do not follow school accounts; name their parents and carers if you mean them."
    )
    return_request(stage.home, stage.manager, account.id, reason, now=stage.now)


def gossip(stage: Stage) -> Story:
    """Declined."""
    yield -33, 12
    form = request_for(
        stage,
        (16, 17),
        "x",
        "md_overheard",
        day=-33,
        until=10,
        purpose="Funny things overheard in the corridors",
        audience="Staff and pupils",
    )
    account = asked(stage, form)
    yield -32, 9
    reason = "That is not a professional purpose, and it would quote pupils who have not been asked."
    decline(stage.home, stage.head, account.id, reason, now=stage.now)


def rugby(stage: Stage) -> Story:
    """Withdrawn by the one who asked."""
    yield -28, 12
    form = request_for(
        stage,
        (18, 19),
        "sandbox",
        "md_rugby",
        kind=STANDING,
        day=-28,
        until=90,
        purpose="Results of the rugby teams",
        audience="Players' parents and carers",
    )
    account = asked(stage, form)
    yield -27, 15
    withdraw(stage.home, stage.teacher(18), account.id, now=stage.now)


def museum_visit(stage: Stage) -> Story:
    """Approved and half set up: still public, another logo, no login test."""
    form = request_for(
        stage,
        (0, 3),
        "sandbox",
        "md_museum_visit",
        day=-5,
        until=25,
        purpose="A day at the museum of lamps, exhibit by exhibit",
        audience="Parents and carers of 7B",
    )
    account = yield from asked_and_approved(stage, form, -5)
    yield -2, 15
    on_the_network(stage, form.handle_wished, private=False, picture=pictures.other_logo())
    account = set_up(stage, account)
    check_account(stage.home, account.id, now=stage.now)


def library(stage: Stage) -> Story:
    """Found although nobody had asked for it; it must pass the gate or go."""
    yield -9, 11
    form = request_for(
        stage,
        (20, 21),
        "bluesky",
        "marrowdown-library.bsky.social",
        kind=STANDING,
        day=-9,
        until=200,
        purpose="New books, found running without registration",
        audience="Readers at the school and elsewhere",
    )
    register_found(stage.home, stage.manager, form, handle=form.handle_wished, now=stage.now)


def geography(stage: Stage) -> Story:
    """Stopped at once by the safeguarding lead."""
    form = request_for(
        stage,
        (22, 23),
        "x",
        "md_geography",
        kind=STANDING,
        day=-45,
        until=120,
        purpose="Questions of the week about maps and weather",
        audience="Parents and carers of pupils who take geography",
    )
    account = yield from asked_and_approved(stage, form, -45)
    yield -42, 10
    account = set_up(stage, account)
    attest_everything(stage, account)
    record_login_test(stage.home, stage.manager, account.id, True, now=stage.now)
    go_live(stage.home, stage.teacher(22), account.id, now=stage.now)
    yield -20, 10
    attest_everything(stage, account)
    yield -4, 19
    reason = "A stranger wrote to followers in the school's name. Until that is cleared up nothing goes out."
    suspend(stage.home, stage.lead, account.id, reason, now=stage.now)


# ------------------------------------------------------------------------------------------------------- closing


def ski_week(stage: Stage) -> Story:
    """Its time was over twelve days ago: deactivated by the machine, and waiting for the platform's delay."""
    form = request_for(
        stage,
        (24, 25),
        "sandbox",
        "md_ski_week",
        day=-58,
        until=-13,
        purpose="From the ski week to those at home",
        audience="Parents and carers of 13A",
    )
    account = yield from live_on_the_network(stage, form, -58)
    _audience(stage, account, stage.people.form(13, "A"))
    yield -40, 12
    _publish(stage, account, "Snow, and nobody to be seen for miles.", seed=4)


def history_visit(stage: Stage) -> Story:
    """Closing on a platform that only people can work: a task waits."""
    form = request_for(
        stage,
        (26, 27),
        "instagram",
        "marrowdown.history",
        day=-40,
        until=10,
        purpose="What the history visit saw, without the visitors",
        audience="Parents and carers of 8A",
    )
    account = yield from asked_and_approved(stage, form, -40)
    yield -37, 14
    account = set_up(stage, account)
    attest_everything(stage, account)
    record_login_test(stage.home, stage.manager, account.id, True, now=stage.now)
    go_live(stage.home, stage.teacher(26), account.id, now=stage.now)
    yield -4, 16
    start_closing(stage.home, stage.teacher(26), account.id, "The visit is over sooner than planned.", now=stage.now)
    yield -3, 11
    _do_open_task(stage, account)


def science_week(stage: Stage) -> Story:
    """Gone, and seen to be gone: a certificate says so."""
    form = request_for(
        stage,
        (28, 29),
        "sandbox",
        "md_science_week",
        day=-118,
        until=-92,
        purpose="Experiments of the science week",
        audience="Parents and carers of year 10",
    )
    account = yield from live_on_the_network(stage, form, -118)
    pupils = stage.people.form(10, "A")
    carers = [carer for pupil in pupils[:2] for carer, _ in pupil.carers]
    _audience(stage, account, pupils)
    followed_by(stage, form.handle_wished, carers)
    yield -110, 12
    accept_all(stage, account, carers)
    yield -108, 12
    _publish(stage, account, "The volcano behaved.", seed=5)


STORIES: tuple[Callable[[Stage], Story], ...] = (
    harbour_trip, market_day, page_of_the_school, netball, choir_tour, art_department, drama_club, spring_trip,
    chess_club, gossip, rugby, museum_visit, library, geography, ski_week, history_visit, science_week,
)  # fmt: skip


# --------------------------------------------------------------------------------------------------------- moves


def _audience(stage: Stage, account: Account, pupils: list[Pupil]) -> None:
    ids = [stage.person(PersonKind.PUPIL, pupil.who.ref).id for pupil in pupils]
    owner = next(staff for staff in stage.staff if staff.id == account.owner_id)
    set_audience(stage.home, owner, account.id, ids, now=stage.now)


def _ready(stage: Stage, account: Account, text: str, *, seed: int) -> Post:
    """A photo post of nobody, confirmed by its author."""
    home, owner = stage.home, next(staff for staff in stage.staff if staff.id == account.owner_id)
    post = draft_post(home, owner, account.id, text, now=stage.now)
    add_photo(home, owner, post.id, pictures.landscape(seed), "Hills under a low sun", now=stage.now)
    set_depictions(home, owner, post.id, shown=(), people_in_picture=0, nobody_identifiable=True, now=stage.now)
    return confirm(home, owner, post.id, permanence=True, school_equipment=True, own_work=True, now=stage.now)


def _publish(stage: Stage, account: Account, text: str, *, seed: int) -> None:
    """Looked at by the deputy, then put out by the owner."""
    post = _ready(stage, account, text, seed=seed)
    by_id = {staff.id: staff for staff in stage.staff}
    submit_post(stage.home, by_id[account.owner_id], post.id, now=stage.now)
    second_check(stage.home, by_id[account.deputy_id], post.id, True, now=stage.now)
    publish_post(stage.home, by_id[account.owner_id], post.id, now=stage.now)


def _draft_of_somebody_refused(stage: Stage, account: Account, pupils: list[Pupil]) -> None:
    """A draft that cannot go out: one of the two pupils in it may not be shown."""
    answers = {pupil.who.ref: {answer for _, use, answer in pupil.answers if use == "photo"} for pupil in pupils}
    refused = next(ref for ref, said in answers.items() if said != {"granted"})
    granted = next(ref for ref, said in answers.items() if said == {"granted"})
    home, owner = stage.home, next(staff for staff in stage.staff if staff.id == account.owner_id)
    shown = [stage.person(PersonKind.PUPIL, ref).id for ref in (granted, refused)]
    post = draft_post(home, owner, account.id, "Two who found the best shell.", now=stage.now)
    add_photo(home, owner, post.id, pictures.landscape(6), "Two pupils on a beach, from far away", now=stage.now)
    set_depictions(home, owner, post.id, shown=shown, people_in_picture=2, now=stage.now)


def _do_open_task(stage: Stage, account: Account) -> None:
    """The owner does the first task of the closing, with a screenshot."""
    closing = closing_of(stage.home.db, account.id)
    owner = next(staff for staff in stage.staff if staff.id == account.owner_id)
    if closing is not None:
        step = next(step for step in steps_of(stage.home.db, closing.id) if step.state is StepState.TASK)
        shot = pictures.screenshot("marrowdown.history", ("No posts yet",))
        complete_task(stage.home, owner, step.id, screenshot=shot, note="Everything is deleted.", now=stage.now)
