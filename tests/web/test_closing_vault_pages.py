"""The pages of a closing that waits for the vault, as a keeper and as a network manager meet them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from closing_fakes import arrange, deeds
from closing_school import PASSWORD, deposited, live_account, owner_of, with_platform
from factories import NOW, manager_of
from flask.testing import FlaskClient

from socialgov.actions.closing import advance, start_closing
from socialgov.actions.signin import make_signin_link
from socialgov.home import Home
from socialgov.models import Account, Staff
from socialgov.store.closings import first_open_step
from socialgov.web import build_app

Opened = Callable[[FlaskClient, Staff], FlaskClient]


@pytest.fixture
def school(home: Home, tmp_path: Path) -> Home:
    """It waits no days between deactivating and deleting."""
    return with_platform(home, arrange(tmp_path / "network.json", password=PASSWORD), days_from_end_to_deletion=7)


@pytest.fixture
def account(school: Home) -> Account:
    """Its closing stands still before the deactivation."""
    account = live_account(school, remote_id="r1")
    deposited(school, account)
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    return account


@pytest.fixture
def browse_school(school: Home) -> Callable[[Staff], FlaskClient]:
    app = build_app(school)
    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)

    def signed_in(person: Staff) -> FlaskClient:
        client = app.test_client()
        assert client.post(make_signin_link(school, person.id, actor="cli", now=NOW)).status_code == 302
        return client

    return signed_in


def step_path(school: Home, account: Account) -> str:
    step = first_open_step(school.db, 1)
    assert step is not None
    return f"/accounts/{account.id}/closing/{step.id}"


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_a_keeper_reads_what_it_waits_for_and_is_not_let_do_it(
    school: Home, account: Account, browse_school: Callable[[Staff], FlaskClient]
) -> None:
    keeper, path = browse_school(owner_of(school, account)), step_path(school, account)
    progress = words(keeper.get(f"/accounts/{account.id}/closing").text)
    assert "Waits for the vault" in progress and "Open the vault, then socialgov deactivates it." in progress
    task = keeper.get(path).text
    assert "A network manager does that. They have been told." in task
    assert f'href="{path}/vault"' not in task
    assert (keeper.get(f"{path}/vault").status_code, keeper.post(f"{path}/vault").status_code) == (403, 403)
    assert "deactivate" not in deeds(school.settings.platforms["sandbox"])


def test_a_manager_is_led_to_the_vault_and_back_and_then_it_is_done(
    school: Home, account: Account, browse_school: Callable[[Staff], FlaskClient], open_vault_as: Opened
) -> None:
    manager, path = manager_of(school), step_path(school, account)
    client = browse_school(manager)
    assert f'href="{path}/vault"' in client.get(path).text
    assert client.get(f"{path}/vault").location == "/vault/open"
    assert client.post(f"{path}/vault").location == "/vault/open"
    assert "deactivate" not in deeds(school.settings.platforms["sandbox"])
    open_vault_as(client, manager)
    page = client.get(f"{path}/vault")
    assert page.status_code == 200
    assert "signs in with the account's password and deactivates it" in words(page.text)
    done = client.post(f"{path}/vault", follow_redirects=True)
    assert "Done and seen: deactivate the account." in words(done.text)
    assert deeds(school.settings.platforms["sandbox"])[-2:] == ["deactivate", "mail code"]


def test_a_code_entered_without_the_vault_says_that_it_waits(
    school: Home, account: Account, browse_school: Callable[[Staff], FlaskClient], open_vault_as: Opened
) -> None:
    manager = manager_of(school)
    with_vault = open_vault_as(browse_school(manager), manager)
    with_vault.post(f"{step_path(school, account)}/vault")
    keeper, path = browse_school(owner_of(school, account)), step_path(school, account)
    assert "a network manager enters the code best" in words(keeper.get(path).text)
    said = keeper.post(path, data={"code": "CODE-1"}, follow_redirects=True)
    assert "This waits for a network manager: open the vault, then socialgov deletes it." in words(said.text)
    with_vault.post(f"{path}/vault")
    assert deeds(school.settings.platforms["sandbox"])[-1] == "delete"


def test_a_code_entered_with_the_vault_open_deletes_at_once(
    school: Home, account: Account, browse_school: Callable[[Staff], FlaskClient], open_vault_as: Opened
) -> None:
    manager = manager_of(school)
    with_vault = open_vault_as(browse_school(manager), manager)
    path = step_path(school, account)
    with_vault.post(f"{path}/vault")
    with_vault.post(step_path(school, account), data={"code": "CODE-1"})
    assert deeds(school.settings.platforms["sandbox"])[-1] == "delete"
