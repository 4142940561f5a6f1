"""A dead line at every request of what the product does with a platform: look, publish, let in, put out, close
(connecting and putting right have files of their own).

Whatever is cut: the last true picture is kept, nothing is posted twice, nothing is called done or in order that is
not, and the next try puts it right.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from faulty import MOST_REQUESTS, Cut, Cutting, Replay, Tape, at_every_request
from school_there import There, broken, each_cut, school_there
from world import EVERY_CUT, World

from socialgov.actions.closing import advance, start_closing
from socialgov.actions.followers import accept_follower, record_followers, refuse_follower
from socialgov.actions.observing import check_account
from socialgov.actions.publishing import publish_post, settle_publishing
from socialgov.home import Home
from socialgov.models import AccountState, Capability, Decision, PostState, Presence, StepName, StepState
from socialgov.platforms import PlatformError
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import first_open_step, steps_of
from socialgov.store.followers import all_followers_of, followers_of
from socialgov.store.posts import post_by_id

C = Capability
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


# ---------------------------------------------------------------------------------------------------- looking


def breaches(world: World) -> None:
    """What a careless teacher and a stranger do."""
    can = world.adapter().can
    for capability, make in (
        (C.READ_POSTS, lambda: world.post("Put up on the platform itself")),
        (C.READ_LIKES, world.like),
        (C.READ_FOLLOWS, world.follow),
        (C.READ_SHARES, world.share),
        (C.READ_FOLLOWERS, world.follower),
    ):
        if can(capability):
            make()
    if world.is_private():
        world.make_public()


def test_a_look_that_is_cut_off_anywhere_leaves_the_last_true_picture(there: There) -> None:
    """And what was out of order stays so: nothing that could not be read is in order again."""
    breaches(there.world)
    now = there.world.now + HOUR
    tape = Tape(there.world.network())
    there.through(tape)
    before = broken(check_account(there.home, there.account.id, now=now))
    known, followers = there.known(), all_followers_of(there.home.db, there.account.id)
    assert {"MED512", "INT401", "INT402"} <= before
    for cut in Cut:
        for number in range(1, len(tape.heard) + 1):
            now += MINUTE
            where = f"request {number} {cut.value}"
            there.through(Cutting(Replay(tape.heard), number, cut))
            findings = check_account(there.home, there.account.id, now=now)
            assert there.known() == known, where
            assert broken(findings) == before, where
            assert [one.gone_at for one in all_followers_of(there.home.db, there.account.id)] == [None] * len(followers)
            assert there.fresh().state is AccountState.LIVE, where


def test_what_could_not_be_looked_at_for_long_is_not_known_rather_than_in_order(there: There) -> None:
    check_account(there.home, there.account.id, now=there.world.now + HOUR)
    days = there.home.settings.policy.observation_days + 1
    there.through(Cutting(Replay([]), 10**6, Cut.BEFORE))  # everything is answered with 503
    later = check_account(there.home, there.account.id, now=there.world.now + days * DAY)
    answers = {one.rule_id: one.answer for one in later}
    assert {answers[rule] for rule in ("INT401", "INT402", "INT403", "MED512")} == {None}
    assert there.fresh().check_due_at is not None


# ---------------------------------------------------------------------------------------------------- publishing


def test_a_post_that_is_cut_off_anywhere_is_out_once_and_the_school_knows_it(there: There) -> None:
    if not there.world.adapter().can(C.PUBLISH):
        pytest.skip(f"{there.world.info.name} takes no posts from a machine")
    world, numbers = there.world, {}

    def publish(turn: int) -> None:
        numbers[turn] = there.draft(f"Boats {turn}").id
        publish_post(there.home, there.owner, numbers[turn], now=world.now)

    def settled(where: str, turn: int) -> None:
        out, state = world.texts().count(f"Boats {turn}"), state_of(there, numbers[turn])
        assert out <= 1, where
        if state is PostState.PUBLISHED:
            assert out == 1, f"{where}: it says that it is out, and it is not"
        if state in (PostState.DRAFT, PostState.WAITING):
            assert out == 0, f"{where}: it is out, and it says that it is not"
        if state is PostState.PUBLISHING:
            settle_publishing(there.home, world.now + 6 * MINUTE)
            assert state_of(there, numbers[turn]) is (PostState.PUBLISHED if out else PostState.DRAFT), where
        if state_of(there, numbers[turn]) is PostState.DRAFT:
            publish_post(there.home, there.owner, numbers[turn], now=world.now + 7 * MINUTE)
        assert state_of(there, numbers[turn]) is PostState.PUBLISHED, where
        assert world.texts().count(f"Boats {turn}") == 1, where

    each_cut(there, publish, settled)
    outside = check_account(there.home, there.account.id, now=world.now + HOUR)
    assert "MED512" not in broken(outside), "what went out here is not taken for something put up elsewhere"


def state_of(there: There, post_id: int) -> PostState:
    return post_by_id(there.home.db, post_id).state


def test_settling_that_is_cut_off_anywhere_decides_nothing_it_has_not_read(there: There) -> None:
    if not there.world.adapter().can(C.PUBLISH):
        pytest.skip(f"{there.world.info.name} takes no posts from a machine")
    post_id, out = lost_answer(there)
    for number in range(1, MOST_REQUESTS):
        network = Cutting(there.world.network(), number, Cut.BODY)
        there.through(network)
        settle_publishing(there.home, there.world.now + 6 * MINUTE)
        there.whole()
        if state_of(there, post_id) is not PostState.PUBLISHING:
            assert state_of(there, post_id) is (PostState.PUBLISHED if out else PostState.DRAFT)
            return
        assert network.happened
    raise AssertionError("it was never settled")


def lost_answer(there: There) -> tuple[int, bool]:
    """A post whose answer was lost on the request that put it out."""
    for number in range(1, MOST_REQUESTS):
        post = there.draft(f"Lost {number}")
        there.through(Cutting(there.world.network(), number, Cut.AFTER))
        try:
            publish_post(there.home, there.owner, post.id, now=there.world.now)
        except PlatformError:
            pass
        finally:
            there.whole()
        if state_of(there, post.id) is PostState.PUBLISHING:
            return post.id, f"Lost {number}" in there.world.texts()
    raise AssertionError("no request put it out")


# ---------------------------------------------------------------------------------------------------- followers


def test_letting_in_that_is_cut_off_anywhere_is_decided_and_comes_true_when_asked_again(there: There) -> None:
    world = there.world
    if not world.adapter().can(C.ACCEPT_FOLLOWER):
        pytest.skip(f"{world.info.name} keeps nobody waiting for a machine")
    ids: dict[int, str] = {}

    def let_in(turn: int) -> None:
        ids[turn] = world.follower()
        accept_follower(there.home, there.owner, on_record(there, ids[turn]), there.mother.id, now=world.now)

    def in_the_end(where: str, turn: int) -> None:
        follower = next(one for one in followers_of(there.home.db, there.account.id) if one.remote_id == ids[turn])
        assert follower.decision is Decision.ACCEPTED, where
        if not follower.waiting:
            assert ids[turn] in world.following(), f"{where}: it says let in, and they wait"
        again = accept_follower(there.home, there.owner, follower.id, there.mother.id, now=world.now + MINUTE)
        assert not again.waiting and ids[turn] in world.following(), where

    each_cut(there, let_in, in_the_end)


def test_putting_out_that_is_cut_off_anywhere_is_a_task_until_the_platform_shows_it(there: There) -> None:
    world = there.world
    if not world.adapter().can(C.REMOVE_FOLLOWER):
        pytest.skip(f"{world.info.name} removes nobody by machine")
    ids: dict[int, str] = {}

    def put_out(turn: int) -> None:
        ids[turn] = world.follower()
        refuse_follower(there.home, there.owner, on_record(there, ids[turn]), "Nobody knows them.", now=world.now)

    def in_the_end(where: str, turn: int) -> None:
        follower = next(one for one in all_followers_of(there.home.db, there.account.id) if one.remote_id == ids[turn])
        assert follower.decision is Decision.REFUSED, where
        if follower.gone_at is not None:
            assert ids[turn] not in world.waiting() + world.following(), f"{where}: it says gone, and they are there"
        else:
            refuse_follower(there.home, there.owner, follower.id, "Nobody knows them.", now=world.now + MINUTE)
        assert ids[turn] not in world.waiting() + world.following(), where

    each_cut(there, put_out, in_the_end)


def on_record(there: There, remote_id: str) -> int:
    """The follower as the school sees them after a look, made over a network that works."""
    seen = there.world.adapter(C.READ_FOLLOWERS).followers()
    record_followers(there.home, there.account.id, seen, now=there.world.now)
    return next(one.id for one in followers_of(there.home.db, there.account.id) if one.remote_id == remote_id)


# ---------------------------------------------------------------------------------------------------- closing

# what must be true on the platform once a step is called done
TRUE_THERE: dict[StepName, Callable[[World], bool]] = {
    StepName.TAKE_CONTENT_DOWN: lambda world: world.texts() == [] and world.shared() == [],
    StepName.REVOKE_ACCESS: lambda world: not world.token_works(),
    StepName.DEACTIVATE: lambda world: world.presence() is not Presence.LIVE,
    StepName.SEE_IT_GONE: lambda world: world.presence() is not Presence.LIVE,
    StepName.SEE_IT_GONE_FOR_GOOD: lambda world: world.presence() is Presence.GONE,
}


def test_a_closing_that_is_cut_off_anywhere_calls_nothing_done_that_is_not_and_goes_on(
    home: Home, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time a new account; the machine's steps are worked off up to a person's task, or to the certificate.

    The platform did it and the answer was lost, which is the worst; `make conformance` cuts in the other ways too.
    """
    if type(world).hand_over is World.hand_over or not world.adapter().can(C.DELETE_POST):
        pytest.skip(f"nothing of a closing is done on {world.info.name} by machine")

    def run(number: int, cut: Cut) -> Cutting:
        return a_closing_cut_off(school_there(home, world.another(), monkeypatch), number, cut)

    # each is a new account, and its calls are cut one by one too
    at_every_request(run, Cut if EVERY_CUT else (), step=5 if world.sparing else 1)


def a_closing_cut_off(there: There, number: int, cut: Cut) -> Cutting:
    world, home, now, where = there.world, there.home, there.world.now, f"request {number} {cut.value}"
    world.post("Boats")
    if world.adapter().can(C.READ_SHARES):
        world.share()
    closing = start_closing(home, None, there.account.id, "Its end date is over.", now=now)
    network = Cutting(world.network(), number, cut)
    there.through(network)
    advance(home, closing.id, now=now)
    there.whole()
    called_done_is_true(there, closing.id, where)
    for hours in (1, 6, 24, 48):
        now = world.now + hours * HOUR
        advance(home, closing.id, now=now)
        called_done_is_true(there, closing.id, where)
    step = first_open_step(home.db, closing.id)
    assert step is not None and step.name is not StepName.TAKE_CONTENT_DOWN, where
    if step.state is StepState.WAITING:  # the machine does it all: nothing but the platform's delay is left
        assert step.name is StepName.WAIT_THE_DELAY, f"{where}: {step.name} {step.last_error}"
        world.pass_days(33)
        advance(home, closing.id, now=now + 33 * DAY)
        assert account_by_id(home.db, there.account.id).state is AccountState.CLOSED, where
        assert world.presence() is Presence.GONE
    called_done_is_true(there, closing.id, where)
    return network


def called_done_is_true(there: There, closing_id: int, where: str) -> None:
    for step in steps_of(there.home.db, closing_id):
        if step.state is StepState.DONE and step.name in TRUE_THERE:
            assert TRUE_THERE[step.name](there.world), f"{where}: {step.name} is called done"
