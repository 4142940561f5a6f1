"""Signing in by a one-time link, staying signed in, and leaving."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from factories import NOW, staff
from flask import Flask
from flask.testing import FlaskClient

from socialgov.actions.signin import make_signin_link
from socialgov.actions.staff import staff_leaves
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.events import EventTag, events_page
from socialgov.web import signin as signin_pages

Browse = Callable[[Staff], FlaskClient]


def link_for(home: Home, person: Staff) -> str:
    return make_signin_link(home, person.id, actor="cli", now=NOW)


def test_it_sends_a_visitor_to_the_sign_in_page(client: FlaskClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.location) == (302, "/signin")


def test_it_says_how_to_get_a_link(client: FlaskClient) -> None:
    assert "Ask your network manager" in client.get("/signin").text


def test_it_shows_a_button_and_does_not_use_the_link_up(client: FlaskClient, home: Home, teacher: Staff) -> None:
    link = link_for(home, teacher)
    for _ in range(3):  # a mail scanner opens it too
        assert f"Sign in as {teacher.name}" in client.get(link).text
    assert client.get("/").status_code == 302


def test_it_signs_in_once_with_a_link(client: FlaskClient, home: Home, teacher: Staff) -> None:
    link = link_for(home, teacher)
    assert client.post(link).location == "/signing-in/add"  # a better way for the next time is offered first
    assert client.post("/signing-in/later").location == "/"
    assert teacher.name in client.get("/").text
    second = client.application.test_client()
    assert second.post(link).status_code == 410
    assert second.get(link).status_code == 410
    assert second.get("/").status_code == 302


def test_it_refuses_a_link_nobody_made(client: FlaskClient) -> None:
    answer = client.get("/signin/guess")
    assert answer.status_code == 410
    assert "no longer good" in answer.text


@pytest.mark.asvs("16.3.1")
def test_it_grows_deaf_to_an_address_that_guesses(client: FlaskClient, home: Home) -> None:
    before = events_page(home.db, before=None, tag="signin", actor=None, limit=20)
    for number in range(10):
        client.get(f"/signin/guess{number}")
    assert client.get("/signin/another").status_code == 429
    assert client.post("/signin/another").status_code == 429
    told, *rest = events_page(home.db, before=None, tag="signin", actor=None, limit=20)
    assert rest == before, "ten guesses are one line"
    assert (told.tag, told.actor, told.data) == (EventTag.SIGNIN_THROTTLED, "visitor", {"by": "address"})


def test_it_goes_on_to_the_page_that_was_asked_for(client: FlaskClient, home: Home, manager: Staff) -> None:
    client.get("/log/?tag=account")
    client.post(link_for(home, manager))
    assert client.post("/signing-in/later").location == "/log/?tag=account"


def test_it_never_goes_on_to_another_site() -> None:
    for path in ("//evil.example/x", "https://evil.example", "/\\evil.example", "", None):
        assert signin_pages.own_path(path) is None


@pytest.mark.asvs("7.2.4")
def test_it_gives_a_new_session_at_each_sign_in_and_ends_the_old_one(
    client: FlaskClient, home: Home, teacher: Staff, manager: Staff
) -> None:
    client.post(link_for(home, teacher))
    with client.session_transaction() as cookie:
        first = cookie["session"]
    client.post(link_for(home, manager))
    with client.session_transaction() as cookie:
        assert cookie["session"] != first
    thief = client.application.test_client()
    with thief.session_transaction() as cookie:
        cookie["session"] = first
    assert thief.get("/").status_code == 302


def test_it_drops_everything_an_earlier_visitor_left_in_the_cookie(
    client: FlaskClient, home: Home, teacher: Staff
) -> None:
    with client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    client.post(link_for(home, teacher))
    with client.session_transaction() as cookie:
        assert "planted" not in cookie


@pytest.mark.asvs("7.4.1")
def test_it_kills_a_copied_cookie_at_sign_out(browse: Browse, teacher: Staff, app: Flask) -> None:
    client = browse(teacher)
    with client.session_transaction() as cookie:
        token = cookie["session"]
    assert client.post("/signout").location == "/signin"
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie["session"] = token
    assert thief.get("/").status_code == 302


@pytest.mark.asvs("7.4.2")
def test_it_ends_the_session_of_somebody_who_leaves(browse: Browse, home: Home, teacher: Staff) -> None:
    client = browse(teacher)
    assert client.get("/").status_code == 200
    staff_leaves(home, None, teacher.id, now=NOW)
    assert client.get("/").status_code == 302


def visit_every(app: Flask, home: Home, person: Staff, step: timedelta, until: timedelta) -> int:
    """Sign in at NOW, open a page every `step` until NOW + `until`, and return the last answer's status."""
    moment = NOW
    object.__setattr__(home, "clock", lambda: moment)
    client = app.test_client()
    client.post(link_for(home, person))
    status = 0
    while moment < NOW + until:
        moment = min(NOW + until, moment + step)
        status = client.get("/").status_code
    return status


@pytest.mark.asvs("7.3.1")
def test_it_signs_out_somebody_who_was_away(app: Flask, home: Home, teacher: Staff) -> None:
    idle = timedelta(minutes=home.settings.policy.session_idle_minutes)
    minute = timedelta(minutes=1)
    assert visit_every(app, home, teacher, idle - minute, idle - minute) == 200
    assert visit_every(app, home, teacher, idle + minute, idle + minute) == 302


@pytest.mark.asvs("7.3.2")
def test_it_signs_out_at_the_end_of_the_day_however_busy(app: Flask, home: Home, teacher: Staff) -> None:
    policy = home.settings.policy
    step, longest = timedelta(minutes=policy.session_idle_minutes), timedelta(hours=policy.session_absolute_hours)
    assert visit_every(app, home, teacher, step, longest - timedelta(minutes=1)) == 200
    assert visit_every(app, home, teacher, step, longest) == 302


@pytest.mark.asvs("3.3.2", "3.3.4")
def test_it_keeps_the_cookie_from_scripts_and_other_sites(client: FlaskClient, home: Home, teacher: Staff) -> None:
    cookie = client.post(link_for(home, teacher)).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_it_shows_governors_their_own_menu_only(browse: Browse, home: Home) -> None:
    text = browse(staff(home, Role.GOVERNOR)).get("/").text
    assert "Request an account" not in text
    assert ">Staff<" not in text
