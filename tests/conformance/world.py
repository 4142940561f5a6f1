"""What the conformance suite asks of a platform: a world in which its adapter is at home.

A `World` is a server of that platform (the real one where there is one) with one account of the school's on it. It
plays everybody but the product: strangers who follow, a careless teacher with the platform's own app, the platform's
moderators and its clock. What an adapter does not declare, its world need not be able to arrange.
"""

from __future__ import annotations

import os
import secrets
from abc import ABC, abstractmethod
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

import httpx
from factories import NOW
from PIL import Image

from socialgov.models import Capability, PlatformInfo, Presence
from socialgov.platforms import Picture, Platform

if TYPE_CHECKING:
    from socialgov.home import Home
    from socialgov.models import Account

EVERY_CUT = "SOCIALGOV_EVERY_CUT" in os.environ  # set by `make conformance`


class World(ABC):
    """One platform and one account on it. `secrets` may show nowhere.

    `page` and `page_of_followers`: how many posts, and followers, a list brings at once.
    `silent`: calls that its adapter answers by itself, for the platform has no such thing.
    `by_key` False: the platform keeps no key for a post, so that the adapter knows ours by its words.
    `slow`: a whole server to which a sign-in costs a tenth of a second. Of other changes than posts only the worst cut
    is then made (the platform did it and the answer was lost), and a closing is cut at every fifth request; `make
    conformance` makes every cut there is.
    """

    page = page_of_followers = 0
    silent: frozenset[str] = frozenset()
    by_key = True
    slow = False
    info: PlatformInfo
    handle: str
    remote_id: str
    secrets: tuple[str, ...] = ()

    # ---- the school's side

    @property
    def sparing(self) -> bool:
        """Not every cut is made, to save time."""
        return self.slow and not EVERY_CUT

    @property
    def now(self) -> datetime:
        """What the platform's clock shows."""
        return NOW

    @abstractmethod
    def adapter(self, need: Capability | None = None) -> Platform:
        """A new adapter, as one job gets it: with our own key or token, with the password where `need` wants that."""

    @abstractmethod
    def network(self) -> httpx.BaseTransport:
        """The way to the platform, for putting faults in front of it."""

    @abstractmethod
    def another(self) -> World:
        """The same platform with a new account of the school's."""

    def hand_over(self, home: Home, account: Account) -> None:
        """Give the school what its machine needs for the account: a deposit, or a connection."""
        raise self._cannot("be handed over to a school")

    def confirm(self, address: str) -> dict[str, str]:
        """What a person who is signed in as the account, and allows everything at this address, comes back with."""
        raise self._cannot("be connected")

    # ---- what others do, and a careless teacher on the platform itself

    def follower(self) -> str:
        """Somebody new follows the account, or asks to where it is private. Their lasting id."""
        raise self._cannot("make a follower")

    def crowd(self, number: int) -> list[str]:
        """So many followers at once."""
        return [self.follower() for _ in range(number)]

    def post(self, text: str) -> str:
        """A post made on the platform itself; its id."""
        raise self._cannot("post")

    def posts(self, number: int) -> list[str]:
        """So many posts at once."""
        return [self.post(f"day {day}") for day in range(number)]

    def reply(self) -> str:
        """An answer to somebody else's post; its id."""
        raise self._cannot("reply")

    def replies(self) -> list[str]:
        """Some of them, where the platform has such a thing."""
        return [self.reply() for _ in range(2)]

    def like(self) -> str:
        """A like; the id of the liked post."""
        raise self._cannot("like")

    def follow(self) -> str:
        """The account follows somebody; their id."""
        raise self._cannot("follow")

    def share(self) -> str:
        """A repost; its id."""
        raise self._cannot("share")

    def make_public(self) -> None:
        """The privacy switch is flipped."""
        raise self._cannot("be made public")

    def leave(self) -> None:
        """The account is deactivated on the platform itself."""
        raise self._cannot("be left")

    def mailed_code(self) -> str:
        """The deletion code in the account's mailbox."""
        raise self._cannot("mail a code")

    def pass_days(self, days: float) -> None:
        """The platform's own clock goes on."""
        raise self._cannot("let time pass")

    # ---- what is there, as the platform itself knows it

    def texts(self) -> list[str]:
        """The texts of all posts of the account."""
        raise self._cannot("be read")

    def alt_texts(self) -> list[str]:
        """The alternative texts of all pictures of its posts."""
        raise self._cannot("be read")

    def is_private(self) -> bool:
        """Can only accepted followers see what it posts?"""
        return False

    def waiting(self) -> list[str]:
        """The ids of those who have asked to follow."""
        raise self._cannot("keep anybody waiting")

    def following(self) -> list[str]:
        """The ids of those who follow."""
        raise self._cannot("have followers")

    def liked(self) -> list[str]:
        raise self._cannot("like")

    def follows(self) -> list[str]:
        raise self._cannot("follow")

    def shared(self) -> list[str]:
        raise self._cannot("share")

    def face(self) -> bytes:
        """The account's picture."""
        raise self._cannot("have a picture")

    def opens(self, secret: str) -> bool:
        """Does this password, this key or this token open the account?"""
        raise self._cannot("be opened")

    def token_works(self) -> bool:
        """Does what the machine was given still open anything?"""
        raise self._cannot("be opened by a token")

    def presence(self) -> Presence:
        raise self._cannot("tell whether the account is there")

    def _cannot(self, what: str) -> LookupError:
        return LookupError(f"The world of {self.info.name} cannot {what}: write it, for its adapter says so.")


def photo(colour: str = "navy", side: int = 48) -> Picture:
    out = BytesIO()
    Image.new("RGB", (side, side), colour).save(out, "JPEG")
    return Picture(out.getvalue(), "image/jpeg", "two boats", side, side)


def new_secret() -> str:
    """A password of a new account: strong, and for no other."""
    return f"{secrets.token_urlsafe(12)}-S3!"
