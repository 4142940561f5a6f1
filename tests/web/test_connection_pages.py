"""The pages on which an account is connected with X, as the people who do it see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from connected import ADDRESS, Connected, connectable
from factories import account_at, manager_of, staff
from flask.testing import FlaskClient

from socialgov.actions.connections import Begun
from socialgov.actions.observing import check_account
from socialgov.actions.signin import make_signin_link
from socialgov.home import Home
from socialgov.models import AccountState, Staff
from socialgov.store.connections import connection_of
from socialgov.web import build_app


@pytest.fixture
def one(home: Home, tmp_path: Path) -> Iterator[Connected]:
    with connectable(home, tmp_path) as found:
        yield found


def browse(one: Connected, who: Staff, home: Home | None = None) -> FlaskClient:
    app = build_app(home or one.home)
    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    client = app.test_client()
    assert client.post(make_signin_link(one.home, who.id, actor="cli", now=one.now)).status_code == 302
    return client


def page(one: Connected) -> str:
    return f"/accounts/{one.account.id}/connection"


def through_x(one: Connected, client: FlaskClient, **changed: str) -> str:
    """Press the button, confirm on X, come back; the page that is shown then."""
    away = client.post(page(one))
    assert away.status_code == 303
    answer = one.confirm(Begun(away.location, ""), **changed)
    return client.get("/connections/callback", query_string=answer, follow_redirects=True).text


def test_the_page_says_what_will_happen_and_its_button_may_lead_to_x_and_nowhere_else(one: Connected) -> None:
    client = browse(one, one.owner)
    assert "Connect with X" in client.get(f"/accounts/{one.account.id}").text
    answer = client.get(page(one))
    assert 'sign in to X as <strong class="handle">trip_wales</strong>' in answer.text
    assert f"form-action 'self' {ADDRESS}" in answer.headers["Content-Security-Policy"]
    assert "form-action 'self';" in client.get("/").headers["Content-Security-Policy"]


def test_on_x_itself_people_confirm_at_another_address_than_the_interfaces(one: Connected) -> None:
    info = replace(one.home.settings.platforms["x"], api_base="https://api.x.com")
    settings = replace(one.home.settings, platforms={**one.home.settings.platforms, "x": info})
    school = Home(one.home.path, settings, one.home.escrow, one.clock)
    client = browse(one, one.owner, school)
    assert "form-action 'self' https://x.com;" in client.get(page(one)).headers["Content-Security-Policy"]
    assert client.post(page(one)).location.startswith("https://x.com/i/oauth2/authorize?")


def test_it_goes_to_x_and_back_and_says_what_socialgov_can_do_since_when_and_by_whom(one: Connected) -> None:
    client = browse(one, one.owner)
    shown = through_x(one, client)
    for words in ("Connected.", "23 November 2026", one.owner.name, "see who follows", "take a post down"):
        assert words in shown
    can, _, people = shown.partition("What people do there")
    assert "make it private" not in can  # X has no such call
    assert "make it private" in people
    assert "As trip_wales, since" in client.get(f"/accounts/{one.account.id}").text
    assert "Connection with X" in client.get(f"/accounts/{one.account.id}").text


def test_the_accounts_page_does_not_say_that_the_password_was_used_for_a_connection(one: Connected) -> None:
    one.connect()
    check_account(one.home, one.account.id, now=one.now, asked=True)
    shown = browse(one, one.owner).get(f"/accounts/{one.account.id}").text
    assert "used the account&#39;s connection" in shown
    assert "used a deposited login" not in shown


def test_an_account_that_is_not_set_up_leads_to_its_set_up(one: Connected) -> None:
    waiting = account_at(one.home, AccountState.APPROVED, platform="x", handle=None)
    shown = browse(one, manager_of(one.home)).get(f"/accounts/{waiting.id}/connection").text
    assert f'href="/accounts/{waiting.id}/setup"' in shown


def test_what_comes_back_wrong_is_explained_on_the_accounts_own_page(one: Connected) -> None:
    client = browse(one, one.owner)
    shown = through_x(one, client, code="", error="access_denied")
    assert "X was not told that socialgov may do this. Connect it again and allow it." in shown
    own = one.x.world.join("tess_at_home")
    away = client.post(page(one))
    answer = one.confirm(Begun(away.location, ""), own)
    shown = client.get("/connections/callback", query_string=answer, follow_redirects=True).text
    assert "You confirmed as tess_at_home, and this account is trip_wales." in shown
    assert connection_of(one.home.db, one.account.id) is None


def test_a_link_with_somebody_elses_answer_does_nothing(one: Connected) -> None:
    """Forged: the victim's browser is sent to the callback with the attacker's code and state."""
    attacker, victim = browse(one, manager_of(one.home)), browse(one, one.owner)
    away = attacker.post(page(one))
    answer = one.confirm(Begun(away.location, ""))
    shown = victim.get("/connections/callback", query_string=answer, follow_redirects=True).text
    assert "begun in another window, so nothing was done" in shown
    victim.post(page(one))
    victim.get("/connections/callback", query_string=answer)
    assert connection_of(one.home.db, one.account.id) is None
    assert "verifier" not in str(parse_qs(urlsplit(away.location).query))


def test_a_lost_connection_is_on_today_on_the_account_and_on_its_page(one: Connected) -> None:
    client = browse(one, one.owner)
    through_x(one, client)
    one.x.doors.revoke_by_user(one.there.id)
    check_account(one.home, one.account.id, now=one.now, asked=True)
    assert "Connect it with X again" in client.get("/").text
    assert "X no longer lets socialgov in" in client.get(f"/accounts/{one.account.id}").text
    shown = client.get(page(one)).text
    assert "X no longer lets socialgov in" in shown
    assert "The account itself is not touched" in shown
    assert "Connected." in through_x(one, client)
    assert "Connect it with X again" not in client.get("/").text


def test_disconnecting_asks_first_and_says_what_x_said(one: Connected) -> None:
    client = browse(one, one.owner)
    through_x(one, client)
    assert "Nothing that is on record here is lost" in client.get(f"{page(one)}/end").text
    assert "X has ended socialgov" in client.post(f"{page(one)}/end", follow_redirects=True).text
    assert client.post(f"{page(one)}/end").status_code == 409
    assert connection_of(one.home.db, one.account.id) is None


def test_other_people_and_other_platforms_have_no_such_page_to_use(one: Connected) -> None:
    assert browse(one, staff(one.home)).get(page(one)).status_code == 403
    assert one.home.path
    elsewhere = account_at(one.home, AccountState.LIVE, platform="instagram")
    client = browse(one, manager_of(one.home))
    assert "nothing to connect here" in client.get(f"/accounts/{elsewhere.id}/connection").text
    assert client.post(f"/accounts/{elsewhere.id}/connection").status_code == 409
    assert "Connect with" not in client.get(f"/accounts/{elsewhere.id}").text


def test_a_platform_that_does_not_answer_is_said_on_the_page(one: Connected) -> None:
    client = browse(one, one.owner)
    (one.home.path.parent / "x-secret").unlink()
    shown = client.post(page(one), follow_redirects=True).text
    assert "client for X cannot be used" in shown
    assert "x-secret" not in shown
