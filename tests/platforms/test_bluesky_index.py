"""What only an index tells, against whatever it may say: followers to the last page, counts, moderators' marks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fake_bluesky import DID, INFO_BLUESKY, OTHER, Server, records, refusal
from hypothesis import given
from hypothesis import strategies as st
from networks import Recorded

from socialgov.platforms import Counts, PlatformError
from socialgov.platforms.bluesky_index import TAKEN_DOWN, UNREADABLE, Index, marks_in

INFO_INDEX = replace(INFO_BLUESKY, index_base="https://index.test")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MODERATORS = "did:plc:moderatorsmoderators22"


def index(answer: Any) -> Index:
    def say(request: httpx.Request) -> httpx.Response:
        made = answer(request) if callable(answer) else answer
        return made if isinstance(made, httpx.Response) else httpx.Response(200, json=made)

    return Index(INFO_INDEX, transport=Recorded(say))


def page(*followers: Any, subject: str = DID, **more: Any) -> dict[str, Any]:
    return {"subject": {"did": subject, "handle": "trip.test"}, "followers": list(followers), **more}


def test_each_follower_counts_once_and_by_their_lasting_identity() -> None:
    def pages(request: httpx.Request) -> dict[str, Any]:
        first = page({"did": "did:plc:a", "handle": "a.test", "displayName": "A"}, cursor="2")
        second = page({"did": "did:plc:a", "handle": "a.test"}, {"did": "did:web:b.test", "handle": "handle.invalid"})
        return second if "cursor" in request.url.params else first

    told = index(pages).followers(DID)
    assert [(one.remote_id, one.handle, one.waiting) for one in told] == [
        ("did:plc:a", "a.test", False),
        ("did:web:b.test", "did:web:b.test", False),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        page(subject=OTHER),
        {"followers": []},
        page(7),
        page({"handle": "a.test"}),
        page({"did": 5}),
        page(cursor="always the same"),
        page(cursor=5),
        {"subject": {"did": DID}},
        {"subject": {"did": DID}, "followers": {}},
        httpx.Response(200, html="<html></html>"),
        httpx.Response(502),
        refusal(400, "InvalidRequest"),
        refusal(400, "AccountDeactivated"),
        refusal(401, "AuthMissing"),
    ],
)
def test_a_list_that_is_not_whole_or_about_another_is_never_told(answer: Any) -> None:
    with pytest.raises(PlatformError, match="index"):
        index(answer).followers(DID)


def test_a_list_whose_second_page_fails_is_never_told() -> None:
    def pages(request: httpx.Request) -> Any:
        more = page({"did": "did:plc:a"}, cursor="2")
        return httpx.Response(503) if "cursor" in request.url.params else more

    with pytest.raises(PlatformError):
        index(pages).followers(DID)


def test_an_account_that_it_does_not_know_yet_is_asked_for_again() -> None:
    with pytest.raises(PlatformError, match="does not know the account yet") as caught:
        index(refusal(400, "InvalidRequest")).followers(DID)
    assert caught.value.permanent is False


# ---- counts and marks


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"did": DID, "followersCount": 3, "followsCount": 0, "postsCount": 9}, (Counts(3, 0, posts=9), ())),
        ({"did": DID, "followersCount": True, "followsCount": -1, "labels": 4}, (Counts(), None)),
        ({"did": OTHER, "followersCount": 3}, (None, None)),
        ({}, (None, None)),
        (refusal(400, "AccountTakedown"), (None, (TAKEN_DOWN,))),
        (refusal(400, "AccountDeactivated"), (None, None)),
        (httpx.Response(503), (None, None)),
        (httpx.Response(429), (None, None)),
        (httpx.Response(200, html="<html></html>"), (None, None)),
    ],
)
def test_a_face_is_what_the_index_says_of_this_account_and_never_an_error(answer: Any, told: Any) -> None:
    assert index(answer).face(DID) == told


def label(word: Any = "spam", **more: Any) -> dict[str, Any]:
    return {"src": MODERATORS, "uri": DID, "val": word, "cts": "2026-03-01T09:00:00.000Z", **more}


@pytest.mark.parametrize(
    ("labels", "marks"),
    [
        ([label(), label("!warn"), label()], ("!warn", "spam")),
        ([label(uri=f"at://{DID}/app.bsky.actor.profile/self")], ("spam",)),
        ([label(src=DID)], ()),
        ([label(neg=True)], ()),
        ([label(uri=OTHER)], ()),
        ([label(exp="2026-03-02T08:59:59.000Z")], ()),
        ([label(exp="2026-03-02T09:00:01.000Z")], ("spam",)),
        ([label(exp="some day")], ("spam",)),
        ([label("Ring the teacher at home"), label(7), label("x" * 200)], (UNREADABLE,)),
        ([7, None], ()),
    ],
)
def test_a_mark_counts_where_moderators_made_it_and_have_not_taken_it_back(labels: Any, marks: Any) -> None:
    assert marks_in({"labels": labels}, DID, NOW) == marks


label_like = st.dictionaries(
    st.sampled_from(["src", "uri", "val", "neg", "exp"]), st.none() | st.text() | st.booleans()
)


@given(st.lists(label_like))
def test_marks_are_always_words_that_can_be_shown_and_logged(labels: list[dict[str, Any]]) -> None:
    marks = marks_in({"labels": labels}, DID, NOW)
    assert marks is not None
    assert all(mark.isascii() and len(mark) <= 65 and " " not in mark for mark in marks)


# ---- in the adapter


def test_the_index_is_asked_as_a_stranger_asks() -> None:
    server = Server({"getProfile": {"did": DID, "followersCount": 3, "labels": [label()]}})
    keeper = server.adapter()
    keeper.info = INFO_INDEX
    profile = keeper.profile()
    assert (profile.counts, profile.labels) == (Counts(followers=3), ("spam",))
    (asked,) = (request for request in server.network.asked if request.url.host == "index.test")
    assert "authorization" not in asked.headers


def test_a_picture_is_set_only_in_the_state_of_the_profile_that_was_read() -> None:
    server = Server({"getRecord": {"cid": "bafy", "value": {"displayName": "Trip", "unheard": {"of": 1}}}})
    server.adapter().set_picture(b"png", "image/png")
    body = server.body("putRecord")
    assert (body["swapRecord"], body["rkey"]) == ("bafy", "self")
    assert (body["record"]["displayName"], body["record"]["unheard"]) == ("Trip", {"of": 1})
    changed = Server({"getRecord": {"cid": "bafy", "value": {}}, "putRecord": refusal(400, "InvalidSwap")})
    with pytest.raises(PlatformError, match="changed meanwhile"):
        changed.adapter().set_picture(b"png", "image/png")
    untold = Server({"getRecord": {"value": {}}})
    with pytest.raises(PlatformError):
        untold.adapter().set_picture(b"png", "image/png")
    assert "putRecord" not in untold.asked()


def test_everything_that_likes_the_same_post_is_taken_back() -> None:
    theirs = f"at://{OTHER}/app.bsky.feed.post/1"
    liked = records("app.bsky.feed.like", *({"subject": {"uri": uri}} for uri in (theirs, theirs, "at://x/y/z")))
    server = Server({"listRecords": liked})
    server.adapter().undo_like(theirs)
    assert server.asked().count("deleteRecord") == 2
    server.adapter().undo_follow("did:plc:nobody")
    assert server.asked().count("deleteRecord") == 2
