"""Attempts to get past what connected platforms tell, what they are let into, and what they may cost."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from connected import Connected, connectable
from factories import account_at, manager_of
from flask.testing import FlaskClient

from socialgov.actions import connections
from socialgov.actions.connections import Begun, disconnect
from socialgov.actions.followers import record_followers
from socialgov.actions.observing import attest, check_account
from socialgov.actions.signin import make_signin_link
from socialgov.demo.pictures import other_logo
from socialgov.errors import InvalidInput
from socialgov.home import Home
from socialgov.models import AccountState, Fact, Source
from socialgov.platforms import RemoteFollower
from socialgov.store.connect import write
from socialgov.store.connections import connection_of
from socialgov.store.followers import followers_of
from socialgov.store.observations import newest_observation
from socialgov.web import build_app

ME, TOKEN = "/2/users/me", "/2/oauth2/token"
PNG = other_logo()
Told = Callable[[dict[str, Any]], None]


@pytest.fixture
def one(home: Home, tmp_path: Path) -> Iterator[Connected]:
    with connectable(home, tmp_path) as found:
        yield found


def browse(one: Connected) -> FlaskClient:
    app = build_app(one.home)
    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    client = app.test_client()
    assert client.post(make_signin_link(one.home, one.owner.id, actor="cli", now=one.now)).status_code == 302
    return client


def alive(one: Connected) -> list[str]:
    return [grant.user_id for grant in one.x.doors.grants if not grant.ended]


def tells(one: Connected, path: str, change: Told) -> None:
    """X answers this call otherwise from now on."""

    def fault(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        response = answer()
        if request.url.path != path:
            return response
        body = response.json()
        change(body["data"])
        return httpx.Response(200, content=json.dumps(body))

    one.line.fault = fault


def seen(one: Connected, fact: Fact) -> Any:
    found = newest_observation(one.home.db, one.account.id, fact, source=Source.API)
    return None if found is None else found.value


# ------------------------------------------------------------------------------------------- hostile answers


def test_a_count_that_no_file_can_keep_does_not_blind_the_check(one: Connected) -> None:
    one.connect()
    tells(one, ME, lambda data: data["public_metrics"].update(followers_count=10**30))
    check_account(one.home, one.account.id, now=one.now)
    assert seen(one, Fact.PRIVATE) is True


def test_the_profile_of_another_account_says_nothing_about_this_one(one: Connected) -> None:
    one.connect()
    tells(one, ME, lambda data: data.update(id="999999", protected=False))
    check_account(one.home, one.account.id, now=one.now)
    assert seen(one, Fact.PRIVATE) is True, "what was known before stands"


def test_a_follower_who_is_listed_twice_blinds_no_check(one: Connected) -> None:
    twice = [RemoteFollower("7", "sam", "Sam"), RemoteFollower("7", "sam", "Sam again")]
    record_followers(one.home, one.account.id, twice, now=one.now)
    assert [follower.remote_id for follower in followers_of(one.home.db, one.account.id)] == ["7"]


def test_a_followers_name_is_one_short_line_without_signs_that_turn_it_round(one: Connected) -> None:
    name = "Sam\u202e\n\x00" + "x" * 100_000
    record_followers(one.home, one.account.id, [RemoteFollower("7", "s\u202eam", name)], now=one.now)
    (follower,) = followers_of(one.home.db, one.account.id)
    assert follower.handle.isprintable()
    assert follower.display_name.isprintable()
    assert len(follower.display_name) <= 200


def test_a_name_that_the_platform_tells_does_not_fill_the_browsers_cookie(one: Connected) -> None:
    tells(one, ME, lambda data: data.update(username=secrets.token_hex(50_000)))
    client = browse(one)
    away = client.post(f"/accounts/{one.account.id}/connection")
    back = client.get("/connections/callback", query_string=one.confirm(Begun(away.location, "")))
    assert len(back.headers["Set-Cookie"]) < 4_000


# ------------------------------------------------------------------------------------------- whose connection


def test_what_is_begun_is_not_ended_by_a_link_with_another_answer(one: Connected) -> None:
    """RFC 6749, 10.12: a forged answer changes nothing, also not what the person is in the middle of."""
    client = browse(one)
    away = client.post(f"/accounts/{one.account.id}/connection")
    client.get("/connections/callback?state=forged&code=forged")
    client.get("/connections/callback", query_string=one.confirm(Begun(away.location, "")))
    assert connection_of(one.home.db, one.account.id) is not None


def test_tokens_that_arrive_after_somebody_disconnected_are_given_back(one: Connected) -> None:
    one.connect()

    def fault(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        response = answer()
        if request.url.path == TOKEN and b"refresh_token" in request.content:
            one.line.fault = None
            disconnect(one.home, one.owner, one.account.id, now=one.now)
        return response

    one.line.fault = fault
    check_account(one.home, one.account.id, now=one.later(hours=3))
    assert connection_of(one.home.db, one.account.id) is None
    assert alive(one) == []


def test_whoever_keeps_an_account_does_not_talk_the_platforms_word_away_by_disconnecting(one: Connected) -> None:
    one.connect()
    one.there.protected = False
    check_account(one.home, one.account.id, now=one.now)
    assert seen(one, Fact.PRIVATE) is False
    disconnect(one.home, one.owner, one.account.id, now=one.now)
    with pytest.raises(InvalidInput, match="says otherwise"):
        attest(one.home, one.owner, one.account.id, Fact.PRIVATE, True, screenshot=PNG, now=one.now)
    attest(one.home, manager_of(one.home), one.account.id, Fact.PRIVATE, True, screenshot=PNG, now=one.now)


# ------------------------------------------------------------------------------------------- looks with a lent key


def test_what_a_lent_key_shows_of_its_own_account_is_nothing_about_the_account_that_is_closing(one: Connected) -> None:
    one.connect()
    other = account_at(one.home, AccountState.LIVE, platform="x", handle="trip_paris")
    there = one.x.world.join("trip_paris", protected=False, description="Somebody else")
    begun = connections.begin(one.home, manager_of(one.home), other.id, now=one.now)
    connections.finish(one.home, manager_of(one.home), begun.token, one.confirm(begun, there), now=one.now)
    disconnect(one.home, one.owner, one.account.id, now=one.now)
    with write(one.home.db) as db:
        db["account"].update(one.account.id, {"state": AccountState.CLOSING.value})
    one.line.asked.clear()
    check_account(one.home, one.account.id, now=one.now, asked=True)
    assert one.line.count(ME) == 0
    assert seen(one, Fact.PROFILE_TEXT) != "Somebody else"
    assert seen(one, Fact.PRIVATE) is True
    assert seen(one, Fact.OUR_ACCESS) is None
