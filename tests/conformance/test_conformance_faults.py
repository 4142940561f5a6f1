"""Strange answers at every request of every call of every adapter, and cuts at every request against the platform.

The exchange of a call is recorded once with its platform; then each answer in turn is put in place of a strange one.
Nobody waits: where an answer drips, the wire's clock goes on by itself.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from calls import CHANGES, READS, Change, Read
from faulty import FAULTS, MOST_REQUESTS, Cut, Cutting, Fault, Heard, Replay, Tape, at_every_request
from world import World

from socialgov.models import Capability, Presence
from socialgov.platforms import LoginRefused, PaymentNeeded, Platform, PlatformError

reads = pytest.mark.parametrize("read", READS, ids=lambda read: read.name)
changes = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)


def declared(world: World, call: Read | Change) -> None:
    if not world.adapter(call.capability).can(call.capability):
        pytest.skip(f"{world.info.name} does not do this by machine")


def recorded(world: World, call: Read | Change, act: Callable[[Platform], Any]) -> list[Heard]:
    adapter, tape = world.adapter(call.capability), Tape(world.network())
    adapter.transport = tape
    act(adapter)
    assert len(tape.heard) <= MOST_REQUESTS
    assert bool(tape.heard) is (call.name not in world.silent), f"{call.name} must cross this network to be tried on it"
    return tape.heard


def replays(
    world: World, call: Read | Change, heard: list[Heard]
) -> Iterator[tuple[str, Fault, int, Replay, Platform]]:
    """The same call again and again: each fault in the place of each answer."""
    for fault in FAULTS:
        for number in range(1, len(heard) + 1):
            adapter, replay = world.adapter(call.capability), Replay(heard, number, fault)
            adapter.transport = replay
            asked = heard[number - 1]
            where = f"{fault.name} at request {number}, {asked.method} {asked.target.split('?')[0]}"
            yield where, fault, number, replay, adapter


def refused_in_order(where: str, fault: Fault, error: PlatformError, world: World) -> None:
    """What an error must say of this fault, and what it must not show."""
    if fault.name == "402":
        assert isinstance(error, PaymentNeeded), where
    if fault.permanent is not None:
        assert error.permanent is fault.permanent, f"{where}: {error}"
    if fault.name.startswith("429"):
        assert not error.outcome_unknown, f"{where}: nothing was done"
        assert error.retry_at == fault.retry_at, where
    shows_no_secret(where, error, world)


def shows_no_secret(where: str, error: BaseException, world: World) -> None:
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    assert not [secret for secret in world.secrets if secret in shown], where


def went_nowhere_else(where: str, replay: Replay, world: World) -> None:
    for request in replay.strayed:
        sent = f"{request.url} {request.headers} {request.content!r}"
        assert "authorization" not in request.headers, where
        assert not [secret for secret in world.secrets if secret in sent], where


@reads
def test_a_strange_answer_never_becomes_a_short_or_a_wrong_picture(
    world: World, read: Read, no_waiting: None, caplog: pytest.LogCaptureFixture
) -> None:
    """A read tells the whole truth or raises. What may be missing of a profile is told as not told."""
    declared(world, read)
    caplog.set_level(logging.DEBUG)
    if world.slow:  # its library takes a while over each page; that a second one is never missing is seen by the cuts
        world.page = world.page_of_followers = 1
    expected = read.arrange(world)
    heard = recorded(world, read, read.ask)
    for where, fault, _, replay, adapter in replays(world, read, heard):
        try:
            told = read.ask(adapter)
        except PlatformError as error:
            refused_in_order(where, fault, error, world)
        else:
            assert told == expected, where
        went_nowhere_else(where, replay, world)
    assert not [secret for secret in world.secrets if secret in caplog.text]


@changes
def test_a_strange_answer_to_a_change_is_a_clear_error_or_does_not_matter(
    world: World, change: Change, no_waiting: None, caplog: pytest.LogCaptureFixture
) -> None:
    declared(world, change)
    caplog.set_level(logging.DEBUG)
    thing = change.arrange(world)
    heard = recorded(world, change, lambda adapter: change.do(adapter, thing))
    for where, fault, _, replay, adapter in replays(world, change, heard):
        try:
            change.do(adapter, thing)
        except PlatformError as error:
            refused_in_order(where, fault, error, world)
        went_nowhere_else(where, replay, world)
    assert not [secret for secret in world.secrets if secret in caplog.text]


@changes
def test_a_change_that_is_cut_off_anywhere_is_made_once_when_it_is_asked_for_again(
    world: World, change: Change
) -> None:
    """Cut at the n-th request, for every n there is: an effect that may have come is told, and again is once."""
    declared(world, change)

    def run(number: int, cut: Cut) -> Cutting:
        return cut_off_and_made_again(world.another() if change.ends else world, change, number, cut)

    at_every_request(run, () if world.sparing and change.capability is not Capability.PUBLISH else Cut)


def cut_off_and_made_again(world: World, change: Change, number: int, cut: Cut) -> Cutting:
    where = f"{change.name}, request {number} {cut.value}"
    thing = change.arrange(world)
    adapter, network = world.adapter(change.capability), Cutting(world.network(), number, cut)
    adapter.transport = network
    try:
        change.do(adapter, thing)
    except PlatformError as error:
        assert network.happened, f"{where}: {error}"
        assert not error.permanent, f"{where}: a dead line is no lasting reason"
        if change.name == "publish" and change.done(world, thing):
            assert error.outcome_unknown, f"{where}: it is out, and the error says that it cannot be"
        shows_no_secret(where, error, world)
    else:
        assert change.done(world, thing), f"{where}: it says done and is not"
    try:
        change.do(world.adapter(change.capability), thing)
    except LoginRefused:
        assert change.ends, where
    assert change.done(world, thing), where
    return network


@reads
def test_a_read_that_is_cut_off_anywhere_raises_or_tells_the_truth(world: World, read: Read) -> None:
    declared(world, read)
    expected = read.arrange(world)
    heard = recorded(world, read, read.ask)
    for cut in Cut:
        for number in range(1, len(heard) + 1):
            adapter = world.adapter(read.capability)
            adapter.transport = Cutting(Replay(heard), number, cut)
            try:
                assert read.ask(adapter) == expected, f"{read.name}, request {number} {cut.value}"
            except PlatformError as error:
                assert not error.permanent and not error.outcome_unknown


def test_no_page_but_the_platforms_own_word_makes_an_account_gone(world: World, no_waiting: None) -> None:
    """A school's filter, a captive portal or a broken proxy must never end in a certificate of deletion."""
    (presence,) = (read for read in READS if read.name == "presence")
    declared(world, presence)
    heard = recorded(world, presence, presence.ask)
    for where, _, _, _, adapter in replays(world, presence, heard):
        try:
            assert adapter.presence() is Presence.LIVE, where
        except PlatformError:
            continue


def test_a_login_a_token_and_an_adapter_show_no_secret(world: World) -> None:
    adapter = world.adapter()
    shown = f"{adapter!r} {adapter.login!r} {adapter.access!r} {adapter.info!r} {vars(adapter)!r}"
    assert not [secret for secret in world.secrets if secret in shown]
