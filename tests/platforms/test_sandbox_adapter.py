"""The sandbox adapter against the real simulated network over real HTTP."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import INFO, Recorded, Sandbox

from socialgov.models import Capability, Presence
from socialgov.platforms import Login, LoginRefused, Picture, PlatformError
from socialgov.platforms.sandbox import SandboxPlatform
from socialgov.sandbox.network import Member, Shot
from socialgov.sandbox.wall import Wall

SECRET = "canary-S3cret!"
PICTURE = Picture(b"jpeg bytes", "image/jpeg", "two boats", 4, 3)


@pytest.fixture
def trip(sandbox: Sandbox) -> Member:
    return sandbox.network.create_account(
        "trip_wales", SECRET, email="trip@school.example", display_name="Trip", text="Official", private=True
    )


@pytest.fixture
def stranger(sandbox: Sandbox) -> Member:
    return sandbox.network.create_account("dave32457", outsider=True)


def adapter(sandbox: Sandbox, member: Member, *, secret: str | None = SECRET, by_id: bool = True) -> SandboxPlatform:
    return SandboxPlatform(
        sandbox.info,
        handle=f"@{member.name}",
        remote_id=member.id if by_id else None,
        login=Login(member.name, secret) if secret else None,
    )


def test_it_declares_everything_but_deletion_on_demand() -> None:
    missing = set(Capability) - SandboxPlatform.capabilities
    assert missing == {Capability.DELETE, Capability.DELETE_BY_MAILED_CODE}


def test_taking_a_repost_back_takes_no_post_of_the_account_down(sandbox: Sandbox, trip: Member) -> None:
    own = Wall(sandbox.network).publish(trip, "Boats")
    with pytest.raises(PlatformError, match="no repost"):
        adapter(sandbox, trip).undo_share(str(own))
    assert [post.text for post in adapter(sandbox, trip).posts()] == ["Boats"]


def test_somebody_who_is_not_there_any_more_is_not_followed(sandbox: Sandbox, trip: Member) -> None:
    adapter(sandbox, trip).undo_follow("a1b2c3d4")
    assert adapter(sandbox, trip).follows() == []


def test_a_profile_is_found_by_name_and_by_id(sandbox: Sandbox, trip: Member) -> None:
    sandbox.network.change_profile(trip, picture=Shot(b"logo", "image/png", ""))
    for by_id in (True, False):
        profile = adapter(sandbox, trip, by_id=by_id).profile()
        assert (profile.remote_id, profile.handle, profile.private) == (trip.id, "trip_wales", True)
        assert (profile.text, profile.picture, profile.setup_email) == ("Official", b"logo", "trip@school.example")


def test_the_public_learns_the_face_but_not_the_address(sandbox: Sandbox, trip: Member) -> None:
    profile = adapter(sandbox, trip, secret=None).profile()
    assert (profile.private, profile.picture, profile.setup_email) == (True, b"", None)


def test_a_private_account_is_read_with_its_login_only(sandbox: Sandbox, trip: Member) -> None:
    Wall(sandbox.network).publish(trip, "Boats")
    assert [post.text for post in adapter(sandbox, trip).posts()] == ["Boats"]
    for secret, said in ((None, "followers only"), ("another password", "does not accept the deposited login")):
        outside = adapter(sandbox, trip, secret=secret)
        for read in (outside.posts, outside.likes, outside.follows, outside.followers, outside.shares):
            with pytest.raises(PlatformError, match=said):
                read()


def test_every_post_of_many_pages_is_read(sandbox: Sandbox, trip: Member) -> None:
    for number in range(101):
        Wall(sandbox.network).publish(trip, f"day {number}")
    posts = adapter(sandbox, trip).posts()
    assert {post.text for post in posts} == {f"day {number}" for number in range(101)}
    assert posts[0].posted_at == sandbox.clock.now


def test_what_a_careless_teacher_did_elsewhere_is_seen(sandbox: Sandbox, trip: Member, stranger: Member) -> None:
    wall, seen = Wall(sandbox.network), adapter(sandbox, trip)
    foreign = wall.publish(stranger, "Look at me")
    own = wall.publish(trip, "Boats")
    wall.like(trip, foreign)
    wall.publish(trip, "", share_of=foreign)
    answer = wall.publish(trip, "hello you", reply_to=foreign)
    wall.publish(trip, "more boats", reply_to=own)
    sandbox.network.follow(trip, stranger)
    assert seen.likes() == [str(foreign)]
    assert len(seen.shares()) == 1
    assert seen.conversations() == [str(answer)]
    assert seen.follows() == [stranger.id]
    assert len(seen.posts()) == 3, "a share is not a post of its own"


def test_followers_come_with_those_who_wait_and_are_accepted_or_removed(
    sandbox: Sandbox, trip: Member, stranger: Member
) -> None:
    sandbox.network.follow(stranger, trip)
    keeper = adapter(sandbox, trip)
    assert [(follower.handle, follower.waiting) for follower in keeper.followers()] == [("dave32457", True)]
    keeper.accept_follower(stranger.id)
    assert keeper.followers()[0].waiting is False
    keeper.remove_follower(stranger.id)
    keeper.remove_follower(stranger.id)
    assert keeper.followers() == []
    with pytest.raises(PlatformError, match="no such follower"):
        keeper.accept_follower(stranger.id)


def test_publishing_twice_with_one_key_is_one_post(sandbox: Sandbox, trip: Member) -> None:
    keeper = adapter(sandbox, trip)
    first = keeper.publish("Boats", [PICTURE], key="post/7 ü")
    assert keeper.publish("Boats", [PICTURE], key="post/7 ü") == first
    assert len(keeper.posts()) == 1
    shot = Wall(sandbox.network).shot(int(first), 0)
    assert (shot.content, shot.alt) == (PICTURE.content, "two boats")


def test_taking_a_post_down_twice_is_done(sandbox: Sandbox, trip: Member) -> None:
    keeper = adapter(sandbox, trip)
    number = keeper.publish("Boats", [], key="post-7")
    keeper.delete_post(number)
    keeper.delete_post(number)
    assert keeper.posts() == []


def test_a_post_of_another_account_is_not_taken_down(sandbox: Sandbox, trip: Member, stranger: Member) -> None:
    number = Wall(sandbox.network).publish(stranger, "Mine")
    adapter(sandbox, trip).delete_post(str(number))
    assert Wall(sandbox.network).entry(number).text == "Mine"


def test_a_login_works_only_where_it_opens_this_account(sandbox: Sandbox, trip: Member) -> None:
    other = sandbox.network.create_account("another", SECRET)
    assert adapter(sandbox, trip).check_login() is True
    assert adapter(sandbox, trip, secret="wrong-password").check_login() is False
    borrowed = SandboxPlatform(sandbox.info, handle=None, remote_id=other.id, login=Login("trip_wales", SECRET))
    assert borrowed.check_login() is False
    with pytest.raises(PlatformError, match="no login here"):
        adapter(sandbox, trip, secret=None).check_login()


def test_a_changed_password_ends_the_old_one_and_every_session(sandbox: Sandbox, trip: Member) -> None:
    token = sandbox.network.make_token(trip)
    adapter(sandbox, trip).change_password("new-S3cret!")
    assert adapter(sandbox, trip).check_login() is False
    assert adapter(sandbox, trip, secret="new-S3cret!").check_login() is True
    assert sandbox.network.token_member(token) is None


def test_revoking_access_ends_every_session(sandbox: Sandbox, trip: Member) -> None:
    token = sandbox.network.make_token(trip)
    adapter(sandbox, trip).revoke_access()
    assert sandbox.network.token_member(token) is None
    assert sandbox.network.member(trip.id).sessions == trip.sessions + 1


def test_no_token_outlives_its_work(sandbox: Sandbox, trip: Member) -> None:
    keeper = adapter(sandbox, trip)
    keeper.profile(), keeper.likes(), keeper.publish("Boats", [], key="k"), keeper.check_login()
    with sandbox.network.reading() as db:
        assert db.execute("select count(*) from token").fetchone()[0] == 0


def test_a_deactivated_account_is_hidden_then_gone_for_good(sandbox: Sandbox, trip: Member) -> None:
    keeper = adapter(sandbox, trip)
    assert keeper.presence() is Presence.LIVE
    keeper.deactivate()
    keeper.deactivate()
    assert keeper.presence() is Presence.DEACTIVATED
    assert adapter(sandbox, trip, secret=None).presence() is Presence.DEACTIVATED
    sandbox.clock.pass_days(29.9)
    assert keeper.presence() is Presence.DEACTIVATED
    sandbox.clock.pass_days(0.2)
    assert keeper.presence() is Presence.GONE
    assert keeper.check_login() is False


def test_a_freed_name_taken_by_somebody_else_is_not_mistaken_for_the_account(sandbox: Sandbox, trip: Member) -> None:
    adapter(sandbox, trip).deactivate()
    sandbox.clock.pass_days(31)
    sandbox.network.create_account("trip_wales", "somebody-else's")
    assert adapter(sandbox, trip).presence() is Presence.GONE


def test_an_account_that_never_was_is_not_called_gone(sandbox: Sandbox) -> None:
    for known in ({"remote_id": "0123456789abcdef"}, {"handle": "nobody"}, {"handle": None}):
        with pytest.raises(PlatformError):
            SandboxPlatform(sandbox.info, **{"handle": None, **known}).presence()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(410, text="<html>gone</html>"),
        httpx.Response(404, json={"error": "no_account"}),
        httpx.Response(200, json={"id": "a1", "presence": "gone"}),
        httpx.Response(200, json={"id": "b2", "presence": "deactivated"}),
        httpx.Response(200, json={"id": "a1", "presence": "asleep"}),
        httpx.Response(200, json={"id": "a1"}),
        httpx.Response(200, json=[]),
        httpx.Response(500),
        httpx.Response(429),
    ],
)
def test_any_other_answer_is_never_taken_for_gone(answer: httpx.Response) -> None:
    lost = SandboxPlatform(INFO, handle=None, remote_id="a1")
    lost.transport = Recorded(lambda request: answer)
    with pytest.raises(PlatformError):
        lost.presence()


METHODS: list[tuple[str, Callable[[SandboxPlatform], Any]]] = [
    ("profile", lambda a: a.profile()),
    ("presence", lambda a: a.presence()),
    ("posts", lambda a: a.posts()),
    ("conversations", lambda a: a.conversations()),
    ("likes", lambda a: a.likes()),
    ("shares", lambda a: a.shares()),
    ("follows", lambda a: a.follows()),
    ("followers", lambda a: a.followers()),
    ("check_login", lambda a: a.check_login()),
    ("publish", lambda a: a.publish("Boats", [PICTURE], key="k")),
    ("delete_post", lambda a: a.delete_post("5")),
    ("accept_follower", lambda a: a.accept_follower("b2")),
    ("remove_follower", lambda a: a.remove_follower("b2")),
    ("change_password", lambda a: a.change_password(SECRET + "2")),
    ("revoke_access", lambda a: a.revoke_access()),
    ("deactivate", lambda a: a.deactivate()),
    ("make_token", lambda a: a.make_token("socialgov")),
    ("end_token", lambda a: a.end_token("socialgov")),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["a1", "live", SECRET]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "token",
                    "password",
                    "items",
                    "cursor",
                    "error",
                    "presence",
                    "private",
                    "has_picture",
                    "posted_at",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(("name", "act"), METHODS, ids=[name for name, _ in METHODS])
@settings(max_examples=60, deadline=None)
@given(body=json_values, status=st.sampled_from([200, 200, 200, 400, 401, 403, 404, 410, 429, 500]))
def test_whatever_the_network_says_a_method_answers_or_raises_a_platform_error(
    name: str, act: Callable[[SandboxPlatform], Any], body: Any, status: int
) -> None:
    told = SandboxPlatform(INFO, handle=None, remote_id="a1", login=Login("trip", SECRET))
    told.transport = Recorded(lambda request: httpx.Response(status, json=body))
    try:
        act(told)
    except PlatformError as error:
        assert SECRET not in "".join(traceback.format_exception(error))


def test_a_lost_answer_to_a_change_leaves_its_outcome_unknown() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/session":
            return httpx.Response(200, json={"id": "a1", "token": "t"})
        if request.method == "GET":
            return httpx.Response(200, json={"id": "a1", "presence": "live"})
        raise httpx.ReadTimeout("lost")

    lost = SandboxPlatform(INFO, handle=None, remote_id="a1", login=Login("trip", SECRET))
    lost.transport = Recorded(answer)
    for act in (lost.deactivate, lost.revoke_access, lambda: lost.publish("x", [], key="k")):
        with pytest.raises(PlatformError) as caught:
            act()
        assert caught.value.outcome_unknown is True


def test_a_network_that_is_not_there_is_tried_again(sandbox: Sandbox, trip: Member) -> None:
    away = SandboxPlatform(replace(INFO, api_base="http://127.0.0.1:9"), handle=None, remote_id=trip.id)
    with pytest.raises(PlatformError) as caught:
        away.presence()
    assert caught.value.permanent is False
    assert not isinstance(caught.value, LoginRefused)
