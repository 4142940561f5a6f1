"""The Mastodon adapter where a server is strict, strange or broken: every answer here is the test's own."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from networks import INFO, Recorded

from socialgov.models import Capability, Presence
from socialgov.platforms import LoginRefused, NotOffered, NotReady, Picture, PlatformError
from socialgov.platforms.mastodon import MastodonPlatform
from socialgov.platforms.mastodon_parts import text_of, word

MASTODON = replace(INFO, key="mastodon", name="Mastodon", adapter="mastodon", api_base="https://social.test")
FACE: dict[str, Any] = {
    "id": "7", "acct": "trip", "username": "trip", "display_name": "Trip", "note": "<p>Trip</p>", "locked": True,
    "avatar": "https://social.test/avatars/original/missing.png", "followers_count": 1, "following_count": 0,
    "statuses_count": 0, "source": {"privacy": "private", "note": "Trip"},
}  # fmt: skip
PICTURE = Picture(b"\x89PNG", "image/png", "A boat.", 10, 10)


@dataclass
class Renewing:
    """An access whose first token is old."""

    tokens: list[str] = field(default_factory=lambda: ["old-token", "new-token"])
    refused: list[str] = field(default_factory=list)

    def token(self) -> str:
        return self.tokens[0]

    def renew(self, refused: str) -> str:
        self.refused.append(refused)
        if len(self.tokens) == 1:
            raise LoginRefused("It must be connected anew.", of_token=True)
        return self.tokens.pop()

    def revoke(self) -> None:
        """Not asked here."""


def reply(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, Any]], Recorded]]:
    """`asked({"GET /path": answer})`: a server that knows these requests and answers 404 to all others."""

    def install(answers: dict[str, Any]) -> Recorded:
        def answer(request: httpx.Request) -> httpx.Response:
            found = answers.get(f"{request.method} {request.url.path}")
            if callable(found):
                found = found(request)
            if isinstance(found, Exception):
                raise found
            if isinstance(found, httpx.Response):
                return found
            if found is None and request.url.path.endswith("verify_credentials"):
                return reply(FACE)
            return reply({"error": "Record not found"}, 404) if found is None else reply(found)

        network = Recorded(answer)
        monkeypatch.setattr(MastodonPlatform, "transport", network)
        return network

    yield install


Asked = Callable[[dict[str, Any]], Recorded]


def adapter(access: Any = None, remote_id: str | None = "7") -> MastodonPlatform:
    return MastodonPlatform(MASTODON, handle="trip@social.test", remote_id=remote_id, access=access or Renewing(["t"]))


def outsider() -> MastodonPlatform:
    return MastodonPlatform(MASTODON, handle="trip@social.test", remote_id="7")


# ---- whose token, and which server


def test_a_refused_token_is_renewed_once_and_the_request_is_made_again(asked: Asked) -> None:
    def face(request: httpx.Request) -> httpx.Response:
        good = request.headers["authorization"] == "Bearer new-token"
        return reply(FACE) if good else reply({"error": "The access token is invalid"}, 401)

    network, access = asked({"GET /api/v1/accounts/verify_credentials": face, "GET /api/v1/favourites": []}), Renewing()
    assert adapter(access).likes() == []
    assert access.refused == ["old-token"]
    assert [one.headers["authorization"] for one in network.asked][-1] == "Bearer new-token"


def test_a_token_that_is_refused_again_is_a_clear_refusal(asked: Asked) -> None:
    network = asked({"GET /api/v1/accounts/verify_credentials": reply({"error": "revoked"}, 401)})
    with pytest.raises(LoginRefused) as refused:
        adapter(Renewing()).likes()
    assert refused.value.of_token
    assert len(network.asked) == 2


def test_too_few_rights_ask_for_a_new_connection(asked: Asked) -> None:
    asked({"GET /api/v1/favourites": reply({"error": "This action is outside the authorized scopes"}, 403)})
    with pytest.raises(LoginRefused) as refused:
        adapter().likes()
    assert refused.value.of_token


def test_a_token_that_is_the_name_of_a_file_opens_none(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("what is in it\n")
    network = asked({"GET /api/v1/favourites": []})
    adapter(Renewing([str(tmp_path / "secret")])).likes()
    assert {one.headers["authorization"] for one in network.asked} == {f"Bearer {tmp_path / 'secret'}"}


def test_the_server_is_the_handles_own_unless_the_school_names_another() -> None:
    anywhere = replace(MASTODON, api_base=None)
    assert MastodonPlatform.server_of(anywhere, "@trip@93.184.215.14") == "https://93.184.215.14"
    assert MastodonPlatform.server_of(MASTODON, "trip@elsewhere.example") == "https://social.test"
    assert MastodonPlatform.server_of(anywhere, "trip") == ""
    assert MastodonPlatform.server_of(anywhere, None) == ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "10.1.2.3", "192.168.0.1", "[::1]", "intranet", "127.1"])
def test_no_handle_leads_into_the_schools_own_network(host: str) -> None:
    with pytest.raises(PlatformError, match="not one"):
        MastodonPlatform.server_of(replace(MASTODON, api_base=None), f"trip@{host}")


def test_a_redirect_is_never_followed_with_the_token(asked: Asked) -> None:
    network = asked({"GET /api/v1/favourites": httpx.Response(302, headers={"location": "https://evil.test/"})})
    with pytest.raises(PlatformError, match="redirect"):
        adapter().likes()
    assert {one.url.host for one in network.asked} == {"social.test"}


# ---- lists


def test_pages_are_read_by_their_links_to_the_end(asked: Asked) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        if "max_id" in request.url.params:
            return reply([{"id": "3"}])
        link = '<https://social.test/api/v1/favourites?max_id=2>; rel="next"'
        return reply([{"id": "1"}, {"id": "2"}], link=link)

    asked({"GET /api/v1/favourites": page})
    assert adapter().likes() == ["1", "2", "3"]


@pytest.mark.parametrize(
    "answer",
    [
        [{"id": str(number)} for number in range(40)],  # full, and not a word about more
        {"items": []},
        ["1", "2"],
        [{"name": "x"}],
        "list",
        None,
        httpx.Response(200, text="<html>Welcome to the hotel</html>"),
        httpx.Response(200, content=b'[{"id": "1"'),
        httpx.Response(200, content=b""),
    ],
)
def test_a_list_that_makes_no_sense_is_none(asked: Asked, answer: Any) -> None:
    asked({"GET /api/v1/favourites": (lambda _: reply(None)) if answer is None else answer})
    with pytest.raises(PlatformError) as strange:
        adapter().likes()
    assert not strange.value.permanent


def test_a_server_that_sends_us_round_in_circles_is_left(asked: Asked) -> None:
    link = '<https://social.test/api/v1/favourites?max_id=2>; rel="next"'
    network = asked({"GET /api/v1/favourites": lambda _: reply([{"id": "2"}], link=link)})
    with pytest.raises(PlatformError, match="circles"):
        adapter().likes()
    assert len(network.asked) < 5


def test_a_limit_says_until_when(asked: Asked) -> None:
    headers = {"x-ratelimit-reset": "2026-03-02T09:05:00.000000Z"}
    asked({"GET /api/v1/favourites": httpx.Response(429, json={"error": "Too many requests"}, headers=headers)})
    with pytest.raises(PlatformError) as limited:
        adapter().likes()
    assert limited.value.retry_at == datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


# ---- gone or not


@pytest.mark.parametrize(
    ("answer", "presence"),
    [
        (reply({"error": "Record not found"}, 404), Presence.GONE),
        (reply({"error": "Gone"}, 410), Presence.GONE),
        ({**FACE, "suspended": True}, Presence.DEACTIVATED),
        (FACE, Presence.LIVE),
    ],
)
def test_only_the_servers_own_word_is_believed(asked: Asked, answer: Any, presence: Presence) -> None:
    network = asked({"GET /api/v1/accounts/7": answer})
    assert outsider().presence() is presence
    assert "authorization" not in network.asked[0].headers


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<html>404 Not Found</html>"),
        reply({"error": "Not Found"}, 404),
        reply(["Record not found"], 404),
        httpx.Response(410, text="gone"),
        reply({"error": "This method requires an authenticated user"}, 401),
        {**FACE, "id": "8"},
        {},
        httpx.Response(503, text="Record not found"),
    ],
)
def test_no_other_page_counts_as_gone(asked: Asked, answer: Any) -> None:
    asked({"GET /api/v1/accounts/7": answer})
    with pytest.raises(PlatformError):
        outsider().presence()


def test_a_server_that_shows_strangers_nothing_is_asked_with_the_token(asked: Asked) -> None:
    def face(request: httpx.Request) -> httpx.Response:
        return reply(FACE) if "authorization" in request.headers else reply({"error": "Sign in"}, 401)

    asked({"GET /api/v1/accounts/7": face})
    assert adapter().presence() is Presence.LIVE


# ---- posts


def made(text: str = "Hello") -> dict[str, Any]:
    return {"id": "100", "account": {"id": "7"}, "content": f"<p>{text}</p>", "visibility": "private"}


def test_a_post_carries_its_key_and_is_for_followers_of_a_locked_account(asked: Asked) -> None:
    network = asked({"POST /api/v1/statuses": made()})
    assert adapter().publish("Hello", [], key="school:1:abc") == "100"
    sent = network.asked[-1]
    assert sent.headers["idempotency-key"] == "school:1:abc"
    assert b"visibility=private" in sent.read()


def test_an_account_that_may_be_public_posts_as_its_own_default_says(asked: Asked) -> None:
    open_face = {**FACE, "locked": False, "source": {"privacy": "public", "note": ""}}
    network = asked({"POST /api/v1/statuses": made(), "GET /api/v1/accounts/verify_credentials": open_face})
    adapter().publish("Hello", [], key="k")
    assert b"visibility" not in network.asked[-1].read()


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut"), httpx.Response(502)])
def test_a_lost_answer_to_a_post_is_said_to_be_lost(asked: Asked, lost: Any) -> None:
    asked({"POST /api/v1/statuses": lost})
    with pytest.raises(PlatformError) as failed:
        adapter().publish("Hello", [], key="k")
    assert failed.value.outcome_unknown


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), httpx.Response(502), httpx.Response(200, text="<html>")])
def test_a_lost_answer_to_a_picture_has_posted_nothing(asked: Asked, lost: Any) -> None:
    network = asked({"POST /api/v2/media": lost})
    with pytest.raises(PlatformError) as failed:
        adapter().publish("Hello", [PICTURE], key="k")
    assert (failed.value.permanent, failed.value.outcome_unknown) == (False, False)
    assert [one.url.path for one in network.asked][1:] == ["/api/v2/media"]


def test_a_picture_that_the_server_is_busy_with_holds_the_post_back(asked: Asked) -> None:
    busy = {"id": "5", "type": "image", "url": None}
    network = asked({"POST /api/v2/media": httpx.Response(202, json=busy), "GET /api/v1/media/5": busy})
    with pytest.raises(NotReady, match="not done with a picture") as failed:
        adapter().publish("Hello", [PICTURE], key="k")
    assert (failed.value.permanent, failed.value.outcome_unknown) == (False, False)
    assert "/api/v1/statuses" not in {one.url.path for one in network.asked}


def test_what_the_server_does_not_take_is_not_tried_again(asked: Asked) -> None:
    asked({"POST /api/v1/statuses": reply({"error": "Validation failed: Text is too long"}, 422)})
    with pytest.raises(PlatformError) as refused:
        adapter().publish("Hello", [], key="k")
    assert (refused.value.permanent, refused.value.outcome_unknown) == (True, False)
    assert "Validation" not in str(refused.value), "its words may quote the post"


def test_no_message_quotes_what_the_server_sent_or_the_token(asked: Asked) -> None:
    asked({"GET /api/v1/favourites": httpx.Response(200, text="a child's name, and t0ken")})
    with pytest.raises(PlatformError) as strange:
        adapter(Renewing(["t0ken"])).likes()
    shown = f"{strange.value!r} {strange.value} {strange.value.__cause__!r} {strange.value.__suppress_context__}"
    assert "child" not in shown
    assert "t0ken" not in shown
    assert shown.endswith("True")


# ---- what a server may not have


def test_a_server_without_such_a_call_does_not_offer_it(asked: Asked) -> None:
    asked({
        "POST /api/v1/follow_requests/9/reject": reply({"error": "Record not found"}, 404),
        "POST /api/v1/accounts/9/remove_from_followers": reply({"error": "Not Found"}, 404),
    })  # fmt: skip
    with pytest.raises(NotOffered) as missing:
        adapter().remove_follower("9")
    assert missing.value.capability is Capability.REMOVE_FOLLOWER


def test_privacy_that_the_server_did_not_take_is_no_success(asked: Asked) -> None:
    asked({"PATCH /api/v1/accounts/update_credentials": {**FACE, "source": {"privacy": "public"}}})
    with pytest.raises(PlatformError):
        adapter().set_private()


@pytest.mark.parametrize("number", ["../7", "1/2", "", "é", "1?x=1"])
def test_an_id_that_is_none_is_sent_nowhere(asked: Asked, number: str) -> None:
    network, platform = asked({}), adapter()
    for do in (
        platform.delete_post,
        platform.accept_follower,
        platform.remove_follower,
        platform.undo_like,
        platform.undo_follow,
        platform.undo_share,
    ):
        with pytest.raises(PlatformError):
            do(number)
    assert network.asked == []


# ---- the picture


def test_a_picture_on_another_host_is_fetched_without_the_token(asked: Asked) -> None:
    face = {**FACE, "avatar": "https://93.184.215.14/a/x.png?v=2"}
    network = asked({"GET /api/v1/accounts/verify_credentials": face, "GET /a/x.png": httpx.Response(200, content=b"p"),
                     "GET /api/v1/accounts/7/statuses": []})  # fmt: skip
    assert adapter().profile().picture == b"p"
    (fetched,) = [one for one in network.asked if one.url.path == "/a/x.png"]
    assert fetched.url.host == "93.184.215.14"
    assert "authorization" not in fetched.headers


@pytest.mark.parametrize(
    "address", ["https://10.0.0.1/x.png", "http://127.0.0.1/x.png", "https://localhost/x", "file:///etc/passwd", "x"]
)
def test_a_picture_inside_the_schools_network_is_not_asked_for(asked: Asked, address: str) -> None:
    face = {**FACE, "avatar": address}
    network = asked({"GET /api/v1/accounts/verify_credentials": face, "GET /api/v1/accounts/7/statuses": []})
    assert adapter().profile().picture is None
    assert {one.url.host for one in network.asked} == {"social.test"}


def test_the_picture_that_stands_for_none_is_none(asked: Asked) -> None:
    asked({"GET /api/v1/accounts/7/statuses": []})
    assert adapter().profile().picture == b""


def test_what_the_server_does_not_tell_about_privacy_is_never_private(asked: Asked) -> None:
    for told in ({**FACE, "locked": None}, {**FACE, "source": {}}):
        asked({"GET /api/v1/accounts/verify_credentials": told, "GET /api/v1/accounts/7/statuses": []})
        try:
            assert adapter().profile().private is not True
        except PlatformError:
            continue


# ---- words


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_words_come_back_as_they_were_written(text: str) -> None:
    sent = f"<p>{html.escape(text, quote=False)}</p>"
    assert text_of(sent) == text.strip()


def test_links_and_paragraphs_come_back_whole() -> None:
    content = (
        '<p>See <a href="https://x.example/long"><span class="invisible">https://</span><span>x.example/lo</span>'
        '<span class="invisible">ng</span></a><br />and rest</p><p>More &amp; more</p>'
    )
    assert text_of(content) == "See https://x.example/long\nand rest\n\nMore & more"


@given(st.text(max_size=200) | st.text(alphabet="<>!-/[]&#9;pa =", max_size=200))
@example("<![<![")
@example(f"&#{'9' * 5_000};")
def test_no_content_breaks_the_reader(content: str) -> None:
    assert isinstance(text_of(content), str)


@pytest.mark.parametrize("unclosed", ["<a ", "<!--", "</", "<![", "<a x='"])
def test_no_content_keeps_the_reader_for_long(unclosed: str) -> None:
    """Python's own parser takes a day over as much as an answer may hold."""
    began = time.monotonic()
    text_of(unclosed * 200_000)
    assert time.monotonic() - began < 2


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_any_answer_gives_a_word_that_a_file_can_keep(value: Any) -> None:
    word({"name": value}, "name").encode()
    assert word(value, "name") == ""


def test_half_a_character_in_a_strangers_name_blinds_no_check(asked: Asked) -> None:
    body = json.dumps([{"id": "1", "acct": "dave", "display_name": "\ud83d"}]).encode()
    asked({
        "GET /api/v1/accounts/7/followers": httpx.Response(200, content=body),
        "GET /api/v1/follow_requests": [],
    })  # fmt: skip
    (follower,) = adapter().followers()
    assert follower.display_name.encode()


# ---- answers that nobody gives by mistake

ODD_TIMES = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    10**400,
    -(10**18),
    1e400,
    [],
    {"a": 1},
    "9" * 900,
]
DEEP = b'{"id": "7", "a": ' + b"[" * 200_000


@pytest.mark.parametrize("moment", ODD_TIMES)
@pytest.mark.parametrize("where", ["post", "face"])
def test_a_time_that_no_calendar_has_is_an_answer_that_makes_no_sense(asked: Asked, moment: Any, where: str) -> None:
    post = {"id": "1", "content": "Hi", "visibility": "private"} | ({"created_at": moment} if where == "post" else {})
    face = FACE | ({"created_at": moment} if where == "face" else {})
    odd = [reply_of(face), reply_of([post])]
    asked({"GET /api/v1/accounts/verify_credentials": odd[0], "GET /api/v1/accounts/7/statuses": odd[1]})
    for read in (adapter().profile, adapter().posts, adapter().conversations):
        with suppress(PlatformError):
            read()


def reply_of(body: Any) -> httpx.Response:
    """Written by Python's own writer, which writes Infinity too."""
    return httpx.Response(200, content=json.dumps(body).encode(), headers={"content-type": "application/json"})


@pytest.mark.parametrize("path", ["verify_credentials", "7/statuses", "7/followers"])
def test_an_answer_nested_without_end_makes_no_sense(asked: Asked, path: str) -> None:
    deep = httpx.Response(200, content=DEEP.replace(b"{", b"[{") if "/" in path else DEEP)
    asked({f"GET /api/v1/accounts/{path}": deep, "GET /api/v1/follow_requests": []})
    reads = {"verify_credentials": "profile", "7/statuses": "posts", "7/followers": "followers"}
    with pytest.raises(PlatformError):
        getattr(adapter(), reads[path])()


@pytest.mark.parametrize("value", [None, 7, [], "x", {"a": "x"}, 10**30, True])
@pytest.mark.parametrize("name", [*FACE, "moved", "emojis", "fields"])
def test_a_profile_of_other_types_is_read_or_makes_no_sense(asked: Asked, name: str, value: Any) -> None:
    asked(
        {"GET /api/v1/accounts/verify_credentials": FACE | {name: value}, "GET /api/v1/accounts/7/statuses": [],
         "GET /api/v1/accounts/7/followers": [FACE | {name: value}], "GET /api/v1/follow_requests": []}
    )  # fmt: skip
    for read in (adapter().profile, adapter().followers):
        with suppress(PlatformError):
            read()


@pytest.mark.parametrize("value", [None, 7, [], "x", {"a": "x"}, 10**30, True])
@pytest.mark.parametrize(
    "name", ["id", "content", "visibility", "created_at", "reblog", "quote", "in_reply_to_id", "account"]
)
def test_a_post_of_other_types_is_read_or_makes_no_sense(asked: Asked, name: str, value: Any) -> None:
    post = {"id": "1", "content": "Hi", "visibility": "private", "created_at": "2026-01-01T00:00:00Z"}
    asked({"GET /api/v1/accounts/7/statuses": [post | {name: value}, 7, None][:1]})
    for read in (adapter().profile, adapter().posts, adapter().shares, adapter().conversations):
        with suppress(PlatformError):
            read()
