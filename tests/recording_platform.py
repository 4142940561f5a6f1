"""A fake platform that declares every read, answers from a plain state, and records what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from socialgov import platforms
from socialgov.home import Home
from socialgov.models import Capability, Presence
from socialgov.platforms import Platform, PlatformError, Profile, RemoteFollower, RemotePost

READS = frozenset(
    {
        Capability.SEE_PRESENCE,
        Capability.READ_PROFILE,
        Capability.READ_POSTS,
        Capability.READ_FOLLOWERS,
        Capability.READ_FOLLOWS,
        Capability.READ_LIKES,
        Capability.READ_SHARES,
        Capability.CHECK_LOGIN,
    }
)


@dataclass
class Shown:
    """What the platform shows. `failing` maps a method's name to what it raises; `asked` is what was asked, in order.

    `meanwhile` happens while the platform is being asked: what other people do at that moment.
    """

    presence: Presence = Presence.LIVE
    profile: Profile = field(
        default_factory=lambda: Profile(
            "r1", "trip", "Trip", "Official account. office@school.example", True, setup_email="trips@school.example"
        )
    )
    posts: list[RemotePost] = field(default_factory=list)
    followers: list[RemoteFollower] = field(default_factory=list)
    follows: list[str] = field(default_factory=list)
    likes: list[str] = field(default_factory=list)
    shares: list[str] = field(default_factory=list)
    conversations: list[str] = field(default_factory=list)
    check_login: bool = True
    failing: dict[str, PlatformError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Any] = lambda: None


class RecordingPlatform(Platform):
    capabilities = READS
    shown = Shown()

    def _answer(self, name: str) -> Any:
        self.shown.asked.append(name)
        self.shown.meanwhile()
        if name in self.shown.failing:
            raise self.shown.failing[name]
        return getattr(self.shown, name)


def _method(name: str) -> Callable[[RecordingPlatform], Any]:
    return lambda self: self._answer(name)


METHODS = ("presence", "profile", "posts", "conversations", "followers", "follows", "likes", "shares", "check_login")
for _name in METHODS:
    setattr(RecordingPlatform, _name, _method(_name))


def recorded_home(home: Home, monkeypatch: Any) -> tuple[Home, Shown]:
    """`home` with Instagram read through the fake, and what that shows."""
    shown = Shown()
    monkeypatch.setattr(RecordingPlatform, "shown", shown)
    monkeypatch.setitem(platforms.ADAPTERS, "recording", (__name__, "RecordingPlatform"))
    info = replace(home.settings.platforms["instagram"], adapter="recording")
    settings = replace(home.settings, platforms={**home.settings.platforms, "instagram": info})
    return replace(home, settings=settings), shown
