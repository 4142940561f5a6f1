"""The simulated network (socialgov/sandbox) over its JSON interface: everything a platform could offer a school.

`api_base` is where that interface stands, for example `http://127.0.0.1:5000/sandbox/api`.

Like most real ones it has no deletion on demand: a deactivated account is deleted once the days are over.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from socialgov.models import Capability, Presence
from socialgov.platforms.base import (
    LoginRefused,
    Picture,
    Platform,
    PlatformError,
    Profile,
    RemoteFollower,
    RemotePost,
    is_token_of,
    token_name,
)
from socialgov.platforms.wire import Reply, Wire

if TYPE_CHECKING:
    import httpx

PICTURE_BYTES = 5_000_000
MOST_PAGES = 2_000

# Only words we know are shown.
_TOLD = {
    "no_account": ("knows no such account", "Check the name."),
    "gone": ("has deleted this account", ""),
    "private": (
        "shows this account's posts to its followers only",
        "Deposit its login again, so that socialgov gets a key.",
    ),
    "deactivated": ("says that the account is deactivated", ""),
    "name_taken": ("has given that name to somebody else", ""),
    "no_follower": ("knows no such follower", "Look at the list again."),
    "bad_picture": ("does not take this picture", ""),
    "too_long": ("says that the text is too long", ""),
    "weak_password": ("finds the new password too weak", ""),
    "needs_password": ("wants the account's own password for this", "A network manager opens the vault for it."),
}


class Refused(PlatformError):
    """The network understood and said no. `word` is its reason; for comparing only."""

    def __init__(self, platform: str, reply: Reply) -> None:
        self.word = reply.error_name()
        told, mend = _TOLD.get(self.word, (f"refused ({reply.status})", ""))
        super().__init__(f"{platform} {told}.", permanent=True, mend=mend)


class SandboxPlatform(Platform):
    capabilities = frozenset(Capability) - {Capability.DELETE, Capability.DELETE_BY_MAILED_CODE}
    needs_password = frozenset({Capability.MAKE_TOKEN})  # an app password may do everything else (sandbox/keys.py)
    transport: httpx.BaseTransport | None = None  # where a test plays the network

    # ---- reading

    def profile(self) -> Profile:
        with self._reading() as token:
            face = self._get(f"/accounts/{self._id}", token)
            picture = b"" if face.get("has_picture") is False else None
            if face.get("has_picture") is True:
                reply = self._wire.get(f"/accounts/{self._id}/picture", limit=PICTURE_BYTES)
                picture = reply.content if reply.ok and reply.content else None
        private, email = face.get("private"), face.get("email")
        if not isinstance(private, bool):
            raise self._wire.broken("does not tell whether the account is private")
        return Profile(
            remote_id=self._id,
            handle=str(face.get("name", "")),
            display_name=str(face.get("display_name", "")),
            text=str(face.get("text", "")),
            private=private,
            picture=picture,
            setup_email=email if isinstance(email, str) else None,
        )

    def presence(self) -> Presence:
        """By the lasting id. Only the network's own word `gone` counts as gone, not any page that is not found."""
        account_id = self._id
        try:
            face = self._get(f"/accounts/{account_id}")
        except Refused as refusal:
            if refusal.word == "gone":
                return Presence.GONE
            raise
        try:
            seen = Presence(str(face.get("presence")))
        except ValueError:
            raise self._wire.broken("does not tell whether the account is there") from None
        if face.get("id") != account_id or seen is Presence.GONE:
            raise self._wire.broken("answered for another account")
        return seen

    def posts(self) -> list[RemotePost]:
        return [
            RemotePost(str(item.get("id")), str(item.get("text", "")), _moment(item.get("posted_at")))
            for item in self._items("posts")
            if item.get("share_of") is None
        ]

    def conversations(self) -> list[str]:
        """Its answers to what others posted."""
        return [
            str(item.get("id"))
            for item in self._items("posts")
            if item.get("reply_to") is not None and item.get("reply_to_account") != self._id
        ]

    def shares(self) -> list[str]:
        return [str(item.get("id")) for item in self._items("posts") if item.get("share_of") is not None]

    def likes(self) -> list[str]:
        return [str(item) for item in self._list("likes")]

    def follows(self) -> list[str]:
        return [str(item) for item in self._list("follows")]

    def followers(self) -> list[RemoteFollower]:
        return [
            RemoteFollower(
                remote_id=str(item.get("id")),
                handle=str(item.get("name", "")),
                display_name=str(item.get("display_name", "")),
                waiting=item.get("waiting") is True,
            )
            for item in self._items("followers")
        ]

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
        self._need_password(Capability.MAKE_TOKEN)
        called = token_name(name)
        with self._session() as token:
            made = self._change("POST", f"/accounts/{self._id}/app-passwords", token, {"name": called})
            secret = made.get("password")
            if not isinstance(secret, str) or not secret:
                raise self._wire.broken("made an app password without telling it", effect=True)
            self._end_tokens(name, token, but=called)
        return secret

    def end_token(self, name: str) -> None:
        with self._session() as token:
            self._end_tokens(name, token)

    def _end_tokens(self, name: str, token: str, *, but: str = "") -> None:
        for called in (str(item.get("name")) for item in self._items("app-passwords")):
            if is_token_of(name, called) and called != but:
                self._change("DELETE", f"/accounts/{self._id}/app-passwords/{quote(called, safe='')}", token)

    # ---- doing

    def publish(self, text: str, pictures: Iterable[Picture], *, key: str) -> str:
        """The network itself keeps `key`, so a repeated request is the same post."""
        shown = [_shown(picture.content, picture.mime, picture.alt) for picture in pictures]
        body = {"text": text, "pictures": shown}
        with self._session() as token:
            path = f"/accounts/{self._id}/posts/{quote(key, safe='')}"
            made = self._change("PUT", path, token, body)
        number = made.get("id")
        if not isinstance(number, str) or not number:
            raise self._wire.broken("does not say where the post is", effect=True)
        return number

    def delete_post(self, remote_id: str) -> None:
        number = _number(remote_id, "That post is not on this account.")
        with self._session() as token:
            self._change("DELETE", f"/accounts/{self._id}/posts/{number}", token)

    def accept_follower(self, remote_id: str) -> None:
        with self._session() as token:
            self._change("POST", f"/accounts/{self._id}/followers/{quote(remote_id, safe='')}/accept", token)

    def remove_follower(self, remote_id: str) -> None:
        with self._session() as token:
            self._change("DELETE", f"/accounts/{self._id}/followers/{quote(remote_id, safe='')}", token)

    def set_picture(self, content: bytes, mime: str) -> None:
        self._set_face({"picture": _shown(content, mime, "")})

    def set_private(self) -> None:
        if self._set_face({"private": True}).get("private") is not True:
            raise self._wire.broken("was asked to make the account private and did not")

    def undo_like(self, remote_id: str) -> None:
        number = _number(remote_id, "There is no such like.")
        with self._session() as token:
            self._change("DELETE", f"/accounts/{self._id}/likes/{number}", token)

    def undo_follow(self, remote_id: str) -> None:
        with self._session() as token, _already("no_account"):
            self._change("DELETE", f"/accounts/{self._id}/follows/{quote(remote_id, safe='')}", token)

    def undo_share(self, remote_id: str) -> None:
        """A repost is a post there, so first it is seen that it is one: nothing of the school's own is taken down."""
        number = _number(remote_id, "There is no such repost.")
        found = next((item for item in self._items("posts") if str(item.get("id")) == number), None)
        if found is None:
            return
        if found.get("share_of") is None:
            raise PlatformError("That is no repost of this account.", permanent=True)
        self.delete_post(number)

    def change_password(self, new_secret: str) -> None:
        """The network ends every session with it. An app password needs no old one."""
        login = self._need_login()
        body = {"new": new_secret} if login.is_token else {"old": login.secret, "new": new_secret}
        with self._session() as token:
            self._change("POST", f"/accounts/{self._id}/password", token, body)

    def revoke_access(self) -> None:
        """Every session and every app password, the one in hand too."""
        with self._session() as token:
            self._change("DELETE", "/access", token)

    def deactivate(self) -> None:
        if self.presence() is not Presence.LIVE:
            return
        with self._session() as token:
            self._change("POST", f"/accounts/{self._id}/deactivate", token)

    def _set_face(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        with self._session() as token:
            return self._change("PATCH", f"/accounts/{self._id}", token, changes)

    # ---- one account

    @cached_property
    def _wire(self) -> Wire:
        return Wire(self.info, transport=self.transport)

    @cached_property
    def _id(self) -> str:
        if self.remote_id:
            return quote(self.remote_id, safe="")
        name = (self.handle or "").strip().removeprefix("@").lower()
        if not name:
            raise PlatformError("This account has no handle on record.", permanent=True, mend="Record its set-up.")
        found = self._get(f"/names/{quote(name, safe='')}").get("id")
        if not isinstance(found, str) or not found.isalnum():
            raise self._wire.broken("answered without an account")
        return found

    @contextmanager
    def _reading(self) -> Iterator[str]:
        """A token where a login is deposited and works, else none: the public face needs none."""
        if self.login is None:
            yield ""
            return
        try:
            token = self._sign_in()
        except LoginRefused:
            token = ""
        try:
            yield token
        finally:
            self._sign_out(token)

    @contextmanager
    def _session(self) -> Iterator[str]:
        token = self._sign_in()
        try:
            yield token
        finally:
            self._sign_out(token)

    def _sign_in(self) -> str:
        login = self._need_login()
        reply = self._wire.post("/session", {"name": login.username, "password": login.secret}, effect=False)
        if reply.status == 401:
            raise self._refused_login()
        answer = self._answer(reply)
        token = answer.get("token")
        if not isinstance(token, str) or not token:
            raise self._wire.broken("answered a sign-in without a session")
        if answer.get("id") != self._id:
            self._sign_out(token)
            raise self._refused_login("The deposited login opens another account.")
        return token

    def _sign_out(self, token: str) -> None:
        if token:
            with suppress(PlatformError):  # the work's own outcome counts
                self._wire.post("/session", token=token, effect=False, method="DELETE")

    # ---- the interface

    def _items(self, what: str) -> list[dict[str, Any]]:
        items = self._list(what)
        if not all(isinstance(item, dict) for item in items):
            raise self._wire.broken("listed something that makes no sense")
        return items

    @cached_property
    def _lists(self) -> dict[str, list[Any]]:
        """Lists read so far: posts, shares and answers are one list on the network."""
        return {}

    def _list(self, what: str) -> list[Any]:
        if what not in self._lists:
            self._lists[what] = self._read_list(what)
        return self._lists[what]

    def _read_list(self, what: str) -> list[Any]:
        """A list read to its end or not at all."""
        found: list[Any] = []
        cursor = ""
        seen: set[str] = set()
        with self._reading() as token:
            for _ in range(MOST_PAGES):
                page = self._page_of(what, token, cursor)
                items, cursor = page.get("items"), page.get("cursor") or ""
                if not isinstance(items, list) or not isinstance(cursor, str) or cursor in seen:
                    raise self._wire.broken("answered without a proper list")
                found += items
                if not cursor:
                    return found
                seen.add(cursor)
        raise PlatformError(f"{self.info.name} lists more than can be read.", permanent=True)

    def _page_of(self, what: str, token: str, cursor: str) -> dict[str, Any]:
        try:
            return self._get(f"/accounts/{self._id}/{what}", token, {"cursor": cursor} if cursor else None)
        except Refused as refusal:
            if refusal.word == "private" and self.login is not None and not token:
                raise self._refused_login() from None  # it is not shown to the public, and the login was refused
            raise

    def _get(self, path: str, token: str = "", params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._answer(self._wire.get(path, params, token=token))

    def _change(self, method: str, path: str, token: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        self._lists.clear()
        reply = self._wire.post(path, body, token=token, method=method)
        return self._answer(reply, effect=True)

    def _answer(self, reply: Reply, *, effect: bool = False) -> dict[str, Any]:
        if reply.ok:
            return self._wire.json(reply, effect=effect)
        if reply.status == 401:
            raise self._refused_login()
        raise Refused(self.info.name, reply)


def _shown(content: bytes, mime: str, alt: str) -> dict[str, str]:
    """A picture as the network takes it."""
    return {"mime": mime, "alt": alt, "content": base64.b64encode(content).decode()}


def _number(remote_id: str, otherwise: str) -> str:
    if not (remote_id.isascii() and remote_id.isdigit()):
        raise PlatformError(otherwise, permanent=True)
    return remote_id


@contextmanager
def _already(word: str) -> Iterator[None]:
    """This refusal means that there is nothing left to do."""
    try:
        yield
    except Refused as refusal:
        if refusal.word != word:
            raise


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
