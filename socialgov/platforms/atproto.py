"""The AT Protocol's methods (XRPC) and records, as far as the Bluesky adapter needs them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn

from socialgov.platforms.base import LoginRefused, PlatformError
from socialgov.platforms.wire import Reply, Wire

PAGE = 100  # the most that listRecords gives at once
MOST_PAGES = 2_000
_TID_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_TID_START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)
_TID_SPAN = 365 * 24 * 3600 * 1_000_000

# Only words we know are shown: what a server sends back might repeat a secret.
_TOLD = {
    "RepoNotFound": ("knows no such account any more", ""),
    "RepoDeactivated": ("says that the account is deactivated", ""),
    "RepoTakendown": ("has taken the account down", "Ask the platform why."),
    "AccountDeactivated": ("says that the account is deactivated", ""),
    "AccountTakedown": ("has taken the account down", "Ask the platform why."),
    "AccountNotFound": ("knows no such account any more", ""),
    "ExpiredToken": ("says that the code is too old", "Ask for a new code."),
    "InvalidToken": ("does not accept the code", "Copy it again, or ask for a new code."),
    "InvalidSwap": ("says that the record changed meanwhile", "Look again and repeat."),
    "RecordNotFound": ("has no such record", ""),
    "BlobTooLarge": ("says that the picture is too large", ""),
}


class Refused(PlatformError):
    """The server understood and said no. `name` is the protocol's word for the reason; for comparing only."""

    def __init__(self, platform: str, reply: Reply) -> None:
        self.name = reply.error_name()
        told, mend = _TOLD.get(self.name, (f"refused ({reply.status})", ""))
        super().__init__(f"{platform} {told}.", permanent=True, mend=mend)


class Xrpc:
    """A server's methods. Every refusal is `Refused`, a wrong login `LoginRefused`, the rest the wire's errors."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def query(self, method: str, token: str = "", /, **params: Any) -> dict[str, Any]:
        return self.answer(self.wire.get(f"/xrpc/{method}", params, token=token))

    def procedure(self, method: str, body: Mapping[str, Any] | None, *, token: str = "", effect: bool = True) -> None:
        """`body` None for a method without input: the server refuses one that is sent all the same."""
        reply = self.wire.post(f"/xrpc/{method}", body, token=token, effect=effect)
        if not reply.ok:
            self._refuse(reply)

    def answer(self, reply: Reply) -> dict[str, Any]:
        if not reply.ok:
            self._refuse(reply)
        return self.wire.json(reply)

    def _refuse(self, reply: Reply) -> NoReturn:
        if reply.status == 401 and reply.error_name() == "AuthenticationRequired":
            raise LoginRefused(f"{self.wire.name} does not accept the deposited login.")
        raise Refused(self.wire.name, reply)

    def record(self, did: str, collection: str, rkey: str) -> dict[str, Any] | None:
        """One record's value, None where the server says that there is none."""
        entry = self.entry(did, collection, rkey)
        return None if entry is None else entry[1]

    def entry(self, did: str, collection: str, rkey: str) -> tuple[str, dict[str, Any]] | None:
        """The same with the name of this state of it (CID), "" where the server does not tell."""
        try:
            answer = self.query("com.atproto.repo.getRecord", repo=did, collection=collection, rkey=rkey)
        except Refused as refusal:
            if refusal.name == "RecordNotFound":
                return None
            raise
        value = answer.get("value")
        if not isinstance(value, dict):
            raise self.wire.broken("answered without a record")
        return text_of(answer.get("cid")), value

    def records(self, did: str, collection: str) -> list[tuple[str, dict[str, Any]]]:
        """Every record of a collection as (uri, value), each once, read to its end or not at all."""
        pages = self.pages("com.atproto.repo.listRecords", "records", repo=did, collection=collection, limit=PAGE)
        return list(dict(self._record(one) for _, listed in pages for one in listed).items())

    def _record(self, listed: Any) -> tuple[str, dict[str, Any]]:
        uri, value = at(listed, "uri"), at(listed, "value")
        if not isinstance(uri, str) or not isinstance(value, dict):
            raise self.wire.broken("listed something that is no record")
        return uri, value

    def pages(self, method: str, name: str, **params: Any) -> Iterator[tuple[dict[str, Any], list[Any]]]:
        """Each page of a list, and what it lists under `name`: to the last one, or PlatformError."""
        seen: set[str] = set()
        cursor: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = self.query(method, **params, **cursor)
            listed = page.get(name)
            if not isinstance(listed, list):
                raise self.wire.broken(f"answered without a list of {name}")
            yield page, listed
            following = page.get("cursor")
            if not following:
                return
            if not isinstance(following, str) or following in seen:
                raise self.wire.broken(f"lists {name} in a circle")
            seen.add(following)
            cursor = {"cursor": following}
        raise PlatformError(f"{self.wire.name} lists more {name} than can be read.", permanent=True)


@contextmanager
def suppress_refusal(name: str) -> Iterator[None]:
    """Let a refusal of this name count as done."""
    try:
        yield
    except Refused as refusal:
        if refusal.name != name:
            raise


def record_key(key: str) -> str:
    """A record key in the protocol's timestamp form (TID), always the same for the same `key`.

    Posts must be named by a TID. Its moment is drawn from a hash and lies in 2024, so that no reader takes the post
    for one from the future; what is shown is the record's own createdAt.
    """
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")
    clock, moment = digest % 1024, _TID_START + (digest // 1024) % _TID_SPAN
    number = (moment << 10) | clock
    return "".join(_TID_LETTERS[(number >> shift) & 31] for shift in range(60, -1, -5))


def at(value: Any, *path: str) -> Any:
    """The value at a path of keys, None where the shape is another."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def moment_of(text: Any) -> datetime | None:
    """A record's own time: its maker wrote it, so it may be missing, nonsense or a lie."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
