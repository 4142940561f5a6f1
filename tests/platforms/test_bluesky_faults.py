"""Every method of the Bluesky adapter against whatever a server may say: never a crash, never a secret shown."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fake_bluesky import DID, OTHER, SECRET, Server, picture, refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from socialgov.platforms import PlatformError
from socialgov.platforms.bluesky import BlueskyPlatform

METHODS: list[tuple[str, Callable[[BlueskyPlatform], Any]]] = [
    ("profile", lambda a: a.profile()),
    ("presence", lambda a: a.presence()),
    ("posts", lambda a: a.posts()),
    ("conversations", lambda a: a.conversations()),
    ("likes", lambda a: a.likes()),
    ("shares", lambda a: a.shares()),
    ("follows", lambda a: a.follows()),
    ("check_login", lambda a: a.check_login()),
    ("publish", lambda a: a.publish("Boats", [picture()], key="k")),
    ("delete_post", lambda a: a.delete_post(f"at://{DID}/app.bsky.feed.post/1")),
    ("revoke_access", lambda a: a.revoke_access()),
    ("deactivate", lambda a: a.deactivate()),
    ("ask_deletion_code", lambda a: a.ask_deletion_code()),
    ("delete", lambda a: a.delete("ABCDE-23456")),
    ("make_token", lambda a: a.make_token("socialgov")),
    ("end_token", lambda a: a.end_token("socialgov")),
    ("followers", lambda a: a.followers()),
    ("undo_like", lambda a: a.undo_like(f"at://{OTHER}/app.bsky.feed.post/1")),
    ("undo_follow", lambda a: a.undo_follow(OTHER)),
    ("undo_share", lambda a: a.undo_share(f"at://{DID}/app.bsky.feed.post/1")),
    ("set_picture", lambda a: a.set_picture(b"png", "image/png")),
]


def adapter_of(server: Server) -> BlueskyPlatform:
    """With an index, which answers as strangely."""
    adapter = server.adapter()
    adapter.info = replace(adapter.info, index_base="https://index.test")
    return adapter


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([DID, SECRET]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "did",
                    "records",
                    "value",
                    "uri",
                    "cursor",
                    "avatar",
                    "ref",
                    "$link",
                    "error",
                    "passwords",
                    "password",
                    "accessJwt",
                    "refreshJwt",
                    "blob",
                    "active",
                    "status",
                    "embed",
                    "reply",
                    "handle",
                    "email",
                    "followers",
                    "subject",
                    "labels",
                    "cid",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(("name", "act"), METHODS, ids=[name for name, _ in METHODS])
@settings(max_examples=60, deadline=None)
@given(body=json_values, status=st.sampled_from([200, 200, 200, 400, 401, 403, 404, 429, 500]))
def test_whatever_the_server_says_a_method_answers_or_raises_a_platform_error(
    name: str, act: Callable[[BlueskyPlatform], Any], body: Any, status: int
) -> None:
    server = Server()
    server.network.answer = lambda request: httpx.Response(status, json=body)
    try:
        act(adapter_of(server))
    except PlatformError as error:
        assert SECRET not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(("name", "act"), METHODS, ids=[name for name, _ in METHODS])
def test_no_secret_in_any_message_or_log(
    name: str, act: Callable[[BlueskyPlatform], Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for status in (200, 400, 401, 500):
        server = Server()
        server.network.answer = lambda request, status=status: refusal(status, SECRET)
        adapter = adapter_of(server)
        assert SECRET not in repr(adapter.login)
        try:
            act(adapter)
        except PlatformError as error:
            assert SECRET not in "".join(traceback.format_exception(error))
    assert SECRET not in caplog.text
