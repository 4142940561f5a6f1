"""Read everything that a platform tells about one account, with nothing written and no transaction held.

Each need is read by itself: one that fails leaves the others standing, and what it would have told stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from socialgov.models import Capability, Fact, Presence
from socialgov.platforms import PlatformError

if TYPE_CHECKING:
    from socialgov.platforms import Counts, Platform, RemoteFollower, RemotePost


@dataclass(slots=True)
class Reading:
    """What one look brought. None: not read, whether the platform cannot or did not answer (then see `failed`)."""

    values: dict[Fact, Any] = field(default_factory=dict)
    picture: bytes | None = field(default=None, repr=False)
    posts: list[RemotePost] | None = None
    followers: list[RemoteFollower] | None = None
    failed: dict[Capability, PlatformError] = field(default_factory=dict)
    counts: Counts | None = None  # how many of each the profile tells there are
    done: set[Capability] = field(default_factory=set)  # read to the end
    stands: set[Capability] = field(default_factory=set)  # not read again: the number is that of the last reading
    notes: dict[Fact, str] = field(default_factory=dict)
    left_out: frozenset[Capability] = frozenset()  # not read, because the money does not reach (planned_looks.py)

    @property
    def brought(self) -> bool:
        """The platform told something."""
        return bool(self.values) or self.picture is not None or self.posts is not None

    @property
    def nothing(self) -> bool:
        return not (self.brought or self.failed or self.left_out)


def read_platform(platform: Platform, without: Collection[Capability] = ()) -> Reading:
    """Every read that the adapter declares, but for `without`. Raises nothing that a platform can cause.

    An account that is deactivated or gone has nothing else to read: only that is told.
    """
    reading = Reading()
    for capability in _READS:
        if capability not in without and reading.values.get(Fact.PRESENCE, Presence.LIVE) is Presence.LIVE:
            try_read(platform, capability, reading)
    return reading


def try_read(platform: Platform, capability: Capability, reading: Reading) -> None:
    """Add one read to `reading`, or how it failed; nothing where the platform cannot do it."""
    if not platform.can(capability):
        return
    try:
        _READS[capability](platform, reading)
        reading.done.add(capability)
    except PlatformError as error:
        reading.failed[capability] = error


def _presence(platform: Platform, reading: Reading) -> None:
    reading.values[Fact.PRESENCE] = platform.presence()


def _profile(platform: Platform, reading: Reading) -> None:
    profile = platform.profile()
    if platform.remote_id is not None and profile.remote_id != platform.remote_id:
        raise PlatformError(
            f"{platform.info.name} told us about another account.",
            permanent=False,
            mend="Look on the account's page whether handle and connection are right.",
        )
    told = {Fact.PRIVATE: profile.private, Fact.PROFILE_TEXT: profile.text, Fact.SETUP_EMAIL: profile.setup_email}
    told[Fact.LABELS] = None if profile.labels is None else list(profile.labels)
    reading.values |= {fact: value for fact, value in told.items() if value is not None}
    reading.picture, reading.counts = profile.picture, profile.counts
    if platform.access is not None:  # it was the account itself that answered: the platform still lets us in
        reading.values[Fact.OUR_ACCESS] = True


def _posts(platform: Platform, reading: Reading) -> None:
    posts, conversations = platform.posts(), platform.conversations()
    reading.posts = posts
    reading.values[Fact.CONVERSATIONS] = len(conversations)


def _followers(platform: Platform, reading: Reading) -> None:
    reading.followers = platform.followers()
    reading.values[Fact.FOLLOWERS] = len({one.remote_id for one in reading.followers if not one.waiting})


def _follows(platform: Platform, reading: Reading) -> None:
    reading.values[Fact.FOLLOWS] = len(platform.follows())


def _likes(platform: Platform, reading: Reading) -> None:
    reading.values[Fact.LIKES] = len(platform.likes())


def _shares(platform: Platform, reading: Reading) -> None:
    reading.values[Fact.SHARES] = len(platform.shares())


def _own_key(platform: Platform, reading: Reading) -> None:
    """It is with a key of its own that the machine looks. That it works says nothing about the deposited password."""
    if platform.login is not None:
        reading.values[Fact.OUR_ACCESS] = platform.check_login()


# what a person's word does not replace where the machine can look; the login is the network manager's word (SEC205)
READ_BY: Mapping[Fact, Capability] = {
    Fact.PRESENCE: Capability.SEE_PRESENCE,
    Fact.PRIVATE: Capability.READ_PROFILE,
    Fact.PROFILE_TEXT: Capability.READ_PROFILE,
    Fact.SETUP_EMAIL: Capability.READ_PROFILE,
    Fact.LOGO: Capability.READ_PROFILE,
    Fact.OUTSIDE_POSTS: Capability.READ_POSTS,
    Fact.CONVERSATIONS: Capability.READ_POSTS,
    Fact.FOLLOWERS: Capability.READ_FOLLOWERS,
    Fact.FOLLOWS: Capability.READ_FOLLOWS,
    Fact.LIKES: Capability.READ_LIKES,
    Fact.SHARES: Capability.READ_SHARES,
}

# the facts that each list tells
FACTS_OF: Mapping[Capability, tuple[Fact, ...]] = {
    Capability.READ_POSTS: (Fact.OUTSIDE_POSTS, Fact.CONVERSATIONS),
    Capability.READ_FOLLOWERS: (Fact.FOLLOWERS,),
    Capability.READ_FOLLOWS: (Fact.FOLLOWS,),
    Capability.READ_LIKES: (Fact.LIKES,),
    Capability.READ_SHARES: (Fact.SHARES,),
}

_READS: Mapping[Capability, Callable[[Platform, Reading], None]] = {
    Capability.SEE_PRESENCE: _presence,
    Capability.READ_PROFILE: _profile,
    Capability.READ_POSTS: _posts,
    Capability.READ_FOLLOWERS: _followers,
    Capability.READ_FOLLOWS: _follows,
    Capability.READ_LIKES: _likes,
    Capability.READ_SHARES: _shares,
    Capability.CHECK_LOGIN: _own_key,
}
