"""A Mastodon server for tests: `mastodon_mock`, a third party's stand-in, in an environment of its own.

It is strict about little: it checks no scopes, knows no limits and no PKCE. What it is good for is its state: requests
to follow, posts with pictures, favourites, reposts, profiles, tokens that are given and revoked.
"""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from mailbox_sink import free_port

HERE = Path(__file__).parent
PYTHON = HERE.parent / ".venv-mastodon" / "bin" / "python"
SERVER = "social.example"  # where the handles of its accounts say that they are
START_SECONDS = 60
_numbers = count(1)


def missing() -> str:
    """What is not installed, as a sentence with the command that mends it; empty when nothing is."""
    if (PYTHON.parent.parent / ".installed").is_file():
        return ""
    return "the stand-in for a Mastodon server is not installed: `.ci/install-peers`"


@dataclass(frozen=True)
class Member:
    """An account on the server, and a token of somebody who has signed in to it there."""

    id: str
    name: str
    token: str = field(repr=False)

    @property
    def handle(self) -> str:
        return f"{self.name}@{SERVER}"


@dataclass
class Standin:
    url: str
    client: httpx.Client

    def call(self, who: Member | None, method: str, path: str, **more: Any) -> Any:
        """One request, as `who` by hand; it must succeed."""
        headers = {"Authorization": f"Bearer {who.token}"} if who else {}
        reply = self.client.request(method, path, headers=headers, **more)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json()

    def join(self, name: str, *, alone: bool = True) -> Member:
        """Make an account, as a teacher does on the server itself; a number makes its name its own."""
        called = f"{name}{next(_numbers)}" if alone else name
        made = self.call(None, "POST", "/api/v1/_mock/dev_user", json={"username": called})
        return Member(made["id"], called, made["access_token"])

    def ask_to_follow(self, who: Member, whom: Member) -> None:
        self.call(who, "POST", f"/api/v1/accounts/{whom.id}/follow")

    def post(self, who: Member, text: str, **more: Any) -> str:
        return str(self.call(who, "POST", "/api/v1/statuses", data={"status": text, **more})["id"])

    def like(self, who: Member, post: str) -> None:
        self.call(who, "POST", f"/api/v1/statuses/{post}/favourite")

    def repost(self, who: Member, post: str) -> str:
        return str(self.call(who, "POST", f"/api/v1/statuses/{post}/reblog")["id"])

    def update(self, who: Member, **fields: Any) -> None:
        """The settings of the account: `locked`, `note`, `source[privacy]`, …"""
        self.call(who, "PATCH", "/api/v1/accounts/update_credentials", data=fields, files={"nothing": b""})

    def face(self, who: Member) -> dict[str, Any]:
        return dict(self.call(who, "GET", "/api/v1/accounts/verify_credentials"))

    def posts_of(self, of: Member, *, seen_by: Member | None = None) -> list[dict[str, Any]]:
        return list(self.call(seen_by, "GET", f"/api/v1/accounts/{of.id}/statuses"))

    def followers(self, of: Member) -> list[str]:
        return [one["username"] for one in self.call(of, "GET", f"/api/v1/accounts/{of.id}/followers")]

    def revoke(self, who: Member) -> None:
        """The person takes the access away in the settings."""
        self.call(None, "POST", "/oauth/revoke", data={"token": who.token})

    def delete(self, who: Member) -> None:
        """The person deletes the account in the web settings."""
        self.call(self.join("admin"), "DELETE", f"/api/v1/admin/accounts/{who.id}")


@contextmanager
def running(folder: Path) -> Iterator[Standin]:
    """The stand-in on a free port; ends with the block, and with this process however that ends."""
    port, errors = free_port(), folder / "stderr"
    words = [str(PYTHON), str(HERE / "mastodon_serve.py"), str(port)]
    with errors.open("w") as complaints:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True, cwd=folder
        )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if ready else ""
        if not line.startswith("{") or not json.loads(line).get("ready"):
            raise AssertionError(f"the stand-in for a Mastodon server did not start:\n{errors.read_text()[-2000:]}")
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
            yield Standin(url, client)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
