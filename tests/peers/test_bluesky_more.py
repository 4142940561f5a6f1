"""Bluesky beyond one server: followers, counts and marks of an index, what was taken back, accounts that moved."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image
from real_bluesky import Member, RealBluesky

from socialgov.models import Capability, PlatformInfo, Presence
from socialgov.platforms import CannotDo, Counts, Login, PlatformError
from socialgov.platforms.bluesky import FOLLOW, LIKE, POST, PROFILE, REPOST, BlueskyPlatform

pytestmark = pytest.mark.peer
QUOTE = "app.bsky.embed.record"


@pytest.fixture
def trip(bluesky: RealBluesky) -> Member:
    return bluesky.join("trip")


@pytest.fixture
def stranger(bluesky: RealBluesky) -> Member:
    return bluesky.join("stranger")


def adapter(info: PlatformInfo, member: Member, *, login: bool = True, by_did: bool = True) -> BlueskyPlatform:
    return BlueskyPlatform(
        info,
        handle=member.handle,
        remote_id=member.did if by_did else None,
        login=Login(member.handle, member.password) if login else None,
    )


def drawn(kind: str, colour: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, kind)
    return out.getvalue()


# ---- where the account is


def test_an_account_is_found_on_its_own_server_by_the_real_directory(info: PlatformInfo, trip: Member) -> None:
    found = adapter(info, trip, by_did=False)
    assert found.profile().remote_id == trip.did
    assert found.check_login() is True


def test_an_account_is_found_though_the_network_is_entered_elsewhere(info: PlatformInfo, trip: Member) -> None:
    """What is set is where handles are asked for; the account's own server is the one that its identity names."""
    moved = replace(info, api_base="https://not-the-accounts-own.invalid")
    assert adapter(moved, trip).presence() is Presence.LIVE
    assert adapter(moved, trip).check_login() is True


def test_an_identity_that_the_directory_does_not_know_is_an_error_and_not_gone(info: PlatformInfo) -> None:
    nobody = BlueskyPlatform(info, handle=None, remote_id="did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
    with pytest.raises(PlatformError, match="directory knows no such account") as caught:
        nobody.presence()
    assert caught.value.permanent is True


def test_a_deleted_account_is_seen_gone_though_its_identity_stays(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    keeper = adapter(info, trip)
    keeper.deactivate()
    assert adapter(info, trip).presence() is Presence.DEACTIVATED
    keeper.ask_deletion_code()
    keeper.delete(bluesky.mailbox.code(trip.email, "Delet"))
    assert adapter(info, trip).presence() is Presence.GONE


# ---- the index


def test_followers_and_counts_come_from_the_index(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member, stranger: Member
) -> None:
    made = bluesky.follow(stranger, trip)
    bluesky.record(trip, POST, text="Boats")
    seen = adapter(info, trip, login=False)
    (follower,) = seen.followers()
    assert (follower.remote_id, follower.handle, follower.waiting) == (stranger.did, stranger.handle, False)
    assert seen.profile().counts == Counts(followers=1, follows=0, posts=1)
    bluesky.remove(stranger, made["uri"])
    bluesky.index.crawl(stranger)
    assert seen.followers() == []


def test_a_crowd_of_followers_is_read_to_its_last_page(bluesky: RealBluesky, info: PlatformInfo, trip: Member) -> None:
    people = bluesky.index.crowd(trip.did, 250)
    assert sorted(one.remote_id for one in adapter(info, trip).followers()) == sorted(people)


def test_without_an_index_a_person_lists_the_followers(info: PlatformInfo, trip: Member) -> None:
    alone = adapter(replace(info, index_base=None), trip)
    assert not alone.can(Capability.READ_FOLLOWERS)
    with pytest.raises(CannotDo):
        alone.followers()
    profile = alone.profile()
    assert (profile.counts, profile.labels) == (None, None)


def test_an_index_that_is_away_hides_nothing_but_what_only_it_knows(info: PlatformInfo, trip: Member) -> None:
    blind = adapter(replace(info, index_base="http://localhost:1"), trip)
    profile = blind.profile()
    assert (profile.handle, profile.counts, profile.labels) == (trip.handle, None, None)
    with pytest.raises(PlatformError, match="index cannot be reached") as caught:
        blind.followers()
    assert caught.value.permanent is False


def test_marks_of_moderators_are_told_and_the_accounts_own_are_not(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    assert adapter(info, trip).profile().labels == ()
    bluesky.index.mark(trip.did, "spam")
    bluesky.index.mark(trip.did, "!warn")
    bluesky.index.mark(trip.did, "!no-unauthenticated", by=trip.did)
    bluesky.index.mark(trip.did, "rude", neg=True)
    bluesky.index.mark(trip.did, "porn", exp="2020-01-01T00:00:00.000Z")
    assert adapter(info, trip).profile().labels == ("!warn", "spam")


# ---- taking back


def test_likes_follows_and_shares_are_taken_back_and_taking_back_again_is_no_harm(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member, stranger: Member
) -> None:
    theirs = bluesky.record(stranger, POST, text="Look at me")
    other = bluesky.record(stranger, POST, text="And at me")
    for liked in (theirs, other):
        bluesky.record(trip, LIKE, subject=liked)
    bluesky.record(trip, FOLLOW, subject=stranger.did)
    repost = bluesky.record(trip, REPOST, subject=theirs)
    quote = bluesky.record(trip, POST, text="so true", embed={"$type": QUOTE, "record": theirs})
    ours = bluesky.record(trip, POST, text="Boats")
    keeper = adapter(info, trip)
    assert (len(keeper.likes()), keeper.follows(), len(keeper.shares())) == (2, [stranger.did], 2)
    for _ in range(2):
        keeper.undo_like(theirs["uri"])
        keeper.undo_follow(stranger.did)
        keeper.undo_share(repost["uri"])
        keeper.undo_share(quote["uri"])
    assert (keeper.likes(), keeper.follows(), keeper.shares()) == ([other["uri"]], [], [])
    with pytest.raises(PlatformError, match="no repost"):
        keeper.undo_share(ours["uri"])
    assert [post.text for post in keeper.posts()] == ["Boats"]


def test_taking_back_what_is_not_there_does_not_even_sign_in(info: PlatformInfo, trip: Member) -> None:
    stranger_to_it = adapter(info, trip, login=False)
    stranger_to_it.undo_like("at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/app.bsky.feed.post/1")
    stranger_to_it.undo_follow("did:plc:bbbbbbbbbbbbbbbbbbbbbbbb")


# ---- the picture


def test_the_picture_is_set_and_the_rest_of_the_profile_stays(
    bluesky: RealBluesky, info: PlatformInfo, trip: Member
) -> None:
    bluesky.record(trip, PROFILE, "self", displayName="Trip", description="Official")
    for _ in range(2):
        adapter(info, trip).set_picture(drawn("PNG", "teal"), "image/png")
    profile = adapter(info, trip, login=False).profile()
    assert (profile.display_name, profile.text) == ("Trip", "Official")
    assert profile.picture == drawn("PNG", "teal")


def test_a_picture_of_a_type_that_is_not_shown_there_is_saved_as_another(info: PlatformInfo, trip: Member) -> None:
    """The server itself refuses a profile with a WebP picture; here there was no profile at all."""
    adapter(info, trip).set_picture(drawn("WEBP", "navy"), "image/webp")
    picture = adapter(info, trip, login=False).profile().picture
    assert picture
    with Image.open(BytesIO(picture)) as shown:
        assert shown.format == "JPEG"
