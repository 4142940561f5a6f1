"""`mastodon_mock`, a third party's stand-in for a Mastodon server, in a process of its own; Mastodon.py asks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from given import Given
from networks import INFO
from school_there import connected
from world import World

from socialgov.models import Capability, Presence
from socialgov.platforms import Platform
from socialgov.platforms.grants import Client, Tokens
from socialgov.platforms.mastodon import MastodonPlatform
from socialgov.platforms.mastodon_calls import PAGE_OF_POSTS
from socialgov.platforms.mastodon_parts import text_of

if TYPE_CHECKING:
    from mastodon_standin import Member, Standin

    from socialgov.home import Home
    from socialgov.models import Account

OF_A_CLIENT = "secret-of-a-client-77"  # the stand-in asks for none; a real server takes a token from nobody else


class MastodonWorld(World):
    page = PAGE_OF_POSTS
    page_of_followers = 1  # each of a crowd is a sign-up there: that the list goes on is tested in test_mastodon.py

    def __init__(self, server: Standin) -> None:
        self.server = server
        self.info = replace(INFO, key="mastodon", name="Mastodon", adapter="mastodon", api_base=server.url)
        self.member = server.join("trip")
        self.handle, self.remote_id = self.member.handle, self.member.id
        scopes = MastodonPlatform.oauth.scopes if MastodonPlatform.oauth else ()
        self.tokens = Tokens(self.member.token, "", None, scopes)  # a server of Mastodon renews none
        self.secrets = (self.member.token, OF_A_CLIENT)
        server.update(self.member, locked="true", **{"source[privacy]": "private"})
        self._other: Member | None = None

    def another(self) -> MastodonWorld:
        return MastodonWorld(self.server)

    @property
    def now(self) -> datetime:
        """A server in a process of its own has the machine's clock."""
        return datetime.now(UTC)

    # ---- the school's side

    def adapter(self, need: Capability | None = None) -> Platform:
        made = MastodonPlatform(self.info, handle=self.handle, remote_id=self.remote_id)
        made.access = Given(made, self.tokens, Client("conformance", OF_A_CLIENT))
        made.transport = self.network()
        return made

    def network(self) -> httpx.BaseTransport:
        return httpx.HTTPTransport(verify=False)  # plain HTTP: reading certificates takes longer than all else

    def hand_over(self, home: Home, account: Account) -> None:
        connected(home, account, self, self.tokens)

    def confirm(self, address: str) -> dict[str, str]:
        asked = dict(parse_qsl(urlsplit(address).query))
        back = self.server.client.post("/oauth/authorize", data={**asked, "username": self.member.name})
        return dict(parse_qsl(urlsplit(back.headers["location"]).query))

    # ---- what others do

    def _stranger(self) -> Member:
        if self._other is None:
            self._other = self.server.join("dave")
        return self._other

    def _their_post(self) -> str:
        return self.server.post(self._stranger(), "Look at me")

    def follower(self) -> str:
        somebody = self.server.join("follower")
        self.server.ask_to_follow(somebody, self.member)
        return somebody.id

    def post(self, text: str) -> str:
        return self.server.post(self.member, text, visibility="private")

    def reply(self) -> str:
        theirs = self._their_post()
        return self.server.post(self.member, "hello you", in_reply_to_id=theirs, visibility="private")

    def like(self) -> str:
        theirs = self._their_post()
        self.server.like(self.member, theirs)
        return theirs

    def follow(self) -> str:
        somebody = self.server.join("followed")
        self.server.ask_to_follow(self.member, somebody)
        return somebody.id

    def share(self) -> str:
        return self.server.repost(self.member, self._their_post())

    def make_public(self) -> None:
        self.server.update(self.member, locked="false", **{"source[privacy]": "public"})

    def leave(self) -> None:
        self.server.delete(self.member)

    # ---- what is there

    def _mine(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return list(self.server.call(self.member, "GET", f"/api/v1/{path}", params={"limit": 40, **params}))

    def _statuses(self) -> list[dict[str, Any]]:
        return self._mine(f"accounts/{self.remote_id}/statuses")

    def texts(self) -> list[str]:
        return [text_of(one["content"]) for one in self._statuses() if not one["reblog"]]

    def alt_texts(self) -> list[str]:
        return [media["description"] for one in self._statuses() for media in one["media_attachments"]]

    def is_private(self) -> bool:
        face = self.server.face(self.member)
        return face["locked"] and face["source"]["privacy"] == "private"

    def waiting(self) -> list[str]:
        return [one["id"] for one in self._mine("follow_requests", limit=80)]

    def following(self) -> list[str]:
        return [one["id"] for one in self._mine(f"accounts/{self.remote_id}/followers", limit=80)]

    def liked(self) -> list[str]:
        return [one["id"] for one in self._mine("favourites")]

    def follows(self) -> list[str]:
        return [one["id"] for one in self._mine(f"accounts/{self.remote_id}/following", limit=80)]

    def shared(self) -> list[str]:
        return [one["id"] for one in self._statuses() if one["reblog"]]

    def face(self) -> bytes:
        """By its address, which is new with each picture."""
        return str(self.server.face(self.member)["avatar"]).encode()

    def token_works(self) -> bool:
        return self.opens(self.member.token)

    def opens(self, secret: str) -> bool:
        headers = {"Authorization": f"Bearer {secret}"}
        return self.server.client.get("/api/v1/accounts/verify_credentials", headers=headers).is_success

    def presence(self) -> Presence:
        reply = self.server.client.get(f"/api/v1/accounts/{self.remote_id}")
        return Presence.LIVE if reply.is_success else Presence.GONE
