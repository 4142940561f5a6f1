"""How the Mastodon adapter asks: the library over our wire, one account's token, lists to their end, one picture.

The library is loaded when something is asked: a page that only wants to know what the adapter can do needs none of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from socialgov.addresses import is_private
from socialgov.platforms.base import NotOffered, NotReady, Platform, PlatformError
from socialgov.platforms.mastodon_parts import Absent, Unauthorised, UnknownCall, verdict, word
from socialgov.platforms.wire import Wire

if TYPE_CHECKING:
    import httpx
    from mastodon import Mastodon

    from socialgov.models import Capability, PlatformInfo
    from socialgov.platforms.base import Picture
    from socialgov.platforms.bridge import WireAdapter
    from socialgov.platforms.wire import Reply

T = TypeVar("T")
PAGE, PAGE_OF_POSTS = 80, 40  # the most that a server gives at once
MOST_PAGES = 2_000
PICTURE_BYTES = 8_000_000
BUSY_SECONDS = 60.0  # until a server that was asked twice is done with a picture; it says nothing about that
NO_PICTURE = "/missing.png"  # how the address of the picture ends that stands for none
OLDEST_SERVER = (4, 0, 0)  # taken for granted, so that Mastodon.py asks no server for its version behind our back


class MastodonCalls(Platform):
    """What every verb of the adapter is made of."""

    transport: httpx.BaseTransport | None = None  # where a test plays the network
    _shape: type | None = None  # of what is asked for, where we read it ourselves and the library does not
    _told: Any = None  # and what was answered to that last

    @classmethod
    def server_of(cls, info: PlatformInfo, handle: str | None) -> str:
        """The school's choice, else the server that the handle names; never one inside the school's own network."""
        if info.api_base:
            return info.api_base.rstrip("/")
        host = (handle or "").strip().removeprefix("@").partition("@")[2].lower()
        if not host:
            return ""
        if is_private(host):
            raise PlatformError(
                f"The handle's server is not one that {info.name} is reached at.",
                permanent=True,
                mend="Check the handle: name@server.example.",
            )
        return f"https://{host}"

    # ---- one account

    @cached_property
    def _wire(self) -> Wire:
        server = self.server_of(self.info, self.handle)
        return Wire(replace(self.info, api_base=server or None), transport=self.transport)

    @cached_property
    def _adapter(self) -> WireAdapter:
        from socialgov.platforms.bridge import WireAdapter

        return WireAdapter(self._wire, self._judge)

    def _judge(self, reply: Reply, effect: bool) -> Reply:
        """Raises PlatformError for a refusal. Of what we read ourselves the library is shown only where a list goes on:
        it takes a millisecond to make one account into a thing of its own, and makes an empty list of what is none.
        """
        self._wire.judge(reply, effect=effect)
        verdict(self._wire, reply, effect=effect)
        if self._shape is None:
            return reply
        try:
            self._told = json.loads(reply.content)
        except (ValueError, RecursionError):
            self._told = None
        if not isinstance(self._told, self._shape):
            raise self._wire.broken("answered with something we do not understand")
        return replace(reply, content=b"[]" if self._shape is list else b"{}")

    @contextmanager
    def _read_as(self, shape: type) -> Iterator[None]:
        """Within, answers are ours to read (`_told`), and must be of this shape."""
        self._shape = shape
        try:
            yield
        finally:
            self._shape = None

    def _new_client(self, token: str | None) -> Mastodon:
        from mastodon import Mastodon

        from socialgov.platforms.bridge import session_over

        client = Mastodon(
            api_base_url=self._wire.base,
            session=session_over(self._adapter),
            ratelimit_method="throw",  # the others sleep in the thread
            mastodon_version=".".join(map(str, OLDEST_SERVER)),
            user_agent="socialgov",
        )
        # it was told above, and forgets it
        client.mastodon_major, client.mastodon_minor, client.mastodon_patch = OLDEST_SERVER
        client.access_token = token  # not given to it above: it would open a file of that name, were there one
        return client

    @cached_property
    def _open(self) -> Mastodon:
        """As a stranger."""
        return self._new_client(None)

    @cached_property
    def _client(self) -> Mastodon:
        if self.access is None:
            raise PlatformError(
                f"This account is not connected with {self.info.name}.",
                permanent=True,
                mend="Connect it on the account's page.",
            )
        return self._new_client(self.access.token())

    @cached_property
    def _own_face(self) -> dict[str, Any]:
        """The account that the token was given for."""
        with self._read_as(dict):
            self._ask(self._client.account_verify_credentials)
        face: dict[str, Any] = self._told
        if not word(face, "id").isalnum():
            raise self._wire.broken("answered without an account")
        return face

    @property
    def _id(self) -> str:
        """The account's lasting id. Raises LoginRefused where the token opens another account."""
        found = word(self._own_face, "id")
        if self.remote_id and found != self.remote_id:
            raise self._refused_login("This connection opens another account.")
        return found

    def _need_own(self) -> None:
        """Nothing is done, and no list is believed, with a token for another account."""
        _ = self._id

    def _whole_handle(self, acct: str) -> str:
        """With its server, which Mastodon leaves out for those of its own."""
        if not acct or "@" in acct:
            return acct
        home = (self.handle or "").removeprefix("@").partition("@")[2] or urlsplit(self._wire.base).hostname
        return f"{acct}@{home}"

    def _own_posts(self) -> list[dict[str, Any]]:
        return self._statuses(self._id)

    @cached_property
    def _read(self) -> dict[str, list[dict[str, Any]]]:
        """Posts, answers and reposts are one list on the server, read once a job."""
        return {}

    def _statuses(self, account_id: str) -> list[dict[str, Any]]:
        if account_id not in self._read:
            self._read[account_id] = self._pages(
                lambda: self._client.account_statuses(account_id, limit=PAGE_OF_POSTS), PAGE_OF_POSTS
            )
        return self._read[account_id]

    def _relation(self, account_id: str) -> dict[str, Any]:
        found = self._ask(lambda: self._client.account_relationships(account_id))
        return self._object(found[0]) if isinstance(found, list) and found else {}

    def _picture_at(self, address: str) -> bytes | None:
        """The account's picture, often kept on another host; b"" where it has none, None where it was not read."""
        if not address:
            return None
        if urlsplit(address).path.endswith(NO_PICTURE):
            return b""
        try:
            reply = self._wire.fetch(address, limit=PICTURE_BYTES)
        except PlatformError:
            return None
        return reply.content if reply.ok and reply.content else None

    def _upload(self, picture: Picture) -> str:
        """A picture with its alternative text. Nothing is posted yet, so a lost answer is only a failure."""
        try:
            media = self._ask(
                lambda: self._client.media_post(picture.content, mime_type=picture.mime, description=picture.alt)
            )
        except PlatformError as error:
            error.outcome_unknown = False
            raise
        number = word(self._object(media), "id")
        if not number:
            raise self._wire.broken("took a picture without saying where it is")
        if not media.get("url") and not self._ask(lambda: self._client.media(number)).get("url"):
            raise NotReady(self.info.name, BUSY_SECONDS)
        return number

    # ---- the library

    @contextmanager
    def _call(self) -> Iterator[None]:
        from mastodon import MastodonError

        with self._adapter.unwrapped(MastodonError):
            yield

    def _ask(self, call: Callable[[], T]) -> T:
        """One call with our token; where it is refused, once more with another. What was refused was not done."""
        try:
            with self._call():
                return call()
        except Unauthorised:
            if self.access is None:
                raise
        self._client.access_token = self.access.renew(self._client.access_token or "")
        with self._call():
            return call()

    def _change(self, capability: Capability, call: Callable[[], T]) -> T:
        """A call that changes something; where the server has no such call, it does not offer `capability`."""
        self._read.clear()
        try:
            return self._object(self._ask(call), effect=True)
        except UnknownCall:
            raise NotOffered(self.info.name, capability) from None

    def _object(self, told: T, *, effect: bool = False) -> T:
        """What must be one thing and no list of them."""
        if not isinstance(told, dict):
            raise self._wire.broken("answered with something we do not understand", effect=effect)
        return told

    def _take(self, capability: Capability, call: Callable[[], Any]) -> None:
        """Take something away; not there any more is success."""
        with suppress(Absent):
            self._change(capability, call)

    def _pages(self, first: Callable[[], Any], size: int) -> list[dict[str, Any]]:
        """A list read to its end or not at all. A server says with every full page that more may follow."""
        self._need_own()  # before: its answer is no list
        with self._read_as(list):
            return self._all_pages(first, size)

    def _all_pages(self, first: Callable[[], Any], size: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page, marks = self._ask(first), set()
        for _ in range(MOST_PAGES):
            listed: list[dict[str, Any]] = self._told
            if not all(word(one, "id") for one in listed):
                raise self._wire.broken("answered without a proper list")
            found += listed
            further = getattr(page, "_pagination_next", None)
            if further is None and len(listed) == size:
                raise self._wire.broken("does not say whether its list goes on")
            if further is None:
                return found
            mark = str(further.get("max_id"))
            if mark in marks:
                raise self._wire.broken("sends us round in circles")
            marks.add(mark)
            page = self._ask(partial(self._client.fetch_next, page))
        raise PlatformError(f"{self.info.name} lists more than can be read.", permanent=True)
