"""What X tells, as the adapter understands it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fake_x import FACE, INFO_X, ME, NEW_TOKEN, OTHER, TOKEN, FakeX, listed, missing, post, problem, user

from socialgov.models import Capability, Presence
from socialgov.platforms import PlatformError
from socialgov.platforms.x import XPlatform

TIMELINE = "GET /2/users/me-id/tweets"


def referring(kind: str, number: str = "50", key: str = "referenced_tweets") -> dict[str, Any]:
    return {key: [{"type": kind, "id": number}]}


# ---- the account


def test_the_profile_is_that_of_the_account_which_let_us_in() -> None:
    x = FakeX()
    profile = x.adapter(remote_id=None).profile()
    assert (profile.remote_id, profile.handle, profile.private) == (ME, "trip_wales", True)
    assert profile.setup_email == "trips@school.example"
    assert profile.picture == b"picture"
    assert profile.counts is not None
    assert (profile.counts.followers, profile.counts.follows, profile.counts.posts, profile.counts.likes) == (
        3,
        0,
        2,
        1,
    )


@pytest.mark.parametrize("face", [{"protected": None}, {"protected": "true"}, {"id": None}, {"id": "x/../me"}])
def test_a_profile_that_does_not_say_whether_it_is_private_is_no_profile(face: dict[str, Any]) -> None:
    x = FakeX({"GET /2/users/me": {"data": FACE | face}})
    with pytest.raises(PlatformError):
        x.adapter().profile()


def test_an_address_that_is_not_shown_to_us_is_not_told_and_the_rest_is() -> None:
    refused = {"type": "https://api.twitter.com/2/problems/not-authorized-for-field", "field": "confirmed_email"}
    face = {name: value for name, value in FACE.items() if name != "confirmed_email"}
    x = FakeX({"GET /2/users/me": {"data": face, "errors": [refused]}})
    profile = x.adapter().profile()
    assert profile.setup_email is None
    assert profile.private is True


def test_an_account_without_a_picture_is_told_apart_from_one_that_cannot_be_fetched() -> None:
    default = "https://x.test/sticky/default_profile_images/default_profile_normal.png"
    assert (
        FakeX({"GET /2/users/me": {"data": FACE | {"profile_image_url": default}}}).adapter().profile().picture == b""
    )
    lost = FakeX({"GET /profile_images/1/abc_400x400.jpg": httpx.Response(404)})
    assert lost.adapter().profile().picture is None
    assert FakeX({"GET /2/users/me": {"data": FACE | {"profile_image_url": None}}}).adapter().profile().picture is None


def test_a_picture_is_fetched_without_the_token_and_never_from_the_schools_own_network() -> None:
    x = FakeX()
    x.adapter().profile()
    assert "authorization" not in x.network.asked[-1].headers
    for inside in ("http://127.0.0.1/a_normal.jpg", "https://10.0.0.7/a.jpg", "http://elsewhere.test/a.jpg"):
        x = FakeX({"GET /2/users/me": {"data": FACE | {"profile_image_url": inside}}})
        assert x.adapter().profile().picture is None
        assert x.asked() == ["GET /2/users/me"]


# ---- is it there?


def test_an_account_is_looked_up_by_its_number_and_never_by_its_name() -> None:
    x = FakeX()
    assert x.adapter().presence() is Presence.LIVE
    assert x.query("GET /2/users") == [{"ids": ME}]
    with pytest.raises(PlatformError, match="not on record"):
        x.adapter(remote_id=None).presence()


@pytest.mark.parametrize("status", [200, 404])
def test_not_found_in_xs_own_words_is_gone_in_either_shape(status: int) -> None:
    assert FakeX({"GET /2/users": missing(status)}).adapter().presence() is Presence.GONE


@pytest.mark.parametrize(
    "answer",
    [
        missing(title="Forbidden"),
        missing(404, title="Forbidden"),
        httpx.Response(404, json={}),
        httpx.Response(404, text="<html>not found</html>"),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"data": []}),
        httpx.Response(200, json={"data": [user(OTHER)]}),
        httpx.Response(200, json={"data": {"id": ME}}),
        problem(403, "not-authorized-for-resource", "Authorization Error"),
    ],
)
def test_anything_else_never_says_that_an_account_is_gone(answer: httpx.Response) -> None:
    with pytest.raises(PlatformError):
        FakeX({"GET /2/users": answer}).adapter().presence()


# ---- lists


def test_followers_are_read_page_after_page_and_each_counted_once() -> None:
    pages = {None: listed(user("1"), user("2"), following="b"), "b": listed(user("2"), following="c"), "c": listed()}
    x = FakeX({"GET /2/users/me-id/followers": lambda request: pages[request.url.params.get("pagination_token")]})
    assert [one.remote_id for one in x.adapter().followers()] == ["1", "2"]


def test_a_page_is_no_larger_than_the_counts_let_us_expect_for_it_is_paid_for_in_advance() -> None:
    x = FakeX()
    x.adapter().followers()
    adapter = x.adapter()
    adapter.profile()
    adapter.followers()
    adapter.likes()
    assert x.query("GET /2/users/me-id/followers") == [{"max_results": "200"}, {"max_results": "8"}]
    assert x.query("GET /2/users/me-id/liked_tweets") == [{"max_results": "6"}]


def test_a_page_is_no_larger_than_can_be_paid_for_and_no_smaller_than_x_gives() -> None:
    x = FakeX()
    x.meter.room = lambda call, items: 2  # type: ignore[method-assign]
    x.adapter().followers()
    x.adapter().likes()
    assert x.query("GET /2/users/me-id/followers") == [{"max_results": "2"}]
    assert x.query("GET /2/users/me-id/liked_tweets") == [{"max_results": "5"}]


def test_a_profile_that_was_read_in_the_same_job_is_not_paid_for_again() -> None:
    x = FakeX()
    adapter = x.adapter()
    adapter.profile()
    adapter.followers()
    adapter.likes()
    assert x.asked().count("GET /2/users/me") == 1


@pytest.mark.parametrize(
    "page",
    [
        {"data": [user("1")], "meta": {"result_count": 2}},
        {"meta": {"result_count": 1}},
        {"data": [user("1")]},
        {},
        {"data": {"id": "1"}, "meta": {"result_count": 1}},
        {"data": [{"username": "x"}], "meta": {"result_count": 1}},
        listed(user("1")) | {"errors": [{"type": "about:blank", "title": "Something"}]},
        listed(user("1"), following="again"),
        listed(user("1")) | {"meta": {"result_count": 1, "next_token": 7}},
    ],
)
@pytest.mark.parametrize("method", ["followers", "follows", "likes"])
def test_a_list_that_is_not_whole_is_no_list(page: dict[str, Any], method: str) -> None:
    name = {"followers": "followers", "follows": "following", "likes": "liked_tweets"}[method]
    x = FakeX({f"GET /2/users/me-id/{name}": page})
    with pytest.raises(PlatformError):
        getattr(x.adapter(), method)()


def test_likes_and_follows_are_told_by_number() -> None:
    x = FakeX(
        {
            "GET /2/users/me-id/liked_tweets": listed({"id": "7", "text": "A"}, {"id": "8", "text": "B"}),
            "GET /2/users/me-id/following": listed(user(OTHER)),
        }
    )
    assert x.adapter().likes() == ["7", "8"]
    assert x.adapter().follows() == [OTHER]


# ---- the timeline, in both vocabularies


@pytest.mark.parametrize("key", ["referenced_tweets", "referenced_posts"])
@pytest.mark.parametrize("repost", ["retweeted", "reposted"])
def test_posts_replies_reposts_and_quotes_are_told_apart(key: str, repost: str) -> None:
    said = listed(
        post("1", "Boats &amp; trains"),
        post("2", in_reply_to_user_id=OTHER, **referring("replied_to", key=key)),
        post("3", in_reply_to_user_id=ME, **referring("replied_to", "1", key=key)),
        post("4", "RT @x: y", **referring(repost, key=key)),
        post("5", **referring("quoted", key=key)),
    )
    adapter = FakeX({TIMELINE: said}).adapter()
    assert [one.remote_id for one in adapter.posts()] == ["1", "2", "3", "5"]
    assert adapter.posts()[0].text == "Boats & trains"
    assert adapter.conversations() == ["2"]
    assert adapter.shares() == ["4", "5"]


def test_where_x_does_not_say_whom_a_reply_answers_only_an_own_post_clears_it() -> None:
    said = listed(post("1"), post("2", **referring("replied_to", "1")), post("3", **referring("replied_to", "999")))
    assert FakeX({TIMELINE: said}).adapter().conversations() == ["3"]


def test_a_reference_of_a_new_kind_is_taken_for_a_share_so_that_a_person_looks() -> None:
    adapter = FakeX({TIMELINE: listed(post("1", **referring("remixed")))}).adapter()
    assert adapter.shares() == ["1"]
    assert [one.remote_id for one in adapter.posts()] == ["1"]


def test_the_newer_field_names_are_used_where_the_older_are_refused_and_remembered() -> None:
    def answer(request: httpx.Request) -> Any:
        if "tweet.fields" in request.url.params:
            return problem(400, "invalid-request", "Invalid Request", errors=[{"parameters": {"tweet.fields": ["x"]}}])
        return listed(post("1", at="2026-03-02T08:30:00Z", **referring("quoted", key="referenced_posts")))

    x = FakeX({TIMELINE: answer})
    assert x.adapter().shares() == ["1"]
    assert x.adapter().shares() == ["1"]
    assert [("post.fields" in query, query.get("expansions")) for query in x.query(TIMELINE)] == [
        (False, None),
        (True, "referenced_posts"),
        (True, "referenced_posts"),
    ]


def test_fields_that_are_passed_over_in_silence_are_asked_for_in_the_other_words() -> None:
    """Without its references a repost would pass for a post of its own."""

    def answer(request: httpx.Request) -> Any:
        bare = {"id": "1", "text": "RT @x: y"}
        whole = post("1", **referring("reposted", key="referenced_posts"))
        return listed(whole if "post.fields" in request.url.params else bare)

    assert FakeX({TIMELINE: answer}).adapter().shares() == ["1"]


def test_what_is_refused_in_both_vocabularies_is_refused() -> None:
    x = FakeX({TIMELINE: problem(400, "invalid-request", "Invalid Request")})
    with pytest.raises(PlatformError, match="refused"):
        x.adapter().posts()
    assert len(x.query(TIMELINE)) == 2


def test_what_an_expansion_lacks_does_not_make_the_timeline_less_whole() -> None:
    lacks = {"parameter": "referenced_posts", "title": "Not Found Error"}

    def answer(request: httpx.Request) -> Any:
        if "tweet.fields" in request.url.params:
            return problem(400)
        return listed(post("1", **referring("reposted", key="referenced_posts"))) | {"errors": [lacks]}

    assert FakeX({TIMELINE: answer}).adapter().shares() == ["1"]


def test_a_timeline_that_may_have_been_cut_at_the_longest_x_shows_is_not_whole() -> None:
    def answer(request: httpx.Request) -> Any:
        start = int(request.url.params.get("pagination_token", "0"))
        page = [post(str(number)) for number in range(start + 1, start + 101)]
        return listed(*page, following="" if start == 3100 else str(start + 100))

    with pytest.raises(PlatformError, match="newest 3200"):
        FakeX({TIMELINE: answer}).adapter().posts()


# ---- what it is


def test_it_declares_nothing_that_x_does_not_offer() -> None:
    for never in (
        Capability.SET_PRIVATE,
        Capability.REMOVE_FOLLOWER,
        Capability.ACCEPT_FOLLOWER,
        Capability.CHANGE_PASSWORD,
        Capability.DEACTIVATE,
        Capability.DELETE,
        Capability.CHECK_LOGIN,
        Capability.MAKE_TOKEN,
    ):
        assert never not in XPlatform.capabilities


def test_without_a_connection_it_says_what_to_do() -> None:
    with pytest.raises(PlatformError, match="not connected") as refused:
        FakeX().adapter(connected=False).profile()
    assert "Connect it" in refused.value.mend


def test_every_request_goes_to_the_schools_address_with_the_token_of_the_moment() -> None:
    x = FakeX()
    x.adapter().profile()
    assert x.network.asked[0].url.host == "x.test"
    assert x.network.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert NEW_TOKEN not in str(x.network.asked[0].headers)
    assert INFO_X.api_base == "https://x.test"
