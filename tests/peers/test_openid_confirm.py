"""Confirming who one is, and signing out, at a real OpenID provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pytest
from openid_school import OpenIdSchool, open_openid_school
from real_openid import SECRET, RealProvider, agree_to_sign_out, caught, go_through
from visitor import Visitor

from socialgov.actions.openid import CALLBACK
from socialgov.store.events import EventTag
from socialgov.store.identities import current_identities

pytestmark = pytest.mark.peer

CONFIRM = "Confirm with your school account"


@pytest.fixture
def school(tmp_path: Path, provider: RealProvider) -> Iterator[OpenIdSchool]:
    with open_openid_school(tmp_path, provider.issuer, SECRET, port=provider.our_port) as school:
        yield school


@pytest.fixture
def signed_in(school: OpenIdSchool) -> Visitor:
    """The teacher's browser, signed in here and at the service."""
    return go_through(school.at_the_service(), "teacher")


@pytest.mark.asvs("6.8.4", "7.5.1")
def test_the_service_asks_again_and_the_session_is_strong(school: OpenIdSchool, signed_in: Visitor) -> None:
    there = caught(signed_in, "/auth?", lambda: signed_in.open("/confirm").press(CONFIRM))
    asked = parse_qs(urlsplit(there).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    signed_in.open(there)
    assert any(control.name == "password" for form in signed_in.forms for control in form.controls)
    go_through(signed_in, "teacher")
    assert signed_in.sees("Tess Teacher")
    assert school.sessions() == [(school.teacher.id, "openid", "openid")]
    (event,) = school.events(EventTag.STEP_UP_DONE)
    assert event.data == {"method": "openid"}


@pytest.mark.asvs("7.2.4")
def test_the_session_has_a_new_token_after_it_was_confirmed(school: OpenIdSchool, signed_in: Visitor) -> None:
    thief = school.visitor()
    thief._client.cookies.update({cookie.name: cookie.value or "" for cookie in signed_in._client.cookies.jar})
    assert thief.open("/").sees("Tess Teacher")
    go_through(signed_in.open("/confirm").press(CONFIRM), "teacher")
    assert not thief.open("/").sees("Tess Teacher")
    assert signed_in.open("/").sees("Tess Teacher")


@pytest.mark.asvs("6.8.4")
def test_a_stale_auth_time_confirms_nothing(school: OpenIdSchool, signed_in: Visitor) -> None:
    """Somebody at an open browser takes prompt=login out of the address: the service does not ask for the password."""
    school.clock.pass_time(seconds=30)
    there = caught(signed_in, "/auth?", lambda: signed_in.open("/confirm").press(CONFIRM))
    parts = urlsplit(there)
    kept = [one for one in parts.query.split("&") if not one.startswith(("prompt=", "max_age="))]
    signed_in.open(urlunsplit(parts._replace(query="&".join(kept))))
    signed_in.must_see("This did not confirm that it is you", "did not ask you for your password just now")
    assert school.reasons(EventTag.STEP_UP_REFUSED) == ["stale"]
    assert school.sessions() == [(school.teacher.id, "openid", None)]


@pytest.mark.asvs("6.8.1", "6.8.4")
def test_another_subject_confirms_nothing(school: OpenIdSchool, signed_in: Visitor) -> None:
    signed_in.open("/confirm").press(CONFIRM)
    go_through(signed_in, "head").must_see("an account that is not linked with you")
    assert school.reasons(EventTag.STEP_UP_REFUSED) == ["other_person"]
    assert [event.subject_id for event in school.events(EventTag.STEP_UP_REFUSED)] == [school.teacher.id]
    assert school.sessions() == [(school.teacher.id, "openid", None)]
    assert current_identities(school.home.db, school.head.id) == []


def test_a_confirmation_that_is_begun_in_one_session_confirms_no_other(
    school: OpenIdSchool, signed_in: Visitor
) -> None:
    callback = caught(signed_in, CALLBACK, lambda: go_through(signed_in.open("/confirm").press(CONFIRM), "teacher"))
    token = school.home.db.execute("select max(id) from session").fetchone()[0]
    school.home.db.execute("update session set ended_at = started_at where id = ?", (token,))
    signed_in.open(callback)
    assert school.events(EventTag.STEP_UP_DONE) == []
    assert school.sessions() == []


def test_somebody_who_is_not_signed_in_cannot_begin_to_confirm(school: OpenIdSchool) -> None:
    visitor = school.visitor().open("/confirm")
    assert visitor.sees("Sign in")
    assert not visitor.has_button(CONFIRM)


def test_a_service_that_cannot_confirm_is_not_offered_for_it(tmp_path: Path, provider: RealProvider) -> None:
    with open_openid_school(tmp_path, provider.issuer, SECRET, port=provider.our_port, step_up=False) as school:
        visitor = go_through(school.at_the_service(), "teacher").open("/confirm")
        assert not visitor.has_button(CONFIRM)


# --------------------------------------------------------------------------------------------------- sign out


@pytest.mark.asvs("7.4.1")
def test_sign_out_ends_the_session_on_both_sides(school: OpenIdSchool, signed_in: Visitor) -> None:
    thief = school.visitor()
    thief._client.cookies.update({cookie.name: cookie.value or "" for cookie in signed_in._client.cookies.jar})
    signed_in.press("Sign out").must_see("You are signed out here", "still signed in with your school account")
    assert school.sessions() == []
    assert thief.open("/").sees("Sign in")
    assert school.home.db.execute("select count(*) from session where id_token is not null").fetchone()[0] == 0
    agree_to_sign_out(signed_in.follow("Sign out there as well"))
    assert urlsplit(signed_in.address).path == "/signin"
    signed_in._client.cookies.delete("socialgov")  # so that we do not ask for the password ourselves
    signed_in.open("/signin").press("Sign in with your school account")
    assert any(control.name == "password" for form in signed_in.forms for control in form.controls)


def test_after_sign_out_here_alone_the_next_sign_in_asks_for_the_password(
    school: OpenIdSchool, signed_in: Visitor
) -> None:
    signed_in.press("Sign out").follow("Stay signed in there")
    signed_in.press("Sign in with your school account")
    assert any(control.name == "password" for form in signed_in.forms for control in form.controls)


def test_what_is_kept_for_the_services_sign_out_is_sealed(school: OpenIdSchool, signed_in: Visitor) -> None:
    (sealed,) = school.home.db.execute("select id_token from session").fetchone()
    opened = school.home.escrow.open(sealed, account="session", field="id_token", version=1)
    assert opened.count(b".") == 2
    assert b"teacher@school.example" not in sealed
    assert opened not in (school.home.path / "school.db").read_bytes()


def test_without_what_was_kept_the_service_asks_who_signs_out(school: OpenIdSchool, signed_in: Visitor) -> None:
    """As after a damaged row: the session here ends all the same, and the button still leads there."""
    school.home.db.execute("update session set id_token = ? where id_token is not null", (sealed_elsewhere(school),))
    signed_in.press("Sign out").must_see("You are signed out here")
    assert school.sessions() == []
    agree_to_sign_out(signed_in.follow("Sign out there as well"))
    assert urlsplit(signed_in.address).path == "/signin"


def sealed_elsewhere(school: OpenIdSchool) -> bytes:
    return school.home.escrow.seal(b"another", account="session", field="id_token", version=999)
