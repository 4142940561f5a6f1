"""A token of one account on the stand-in for X, used by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from peers.x_standin import StandIn, User

EVERYTHING = (
    "tweet.read users.read tweet.write follows.read follows.write like.read like.write media.write offline.access"
)


@dataclass
class Caller:
    """One account's token, used by hand."""

    x: StandIn
    http: httpx.Client
    token: str
    user: User

    def __call__(self, method: str, path: str, *, json: Any = None, **query: str) -> httpx.Response:
        params = {name.replace("__", "."): value for name, value in query.items()}
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.request(method, self.x.url + path, params=params or None, json=json, headers=headers)

    def get(self, path: str, **query: str) -> Any:
        reply = self("GET", path, **query)
        assert reply.status_code == 200, reply.text
        return reply.json()
