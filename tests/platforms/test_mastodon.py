"""The Mastodon adapter against `mastodon_mock`, a third party's stand-in, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from io import BytesIO

import pytest
from mastodon_standin import SERVER, Member, Standin
from networks import INFO
from PIL import Image

from socialgov.models import Capability, PlatformInfo, Presence
from socialgov.platforms import LoginRefused, Picture, PlatformError
from socialgov.platforms.mastodon import MastodonPlatform


@dataclass
class Token:
    """A connected account's access, as actions/connections.py gives it: no other token can be had."""

    value: str = field(repr=False)
    renewed: int = 0
    revoked: int = 0

    def token(self) -> str:
        return self.value

    def renew(self, refused: str) -> str:
        assert refused == self.value
        self.renewed += 1
        raise LoginRefused("It must be connected anew.", of_token=True)

    def revoke(self) -> None:
        self.revoked += 1


@pytest.fixture
def info(mastodon: Standin) -> PlatformInfo:
    return replace(INFO, key="mastodon", name="Mastodon", adapter="mastodon", api_base=mastodon.url)


@pytest.fixture
def trip(mastodon: Standin) -> Member:
    return mastodon.join("trip")


@pytest.fixture
def mother(mastodon: Standin) -> Member:
    return mastodon.join("mother")


def adapter(info: PlatformInfo, who: Member, access: Token | None = None) -> MastodonPlatform:
    return MastodonPlatform(info, handle=who.handle, remote_id=who.id, access=access or Token(who.token))


def png(colour: str = "navy") -> bytes:
    out = BytesIO()
    Image.new("RGB", (48, 48), colour).save(out, "PNG")
    return out.getvalue()


def test_the_profile_tells_who_it_is_and_how_many_follow(
    mastodon: Standin, info: PlatformInfo, trip: Member, mother: Member
) -> None:
    mastodon.update(trip, note="Official account of Test School.", display_name="Trip")
    mastodon.ask_to_follow(mother, trip)
    mastodon.ask_to_follow(trip, mother)
    mastodon.post(trip, "Hello")
    profile = adapter(info, trip).profile()
    assert (profile.remote_id, profile.handle, profile.display_name) == (trip.id, trip.handle, "Trip")
    assert profile.text == "Official account of Test School."
    assert profile.counts is not None
    assert (profile.counts.followers, profile.counts.follows, profile.counts.posts) == (1, 1, 1)
    assert profile.counts.likes is None
    assert profile.setup_email is None


def test_the_profile_is_that_of_whoever_let_us_in(info: PlatformInfo, trip: Member, mother: Member) -> None:
    strange = MastodonPlatform(info, handle=trip.handle, access=Token(mother.token))
    assert strange.profile().remote_id == mother.id


@pytest.mark.parametrize(
    ("locked", "default", "earlier", "private"),
    [
        ("true", "private", "private", True),
        ("true", "private", "public", False),
        ("true", "private", "unlisted", False),
        ("true", "public", "private", False),
        ("false", "private", "private", False),
    ],
)
def test_it_is_private_when_it_is_locked_and_shows_strangers_no_post(
    mastodon: Standin, info: PlatformInfo, trip: Member, locked: str, default: str, earlier: str, private: bool
) -> None:
    mastodon.post(trip, "Hello", visibility=earlier)
    mastodon.update(trip, locked=locked, **{"source[privacy]": default})
    assert adapter(info, trip).profile().private is private


def test_it_makes_the_account_private(mastodon: Standin, info: PlatformInfo, trip: Member, mother: Member) -> None:
    platform = adapter(info, trip)
    platform.set_private()
    platform.set_private()
    face = mastodon.face(trip)
    assert face["locked"] is True
    assert face["source"]["privacy"] == "private"
    mastodon.ask_to_follow(mother, trip)
    assert mastodon.followers(trip) == []
    assert adapter(info, trip).profile().private is True


def test_it_sets_the_picture_and_reads_it(info: PlatformInfo, trip: Member) -> None:
    platform = adapter(info, trip)
    platform.set_picture(png(), "image/png")
    assert adapter(info, trip).profile().picture == png()


def test_requests_wait_until_they_are_accepted_or_refused(
    mastodon: Standin, info: PlatformInfo, trip: Member, mother: Member
) -> None:
    stranger, platform = mastodon.join("stranger"), adapter(info, trip)
    platform.set_private()
    for one in (mother, stranger):
        mastodon.ask_to_follow(one, trip)
    asking = {one.remote_id: one for one in platform.followers()}
    assert set(asking) == {mother.id, stranger.id}
    assert all(one.waiting for one in asking.values())
    assert asking[mother.id].handle == f"{mother.name}@{SERVER}"
    platform.accept_follower(mother.id)
    platform.accept_follower(mother.id)
    platform.remove_follower(stranger.id)
    platform.remove_follower(stranger.id)
    assert [(one.remote_id, one.waiting) for one in platform.followers()] == [(mother.id, False)]
    platform.remove_follower(mother.id)
    assert platform.followers() == []


def test_nobody_is_let_in_who_took_the_request_back(info: PlatformInfo, trip: Member, mother: Member) -> None:
    platform = adapter(info, trip)
    with pytest.raises(PlatformError, match="no such request") as refused:
        platform.accept_follower(mother.id)
    assert refused.value.permanent
    assert platform.followers() == []


def test_a_long_list_of_followers_is_read_to_its_end(
    mastodon: Standin, info: PlatformInfo, trip: Member, mother: Member
) -> None:
    for _ in range(45):  # its page is 40 at most
        mastodon.ask_to_follow(mastodon.join("many"), trip)
    assert len(adapter(info, trip).followers()) == 45


def test_a_post_goes_to_followers_only_with_its_pictures_and_their_words(
    mastodon: Standin, info: PlatformInfo, trip: Member, mother: Member
) -> None:
    platform = adapter(info, trip)
    platform.set_private()
    text = "We are on the boat & well <3\n\nMore tomorrow,\nsays everybody."
    number = platform.publish(text, [Picture(png(), "image/png", "Pupils on a boat.", 48, 48)], key="school:1:a")
    assert platform.publish(text, [], key="school:1:a") == number
    (seen,) = mastodon.posts_of(trip, seen_by=trip)
    assert seen["visibility"] == "private"
    assert [one["description"] for one in seen["media_attachments"]] == ["Pupils on a boat."]
    assert mastodon.posts_of(trip, seen_by=mother) == []
    (post,) = adapter(info, trip).posts()
    assert (post.remote_id, post.text) == (number, text)
    assert post.posted_at is not None
    platform.delete_post(number)
    platform.delete_post(number)
    assert platform.posts() == []


def test_what_the_account_does_to_others_is_read_and_taken_back(
    mastodon: Standin, info: PlatformInfo, trip: Member, mother: Member
) -> None:
    theirs = mastodon.post(mother, "Look at my cake")
    mastodon.like(trip, theirs)
    mastodon.repost(trip, theirs)
    quote = mastodon.post(trip, "So nice", quoted_status_id=theirs)
    mastodon.ask_to_follow(trip, mother)
    platform = adapter(info, trip)
    assert platform.likes() == [theirs]
    assert platform.follows() == [mother.id]
    assert len(platform.shares()) == 2
    assert [one.remote_id for one in platform.posts()] == [quote]
    for number in platform.shares() * 2:
        platform.undo_share(number)
    for _ in range(2):
        platform.undo_like(theirs)
        platform.undo_follow(mother.id)
    assert (platform.likes(), platform.follows(), platform.shares(), platform.posts()) == ([], [], [], [])


def test_answers_to_others_and_messages_are_conversations_and_threads_are_not(
    mastodon: Standin, info: PlatformInfo, trip: Member, mother: Member
) -> None:
    theirs, own = mastodon.post(mother, "When are you back?"), mastodon.post(trip, "Day one")
    answer = mastodon.post(trip, "On Friday", in_reply_to_id=theirs)
    message = mastodon.post(trip, f"@{mother.name} psst", visibility="direct")
    mastodon.post(trip, "Day one, evening", in_reply_to_id=own)
    assert set(adapter(info, trip).conversations()) == {answer, message}


def test_presence_is_read_without_signing_in_and_by_the_lasting_id(
    mastodon: Standin, info: PlatformInfo, trip: Member
) -> None:
    outsider = MastodonPlatform(info, handle=trip.handle, remote_id=trip.id)
    assert outsider.presence() is Presence.LIVE
    mastodon.delete(trip)
    assert outsider.presence() is Presence.GONE
    with pytest.raises(PlatformError, match="never connected"):
        MastodonPlatform(info, handle=trip.handle).presence()


def test_a_token_that_was_taken_away_is_a_clear_refusal_and_nothing_is_lost(
    mastodon: Standin, info: PlatformInfo, trip: Member
) -> None:
    mastodon.revoke(trip)
    access = Token(trip.token)
    for read in ("profile", "posts", "followers", "likes"):
        with pytest.raises(LoginRefused) as refused:
            getattr(adapter(info, trip, access), read)()
        assert refused.value.of_token
    assert access.renewed == 4
    assert adapter(info, trip).presence() is Presence.LIVE


def test_nothing_is_read_or_done_with_a_token_for_another_account(
    mastodon: Standin, info: PlatformInfo, trip: Member, mother: Member
) -> None:
    number = mastodon.post(mother, "Mine")
    wrong = MastodonPlatform(info, handle=trip.handle, remote_id=trip.id, access=Token(mother.token))
    for do in (
        wrong.followers,
        wrong.likes,
        wrong.posts,
        wrong.set_private,
        lambda: wrong.delete_post(number),
        lambda: wrong.publish("Hello", [], key="k"),
    ):
        with pytest.raises(LoginRefused, match="another account"):
            do()
    assert len(mastodon.posts_of(mother)) == 1
    assert mastodon.face(mother)["locked"] is False


def test_access_is_revoked_by_whoever_keeps_the_token(info: PlatformInfo, trip: Member) -> None:
    access = Token(trip.token)
    adapter(info, trip, access).revoke_access()
    assert access.revoked == 1


def test_no_text_of_an_object_shows_the_token(info: PlatformInfo, trip: Member) -> None:
    platform = adapter(info, trip)
    assert trip.token not in repr(platform) + repr(platform.access) + repr(platform.profile())


def test_what_it_cannot_do_is_not_declared() -> None:
    missing = frozenset(Capability) - MastodonPlatform.capabilities
    assert missing == {
        Capability.CHECK_LOGIN,
        Capability.MAKE_TOKEN,
        Capability.CHANGE_PASSWORD,
        Capability.DEACTIVATE,
        Capability.DELETE,
        Capability.DELETE_BY_MAILED_CODE,
    }
