"""The head allows a public account on a page; a teacher reads why nothing else is possible."""

from __future__ import annotations

from collections.abc import Callable

from factories import NOW
from flask.testing import FlaskClient
from walk import Cast, allowed, form_of

from socialgov.actions import accounts
from socialgov.home import Home
from socialgov.models import Staff
from socialgov.store.public_allowances import allowances

Browse = Callable[[Staff], FlaskClient]


def test_the_head_allows_one_and_sees_it_used(home: Home, cast: Cast, browse: Browse) -> None:
    head = browse(cast.head)
    assert "No public account was allowed so far" in head.get("/public-accounts/").text
    answers = {"platform": "bluesky", "staff_id": cast.owner.id, "purpose": "News.", "reason": "Only views."}
    done = head.post("/public-accounts/allow", data=answers, follow_redirects=True)
    assert "May be asked for" in done.text
    assert "Only views." in done.text
    form = form_of(cast, platform="bluesky", handle_wished="trip.bsky.social")
    account = accounts.request_account(home, cast.owner, form, now=NOW)
    shown = head.get("/public-accounts/").text
    assert "In use" in shown
    assert f"/accounts/{account.id}" in shown
    assert head.post(f"/public-accounts/{allowances(home.db)[0].id}/end").status_code == 409


def test_the_head_takes_one_back(home: Home, cast: Cast, browse: Browse) -> None:
    allowance, head = allowed(home, cast, "bluesky"), browse(cast.head)
    assert allowance.reason in head.get(f"/public-accounts/{allowance.id}/end").text
    done = head.post(f"/public-accounts/{allowance.id}/end", follow_redirects=True)
    assert "Taken back" in done.text


def test_what_is_missing_is_said_at_its_field(cast: Cast, browse: Browse) -> None:
    answer = browse(cast.head).post("/public-accounts/allow", data={})
    assert answer.status_code == 422
    for words in ("Choose the platform", "Choose who may ask", "Enter what it is for", "Give your reason"):
        assert words in answer.text


def test_a_teacher_reads_why_at_the_first_question(cast: Cast, browse: Browse) -> None:
    teacher = browse(cast.owner)
    assert "only where the head has allowed a public one" in teacher.get("/request/platform").text
    answer = teacher.post("/request/platform", data={"platform": "bluesky"})
    assert answer.status_code == 422
    assert "Bluesky has no private accounts" in answer.text
    assert teacher.post("/request/platform", data={"platform": "instagram"}).status_code == 302


def test_a_teacher_with_the_permission_goes_on(home: Home, cast: Cast, browse: Browse) -> None:
    allowed(home, cast, "bluesky")
    teacher = browse(cast.owner)
    page = teacher.get("/request/platform").text
    assert "the head has allowed you a public one" in page
    assert teacher.post("/request/platform", data={"platform": "bluesky"}).status_code == 302
