"""Faults injected at the transport: what each means for whoever waits for the answer."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import INFO, Recorded

from socialgov.platforms import PlatformError, wire
from socialgov.platforms.wire import Wire

SECRET = "canary-S3cret!"


def wire_that(answers: Callable[[httpx.Request], httpx.Response] | httpx.Response) -> Wire:
    return Wire(INFO, transport=Recorded(answers if callable(answers) else lambda request: answers))


def raising(error: type[httpx.HTTPError]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error(f"with {SECRET} inside", request=request)

    return answer


NOT_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
LOST = [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]


@pytest.mark.parametrize("error", NOT_SENT)
def test_a_request_that_was_never_sent_has_had_no_effect(error: type[httpx.HTTPError]) -> None:
    with pytest.raises(PlatformError) as caught:
        wire_that(raising(error)).post("/x", {})
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, False)


@pytest.mark.parametrize("error", LOST)
def test_a_change_whose_answer_was_lost_may_have_had_its_effect(error: type[httpx.HTTPError]) -> None:
    with pytest.raises(PlatformError) as caught:
        wire_that(raising(error)).post("/x", {})
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, True)


@pytest.mark.parametrize("error", LOST)
def test_a_read_whose_answer_was_lost_is_only_tried_again(error: type[httpx.HTTPError]) -> None:
    with pytest.raises(PlatformError) as caught:
        wire_that(raising(error)).get("/x")
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, False)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_fault_of_the_platform_is_tried_again_and_a_change_may_have_happened(status: int) -> None:
    with pytest.raises(PlatformError) as read:
        wire_that(httpx.Response(status)).get("/x")
    with pytest.raises(PlatformError) as changed:
        wire_that(httpx.Response(status)).post("/x", {})
    assert (read.value.permanent, read.value.outcome_unknown) == (False, False)
    assert (changed.value.permanent, changed.value.outcome_unknown) == (False, True)


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({"ratelimit-reset": "1772442060"}, datetime(2026, 3, 2, 9, 1, tzinfo=UTC)),
        ({"retry-after": "60"}, datetime(2026, 3, 2, 9, 1, tzinfo=UTC)),
        ({"retry-after": "Mon, 02 Mar 2026 09:01:00 GMT"}, datetime(2026, 3, 2, 9, 1, tzinfo=UTC)),
        ({"retry-after": "soon"}, None),
        ({"ratelimit-reset": "9" * 30}, None),
        ({}, None),
    ],
)
def test_a_rate_limit_says_until_when(headers: dict[str, str], until: datetime | None) -> None:
    with pytest.raises(PlatformError) as caught:
        wire_that(httpx.Response(429, headers=headers)).post("/x", {})
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, False)
    assert caught.value.retry_at == until


@pytest.mark.parametrize(
    "body", [b"", b"<html>Sign in to the school's proxy</html>", b"[1]", b'{"a": 1', b"null", b"\xff"]
)
def test_an_answer_that_is_no_json_object_makes_no_sense(body: bytes) -> None:
    odd = wire_that(httpx.Response(200, content=body))
    with pytest.raises(PlatformError) as caught:
        odd.json(odd.post("/x", {}), effect=True)
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, True)


def test_json_nested_without_end_makes_no_sense() -> None:
    deep = wire_that(httpx.Response(200, content=b'{"a":' * 100_000))
    with pytest.raises(PlatformError):
        deep.json(deep.get("/x"))


def test_an_answer_that_is_too_long_is_given_up() -> None:
    def drops() -> Iterator[bytes]:
        while True:
            yield b" " * 100_000

    with pytest.raises(PlatformError) as caught:
        wire_that(lambda request: httpx.Response(200, content=drops())).get("/x")
    assert caught.value.permanent is True
    assert "more than" in caught.value.message


def test_an_answer_that_drips_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "BODY_SECONDS", 0)
    with pytest.raises(PlatformError, match="slowly"):
        wire_that(lambda request: httpx.Response(200, content=iter([b"{", b"}"]))).get("/x")


def test_a_packed_answer_that_nobody_asked_for_is_not_unpacked() -> None:
    packed = httpx.Response(200, headers={"content-encoding": "gzip"}, content=iter([b"\x1f\x8b"]))
    with pytest.raises(PlatformError, match="encoding"):
        wire_that(lambda request: packed).get("/x")


@pytest.mark.parametrize("escape", [r"\ud800", r"\uDFff", r"\uDC00\uD800"])
def test_half_a_character_in_an_answer_becomes_one_that_can_be_kept(escape: str) -> None:
    reply = wire_that(httpx.Response(200, content=f'{{"name": "a{escape}b"}}'.encode())).get("/x")
    name = wire_that(httpx.Response(200)).json(reply)["name"]
    assert name == "a" + "?" * escape.count("u") + "b" and name.encode()


def test_a_whole_character_of_two_halves_stays_as_it_is() -> None:
    reply = wire_that(httpx.Response(200, content=rb'{"name": "\ud83d\ude00"}')).get("/x")
    assert wire_that(httpx.Response(200)).json(reply) == {"name": "\U0001f600"}


@pytest.mark.parametrize("header", ["date", "retry-after", "x-ratelimit-reset", "ratelimit-reset"])
@pytest.mark.parametrize("told", ["Fri, 31 Dec 9999 23:59:59 -2300", "0001-01-01T00:00:00+14:00", "9" * 5_000, "x"])
@pytest.mark.parametrize("status", [200, 429])
def test_a_time_that_no_calendar_has_is_not_told(header: str, told: str, status: int) -> None:
    with suppress(PlatformError):
        sent = wire_that(httpx.Response(status, headers={header: told}, json={})).get("/x").sent_at
        assert header != "date" or sent is None


def test_a_redirect_is_followed_within_https_without_a_token() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "somewhere.test":
            return httpx.Response(302, headers={"location": "https://store.elsewhere.test/blob"})
        return httpx.Response(200, content=b"picture")

    assert wire_that(answer).get("/x").content == b"picture"


@pytest.mark.parametrize(
    "location",
    [
        "http://elsewhere.test/",
        "https://localhost/",
        "https://localhost./",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f.1/",
        "https://10.0.0.7/",
        "https://intranet/",
    ],
)
def test_a_redirect_into_the_school_or_out_of_https_is_refused(location: str) -> None:
    with pytest.raises(PlatformError, match="redirects"):
        wire_that(httpx.Response(302, headers={"location": location})).get("/x")


def test_a_redirect_is_never_followed_with_a_token_or_a_body() -> None:
    away = httpx.Response(307, headers={"location": "https://elsewhere.test/"})
    for ask in (lambda: wire_that(away).get("/x", token=SECRET), lambda: wire_that(away).post("/x", {"p": SECRET})):
        with pytest.raises(PlatformError) as caught:
            ask()
        assert caught.value.permanent is True


def test_redirects_in_a_circle_end() -> None:
    with pytest.raises(PlatformError, match="circles"):
        wire_that(httpx.Response(302, headers={"location": "/x"})).get("/x")


@pytest.mark.parametrize(
    "base", [None, "", "http://somewhere.test", "ftp://somewhere.test", "somewhere.test", "https://"]
)
def test_an_address_over_which_no_password_may_travel_is_refused(base: str | None) -> None:
    with pytest.raises(PlatformError) as caught:
        Wire(replace(INFO, api_base=base))
    assert caught.value.permanent is True
    assert "school.toml" in caught.value.mend


@pytest.mark.parametrize("error", [*NOT_SENT, *LOST])
def test_no_failure_shows_a_secret(error: type[httpx.HTTPError], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PlatformError) as caught:
        wire_that(raising(error)).post("/x", {"password": SECRET}, token=SECRET)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in caplog.text
    assert caught.value.__cause__ is None


def test_a_token_that_is_no_header_is_a_failure_not_a_crash() -> None:
    for token in ("line\r\nbreak", "snow ☃"):
        with pytest.raises(PlatformError) as caught:
            Wire(INFO, transport=Recorded(lambda request: httpx.Response(200))).get("/x", token=token)
        assert "snow" not in str(caught.value)


@given(st.binary(max_size=200), st.sampled_from([200, 204, 302, 400, 401, 403, 404, 418, 429, 500, 503]))
def test_whatever_comes_back_is_an_answer_or_a_platform_error(body: bytes, status: int) -> None:
    some = wire_that(httpx.Response(status, content=body))
    try:
        reply = some.get("/x")
        reply.error_name()
        assert isinstance(some.json(reply), dict)
    except PlatformError:
        pass


# ---- real sockets: what a mock cannot play


@contextmanager
def socket_that(answers: bytes, *, closes: bool = True, drips: int = 0) -> Iterator[str]:
    """A server that sends these bytes to whoever comes, and perhaps some more one by one, then hangs up or holds the
    line.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            client.recv(65536)
            client.sendall(answers)
            with suppress(OSError):
                for _ in range(drips):
                    client.sendall(b"x")
                    time.sleep(0.05)
            if closes:
                client.close()
            else:
                held.append(client)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()
        for client in held:
            client.close()


def test_a_body_that_is_cut_off_is_a_lost_answer() -> None:
    cut = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a": '
    with socket_that(cut) as url, pytest.raises(PlatformError) as caught:
        Wire(replace(INFO, api_base=url)).post("/x", {})
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, True)


def test_a_line_that_goes_dead_before_the_answer_is_a_lost_answer() -> None:
    for noise in (b"", b"not HTTP at all\r\n\r\n"):
        with socket_that(noise) as url, pytest.raises(PlatformError) as caught:
            Wire(replace(INFO, api_base=url)).post("/x", {})
        assert caught.value.outcome_unknown is True


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "TIMEOUT", httpx.Timeout(0.2))
    with socket_that(b"HTTP/1.1 200", closes=False) as url, pytest.raises(PlatformError, match="in time") as caught:
        Wire(replace(INFO, api_base=url)).post("/x", {})
    assert caught.value.outcome_unknown is True


def test_an_answer_whose_head_drips_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte by byte no wait is ever long, and one server that anybody chose would hold up every check for days."""
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.3)
    began = time.monotonic()
    with socket_that(b"HTTP/1.1 200 OK\r\nX: ", drips=100) as url, pytest.raises(PlatformError) as caught:
        Wire(replace(INFO, api_base=url)).post("/x", {})
    assert time.monotonic() - began < 2
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, True)


def test_a_port_where_nobody_listens_is_out_of_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(PlatformError, match="cannot be reached"):
        Wire(replace(INFO, api_base=f"http://127.0.0.1:{port}")).get("/x")


def test_an_error_word_is_read_only_from_a_json_object() -> None:
    for body, word in ((json.dumps({"error": "Gone"}).encode(), "Gone"), (b'["Gone"]', ""), (b'{"error": 5}', "")):
        assert wire_that(httpx.Response(400, content=body)).get("/x").error_name() == word
