"""Stories of the demonstration's live accounts, some in order and some in breach.

Days count from today, so the school looks the same on whichever day the demonstration is made.
"""

from __future__ import annotations

from collections.abc import Callable

from socialgov.actions.credentials import record_login_test
from socialgov.actions.extensions import ask_extension
from socialgov.actions.gate import go_live
from socialgov.actions.looking import look
from socialgov.actions.observing import check_account
from socialgov.actions.posts import submit_post
from socialgov.actions.public_accounts import allow_public_account
from socialgov.actions.staff import staff_leaves
from socialgov.demo.moves import (
    accept_all,
    asked_and_approved,
    attest_everything,
    choose_audience,
    draft_of_somebody_refused,
    followed_by,
    live_on_the_network,
    publish,
    ready_post,
    recovery_looked_at,
    request_for,
    set_up,
)
from socialgov.demo.stage import Stage, Story
from socialgov.models import AccountKind
from socialgov.sandbox.wall import Wall

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
    choose_audience(stage, account, pupils)
    followed_by(stage, form.handle_wished, carers)
    yield -16, 17
    accept_all(stage, account, carers[:-1])
    yield -13, 16
    publish(stage, account, "Boats in the morning light. All is well.", seed=1)
    yield -6, 18
    publish(stage, account, "The cliffs we walked along today.", seed=2)
    yield -1, 16
    post = ready_post(stage, account, "Packing for the day after tomorrow.", seed=3)
    submit_post(stage.home, stage.teacher(0), post.id, now=stage.now)
    yield -1, 17
    draft_of_somebody_refused(stage, account, pupils)


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
    choose_audience(stage, account, stage.people.form(10, "C"))
    yield -11, 12
    recovery_looked_at(stage, account)
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
    yield -81, 15
    reason = "The school's page for the neighbourhood is meant to be public. No child is shown on it."
    allow_public_account(
        stage.home,
        stage.head,
        platform=form.platform,
        staff_id=form.owner_id,
        purpose=form.purpose,
        reason=reason,
        until_on=stage.day(200),
        now=stage.now,
    )
    account = yield from asked_and_approved(stage, form, -80)
    yield -77, 11
    account = set_up(stage, account)
    attest_everything(stage, account, private=False)
    record_login_test(stage.home, stage.manager, account.id, True, now=stage.now)
    yield -76, 12
    go_live(stage.home, stage.teacher(4), account.id, now=stage.now)
    for day in (-50, -24, -5):
        yield day, 11
        attest_everything(stage, account, private=False)
        recovery_looked_at(stage, account)


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
    choose_audience(stage, account, pupils)
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
    choose_audience(stage, account, stage.people.form(11, "A"))
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
    choose_audience(stage, account, stage.people.form(12, "C"))
    yield -30, 10
    reason = "The owner was locked out before the performance."
    with stage.pocket.vault_open(stage.home, stage.manager, now=stage.now) as vault:
        look(stage.home, stage.manager, vault, account.id, reason, now=stage.now)
    yield -7, 15
    staff_leaves(stage.home, stage.manager, stage.teacher(13).id, now=stage.now)
    check_account(stage.home, account.id, now=stage.now)


LIVING: tuple[Callable[[Stage], Story], ...] = (
    harbour_trip,
    market_day,
    page_of_the_school,
    netball,
    choir_tour,
    art_department,
    drama_club,
)
