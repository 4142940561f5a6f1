"""A real personal data server of the AT Protocol with its identity directory, and a mailbox, all on this machine.

Beside it stands an index (bluesky_index.py), which is not a real one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from bluesky_index import IndexStandIn, index_of
from mailbox_sink import Mailbox, free_port, mailbox_on
from node_process import missing_node, running_node

HERE = Path(__file__).parent
START_SECONDS = 60
OLDEST_NODE = (18,)  # of Debian 12 and Ubuntu 24.04; package.json says so too
_numbers = count(int(time.time()) % 100_000)


def missing() -> str:
    """What is not installed, as a sentence with the command that mends it; empty when nothing is."""
    if why := missing_node(OLDEST_NODE, "the Bluesky server"):
        return why
    if not (HERE / "node_modules" / "@atproto" / "pds").is_dir():
        return "the Bluesky server is not installed: `.ci/install-peers`"
    return ""


@dataclass(frozen=True)
class Member:
    """An account on the server, as the person who made it by hand knows it."""

    did: str
    handle: str
    email: str
    password: str = field(repr=False)


@dataclass
class RealBluesky:
    """`directory` says which server keeps an account; `index` is a stand-in that knows who follows it."""

    url: str
    mailbox: Mailbox
    directory: str
    index: IndexStandIn

    def call(self, method: str, body: dict[str, Any] | None = None, *, token: str = "", **params: str) -> Any:
        """One method: a query with parameters, or a procedure with a body (an empty one is `{}`)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{self.url}/xrpc/{method}"
        with httpx.Client(verify=False, trust_env=False, timeout=20) as client:
            if body is None:
                reply = client.get(address, params=params, headers=headers)
            else:
                reply = client.post(address, json=body, headers=headers)
        assert reply.status_code == 200, f"{method}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else {}

    def join(self, name: str, *, address: str | None = None, password: str = "Boats-and-7-trains!") -> Member:
        """Make an account, as a teacher does on the platform itself."""
        handle = f"{name}{next(_numbers)}.test"
        address = address or f"{handle.removesuffix('.test')}@school.example"
        body = {"handle": handle, "email": address, "password": password}
        made = self.call("com.atproto.server.createAccount", body)
        return Member(made["did"], handle, address, password)

    def token(self, member: Member) -> str:
        body = {"identifier": member.did, "password": member.password}
        return str(self.call("com.atproto.server.createSession", body)["accessJwt"])

    def upload(self, member: Member, content: bytes, mime: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token(member)}", "Content-Type": mime}
        address = f"{self.url}/xrpc/com.atproto.repo.uploadBlob"
        with httpx.Client(verify=False, trust_env=False, timeout=20) as client:
            reply = client.post(address, content=content, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json()["blob"]

    def record(self, member: Member, collection: str, rkey: str = "", **value: Any) -> dict[str, str]:
        """Write a record by hand, outside the product: a like, a follow, a post, a profile."""
        record = {"$type": collection, "createdAt": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), **value}
        body = {"repo": member.did, "collection": collection, "record": record, **({"rkey": rkey} if rkey else {})}
        made = self.call("com.atproto.repo.createRecord", body, token=self.token(member))
        return {"uri": made["uri"], "cid": made["cid"]}

    def remove(self, member: Member, uri: str) -> None:
        """Take a record back by hand."""
        collection, rkey = uri.split("/")[-2:]
        body = {"repo": member.did, "collection": collection, "rkey": rkey}
        self.call("com.atproto.repo.deleteRecord", body, token=self.token(member))

    def change_password(self, member: Member, password: str) -> Member:
        """As the platform lets a person do it: by a code mailed to the account's address."""
        self.call("com.atproto.server.requestPasswordReset", {"email": member.email})
        body = {"token": self.mailbox.code(member.email, "Password Reset"), "password": password}
        self.call("com.atproto.server.resetPassword", body)
        return replace(member, password=password)

    def blob(self, member: Member, cid: str) -> bytes:
        with httpx.Client(verify=False, trust_env=False, timeout=20) as client:
            reply = client.get(f"{self.url}/xrpc/com.atproto.sync.getBlob", params={"did": member.did, "cid": cid})
        assert reply.status_code == 200, reply.text
        return reply.content

    def refusal(self, method: str, **params: str) -> tuple[int, str]:
        """Status and error word of a query that is refused."""
        with httpx.Client(verify=False, trust_env=False, timeout=20) as client:
            reply = client.get(f"{self.url}/xrpc/{method}", params=params)
        return reply.status_code, str(reply.json().get("error"))

    def records(self, member: Member, collection: str) -> list[dict[str, Any]]:
        listed = self.call("com.atproto.repo.listRecords", repo=member.did, collection=collection)
        return list(listed["records"])

    def follow(self, follower: Member, followed: Member) -> dict[str, str]:
        """As a stranger does it, and as the index hears of it."""
        made = self.record(follower, "app.bsky.graph.follow", subject=followed.did)
        self.index.crawl(follower)
        return made


@contextmanager
def running(folder: Path) -> Iterator[RealBluesky]:
    """The server on free ports; ends with the block, and with this process however that ends."""
    pds, directory, smtp = free_port(), free_port(), free_port()
    words: list[str | Path] = [HERE / "pds.js", str(pds), str(directory), str(smtp), folder / "data"]
    errors = folder / "stderr"
    url = f"http://localhost:{pds}"
    with (
        mailbox_on(smtp) as mailbox,
        running_node(words, errors, name="the Bluesky server", seconds=START_SECONDS, oldest=OLDEST_NODE),
        index_of(url) as index,
    ):
        yield RealBluesky(url, mailbox, f"http://localhost:{directory}", index)
