"""A sign-in service that is down, slow, strange or not the one we think: a clear page, one line in the log, no harm.

The services here are stand-ins with one fault each; tests/peers holds the real one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from factories import NOW, make_home
from flask.testing import FlaskClient
from mailbox_sink import free_port
from networks import Clock, served
from openid_school import openid_home

from socialgov.actions import openid as actions
from socialgov.actions.signin import make_signin_link
from socialgov.home import Home
from socialgov.openid import wire
from socialgov.store.events import Event, EventTag, events_page
from socialgov.web import build_app

Reply = tuple[str, list[tuple[str, str]], bytes]
JSON = [("Content-Type", "application/json")]
Open = Callable[..., FlaskClient]


class StandIn:
    """A service whose description is `reply`, or the right one with `changes`."""

    def __init__(self, issuer: str, reply: Callable[[], Reply] | None, changes: dict[str, Any]) -> None:
        self.issuer, self.reply, self.changes, self.asked = issuer, reply, changes, 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.asked += 1
        status, headers, body = self.reply() if self.reply else ("200 OK", JSON, self.description())
        start_response(status, headers)
        return [body]

    def description(self) -> bytes:
        places = {
            "authorization_endpoint": "/auth",
            "token_endpoint": "/token",
            "jwks_uri": "/jwks",
            "end_session_endpoint": "/end",
        }
        document = {"issuer": self.issuer} | {name: self.issuer + path for name, path in places.items()}
        return json.dumps(
            {name: value for name, value in (document | self.changes).items() if value is not None}
        ).encode()


@contextmanager
def stand_in(reply: Callable[[], Reply] | None = None, **changes: Any) -> Iterator[StandIn]:
    port = free_port()
    service = StandIn(f"http://127.0.0.1:{port}", reply, changes)
    with served(service, port):
        yield service


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no broken service, and one that was too slow once is left alone for a while."""
    for name in ("CONNECT_SECONDS", "READ_SECONDS", "WHOLE_SECONDS"):
        monkeypatch.setattr(wire, name, 30)


@pytest.fixture
def visit(tmp_path: Path) -> Open:
    """`visit(service)`: a browser at a school that has this sign-in service."""

    def opened(issuer: str, **choices: Any) -> FlaskClient:
        clock = Clock(NOW)
        home = openid_home(tmp_path, issuer, "secret", base_url="http://localhost:5000", clock=clock, **choices)
        app = build_app(home)
        app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
        return app.test_client()

    return opened


def home_of(client: FlaskClient) -> Home:
    home: Home = client.application.extensions["socialgov"]
    return home


def signing_in(client: FlaskClient) -> list[Event]:
    """What the log has of signing in, the newest first."""
    return events_page(home_of(client).db, before=None, tag="signin", actor=None, limit=20)


def reasons(client: FlaskClient) -> list[str]:
    tag = EventTag.IDENTITY_REFUSED.value
    return [
        str(event.data["reason"])
        for event in events_page(home_of(client).db, before=None, tag=tag, actor=None, limit=9)
    ]


def answers(status: str = "200 OK", body: bytes = b"", **headers: str) -> Callable[[], Reply]:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return lambda: (status, named or JSON, body)


# --------------------------------------------------------------------------------------------------- faults

FAULTS: dict[str, tuple[Callable[[], Reply], str]] = {
    "a page instead of JSON": (answers(body=b"<h1>Proxy login</h1>", Content_Type="text/html"), "provider_broken"),
    "a list": (answers(body=b"[]"), "provider_broken"),
    "half an answer": (answers(body=b'{"issuer": "http'), "provider_broken"),
    "deep nesting": (answers(body=b"[" * 100_000), "provider_broken"),
    "too much": (answers(body=b" " * (wire.MOST_BYTES + 1)), "provider_broken"),
    "an encoding nobody asked for": (answers(body=b"x", Content_Encoding="gzip"), "provider_broken"),
    "a redirect": (answers("302 Found", Location="http://127.0.0.1:1/"), "provider_broken"),
    "not found": (answers("404 Not Found", b"{}"), "provider_broken"),
    "a fault of its own": (answers("500 Internal Server Error", b"{}"), "provider_broken"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_strange_service_is_told_in_words_and_logged_once(visit: Open, fault: str) -> None:
    reply, reason = FAULTS[fault]
    with stand_in(reply) as service:
        client = visit(service.issuer)
        for _ in range(3):
            answer = client.post("/signin/openid")
            assert answer.status_code == 503
            assert "You are not signed in" in answer.text
            assert "ask the network manager for a sign-in link" in answer.text
        assert service.asked == 1  # it is left alone for a while, so that nobody waits for it in vain
        assert reasons(client) == [reason]


def test_a_service_that_is_down_is_told_in_words(visit: Open) -> None:
    client = visit(f"http://127.0.0.1:{free_port()}")
    answer = client.post("/signin/openid")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert reasons(client) == ["provider_unreachable"]


def test_a_slow_service_is_given_up(visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "READ_SECONDS", 0.3)

    def slowly() -> Reply:
        time.sleep(1)
        return "200 OK", JSON, b"{}"

    with stand_in(slowly) as service:
        client, begun = visit(service.issuer), time.monotonic()
        assert client.post("/signin/openid").status_code == 503
        assert client.post("/signin/openid").status_code == 503
        assert time.monotonic() - begun < 1
    assert reasons(client) == ["provider_unreachable"]


def test_links_work_while_the_service_is_down(visit: Open) -> None:
    client = visit(f"http://127.0.0.1:{free_port()}")
    client.post("/signin/openid")
    link = make_signin_link(home_of(client), 1, actor="cli", now=NOW)
    assert client.post(link).status_code == 302
    assert "Mo Manager" in client.get("/", follow_redirects=True).text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issuer": "https://accounts.elsewhere.example"}, "other_service"),
        ({"issuer": None}, "other_service"),
        ({"authorization_endpoint": "https://elsewhere.example/auth"}, "other_service"),
        ({"authorization_endpoint": None}, "provider_broken"),
        ({"token_endpoint": "http://elsewhere.example/token"}, "provider_broken"),
        ({"jwks_uri": "file:///etc/passwd"}, "provider_broken"),
        ({"jwks_uri": 7}, "provider_broken"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "provider_broken"),
    ],
)
def test_a_description_that_is_not_the_schools_service_is_refused(
    visit: Open, changes: dict[str, Any], reason: str
) -> None:
    with stand_in(**changes) as service:
        client = visit(service.issuer)
        assert client.post("/signin/openid").status_code == 503
        assert reasons(client) == [reason]


def test_a_missing_secret_is_the_schools_affair_and_names_no_file_to_visitors(visit: Open, tmp_path: Path) -> None:
    with stand_in() as service:
        client = visit(service.issuer)
        (tmp_path / "client-secret").unlink()
        there = client.post("/signin/openid").location
        state = there.partition("&state=")[2].partition("&")[0]
        answer = client.get(f"/signin/openid/callback?state={state}&code=x")
    assert answer.status_code == 503
    assert "client-secret" not in answer.text
    assert reasons(client) == ["client_refused"]


# --------------------------------------------------------------------------------------------------- the button


def test_the_page_may_lead_to_the_service_and_no_other_page_may(visit: Open) -> None:
    with stand_in() as service:
        client = visit(service.issuer, label="Google", form_origins=["https://login.school.example"])
        page = client.get("/signin")
        assert "Sign in with Google" in page.text
        policy = page.headers["Content-Security-Policy"]
        assert f"form-action 'self' {service.issuer} https://login.school.example;" in policy
        assert service.asked == 0  # the page does not wait for the service
        other = client.get("/signin/guess").headers["Content-Security-Policy"]
        assert "form-action 'self';" in other


def test_a_school_without_a_service_has_no_button(tmp_path: Path) -> None:
    app = build_app(make_home(tmp_path))
    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    client = app.test_client()
    page = client.get("/signin")
    assert "/signin/openid" not in page.text
    assert "form-action 'self';" in page.headers["Content-Security-Policy"]
    assert client.post("/signin/openid").status_code == 404
    assert client.get("/signin/openid/callback").status_code == 404


@pytest.mark.asvs("10.2.1")
def test_the_browser_is_sent_with_state_nonce_and_challenge_of_its_own(visit: Open) -> None:
    with stand_in() as service:
        client = visit(service.issuer, hosted_domain="school.example")
        first, second = (client.post("/signin/openid").location for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        values = {url.partition(f"&{name}=")[2].partition("&")[0] for url in (first, second)}
        assert len(values) == 2
        assert all(len(value) >= 43 for value in values)
    assert "code_challenge_method=S256" in first
    assert "hd=school.example" in first
    assert "prompt=" not in first


@pytest.mark.asvs("6.3.1", "16.3.1")
def test_an_address_that_guesses_is_not_listened_to_for_a_while(visit: Open) -> None:
    with stand_in() as service:
        client = visit(service.issuer)
        tries, before = home_of(client).settings.policy.signin_tries, signing_in(client)
        for _ in range(tries):
            assert client.get("/signin/openid/callback?state=x&code=y").status_code == 403
        assert client.get("/signin/openid/callback?state=x&code=y").status_code == 429
        assert reasons(client) == []  # guesses are counted, they do not fill the log
        told, *rest = signing_in(client)
        assert rest == before
        assert (told.tag, told.actor, told.data) == (EventTag.SIGNIN_THROTTLED, "visitor", {"by": "address"})


def test_begun_sign_ins_do_not_fill_the_disk(visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_WAITING", 3)
    with stand_in() as service:
        client = visit(service.issuer)
        assert [client.post("/signin/openid").status_code for _ in range(4)] == [303, 303, 303, 429]
        clock = home_of(client).clock
        assert isinstance(clock, Clock)
        clock.now += timedelta(minutes=11)
        assert client.post("/signin/openid").status_code == 303
