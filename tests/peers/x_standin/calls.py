"""Every call that this stand-in answers: scopes, limit for each account in 15 minutes, price, parameters.

Prices are in micros (millionths of a dollar), for each item that is answered, in `includes` too, or for the request.
Where X's own list says nothing: whatever changes something costs what a post does, pictures are free, and 500 may be
asked in 15 minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW_SECONDS = 15 * 60
USER_MICROS, POST_MICROS = 10_000, 5_000
WRITE_MICROS, LINK_MICROS = 15_000, 200_000
READ = frozenset({"tweet.read", "users.read"})
SCOPES = READ | {
    "tweet.write", "users.email", "follows.read", "follows.write", "like.read", "like.write", "media.write",
    "offline.access", "tweet.moderate.write", "mute.read", "mute.write", "list.read", "list.write", "block.read",
    "bookmark.read", "bookmark.write", "space.read", "dm.read", "dm.write",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """`parameters`: name → what it must be (asking.py). `app` True: an app's own token will do."""

    name: str
    method: str
    path: str
    scopes: frozenset[str] = READ
    limit: int = 500
    item_micros: int = 0
    request_micros: int = 0
    app: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)


_OF_USERS = {"user.fields": "user.fields", "expansions": "expansions", "posts": "post fields"}
_OF_POSTS = {**_OF_USERS, "media.fields": "media.fields"}
_PAGED = {"pagination_token": "token"}
_TIMELINE = {
    **_OF_POSTS, **_PAGED, "max_results": "5-100", "since_id": "id", "until_id": "id", "start_time": "moment",
    "end_time": "moment", "exclude": "exclude",
}  # fmt: skip


def _read(
    name: str, path: str, limit: int, micros: int, parameters: Mapping[str, str], *scopes: str, app: bool
) -> Call:
    return Call(name, "GET", path, READ | set(scopes), limit, item_micros=micros, app=app, parameters=parameters)


def _undo(name: str, path: str, scope: str) -> Call:
    return Call(name, "DELETE", path, READ | {scope}, 50, request_micros=WRITE_MICROS)


CALLS = (
    _read("me", "/2/users/me", 75, USER_MICROS, _OF_USERS, app=False),
    _read("users", "/2/users", 900, USER_MICROS, {**_OF_USERS, "ids": "ids"}, app=True),
    _read("user", "/2/users/<id>", 900, USER_MICROS, _OF_USERS, app=True),
    _read("user_by_name", "/2/users/by/username/<username>", 900, USER_MICROS, _OF_USERS, app=True),
    _read(
        "followers", "/2/users/<id>/followers", 300, USER_MICROS, {**_OF_USERS, **_PAGED, "max_results": "1-1000"},
        "follows.read", app=False,
    ),
    _read(
        "following", "/2/users/<id>/following", 300, USER_MICROS, {**_OF_USERS, **_PAGED, "max_results": "1-1000"},
        "follows.read", app=False,
    ),
    _read(
        "liked", "/2/users/<id>/liked_tweets", 75, POST_MICROS, {**_OF_POSTS, **_PAGED, "max_results": "5-100"},
        "like.read", app=False,
    ),
    _read("timeline", "/2/users/<id>/tweets", 900, POST_MICROS, _TIMELINE, app=True),
    _read("posts", "/2/tweets", 900, POST_MICROS, {**_OF_POSTS, "ids": "ids"}, app=True),
    _read("post", "/2/tweets/<id>", 900, POST_MICROS, _OF_POSTS, app=True),
    Call("create", "POST", "/2/tweets", READ | {"tweet.write"}, 100, request_micros=WRITE_MICROS),
    _undo("delete", "/2/tweets/<id>", "tweet.write"),
    _undo("unlike", "/2/users/<id>/likes/<post_id>", "like.write"),
    _undo("unfollow", "/2/users/<id>/following/<other_id>", "follows.write"),
    _undo("unrepost", "/2/users/<id>/retweets/<post_id>", "tweet.write"),
    Call("media_initialize", "POST", "/2/media/upload/initialize", frozenset({"media.write"})),
    Call("media_append", "POST", "/2/media/upload/<id>/append", frozenset({"media.write"})),
    Call("media_finalize", "POST", "/2/media/upload/<id>/finalize", frozenset({"media.write"})),
    Call(
        "media_status", "GET", "/2/media/upload", frozenset({"media.write"}),
        parameters={"command": "command", "media_id": "id"},
    ),
    Call("media_metadata", "POST", "/2/media/metadata", frozenset({"media.write"})),
)  # fmt: skip
