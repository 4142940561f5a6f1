"""The simulated network, in this process: the adapter reaches it by its JSON interface as it would over a socket."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from factories import NOW
from networks import INFO, Clock
from world import World, new_secret

from socialgov.models import Capability, Presence
from socialgov.platforms import Login, Platform
from socialgov.platforms.sandbox import SandboxPlatform
from socialgov.sandbox import Network, create_sandbox
from socialgov.sandbox.api import PAGE
from socialgov.sandbox.keys import Keys
from socialgov.sandbox.network import Member, NetworkError
from socialgov.sandbox.wall import Entry, Wall

if TYPE_CHECKING:
    from flask import Flask

    from socialgov.home import Home
    from socialgov.models import Account

ADDRESS = "http://127.0.0.1/api"


class SandboxWorld(World):
    page = page_of_followers = PAGE
    info = replace(INFO, key="sandbox", name="Sandbox", adapter="sandbox", api_base=ADDRESS)

    _accounts = count(2)

    def __init__(self, app: Flask, clock: Clock, number: int = 1) -> None:
        self.app, self.clock, self.secret = app, clock, new_secret()
        self.there: Network = app.extensions["network"]
        self.wall = Wall(self.there)
        self.handle = f"trip_wales_{number}"
        member = self.there.create_account(
            self.handle, self.secret, email="trips@school.example", text="Official account", private=True
        )
        self.remote_id = member.id
        self.key = Keys(self.there).make(member, "conformance")
        self.secrets = (self.secret, self.key)
        self._numbers = count(1)

    @classmethod
    def open(cls, folder: Path) -> SandboxWorld:
        clock = Clock(NOW)
        return cls(create_sandbox(folder / "sandbox.db", clock), clock)

    def another(self) -> SandboxWorld:
        return SandboxWorld(self.app, self.clock, next(self._accounts))

    @property
    def now(self) -> datetime:
        return self.clock.now

    # ---- the school's side

    def adapter(self, need: Capability | None = None) -> Platform:
        by_password = need in SandboxPlatform.needs_password
        login = Login(self.handle, self.secret if by_password else self.key, is_token=not by_password)
        made = SandboxPlatform(self.info, handle=self.handle, remote_id=self.remote_id, login=login)
        made.transport = self.network()
        return made

    def network(self) -> httpx.BaseTransport:
        return httpx.WSGITransport(app=self.app)

    def hand_over(self, home: Home, account: Account) -> None:
        from closing_school import owner_of

        from socialgov.actions.credentials import deposit

        deposit(
            home, owner_of(home, account), account.id, username=self.handle, secret=self.secret,
            email="trips@school.example", now=self.now,
        )  # fmt: skip

    # ---- what others do

    def _stranger(self) -> Member:
        return self.there.create_account(f"dave{self.handle[11:]}_{next(self._numbers)}", outsider=True)

    @property
    def _me(self) -> Member:
        return self.there.member(self.remote_id)

    def follower(self) -> str:
        stranger = self._stranger()
        self.there.follow(stranger, self._me)
        return stranger.id

    def post(self, text: str) -> str:
        return str(self.wall.publish(self._me, text))

    def reply(self) -> str:
        theirs = self.wall.publish(self._stranger(), "Look at me")
        return str(self.wall.publish(self._me, "hello you", reply_to=theirs))

    def like(self) -> str:
        theirs = self.wall.publish(self._stranger(), "Look at me")
        self.wall.like(self._me, theirs)
        return str(theirs)

    def follow(self) -> str:
        stranger = self._stranger()
        self.there.follow(self._me, stranger)
        return stranger.id

    def share(self) -> str:
        theirs = self.wall.publish(self._stranger(), "Look at me")
        return str(self.wall.publish(self._me, "", share_of=theirs))

    def make_public(self) -> None:
        self.there.change_profile(self._me, private=False)

    def leave(self) -> None:
        self.there.deactivate(self._me)

    def pass_days(self, days: float) -> None:
        self.clock.pass_days(days)

    # ---- what is there

    def _entries(self) -> list[Entry]:
        return self.wall.entries(self._me, limit=1000)

    def texts(self) -> list[str]:
        return [entry.text for entry in self._entries() if entry.share_of is None]

    def alt_texts(self) -> list[str]:
        return [alt for entry in self._entries() for _, alt in entry.pictures]

    def is_private(self) -> bool:
        return self._me.private

    def waiting(self) -> list[str]:
        return [one.id for one, accepted in self.there.followers(self._me) if not accepted]

    def following(self) -> list[str]:
        return [one.id for one, accepted in self.there.followers(self._me) if accepted]

    def liked(self) -> list[str]:
        return [str(number) for number in self.wall.likes(self._me)]

    def follows(self) -> list[str]:
        return self.there.follows(self._me)

    def shared(self) -> list[str]:
        return [str(entry.id) for entry in self._entries() if entry.share_of is not None]

    def face(self) -> bytes:
        shot = self.there.picture(self._me)
        return shot.content if shot else b""

    def opens(self, secret: str) -> bool:
        for sign_in in (self.there.sign_in, Keys(self.there).sign_in):
            try:
                sign_in(self.handle, secret)
            except NetworkError:
                continue
            return True
        return False

    def token_works(self) -> bool:
        return self.opens(self.key)

    def presence(self) -> Presence:
        me = self._me
        if me.deleted_at is not None:
            return Presence.GONE
        return Presence.LIVE if me.active else Presence.DEACTIVATED
