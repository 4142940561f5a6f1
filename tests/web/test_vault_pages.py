"""The vault's pages: opened after showing once more who one is, shut again, and who else opens it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import make_strong
from factories import NOW, VAULT_CODE, VAULT_PASSPHRASE, make_home, manager_of, staff
from flask import Flask
from flask.testing import FlaskClient

from socialgov.actions.recovery import drill_due_at
from socialgov.actions.staff import set_roles, staff_leaves
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.events import events_page
from socialgov.store.outbox import notices_of
from socialgov.store.vault import holder_of, managers_who_open, openings_of_now
from socialgov.web.in_hand import VAULT_KEY

Browse = Callable[[Staff], FlaskClient]
Opened = Callable[[FlaskClient, Staff], FlaskClient]
OWN = "bramble otter plywood sunrise mitten quarry"
TWICE = {"passphrase": OWN, "again": OWN}


@pytest.fixture
def other(home: Home) -> Staff:
    """A second network manager, who is not let in yet."""
    return staff(home, Role.NETWORK_MANAGER, name="Ola Other")


def words_shown(text: str) -> str:
    found = re.search(r'class="secret"[^>]*>([^<]+)<', text)
    assert found, text
    return found[1]


@pytest.mark.asvs("7.5.1")
def test_it_asks_once_more_who_it_is_and_then_for_the_passphrase(home: Home, browse: Browse, manager: Staff) -> None:
    client = browse(manager)
    assert client.get("/vault/open").location == "/confirm"
    assert client.post("/vault/open", data={"passphrase": VAULT_PASSPHRASE}).location == "/confirm"
    assert openings_of_now(home.db, NOW) == []
    make_strong(home, client)
    wrong = client.post("/vault/open", data={"passphrase": "something else altogether"})
    assert (wrong.status_code, "does not open the vault" in wrong.text) == (422, True)
    assert "something else altogether" not in wrong.text
    assert client.post("/vault/open", data={"passphrase": VAULT_PASSPHRASE}).location == "/vault/"
    page = client.get("/")
    assert "The vault is open</strong> until 09:05 (5 minutes)" in page.text
    assert client.post("/vault/shut").location == "/vault/"
    assert "The vault is open" not in client.get("/").text
    assert openings_of_now(home.db, NOW) == []


def test_it_goes_on_where_one_was_going(home: Home, browse: Browse, manager: Staff, other: Staff) -> None:
    client = make_strong(home, browse(manager))
    assert client.get(f"/vault/invite/{other.id}").location == "/vault/open"
    opened = client.post("/vault/open", data={"passphrase": VAULT_PASSPHRASE})
    assert opened.location == f"/vault/invite/{other.id}"


def test_signing_out_shuts_it(home: Home, browse: Browse, open_vault_as: Opened, manager: Staff) -> None:
    client = open_vault_as(browse(manager), manager)
    assert len(openings_of_now(home.db, NOW)) == 1
    client.post("/signout")
    assert openings_of_now(home.db, NOW) == []
    with client.session_transaction() as cookie:
        assert VAULT_KEY not in cookie


def test_neither_the_cookie_of_another_nor_one_made_up_opens_it(
    app: Flask, home: Home, browse: Browse, open_vault_as: Opened, manager: Staff, other: Staff
) -> None:
    mine = open_vault_as(browse(manager), manager)
    with mine.session_transaction() as cookie:
        token = cookie[VAULT_KEY]
    for held in (token, "x" * 43):
        theirs = make_strong(home, browse(other))
        with theirs.session_transaction() as cookie:
            cookie[VAULT_KEY] = held
        assert theirs.get(f"/vault/invite/{manager.id}").location == "/vault/open"


def test_the_first_manager_is_led_to_set_a_passphrase(tmp_path: Path, app: Flask) -> None:
    from socialgov.actions.signin import make_signin_link
    from socialgov.web import build_app

    home = make_home(tmp_path / "new", joined=False)
    app = build_app(home)
    app.config.update(WTF_CSRF_ENABLED=False)
    client = app.test_client()
    client.post(make_signin_link(home, manager_of(home).id, actor="cli", now=NOW))
    assert "Set your vault passphrase with the code you were given" in client.get("/").text
    assert "Nobody can open the vault" in client.get("/vault/").text
    proposed = words_shown(client.post("/vault/passphrase", data={"propose": "1"}).text)
    assert len(proposed.split()) == 6
    assert proposed not in client.get("/vault/passphrase").text
    for bad, words in (
        ({"code": VAULT_CODE, "passphrase": "short", "again": "short"}, "15 to 200 characters"),
        ({"code": VAULT_CODE, "passphrase": OWN, "again": OWN + "s"}, "The two differ"),
        ({"code": "six other words than were given", **TWICE}, "This code is wrong"),
    ):
        answer = client.post("/vault/passphrase", data=bad)
        assert (answer.status_code, words in answer.text) == (422, True)
        assert OWN not in answer.text
    assert client.post("/vault/passphrase", data={"code": VAULT_CODE.upper(), **TWICE}).location == "/vault/"
    assert "Set your vault passphrase" not in client.get("/").text
    make_strong(home, client)
    assert client.post("/vault/open", data={"passphrase": OWN}).location == "/vault/"


@pytest.mark.asvs("3.5.3")
def test_somebody_is_let_in_with_six_words_that_are_shown_once(
    home: Home, browse: Browse, open_vault_as: Opened, manager: Staff, other: Staff, head: Staff
) -> None:
    client, theirs = open_vault_as(browse(manager), manager), browse(other)
    assert "Have another network manager let you into the vault" in theirs.get("/").text
    assert "Let them in" in client.get("/vault/").text
    answer = client.post(f"/vault/invite/{other.id}")
    code = words_shown(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert code not in client.get(f"/vault/invite/{other.id}").text
    assert code not in client.get("/vault/").text
    assert "invited to open the vault" in browse(head).get("/").text
    assert theirs.post("/vault/passphrase", data={"code": code, **TWICE}).location == "/vault/"
    assert managers_who_open(home.db) == {manager.id, other.id}
    page = theirs.get("/vault/").text
    assert page.count("Opens it") == 2
    assert "Invited" not in page


def test_somebody_is_removed_and_they_and_the_heads_are_told(
    home: Home, browse: Browse, open_vault_as: Opened, manager: Staff, other: Staff, head: Staff
) -> None:
    client, theirs = open_vault_as(browse(manager), manager), browse(other)
    code = words_shown(client.post(f"/vault/invite/{other.id}").text)
    theirs.post("/vault/passphrase", data={"code": code, **TWICE})
    open_vault_as(theirs, other)
    assert client.get(f"/vault/remove/{other.id}").status_code == 200
    assert client.post(f"/vault/remove/{other.id}").location == "/vault/"
    assert holder_of(home.db, other.id, "manager") is None
    assert [one.staff_id for one in openings_of_now(home.db, NOW)] == [manager.id]
    for person in (other, head):
        assert "vault_removed" in [one.kind for one in notices_of(home.db, person.id)]
    assert client.post(f"/vault/remove/{manager.id}").status_code == 409  # the last one


@pytest.mark.asvs("6.2.3")
def test_a_passphrase_is_changed_by_who_knows_the_old_one(home: Home, browse: Browse, manager: Staff) -> None:
    client = browse(manager)
    assert client.get("/vault/passphrase/change").location == "/confirm"
    make_strong(home, client)
    wrong = client.post("/vault/passphrase/change", data={**TWICE, "old": "something else altogether"})
    assert wrong.status_code == 422
    assert "does not open the vault" in wrong.text
    assert OWN not in wrong.text
    assert client.post("/vault/passphrase/change", data={**TWICE, "old": VAULT_PASSPHRASE}).location == "/vault/"
    assert client.post("/vault/open", data={"passphrase": VAULT_PASSPHRASE}).status_code == 422
    assert client.post("/vault/open", data={"passphrase": OWN}).location == "/vault/"


@pytest.mark.asvs("7.4.2", "8.2.2")
def test_who_loses_the_role_or_leaves_loses_the_vault_in_the_same_moment(
    home: Home, browse: Browse, open_vault_as: Opened, manager: Staff, other: Staff, head: Staff
) -> None:
    client, theirs = open_vault_as(browse(manager), manager), browse(other)
    code = words_shown(client.post(f"/vault/invite/{other.id}").text)
    theirs.post("/vault/passphrase", data={"code": code, **TWICE})
    open_vault_as(theirs, other)
    set_roles(home, manager, other.id, {Role.TEACHER}, now=NOW)
    assert holder_of(home.db, other.id, "manager") is None
    assert [one.staff_id for one in openings_of_now(home.db, NOW)] == [manager.id]
    assert theirs.get("/vault/").status_code == 403
    set_roles(home, manager, other.id, {Role.NETWORK_MANAGER}, now=NOW)
    staff_leaves(home, None, manager.id, now=NOW)
    assert managers_who_open(home.db) == set()
    assert openings_of_now(home.db, NOW) == []
    for person in (other, head):
        notice = next(one for one in notices_of(home.db, person.id) if one.kind == "vault_nobody")
        assert "Nobody can open the vault any more" in notice.text
        assert "Nobody can open the vault: see what can be done" in browse(person).get("/").text
    assert "vault:manager:removed" in [
        event.tag for event in events_page(home.db, before=None, tag="vault", actor=None, limit=5)
    ]


def test_who_takes_the_last_way_in_reads_so_at_once(home: Home, browse: Browse, manager: Staff, other: Staff) -> None:
    client = make_strong(home, browse(other))
    page = client.post(f"/staff/{manager.id}/leaves", follow_redirects=True).text
    assert "Nobody can open the vault any more" in page
    assert managers_who_open(home.db) == set()


def test_the_head_sees_who_opens_it_and_changes_nothing(
    home: Home, browse: Browse, manager: Staff, head: Staff
) -> None:
    page = browse(head).get("/vault/").text
    assert manager.name in page
    assert "Recovery last rehearsed" in page
    assert "Open the vault</a>" not in page
    assert "Take it from them" not in page


def test_a_rehearsal_is_due_on_the_page_when_people_are_reminded_of_it(
    home: Home, browse: Browse, head: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, due = browse(head), drill_due_at(home)
    assert due is not None
    assert "socialgov escrow drill" not in client.get("/vault/").text
    monkeypatch.setattr(type(home), "now", lambda _: due)
    monkeypatch.setattr("conftest.NOW", due)
    assert "socialgov escrow drill" in browse(head).get("/vault/").text


def test_an_invitation_that_ran_out_is_shown_as_such(
    home: Home, browse: Browse, open_vault_as: Opened, manager: Staff, other: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_vault_as(browse(manager), manager).post(f"/vault/invite/{other.id}")
    late = NOW + timedelta(hours=home.settings.policy.vault_invitation_hours)
    monkeypatch.setattr(type(home), "now", lambda _: late)
    monkeypatch.setattr("conftest.NOW", late)
    assert "Invitation ran out" in browse(manager).get("/vault/").text
