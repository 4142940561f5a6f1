"""A school blog by its JSON Feed (https://www.jsonfeed.org/version/1.1/): the smallest adapter.

Anybody may read the feed, so nothing is signed in to. It tells what was posted and who it says it is, and no more.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from socialgov.models import Capability
from socialgov.platforms import Platform, PlatformError, Profile, RemotePost
from socialgov.platforms.wire import Wire

if TYPE_CHECKING:
    import httpx

MOST_PAGES = 200


class BlogPlatform(Platform):
    capabilities = frozenset({Capability.READ_PROFILE, Capability.READ_POSTS})
    transport: httpx.BaseTransport | None = None  # where a test plays the network

    def profile(self) -> Profile:
        """A blog is public, and its feed says nothing about who follows it."""
        feed = self._feed("/feed.json")
        return Profile(
            remote_id=str(feed["feed_url"]),
            handle=self.handle or "",
            display_name=str(feed["title"]),
            text=str(feed.get("description", "")),
            private=False,
        )

    def posts(self) -> list[RemotePost]:
        """Every page, or PlatformError: a short list would hide a post that did not pass the gate (MED512)."""
        found: list[RemotePost] = []
        path, seen = "/feed.json", set()
        while path not in seen and len(seen) < MOST_PAGES:
            seen.add(path)
            feed = self._feed(path)
            found += [self._post(item) for item in feed["items"]]
            if "next_url" not in feed:
                return found
            path = self._path_of(feed["next_url"])
        raise PlatformError(f"{self.info.name} lists more than can be read.", permanent=True)

    def conversations(self) -> list[str]:
        """A feed holds no answers to others."""
        return []

    @cached_property
    def _wire(self) -> Wire:
        return Wire(self.info, transport=self.transport)

    def _feed(self, path: str) -> dict[str, Any]:
        """One page of the feed. What is no such page is broken, never empty."""
        reply = self._wire.get(path)
        if not reply.ok:
            raise PlatformError(f"{self.info.name} refused ({reply.status}).", permanent=True)
        feed = self._wire.json(reply)
        whole = isinstance(feed.get("items"), list) and all(isinstance(feed.get(k), str) for k in ("title", "feed_url"))
        if not whole:
            raise self._wire.broken("answered without a feed")
        return feed

    def _post(self, item: Any) -> RemotePost:
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise self._wire.broken("listed something that is no post")
        return RemotePost(item["id"], str(item.get("content_text", "")), _moment(item.get("date_published")))

    def _path_of(self, url: Any) -> str:
        """The next page, which must be on the same blog."""
        if not isinstance(url, str) or not url.startswith(f"{self._wire.base}/"):
            raise self._wire.broken("goes on somewhere else")
        return url.removeprefix(self._wire.base)


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
