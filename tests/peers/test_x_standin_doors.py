"""How the stand-in for X lets a client in: authorization code with PKCE, keys that renew once, revocation."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from networks import Clock
from peers.x_standin import Client, StandIn, standing_in
from visitor import Visitor
from x_caller import EVERYTHING, Caller

BACK = "http://127.0.0.1:9/connections/callback"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def old(clock: Clock) -> Iterator[StandIn]:
    with standing_in(clock) as x:
        yield x


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def wish(client: Client, **changes: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": BACK,
        "scope": "tweet.read users.read offline.access",
        "state": "s1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return "/i/oauth2/authorize?" + urlencode({**asked, **changes})


def allowed(x: StandIn, client: Client, answer: str = "allow") -> dict[str, list[str]]:
    """What the browser of a signed-in person brings back to the client."""
    user = x.world.anybody("trip_wales")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(wish(client)).query).items()}
    with httpx.Client(base_url=x.url, trust_env=False) as browser:
        signed_in = browser.post(
            "/i/oauth2/sign-in", data={**asked, "username": user.username, "password": user.password}
        )
        assert signed_in.status_code == 303
        back = browser.post("/i/oauth2/authorize", data={**asked, "answer": answer}).headers["location"]
    assert back.startswith(BACK)
    return parse_qs(urlsplit(back).query)


def exchange(x: StandIn, client: Client, http: httpx.Client, **form: str) -> httpx.Response:
    given = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER, **form}
    if form.get("grant_type"):
        given = dict(form)
    auth = (client.id, client.secret) if client.secret else None
    given |= {} if auth else {"client_id": client.id}
    return http.post(f"{x.url}/2/oauth2/token", data=given, auth=auth)


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "http://127.0.0.1:9/elsewhere"},
        {"client_id": "nobody"},
        {"scope": "tweet.read everything"},
        {"state": ""},
        {"code_challenge": "short"},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
        {"colour": "blue"},
    ],
)
def test_nobody_is_asked_for_a_wish_that_is_not_right(old: StandIn, change: dict[str, str]) -> None:
    page = Visitor(old.url).open(wish(old.doors.register(BACK), **change))
    assert (page.status, page.sees("weren’t able to give access")) == (400, True)


@pytest.mark.parametrize("public", [True, False])
def test_a_person_lets_a_client_in_and_it_renews_its_key(old: StandIn, http: httpx.Client, public: bool) -> None:
    client = old.doors.register(BACK, public=public)
    person = old.world.join("trip_wales")
    page = Visitor(old.url).open(wish(client)).fill("Username", "trip_wales").fill("Password", "wrong").press("Sign in")
    page.must_see("Wrong name").fill("Username", "trip_wales").fill("Password", person.password).press("Sign in")
    page.must_see("wants to access", "@trip_wales", "offline.access")
    back = allowed(old, client)
    assert back["state"] == ["s1"]
    first = exchange(old, client, http, code=back["code"][0]).json()
    assert (first["token_type"], first["expires_in"]) == ("bearer", 7200)
    assert exchange(old, client, http, code=back["code"][0]).status_code == 400, "a code opens once"
    renewal = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = exchange(old, client, http, **renewal).json()
    me = Caller(old, http, first["access_token"], person)
    assert me("GET", "/2/users/me").status_code == 401, "the one before ends"
    me.token = second["access_token"]
    assert me.get("/2/users/me")["data"]["username"] == "trip_wales"
    again = exchange(old, client, http, **renewal)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")


def test_a_code_is_for_who_asked_and_for_thirty_seconds(old: StandIn, clock: Clock, http: httpx.Client) -> None:
    client, other = old.doors.register(BACK), old.doors.register(BACK)
    assert exchange(old, client, http, code=allowed(old, client)["code"][0], code_verifier="w" * 50).status_code == 400
    assert exchange(old, other, http, code=allowed(old, client)["code"][0]).status_code == 400
    assert exchange(old, client, http, code=allowed(old, client)["code"][0], redirect_uri=BACK + "/").status_code == 400
    code = allowed(old, client)["code"][0]
    clock.pass_days(31 / 24 / 3600)
    assert exchange(old, client, http, code=code).status_code == 400
    assert allowed(old, client, answer="no")["error"] == ["access_denied"]
    nobody = http.post(f"{old.url}/2/oauth2/token", data={"grant_type": "refresh_token", "client_id": client.id})
    assert (nobody.status_code, nobody.json()["error"]) == (401, "unauthorized_client")


def test_keys_end_by_time_by_their_client_and_by_the_person(old: StandIn, clock: Clock, http: httpx.Client) -> None:
    client, user = old.doors.register(BACK), old.world.join("trip_wales")

    def works(token: str) -> bool:
        return Caller(old, http, token, user)("GET", "/2/users/me").status_code == 200

    grant = old.doors.give(user.id, EVERYTHING, client)
    assert works(grant.access)
    clock.pass_days(2 / 24)
    assert not works(grant.access)
    renewal = {"grant_type": "refresh_token", "refresh_token": grant.refresh}
    assert works(exchange(old, client, http, **renewal).json()["access_token"])
    auth = (client.id, client.secret or "")
    revoked = http.post(f"{old.url}/2/oauth2/revoke", data={"token": grant.refresh}, auth=auth)
    assert revoked.json() == {"revoked": True}
    assert not works(grant.access)
    second = old.doors.give(user.id, EVERYTHING, client)
    old.doors.revoke_by_user(user.id)
    assert not works(second.access)
    assert exchange(old, client, http, grant_type="refresh_token", refresh_token=second.refresh).status_code == 400


@pytest.mark.parametrize("forgiving", [True, False])
def test_a_renewal_whose_answer_was_lost(old: StandIn, http: httpx.Client, forgiving: bool) -> None:
    client, user = old.doors.register(BACK), old.world.join("trip_wales")
    grant = old.doors.give(user.id, EVERYTHING, client)
    old.doors.forgiving = forgiving
    old.answers_lost["token"] = 1
    renewal = {"grant_type": "refresh_token", "refresh_token": grant.refresh}
    assert exchange(old, client, http, **renewal).status_code == 503
    assert exchange(old, client, http, **renewal).status_code == (200 if forgiving else 400)
