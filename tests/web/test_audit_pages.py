"""The audit's page and its file, as each role meets them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from factories import NOW, staff, vault_of
from flask.testing import FlaskClient
from markupsafe import escape
from stage import Stage, set_stage
from walk import SECRET

from socialgov.actions.credentials import deposit, record_login_test, reveal
from socialgov.actions.deposit_parts import deposit_codes
from socialgov.actions.rotations import start_rotation
from socialgov.actions.staff import staff_leaves
from socialgov.escrow import Escrow
from socialgov.home import Home
from socialgov.models import Role, Staff

Browse = Callable[[Staff], FlaskClient]


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


@pytest.mark.asvs("15.3.1")
def test_it_tells_of_every_login_and_shows_none(
    browse: Browse, stage: Stage, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    reveal(home, stage.cast.manager, vault_of(home), stage.live.id, "To try whether it works.", now=NOW)
    manager = browse(stage.cast.manager)
    monkeypatch.setattr(Escrow, "open_with", None)
    answer = manager.get("/audit/")
    for words in ("ski.trip", "film.club", "Not deposited", stage.cast.manager.name, "it is compromised"):
        assert words in answer.text
    assert SECRET not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_most_urgent_account_stands_first(browse: Browse, stage: Stage) -> None:
    text = browse(stage.cast.manager).get("/audit/").text
    assert text.index(">film.club<") < text.index(">ski.trip<")


def test_it_is_narrowed_by_need_and_platform_and_bears_nonsense(browse: Browse, stage: Stage) -> None:
    manager = browse(stage.cast.manager)
    assert ">choir.tour<" in manager.get("/audit/").text
    assert ">choir.tour<" not in manager.get("/audit/?show=needing").text
    assert "No account fits" in manager.get("/audit/?platform=x").text
    for odd in ("?page=-3", "?page=99999999999999999999", "?show=%00", "?platform=' or 1=1 --", "?page=x"):
        assert manager.get(f"/audit/{odd}").status_code == 200


def test_the_head_and_governors_read_it_and_only_some_take_the_file(browse: Browse, stage: Stage) -> None:
    for role, page, file in (
        (Role.HEAD, 200, 200),
        (Role.GOVERNOR, 200, 403),
        (Role.SAFEGUARDING_LEAD, 403, 403),
        (Role.TEACHER, 403, 403),
    ):
        client = browse(stage.people[role])
        answer = client.get("/audit/")
        assert answer.status_code == page
        assert ("as a CSV file" in answer.text) is (file == 200)
        assert client.post("/audit/file").status_code == file
        assert "/rotation" not in answer.text  # where they could not go


def test_the_file_follows_the_filter(browse: Browse, stage: Stage) -> None:
    answer = browse(stage.cast.manager).post("/audit/file", data={"show": "needing"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="logins-2026-11-23.csv"'
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    names = [row[0] for row in rows[1:]]
    assert "film.club" in names
    assert "choir.tour" not in names


# --------------------------------------------------------------------------------------------------- changing it


def test_compromised_is_one_page_one_reason_one_button(browse: Browse, stage: Stage, home: Home) -> None:
    owner = browse(stage.cast.owner)
    page = owner.get(f"/accounts/{stage.live.id}").text
    assert f"/accounts/{stage.live.id}/compromised" in page
    assert "suspended at once" in owner.get(f"/accounts/{stage.live.id}/compromised").text
    assert owner.post(f"/accounts/{stage.live.id}/compromised", data={"reason": " "}).status_code == 422
    answer = owner.post(
        f"/accounts/{stage.live.id}/compromised", data={"reason": "It was on a poster."}, follow_redirects=True
    )
    for words in (
        "It must be changed by",
        "It was on a poster.",
        "End every other session",
        "Deposit the new password",
    ):
        assert words in answer.text
    assert "Suspended" in owner.get(f"/accounts/{stage.live.id}").text
    assert "Change the password" in browse(stage.cast.deputy).get("/").text


def test_the_page_says_how_far_it_is(browse: Browse, stage: Stage, home: Home) -> None:
    start_rotation(home, stage.cast.owner, stage.live.id, "To be safe.", now=NOW)
    path = f"/accounts/{stage.live.id}/rotation"
    manager = browse(stage.cast.manager)
    assert "Record the login test" not in manager.get(path).text
    later = NOW + timedelta(hours=1)
    new = {"username": "ski.trip", "secret": "Qz7!lantern-mosaic-Vw", "email": "trips@school.example"}
    deposit(home, stage.cast.owner, stage.live.id, **new, now=later)
    assert "Record the login test" in manager.get(path).text
    record_login_test(home, stage.cast.manager, stage.live.id, True, now=later)
    assert "in time" in manager.get(path).text


def test_the_steps_name_where_the_platform_has_each_setting(browse: Browse, stage: Stage, home: Home) -> None:
    start_rotation(home, stage.cast.owner, stage.live.id, "To be safe.", now=NOW)
    page, info = browse(stage.cast.owner).get(f"/accounts/{stage.live.id}/rotation").text, home.settings.platforms
    for key in ("password", "sessions", "apps", "second_factor"):
        assert escape(info["instagram"].settings[key]) in page
    assert escape(info["instagram"].settings_source) in page
    assert escape(info["instagram"].password_change_source) in page


def test_the_page_names_what_people_who_left_still_know(browse: Browse, stage: Stage, home: Home) -> None:
    """Recovery codes that the deputy knew: the change is not done without new ones, and the page says so."""
    cast, path, later = stage.cast, f"/accounts/{stage.live.id}/rotation", NOW + timedelta(hours=1)
    deposit_codes(home, cast.deputy, stage.live.id, "1111-aaaa\n2222-bbbb", now=NOW)
    staff_leaves(home, cast.manager, cast.deputy.id, now=NOW)
    new = {"username": "ski.trip", "secret": "Qz7!lantern-mosaic-Vw", "email": "trips@school.example"}
    deposit(home, cast.owner, stage.live.id, **new, now=later)
    record_login_test(home, cast.manager, stage.live.id, True, now=later)
    owner = browse(cast.owner)
    page = owner.get(path).text
    assert "Known to 1 person who left: without new ones the change is not done" in page
    assert "The new password works" in page
    assert "stay as they are" in page
    home.db.execute("update rotation set finished_at = started_at")  # as a version before this one ended it
    page = owner.get(path).text
    assert "Recovery codes: known to 1 person who left" in page
    assert "Nothing asks for a change" not in page


def test_an_account_without_a_rotation_offers_to_begin_one(browse: Browse, stage: Stage, home: Home) -> None:
    owner = browse(stage.cast.owner)
    path = f"/accounts/{stage.live.id}/rotation"
    assert "Nothing asks for a change" in owner.get(path).text
    assert owner.post(f"{path}/start", data={"reason": ""}).status_code == 422
    assert "has begun" in owner.post(f"{path}/start", data={"reason": "To be safe."}, follow_redirects=True).text
    outsider = browse(staff(home, Role.TEACHER))
    assert outsider.get(path).status_code == 403
