"""A real personal data server of the AT Protocol with its identity directory and a mailbox, all on this machine.

Who follows is told by a stand-in for an index (tests/peers/bluesky_index.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from networks import INFO
from world import World, new_secret

from socialgov.models import Capability, Presence
from socialgov.platforms import Login, Platform
from socialgov.platforms.atproto import PAGE
from socialgov.platforms.bluesky import FOLLOW, LIKE, POST, PROFILE, REPOST, BlueskyPlatform

if TYPE_CHECKING:
    from real_bluesky import Member, RealBluesky

    from socialgov.home import Home
    from socialgov.models import Account

_WORDS = {"deactivated": Presence.DEACTIVATED, None: Presence.LIVE}


class BlueskyWorld(World):
    page = page_of_followers = PAGE
    slow = True

    def __init__(self, server: RealBluesky) -> None:
        self.server, self.secret = server, new_secret()
        self.info = replace(
            INFO, key="bluesky", name="Bluesky", adapter="bluesky", can_be_private=False, api_base=server.url,
            directory_base=server.directory, index_base=server.index.url,
        )  # fmt: skip
        self.member: Member = server.join("trip", password=self.secret)
        self.handle, self.remote_id = self.member.handle, self.member.did
        self._token = server.token(self.member)
        made = server.call("com.atproto.server.createAppPassword", {"name": "conformance"}, token=self._token)
        self.key = str(made["password"])
        self.secrets = (self.secret, self.key)
        self._stranger: Member | None = None

    def another(self) -> BlueskyWorld:
        return BlueskyWorld(self.server)

    @property
    def now(self) -> datetime:
        """A real server has a real clock."""
        return datetime.now(UTC)

    # ---- the school's side

    def adapter(self, need: Capability | None = None) -> Platform:
        by_password = need in BlueskyPlatform.needs_password
        login = Login(self.handle, self.secret if by_password else self.key, is_token=not by_password)
        made = BlueskyPlatform(self.info, handle=self.handle, remote_id=self.remote_id, login=login)
        made.transport = self.network()
        return made

    def network(self) -> httpx.BaseTransport:
        return httpx.HTTPTransport(verify=False)  # plain HTTP: reading certificates takes longer than all else

    def hand_over(self, home: Home, account: Account) -> None:
        from closing_school import owner_of

        from socialgov.actions.credentials import deposit

        deposit(
            home, owner_of(home, account), account.id, username=self.handle, secret=self.secret,
            email=self.member.email, now=self.now,
        )  # fmt: skip

    # ---- what others do, and a careless teacher

    def follower(self) -> str:
        stranger = self.server.join("stranger")
        self.server.follow(stranger, self.member)
        return stranger.did

    def crowd(self, number: int) -> list[str]:
        return self.server.index.crowd(self.remote_id, number)

    def _their_post(self) -> dict[str, str]:
        """Of a stranger: each time another one."""
        if self._stranger is None:
            self._stranger = self.server.join("stranger")
        return self.server.record(self._stranger, POST, text="Look at me")

    def _make(self, collection: str, *values: dict[str, Any]) -> list[str]:
        """Records of ours, by hand."""
        created = "2026-11-23T09:00:00.000Z"
        writes = [
            {
                "$type": "com.atproto.repo.applyWrites#create",
                "collection": collection,
                "value": {"$type": collection, "createdAt": created, **value},
            }
            for value in values
        ]
        body = {"repo": self.remote_id, "writes": writes}
        made = self.server.call("com.atproto.repo.applyWrites", body, token=self._token)
        return [one["uri"] for one in made["results"]]

    def post(self, text: str) -> str:
        return self._make(POST, {"text": text})[0]

    def posts(self, number: int) -> list[str]:
        return self._make(POST, *({"text": f"day {day}"} for day in range(number)))

    def reply(self) -> str:
        theirs = self._their_post()
        return self._make(POST, {"text": "hello you", "reply": {"root": theirs, "parent": theirs}})[0]

    def like(self) -> str:
        theirs = self._their_post()
        self._make(LIKE, {"subject": theirs})
        return theirs["uri"]

    def follow(self) -> str:
        other = self.server.join("other").did
        self._make(FOLLOW, {"subject": other})
        return other

    def share(self) -> str:
        return self._make(REPOST, {"subject": self._their_post()})[0]

    def leave(self) -> None:
        self.server.call("com.atproto.server.deactivateAccount", {}, token=self._token)

    def mailed_code(self) -> str:
        return self.server.mailbox.code(self.member.email, "Delet")

    # ---- what is there

    def _records(self, collection: str) -> list[dict[str, Any]]:
        return self.server.records(self.member, collection)

    def texts(self) -> list[str]:
        return [one["value"]["text"] for one in self._records(POST)]

    def alt_texts(self) -> list[str]:
        return [shown["alt"] for one in self._records(POST) for shown in one["value"]["embed"]["images"]]

    def liked(self) -> list[str]:
        return [one["value"]["subject"]["uri"] for one in self._records(LIKE)]

    def follows(self) -> list[str]:
        return [one["value"]["subject"] for one in self._records(FOLLOW)]

    def shared(self) -> list[str]:
        return [one["uri"] for one in self._records(REPOST)]

    def face(self) -> bytes:
        for one in self._records(PROFILE):
            if "avatar" in one["value"]:
                return self.server.blob(self.member, one["value"]["avatar"]["ref"]["$link"])
        return b""

    def opens(self, secret: str) -> bool:
        body = {"identifier": self.remote_id, "password": secret}
        address = f"{self.server.url}/xrpc/com.atproto.server.createSession"
        with httpx.Client(verify=False, trust_env=False, timeout=20) as client:
            return client.post(address, json=body).status_code == 200

    def token_works(self) -> bool:
        return self.opens(self.key)

    def presence(self) -> Presence:
        with httpx.Client(verify=False, trust_env=False, timeout=20) as client:
            address = f"{self.server.url}/xrpc/com.atproto.sync.getRepoStatus"
            reply = client.get(address, params={"did": self.remote_id})
        if reply.status_code == 400 and reply.json()["error"] == "RepoNotFound":
            return Presence.GONE
        return _WORDS[reply.json().get("status")]
