"""Bluesky's app passwords, against answers of a test's own making. Against the real server: tests/peers."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from fake_bluesky import TOKEN, Answer, Server, refusal

from socialgov.models import Capability
from socialgov.platforms import LoginRefused, PlatformError
from socialgov.platforms.bluesky import BlueskyPlatform


def test_an_app_password_is_made_and_ours_from_before_is_ended() -> None:
    server = Server({"listAppPasswords": {"passwords": [{"name": "another program"}, {"name": "socialgov-0a1b2c"}]}})
    assert server.adapter().make_token("socialgov") == TOKEN
    wanted = ["createSession", "createAppPassword", "listAppPasswords", "revokeAppPassword", "deleteSession"]
    assert server.asked() == wanted
    assert re.fullmatch("socialgov-[0-9a-f]{6}", server.body("createAppPassword")["name"])
    assert server.body("revokeAppPassword") == {"name": "socialgov-0a1b2c"}


@pytest.mark.parametrize(
    ("answers", "permanent"),
    [
        ({"createAppPassword": httpx.Response(502)}, False),
        ({"createAppPassword": {}}, False),
        ({"createAppPassword": {"password": 7}}, False),
        ({"createAppPassword": refusal(400, "InvalidRequest")}, True),
        ({"listAppPasswords": httpx.Response(503)}, False),
        ({"listAppPasswords": {"passwords": "none"}}, False),
        ({"createSession": refusal(401, "AuthFactorTokenRequired")}, True),
    ],
)
def test_a_key_that_could_not_be_made_is_an_error_and_no_wrong_login(
    answers: dict[str, Answer], permanent: bool
) -> None:
    with pytest.raises(PlatformError) as caught:
        Server(answers).adapter().make_token("socialgov")
    assert caught.value.permanent is permanent
    assert not isinstance(caught.value, LoginRefused)


def test_a_refused_password_makes_no_key_and_says_so() -> None:
    server = Server({"createSession": refusal(401, "AuthenticationRequired")})
    with pytest.raises(LoginRefused, match="deposited login"):
        server.adapter().make_token("socialgov")
    assert "createAppPassword" not in server.asked()


def test_who_deposited_an_app_password_is_told_that_it_is_one() -> None:
    server = Server({"createAppPassword": refusal(400, "InvalidToken")})
    with pytest.raises(PlatformError, match="That is an app password"):
        server.adapter().make_token("socialgov")
    assert "revokeAppPassword" not in server.asked()


NEED_THE_PASSWORD: dict[Capability, Callable[[BlueskyPlatform], object]] = {
    Capability.MAKE_TOKEN: lambda a: a.make_token("another"),
    Capability.DEACTIVATE: lambda a: a.deactivate(),
    Capability.DELETE_BY_MAILED_CODE: lambda a: a.ask_deletion_code(),
}


def test_what_needs_the_password_is_not_even_asked_with_a_key_of_ours() -> None:
    assert set(NEED_THE_PASSWORD) == BlueskyPlatform.needs_password
    for act in NEED_THE_PASSWORD.values():
        server = Server()
        with pytest.raises(PlatformError, match="own password"):
            act(server.adapter(is_token=True))
        assert set(server.asked()) <= {"getRepoStatus"}
    with pytest.raises(PlatformError, match="own password"):
        Server().adapter(is_token=True).delete("ABCDE-23456")


def test_a_key_that_is_refused_is_called_ours() -> None:
    server = Server({"createSession": refusal(401, "AuthenticationRequired")})
    assert server.adapter(is_token=True).check_login() is False
    with pytest.raises(LoginRefused, match="socialgov's own key"):
        server.adapter(is_token=True).publish("Boats", [], key="k")
