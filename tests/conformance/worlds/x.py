"""A stand-in for X (tests/peers/x_standin), in this process; tweepy's own client asks it over our wire.

Nothing here was sent to X itself.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import httpx
from factories import NOW
from given import Given
from networks import INFO, Clock
from school_there import connected
from world import World
from x_standin import StandIn, User

from socialgov.models import ApiClient, Capability, Presence
from socialgov.platforms import Login, LoginRefused, Platform
from socialgov.platforms.grants import Client, Tokens
from socialgov.platforms.x import XPlatform

if TYPE_CHECKING:
    from x_standin import Post

    from socialgov.home import Home
    from socialgov.models import Account, PlatformInfo

BACK = "http://localhost:5000/connections/callback"  # of a new school
_ports = count(20_000)


class OfTheApp:
    """A token of the school's own app: what everybody may see, and for looks at an account that lets nobody in."""

    def __init__(self, standin: StandIn) -> None:
        self._token = standin.doors.app_token()

    def token(self) -> str:
        return self._token

    def renew(self, refused: str) -> str:
        raise LoginRefused("X does not take the app's token any more.", of_token=True)

    def revoke(self) -> None:
        """It is the school's, not the account's."""


class XWorld(World):
    page, page_of_followers = 100, 1_000
    by_key = False
    _names = count(1)

    def __init__(self, vocabulary: str, folder: Path, standin: StandIn | None = None) -> None:
        self.vocabulary, self.folder, self.clock = vocabulary, folder, Clock(NOW)
        self.standin = standin or StandIn(self.clock, vocabulary)
        self.there, doors = self.standin.world, self.standin.doors
        self.client = next(iter(doors.clients.values()), None) or doors.register(BACK)
        self.handle = f"trip_wales{next(self._names)}"
        self.user: User = self.there.join(self.handle, protected=True, description="Official account")
        self.remote_id = self.user.id
        grant = doors.give(self.user.id, " ".join(XPlatform.oauth.scopes) if XPlatform.oauth else "")
        self.tokens = Tokens(grant.access, grant.refresh, grant.until, tuple(sorted(grant.scopes)))
        self.secrets = (grant.access, grant.refresh, str(self.client.secret))

    @property
    def info(self) -> PlatformInfo:  # type: ignore[override]
        """At an address of its own each time: which vocabulary is spoken there has to be found out anew."""
        address, file = f"http://127.0.0.1:{next(_ports)}", self.folder / "x-secret"
        file.write_text(f"{self.client.secret}\n")
        return replace(
            INFO, key="x", name="X", adapter="x", api_base=address, client=ApiClient(self.client.id, str(file)),
            minimum_age_on=date(2026, 11, 22),
        )  # fmt: skip

    def another(self) -> XWorld:
        return XWorld(self.vocabulary, self.folder, self.standin)

    # ---- the school's side

    def adapter(self, need: Capability | None = None) -> Platform:
        made = XPlatform(
            self.info, handle=self.handle, remote_id=self.remote_id, login=Login(self.handle, self.user.password)
        )
        own = Given(made, self.tokens, Client(self.client.id, str(self.client.secret)))
        made.access = OfTheApp(self.standin) if need is Capability.SEE_PRESENCE else own
        made.transport = self.network()
        return made

    def network(self) -> httpx.BaseTransport:
        """For another job, a quarter of an hour after the one before: X's limits count for each."""
        self.standin.new_window()
        return httpx.WSGITransport(app=self.standin)

    @property
    def now(self) -> datetime:
        return self.clock.now

    def hand_over(self, home: Home, account: Account) -> None:
        connected(home, account, self, self.tokens)

    def confirm(self, address: str) -> dict[str, str]:
        doors = self.standin.doors
        wish = doors.wish(dict(parse_qsl(urlsplit(address).query)))
        return {"state": wish.state, "code": doors.code(wish, self.user.id)}

    # ---- what others do

    def _stranger(self) -> User:
        return self.there.join(f"dave{next(self._names)}")

    def _their_post(self) -> Post:
        return self.there.post(self._stranger(), "Look at me")

    def follower(self) -> str:
        """Accepted at once, for X shows a machine nobody who waits."""
        stranger = self.there.follow(self._stranger(), self.user)
        if self.user.protected:
            self.there.accept(self.user, stranger)
        return stranger.id

    def post(self, text: str) -> str:
        return self.there.post(self.user, text).id

    def reply(self) -> str:
        return self.there.post(self.user, "hello you", answers=self._their_post()).id

    def like(self) -> str:
        theirs = self._their_post()
        self.there.like(self.user, theirs)
        return theirs.id

    def follow(self) -> str:
        stranger = self._stranger()
        self.there.follow(self.user, stranger)
        return stranger.id

    def share(self) -> str:
        return self.there.repost(self.user, self._their_post()).id

    def make_public(self) -> None:
        self.there.protect(self.user, False)

    def leave(self) -> None:
        self.there.deactivate(self.user)

    def pass_days(self, days: float) -> None:
        self.clock.pass_days(days)

    # ---- what is there

    def _posts(self) -> list[Post]:
        return self.there.posts_of(self.user)

    def texts(self) -> list[str]:
        return [post.text for post in self._posts() if not post.refers("retweeted")]

    def alt_texts(self) -> list[str]:
        return [one.alt for post in self._posts() for one in post.media]

    def is_private(self) -> bool:
        return self.user.protected

    def waiting(self) -> list[str]:
        return list(self.user.waiting)

    def following(self) -> list[str]:
        return list(self.user.followers)

    def liked(self) -> list[str]:
        return list(self.user.likes)

    def follows(self) -> list[str]:
        return self.there.following(self.user)

    def shared(self) -> list[str]:
        return [post.id for post in self._posts() if post.refers("retweeted")]

    def opens(self, secret: str) -> bool:
        return self.standin.doors.holder(secret) is not None

    def token_works(self) -> bool:
        return self.opens(self.tokens.access)

    def presence(self) -> Presence:
        """Whoever asks X cannot tell a deactivated account from a deleted one."""
        return Presence.LIVE if self.there.user(self.user.id) else Presence.GONE
