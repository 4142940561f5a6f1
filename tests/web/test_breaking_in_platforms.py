"""Attempts to get past what connected platforms tell, what they are let into, and what they may cost."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import walk
from connected import Connected, connectable
from export_files import x_archive
from factories import DOMAIN, NOW, account_at, manager_of
from flask.testing import FlaskClient
from priced_platform import priced_home
from recording_platform import RecordingPlatform, Shown

from socialgov import platforms
from socialgov.actions import connections
from socialgov.actions.accounts import go_live, record_setup
from socialgov.actions.connections import Begun, NotConnected, disconnect
from socialgov.actions.exporting import hand_in_export
from socialgov.actions.followers import record_followers
from socialgov.actions.observing import attest, check_account
from socialgov.actions.signin import make_signin_link
from socialgov.actions.spending import meter_of, money_of
from socialgov.demo.pictures import other_logo
from socialgov.errors import InvalidInput
from socialgov.home import Home
from socialgov.models import Account, AccountState, Fact, Source, Staff
from socialgov.platforms import BudgetUsedUp, PaymentNeeded, RemoteFollower
from socialgov.platforms.mastodon import MastodonPlatform
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.connections import connection_of
from socialgov.store.followers import followers_of
from socialgov.store.observations import newest_observation
from socialgov.store.spending import pauses
from socialgov.store.staff import staff_by_id
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


def test_nor_by_an_export_file_after_disconnecting(one: Connected) -> None:
    one.connect()
    one.x.world.follow(one.there, one.x.world.join("somebody"))
    check_account(one.home, one.account.id, now=one.now)
    assert seen(one, Fact.FOLLOWS) == 1
    disconnect(one.home, one.owner, one.account.id, now=one.now)
    made, files = one.later(hours=2), x_archive(owner=(one.there.id, "trip_wales"), made=one.now.isoformat())
    handed = [(name, content.encode()) for name, content in files.items()]
    hand_in_export(one.home, one.owner, one.account.id, handed, now=made)
    found = newest_observation(one.home.db, one.account.id, Fact.FOLLOWS)
    assert found is not None
    assert (found.value, found.source) == (1, Source.API)


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


# ------------------------------------------------------------------------------------------- another server's account


def mastodon_says(request: httpx.Request) -> httpx.Response:
    """A server at which somebody called `trip` has the number 7."""
    told: dict[str, Any] = {"access_token": "t" * 20, "token_type": "Bearer", "id": "7", "acct": "trip"}
    told |= {"client_id": "c" * 20, "client_secret": "s" * 20, "locked": True, "source": {"privacy": "private"}}
    return httpx.Response(200, json=[] if request.url.path.endswith("/statuses") else told)


@pytest.fixture
def home(home: Home) -> Home:
    settings = replace(home.settings, approved_platforms=home.settings.approved_platforms | {"mastodon"})
    return Home(home.path, settings, home.escrow, home.clock)


@pytest.fixture
def tooter(home: Home, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account on one.example that is being set up, and every server answers as above."""
    monkeypatch.setattr(MastodonPlatform, "transport", httpx.MockTransport(mastodon_says))
    monkeypatch.setattr("socialgov.platforms.mastodon_calls.is_private", lambda _: False)
    account = account_at(home, AccountState.APPROVED, platform="mastodon", handle="trip@one.example")
    return record_setup(home, owner(home, account), account.id, **on("one.example"))


def owner(home: Home, account: Account) -> Staff:
    return staff_by_id(home.db, account.owner_id)


def on(server: str) -> dict[str, Any]:
    return {"handle": f"trip@{server}", "school_email": f"trip@{DOMAIN}", "now": NOW}


def came_back(url: str) -> dict[str, str]:
    return {"state": parse_qs(urlsplit(url).query)["state"][0], "code": "code"}


def test_a_namesake_on_another_server_is_another_account(home: Home, tooter: Account) -> None:
    """Else a decoy would be looked at, and the account of the register by nobody."""
    who = owner(home, tooter)
    begun = connections.begin(home, who, tooter.id, now=NOW)
    connections.finish(home, who, begun.token, came_back(begun.url), now=NOW)
    with pytest.raises(InvalidInput, match="another account"):
        record_setup(home, who, tooter.id, **on("two.example"))
    assert account_by_id(home.db, tooter.id).handle == "trip@one.example"


def test_an_account_that_became_another_servers_on_the_way_is_not_connected_with_the_first(
    home: Home, tooter: Account
) -> None:
    who = owner(home, tooter)
    begun = connections.begin(home, who, tooter.id, now=NOW)
    record_setup(home, who, tooter.id, **on("two.example"))
    with pytest.raises(NotConnected):
        connections.finish(home, who, begun.token, came_back(begun.url), now=NOW)
    assert connection_of(home.db, tooter.id) is None


# ------------------------------------------------------------------------------------------- want of money


def test_a_platform_that_costs_nothing_does_not_open_the_gate_by_asking_for_payment(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not the money that was missing: whoever runs such a server could have people's word believed at will."""
    shown = Shown(failing={name: PaymentNeeded("Instagram") for name in ("profile", "followers", "posts", "presence")})
    monkeypatch.setattr(RecordingPlatform, "shown", shown)
    monkeypatch.setitem(platforms.ADAPTERS, "recording", ("recording_platform", "RecordingPlatform"))
    cast = walk.cast_of(home)
    account = walk.ready(home, cast)
    info = replace(home.settings.platforms[walk.PLATFORM], adapter="recording")
    settings = replace(home.settings, platforms={**home.settings.platforms, walk.PLATFORM: info})
    school = Home(home.path, settings, home.escrow, home.clock)
    with pytest.raises(PaymentNeeded):
        go_live(school, cast.owner, account.id, now=NOW)
    check_account(school, account.id, now=NOW)
    assert pauses(school.db, NOW) == {}


def test_jobs_in_several_processes_do_not_spend_the_same_money(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    school = priced_home(home, monkeypatch, 10)[0]
    info, pids = school.settings.platforms["instagram"], []
    for number in range(4):
        if (pid := os.fork()) == 0:
            with suppress(BaseException):
                own = Home(school.path, school.settings, school.escrow, school.clock)
                meter = meter_of(own, info, number + 1, now=NOW)
                for _ in range(12):
                    with suppress(BudgetUsedUp):
                        meter.before("profile")
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    money = money_of(school, info, NOW)
    assert money.budget is not None
    assert money.spent == money.budget
