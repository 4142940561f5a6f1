"""What every adapter promises, held against its own platform: the same tests for each, unchanged.

What it declares really works there, once and again; what it does not declare it refuses without asking anybody.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from calls import CHANGES, READS, Change, Read
from faulty import Tape
from world import World

import socialgov.platforms
from socialgov.models import Capability
from socialgov.platforms import CannotDo, LoginRefused, Platform, PlatformError, RemoteFollower, RemotePost

reads = pytest.mark.parametrize("read", READS, ids=lambda read: read.name)
changes = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)


def taped(world: World, need: Capability | None = None) -> tuple[Platform, Tape]:
    adapter = world.adapter(need)
    adapter.transport = Tape(world.network())
    return adapter, adapter.transport


@reads
def test_a_read_tells_what_is_there_to_its_last_page_or_is_not_declared(world: World, read: Read) -> None:
    adapter, tape = taped(world, read.capability)
    if not adapter.can(read.capability):
        with pytest.raises(CannotDo):
            read.ask(adapter)
        assert tape.heard == [], "it asked for what it does not declare"
        return
    expected = read.arrange(world)
    assert read.ask(adapter) == expected
    assert read.ask(world.adapter(read.capability)) == expected


@changes
def test_a_change_is_made_and_made_again_without_harm_or_is_not_declared(world: World, change: Change) -> None:
    adapter, tape = taped(world, change.capability)
    if not adapter.can(change.capability):
        with pytest.raises(CannotDo):
            change.do(adapter, ("1", "1"))
        assert tape.heard == [], "it asked for what it does not declare"
        return
    thing = change.arrange(world)
    if change.name != "ask_deletion_code":
        assert not change.done(world, thing), "the world shows it before it was done"
    change.do(adapter, thing)
    assert change.done(world, thing)
    again(world, change, thing)
    assert change.done(world, thing)


def again(world: World, change: Change, thing: object) -> None:
    """Once more, as after a crash. Who was shut out by the first time is told so and nothing else."""
    try:
        change.do(world.adapter(change.capability), thing)
    except LoginRefused:
        assert change.ends, "only what ends the account or its key may shut the machine out"


def test_every_capability_has_its_call(world: World) -> None:
    told = {one.capability for one in (*READS, *CHANGES)}
    assert set(Capability) == told, "write the call of a new capability in calls.py"
    assert type(world.adapter()).capabilities <= told


def test_publishing_again_with_the_same_key_is_the_same_post(world: World) -> None:
    (publish,) = (one for one in CHANGES if one.name == "publish")
    if not world.adapter().can(publish.capability):
        pytest.skip(f"{world.info.name} takes no posts from a machine")
    first = publish.arrange(world)
    number = publish.do(world.adapter(), first)
    assert publish.do(world.adapter(), first) == number
    other = publish.arrange(world)
    assert publish.do(world.adapter(), other) != number
    assert publish.done(world, first) and publish.done(world, other)
    assert world.alt_texts() == ["two boats", "two boats"]


def test_two_posts_of_the_same_words_are_two_posts(world: World) -> None:
    """What was posted elsewhere, or on another day, is not taken for ours: the key says which one is meant."""
    adapter = world.adapter()
    if not adapter.can(Capability.PUBLISH):
        pytest.skip(f"{world.info.name} takes no posts from a machine")
    if not world.by_key:
        pytest.skip(f"{world.info.name} keeps no keys: the same words at the same time are taken for the same post")
    first, second = (
        adapter.publish("Good night", [], key="monday"),
        world.adapter().publish("Good night", [], key="tuesday"),
    )
    assert first != second
    assert world.texts() == ["Good night"] * 2


def test_what_a_read_brings_has_the_shape_that_the_school_reads(world: World) -> None:
    adapter = world.adapter()
    if adapter.can(Capability.READ_POSTS):
        world.post("Boats")
        (post,) = world.adapter().posts()
        assert isinstance(post, RemotePost) and post.text == "Boats"
        assert post.posted_at is None or post.posted_at.tzinfo is not None
    if adapter.can(Capability.READ_FOLLOWERS):
        world.follower()
        (follower,) = world.adapter().followers()
        assert isinstance(follower, RemoteFollower) and follower.handle
        assert follower.waiting is (follower.remote_id in world.waiting() if world.is_private() else False)


def test_a_flipped_privacy_switch_is_told(world: World) -> None:
    if not world.is_private():
        pytest.skip(f"{world.info.name} has no private accounts")
    assert world.adapter(Capability.READ_PROFILE).profile().private is True
    world.make_public()
    assert world.adapter(Capability.READ_PROFILE).profile().private is False


def test_an_account_that_was_left_is_not_told_to_be_there(world: World) -> None:
    if not world.adapter().can(Capability.SEE_PRESENCE):
        pytest.skip(f"{world.info.name} tells nothing about it")
    world.leave()
    assert world.adapter(Capability.SEE_PRESENCE).presence() is world.presence()


def test_what_the_platform_was_found_not_to_offer_is_not_declared(world: World) -> None:
    adapter = world.adapter()
    for capability in adapter.capabilities:
        adapter.off = frozenset({capability})
        assert not adapter.can(capability)


def test_what_needs_the_password_is_refused_to_a_key_of_our_own(world: World) -> None:
    for change in CHANGES:
        ours = world.adapter()
        if change.capability in ours.needs_password and change.name not in ("end_token", "delete_with_code"):
            thing = [] if change.name == "make_token" else None
            with pytest.raises(PlatformError) as caught:
                change.do(ours, thing)
            assert caught.value.permanent and not caught.value.outcome_unknown


# what tells the time or lets it pass; to name one is enough, for what is named can be called later
_TIME = r"(\w+\.)*((datetime|date)\.(now|utcnow|today)|time\.(time|time_ns|localtime|gmtime)|sleep)"


def times_named(source: str) -> list[str]:
    """Each place of a module that has a clock or a sleep: called, kept for later, or imported under its bare name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Attribute | ast.Name):
            names = [ast.unparse(node)]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{one.name}" for one in node.names]
        found += [f"{node.lineno} {name}" for name in names if re.fullmatch(_TIME, name)]
    return found


def test_no_adapter_has_a_clock_or_a_sleep_of_its_own() -> None:
    """`now` comes from whoever asks, or from the platform's answer; only the wire times how long a body takes."""
    folder = Path(socialgov.platforms.__file__).parent
    found = {path.name: times_named(path.read_text()) for path in sorted(folder.glob("*.py"))}
    assert {name: times for name, times in found.items() if times} == {}


@pytest.mark.parametrize(
    "source",
    [
        "time.sleep(5)",
        "wait = staticmethod(time.sleep)",
        "def again(wait=time.sleep): wait(5)",
        "from time import sleep as rest",
        "from asyncio import sleep",
        "stamp = datetime.datetime.now(UTC)",
        "clock = datetime.now",
        "today = date.today()",
        "since = time.time()",
    ],
)
def test_a_clock_or_a_sleep_is_found_however_it_is_named(source: str) -> None:
    assert times_named(source)


@pytest.mark.parametrize(
    "source", ["until = time.monotonic() + 30", "datetime.fromtimestamp(7, UTC)", "post.at.date()"]
)
def test_what_only_measures_or_reads_a_moment_is_let_through(source: str) -> None:
    assert times_named(source) == []
