"""The pages of posts, as a teacher on a phone uses them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from closing_school import events
from factories import NOW, staff
from flask.testing import FlaskClient
from people_school import carer, permit, photo, pupil, trip

from socialgov.actions.audience import set_audience
from socialgov.actions.posts import add_photo, draft_post
from socialgov.home import Home
from socialgov.models import Account, Answer, Person, PostState, Role, Staff
from socialgov.store.posts import depictions_of, media_of, post_by_id, posts_of

Browse = Callable[[Staff], FlaskClient]


@pytest.fixture
def account(home: Home, teacher: Staff) -> Account:
    return trip(home, teacher)


@pytest.fixture
def child(home: Home, teacher: Staff, account: Account) -> Person:
    one = pupil(home, "Ann", "Lee")
    carer(home, "Mary", "Lee", of=[one])
    set_audience(home, teacher, account.id, [one.id], now=NOW)
    return one


def draft(home: Home, owner: Staff, account: Account, text: str = "We reached the top.") -> int:
    post = draft_post(home, owner, account.id, text, now=NOW)
    add_photo(home, owner, post.id, photo(), "A class on a hill", now=NOW)
    return post.id


def answers(child: Person | None = None, **more: Any) -> dict[str, Any]:
    shown = [child.id] if child else []
    return {"do": "save", "shown": shown, "people_in_picture": str(len(shown)), **more}


CONFIRMED = {"permanence": "y", "school_equipment": "y", "own_work": "y"}


def test_a_teacher_writes_a_post_step_by_step(
    home: Home, teacher: Staff, account: Account, child: Person, browse: Browse
) -> None:
    client, base = browse(teacher), f"/accounts/{account.id}/posts"
    permit(home, child)
    answer = client.post(f"{base}/new", data={"text": "We reached the top."})
    post = posts_of(home.db, account.id)[0]
    assert answer.location == f"{base}/{post.id}/photo"
    sent = {"photo": (io.BytesIO(photo()), "IMG_1.JPG"), "alt": "A class on a hill"}
    answer = client.post(answer.location, data=sent, content_type="multipart/form-data")
    assert answer.location == f"{base}/{post.id}/who"
    page = client.get(answer.location).text
    assert "Ann Lee (9B)" in page
    assert client.post(answer.location, data=answers(child)).status_code == 302
    assert client.post(f"{base}/{post.id}/confirm", data=CONFIRMED).status_code == 302
    page = client.get(f"{base}/{post.id}").text
    assert "Only a colleague" in page and "keeps it from going out" not in page
    second_look = page.partition('id="MED506"')[2]
    assert "To do" in second_look.partition("MED507")[0] and "Broken" not in second_look.partition("MED507")[0]
    shown = depictions_of(home.db, [post.id])
    assert [one.person.id for one in shown] == [child.id]


def test_a_change_says_that_the_post_must_be_confirmed_once_more(
    home: Home, teacher: Staff, account: Account, browse: Browse
) -> None:
    client, url = browse(teacher), f"/accounts/{account.id}/posts/{draft(home, teacher, account)}"
    said = "The post has changed, so confirm it once more"
    client.post(f"{url}/text", data={"text": "We reached the lake."})
    assert said not in client.get(url).text  # nothing was confirmed yet
    client.post(f"{url}/confirm", data=CONFIRMED)
    client.post(f"{url}/text", data={"text": "We reached the top at noon."})
    assert said in client.get(url).text
    client.post(f"{url}/confirm", data=CONFIRMED)
    client.post(f"{url}/who", data={"do": "save", "people_in_picture": "0", "nobody_identifiable": "y"})
    assert said in client.get(url).text


def test_a_refusal_names_the_child_and_the_reason_to_the_keeper_only(
    home: Home, teacher: Staff, manager: Staff, account: Account, child: Person, browse: Browse
) -> None:
    post_id = draft(home, teacher, account)
    client = browse(teacher)
    client.post(f"/accounts/{account.id}/posts/{post_id}/who", data=answers(child))
    client.post(f"/accounts/{account.id}/posts/{post_id}/confirm", data=CONFIRMED)
    answer = client.post(f"/accounts/{account.id}/posts/{post_id}/publish")
    assert answer.status_code == 409
    assert "No parent or carer of Ann Lee has permitted this (photo)." in answer.text
    page = browse(manager).get(f"/accounts/{account.id}/posts/{post_id}").text
    assert "Ann Lee" not in page
    for event in events(home, "post:gate:refused"):
        assert "Ann" not in event["data"]


def test_a_search_keeps_what_was_ticked_and_saves_nothing(
    home: Home, teacher: Staff, account: Account, child: Person, browse: Browse
) -> None:
    other = pupil(home, "Zoë", "Quill")
    post_id = draft(home, teacher, account)
    page = browse(teacher).post(
        f"/accounts/{account.id}/posts/{post_id}/who",
        data={"do": "search", "q": "zoe qui", "shown": [child.id], "people_in_picture": "2"},
    )
    assert page.status_code == 200
    assert f'value="{child.id}"' in page.text and f'value="{other.id}"' in page.text
    assert page.text.count("checked") == 1
    assert depictions_of(home.db, [post_id]) == []


def test_a_file_that_is_no_photo_comes_back_with_a_sentence(
    home: Home, teacher: Staff, account: Account, browse: Browse
) -> None:
    post = draft_post(home, teacher, account.id, "Words", now=NOW)
    sent = {"photo": (io.BytesIO(b"GIF89a..."), "x.gif"), "alt": "A hill"}
    answer = browse(teacher).post(
        f"/accounts/{account.id}/posts/{post.id}/photo", data=sent, content_type="multipart/form-data"
    )
    assert answer.status_code == 422
    assert "This file is not a photo that can be read." in answer.text
    assert media_of(home.db, post.id) == []


def test_a_photo_is_shown_to_those_who_may_and_each_look_is_logged(
    home: Home, teacher: Staff, head: Staff, account: Account, browse: Browse
) -> None:
    post_id = draft(home, teacher, account)
    media = media_of(home.db, post_id)[0]
    url = f"/accounts/{account.id}/posts/{post_id}/photos/{media.id}"
    answer = browse(head).get(url)
    assert answer.mimetype == "image/jpeg" and answer.headers["Cache-Control"] == "no-store"
    assert [event["actor"] for event in events(home, "post:media:seen")] == [f"staff:{head.id}"]
    assert browse(staff(home)).get(url).status_code == 403
    assert browse(staff(home, Role.GOVERNOR)).get(url).status_code == 403
    assert len(events(home, "post:media:seen")) == 1


def test_a_platform_that_takes_no_posts_gets_the_post_from_a_person(
    home: Home, teacher: Staff, account: Account, child: Person, browse: Browse
) -> None:
    permit(home, child)
    post_id, client = draft(home, teacher, account), browse(teacher)
    base = f"/accounts/{account.id}/posts/{post_id}"
    client.post(f"{base}/who", data=answers(child))
    client.post(f"{base}/confirm", data=CONFIRMED)
    if home.settings.policy.second_checker:
        client.post(f"{base}/submit")
        colleague = staff(home)
        looking = browse(colleague)
        assert "Ann Lee" in looking.get(f"{base}/second-look").text
        assert client.get(f"{base}/second-look").status_code == 403
        assert "Say whether it may go out." in looking.post(f"{base}/second-look", data={}).text
        assert looking.post(f"{base}/second-look", data={"verdict": "no"}).status_code == 422
        answer = looking.post(f"{base}/second-look", data={"verdict": "yes"})
        assert answer.status_code == 302
    answer = client.post(f"{base}/publish")
    assert answer.location == f"{base}/hand-over"
    page = client.get(answer.location).text
    assert "We reached the top." in page and "download=1" in page
    assert client.post(f"{base}/hand-over", data={"link": ""}).status_code == 422
    assert client.post(f"{base}/hand-over", data={"link": "javascript:alert(1)"}).status_code == 422
    assert client.post(f"{base}/hand-over", data={"link": "https://instagram.example/p/1"}).status_code == 302
    assert post_by_id(home.db, post_id).state is PostState.PUBLISHED
    assert client.post(f"{base}/remove").location == f"{base}/removed"
    sent = {"screenshot": (io.BytesIO(photo(fmt="PNG")), "page.png")}
    client.post(f"{base}/removed", data=sent, content_type="multipart/form-data")
    assert post_by_id(home.db, post_id).state is PostState.REMOVED


def test_a_post_of_another_account_is_not_found(home: Home, teacher: Staff, account: Account, browse: Browse) -> None:
    other = trip(home, teacher, handle="other", handle_wished="other")
    post_id = draft(home, teacher, account)
    client = browse(teacher)
    for page in ("", "/photo", "/confirm", "/who", "/text"):
        assert client.get(f"/accounts/{other.id}/posts/{post_id}{page}").status_code == 404


def test_what_must_come_down_is_listed_first(
    home: Home, teacher: Staff, account: Account, child: Person, browse: Browse
) -> None:
    from socialgov.actions.grants import withdraw_grant
    from socialgov.store.connect import guarded_update, write

    grant = permit(home, child)
    post_id, client = draft(home, teacher, account), browse(teacher)
    client.post(f"/accounts/{account.id}/posts/{post_id}/who", data=answers(child))
    with write(home.db) as db:
        guarded_update(db, "post", post_id, {"state": "published", "publishing_at": NOW, "published_at": NOW})
    data_manager = staff(home, Role.DATA_MANAGER)
    assert [post.id for post in withdraw_grant(home, data_manager, grant, now=NOW)] == [post_id]
    assert "must come down" in client.get(f"/accounts/{account.id}/posts").text
    page = browse(data_manager).get("/people/").text
    assert "Posts that must come down" in page and f"/posts/{post_id}" not in page
    assert Answer.WITHDRAWN.value not in client.get(f"/accounts/{account.id}/posts/{post_id}").text
