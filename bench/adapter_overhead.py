"""What X's adapter costs, tweepy, wire and bounds included, against a bare HTTP client that reads the same pages.

A web server in a process of its own (as X is) answers the 1,000 followers of an account, which is one page of X's. The
bare side is an httpx client that asks for the same and collects what is in it, nothing more. Each side does so for ten
accounts; the adapter is a new one for each, as in a job. Their own processor time is compared: waiting for the network
costs both the same, and would only make the adapter look better. The median of five pairs counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx

from bench.lines import median_ratio, report
from socialgov.models import ApiClient, PlatformInfo
from socialgov.platforms.x import XPlatform

LIMIT, ACCOUNTS = 1.5, 10
FOLLOWERS, PAGE, ACCOUNT = 1_000, 1_000, "1234567890123456789"
INFO = PlatformInfo(
    key="x", name="X", adapter="x", profile_url="https://x.com/{handle}", can_be_private=True, minimum_age=13,
    minimum_age_source="a bench", minimum_age_on=date(2026, 11, 22), deletion_delay_days=30, handle_pattern=".+",
    guides={}, client=ApiClient("bench", None),
)  # fmt: skip


class Pages(BaseHTTPRequestHandler):
    """The two calls that the adapter makes for a list of followers, in the form that X gives them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        params = parse_qs(asked.query)
        if asked.path.endswith("/followers"):
            body = PAGES[int(params.get("pagination_token", ["0"])[0])]
        else:
            body = ME
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """A bench is quiet."""


def _page(number: int) -> bytes:
    start = number * PAGE
    users = [
        {"id": str(10**18 + start + one), "username": f"parent_{start + one}", "name": f"Parent of pupil {start + one}"}
        for one in range(PAGE)
    ]
    meta: dict[str, object] = {"result_count": PAGE}
    if start + PAGE < FOLLOWERS:
        meta["next_token"] = str(number + 1)
    return json.dumps({"data": users, "meta": meta}).encode()


PAGES = [_page(number) for number in range(FOLLOWERS // PAGE)]
_COUNTS = {"followers_count": FOLLOWERS, "following_count": 0, "tweet_count": 0, "like_count": 0}
ME = json.dumps(
    {"data": {"id": ACCOUNT, "username": "trip", "name": "Trip", "protected": True, "public_metrics": _COUNTS}}
).encode()


class Given:
    """A token that is always good."""

    def token(self) -> str:
        return "bench"

    def renew(self, refused: str) -> str:
        return "bench"

    def revoke(self) -> None:
        """Nothing to end."""


def adapter_seconds(info: PlatformInfo) -> float:
    adapter = XPlatform(info, handle="trip", remote_id=ACCOUNT, access=Given())
    begun = time.process_time()
    found = adapter.followers()
    seconds = time.process_time() - begun
    assert len(found) == FOLLOWERS
    return seconds


def bare_seconds(base: str) -> float:
    """The same requests: the profile, which tells how many there are, and the pages."""
    with httpx.Client(base_url=base, trust_env=False, headers={"Authorization": "Bearer bench"}) as client:
        begun = time.process_time()
        client.get("/2/users/me").json()
        found: list[object] = []
        token = None
        while True:
            params = {"max_results": PAGE} | ({"pagination_token": token} if token else {})
            page = client.get(f"/2/users/{ACCOUNT}/followers", params=params).json()
            found += page["data"]
            token = page["meta"].get("next_token")
            if not token:
                break
        seconds = time.process_time() - begun
    assert len(found) == FOLLOWERS
    return seconds


@contextmanager
def served() -> Iterator[str]:
    """The address of the pages, served by another process until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.adapter_overhead", "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


def main() -> None:
    with served() as base:
        info = replace(INFO, api_base=base)
        ratio = median_ratio(
            lambda: sum(adapter_seconds(info) for _ in range(ACCOUNTS)),
            lambda: sum(bare_seconds(base) for _ in range(ACCOUNTS)),
        )
    report("adapter_overhead", ratio, "x", LIMIT)


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
