"""Bluesky through the AT Protocol's own methods (com.atproto.*), straight at the server that keeps the account.

What an account does is in its own repository, which anybody can list. Who follows it, and what moderators say of it,
only an index tells (bluesky_index.py): without one those stay a person's to look at, as direct messages always do.
An account is known by its DID; a handle that became free can be taken by somebody else the same day. Nothing on
Bluesky is private (facts: ACC103 needs the head's exception).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from socialgov.models import Capability, Presence
from socialgov.platforms.atproto import Refused, at, moment_of, record_key, stamp, suppress_refusal, text_of
from socialgov.platforms.base import (
    LoginRefused,
    Picture,
    PlatformError,
    Profile,
    RemoteFollower,
    RemotePost,
    is_token_of,
    token_name,
)
from socialgov.platforms.bluesky_calls import BlueskyCalls, Session
from socialgov.platforms.bluesky_pictures import FACE_TYPES, fitted

if TYPE_CHECKING:
    from socialgov.models import PlatformInfo

POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
FOLLOW, PROFILE = "app.bsky.graph.follow", "app.bsky.actor.profile"
MOST_PICTURES = 4
_CODE = re.compile(r"[A-Z2-7]{5}-[A-Z2-7]{5}")


class BlueskyPlatform(BlueskyCalls):
    capabilities = frozenset(
        {
            Capability.READ_PROFILE,
            Capability.READ_POSTS,
            Capability.READ_FOLLOWERS,
            Capability.READ_FOLLOWS,
            Capability.READ_LIKES,
            Capability.READ_SHARES,
            Capability.CHECK_LOGIN,
            Capability.PUBLISH,
            Capability.DELETE_POST,
            Capability.REVOKE_ACCESS,
            Capability.DEACTIVATE,
            Capability.DELETE_BY_MAILED_CODE,
            Capability.SEE_PRESENCE,
            Capability.MAKE_TOKEN,
            Capability.SET_PICTURE,
            Capability.UNDO_LIKE,
            Capability.UNDO_FOLLOW,
            Capability.UNDO_SHARE,
        }
    )
    # all else an app password may do (run against the real server)
    needs_password = frozenset({Capability.MAKE_TOKEN, Capability.DEACTIVATE, Capability.DELETE_BY_MAILED_CODE})

    @classmethod
    def offered(cls, info: PlatformInfo) -> frozenset[Capability]:
        """Followers through an index only."""
        return cls.capabilities if info.index_base else cls.capabilities - {Capability.READ_FOLLOWERS}

    # ---- reading

    def profile(self) -> Profile:
        """The profile record and its picture; counts and moderators' marks where an index tells them.

        The set-up address is told only to a deposited login.
        """
        did = self._did
        repo = self._xrpc.query("com.atproto.repo.describeRepo", repo=did)
        if repo.get("did") != did:
            raise self._wire.broken("answered for another account")
        record = self._xrpc.record(self._did, PROFILE, "self") or {}
        counts, labels = (None, None) if self._index is None else self._index.face(did)
        return Profile(
            remote_id=did,
            handle=text_of(repo.get("handle")),
            display_name=text_of(record.get("displayName")),
            text=text_of(record.get("description")),
            private=False,
            picture=self._picture(record.get("avatar")),
            setup_email=self._setup_email(),
            counts=counts,
            labels=labels,
        )

    def presence(self) -> Presence:
        """By getRepoStatus, the only method that tells deactivated from deleted.

        Raises PlatformError where that cannot be told: no DID known, suspended by the platform, or any other answer.
        """
        did = self._did
        try:
            status = self._xrpc.query("com.atproto.sync.getRepoStatus", did=did)
        except Refused as refusal:
            if refusal.name == "RepoNotFound":
                return Presence.GONE
            raise
        if status.get("did") == did:
            if status.get("active") is True:
                return Presence.LIVE
            if status.get("status") == "deactivated":
                return Presence.DEACTIVATED
            if status.get("status") == "deleted":
                return Presence.GONE
        raise PlatformError(
            f"{self.info.name} does not tell whether the account is still there.",
            permanent=False,
            mend="A person must look.",
        )

    def posts(self) -> list[RemotePost]:
        """Every post, replies and quotes included: none of them may have been made elsewhere (MED512)."""
        return [
            RemotePost(uri, text_of(value.get("text")), moment_of(value.get("createdAt")))
            for uri, value in self._all(POST)
        ]

    def conversations(self) -> list[str]:
        """Its replies to others. Direct messages are closed to this interface."""
        return [uri for uri, value in self._all(POST) if self._of_another(at(value, "reply", "parent", "uri"))]

    def likes(self) -> list[str]:
        return [text_of(at(value, "subject", "uri")) or uri for uri, value in self._all(LIKE)]

    def shares(self) -> list[str]:
        """Reposts, and posts that quote a post."""
        quotes = [uri for uri, value in self._all(POST) if _quoted(value)]
        return [uri for uri, _ in self._all(REPOST)] + quotes

    def follows(self) -> list[str]:
        return [text_of(value.get("subject")) or uri for uri, value in self._all(FOLLOW)]

    def followers(self) -> list[RemoteFollower]:
        """As the index lists them; nobody waits, for everybody may follow."""
        if self._index is None:
            raise self._cannot(Capability.READ_FOLLOWERS)
        return self._index.followers(self._did)

    def check_login(self) -> bool:
        """True only where the login opens this very account, not another one."""
        self._need_login()
        try:
            with self._session():
                return True
        except LoginRefused:
            return False

    # ---- a key of our own

    def make_token(self, name: str) -> str:
        """An app password (com.atproto.server.createAppPassword)."""
        self._need_password(Capability.MAKE_TOKEN)
        called = token_name(name)
        with self._session() as session:
            path = "/xrpc/com.atproto.server.createAppPassword"
            reply = self._wire.post(path, {"name": called}, token=session.access)
            if reply.error_name() == "InvalidToken":
                raise PlatformError(
                    "That is an app password, not the account's own password.",
                    permanent=True,
                    mend="Deposit the password that the account was set up with.",
                )
            secret = self._xrpc.answer(reply).get("password")
            if not isinstance(secret, str) or not secret:
                raise self._wire.broken("made an app password without telling it", effect=True)
            self._end_tokens(session, lambda one: is_token_of(name, one) and one != called)
        return secret

    def end_token(self, name: str) -> None:
        with self._session() as session:
            self._end_tokens(session, lambda one: is_token_of(name, one))

    def _end_tokens(self, session: Session, which: Callable[[str], bool]) -> None:
        """An app password may list and revoke app passwords, itself too (run against the real server)."""
        listed = self._xrpc.query("com.atproto.server.listAppPasswords", session.access).get("passwords")
        if not isinstance(listed, list):
            raise self._wire.broken("answered without a list of app passwords")
        for called in filter(which, (text_of(at(entry, "name")) for entry in listed)):
            body = {"name": called}
            self._xrpc.procedure("com.atproto.server.revokeAppPassword", body, token=session.access)

    # ---- doing

    def publish(self, text: str, pictures: Iterable[Picture], *, key: str) -> str:
        """The record's name is derived from `key` and the server is told to keep what is there: never twice."""
        shown = list(pictures)
        if len(shown) > MOST_PICTURES:
            raise PlatformError(
                f"{self.info.name} takes {MOST_PICTURES} pictures a post.", permanent=True, mend="Leave some out."
            )
        rkey = record_key(key)
        uri = f"at://{self._did}/{POST}/{rkey}"
        if self._xrpc.record(self._did, POST, rkey) is not None:
            return uri
        with self._session() as session:
            record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": stamp(session.now)}
            if shown:
                images = [self._upload(picture, session) for picture in shown]
                record["embed"] = {"$type": "app.bsky.embed.images", "images": images}
            body = {"repo": session.did, "collection": POST, "rkey": rkey, "record": record, "swapRecord": None}
            with suppress_refusal("InvalidSwap"):  # another worker was faster with the same key
                self._xrpc.procedure("com.atproto.repo.putRecord", body, token=session.access)
        self._lists.clear()
        return uri

    def delete_post(self, remote_id: str) -> None:
        self._own_record(remote_id)
        with self._session() as session:
            self._delete(remote_id, session)
        self._lists.clear()

    def undo_like(self, remote_id: str) -> None:
        self._take_back(LIKE, lambda uri, value: remote_id in (uri, at(value, "subject", "uri")))

    def undo_follow(self, remote_id: str) -> None:
        self._take_back(FOLLOW, lambda uri, value: remote_id in (uri, value.get("subject")))

    def undo_share(self, remote_id: str) -> None:
        """A repost is a record of its own, a quote is a post: any other post is left alone."""
        collection, rkey = self._own_record(remote_id)
        post = self._xrpc.record(self._did, POST, rkey) if collection == POST else None
        if collection == POST and post is None:
            return
        if collection != REPOST and not (post and _quoted(post)):
            raise PlatformError("That is no repost of this account.", permanent=True)
        self.delete_post(remote_id)

    def set_picture(self, content: bytes, mime: str) -> None:
        """All else in the profile stays as it is. Raises PlatformError where it changed meanwhile."""
        shown, kind = fitted(content, mime, only=FACE_TYPES)
        cid, record = self._xrpc.entry(self._did, PROFILE, "self") or (None, {"$type": PROFILE})
        if cid == "":
            raise self._wire.broken("does not tell which state the profile is in")
        with self._session() as session:
            record = {**record, "avatar": self._keep(shown, kind, session)}
            body = {"repo": session.did, "collection": PROFILE, "rkey": "self", "record": record, "swapRecord": cid}
            self._xrpc.procedure("com.atproto.repo.putRecord", body, token=session.access)

    def revoke_access(self) -> None:
        """Every app password, ours and those of other programs, and our own session with it."""
        with self._session() as session:
            self._end_tokens(session, lambda _: True)

    def deactivate(self) -> None:
        if self.presence() is not Presence.LIVE:
            return
        self._need_password(Capability.DEACTIVATE)
        with self._session() as session:
            self._xrpc.procedure("com.atproto.server.deactivateAccount", {}, token=session.access)

    def ask_deletion_code(self) -> None:
        self._need_password(Capability.DELETE_BY_MAILED_CODE)
        with self._session() as session:
            self._xrpc.procedure("com.atproto.server.requestAccountDelete", None, token=session.access)

    def delete(self, code: str | None = None) -> None:
        if code is None:
            raise self._cannot(Capability.DELETE)
        if self.presence() is Presence.GONE:
            return
        token = code.strip().upper()
        if not _CODE.fullmatch(token):
            raise PlatformError(
                "That is not a deletion code.",
                permanent=True,
                mend="It has five letters or digits, a dash and five more: copy it from the e-mail.",
            )
        login = self._need_password(Capability.DELETE_BY_MAILED_CODE)
        body = {"did": self._did, "password": login.secret, "token": token}
        self._xrpc.procedure("com.atproto.server.deleteAccount", body)


def _quoted(post: dict[str, Any]) -> bool:
    return str(at(post, "embed", "$type") or "").startswith("app.bsky.embed.record")
