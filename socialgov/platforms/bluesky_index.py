"""What only an index of Bluesky knows (an AppView): who follows, how many, and how moderators marked the account.

It is another server than the account's own, is asked as a stranger asks, and is a few seconds behind. It leaves out
followers who were deactivated or taken down, so its list may be shorter than its own count.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from socialgov.platforms.atproto import PAGE, Refused, Xrpc, at, moment_of, text_of
from socialgov.platforms.base import Counts, PlatformError, RemoteFollower, count_of
from socialgov.platforms.wire import Wire

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from socialgov.models import PlatformInfo

TAKEN_DOWN = "!takedown"
UNREADABLE = "other"  # a mark that is no word of the protocol's shape; words of strangers go no further
_NO_HANDLE = "handle.invalid"  # the index's word for a handle that leads elsewhere by now
_MARK = re.compile(r"!?[a-z][a-z0-9-]{0,63}")


class Index:
    """One index for one job."""

    def __init__(self, info: PlatformInfo, *, transport: httpx.BaseTransport | None = None) -> None:
        asked = replace(info, name=f"{info.name}'s index", api_base=info.index_base)
        self._xrpc = Xrpc(Wire(asked, transport=transport))

    def followers(self, did: str) -> list[RemoteFollower]:
        """Each once, to the end of the list or not at all. Raises PlatformError."""
        found: dict[str, RemoteFollower] = {}
        try:
            for page, listed in self._xrpc.pages("app.bsky.graph.getFollowers", "followers", actor=did, limit=PAGE):
                if at(page, "subject", "did") != did:
                    raise self._xrpc.wire.broken("answered for another account")
                for one in listed:
                    follower = self._follower(one)
                    found[follower.remote_id] = follower
        except Refused as refusal:
            if refusal.name == "InvalidRequest":  # "Actor not found": it learns of a new account a little later
                raise self._xrpc.wire.broken("does not know the account yet") from None
            raise
        return list(found.values())

    def _follower(self, one: Any) -> RemoteFollower:
        did, handle = text_of(at(one, "did")), text_of(at(one, "handle"))
        if not did.startswith("did:"):
            raise self._xrpc.wire.broken("listed somebody without an identity")
        named = handle if handle and handle != _NO_HANDLE else did
        return RemoteFollower(did, named, text_of(at(one, "displayName")))

    def face(self, did: str) -> tuple[Counts | None, tuple[str, ...] | None]:
        """Its counts, and the moderators' marks in the order of the alphabet; None for what it does not tell.

        Never raises: what else is read of an account must not stop because the index does.
        """
        try:
            reply = self._xrpc.wire.get("/xrpc/app.bsky.actor.getProfile", {"actor": did})
            view = self._xrpc.answer(reply)
        except Refused as refusal:
            return None, (TAKEN_DOWN,) if refusal.name == "AccountTakedown" else None
        except PlatformError:
            return None, None
        if view.get("did") != did:
            return None, None
        counts = Counts(
            followers=count_of(view.get("followersCount")),
            follows=count_of(view.get("followsCount")),
            posts=count_of(view.get("postsCount")),
        )
        return counts, marks_in(view, did, reply.sent_at)


def marks_in(view: dict[str, Any], did: str, now: datetime | None) -> tuple[str, ...] | None:
    """What others than the account itself have marked it with, and have not taken back; None where that is not told.

    A mark has one who made it (`src`), and may be a taking back (`neg`) or run out (`exp`): com.atproto.label.defs.
    """
    labels = view.get("labels", [])
    if not isinstance(labels, list):
        return None
    found = {_word(one) for one in labels if isinstance(one, dict) and _counts(one, did, now)}
    return tuple(sorted(found))


def _counts(label: dict[str, Any], did: str, now: datetime | None) -> bool:
    about = text_of(label.get("uri"))
    if label.get("src") == did or label.get("neg") is True:
        return False
    if about and about != did and not about.startswith(f"at://{did}/"):
        return False
    until = moment_of(label.get("exp"))
    return until is None or now is None or until > now


def _word(label: dict[str, Any]) -> str:
    word = text_of(label.get("val"))
    return word if _MARK.fullmatch(word) else UNREADABLE
