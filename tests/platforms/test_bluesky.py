"""The Bluesky adapter against answers of a test's own making. Against the real server: tests/peers."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fake_bluesky import DID, INFO_BLUESKY, OTHER, SECRET, Answer, Server, picture, records, refusal
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from socialgov.models import Capability, Presence
from socialgov.platforms import CannotDo, LoginRefused, PlatformError
from socialgov.platforms.atproto import record_key
from socialgov.platforms.bluesky import BlueskyPlatform
from socialgov.platforms.bluesky_pictures import PICTURE_BYTES, fitted

# ---- presence: only the server's own word counts


@pytest.mark.parametrize(
    ("answer", "presence"),
    [
        ({"did": DID, "active": True}, Presence.LIVE),
        ({"did": DID, "active": False, "status": "deactivated"}, Presence.DEACTIVATED),
        ({"did": DID, "active": False, "status": "deleted"}, Presence.GONE),
        (refusal(400, "RepoNotFound"), Presence.GONE),
    ],
)
def test_presence_is_what_the_repository_status_says(answer: Answer, presence: Presence) -> None:
    assert Server({"getRepoStatus": answer}).adapter().presence() is presence


@pytest.mark.parametrize(
    "answer",
    [
        {"did": DID, "active": False, "status": "takendown"},
        {"did": DID, "active": False},
        {"did": OTHER, "active": False, "status": "deleted"},
        {"active": "yes"},
        {},
        refusal(400, "RepoTakendown"),
        refusal(404, "MethodNotImplemented"),
        httpx.Response(404, text="<html>not found</html>"),
        httpx.Response(404),
        httpx.Response(200, text="<html>RepoNotFound</html>"),
        httpx.Response(500),
        httpx.Response(429),
    ],
)
def test_any_other_answer_is_never_taken_for_gone(answer: Answer) -> None:
    with pytest.raises(PlatformError):
        Server({"getRepoStatus": answer}).adapter().presence()


def test_a_handle_that_is_not_found_says_nothing_about_the_account() -> None:
    server = Server({"resolveHandle": refusal(400, "InvalidRequest")})
    with pytest.raises(PlatformError, match="knows no account"):
        server.adapter(remote_id=None).presence()
    with pytest.raises(PlatformError, match="no handle"):
        BlueskyPlatform(INFO_BLUESKY, handle=None).presence()


# ---- reading


def test_a_profile_without_a_record_is_empty_and_public() -> None:
    profile = Server().adapter(login=False).profile()
    assert (profile.remote_id, profile.handle, profile.text) == (DID, "trip.test", "")
    assert profile.private is False
    assert (profile.picture, profile.setup_email) == (b"", None)


def test_a_profile_brings_its_picture_and_its_set_up_address() -> None:
    record = {"value": {"displayName": "Trip", "description": "Official", "avatar": {"ref": {"$link": "c"}}}}
    server = Server({"getRecord": record, "getBlob": httpx.Response(200, content=b"png")})
    profile = server.adapter().profile()
    assert (profile.display_name, profile.text, profile.picture) == ("Trip", "Official", b"png")
    assert profile.setup_email == "trip@school.test"
    assert server.asked()[-1] == "deleteSession"


@pytest.mark.parametrize("name", ["AuthenticationRequired", "AuthFactorTokenRequired"])
def test_nobody_hides_a_public_profile_by_spoiling_the_login(name: str) -> None:
    profile = Server({"createSession": refusal(401, name)}).adapter().profile()
    assert (profile.private, profile.setup_email) == (False, None)


def test_a_list_is_read_to_its_end_and_each_record_counts_once() -> None:
    def page(request: httpx.Request) -> dict[str, Any]:
        number = int(request.url.params.get("cursor", 0))
        first = number * 2 - (1 if number == 2 else 0)  # a post made meanwhile pushes one record onto the next page
        found = [{"uri": f"at://{DID}/app.bsky.feed.like/{n}", "value": {}} for n in range(first, number * 2 + 2)]
        return {"records": found, **({"cursor": str(number + 1)} if number < 2 else {})}

    assert len(Server({"listRecords": page}).adapter().likes()) == 6


@pytest.mark.parametrize(
    "answer",
    [
        {"records": [], "cursor": "always the same"},
        {"records": "none"},
        {},
        {"records": [5]},
        {"records": [{"uri": "at://x"}]},
        {"records": [{"uri": 5, "value": {}}]},
        {"records": [], "cursor": 5},
        httpx.Response(200, text="[]"),
        httpx.Response(200, text=""),
        refusal(400, "InvalidRequest"),
        refusal(400, "RepoDeactivated"),
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_never_comes_back_short(answer: Answer) -> None:
    adapter = Server({"listRecords": answer}).adapter()
    for read in (adapter.posts, adapter.likes, adapter.shares, adapter.follows, adapter.conversations):
        with pytest.raises(PlatformError):
            read()


def test_a_list_whose_second_page_fails_never_comes_back_short() -> None:
    def page(request: httpx.Request) -> Any:
        return httpx.Response(502) if "cursor" in request.url.params else {"records": [], "cursor": "next"}

    with pytest.raises(PlatformError):
        Server({"listRecords": page}).adapter().posts()


def test_replies_to_others_are_conversations_and_quotes_are_shares() -> None:
    own, foreign = f"at://{DID}/app.bsky.feed.post/1", f"at://{OTHER}/app.bsky.feed.post/1"
    posts = records(
        "app.bsky.feed.post",
        {"text": "plain", "createdAt": "2026-03-02T09:00:00.000Z"},
        {"text": "more of it", "reply": {"parent": {"uri": own}}},
        {"text": "hello you", "reply": {"parent": {"uri": foreign}}},
        {"text": "look", "embed": {"$type": "app.bsky.embed.record", "record": {"uri": foreign}}},
        {"text": "look", "embed": {"$type": "app.bsky.embed.recordWithMedia"}},
        {"text": 7, "createdAt": "yesterday", "embed": [], "reply": "?"},
    )
    adapter = Server(
        {
            "listRecords": lambda request: (
                posts if request.url.params["collection"] == "app.bsky.feed.post" else {"records": []}
            )
        }
    ).adapter()
    assert len(adapter.posts()) == 6
    assert adapter.posts()[0].posted_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert adapter.posts()[5].posted_at is None
    assert adapter.conversations() == [f"at://{DID}/app.bsky.feed.post/2"]
    assert adapter.shares() == [f"at://{DID}/app.bsky.feed.post/{n}" for n in (3, 4)]


# ---- signing in


@pytest.mark.parametrize(
    ("answer", "works"),
    [
        ({"did": DID, "accessJwt": "a", "refreshJwt": "r"}, True),
        ({"did": OTHER, "accessJwt": "a", "refreshJwt": "r"}, False),
        (refusal(401, "AuthenticationRequired"), False),
        (refusal(401, "AccountTakedown"), False),
    ],
)
def test_a_login_works_only_where_it_opens_this_account(answer: Answer, works: bool) -> None:
    assert Server({"createSession": answer}).adapter().check_login() is works


@pytest.mark.parametrize(
    "answer",
    [refusal(401, "AuthFactorTokenRequired"), refusal(400, "InvalidRequest"), httpx.Response(500), {}, {"did": DID}],
)
def test_a_login_that_cannot_be_tried_is_not_called_wrong(answer: Answer) -> None:
    with pytest.raises(PlatformError) as caught:
        Server({"createSession": answer}).adapter().check_login()
    assert not isinstance(caught.value, LoginRefused)


def test_without_a_deposited_login_nothing_is_done_and_nothing_is_called_wrong() -> None:
    adapter = Server().adapter(login=False)
    for act in (adapter.check_login, adapter.deactivate, adapter.ask_deletion_code, adapter.revoke_access):
        with pytest.raises(PlatformError, match="no login here") as caught:
            act()
        assert not isinstance(caught.value, LoginRefused)


def test_every_session_is_ended_whatever_happened_in_it() -> None:
    server = Server({"deactivateAccount": httpx.Response(500), "deleteSession": httpx.Response(500)})
    with pytest.raises(PlatformError) as caught:
        server.adapter().deactivate()
    assert caught.value.outcome_unknown is True
    assert server.asked() == ["getRepoStatus", "createSession", "deactivateAccount", "deleteSession"]


# ---- publishing


def test_a_post_with_a_picture_is_put_under_a_name_made_from_its_key() -> None:
    server = Server()
    uri = server.adapter().publish("Boats", [picture()], key="post-7")
    body = server.body("putRecord")
    assert uri == f"at://{DID}/app.bsky.feed.post/{record_key('post-7')}"
    assert (body["rkey"], body["swapRecord"], body["repo"]) == (record_key("post-7"), None, DID)
    assert body["record"]["createdAt"] == "2026-03-02T09:00:00.000Z", "the server's own clock"
    assert body["record"]["embed"]["images"][0]["alt"] == "two boats"


def test_publishing_again_with_the_same_key_sends_nothing() -> None:
    server = Server({"getRecord": {"value": {"text": "Boats"}}})
    server.adapter().publish("Boats", [], key="post-7")
    assert server.asked() == ["getRecord"]


def test_a_worker_that_was_slower_with_the_same_key_finds_it_published() -> None:
    server = Server({"putRecord": refusal(400, "InvalidSwap")})
    assert server.adapter().publish("Boats", [], key="post-7").endswith(record_key("post-7"))


@pytest.mark.parametrize(
    ("answers", "unknown"),
    [
        ({"putRecord": httpx.Response(502)}, True),
        ({"putRecord": refusal(400, "InvalidRequest")}, False),
        ({"uploadBlob": httpx.Response(500)}, False),
        ({"uploadBlob": {}}, False),
        ({"createSession": httpx.Response(503)}, False),
        ({"getRecord": httpx.Response(503)}, False),
        ({"getRecord": {"value": "odd"}}, False),
    ],
)
def test_only_a_lost_answer_to_the_post_itself_leaves_its_outcome_unknown(
    answers: dict[str, Answer], unknown: bool
) -> None:
    with pytest.raises(PlatformError) as caught:
        Server(answers).adapter().publish("Boats", [picture()], key="post-7")
    assert caught.value.outcome_unknown is unknown


def test_five_pictures_are_too_many() -> None:
    with pytest.raises(PlatformError, match="4 pictures"):
        Server().adapter().publish("Boats", [picture()] * 5, key="post-7")


def test_a_large_photo_is_saved_smaller_until_it_fits() -> None:
    noise = Image.effect_noise((2400, 1800), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=95)
    assert out.tell() > PICTURE_BYTES
    content, mime = fitted(out.getvalue(), "image/jpeg")
    assert len(content) <= PICTURE_BYTES
    assert mime == "image/jpeg"
    assert Image.open(io.BytesIO(content)).format == "JPEG"


def test_a_large_file_that_is_no_picture_is_refused() -> None:
    with pytest.raises(PlatformError, match="too large"):
        fitted(b"x" * (PICTURE_BYTES + 1), "image/jpeg")


@given(st.text())
def test_a_record_key_is_a_timestamp_name_and_always_the_same(key: str) -> None:
    name = record_key(key)
    assert re.fullmatch(r"[234567abcdefghij][234567a-z]{12}", name)
    assert name == record_key(key)


@given(st.sets(st.text(), min_size=2, max_size=50))
def test_different_keys_have_different_record_keys(keys: set[str]) -> None:
    assert len({record_key(key) for key in keys}) == len(keys)


# ---- taking down and closing


def test_a_post_of_another_account_is_never_deleted() -> None:
    server = Server()
    for uri in (
        f"at://{OTHER}/app.bsky.feed.post/1",
        f"at://{DID}/app.bsky.feed.post",
        "nonsense",
        "",
        f"at://{DID}//1",
    ):
        with pytest.raises(PlatformError, match="not on this account"):
            server.adapter().delete_post(uri)
    assert "deleteRecord" not in server.asked()


def test_revoking_access_ends_every_other_programs_password() -> None:
    server = Server()
    server.adapter().revoke_access()
    assert server.body("revokeAppPassword") == {"name": "another program"}
    assert server.asked()[-1] == "deleteSession"


@pytest.mark.parametrize("status", ["deactivated", "deleted"])
def test_deactivating_what_is_deactivated_already_is_done(status: str) -> None:
    server = Server({"getRepoStatus": {"did": DID, "active": False, "status": status}})
    server.adapter().deactivate()
    assert server.asked() == ["getRepoStatus"]


def test_deleting_what_is_gone_already_is_done() -> None:
    server = Server({"getRepoStatus": refusal(400, "RepoNotFound")})
    server.adapter().delete("whatever")
    assert server.asked() == ["getRepoStatus"]


def test_the_mailed_code_goes_with_the_password_and_in_capitals() -> None:
    server = Server()
    server.adapter().delete(" abcde-23456 ")
    assert server.body("deleteAccount") == {"did": DID, "password": SECRET, "token": "ABCDE-23456"}


@pytest.mark.parametrize("code", ["", "12345-67890", "ABCDE", "ABCDE-ABCDE-ABCDE", "ABCDE 23456"])
def test_something_that_is_no_code_is_not_even_sent(code: str) -> None:
    server = Server()
    with pytest.raises(PlatformError, match="not a deletion code"):
        server.adapter().delete(code)
    assert "deleteAccount" not in server.asked()


@pytest.mark.parametrize("name", ["InvalidToken", "ExpiredToken"])
def test_a_wrong_or_old_code_asks_for_a_new_one(name: str) -> None:
    with pytest.raises(PlatformError, match="new code"):
        Server({"deleteAccount": refusal(400, name)}).adapter().delete("ABCDE-23456")


def test_what_is_not_declared_cannot_be_done() -> None:
    adapter = Server().adapter()
    assert not adapter.can(Capability.READ_FOLLOWERS)
    for act in (adapter.followers, lambda: adapter.accept_follower("x"), lambda: adapter.change_password("x")):
        with pytest.raises(CannotDo):
            act()
