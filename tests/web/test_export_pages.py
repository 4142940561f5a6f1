"""Handing in an export file on a page, and what a platform says about itself."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from export_files import instagram
from factories import NOW
from flask.testing import FlaskClient
from walk import Cast, form_of, live

from socialgov.home import Home
from socialgov.models import Account, Staff
from socialgov.web import exports

Browse = Callable[[Staff], FlaskClient]
HANDLE = "trip.2026"


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    """Live for three days, so that a file of yesterday tells something new."""
    now = NOW - timedelta(days=3)
    return live(home, cast, form=form_of(cast, handle_wished=HANDLE, starts_on=now.date()), now=now)


def upload(client: FlaskClient, account: Account, name: str, content: bytes) -> tuple[int, str]:
    data = {"files": (io.BytesIO(content), name)}
    answer = client.post(f"/accounts/{account.id}/export", data=data, follow_redirects=True)
    return answer.status_code, answer.text


def test_a_teacher_hands_one_in_and_reads_what_it_brought(cast: Cast, account: Account, browse: Browse) -> None:
    teacher = browse(cast.owner)
    shown = teacher.get(f"/accounts/{account.id}/export").text
    assert "format JSON" in shown
    assert "Accounts Centre" in shown
    name = f"instagram-{HANDLE}-2026-11-22-a1.zip"
    status, text = upload(teacher, account, name, instagram(["carer.one", "carer.two"], follows=[]))
    assert status == 200
    assert "Read, as of 22 November 2026: 2 followers, 0 accounts that it follows." in text
    assert "Not in the file, so still for a person to look at: likes." in text
    assert "carer.one" in teacher.get(f"/accounts/{account.id}/followers").text
    again = teacher.get(f"/accounts/{account.id}/export").text
    assert "2 followers, 0 accounts that it follows, as of 22 November 2026" in again


def test_what_is_wrong_with_a_file_is_said_at_its_field(cast: Cast, account: Account, browse: Browse) -> None:
    teacher = browse(cast.owner)
    status, text = upload(teacher, account, "holiday.jpg", b"\xff\xd8")
    assert status == 422
    assert "not a file of such an export" in text
    assert "Add the export file" in teacher.post(f"/accounts/{account.id}/export").text


def test_a_platform_without_one_has_no_such_page(home: Home, cast: Cast, browse: Browse) -> None:
    form = form_of(cast, platform="facebook_group", handle_wished="trip.2026")
    group = live(home, cast, form=form)
    teacher = browse(cast.owner)
    assert teacher.get(f"/accounts/{group.id}/export").status_code == 404
    assert "export file" not in teacher.get(f"/accounts/{group.id}").text
    facts = teacher.get(f"/accounts/{group.id}/facts").text
    assert "A group can be private and hidden" in facts
    assert "Looked up on 22 November 2026" in facts


def test_every_setting_and_list_of_the_shipped_platforms_has_its_word(home: Home) -> None:
    from socialgov.platforms.describing import LISTED, SETTINGS
    from socialgov.web.setup import SETTING_WORDS

    assert set(SETTING_WORDS) == SETTINGS
    assert set(exports.LIST_WORDS) == set(LISTED)


def test_a_keeper_says_that_they_signed_in_on_x(home: Home, cast: Cast, browse: Browse) -> None:
    on_x = live(home, cast, form=form_of(cast, platform="x", handle_wished="trip_2026"))
    teacher = browse(cast.owner)
    assert "Say that somebody signed in there" in teacher.get(f"/accounts/{on_x.id}").text
    shown = teacher.get(f"/accounts/{on_x.id}/signed-in").text
    assert "X wants somebody to sign in every 30 days: here by 23 December 2026." in shown
    assert "Post, like and follow nothing" in shown
    done = teacher.post(f"/accounts/{on_x.id}/signed-in", follow_redirects=True).text
    assert "Recorded, with your name and the time" in done
    assert "signed in on the platform, so that it keeps the account" in done
