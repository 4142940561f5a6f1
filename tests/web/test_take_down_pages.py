"""A post comes down although the platform's machine says no: a person is led to do it, and always may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from factories import NOW
from flask import Flask
from flask.testing import FlaskClient
from people_school import trip
from priced_platform import TARIFF
from publishing_platform import publishing_home
from recording_platform import Shown

from socialgov.actions.adapters import capabilities_of
from socialgov.home import Home
from socialgov.models import Account, Capability, PostState, Staff
from socialgov.platforms import LoginRefused, NotOffered, PaymentNeeded, PlatformError
from socialgov.store.connect import insert, write
from socialgov.store.posts import post_by_id
from socialgov.store.rows import moment_text
from socialgov.store.spending import pause_of


@pytest.fixture
def shown(app: Flask, home: Home, monkeypatch: pytest.MonkeyPatch) -> Shown:
    school, shown = publishing_home(home, monkeypatch, tariff=TARIFF)
    monkeypatch.setitem(app.extensions, "socialgov", school)
    return shown


@pytest.fixture
def school(app: Flask, shown: Shown) -> Home:
    return app.extensions["socialgov"]


@pytest.fixture
def account(school: Home, teacher: Staff) -> Account:
    return trip(school, teacher)


@pytest.fixture
def post_id(school: Home, account: Account) -> int:
    """A post that is out, and was published by machine."""
    moments = {"created_at": moment_text(NOW), "published_at": moment_text(NOW)}
    post = {"account_id": account.id, "author_id": account.owner_id, "text": "Boats", "remote_id": "p1"}
    with write(school.db) as db:
        return insert(db, "post", {**post, **moments, "state": "published"})


@pytest.mark.parametrize(
    "error",
    [
        NotOffered("Instagram", Capability.DELETE_POST),
        PaymentNeeded("Instagram"),
        LoginRefused("Instagram does not let socialgov in.", of_token=True),
        PlatformError("Instagram has a fault of its own (503).", permanent=False, mend="It is tried again later."),
    ],
)
def test_a_refusal_leads_to_taking_it_down_by_hand(
    school: Home,
    account: Account,
    post_id: int,
    teacher: Staff,
    shown: Shown,
    browse: Callable[[Staff], FlaskClient],
    error: PlatformError,
) -> None:
    client, base = browse(teacher), f"/accounts/{account.id}/posts/{post_id}"
    shown.failing["delete_post"] = error
    answer = client.post(f"{base}/remove")
    assert answer.location == f"{base}/removed"
    page = client.get(answer.location).text
    assert error.message in page and "take the post down yourself" in page
    assert post_by_id(school.db, post_id).state is PostState.PUBLISHED
    assert client.post(f"{base}/removed").status_code == 302
    assert post_by_id(school.db, post_id).state is PostState.REMOVED


def test_what_is_not_offered_is_a_persons_from_then_on_and_a_wish_for_payment_stops_all_asking(
    school: Home, account: Account, post_id: int, teacher: Staff, shown: Shown, browse: Callable[[Staff], FlaskClient]
) -> None:
    client, base = browse(teacher), f"/accounts/{account.id}/posts/{post_id}"
    shown.failing["delete_post"] = PaymentNeeded("Instagram")
    client.post(f"{base}/remove")
    assert pause_of(school.db, "instagram", NOW) is not None
    shown.failing["delete_post"] = NotOffered("Instagram", Capability.DELETE_POST)
    client.post(f"{base}/remove")
    assert Capability.DELETE_POST not in capabilities_of(school, account)


def test_whoever_took_it_down_already_says_so_without_pressing_the_machines_button(
    account: Account, post_id: int, teacher: Staff, shown: Shown, browse: Callable[[Staff], FlaskClient]
) -> None:
    base = f"/accounts/{account.id}/posts/{post_id}"
    assert f'href="{base}/removed"' in browse(teacher).get(f"{base}/remove").text
    assert shown.asked == []
