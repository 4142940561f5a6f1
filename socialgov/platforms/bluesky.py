"""Bluesky through the AT Protocol's own methods (com.atproto.*), straight at the server that keeps the account.

No AppView is needed: what an account does is in its own repository, which anybody can list. So followers and direct
messages, which are not in it, stay a person's to look at. An account is known by its DID; a handle that became free
can be taken by somebody else the same day. Nothing on Bluesky is private (facts: ACC103 needs the head's exception).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from socialgov.models import Capability, Presence
from socialgov.platforms.atproto import (
    Refused,
    Xrpc,
    at,
    moment_of,
    record_key,
    stamp,
    suppress_refusal,
    text_of,
)
from socialgov.platforms.base import (
    LoginRefused,
    Picture,
    Platform,
    PlatformError,
    Profile,
    RemotePost,
    is_token_of,
    token_name,
)
from socialgov.platforms.wire import Wire

if TYPE_CHECKING:
    import httpx

POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
FOLLOW, PROFILE = "app.bsky.graph.follow", "app.bsky.actor.profile"
PICTURE_BYTES = 1_000_000  # app.bsky.embed.images and app.bsky.actor.profile: maxSize
MOST_PICTURES = 4
_CODE = re.compile(r"[A-Z2-7]{5}-[A-Z2-7]{5}")


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in for one piece of work. `now` is the server's own clock."""

    did: str
    email: str | None
    now: datetime
    access: str = field(repr=False)
    refresh: str = field(repr=False)


class BlueskyPlatform(Platform):
    capabilities = frozenset(
        {
            Capability.READ_PROFILE,
            Capability.READ_POSTS,
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
        }
    )
    # all else an app password may do (run against the real server)
    needs_password = frozenset({Capability.MAKE_TOKEN, Capability.DEACTIVATE, Capability.DELETE_BY_MAILED_CODE})
    transport: httpx.BaseTransport | None = None  # where a test plays the network

    # ---- reading

    def profile(self) -> Profile:
        """The profile record and its picture. The set-up address is told only to a deposited login."""
        did = self._did
        repo = self._xrpc.query("com.atproto.repo.describeRepo", repo=did)
        record = self._xrpc.record(self._did, PROFILE, "self") or {}
        return Profile(
            remote_id=did,
            handle=text_of(repo.get("handle")),
            display_name=text_of(record.get("displayName")),
            text=text_of(record.get("description")),
            private=False,
            picture=self._picture(record.get("avatar")),
            setup_email=self._setup_email(),
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
        collection, rkey = self._own_record(remote_id)
        with self._session() as session:
            body = {"repo": session.did, "collection": collection, "rkey": rkey}
            self._xrpc.procedure("com.atproto.repo.deleteRecord", body, token=session.access)
        self._lists.clear()

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
        if self.presence() is Presence.GONE:
            return
        token = (code or "").strip().upper()
        if not _CODE.fullmatch(token):
            raise PlatformError(
                "That is not a deletion code.",
                permanent=True,
                mend="It has five letters or digits, a dash and five more: copy it from the e-mail.",
            )
        login = self._need_password(Capability.DELETE_BY_MAILED_CODE)
        body = {"did": self._did, "password": login.secret, "token": token}
        self._xrpc.procedure("com.atproto.server.deleteAccount", body)

    # ---- one account

    @cached_property
    def _wire(self) -> Wire:
        return Wire(self.info, transport=self.transport)

    @cached_property
    def _xrpc(self) -> Xrpc:
        return Xrpc(self._wire)

    @cached_property
    def _lists(self) -> dict[str, list[tuple[str, dict[str, Any]]]]:
        """Collections read so far: posts, quotes and replies are one list on the server."""
        return {}

    @cached_property
    def _did(self) -> str:
        if self.remote_id:
            return self.remote_id
        handle = (self.handle or "").strip().removeprefix("@").lower()
        if not handle:
            raise PlatformError("This account has no handle on record.", permanent=True, mend="Record its set-up.")
        try:
            did = self._xrpc.query("com.atproto.identity.resolveHandle", handle=handle).get("did")
        except Refused:
            raise PlatformError(
                f"{self.info.name} knows no account {handle}.", permanent=True, mend="Check the handle."
            ) from None
        if not isinstance(did, str) or not did.startswith("did:"):
            raise self._wire.broken("answered without an identity")
        return did

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Sign in for one piece of work and out again, so that no token outlives it."""
        session = self._sign_in()
        try:
            if session.did != self._did:
                raise self._refused_login("The deposited login opens another account.")
            yield session
        finally:
            with suppress(PlatformError):  # the work's own outcome counts, and a token dies of age too
                self._xrpc.procedure("com.atproto.server.deleteSession", None, token=session.refresh, effect=False)

    def _sign_in(self) -> Session:
        login = self._need_login()
        body = {"identifier": login.username.strip().removeprefix("@"), "password": login.secret}
        path = "/xrpc/com.atproto.server.createSession"
        reply = self._wire.post(path, body, effect=False)
        if reply.error_name() == "AuthFactorTokenRequired":
            raise PlatformError(
                f"{self.info.name} wants a second code by e-mail, so nothing can sign in by machine.",
                permanent=True,
                mend="Make an app password on Bluesky and deposit that for the machine.",
            )
        if reply.status == 401:
            raise self._refused_login()
        answer = self._xrpc.answer(reply)
        tokens = [answer.get(name) for name in ("did", "accessJwt", "refreshJwt")]
        if not all(isinstance(token, str) and token for token in tokens):
            raise self._wire.broken("answered a sign-in without a session")
        did, access, refresh = (str(token) for token in tokens)
        if reply.sent_at is None:
            raise self._wire.broken("does not tell the time")
        email = answer.get("email")
        return Session(did, email if isinstance(email, str) else None, reply.sent_at, access, refresh)

    def _setup_email(self) -> str | None:
        if self.login is None:
            return None
        try:
            with self._session() as session:
                return session.email
        except PlatformError:  # whatever is wrong with the login, what everybody can see is read all the same
            return None

    # ---- records

    def _all(self, collection: str) -> list[tuple[str, dict[str, Any]]]:
        if collection not in self._lists:
            self._lists[collection] = self._xrpc.records(self._did, collection)
        return self._lists[collection]

    def _picture(self, blob: Any) -> bytes | None:
        if blob is None:
            return b""
        cid = at(blob, "ref", "$link") or at(blob, "cid")  # the second is the shape of old records
        if not isinstance(cid, str):
            return None
        params = {"did": self._did, "cid": cid}
        reply = self._wire.get("/xrpc/com.atproto.sync.getBlob", params, limit=2 * PICTURE_BYTES)
        return reply.content if reply.ok and reply.content else None

    def _upload(self, picture: Picture, session: Session) -> dict[str, Any]:
        """A picture that no record names yet: the server forgets it by itself, so a lost answer does no harm."""
        content, mime = fitted(picture)
        reply = self._wire.post(
            "/xrpc/com.atproto.repo.uploadBlob", content=content, mime=mime, token=session.access, effect=False
        )
        blob = self._xrpc.answer(reply).get("blob")
        if not isinstance(blob, dict):
            raise self._wire.broken("took a picture without saying where")
        shape = {"width": max(1, picture.width), "height": max(1, picture.height)}
        return {"image": blob, "alt": picture.alt, "aspectRatio": shape}

    def _own_record(self, uri: str) -> tuple[str, str]:
        """(collection, rkey) of a record of this account; anything else is refused, not guessed at."""
        parts = uri.removeprefix("at://").split("/")
        if not uri.startswith("at://") or len(parts) != 3 or not all(parts) or parts[0] != self._did:
            raise PlatformError("That post is not on this account.", permanent=True)
        return parts[1], parts[2]

    def _of_another(self, uri: Any) -> bool:
        return isinstance(uri, str) and not uri.startswith(f"at://{self._did}/")


def fitted(picture: Picture) -> tuple[bytes, str]:
    """The picture's bytes and type, saved again in smaller steps until the platform takes them."""
    if len(picture.content) <= PICTURE_BYTES:
        return picture.content, picture.mime
    from io import BytesIO

    from PIL import Image

    try:
        with Image.open(BytesIO(picture.content)) as opened:
            image = opened.convert("RGB")
        for side, quality in ((2048, 85), (2048, 75), (1600, 75), (1200, 70), (800, 60)):
            image.thumbnail((side, side))
            out = BytesIO()
            image.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= PICTURE_BYTES:
                return out.getvalue(), "image/jpeg"
    except (OSError, ValueError, Image.DecompressionBombError):
        pass
    raise PlatformError("This picture is too large for the platform.", permanent=True, mend="Use a smaller one.")


def _quoted(post: dict[str, Any]) -> bool:
    return str(at(post, "embed", "$type") or "").startswith("app.bsky.embed.record")
