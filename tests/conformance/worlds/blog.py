"""A school blog with a JSON Feed: the world of the smallest adapter (docs/how-to/add-a-platform.md)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
from factories import NOW
from networks import INFO
from smallest import BlogPlatform
from world import World

from socialgov.models import Capability
from socialgov.platforms import Platform

ADDRESS = "http://127.0.0.1:8000"


class BlogWorld(World):
    page = 20
    silent = frozenset({"conversations"})  # a feed holds none
    info = replace(INFO, key="blog", name="School blog", adapter="blog", can_be_private=False, api_base=ADDRESS)
    handle = "news"
    remote_id = f"{ADDRESS}/feed.json"

    def __init__(self) -> None:
        self.written: list[dict[str, str]] = []

    def adapter(self, need: Capability | None = None) -> Platform:
        made = BlogPlatform(self.info, handle=self.handle)
        made.transport = self.network()
        return made

    def network(self) -> httpx.BaseTransport:
        return httpx.MockTransport(self._answer)

    def another(self) -> BlogWorld:
        return BlogWorld()

    def post(self, text: str) -> str:
        number = f"{ADDRESS}/{len(self.written) + 1}"
        self.written.append({"id": number, "content_text": text, "date_published": NOW.isoformat()})
        return number

    def replies(self) -> list[str]:
        """A feed holds none."""
        return []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/feed.json":
            return httpx.Response(404, html="<html>no such page</html>")
        start = int(request.url.params.get("from", "0"))
        feed: dict[str, Any] = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "School news",
            "feed_url": self.remote_id,
            "items": self.written[start : start + self.page],
        }
        if start + self.page < len(self.written):
            feed["next_url"] = f"{ADDRESS}/feed.json?from={start + self.page}"
        return httpx.Response(200, content=json.dumps(feed), headers={"content-type": "application/feed+json"})
