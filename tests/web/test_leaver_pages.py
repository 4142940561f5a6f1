"""When somebody leaves, as the network manager meets it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import make_strong
from factories import staff
from flask.testing import FlaskClient
from stage import Stage, set_stage

from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.accounts import account_by_id
from socialgov.store.staff import staff_by_id

Browse = Callable[[Staff], FlaskClient]


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


def fields(page: str) -> dict[str, str]:
    """The form as it is shown: each list's chosen value, empty where nothing is chosen."""
    found = {}
    for name, inside in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option selected[^>]* value="([^"]*)"', inside)
        found[name] = chosen[1] if chosen else ""
    return found


def test_it_leads_from_the_person_to_one_form_and_on_to_what_is_open(browse: Browse, stage: Stage, home: Home) -> None:
    manager, owner, new = make_strong(home, browse(stage.cast.manager)), stage.cast.owner, staff(home, name="Nell New")
    assert f"/staff/{owner.id}/secure" in manager.get(f"/staff/{owner.id}").text
    report = manager.get(f"/staff/{owner.id}/leaving").text
    for words in ("Accounts to hand over", "ski.trip", "Secrets they know", "Deposited it", "Secure everything now"):
        assert words in report
    asked = fields(manager.get(f"/staff/{owner.id}/secure").text)
    assert asked[f"owner_{stage.live.id}"] == str(stage.cast.deputy.id)
    assert asked[f"deputy_{stage.live.id}"] == ""
    signed_in = browse(owner)
    refused = manager.post(f"/staff/{owner.id}/secure", data=asked)
    assert refused.status_code == 422
    assert "Choose the deputy of ski.trip." in refused.text
    assert signed_in.get("/").status_code == 200
    filled = {name: value or str(new.id) for name, value in asked.items()}
    answer = manager.post(f"/staff/{owner.id}/secure", data=filled, follow_redirects=True)
    for words in ("What stands below is still open", "Passwords being changed", "Not at all: no session"):
        assert words in answer.text
    assert "A request: have it changed or withdrawn" in answer.text  # the only thing that is not handed over
    assert signed_in.get("/").status_code == 302
    assert account_by_id(home.db, stage.live.id).owner_id == stage.cast.deputy.id
    assert owner.name in manager.get("/staff/leavers").text


def test_one_deputy_is_chosen_for_all_at_once(browse: Browse, stage: Stage, home: Home) -> None:
    manager, owner, new = make_strong(home, browse(stage.cast.manager)), stage.cast.owner, staff(home)
    asked = fields(manager.get(f"/staff/{owner.id}/secure").text)
    answer = manager.post(f"/staff/{owner.id}/secure", data={**asked, "deputy_of_all": str(new.id)})
    assert answer.status_code == 302
    assert {account_by_id(home.db, one.id).deputy_id for one in (stage.live, stage.suspended)} == {new.id}


def test_it_asks_once_more_who_it_is_and_keeps_what_was_chosen(browse: Browse, stage: Stage, home: Home) -> None:
    """An open browser of the manager must not shut the staff out for good: passkeys end, and ways into the vault."""
    manager, owner, new = browse(stage.cast.manager), stage.cast.owner, staff(home)
    asked = fields(manager.get(f"/staff/{owner.id}/secure").text)
    chosen = {name: value or str(new.id) for name, value in asked.items()}
    assert manager.post(f"/staff/{owner.id}/secure", data=chosen).location == "/confirm"
    assert staff_by_id(home.db, owner.id).current
    make_strong(home, manager)
    assert manager.get("/confirm").location == "/confirm/carry-on"
    kept = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', manager.get("/confirm/carry-on").text))
    assert {name: value for name, value in kept.items() if name != "csrf_token"} == chosen
    assert manager.post(f"/staff/{owner.id}/secure", data=chosen).status_code == 302
    assert not staff_by_id(home.db, owner.id).current


def test_it_refuses_the_leaver_and_the_same_person_twice(browse: Browse, stage: Stage, home: Home) -> None:
    manager, owner = make_strong(home, browse(stage.cast.manager)), stage.cast.owner
    asked = fields(manager.get(f"/staff/{owner.id}/secure").text)
    same = {name: str(stage.cast.deputy.id) for name in asked}
    answer = manager.post(f"/staff/{owner.id}/secure", data=same)
    assert answer.status_code == 422
    assert "somebody other than the owner" in answer.text
    assert manager.post(f"/staff/{owner.id}/secure", data={name: str(owner.id) for name in asked}).status_code == 422
    assert staff_by_id(home.db, owner.id).current


def test_somebody_who_keeps_nothing_needs_no_choice(browse: Browse, stage: Stage, home: Home) -> None:
    manager = make_strong(home, browse(stage.cast.manager))
    page = manager.get(f"/staff/{stage.outsider.id}/secure").text
    assert fields(page) == {}
    answer = manager.post(f"/staff/{stage.outsider.id}/secure", follow_redirects=True)
    assert "Nothing is open" in answer.text
    assert not staff_by_id(home.db, stage.outsider.id).current
    assert "Nothing is open" in manager.get("/staff/leavers").text


def test_the_last_network_manager_stays(browse: Browse, stage: Stage, home: Home) -> None:
    answer = make_strong(home, browse(stage.cast.manager)).post(f"/staff/{stage.cast.manager.id}/secure")
    assert answer.status_code == 409
    assert staff_by_id(home.db, stage.cast.manager.id).current


def test_the_head_reads_it_and_takes_the_file_but_does_not_do_it(browse: Browse, stage: Stage) -> None:
    head, owner = browse(stage.people[Role.HEAD]), stage.cast.owner
    page = head.get(f"/staff/{owner.id}/leaving")
    assert page.status_code == 200
    assert "Secure everything now" not in page.text
    assert head.get(f"/staff/{owner.id}/secure").status_code == 403
    answer = head.post(f"/staff/{owner.id}/leaving/file")
    assert answer.mimetype == "text/csv"
    assert "Knows: password" in answer.text


def test_ending_access_at_once_leaves_the_rest_open(browse: Browse, stage: Stage, home: Home) -> None:
    manager, owner = make_strong(home, browse(stage.cast.manager)), stage.cast.owner
    manager.post(f"/staff/{owner.id}/leaves")
    report = manager.get(f"/staff/{owner.id}/leaving").text
    assert "Accounts to hand over" in report
    assert "Passwords being changed" in report
    assert "Secure everything now" in report
