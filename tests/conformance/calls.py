"""Every call that an adapter can be asked for: what it takes, and how the platform itself shows whether it is so.

A read is right when it tells what was arranged; a change when the platform, asked by somebody else, shows it. A new
method of Platform gets its line here, and from then on every adapter that declares it is held to it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from world import World, photo

from socialgov.models import Capability, Presence
from socialgov.platforms import Platform, Profile

C = Capability
NEW_PASSWORD = "another-S3cret-77!"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Read:
    """`arrange` makes something to be seen and returns it as `ask` must tell it."""

    name: str
    capability: Capability
    arrange: Callable[[World], Any]
    ask: Callable[[Platform], Any]


@dataclass(frozen=True, slots=True)
class Change:
    """`arrange` returns the `thing` that `do` does something with, and `done` says whether the platform shows it.

    `ends`: nobody can do anything with the account or its key afterwards.
    """

    name: str
    capability: Capability
    arrange: Callable[[World], Any]
    do: Callable[[Platform, Any], Any]
    done: Callable[[World, Any], bool]
    ends: bool = False


def _face(profile: Profile) -> tuple[Any, ...]:
    return profile.remote_id, profile.handle.lstrip("@").lower(), profile.private


def _two(make: Callable[[World], str]) -> Callable[[World], list[str]]:
    return lambda world: sorted(make(world) for _ in range(2))


READS = (
    Read(
        "profile",
        C.READ_PROFILE,
        lambda world: (world.remote_id, world.handle.lower(), world.is_private()),
        lambda adapter: _face(adapter.profile()),
    ),
    Read("presence", C.SEE_PRESENCE, lambda world: Presence.LIVE, lambda adapter: adapter.presence()),
    Read(
        "posts",
        C.READ_POSTS,
        lambda world: sorted(world.posts(world.page + 1)),
        lambda adapter: sorted(post.remote_id for post in adapter.posts()),
    ),
    Read(
        "conversations",
        C.READ_POSTS,
        lambda world: sorted(world.replies()),
        lambda adapter: sorted(adapter.conversations()),
    ),
    Read(
        "followers",
        C.READ_FOLLOWERS,
        lambda world: sorted(world.crowd(world.page_of_followers + 1)),
        lambda adapter: sorted(one.remote_id for one in adapter.followers()),
    ),
    Read("follows", C.READ_FOLLOWS, _two(lambda world: world.follow()), lambda adapter: sorted(adapter.follows())),
    Read("likes", C.READ_LIKES, _two(lambda world: world.like()), lambda adapter: sorted(adapter.likes())),
    Read("shares", C.READ_SHARES, _two(lambda world: world.share()), lambda adapter: sorted(adapter.shares())),
    Read("check_login", C.CHECK_LOGIN, lambda world: True, lambda adapter: adapter.check_login()),
)


# ---- changes


def _words() -> tuple[str, str]:
    """Text and key of a post that nobody made before."""
    number = next(_numbers)
    return f"Boats {number}", f"post-{number}"


def _is_out_once(world: World, thing: tuple[str, str]) -> bool:
    times = world.texts().count(thing[0])
    assert times <= 1, "it was published twice"
    return times == 1


def _put_up(world: World) -> tuple[str, str]:
    text, _ = _words()
    return world.post(text), text


def _gone_from(listed: Callable[[World], list[str]]) -> Callable[[World, str], bool]:
    return lambda world, thing: thing not in listed(world)


def _code(world: World) -> str:
    world.adapter(C.DELETE_BY_MAILED_CODE).ask_deletion_code()
    return world.mailed_code()


CHANGES = (
    Change(
        "publish",
        C.PUBLISH,
        lambda world: _words(),
        lambda adapter, thing: adapter.publish(thing[0], [photo()], key=thing[1]),
        _is_out_once,
    ),
    Change(
        "delete_post",
        C.DELETE_POST,
        _put_up,
        lambda adapter, thing: adapter.delete_post(thing[0]),
        lambda world, thing: thing[1] not in world.texts(),
    ),
    Change(
        "accept_follower",
        C.ACCEPT_FOLLOWER,
        lambda world: world.follower(),
        lambda adapter, thing: adapter.accept_follower(thing),
        lambda world, thing: thing in world.following(),
    ),
    Change(
        "remove_follower",
        C.REMOVE_FOLLOWER,
        lambda world: world.follower(),
        lambda adapter, thing: adapter.remove_follower(thing),
        _gone_from(lambda world: world.waiting() + world.following()),
    ),
    Change(
        "set_picture",
        C.SET_PICTURE,
        lambda world: (world.face(), photo(f"hsl({next(_numbers) * 47 % 360}, 70%, 40%)").content),
        lambda adapter, thing: adapter.set_picture(thing[1], "image/jpeg"),
        lambda world, thing: world.face() != thing[0],
    ),
    Change(
        "set_private",
        C.SET_PRIVATE,
        lambda world: world.make_public(),
        lambda adapter, thing: adapter.set_private(),
        lambda world, thing: world.is_private(),
    ),
    Change(
        "undo_like",
        C.UNDO_LIKE,
        lambda world: world.like(),
        lambda adapter, thing: adapter.undo_like(thing),
        _gone_from(lambda world: world.liked()),
    ),
    Change(
        "undo_follow",
        C.UNDO_FOLLOW,
        lambda world: world.follow(),
        lambda adapter, thing: adapter.undo_follow(thing),
        _gone_from(lambda world: world.follows()),
    ),
    Change(
        "undo_share",
        C.UNDO_SHARE,
        lambda world: world.share(),
        lambda adapter, thing: adapter.undo_share(thing),
        _gone_from(lambda world: world.shared()),
    ),
    Change(
        "make_token",
        C.MAKE_TOKEN,
        lambda world: [],
        lambda adapter, thing: operator.iadd(thing, [adapter.make_token("socialgov")]),
        lambda world, thing: bool(thing) and world.opens(thing[-1]),
    ),
    Change(
        "end_token",
        C.MAKE_TOKEN,
        lambda world: world.adapter(C.MAKE_TOKEN).make_token("socialgov"),
        lambda adapter, thing: adapter.end_token("socialgov"),
        lambda world, thing: not world.opens(thing),
    ),
    Change(
        "change_password",
        C.CHANGE_PASSWORD,
        lambda world: NEW_PASSWORD,
        lambda adapter, thing: adapter.change_password(thing),
        lambda world, thing: world.opens(thing),
        ends=True,
    ),
    Change(
        "revoke_access",
        C.REVOKE_ACCESS,
        lambda world: None,
        lambda adapter, thing: adapter.revoke_access(),
        lambda world, thing: not world.token_works(),
        ends=True,
    ),
    Change(
        "deactivate",
        C.DEACTIVATE,
        lambda world: None,
        lambda adapter, thing: adapter.deactivate(),
        lambda world, thing: world.presence() is not Presence.LIVE,
        ends=True,
    ),
    Change(
        "delete",
        C.DELETE,
        lambda world: None,
        lambda adapter, thing: adapter.delete(),
        lambda world, thing: world.presence() is Presence.GONE,
        ends=True,
    ),
    Change(
        "ask_deletion_code",
        C.DELETE_BY_MAILED_CODE,
        lambda world: None,
        lambda adapter, thing: adapter.ask_deletion_code(),
        lambda world, thing: bool(world.mailed_code()),
    ),
    Change(
        "delete_with_code",
        C.DELETE_BY_MAILED_CODE,
        _code,
        lambda adapter, thing: adapter.delete(thing),
        lambda world, thing: world.presence() is Presence.GONE,
        ends=True,
    ),
)
