"""A stand-in for X (tests/peers/x_standin), in this process; tweepy's own client asks it over our wire.

Nothing here was sent to X itself.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import count
from typing import TYPE_CHECKING

import httpx
from factories import NOW
from networks import INFO, Clock
from school_there import connected
from world import World
from x_standin import StandIn, User

from socialgov.models import ApiClient, Capability, Presence
from socialgov.platforms import Login, LoginRefused, Platform
from socialgov.platforms.grants import Tokens
from socialgov.platforms.x import XPlatform

if TYPE_CHECKING:
    from x_standin import Post
    from x_standin.oauth import Grant

    from socialgov.home import Home
    from socialgov.models import Account, PlatformInfo

NO_LIMIT = 1_000_000
_CALLS_WITH_FEW = ("me", "liked", "delete", "unlike", "unfollow", "unrepost", "create", "followers", "following")
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


class Given:
    """The access that a connected account gives (platforms/base.py, Access)."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant

    def token(self) -> str:
        if self._grant.ended:
            raise LoginRefused("X was disconnected.", of_token=True)
        return self._grant.access

    def renew(self, refused: str) -> str:
        return self.token()

    def revoke(self) -> None:
        self._grant.ended = True


class XWorld(World):
    page, page_of_followers = 100, 1_000
    by_key = False
    _names = count(1)

    def __init__(self, vocabulary: str, standin: StandIn | None = None) -> None:
        self.vocabulary, self.clock = vocabulary, Clock(NOW)
        self.standin = standin or StandIn(self.clock, vocabulary)
        self.standin.limits = dict.fromkeys(_CALLS_WITH_FEW, NO_LIMIT)
        self.there = self.standin.world
        self.handle = f"trip_wales{next(self._names)}"
        self.user: User = self.there.join(self.handle, protected=True, description="Official account")
        self.remote_id = self.user.id
        scopes = " ".join(XPlatform.oauth.scopes) if XPlatform.oauth else ""
        self.grant = self.standin.doors.give(self.user.id, scopes)
        self.secrets = (self.grant.access, self.grant.refresh)

    @property
    def info(self) -> PlatformInfo:  # type: ignore[override]
        """At an address of its own each time: which vocabulary is spoken there has to be found out anew."""
        address = f"http://127.0.0.1:{next(_ports)}"
        return replace(
            INFO, key="x", name="X", adapter="x", api_base=address, client=ApiClient("client", None),
            minimum_age_on=date(2026, 11, 22),
        )  # fmt: skip

    def another(self) -> XWorld:
        return XWorld(self.vocabulary, self.standin)

    # ---- the school's side

    def adapter(self, need: Capability | None = None) -> Platform:
        made = XPlatform(
            self.info, handle=self.handle, remote_id=self.remote_id, login=Login(self.handle, self.user.password),
            access=OfTheApp(self.standin) if need is Capability.SEE_PRESENCE else Given(self.grant),
        )  # fmt: skip
        made.transport = self.network()
        made.wait = lambda seconds: None  # type: ignore[assignment,misc]
        return made

    def network(self) -> httpx.BaseTransport:
        return httpx.WSGITransport(app=self.standin)

    @property
    def now(self) -> datetime:
        return self.clock.now

    def hand_over(self, home: Home, account: Account) -> None:
        grant = self.grant
        tokens = Tokens(grant.access, grant.refresh, grant.until, tuple(sorted(grant.scopes)))
        connected(home, account, self, tokens)

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

    def token_works(self) -> bool:
        return self.standin.doors.holder(self.grant.access) is not None

    def presence(self) -> Presence:
        """Whoever asks X cannot tell a deactivated account from a deleted one."""
        return Presence.LIVE if self.there.user(self.user.id) else Presence.GONE
