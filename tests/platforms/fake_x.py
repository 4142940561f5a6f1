"""X with every answer a test's own, and an account's access and meter that remember what happened to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import httpx
from networks import INFO, Recorded

from socialgov.models import CallCost, Tariff
from socialgov.platforms import LoginRefused, Picture
from socialgov.platforms.x import XPlatform
from socialgov.platforms.x_lists import XLists

ME = "1500000000000000001"
OTHER = "1500000000000000002"
TOKEN, NEW_TOKEN = "canary-access-1", "canary-access-2"
LARGEST = {"followers": 1_000, "following": 1_000, "liked": 100, "posts": 100}
CALLS = {one: CallCost(one, "item", 10_000, 300, 15, most) for one, most in LARGEST.items()}
TARIFF = Tariff("USD", "a test", date(2026, 11, 22), CALLS)
INFO_X = replace(INFO, key="x", name="X", adapter="x", api_base="https://x.test", tariff=TARIFF)
PROBLEMS = "https://api.twitter.com/2/problems"
FACE = {
    "id": ME,
    "username": "trip_wales",
    "name": "Trip to Wales",
    "protected": True,
    "description": "Official account of the school. office@school.example",
    "confirmed_email": "trips@school.example",
    "profile_image_url": "https://x.test/profile_images/1/abc_normal.jpg",
    "public_metrics": {"followers_count": 3, "following_count": 0, "tweet_count": 2, "like_count": 1},
}

Answer = dict[str, Any] | httpx.Response | Callable[[httpx.Request], Any]


def problem(status: int, kind: str = "", title: str = "", **more: Any) -> httpx.Response:
    """A refusal in the shape that X gives; its detail repeats a secret, as a server may."""
    body = {"type": f"{PROBLEMS}/{kind}" if kind else "about:blank", "title": title, "detail": f"repeats {TOKEN}"}
    return httpx.Response(status, json=body | more)


def missing(status: int = 200, title: str = "Not Found Error", resource: str = "user") -> httpx.Response:
    entry = {
        "value": ME,
        "detail": f"Could not find {resource} with ids: [{ME}].",
        "title": title,
        "resource_type": resource,
        "parameter": "ids",
        "resource_id": ME,
        "type": f"{PROBLEMS}/resource-not-found",
    }
    return httpx.Response(status, json={"errors": [entry]})


def listed(*items: dict[str, Any], following: str = "") -> dict[str, Any]:
    """A page of a list. An empty one has no `data`."""
    meta = {"result_count": len(items)} | ({"next_token": following} if following else {})
    return ({"data": list(items)} if items else {}) | {"meta": meta}


def post(number: str, text: str = "Boats", at: str = "2026-03-02T08:30:00.000Z", **more: Any) -> dict[str, Any]:
    return {"id": number, "text": text, "created_at": at, "edit_history_tweet_ids": [number], **more}


def user(number: str, name: str = "dave") -> dict[str, Any]:
    return {"id": number, "username": name, "name": name.title()}


@dataclass
class Opened:
    """The access of a connected account: its token is `tokens[0]` until that was refused."""

    tokens: list[str] = field(default_factory=lambda: [TOKEN, NEW_TOKEN])
    refused: list[str] = field(default_factory=list)
    revoked: int = 0

    def token(self) -> str:
        return self.tokens[0]

    def renew(self, refused: str) -> str:
        self.refused.append(refused)
        if len(self.tokens) == 1:
            raise LoginRefused("Connect it again.", of_token=True)
        self.tokens.pop(0)
        return self.tokens[0]

    def revoke(self) -> None:
        self.revoked += 1


@dataclass
class Counted:
    """What was reserved and what was settled, in order."""

    before_: list[tuple[str, int]] = field(default_factory=list)
    after_: list[tuple[str, int]] = field(default_factory=list)

    def before(self, call: str, items: int = 1) -> None:
        self.before_.append((call, items))

    def after(self, call: str, items: int = 1) -> None:
        self.after_.append((call, items))

    def room(self, call: str, items: int) -> int:
        return items


@dataclass
class FakeX:
    """Answers by "METHOD path", where ME stands as `me-id`; a live protected account unless a test says otherwise."""

    answers: dict[str, Answer] = field(default_factory=dict)
    access: Opened = field(default_factory=Opened)
    meter: Counted = field(default_factory=Counted)
    network: Recorded = field(init=False)

    def __post_init__(self) -> None:
        XLists._spoken.clear()  # every fake has the same address, and not the same vocabulary
        self.network = Recorded(self._answer)
        self.answers = {
            "GET /2/users/me": {"data": FACE},
            "GET /2/users": {"data": [user(ME)]},
            "GET /2/users/me-id/followers": listed(),
            "GET /2/users/me-id/following": listed(),
            "GET /2/users/me-id/liked_tweets": listed(),
            "GET /2/users/me-id/tweets": listed(),
            "POST /2/tweets": httpx.Response(201, json={"data": {"id": "77", "text": "Boats"}}),
            "POST /2/media/upload/initialize": {"data": {"id": "9", "media_key": "3_9"}},
            "POST /2/media/upload/9/append": {"data": {"expires_at": 1}},
            "POST /2/media/upload/9/finalize": {"data": {"id": "9", "media_key": "3_9"}},
            "POST /2/media/metadata": {"data": {"id": "9"}},
            "GET /profile_images/1/abc_400x400.jpg": httpx.Response(200, content=b"picture"),
        } | self.answers

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers.get(self._called(request), httpx.Response(404, json={}))
        made = answer(request) if callable(answer) else answer
        if isinstance(made, httpx.Response):
            return httpx.Response(made.status_code, content=made.content, headers=made.headers)
        return httpx.Response(200, json=made)

    def _called(self, request: httpx.Request) -> str:
        return f"{request.method} {request.url.path}".replace(ME, "me-id")

    def adapter(self, *, connected: bool = True, remote_id: str | None = ME) -> XPlatform:
        adapter = XPlatform(
            INFO_X,
            handle="trip_wales",
            remote_id=remote_id,
            access=self.access if connected else None,
            meter=self.meter,
        )
        adapter.transport = self.network
        return adapter

    def asked(self) -> list[str]:
        return [self._called(request) for request in self.network.asked]

    def query(self, called: str) -> list[dict[str, str]]:
        """The parameters of each request of this name."""
        return [dict(request.url.params) for request in self.network.asked if self._called(request) == called]

    def bodies(self, called: str) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.network.asked if self._called(request) == called]


def picture(content: bytes = b"jpeg", alt: str = "two boats") -> Picture:
    return Picture(content, "image/jpeg", alt, 4, 3)
