"""A dead line at every request of connecting an account (register, redeem the code, whose it is) and of disconnecting.

Whatever is cut: an account is connected wholly or as it was before, no token that came through opens it unknown to the
school, and beginning again connects it.
"""

from __future__ import annotations

import json

import pytest
from faulty import Cut, Cutting, Tape, at_every_request
from school_there import There, school_there
from world import World

from socialgov.actions import connections
from socialgov.actions.access import OwnAccess
from socialgov.actions.clients import forget_client
from socialgov.errors import SocialgovError
from socialgov.home import Home
from socialgov.store.connections import connection_of, last_connection_of


def connectable(home: Home, world: World, monkeypatch: pytest.MonkeyPatch, *, connected: bool) -> There:
    if world.adapter().oauth is None:
        pytest.skip(f"{world.info.name} has no accounts to connect")
    return school_there(home, world, monkeypatch, handed_over=connected)


def connect(there: There) -> None:
    """As a person does it: over there in the browser, and back with the answer."""
    now = there.world.now
    begun = connections.begin(there.home, there.owner, there.account.id, now=now)
    connections.finish(there.home, there.owner, begun.token, there.world.confirm(begun.url), now=now)


def disconnect(there: There) -> bool:
    return connections.disconnect(there.home, there.owner, there.account.id, now=there.world.now)


def its_token(there: There) -> str:
    """What the connection in force opens the account with; "" where there is none."""
    connection = connection_of(there.home.db, there.account.id)
    if connection is None:
        return ""
    return OwnAccess(there.home, there.fresh(), connection.id, there.world.now).token()


def given(tape: Tape) -> list[str]:
    """The tokens that reached the product."""
    told = [
        json.loads(heard.content) for heard in tape.heard if heard.target.endswith("/token") and heard.status == 200
    ]
    return [one["access_token"] for one in told]


@pytest.mark.parametrize("before", [False, True], ids=["for the first time", "once more"])
def test_connecting_that_is_cut_off_anywhere_connects_wholly_or_changes_nothing(
    home: Home, world: World, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    there = connectable(home, world, monkeypatch, connected=before)

    def run(number: int, cut: Cut) -> Cutting:
        network = connecting_cut_off(there, number, cut)
        connect(there)
        is_connected(there, f"again after request {number} {cut.value}")
        if not before:
            assert disconnect(there)
        return network

    at_every_request(run)


def connecting_cut_off(there: There, number: int, cut: Cut) -> Cutting:
    home, where, network = there.home, f"request {number} {cut.value}", Cutting(there.world.network(), number, cut)
    held, token, known = connection_of(home.db, there.account.id), its_token(there), there.known()
    if (last := last_connection_of(home.db, there.account.id)) is not None:
        forget_client(home, last.app_id, now=there.world.now)  # so that a server that gives clients is asked for one
    tape = Tape(network)
    there.through(tape)
    try:
        connect(there)
    except SocialgovError as error:
        assert network.happened, f"{where}: {error}"
        tokens = given(tape)
        assert not [one for one in tokens if one in repr(error) + str(error)], where
        assert connection_of(home.db, there.account.id) == held, f"{where}: it failed, and something is kept"
        assert not [one for one in given(tape) if there.world.opens(one)], (
            f"{where}: a token that nobody knows of lives"
        )
        assert not token or there.world.opens(token), f"{where}: the connection from before is lost"
        assert there.known() == known, where
    else:
        is_connected(there, where)
    there.whole()
    return network


def is_connected(there: There, where: str) -> None:
    connection = connection_of(there.home.db, there.account.id)
    assert connection is not None and connection.works, where
    assert connection.remote_id == there.fresh().remote_id == there.world.remote_id, where
    assert there.world.opens(its_token(there)), f"{where}: it says connected, and the token opens nothing"


def test_disconnecting_that_is_cut_off_anywhere_is_over_here_and_says_whether_it_is_over_there(
    home: Home, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = connectable(home, world, monkeypatch, connected=False)

    def run(number: int, cut: Cut) -> Cutting:
        connect(there)
        token, network = its_token(there), Cutting(world.network(), number, cut)
        there.through(network)
        told = disconnect(there)
        there.whole()
        assert connection_of(home.db, there.account.id) is None
        assert told or network.happened
        assert not (told and world.opens(token)), f"request {number} {cut.value}: it says ended, and it lives"
        return network

    at_every_request(run)
