"""The Bluesky adapter against a real server: everything it declares, and what the protocol says of an account's end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import httpx
import pytest
from PIL import Image
from real_bluesky import Member, RealBluesky

from socialgov.models import PlatformInfo, Presence
from socialgov.platforms import Login, LoginRefused, Picture, PlatformError
from socialgov.platforms.bluesky import BlueskyPlatform
from socialgov.platforms.bluesky_pictures import PICTURE_BYTES

pytestmark = pytest.mark.peer


def photo(side: int = 64) -> Picture:
    out = BytesIO()
    Image.effect_noise((side, side), 80).convert("RGB").save(out, "JPEG", quality=95)
    return Picture(out.getvalue(), "image/jpeg", "two boats", side, side)


def adapter(info: PlatformInfo, member: Member, *, password: str | None = None, by_did: bool = True) -> BlueskyPlatform:
    return BlueskyPlatform(
        info,
        handle=f"@{member.handle}",
        remote_id=member.did if by_did else None,
        login=Login(member.handle, password or member.password),
    )


@pytest.fixture
def trip(bluesky: RealBluesky) -> Member:
    return bluesky.join("trip")


@pytest.fixture
def stranger(bluesky: RealBluesky) -> Member:
    return bluesky.join("stranger")


def test_an_account_is_found_by_its_handle(info: PlatformInfo, trip: Member) -> None:
    profile = adapter(info, trip, by_did=False).profile()
    assert (profile.remote_id, profile.handle) == (trip.did, trip.handle)
    assert (profile.private, profile.text, profile.picture) == (False, "", b"")
    assert profile.setup_email == trip.email


def test_a_handle_nobody_has_is_a_lasting_error(info: PlatformInfo) -> None:
    with pytest.raises(PlatformError, match="knows no account") as caught:
        BlueskyPlatform(info, handle="nobody-at-all.test").profile()
    assert caught.value.permanent is True


def test_profile_text_and_picture_are_read_without_signing_in(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    logo = photo(32).content
    avatar = bluesky.upload(trip, logo, "image/jpeg")
    bluesky.record(
        trip, "app.bsky.actor.profile", "self", displayName="Trip", description="Official account", avatar=avatar
    )
    profile = BlueskyPlatform(info, handle=trip.handle).profile()
    assert (profile.display_name, profile.text, profile.picture) == ("Trip", "Official account", logo)
    assert profile.setup_email is None


def test_what_was_done_by_hand_is_seen(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member, stranger: Member
) -> None:
    theirs = bluesky.record(stranger, "app.bsky.feed.post", text="Look at me")
    ours = bluesky.record(trip, "app.bsky.feed.post", text="Boats")
    bluesky.record(trip, "app.bsky.feed.like", subject=theirs)
    bluesky.record(trip, "app.bsky.graph.follow", subject=stranger.did)
    repost = bluesky.record(trip, "app.bsky.feed.repost", subject=theirs)
    answer = bluesky.record(trip, "app.bsky.feed.post", text="hi", reply={"root": theirs, "parent": theirs})
    thread = bluesky.record(trip, "app.bsky.feed.post", text="more boats", reply={"root": ours, "parent": ours})
    embed = {"$type": "app.bsky.embed.record", "record": theirs}
    quote = bluesky.record(trip, "app.bsky.feed.post", text="so true", embed=embed)
    seen = BlueskyPlatform(info, handle=None, remote_id=trip.did)
    assert seen.likes() == [theirs["uri"]]
    assert seen.follows() == [stranger.did]
    assert seen.shares() == [repost["uri"], quote["uri"]]
    assert seen.conversations() == [answer["uri"]]
    assert {post.remote_id for post in seen.posts()} == {made["uri"] for made in (ours, answer, thread, quote)}
    moments = [post.posted_at for post in seen.posts()]
    assert all(moment and abs(datetime.now(UTC) - moment) < timedelta(minutes=5) for moment in moments)


def test_a_list_of_many_pages_is_read_to_its_end(bluesky: RealBluesky, info: PlatformInfo, trip: Member) -> None:
    token = bluesky.token(trip)
    for start in (0, 120):
        writes = [
            {
                "$type": "com.atproto.repo.applyWrites#create",
                "collection": "app.bsky.feed.post",
                "value": {"$type": "app.bsky.feed.post", "text": f"{n}", "createdAt": "2026-03-02T09:00:00.000Z"},
            }
            for n in range(start, start + 120)
        ]
        bluesky.call("com.atproto.repo.applyWrites", {"repo": trip.did, "writes": writes}, token=token)
    assert sorted(int(post.text) for post in adapter(info, trip).posts()) == list(range(240))


def test_a_login_is_tried(info: PlatformInfo, trip: Member, stranger: Member) -> None:
    assert adapter(info, trip).check_login() is True
    assert adapter(info, trip, password="wrong-password").check_login() is False
    borrowed = BlueskyPlatform(info, handle=None, remote_id=trip.did, login=Login(stranger.handle, stranger.password))
    assert borrowed.check_login() is False


def test_a_post_with_a_picture_is_published_once_and_taken_down(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    keeper = adapter(info, trip)
    first = keeper.publish("Boats", [photo()], key="post-1")
    assert keeper.publish("Boats", [photo()], key="post-1") == first
    assert adapter(info, trip).publish("changed meanwhile", [], key="post-1") == first
    (record,) = bluesky.records(trip, "app.bsky.feed.post")
    assert (record["uri"], record["value"]["text"]) == (first, "Boats")
    (image,) = record["value"]["embed"]["images"]
    assert (image["alt"], image["aspectRatio"]) == ("two boats", {"width": 64, "height": 64})
    assert keeper.publish("Another", [], key="post-2") != first
    keeper.delete_post(first)
    keeper.delete_post(first)
    assert [post.text for post in keeper.posts()] == ["Another"]


def test_workers_who_publish_the_same_post_at_once_publish_one(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(adapter(info, trip).publish, f"Boats {n}", [], key="post-1") for n in range(6)]
        uris = {job.result() for job in work}
    assert len(uris) == 1
    assert len(bluesky.records(trip, "app.bsky.feed.post")) == 1


def test_a_post_whose_answer_was_lost_is_there_when_it_is_tried_again(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    class LosesTheAnswer(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            if request.url.path.endswith("putRecord"):
                response.close()
                raise httpx.ReadError("lost", request=request)
            return response

    unlucky = adapter(info, trip)
    unlucky.transport = LosesTheAnswer()
    with pytest.raises(PlatformError) as caught:
        unlucky.publish("Boats", [], key="post-1")
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, True)
    adapter(info, trip).publish("Boats", [], key="post-1")
    assert len(bluesky.records(trip, "app.bsky.feed.post")) == 1


def test_a_photo_larger_than_the_platform_takes_is_made_to_fit(info: PlatformInfo, trip: Member) -> None:
    large = photo(1800)
    assert len(large.content) > PICTURE_BYTES
    adapter(info, trip).publish("Boats", [large], key="post-1")


def test_a_text_longer_than_the_platform_takes_is_refused_for_good(info: PlatformInfo, trip: Member) -> None:
    with pytest.raises(PlatformError) as caught:
        adapter(info, trip).publish("x" * 4000, [], key="post-1")
    assert (caught.value.permanent, caught.value.outcome_unknown) == (True, False)


def test_revoking_access_ends_the_passwords_of_other_programs(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    body = {"name": "another program"}
    app = bluesky.call("com.atproto.server.createAppPassword", body, token=bluesky.token(trip))
    assert adapter(info, trip, password=app["password"]).check_login() is True
    adapter(info, trip).revoke_access()
    adapter(info, trip).revoke_access()
    assert adapter(info, trip, password=app["password"]).check_login() is False


def with_token(info: PlatformInfo, member: Member, token: str, *, is_token: bool = True) -> BlueskyPlatform:
    login = Login(member.handle, token, is_token)
    return BlueskyPlatform(info, handle=member.handle, remote_id=member.did, login=login)


def test_a_key_of_our_own_reads_and_posts_and_is_replaced_by_the_next(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    first = adapter(info, trip).make_token("socialgov")
    ours = with_token(info, trip, first)
    assert ours.check_login() is True
    uri = ours.publish("Boats", [photo()], key="post-1")
    ours.delete_post(uri)
    assert ours.profile().handle == trip.handle
    second = adapter(info, trip).make_token("socialgov")
    assert with_token(info, trip, first).check_login() is False
    assert with_token(info, trip, second).check_login() is True
    listed = bluesky.call("com.atproto.server.listAppPasswords", token=bluesky.token(trip))["passwords"]
    assert [one["name"].split("-")[0] for one in listed] == ["socialgov"]
    adapter(info, trip).end_token("socialgov")
    adapter(info, trip).end_token("socialgov")
    assert with_token(info, trip, second).check_login() is False


def test_a_key_outlives_a_changed_password(bluesky: RealBluesky, info: PlatformInfo, trip: Member) -> None:
    token = adapter(info, trip).make_token("socialgov")
    bluesky.change_password(trip, "Trains-and-9-boats!")
    assert adapter(info, trip).check_login() is False
    assert with_token(info, trip, token).check_login() is True


def test_the_server_itself_refuses_a_key_all_that_needs_the_password(info: PlatformInfo, trip: Member) -> None:
    """`needs_password` is what the real server does: asked without saying that it is a token, it refuses each."""
    token = adapter(info, trip).make_token("socialgov")
    for act in (lambda a: a.make_token("another"), lambda a: a.deactivate(), lambda a: a.ask_deletion_code()):
        with pytest.raises(PlatformError):
            act(with_token(info, trip, token, is_token=False))
    assert adapter(info, trip).presence() is Presence.LIVE
    assert with_token(info, trip, token).check_login() is True


def test_a_key_ends_every_key_and_itself(bluesky: RealBluesky, info: PlatformInfo, trip: Member) -> None:
    other = bluesky.call("com.atproto.server.createAppPassword", {"name": "another"}, token=bluesky.token(trip))
    token = adapter(info, trip).make_token("socialgov")
    with_token(info, trip, token).revoke_access()
    for ended in (token, other["password"]):
        assert with_token(info, trip, ended).check_login() is False
    assert adapter(info, trip).check_login() is True


def test_an_account_is_deactivated_and_deleted_with_the_mailed_code_and_gone_for_good(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member, stranger: Member
) -> None:
    keeper = adapter(info, trip)
    keeper.publish("Boats", [], key="post-1")
    assert keeper.presence() is Presence.LIVE
    keeper.deactivate()
    keeper.deactivate()
    assert keeper.presence() is Presence.DEACTIVATED
    for read in (adapter(info, trip).profile, adapter(info, trip).posts):
        with pytest.raises(PlatformError) as caught:
            read()
        assert caught.value.permanent is True
    keeper.ask_deletion_code()
    code = bluesky.mailbox.code(trip.email, "Delet")
    with pytest.raises(PlatformError, match="new code"):
        keeper.delete("AAAAA-BBBBB")
    with pytest.raises(LoginRefused):
        adapter(info, trip, password="wrong-password").delete(code)
    assert keeper.presence() is Presence.DEACTIVATED
    keeper.delete(code)
    keeper.delete(code)
    assert keeper.presence() is Presence.GONE
    keeper.deactivate()
    assert keeper.check_login() is False
    assert adapter(info, stranger).presence() is Presence.LIVE


def test_a_freed_handle_taken_by_somebody_else_is_not_mistaken_for_the_account(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    keeper = adapter(info, trip)
    keeper.deactivate()
    keeper.ask_deletion_code()
    keeper.delete(bluesky.mailbox.code(trip.email, "Delet"))
    body = {"handle": trip.handle, "email": "other@elsewhere.example", "password": "somebody-else-9!"}
    taken = bluesky.call("com.atproto.server.createAccount", body)
    assert taken["did"] != trip.did
    assert keeper.presence() is Presence.GONE
    assert adapter(info, replace(trip, password="somebody-else-9!")).check_login() is False
