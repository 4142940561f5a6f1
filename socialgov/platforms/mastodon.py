"""Mastodon through Mastodon.py, over our own wire, on whatever server the account is.

The server is that of the handle (`name@server.example`), unless the school's api_base names one. Facts: the server's
own documentation and source (4.x). It can nearly everything but delete the account, which a person does in its
settings. `locked` alone closes nothing: whoever posts in public from a locked account is read by everybody, so an
account counts as private only when it is locked, posts to followers by default, and shows nobody else a post.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from socialgov.models import Capability, Presence
from socialgov.platforms.base import (
    Counts,
    OAuth,
    Picture,
    PlatformError,
    Profile,
    RemoteFollower,
    RemotePost,
    count_of,
)
from socialgov.platforms.mastodon_calls import PAGE, PAGE_OF_POSTS, MastodonCalls
from socialgov.platforms.mastodon_parts import (
    Absent,
    Unauthorised,
    is_quote,
    is_reply,
    is_share,
    moment_of,
    text_of,
    word,
)

FOR_FOLLOWERS = frozenset({"private", "direct"})


class MastodonPlatform(MastodonCalls):
    capabilities = frozenset(
        {
            Capability.READ_PROFILE,
            Capability.READ_POSTS,
            Capability.READ_FOLLOWERS,
            Capability.READ_FOLLOWS,
            Capability.READ_LIKES,
            Capability.READ_SHARES,
            Capability.PUBLISH,
            Capability.DELETE_POST,
            Capability.ACCEPT_FOLLOWER,
            Capability.REMOVE_FOLLOWER,
            Capability.REVOKE_ACCESS,
            Capability.SEE_PRESENCE,
            Capability.SET_PICTURE,
            Capability.SET_PRIVATE,
            Capability.UNDO_LIKE,
            Capability.UNDO_FOLLOW,
            Capability.UNDO_SHARE,
        }
    )
    needs_connection = True
    oauth = OAuth(
        scopes=(
            "read:accounts",
            "read:statuses",
            "read:favourites",
            "read:follows",
            "write:accounts",
            "write:statuses",
            "write:media",
            "write:favourites",
            "write:follows",
        ),
        authorize_path="/oauth/authorize",
        token_path="/oauth/token",  # noqa: S106
        revoke_path="/oauth/revoke",
        register_path="/api/v1/apps",
        token_auth="client_secret_post",  # noqa: S106
        by_others=frozenset({Capability.SEE_PRESENCE}),
        by_anybody=frozenset({Capability.SEE_PRESENCE}),
    )

    # ---- reading

    def profile(self) -> Profile:
        """That of the account which let us in. `private` looks at its newest posts too: see the module."""
        face = self._own_face
        source, posts = self._object(face.get("source")), self._statuses(word(face, "id"))
        locked, default = face.get("locked"), source.get("privacy")
        if not isinstance(locked, bool) or not isinstance(default, str):
            raise self._wire.broken("does not tell whether the account is private")
        shown = any(word(post, "visibility") not in FOR_FOLLOWERS for post in posts if not is_share(post))
        return Profile(
            remote_id=word(face, "id"),
            handle=self._whole_handle(word(face, "acct")),
            display_name=word(face, "display_name"),
            text=word(source, "note").strip() or text_of(word(face, "note")),
            private=locked and default in FOR_FOLLOWERS and not shown,
            picture=self._picture_at(word(face, "avatar")),
            counts=Counts(
                followers=count_of(face.get("followers_count")),
                follows=count_of(face.get("following_count")),
                posts=count_of(face.get("statuses_count")),
            ),
        )

    def presence(self) -> Presence:
        """By the lasting id, as a stranger sees it. Only the server's own `Record not found` counts as gone."""
        if not self.remote_id:
            raise PlatformError(
                "This account was never connected, so its lasting number is not known.",
                permanent=True,
                mend="Look at its page in a browser that is signed out.",
            )
        try:
            try:
                with self._call():
                    face = self._open.account(self.remote_id)
            except Unauthorised:  # a server that shows strangers nothing
                face = self._ask(lambda: self._client.account(self.remote_id))
        except Absent:
            return Presence.GONE
        if word(face, "id") != self.remote_id:
            raise self._wire.broken("answered for another account")
        return Presence.DEACTIVATED if face.get("suspended") is True else Presence.LIVE

    def posts(self) -> list[RemotePost]:
        """Quotes and answers too: each has words of its own."""
        return [
            RemotePost(word(post, "id"), text_of(word(post, "content")), moment_of(post.get("created_at")))
            for post in self._own_posts()
            if not is_share(post) or is_quote(post)
        ]

    def conversations(self) -> list[str]:
        """Its answers to others, and what it wrote to single people."""
        return [
            word(post, "id")
            for post in self._own_posts()
            if not is_share(post) and (is_reply(post, self._id) or word(post, "visibility") == "direct")
        ]

    def shares(self) -> list[str]:
        return [word(post, "id") for post in self._own_posts() if is_share(post)]

    def likes(self) -> list[str]:
        self._need_own()
        return _ids(self._pages(lambda: self._client.favourites(limit=PAGE_OF_POSTS), PAGE_OF_POSTS))

    def follows(self) -> list[str]:
        return _ids(self._pages(lambda: self._client.account_following(self._id, limit=PAGE), PAGE))

    def followers(self) -> list[RemoteFollower]:
        """Those who ask are a list of their own."""
        there = self._pages(lambda: self._client.account_followers(self._id, limit=PAGE), PAGE)
        asking = self._pages(lambda: self._client.follow_requests(limit=PAGE), PAGE)
        found: dict[str, RemoteFollower] = {}
        for listed, waiting in ((asking, True), (there, False)):
            for one in listed:
                number, handle, name = word(one, "id"), word(one, "acct"), word(one, "display_name")
                if "@" not in handle:
                    handle = self._whole_handle(handle)
                found[number] = RemoteFollower(number, handle, name or handle, waiting)
        return list(found.values())

    # ---- doing

    def publish(self, text: str, pictures: Iterable[Picture], *, key: str) -> str:
        """The server keeps `key` for an hour; what became of an older post is found by reading (settle_publishing).

        For followers only where the account is locked, whatever its default is; else as the account's default says.
        """
        me = self._id
        shown = [self._upload(picture) for picture in pictures]
        visibility = "private" if self._own_face.get("locked") is not False else None

        made = self._change(
            Capability.PUBLISH,
            lambda: self._client.status_post(text, media_ids=shown or None, visibility=visibility, idempotency_key=key),
        )
        number = word(made, "id")
        if not number or word(made.get("account"), "id") != me:
            raise self._wire.broken("does not say where the post is", effect=True)
        return number

    def delete_post(self, remote_id: str) -> None:
        """With its pictures, at once: otherwise the server keeps them for a day."""
        number = _number(remote_id, "That post is not on this account.")
        self._need_own()
        self._take(Capability.DELETE_POST, lambda: self._client.status_delete(number, delete_media=True))

    def accept_follower(self, remote_id: str) -> None:
        """A request that was taken back meanwhile is an error: nobody was let in."""
        number = _number(remote_id, "There is no such follower.")
        self._need_own()
        try:
            relation = self._change(Capability.ACCEPT_FOLLOWER, lambda: self._client.follow_request_authorize(number))
        except Absent:
            relation = self._relation(number)
        if relation.get("followed_by") is not True:
            raise PlatformError(
                f"{self.info.name} knows no such request.", permanent=True, mend="Look at the list again."
            )

    def remove_follower(self, remote_id: str) -> None:
        """Refuses a request and ends a follow: which of them it is may have changed since the list was read."""
        number = _number(remote_id, "There is no such follower.")
        self._need_own()
        self._take(Capability.REMOVE_FOLLOWER, lambda: self._client.follow_request_reject(number))
        self._take(Capability.REMOVE_FOLLOWER, lambda: self._client.account_remove_from_followers(number))

    def set_picture(self, content: bytes, mime: str) -> None:
        self._need_own()
        self._change(
            Capability.SET_PICTURE,
            lambda: self._client.account_update_credentials(avatar=content, avatar_mime_type=mime),
        )

    def set_private(self) -> None:
        """Locked, followers only by default, out of the directory and the search, its lists hidden."""
        self._need_own()
        face = self._change(
            Capability.SET_PRIVATE,
            lambda: self._client.account_update_credentials(
                locked=True, default_privacy="private", hide_collections=True, discoverable=False, indexable=False
            ),
        )
        if face.get("locked") is not True or word(face.get("source"), "privacy") not in FOR_FOLLOWERS:
            raise self._wire.broken("was asked to make the account private and did not")

    def undo_like(self, remote_id: str) -> None:
        number = _number(remote_id, "There is no such like.")
        self._need_own()
        self._take(Capability.UNDO_LIKE, lambda: self._client.status_unfavourite(number))

    def undo_follow(self, remote_id: str) -> None:
        number = _number(remote_id, "This account follows nobody of that number.")
        self._need_own()
        self._take(Capability.UNDO_FOLLOW, lambda: self._client.account_unfollow(number))

    def undo_share(self, remote_id: str) -> None:
        """A repost is undone by what it repeats, a quote is a post of its own."""
        number = _number(remote_id, "There is no such repost.")
        me = self._id
        try:
            post = self._object(self._ask(lambda: self._client.status(number)))
        except Absent:
            return
        if word(post.get("account"), "id") != me or not is_share(post):
            raise PlatformError("That is no repost of this account.", permanent=True)
        if is_quote(post):
            self.delete_post(remote_id)
        else:
            repeated = word(post.get("reblog"), "id")
            self._take(Capability.UNDO_SHARE, lambda: self._client.status_unreblog(repeated))

    def revoke_access(self) -> None:
        if self.access is not None:
            self.access.revoke()


def _ids(listed: Iterable[dict[str, Any]]) -> list[str]:
    return [word(one, "id") for one in listed]


def _number(remote_id: str, otherwise: str) -> str:
    """An id as it may stand in an address. Raises PlatformError, saying `otherwise`."""
    if not (remote_id.isascii() and remote_id.isalnum()):
        raise PlatformError(otherwise, permanent=True)
    return remote_id
