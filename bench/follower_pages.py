"""A web server that answers followers as X, Mastodon, Bluesky's index and the simulated network do, in their pages.

Whoever asks gets no more than the page that was asked for, and never more than the platform's largest; what a page's
entry holds is what each of them sends. Which requests came is told at `/asked`, so that both sides of a bench can be
held to the same. It runs in a process of its own: its work is nobody's overhead.

Run: python -m bench.follower_pages (prints its address).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

X_FOLLOWERS, FOLLOWERS = 3_000, 1_000
OWNER, DID = "1234567890123456789", "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
Answer = tuple[Any, dict[str, str]]  # what becomes JSON, and headers
_asked: list[str] = []  # path and query of each


def _slice(query: dict[str, list[str]], mark: str, size: str, usual: int, most: int, of: int) -> tuple[range, str]:
    """The numbers of one page, and the mark of the next one, "" at the end."""
    start, wanted = int(query.get(mark, ["0"])[0]), min(most, int(query.get(size, [str(usual)])[0]))
    end = min(of, start + wanted)
    return range(start, end), str(end) if end < of else ""


def _x_me(_: dict[str, list[str]]) -> Answer:
    counts = {"followers_count": X_FOLLOWERS, "following_count": 0, "tweet_count": 0, "like_count": 0}
    face = {"id": OWNER, "username": "trip", "name": "Trip", "protected": True, "public_metrics": counts}
    return {"data": face}, {}


def _x(query: dict[str, list[str]]) -> Answer:
    page, following = _slice(query, "pagination_token", "max_results", 100, 1_000, X_FOLLOWERS)
    users = [{"id": str(10**18 + one), "username": f"parent_{one}", "name": f"Parent of pupil {one}"} for one in page]
    meta = {"result_count": len(users)} | ({"next_token": following} if following else {})
    return {"data": users, "meta": meta}, {}


def _mastodon_account(one: int) -> dict[str, Any]:
    """Every field of the server's documentation of an account; a list leaves none of them out."""
    at = "https://social.example"
    return {
        "id": str(10**17 + one), "username": f"parent_{one}", "acct": f"parent_{one}@social.example",
        "display_name": f"Parent {one}",
        "locked": True, "bot": False, "discoverable": False, "indexable": False, "group": False,
        "created_at": "2026-09-01T00:00:00.000Z", "note": "<p>A parent of a pupil who likes the sea.</p>",
        "url": f"{at}/@parent_{one}", "uri": f"{at}/users/parent_{one}", "avatar": f"{at}/avatars/{one}.png",
        "avatar_static": f"{at}/avatars/{one}.png", "header": f"{at}/headers/{one}.png",
        "header_static": f"{at}/headers/{one}.png", "followers_count": one, "following_count": 3, "statuses_count": 12,
        "last_status_at": "2026-11-20", "hide_collections": True, "noindex": True, "emojis": [], "roles": [],
        "fields": [{"name": "Place", "value": "By the sea", "verified_at": None}],
    }  # fmt: skip


def _mastodon_me(_: dict[str, list[str]]) -> Answer:
    source = {"privacy": "private", "sensitive": False, "language": "en", "note": "", "fields": []}
    return {**_mastodon_account(0), "id": OWNER, "acct": "trip", "source": source}, {}


def _mastodon(query: dict[str, list[str]]) -> Answer:
    page, following = _slice(query, "max_id", "limit", 40, 80, FOLLOWERS)
    there = f"https://social.example/api/v1/accounts/{OWNER}/followers?limit=80"
    links = [f'<{there}&max_id={following}>; rel="next"'] if following else []
    links.append(f'<{there}&since_id={page.start}>; rel="prev"')
    return [_mastodon_account(one) for one in page], {"Link": ", ".join(links)}


def _bluesky_profile(one: int) -> dict[str, Any]:
    """profileView of the protocol's app.bsky.actor.defs, as the index fills it."""
    did, at = f"did:plc:{one:024d}", "2026-09-01T00:00:00.000Z"
    viewer = {"muted": False, "blockedBy": False}
    return {
        "did": did, "handle": f"parent-{one}.bsky.example", "displayName": f"Parent {one}", "viewer": viewer,
        "associated": {"chat": {"allowIncoming": "following"}}, "labels": [], "createdAt": at, "indexedAt": at,
        "avatar": f"https://pictures.example/avatar/plain/{did}/bafkreib@jpeg",
        "description": "A parent of a pupil who likes the sea.",
    }  # fmt: skip


def _bluesky(query: dict[str, list[str]]) -> Answer:
    page, following = _slice(query, "cursor", "limit", 50, 100, FOLLOWERS)
    subject = {**_bluesky_profile(0), "did": DID}
    found = {"subject": subject, "followers": [_bluesky_profile(one) for one in page]}
    return found | ({"cursor": following} if following else {}), {}


def _sandbox(query: dict[str, list[str]]) -> Answer:
    page, following = _slice(query, "cursor", "", 50, 50, FOLLOWERS)
    people = [
        {"id": f"p{one}", "name": f"parent_{one}", "display_name": f"Parent {one}", "waiting": False} for one in page
    ]
    return {"items": people, "cursor": following or None}, {}


PATHS: dict[str, Callable[[dict[str, list[str]]], Answer]] = {
    "/2/users/me": _x_me,
    f"/2/users/{OWNER}/followers": _x,
    "/api/v1/accounts/verify_credentials": _mastodon_me,
    f"/api/v1/accounts/{OWNER}/followers": _mastodon,
    "/api/v1/follow_requests": lambda _: ([], {}),
    "/xrpc/app.bsky.graph.getFollowers": _bluesky,
    f"/accounts/{OWNER}/followers": _sandbox,
}


@cache
def answer(path: str, query: str) -> tuple[bytes, dict[str, str]]:
    """Made once: the server is there to be waited for as little as can be."""
    told, headers = PATHS[path](parse_qs(query))
    return json.dumps(told).encode(), headers


class Pages(BaseHTTPRequestHandler):
    """What stands in PATHS, and what was asked since that was asked last."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path == "/asked":
            body, headers = json.dumps(_asked).encode(), dict[str, str]()
            _asked.clear()
        else:
            _asked.append(self.path)
            body, headers = answer(asked.path, asked.query)
        self.send_response(200)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """A bench is quiet."""


@contextmanager
def served() -> Iterator[str]:
    """The address of the pages, served by another process until the block ends."""
    process = subprocess.Popen([sys.executable, "-m", "bench.follower_pages"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
