"""A post whose answer was lost: a person looks whether it is out and says so, and is never told to post it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from factories import NOW
from flask import Flask
from flask.testing import FlaskClient
from people_school import trip
from publishing_platform import publishing_home

from socialgov.home import Home
from socialgov.models import Account, PostState, Staff
from socialgov.platforms import NotReady
from socialgov.store.connect import insert, write
from socialgov.store.posts import post_by_id
from socialgov.store.rows import moment_text


@pytest.fixture
def school(app: Flask, home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    school, _ = publishing_home(home, monkeypatch)
    monkeypatch.setitem(app.extensions, "socialgov", school)
    return school


@pytest.fixture
def account(school: Home, teacher: Staff) -> Account:
    return trip(school, teacher)


def sent(school: Home, account: Account, hours: float = 0, **more: object) -> int:
    """A post that was claimed for publishing so long ago."""
    values = {"account_id": account.id, "author_id": account.owner_id, "text": "Boats", "state": "publishing"}
    moments = {"created_at": moment_text(NOW), "publishing_at": moment_text(NOW - timedelta(hours=hours))}
    with write(school.db) as db:
        return insert(db, "post", {**values, **moments, **more})


def test_after_hours_today_leads_to_the_question_and_the_answer_settles_it(
    school: Home, account: Account, teacher: Staff, browse: Callable[[Staff], FlaskClient]
) -> None:
    number, client = sent(school, account, hours=3), browse(teacher)
    base = f"/accounts/{account.id}/posts/{number}"
    assert "Find out whether a post is out" in client.get("/").text
    assert "Say whether it is out" in client.get(base).text
    page = client.get(f"{base}/hand-over").text
    assert "its answer was lost" in page and "It is not there" in page
    assert "Copy these words" not in page and "I have not posted it" not in page
    assert client.post(f"{base}/hand-over", data={"link": ""}).status_code == 422
    assert client.post(f"{base}/hand-over", data={"link": "https://instagram.example/p/1"}).status_code == 302
    assert post_by_id(school.db, number).state is PostState.PUBLISHED
    assert "Find out whether a post is out" not in client.get("/").text


def test_what_is_not_there_is_a_draft_again(
    school: Home, account: Account, teacher: Staff, browse: Callable[[Staff], FlaskClient]
) -> None:
    number, client = sent(school, account, hours=3), browse(teacher)
    assert client.post(f"/accounts/{account.id}/posts/{number}/give-up").status_code == 302
    assert post_by_id(school.db, number).state is PostState.DRAFT


def test_a_post_that_is_just_going_out_is_in_nobodys_hands(
    school: Home, account: Account, teacher: Staff, browse: Callable[[Staff], FlaskClient]
) -> None:
    number, client = sent(school, account), browse(teacher)
    page = client.get(f"/accounts/{account.id}/posts/{number}").text
    assert "Say whether it is out" not in page and "read in a few minutes" in page
    assert client.get(f"/accounts/{account.id}/posts/{number}/hand-over").status_code == 409


def test_what_was_handed_over_is_still_to_be_posted_by_its_person(
    school: Home, account: Account, teacher: Staff, browse: Callable[[Staff], FlaskClient]
) -> None:
    number, client = sent(school, account, handed_over=1), browse(teacher)
    page = client.get(f"/accounts/{account.id}/posts/{number}/hand-over").text
    assert "Copy these words" in page and "I have not posted it" in page and "its answer was lost" not in page


def test_a_post_that_waits_for_its_picture_says_when_it_is_tried_again(
    school: Home, account: Account, teacher: Staff, browse: Callable[[Staff], FlaskClient]
) -> None:
    held = {"state": "draft", "publishing_at": None, "again_by": teacher.id, "again_at": moment_text(NOW)}
    number = sent(school, account, **held)
    page = browse(teacher).get(f"/accounts/{account.id}/posts/{number}").text
    assert "was not done with the pictures" in page and "It is tried once more by itself" in page


def test_whoever_publishes_while_the_platform_works_on_a_picture_hears_that_it_is_not_out_yet(
    school: Home,
    account: Account,
    teacher: Staff,
    browse: Callable[[Staff], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def held_back(*_: object, **__: object) -> None:
        raise NotReady("Instagram", 600)

    monkeypatch.setattr("socialgov.web.posts.actions.publish_post", held_back)
    number, client = sent(school, account, state="draft", publishing_at=None), browse(teacher)
    base = f"/accounts/{account.id}/posts/{number}"
    assert client.post(f"{base}/publish").location == base
    assert "the post is not out. It is tried once more in a few minutes" in client.get(base).text
