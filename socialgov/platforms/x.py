"""X through tweepy, over our own wire. Without a registered client, or before an account is connected, people do it.

X does not offer to make an account protected, to remove a follower, to accept one, to change the password, or to
deactivate the account: those stay guided steps, looked at afterwards by machine where a read shows it. It cannot tell
a deactivated account from a deleted one either, so gone is said only of both, and looked at again after 30 days.
Whatever is asked costs money (config/platforms.toml, [platforms.x.calls]), so each list is asked for in pages no larger
than the profile's counts let us expect: read the profile first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from socialgov.models import Capability, Presence
from socialgov.platforms.base import (
    Counts,
    OAuth,
    Picture,
    Platform,
    PlatformError,
    Profile,
    RemoteFollower,
    RemotePost,
)
from socialgov.platforms.wire import Wire
from socialgov.platforms.x_answers import (
    Face,
    Unreadable,
    at,
    face_of,
    is_number,
    kind_of,
    listed,
    number_of,
    same_words,
)

if TYPE_CHECKING:
    import httpx

    from socialgov.platforms.x_client import Send, XClient
    from socialgov.platforms.x_lists import XLists
    from socialgov.platforms.x_media import Upload

USER_FIELDS = ["protected", "profile_image_url", "description", "public_metrics", "confirmed_email"]
PICTURE_BYTES = 5_000_000
MOST_PICTURES = 4
SAME_POST_WITHIN = timedelta(hours=1)  # X's own clock; nobody says the same words twice so soon on purpose
# what X takes for a link, and asks thirteen times the price for; better to expect one too many
_LINK = re.compile(r"https?://|\b[\w-]+\.[a-z]{2,}\b", re.IGNORECASE)


class XPlatform(Platform):
    needs_client = True
    needs_connection = True
    capabilities = frozenset(
        {
            Capability.READ_PROFILE,
            Capability.READ_POSTS,
            Capability.READ_FOLLOWERS,
            Capability.READ_FOLLOWS,
            Capability.READ_LIKES,
            Capability.READ_SHARES,
            Capability.SEE_PRESENCE,
            Capability.PUBLISH,
            Capability.DELETE_POST,
            Capability.UNDO_LIKE,
            Capability.UNDO_FOLLOW,
            Capability.UNDO_SHARE,
            Capability.REVOKE_ACCESS,
        }
    )
    oauth = OAuth(
        scopes=(
            "tweet.read", "users.read", "users.email", "follows.read", "like.read", "tweet.write", "like.write",
            "follows.write", "media.write", "offline.access",
        ),
        authorize_path="/i/oauth2/authorize",
        token_path="/2/oauth2/token",  # noqa: S106
        revoke_path="/2/oauth2/revoke",
        people_at=(("https://api.x.com", "https://x.com"), ("https://api.twitter.com", "https://x.com")),
        by_others=frozenset({Capability.SEE_PRESENCE}),
    )  # fmt: skip
    transport: httpx.BaseTransport | None = None  # where a test plays X
    _seen: Face | None = None

    # ---- reading

    def profile(self) -> Profile:
        face = self._own_face()
        return Profile(
            remote_id=face.number,
            handle=face.handle,
            display_name=face.display_name,
            text=face.text,
            private=face.private,
            picture=self._picture(face.picture),
            setup_email=face.email,
            counts=face.counts,
        )

    def presence(self) -> Presence:
        """By the stored id, never by a name that somebody else may have taken. GONE: X knows no such account now,
        deactivated or deleted. A suspended account is neither, so Refused is raised.
        """
        from socialgov.platforms.x_client import Refused

        number = self._stored_number()
        try:
            body = self._client.ask("users", lambda x: x.get_users(ids=[number]), serves=Capability.SEE_PRESENCE)
        except Refused as refusal:
            if refusal.problem.missing:
                return Presence.GONE
            raise
        with self._client.readable():
            if [number_of(user) for user in listed(body.get("data"))] != [number]:
                raise Unreadable
        return Presence.LIVE

    def posts(self) -> list[RemotePost]:
        """Everything with words of its own, replies and quotes too: none may have been made elsewhere (MED512)."""
        return [RemotePost(one.number, one.text, one.at) for one in self._lists.timeline() if not one.reposts]

    def conversations(self) -> list[str]:
        said = self._lists.timeline()
        own = {one.number for one in said}
        return [one.number for one in said if one.answers_another(self._number, own)]

    def shares(self) -> list[str]:
        return [one.number for one in self._lists.timeline() if one.shares]

    def followers(self) -> list[RemoteFollower]:
        """Those who asked and wait are shown to nobody but a person on X itself."""
        return self._lists.followers()

    def follows(self) -> list[str]:
        return self._lists.following()

    def likes(self) -> list[str]:
        return self._lists.liked()

    # ---- doing

    def publish(self, text: str, pictures: Iterable[Picture], *, key: str) -> str:
        """X keeps no key for a request, so the newest posts are read first: the same words within the hour are it.

        After that a lost answer is settled by reading the whole account, never by asking again. So words there must be:
        pictures alone could not be told apart.
        """
        shown = list(pictures)
        if not text.split():
            raise PlatformError("A post needs words.", permanent=True, mend="Write what it should say.")
        if len(shown) > MOST_PICTURES:
            raise PlatformError(
                f"{self.info.name} takes {MOST_PICTURES} pictures a post.", permanent=True, mend="Leave some out."
            )
        if key not in self._uploads and (number := self._out_already(text)) is not None:
            return number
        media = self._media(shown, key) or None
        del self._uploads[key]  # from here on whoever asks again must look first
        call = "post_with_link" if _LINK.search(text) else "post"
        self._lists.forget()
        body = self._client.ask(
            call, lambda x: x.create_tweet(text=text, media_ids=media, user_auth=False), serves=Capability.PUBLISH
        )
        with self._client.readable(effect=True):
            return number_of(body.get("data"))

    def delete_post(self, remote_id: str) -> None:
        """A repost is taken back, which is how X deletes one; that needs the id of what it repeats."""
        number = self._checked(remote_id)
        if (source := self._lists.sources.get(number)) is not None:
            self._unrepost(source, Capability.DELETE_POST)
            return
        with self._on_timeline(number):
            self._undo(
                "delete", ("deleted",), lambda x: x.delete_tweet(number, user_auth=False), Capability.DELETE_POST
            )

    def undo_like(self, remote_id: str) -> None:
        route = f"/2/users/{self._number}/likes/{self._checked(remote_id)}"
        self._undo("undo", ("liked",), lambda x: x.request("DELETE", route), Capability.UNDO_LIKE)

    def undo_follow(self, remote_id: str) -> None:
        route = f"/2/users/{self._number}/following/{self._checked(remote_id)}"
        self._undo("undo", ("following",), lambda x: x.request("DELETE", route), Capability.UNDO_FOLLOW)

    def undo_share(self, remote_id: str) -> None:
        """What is not on the timeline any more is taken back already. A quote is a post, and is deleted."""
        number = self._checked(remote_id)
        share = next((one for one in self._lists.timeline() if one.number == number), None)
        if share is None:
            return
        if share.reposts:
            self._unrepost(share.reposts, Capability.UNDO_SHARE)
        else:
            self.delete_post(number)

    def revoke_access(self) -> None:
        if self.access is not None:
            self.access.revoke()

    # ---- one account

    @cached_property
    def _wire(self) -> Wire:
        return Wire(self.info, transport=self.transport)

    @cached_property
    def _client(self) -> XClient:
        """Imported when it is first needed: tweepy takes a tenth of a second, and no page shows it."""
        from socialgov.platforms.x_client import XClient

        if self.access is None:
            raise PlatformError(
                f"This account is not connected with {self.info.name}.",
                permanent=True,
                mend="Connect it on the account's page.",
            )
        return XClient(self._wire, self.access, self.meter)

    def _own_face(self) -> Face:
        """Of the account that let us in, whatever is on record here. A field that is not allowed to us is not told."""
        body = self._client.ask(
            "me", lambda x: x.get_me(user_auth=False, user_fields=USER_FIELDS), serves=Capability.READ_PROFILE
        )
        with self._client.readable():
            face = face_of(body.get("data"))
            if any(kind_of(error) != "not-authorized-for-field" for error in listed(body.get("errors"))):
                raise Unreadable
        self._seen = face
        return face

    @cached_property
    def _number(self) -> str:
        return self.remote_id if is_number(self.remote_id) else self._own_face().number

    def _stored_number(self) -> str:
        if not self.remote_id:
            raise PlatformError(
                "This account's lasting number on the platform is not on record.",
                permanent=True,
                mend="Connect the account on its page, or have a person look.",
            )
        return self._checked(self.remote_id)

    def _checked(self, remote_id: str) -> str:
        if not is_number(remote_id):
            raise PlatformError(f"That is no number of {self.info.name}.", permanent=True)
        return remote_id

    def _picture(self, url: str | None) -> bytes | None:
        """In the larger of the sizes that X keeps, else as it is named. What cannot be fetched is not told."""
        if not url:
            return None if url is None else b""
        for wanted in dict.fromkeys((url.replace("_normal.", "_400x400."), url)):
            with suppress(PlatformError):
                reply = self._wire.fetch(wanted, limit=PICTURE_BYTES)
                if reply.ok and reply.content:
                    return reply.content
        return None

    @cached_property
    def _lists(self) -> XLists:
        from socialgov.platforms.x_lists import XLists

        return XLists(
            self._client, self._number, lambda: self._seen.counts if self._seen else Counts(), self.info.tariff
        )

    # ---- changing

    def _out_already(self, text: str) -> str | None:
        """The post that must be the one we are asked for: we were here before, and the answer was lost."""
        newest = self._lists.newest()
        clock = self._client.clock
        for one in newest:
            recent = clock is None or one.at >= clock - SAME_POST_WITHIN
            if recent and not one.refers and same_words(one.text, text):
                return one.number
        return None

    def _media(self, pictures: list[Picture], key: str) -> list[str]:
        """The ids of the pictures. Raises NotReady while X works on one; asked again with `key`, none is sent twice."""
        from socialgov.platforms.x_media import Upload

        with self._client.readable():
            if key not in self._uploads:
                self._uploads[key] = [Upload(self._client, picture) for picture in pictures]
            return [one.finish() for one in self._uploads[key]]

    @cached_property
    def _uploads(self) -> dict[str, list[Upload]]:
        """What was sent for a post, by its key."""
        return {}

    def _unrepost(self, source: str, serves: Capability) -> None:
        route = f"/2/users/{self._number}/retweets/{self._checked(source)}"
        with self._on_timeline(source):
            self._undo("undo", ("retweeted", "reposted"), lambda x: x.request("DELETE", route), serves)

    @contextmanager
    def _on_timeline(self, number: str) -> Iterator[None]:
        """Taking this off the timeline: what was read of it stays good only where X says how that went."""
        try:
            yield
        except PlatformError:
            self._lists.forget()
            raise
        self._lists.drop(number)

    def _undo(self, call: str, told: tuple[str, ...], send: Send, serves: Capability) -> None:
        """X answers with how it is now. What it does not know any more is undone already."""
        from socialgov.platforms.x_client import Refused

        try:
            body = self._client.ask(call, send, serves=serves, repeatable=True)
        except Refused as refusal:
            if refusal.problem.missing:
                return
            raise
        wanted = call == "delete"
        if not any(at(body, "data", name) is wanted for name in told):
            raise self._wire.broken("does not say that it was done")
