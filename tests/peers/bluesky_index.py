"""A stand-in for an index of Bluesky (an AppView), written from the protocol's descriptions of two of its methods.

The real one takes a database server and minutes to install. This one is small and strict: it answers strangers only,
knows two methods, and refuses what they do not take. Follows it reads from the real server, when a test has it crawl;
people whom only it knows stand for those on other servers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
from networks import served
from werkzeug.exceptions import BadRequest, HTTPException, NotFound, Unauthorized
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from real_bluesky import Member

FOLLOW = "app.bsky.graph.follow"
MODERATORS = "did:plc:moderatorsmoderators22"
_METHODS = {"app.bsky.actor.getProfile": {"actor"}, "app.bsky.graph.getFollowers": {"actor", "limit", "cursor"}}
_numbers = count(1)


class Refusal(BadRequest):
    """400 with the protocol's word for the reason."""

    def __init__(self, word: str, description: str) -> None:
        super().__init__(description)
        self.word = word


class IndexStandIn:
    """`url` is where it is served; `pds` the server whose accounts it indexes."""

    def __init__(self, pds: str) -> None:
        self.url, self._pds = "", pds
        self._followers: dict[str, list[dict[str, Any]]] = {}
        self._labels: dict[str, list[dict[str, Any]]] = {}

    # ---- what a test arranges

    def crawl(self, member: Member) -> None:
        """Learn whom this member of the real server follows now, as the index does a moment later."""
        for known in self._followers.values():
            known[:] = [one for one in known if one["did"] != member.did]
        for record in self._ask("com.atproto.repo.listRecords", repo=member.did, collection=FOLLOW, limit=100)[
            "records"
        ]:
            self._follow(record["value"]["subject"], member.did, member.handle)

    def crowd(self, did: str, number: int) -> list[str]:
        """So many people of other servers follow this account; their identities."""
        people = [(f"did:web:person{next(_numbers)}.example", f"person{next(_numbers)}.example") for _ in range(number)]
        for person, handle in people:
            self._follow(did, person, handle)
        return [person for person, _ in people]

    def mark(self, did: str, word: str, *, by: str = MODERATORS, **more: Any) -> None:
        """Moderators mark an account; `neg` and `exp` as in com.atproto.label.defs."""
        label = {"src": by, "uri": did, "val": word, "cts": "2026-11-22T09:00:00.000Z", **more}
        self._labels.setdefault(did, []).append(label)

    def unmark(self, did: str) -> None:
        self._labels.pop(did, None)

    def _follow(self, did: str, follower: str, handle: str) -> None:
        view = {"did": follower, "handle": handle, "indexedAt": "2026-11-22T09:00:00.000Z", "labels": []}
        self._followers.setdefault(did, []).insert(0, view)

    # ---- what it answers

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        try:
            reply = self._answer(request)
        except HTTPException as refused:
            word = getattr(refused, "word", "InvalidRequest")
            reply = _json({"error": word, "message": refused.description}, refused.code or 500)
        return reply(environ, start_response)

    def _answer(self, request: Request) -> Response:
        method = request.path.removeprefix("/xrpc/")
        if request.method != "GET" or method not in _METHODS:
            raise NotFound("no such method")
        if "Authorization" in request.headers:
            raise Unauthorized("strangers only: a token has no business here")
        if extra := set(request.args) - _METHODS[method]:
            raise BadRequest(f"unknown parameters: {extra}")
        actor = request.args.get("actor", "")
        face = self._face(actor)
        if method.endswith("getProfile"):
            return _json(face)
        return _json(self._page(face, request.args.get("limit", "50"), request.args.get("cursor", "0")))

    def _face(self, actor: str) -> dict[str, Any]:
        if not actor.startswith("did:"):
            raise BadRequest("actor must be an identity here")
        status = self._ask("com.atproto.sync.getRepoStatus", did=actor)
        if status.get("status") == "deactivated":
            raise Refusal("AccountDeactivated", "Account is deactivated")
        if status.get("active") is not True:
            raise BadRequest("Profile not found")
        described = self._ask("com.atproto.repo.describeRepo", repo=actor)
        return {
            "did": actor,
            "handle": described["handle"],
            "followersCount": len(self._followers.get(actor, [])),
            "followsCount": self._how_many(actor, FOLLOW),
            "postsCount": self._how_many(actor, "app.bsky.feed.post"),
            "labels": self._labels.get(actor, []),
        }

    def _page(self, face: dict[str, Any], limit: str, cursor: str) -> dict[str, Any]:
        if not limit.isdigit() or not 1 <= int(limit) <= 100 or not cursor.isdigit():
            raise BadRequest("limit must be from 1 to 100, and cursor one of ours")
        start, known = int(cursor), self._followers.get(face["did"], [])
        end = start + int(limit)
        subject = {name: face[name] for name in ("did", "handle", "labels")}
        further = {"cursor": str(end)} if end < len(known) else {}
        return {"subject": subject, "followers": known[start:end], **further}

    def _how_many(self, did: str, collection: str) -> int:
        listed = self._ask("com.atproto.repo.listRecords", repo=did, collection=collection, limit=100)
        return len(listed["records"])

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        with httpx.Client(verify=False, trust_env=False, timeout=20) as client:
            reply = client.get(f"{self._pds}/xrpc/{method}", params=params)
        return dict(reply.json())


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")


@contextmanager
def index_of(pds: str) -> Iterator[IndexStandIn]:
    """The stand-in over HTTP on a free port of this machine, until the block ends."""
    index = IndexStandIn(pds)
    with served(index) as url:
        index.url = url.replace("127.0.0.1", "localhost")
        yield index
