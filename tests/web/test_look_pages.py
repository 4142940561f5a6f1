"""Look, copy, test: what the pages show, to whom, and that nothing of it stays (SEC205, SEC207)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from factories import DOMAIN, NOW
from flask import Flask
from flask.testing import FlaskClient
from recording_platform import recorded_home
from stage import Stage, set_stage
from test_access import address, routes
from walk import SECRET

from socialgov.actions.credentials import deposit
from socialgov.actions.deposit_parts import deposit_seed
from socialgov.actions.signin import make_signin_link
from socialgov.escrow.codes import code_at, read_seed
from socialgov.home import Home
from socialgov.models import Fact, Staff
from socialgov.platforms import PlatformError
from socialgov.store.events import events_page
from socialgov.store.looks import reveals_of
from socialgov.store.observations import newest_observation
from socialgov.web import build_app

Browse = Callable[[Staff], FlaskClient]
Opened = Callable[[FlaskClient, Staff], FlaskClient]
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WHY = {"reason": "The owner is ill."}


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


@pytest.fixture
def manager(browse: Browse, open_vault_as: Opened, stage: Stage) -> FlaskClient:
    """A network manager with the vault open."""
    return open_vault_as(browse(stage.cast.manager), stage.cast.manager)


@pytest.fixture
def secret(stage: Stage) -> str:
    return f"{SECRET}{stage.live.id}-pirt.iks"


def newest_tags(home: Home, limit: int = 3) -> list[str]:
    return [event.tag for event in events_page(home.db, before=None, tag=None, actor=None, limit=limit)]


@pytest.mark.asvs("3.5.3", "14.3.2", "14.2.1")
def test_it_shows_a_password_once_for_a_reason_and_never_by_get(
    manager: FlaskClient, stage: Stage, home: Home, secret: str
) -> None:
    at = f"/accounts/{stage.live.id}/password"
    assert secret not in manager.get(at).text
    refused = manager.post(at, data={"reason": "x"})
    assert "Say why in a few words" in refused.text
    assert secret not in refused.text
    answer = manager.post(at, data=WHY)
    assert secret in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Refresh"] == f"30; url=/accounts/{stage.live.id}/login-test"
    assert secret not in str(answer.headers)
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "credential:secret:revealed" in newest_tags(home)
    for path in (at, f"{at}?what=password&reason=The+owner+is+ill.", answer.headers["Refresh"].partition("url=")[2]):
        assert secret not in manager.get(path).text
    assert secret not in manager.head(at).text


@pytest.mark.asvs("3.5.3", "15.3.1")
def test_no_page_of_any_address_shows_a_secret_by_get(
    app: Flask, manager: FlaskClient, stage: Stage, secret: str
) -> None:
    manager.post(f"/accounts/{stage.live.id}/password", data=WHY)
    for rule, method in routes(app):
        if method == "GET":
            answer = manager.get(address(app, rule, stage.live.id))
            assert secret.encode() not in answer.data + str(answer.headers).encode(), rule.rule


@pytest.mark.asvs("8.2.2")
def test_with_the_vault_shut_nothing_is_shown_and_the_reason_is_kept(
    browse: Browse, open_vault_as: Opened, stage: Stage, home: Home, secret: str
) -> None:
    client, at = browse(stage.cast.manager), f"/accounts/{stage.live.id}/password"
    assert "Open the vault" in client.get(at).text
    answer = client.post(at, data=WHY)
    assert (answer.status_code, answer.location) == (302, "/vault/open")
    assert reveals_of(home.db, stage.live.id) == []
    open_vault_as(client, stage.cast.manager)
    with client.session_transaction() as cookie:
        cookie["confirm_form"] = cookie.pop("vault_form")
    kept = client.get("/confirm/carry-on").text
    assert f'action="{at}"' in kept
    assert 'value="The owner is ill."' in kept
    assert secret in client.post(at, data=WHY).text


def test_after_five_minutes_the_vault_is_shut_again(
    manager: FlaskClient, stage: Stage, home: Home, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(home), "now", lambda _: NOW + timedelta(minutes=5))
    answer = manager.post(f"/accounts/{stage.live.id}/password", data=WHY)
    assert answer.location == "/vault/open"
    assert secret not in answer.text


def test_it_shows_the_code_of_the_moment_rather_than_the_seed(
    manager: FlaskClient, stage: Stage, home: Home, secret: str
) -> None:
    kept, _ = deposit_seed(home, stage.cast.owner, stage.live.id, SEED, now=NOW)
    at = f"/accounts/{stage.live.id}/password"
    page = manager.get(at).text
    assert re.findall(r"checked[^>]* value=\"(\w+)-\d+\"", page) == ["password"]
    code = manager.post(at, data={**WHY, "what": f"second_factor_code-{kept.id}"}).text
    assert code_at(read_seed(SEED), NOW)[0] in code
    assert SEED not in code
    assert secret not in code  # one secret a look
    assert SEED in manager.post(at, data={**WHY, "what": f"second_factor_seed-{kept.id}"}).text
    assert manager.post(at, data={**WHY, "what": "password-4711"}).status_code == 422


def test_it_shows_a_password_of_before_clearly_marked_until_the_new_one_works(
    manager: FlaskClient, stage: Stage, home: Home, secret: str
) -> None:
    at, data = f"/accounts/{stage.live.id}", {"username": "ski.trip", "email": f"trips@{DOMAIN}"}
    owner_secret = "Ueb9!perky-Lantern-07"
    deposit(home, stage.cast.owner, stage.live.id, secret=owner_secret, now=NOW, **data)
    page = manager.get(f"{at}/password").text
    assert "The password before, replaced on 23 November 2026" in page
    old = re.findall(r"value=\"(password-\d+)\"", page)[1]
    shown = manager.post(f"{at}/password", data={**WHY, "what": old}).text
    assert secret in shown
    assert "This is not the one in force." in shown
    manager.post(f"{at}/password", data=WHY)
    assert manager.post(f"{at}/login-test", data={"works": "yes"}).location == f"/accounts/{stage.live.id}"
    assert "before, replaced" not in manager.get(f"{at}/password").text
    assert manager.post(f"{at}/password", data={**WHY, "what": old}).status_code == 422


def test_a_copy_is_noted_and_who_looked_is_told_to_those_concerned(
    manager: FlaskClient, browse: Browse, stage: Stage, home: Home
) -> None:
    at = f"/accounts/{stage.live.id}"
    shown = manager.post(f"{at}/password", data=WHY).text
    action = re.search(r'action="([^"]+/copied)"', shown)
    assert action
    assert manager.post(action[1]).status_code == 204
    assert newest_tags(home, 1) == ["credential:secret:copied"]
    assert manager.get(action[1]).status_code == 405
    assert manager.post(f"{at}/looks/4711/copied").status_code == 404
    for person in (stage.cast.owner, stage.cast.head, stage.cast.manager):
        page = browse(person).get(f"{at}/looks").text
        assert "The owner is ill." in page
        assert stage.cast.manager.name in page
        assert "Copied" in page
        assert "from 127.0.0.1" in page
    assert browse(stage.outsider).get(f"{at}/looks").status_code == 403
    assert "Who has looked at the login" in browse(stage.cast.owner).get(at).text


def test_an_account_without_a_deposit_has_nothing_to_show(manager: FlaskClient, stage: Stage) -> None:
    at = f"/accounts/{stage.approved.id}/password"
    assert "Nothing is deposited." in manager.get(at).text
    assert "Nothing is deposited." in manager.post(at, data=WHY).text


@pytest.mark.asvs("16.5.3")
def test_a_log_that_cannot_be_written_shows_an_error_and_no_secret(
    manager: FlaskClient, stage: Stage, home: Home, secret: str
) -> None:
    home.db.execute("create temp trigger full before insert on event begin select raise(abort, 'disk is full'); end")
    answer = manager.post(f"/accounts/{stage.live.id}/password", data=WHY)
    assert answer.status_code in (500, 503)
    assert secret not in answer.text
    assert "Refresh" not in answer.headers


@pytest.mark.asvs("3.4.3")
def test_only_the_page_with_a_secret_may_load_a_script(manager: FlaskClient, stage: Stage) -> None:
    at = f"/accounts/{stage.live.id}/password"
    for answer in (manager.get(at), manager.post(at, data={"reason": "x"}), manager.get("/vault/")):
        assert "script" not in answer.headers["Content-Security-Policy"]
        assert "<script" not in answer.text


def test_it_records_a_login_test(manager: FlaskClient, stage: Stage, home: Home) -> None:
    assert manager.post(f"/accounts/{stage.live.id}/login-test", data={"works": "no"}).status_code == 302
    seen = newest_observation(home.db, stage.live.id, Fact.LOGIN_WORKS)
    assert seen is not None
    assert seen.value is False


def test_a_platform_that_lets_no_program_in_offers_none(manager: FlaskClient, stage: Stage) -> None:
    assert "Let socialgov" not in manager.get(f"/accounts/{stage.live.id}/login-test").text
    assert manager.post(f"/accounts/{stage.live.id}/login-test/try").status_code == 409


def test_socialgov_tries_it_with_the_vault_open_and_says_what_came_of_it(
    home: Home, stage: Stage, open_vault_as: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded, shown = recorded_home(home, monkeypatch)
    app = build_app(recorded)
    app.config.update(WTF_CSRF_ENABLED=False)
    client, at = app.test_client(), f"/accounts/{stage.live.id}"
    client.post(make_signin_link(home, stage.cast.manager.id, actor="cli", now=NOW))
    assert "Open the vault" in client.get(f"{at}/login-test").text
    assert client.post(f"{at}/login-test/try").location == "/vault/open"
    assert shown.asked == []
    open_vault_as(client, stage.cast.manager)
    assert "Let socialgov try it" in client.get(f"{at}/login-test").text
    assert client.post(f"{at}/login-test/try").location == at
    assert "It works. That is recorded." in client.get(at).text
    shown.check_login = False
    assert "The platform refused it." in client.post(f"{at}/login-test/try", follow_redirects=True).text
    shown.failing = {"check_login": PlatformError("It timed out.", permanent=False)}
    assert client.post(f"{at}/login-test/try").status_code == 502
    seen = newest_observation(home.db, stage.live.id, Fact.LOGIN_WORKS)
    assert seen is not None
    assert (seen.value, seen.observed_by) == (False, stage.cast.manager.id)
