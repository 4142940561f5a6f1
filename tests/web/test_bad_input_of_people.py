"""Whatever is typed into the forms of people, audience, followers and posts: a clear answer, never a fault of ours."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from factories import NOW, staff
from flask.testing import FlaskClient
from people_school import carer, permit, photo, pupil, trip

from socialgov.actions.audience import set_audience
from socialgov.actions.followers import add_follower_by_hand
from socialgov.actions.posts import add_photo, draft_post
from socialgov.home import Home
from socialgov.models import Role, Staff

NASTY = (
    "", " ", "0", "-1", "1.5", "99999999999999999999", "9" * 400, "\x00", "\x07bell", "'; drop table person --",
    "<script>alert(1)</script>", "{{ 7*7 }}", "=cmd|' /C calc'!A0", "\u202eabc", "\U0001f389" * 200, "x" * 30_000, "١٢",
    "None", "true", "../../etc/passwd", "%00", "a\r\nSet-Cookie: x=1",
)  # fmt: skip
DAY = ("given_on-day", "given_on-month", "given_on-year")
WHO = ("do", "q", "shown", "named", "people_in_picture", "nobody_identifiable")
FIELDS = {
    "/people/{child}/permission": ("use", "answer", "given_by", "account_id", "basis", *DAY),
    "/accounts/{account}/audience/pupils": ("on_page", "pupils"),
    "/accounts/{account}/audience/staff": ("person_id",),
    "/accounts/{account}/followers/add": ("handle", "name"),
    "/accounts/{account}/followers/{follower}/accept": ("person_id", "how", "q"),
    "/accounts/{account}/followers/{follower}/refuse": ("reason",),
    "/accounts/{account}/posts/new": ("text",),
    "/accounts/{account}/posts/{post}/text": ("text",),
    "/accounts/{account}/posts/{post}/who": WHO,
    "/accounts/{account}/posts/{post}/confirm": ("permanence", "credit", "own_work"),
    "/accounts/{account}/posts/{post}/second-look": ("verdict", "reason"),
}


@pytest.mark.parametrize("path", FIELDS)
def test_nothing_typed_into_a_form_is_a_fault_of_ours(
    home: Home, browse: Callable[[Staff], FlaskClient], path: str
) -> None:
    owner = staff(home, Role.TEACHER, Role.DATA_MANAGER)
    account, child = trip(home, owner), pupil(home)
    carer(home, "Mary", "Lee", of=[child])
    permit(home, child)
    set_audience(home, owner, account.id, [child.id], now=NOW)
    follower = add_follower_by_hand(home, owner, account.id, "mary", "", now=NOW)
    post = draft_post(home, owner, account.id, "Words", now=NOW)
    add_photo(home, owner, post.id, photo(), "A hill", now=NOW)
    ids = {"account": account.id, "child": child.id, "follower": follower.id, "post": post.id}
    client, fields = browse(owner), FIELDS[path]
    good = dict.fromkeys(fields, "1")
    for value in NASTY:
        for name in fields:
            answer = client.post(path.format(**ids), data={**good, name: value})
            assert answer.status_code < 500, (name, value[:40])
            assert "Traceback" not in answer.text
            assert "<script>alert(1)</script>" not in answer.text


@pytest.mark.parametrize("number", ["0", "99999999999999999999"])
@pytest.mark.parametrize(
    "path",
    [
        "/people/{n}",
        "/people/{n}/permission",
        "/people/import/people/{n}",
        "/accounts/{a}/followers/{n}",
        "/accounts/{a}/posts/{n}",
        "/accounts/{a}/posts/{n}/photos/{n}",
        "/accounts/{n}/posts",
    ],
)
def test_a_number_of_nothing_is_not_found(
    home: Home, browse: Callable[[Staff], FlaskClient], path: str, number: str
) -> None:
    owner = staff(home, Role.TEACHER, Role.DATA_MANAGER)
    account = trip(home, owner)
    assert browse(owner).get(path.format(a=account.id, n=number)).status_code == 404


@pytest.mark.parametrize("query", ["%00", "%", "_", "(", "😀", "a" * 3000, "%F0%9F%98", "'"])
def test_nothing_searched_for_is_a_fault_of_ours(
    home: Home, browse: Callable[[Staff], FlaskClient], query: str
) -> None:
    owner = staff(home, Role.TEACHER, Role.DATA_MANAGER)
    account, client = trip(home, owner), browse(owner)
    for path in ("/people/", f"/accounts/{account.id}/audience/pupils", f"/accounts/{account.id}/audience/staff"):
        assert client.get(f"{path}?q={query}").status_code == 200


@pytest.mark.parametrize("name", ["x.jpg", "../../x.jpg", "", "x\x00.jpg", "x.php", "ü.jpg"])
def test_the_name_of_a_file_means_nothing(home: Home, browse: Callable[[Staff], FlaskClient], name: str) -> None:
    owner = staff(home)
    account = trip(home, owner)
    post = draft_post(home, owner, account.id, "Words", now=NOW)
    sent = {"photo": (io.BytesIO(photo()), name), "alt": "A hill"}
    answer = browse(owner).post(
        f"/accounts/{account.id}/posts/{post.id}/photo", data=sent, content_type="multipart/form-data"
    )
    assert answer.status_code in (302, 422)
    assert list(home.path.rglob("*.php")) == []
