"""Stories of the demonstration's accounts that are not live yet, never will be, or are no more."""

from __future__ import annotations

from collections.abc import Callable

from socialgov.actions.closing import start_closing
from socialgov.actions.credentials import record_login_test
from socialgov.actions.gate import go_live, suspend
from socialgov.actions.observing import check_account
from socialgov.actions.requests import decline, register_found, return_request, withdraw
from socialgov.demo import pictures
from socialgov.demo.moves import (
    accept_all,
    asked,
    asked_and_approved,
    attest_everything,
    choose_audience,
    do_open_task,
    followed_by,
    live_on_the_network,
    on_the_network,
    publish,
    request_for,
    set_up,
)
from socialgov.demo.stage import Stage, Story
from socialgov.models import AccountKind

STANDING = AccountKind.STANDING


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
        "facebook_page",
        "marrowdown.library",
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
    choose_audience(stage, account, stage.people.form(13, "A"))
    yield -40, 12
    publish(stage, account, "Snow, and nobody to be seen for miles.", seed=4)


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
    do_open_task(stage, account)


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
    choose_audience(stage, account, pupils)
    followed_by(stage, form.handle_wished, carers)
    yield -110, 12
    accept_all(stage, account, carers)
    yield -108, 12
    publish(stage, account, "The volcano behaved.", seed=5)


ENDINGS: tuple[Callable[[Stage], Story], ...] = (
    spring_trip,
    chess_club,
    gossip,
    rugby,
    museum_visit,
    library,
    geography,
    ski_week,
    history_visit,
    science_week,
)
