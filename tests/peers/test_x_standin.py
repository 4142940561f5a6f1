"""The stand-in for X keeps to what X is known to do, so that what passes against it was not made easy."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from networks import Clock
from peers.x_standin import Refusal, StandIn, standing_in
from served_school import photo_with_place
from visitor import Visitor
from x_caller import EVERYTHING, Caller


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["tweet", "post"])
def vocabulary(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def x(clock: Clock, vocabulary: str) -> Iterator[StandIn]:
    with standing_in(clock, vocabulary) as x:
        yield x


@pytest.fixture
def old(clock: Clock) -> Iterator[StandIn]:
    """In the older vocabulary, for what is the same in both."""
    with standing_in(clock) as x:
        yield x


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def calling(http: httpx.Client) -> Callable[..., Caller]:
    def caller(x: StandIn, name: str = "trip_wales", scopes: str = EVERYTHING) -> Caller:
        user = x.world.anybody(name)
        return Caller(x, http, x.doors.give(user.id, scopes).access, user)

    return caller


def test_a_parameter_of_the_other_vocabulary_is_refused(x: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(x)
    path = f"/2/users/{trip.user.id}/tweets"
    assert trip("GET", path, **{x.words.fields: "created_at"}).status_code == 200
    other = {"tweet": "post.fields", "post": "tweet.fields"}[x.words.key]
    refused = trip("GET", path, **{other: "created_at"})
    assert refused.status_code == 400
    assert "is not one of" in refused.json()["errors"][0]["message"]


def test_what_a_post_refers_to_comes_in_the_words_of_the_question(x: StandIn, calling: Callable[..., Caller]) -> None:
    """In the newer words a field that only an expansion brings is taken in silence, and not served."""
    trip = calling(x)
    stranger = x.world.anybody("stranger")
    theirs = x.world.post(stranger, "Good morning")
    x.world.repost(trip.user, theirs)
    x.world.post(trip.user, "No", answers=theirs)
    path, referenced = f"/2/users/{trip.user.id}/tweets", x.words.referenced
    by_field = trip.get(path, **{x.words.fields: f"{referenced},author_id"})["data"]
    expansion = {"tweet": "referenced_tweets.id", "post": "referenced_posts"}[x.words.key]
    by_expansion = trip.get(path, expansions=f"{expansion},in_reply_to_user_id")
    reply, repost = by_expansion["data"]
    assert repost[referenced] == [{"type": "retweeted", "id": theirs.id}]
    assert reply["in_reply_to_user_id"] == stranger.id
    assert [one["id"] for one in by_expansion["includes"][x.words.includes]] == [theirs.id]
    assert all((referenced in post) is (x.words.key == "tweet") for post in by_field)
    assert all(x.words.history in post for post in by_field)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/2/users/me", {"max_results": "5"}),
        ("/2/users/me", {"user.fields": "protected,shoe_size"}),
        ("/2/users/{id}/tweets", {"max_results": "4"}),
        ("/2/users/{id}/tweets", {"max_results": "101"}),
        ("/2/users/{id}/liked_tweets", {"max_results": "4"}),
        ("/2/users/{id}/followers", {"max_results": "1001"}),
        ("/2/users/{id}/followers", {"pagination_token": "made-up"}),
        ("/2/users/trip_wales/followers", {}),
        ("/2/users", {"ids": ",".join(map(str, range(101)))}),
        ("/2/users", {}),
        ("/2/users/by/username/far_too_long_for_a_name", {}),
    ],
)
def test_what_is_not_in_its_description_is_refused(
    old: StandIn, calling: Callable[..., Caller], path: str, query: dict[str, str]
) -> None:
    trip = calling(old)
    assert trip("GET", path.replace("{id}", trip.user.id), **query).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"text": "Hello", "colour": "blue"},
        {"text": 1},
        {},
        {"text": "Hello", "media": {"media_ids": []}},
        {"text": "Hello", "media": {"media_ids": ["1"]}},
        {"text": "Hello", "media": {"media_ids": ["1"], "alt": "A boat"}},
    ],
)
def test_a_body_with_something_else_in_it_is_refused(
    old: StandIn, calling: Callable[..., Caller], body: dict[str, Any]
) -> None:
    trip = calling(old)
    assert trip("POST", "/2/tweets", json=body).status_code == 400
    assert not old.world.posts


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/2/users/{id}/followers", "follows.read"),
        ("GET", "/2/users/{id}/following", "follows.read"),
        ("GET", "/2/users/{id}/liked_tweets", "like.read"),
        ("POST", "/2/tweets", "tweet.write"),
        ("DELETE", "/2/tweets/1", "tweet.write"),
        ("DELETE", "/2/users/{id}/likes/1", "like.write"),
        ("DELETE", "/2/users/{id}/following/1", "follows.write"),
        ("DELETE", "/2/users/{id}/retweets/1", "tweet.write"),
        ("POST", "/2/media/upload/initialize", "media.write"),
    ],
)
def test_a_scope_too_few_is_refused(
    old: StandIn, calling: Callable[..., Caller], method: str, path: str, scope: str
) -> None:
    lacking = " ".join(set(EVERYTHING.split()) - {scope})
    trip = calling(old, scopes=lacking)
    reply = trip(method, path.replace("{id}", trip.user.id), json={"text": "Hi"} if method == "POST" else None)
    assert (reply.status_code, reply.json()["title"]) == (403, "Forbidden")


def test_a_limit_ends_with_its_quarter_of_an_hour(old: StandIn, clock: Clock, calling: Callable[..., Caller]) -> None:
    trip, other = calling(old), calling(old, "other")
    for left in range(74, -1, -1):
        assert trip("GET", "/2/users/me").headers["x-rate-limit-remaining"] == str(left)
    over = trip("GET", "/2/users/me")
    assert (over.status_code, over.headers["x-rate-limit-remaining"]) == (429, "0")
    assert int(over.headers["x-rate-limit-reset"]) == int(clock.now.timestamp()) + 900
    assert other("GET", "/2/users/me").status_code == 200, "each account has its own"
    clock.pass_days(15 / 24 / 60)
    assert trip("GET", "/2/users/me").status_code == 200


def test_pages_lead_to_each_other_and_one_may_be_short(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(old)
    for number in range(5):
        old.world.follow(f"parent{number}", trip.user)
    old.world.anybody("parent3").suspended = True
    path = f"/2/users/{trip.user.id}/followers"
    first = trip.get(path, max_results="2")
    second = trip.get(path, max_results="2", pagination_token=first["meta"]["next_token"])
    third = trip.get(path, max_results="2", pagination_token=second["meta"]["next_token"])
    names = [[one["username"] for one in page["data"]] for page in (first, second, third)]
    assert names == [["parent4"], ["parent2", "parent1"], ["parent0"]]
    assert third["meta"] == {"result_count": 1}
    assert trip.get(f"/2/users/{trip.user.id}/following") == {"meta": {"result_count": 0}}
    elsewhere = trip("GET", f"/2/users/{trip.user.id}/following", pagination_token=first["meta"]["next_token"])
    assert elsewhere.status_code == 400


def test_a_protected_account_shows_itself_and_nothing_more(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip, stranger, mother = calling(old), calling(old, "stranger"), calling(old, "mother")
    old.world.protect(trip.user)
    old.world.follow("mother", trip.user)
    old.world.accept(trip.user, mother.user)
    old.world.post(trip.user, "On the boat")
    path = f"/2/users/{trip.user.id}/tweets"
    assert trip.get(path)["meta"]["result_count"] == mother.get(path)["meta"]["result_count"] == 1
    refused = stranger.get(path)
    assert "data" not in refused
    assert refused["errors"][0]["title"] == "Authorization Error"
    assert stranger.get(f"/2/users/{trip.user.id}", user__fields="protected")["data"]["protected"] is True
    page = Visitor(old.url).open("/trip_wales").must_see("These posts are protected")
    assert not page.sees("On the boat")


def test_who_waits_is_told_to_nobody_and_public_lets_them_in(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(old)
    old.world.protect(trip.user)
    old.world.follow("stranger", trip.user)
    assert trip.get(f"/2/users/{trip.user.id}/followers")["meta"]["result_count"] == 0
    old.world.protect(trip.user, False)
    assert trip.get(f"/2/users/{trip.user.id}/followers")["data"][0]["username"] == "stranger"
    with pytest.raises(Refusal):
        old.world.accept(trip.user, trip.user)


def test_a_text_comes_back_otherwise_than_it_was_sent(x: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(x)
    sent = trip("POST", "/2/tweets", json={"text": "Boats & trains: https://school.example/trip"})
    assert sent.status_code == 201
    assert set(sent.json()["data"]) == {"id", "text", x.words.history}
    back = trip.get(f"/2/users/{trip.user.id}/tweets", **{x.words.fields: "entities,created_at"})["data"][0]
    assert back["text"].startswith("Boats &amp; trains: https://t.co/")
    assert back["entities"]["urls"][0]["expanded_url"] == "https://school.example/trip"
    assert back["created_at"] == {"tweet": "2026-03-02T09:00:00.000Z", "post": "2026-03-02T09:00:00Z"}[x.words.key]


def test_the_same_words_twice_and_too_many_words_are_refused(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(old)
    assert trip("POST", "/2/tweets", json={"text": "Hello"}).status_code == 201
    again = trip("POST", "/2/tweets", json={"text": "Hello"})
    assert (again.status_code, "duplicate" in again.json()["detail"]) == (403, True)
    assert trip("POST", "/2/tweets", json={"text": "a" * 281}).status_code == 403
    assert trip("POST", "/2/tweets", json={"text": "木" * 141}).status_code == 403
    assert (
        trip("POST", "/2/tweets", json={"text": "a " * 100 + "https://school.example/" + "x" * 300}).status_code == 201
    )


def test_each_answer_has_its_price(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(old)
    old.world.follow("a", trip.user)
    old.world.follow("b", trip.user)
    trip.get(f"/2/users/{trip.user.id}/followers")
    trip("POST", "/2/tweets", json={"text": "Hello"})
    trip("POST", "/2/tweets", json={"text": "See https://school.example"})
    trip.get(f"/2/users/{trip.user.id}/tweets", expansions="author_id")
    trip("GET", f"/2/users/{trip.user.id}/tweets", max_results="4")
    assert [asked.micros for asked in old.asked] == [20_000, 15_000, 200_000, 20_000, 0]
    assert old.spent_micros == 255_000


def test_it_says_no_in_every_shape_that_x_has(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(old, scopes="tweet.read users.read")
    partial = trip.get("/2/users/me", user__fields="confirmed_email")
    assert (partial["data"]["id"], partial["errors"][0]["title"]) == (trip.user.id, "Field Authorization Error")
    missing = trip("GET", "/2/users/7")
    assert (missing.status_code, missing.json()["errors"][0]["title"]) == (200, "Not Found Error")
    old.missing_as_404 = True
    assert trip("GET", "/2/users/7").status_code == 404
    old.not_offered = {"me": "client", "user": "code"}
    assert trip("GET", "/2/users/me").json()["reason"] == "client-not-enrolled"
    assert trip("GET", "/2/users/7").json()["errors"][0]["code"] == 453
    old.usage_capped = True
    capped = trip("GET", "/2/users/me")
    assert (capped.status_code, capped.json()["title"]) == (429, "UsageCapExceeded")
    assert "x-rate-limit-reset" not in capped.headers
    old.out_of_credit = True
    assert trip("GET", "/2/users/me").status_code == 402
    trip.token = "made-up"
    refused = trip("GET", "/2/users/me")
    assert refused.status_code == 401
    assert not [name for name in refused.headers if name.startswith("x-rate-limit")]
    assert trip("GET", "/2/users/7/shoes").status_code == 404


def test_an_app_sees_what_everybody_sees(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(old)
    app = Caller(old, trip.http, old.doors.app_token(), trip.user)
    assert app.get("/2/users", ids=trip.user.id)["data"][0]["id"] == trip.user.id
    refused = app("GET", "/2/users/me")
    assert (refused.status_code, refused.json()["title"]) == (403, "Unsupported Authentication")


def test_what_is_deactivated_comes_back_for_thirty_days_and_never_after(
    old: StandIn, clock: Clock, calling: Callable[..., Caller]
) -> None:
    trip, other = calling(old), calling(old, "other")
    old.world.deactivate(trip.user)
    assert other.get("/2/users", ids=f"{trip.user.id},{other.user.id}")["errors"][0]["title"] == "Not Found Error"
    assert trip("GET", "/2/users/me").status_code == 401
    clock.pass_days(29)
    with pytest.raises(Refusal):
        old.world.join("trip_wales")
    assert old.world.sign_in("trip_wales", trip.user.password) is trip.user
    assert "data" in calling(old, "other").get(f"/2/users/{trip.user.id}")
    old.world.deactivate(trip.user)
    clock.pass_days(30)
    assert old.world.sign_in("trip_wales", trip.user.password) is None
    assert old.world.join("trip_wales").id != trip.user.id, "the name is free, the id is not"


def test_a_suspended_account_is_neither_there_nor_gone(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip, other = calling(old), calling(old, "other")
    trip.user.suspended = True
    error = other.get(f"/2/users/{trip.user.id}")["errors"][0]
    assert (error["title"], error["type"].rpartition("/")[2]) == ("Forbidden", "resource-not-found")


def test_interactions_are_taken_back_and_taking_back_again_does_no_harm(
    old: StandIn, calling: Callable[..., Caller]
) -> None:
    trip = calling(old)
    stranger = old.world.anybody("stranger")
    theirs = old.world.post(stranger, "Good morning")
    old.world.like(trip.user, theirs)
    old.world.repost(trip.user, theirs)
    old.world.follow(trip.user, stranger)
    for _ in range(2):
        assert trip("DELETE", f"/2/users/{trip.user.id}/likes/{theirs.id}").json() == {"data": {"liked": False}}
        trip("DELETE", f"/2/users/{trip.user.id}/retweets/{theirs.id}")
        trip("DELETE", f"/2/users/{trip.user.id}/following/{stranger.id}")
    assert (trip.user.likes, old.world.posts_of(trip.user), stranger.followers) == ([], [], [])
    assert trip("DELETE", f"/2/users/{stranger.id}/likes/{theirs.id}").status_code == 400
    assert trip("DELETE", f"/2/tweets/{theirs.id}").status_code == 403
    old.world.delete(theirs)
    assert trip("DELETE", f"/2/tweets/{theirs.id}").status_code == 404


def test_a_lost_answer_was_carried_out(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(old)
    old.answers_lost["create"] = 1
    assert trip("POST", "/2/tweets", json={"text": "Hello"}).status_code == 503
    assert [post.text for post in old.world.posts_of(trip.user)] == ["Hello"]


# ---- pictures


def upload(trip: Caller, content: bytes, *, total: int = 0, mime: str = "image/jpeg") -> httpx.Response:
    """Announce, send in two pieces, close; the answer of the last call."""
    announced = {"media_type": mime, "total_bytes": total or len(content), "media_category": "tweet_image"}
    begun = trip("POST", "/2/media/upload/initialize", json=announced)
    if begun.status_code != 200:
        return begun
    path, half = f"/2/media/upload/{begun.json()['data']['id']}", len(content) // 2
    for number, piece in enumerate((content[:half], content[half:])):
        body = {"media": base64.b64encode(piece).decode(), "segment_index": number}
        reply = trip("POST", f"{path}/append", json=body)
        assert reply.status_code == 200, reply.text
    return trip("POST", f"{path}/finalize")


def test_a_picture_comes_in_pieces_with_its_words_and_goes_into_one_post(
    old: StandIn, calling: Callable[..., Caller]
) -> None:
    trip, content = calling(old), photo_with_place()
    id = upload(trip, content).json()["data"]["id"]
    described = {"id": id, "metadata": {"alt_text": {"text": "A boat"}}}
    assert trip("POST", "/2/media/metadata", json=described).status_code == 200
    body = {"text": "Hello", "media": {"media_ids": [id]}}
    made = trip("POST", "/2/tweets", json=body).json()["data"]
    assert made["text"].startswith("Hello https://t.co/")
    (media,) = old.world.posts[made["id"]].media
    assert (media.content, media.alt) == (content, "A boat")
    assert trip("POST", "/2/tweets", json={**body, "text": "Again"}).status_code == 400
    assert old.uploads.left == []


def test_a_picture_that_is_not_whole_or_not_its_own_is_refused(
    old: StandIn, clock: Clock, calling: Callable[..., Caller]
) -> None:
    trip, other, content = calling(old), calling(old, "other"), photo_with_place()
    assert upload(trip, content, total=len(content) + 1).status_code == 400
    assert upload(trip, content[: len(content) // 2]).status_code == 400, "cut off"
    assert upload(trip, content, mime="image/png").status_code == 400, "of another type"
    assert upload(trip, content, total=5_000_001).status_code == 400
    id = upload(trip, content).json()["data"]["id"]
    body = {"text": "Mine", "media": {"media_ids": [id]}}
    assert other("POST", "/2/tweets", json=body).status_code == 400
    clock.pass_days(1)
    trip.token = old.doors.give(trip.user.id, EVERYTHING).access
    assert trip("POST", "/2/tweets", json=body).status_code == 400, "it is kept for a day"


def test_a_picture_that_is_being_processed_is_waited_for(old: StandIn, calling: Callable[..., Caller]) -> None:
    trip = calling(old)
    old.uploads.waits = 2
    closed = upload(trip, photo_with_place()).json()["data"]
    assert closed["processing_info"]["state"] == "in_progress"
    body = {"text": "Hello", "media": {"media_ids": [closed["id"]]}}
    assert trip("POST", "/2/tweets", json=body).status_code == 400
    states = [
        trip.get("/2/media/upload", command="STATUS", media_id=closed["id"])["data"]["processing_info"]["state"]
        for _ in range(2)
    ]
    assert states == ["in_progress", "succeeded"]
    assert trip("POST", "/2/tweets", json=body).status_code == 201
