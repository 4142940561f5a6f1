"""A Bluesky server whose every answer is a test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from networks import INFO, Recorded

from socialgov.platforms import Login, Picture
from socialgov.platforms.bluesky import BlueskyPlatform

DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
OTHER = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
SECRET = "canary-S3cret!"
TOKEN = "abcd-efgh-2345-6789"
INFO_BLUESKY = replace(INFO, name="Bluesky", adapter="bluesky")

Answer = dict[str, Any] | httpx.Response | Callable[[httpx.Request], Any]


def refusal(status: int, name: str) -> httpx.Response:
    return httpx.Response(status, json={"error": name, "message": f"repeats {SECRET}"})


@dataclass
class Server:
    """Answers by method name; a live account with a working login unless a test says otherwise."""

    answers: dict[str, Answer] = field(default_factory=dict)
    network: Recorded = field(init=False)

    def __post_init__(self) -> None:
        self.network = Recorded(self._answer)
        self.answers = {
            "resolveHandle": {"did": DID},
            "getRepoStatus": {"did": DID, "active": True},
            "describeRepo": {"did": DID, "handle": "trip.test"},
            "createSession": {"did": DID, "accessJwt": "access", "refreshJwt": "refresh", "email": "trip@school.test"},
            "getRecord": refusal(400, "RecordNotFound"),
            "uploadBlob": {"blob": {"$type": "blob", "ref": {"$link": "cid"}}},
            "listAppPasswords": {"passwords": [{"name": "another program"}]},
            "createAppPassword": {"name": "socialgov", "password": TOKEN},
        } | self.answers

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers.get(request.url.path.rsplit(".", 1)[-1], {})
        made = answer(request) if callable(answer) else answer
        if isinstance(made, httpx.Response):
            return httpx.Response(made.status_code, content=made.content, headers=made.headers)
        return httpx.Response(200, json=made)

    def adapter(self, *, login: bool = True, remote_id: str | None = DID, is_token: bool = False) -> BlueskyPlatform:
        adapter = BlueskyPlatform(
            INFO_BLUESKY,
            handle="@Trip.test",
            remote_id=remote_id,
            login=Login("trip.test", SECRET, is_token) if login else None,
        )
        adapter.transport = self.network
        return adapter

    def asked(self) -> list[str]:
        return [request.url.path.rsplit(".", 1)[-1] for request in self.network.asked]

    def body(self, method: str) -> dict[str, Any]:
        return next(json.loads(r.content) for r in self.network.asked if r.url.path.endswith("." + method))


def records(collection: str, *values: dict[str, Any]) -> dict[str, Any]:
    return {"records": [{"uri": f"at://{DID}/{collection}/{n}", "value": value} for n, value in enumerate(values)]}


def picture(content: bytes = b"jpeg", width: int = 4, height: int = 3) -> Picture:
    return Picture(content, "image/jpeg", "two boats", width, height)
