"""Every way in which X says no, and what follows from it: renewed once, paused, switched off, waited for, or told."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fake_x import NEW_TOKEN, TARIFF, TOKEN, FakeX, Opened, listed, missing, picture, problem, user
from hypothesis import given, settings
from hypothesis import strategies as st

from socialgov.models import Capability
from socialgov.platforms import LoginRefused, NotOffered, PaymentNeeded, PlatformError
from socialgov.platforms.x import XPlatform

FOLLOWERS = "GET /2/users/me-id/followers"
CANARIES = (TOKEN, NEW_TOKEN)
METHODS: list[tuple[str, Callable[[XPlatform], Any]]] = [
    ("profile", lambda a: a.profile()),
    ("presence", lambda a: a.presence()),
    ("posts", lambda a: a.posts()),
    ("conversations", lambda a: a.conversations()),
    ("shares", lambda a: a.shares()),
    ("likes", lambda a: a.likes()),
    ("follows", lambda a: a.follows()),
    ("followers", lambda a: a.followers()),
    ("publish", lambda a: a.publish("Boats", [picture()], key="k")),
    ("delete_post", lambda a: a.delete_post("42")),
    ("undo_like", lambda a: a.undo_like("42")),
    ("undo_follow", lambda a: a.undo_follow("42")),
    ("undo_share", lambda a: a.undo_share("42")),
]
ALL = pytest.mark.parametrize(("name", "act"), METHODS, ids=[name for name, _ in METHODS])


def always(answer: Any, *, tokens: list[str] | None = None) -> FakeX:
    """X answers everything like this."""
    x = FakeX(access=Opened(list(tokens or CANARIES)))
    x.network.answer = answer if callable(answer) else lambda request: answer
    return x


# ---- the table of refusals


def test_a_refused_token_is_renewed_once_and_the_request_made_again() -> None:
    def answer(request: httpx.Request) -> Any:
        known = request.headers["authorization"] == f"Bearer {NEW_TOKEN}"
        return listed(user("1")) if known else problem(401, title="Unauthorized")

    x = FakeX({FOLLOWERS: answer})
    assert len(x.adapter().followers()) == 1
    assert x.access.refused == [TOKEN]


@ALL
def test_a_token_that_is_refused_anew_means_that_a_person_must_connect_again(
    name: str, act: Callable[[XPlatform], Any]
) -> None:
    x = always(problem(401, title="Unauthorized"))
    with pytest.raises(LoginRefused) as refused:
        act(x.adapter())
    assert refused.value.of_token
    assert len(x.asked()) == 2
    assert all(items == 0 for _, items in x.meter.after_)


@ALL
def test_payment_is_asked_for_in_one_way_by_every_call(name: str, act: Callable[[XPlatform], Any]) -> None:
    x = always(problem(402, "credits", "CreditsDepleted"))
    with pytest.raises(PaymentNeeded):
        act(x.adapter())
    assert len(x.asked()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403, json={"errors": [{"message": "subset of endpoints", "code": 453}]}),
        problem(403, "client-forbidden", "Client Forbidden", reason="client-not-enrolled"),
    ],
)
@pytest.mark.parametrize(
    ("act", "capability"),
    [
        (lambda a: a.profile(), Capability.READ_PROFILE),
        (lambda a: a.presence(), Capability.SEE_PRESENCE),
        (lambda a: a.delete_post("42"), Capability.DELETE_POST),
        (lambda a: a.undo_like("42"), Capability.UNDO_LIKE),
        (lambda a: a.undo_follow("42"), Capability.UNDO_FOLLOW),
    ],
)
def test_what_the_schools_plan_does_not_have_is_named_as_a_capability(
    answer: httpx.Response, act: Callable[[XPlatform], Any], capability: Capability
) -> None:
    with pytest.raises(NotOffered) as refused:
        act(always(answer).adapter())
    assert refused.value.capability is capability


def test_the_lists_name_their_own_capability() -> None:
    forbidden = problem(403, "client-forbidden", "Client Forbidden")
    for path, method, capability in (
        (FOLLOWERS, "followers", Capability.READ_FOLLOWERS),
        ("GET /2/users/me-id/following", "follows", Capability.READ_FOLLOWS),
        ("GET /2/users/me-id/liked_tweets", "likes", Capability.READ_LIKES),
        ("GET /2/users/me-id/tweets", "posts", Capability.READ_POSTS),
    ):
        with pytest.raises(NotOffered) as refused:
            getattr(FakeX({path: forbidden}).adapter(), method)()
        assert refused.value.capability is capability


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({"x-rate-limit-reset": "1772442900"}, datetime.fromtimestamp(1772442900, UTC)),
        ({"retry-after": "60"}, datetime(2026, 3, 2, 9, 1, tzinfo=UTC)),
        ({}, None),
        ({"x-rate-limit-reset": "9" * 40}, None),
        ({"x-rate-limit-reset": "soon"}, None),
    ],
)
def test_the_rate_limit_is_waited_for_until_x_says(headers: dict[str, str], until: datetime | None) -> None:
    limited = httpx.Response(429, json={"title": "Too Many Requests"}, headers=headers)
    with pytest.raises(PlatformError) as refused:
        always(limited).adapter().profile()
    assert not refused.value.permanent
    assert refused.value.retry_at == until


def test_the_months_cap_is_not_waited_for() -> None:
    capped = problem(429, "usage-capped", "UsageCapExceeded", period="Monthly")
    with pytest.raises(PlatformError, match="cap on reading") as refused:
        always(capped).adapter().profile()
    assert refused.value.permanent
    assert refused.value.retry_at is None


@pytest.mark.parametrize(
    "answer",
    [
        problem(403, title="Forbidden"),
        problem(403, "not-authorized-for-resource", "Authorization Error"),
        httpx.Response(200, json={"errors": [{"type": "https://x/2/problems/not-authorized-for-resource"}]}),
    ],
)
@ALL
def test_what_is_not_allowed_is_unknown_and_never_an_empty_list(
    answer: httpx.Response, name: str, act: Callable[[XPlatform], Any]
) -> None:
    with pytest.raises(PlatformError) as refused:
        act(always(answer).adapter())
    assert refused.value.permanent


def test_an_account_that_is_gone_or_suspended_says_so() -> None:
    with pytest.raises(PlatformError, match="knows no such account"):
        always(missing()).adapter().followers()
    with pytest.raises(PlatformError, match="suspended"):
        always(missing(title="Forbidden")).adapter().followers()


# ---- money


def test_every_request_is_reserved_before_and_settled_after_with_what_it_answered() -> None:
    x = FakeX({FOLLOWERS: listed(user("1"), user("2"))})
    x.adapter().followers()
    assert x.meter.before_ == [("followers", 200)]
    assert x.meter.after_ == [("followers", 2)]


def test_a_page_is_as_large_as_the_tariff_says(monkeypatch: pytest.MonkeyPatch) -> None:
    smaller = replace(TARIFF, calls={"followers": replace(TARIFF.calls["followers"], page=500)})
    for tariff, size in ((smaller, 100), (None, 20)):
        x = FakeX({FOLLOWERS: listed(user("1"))})
        adapter = x.adapter()
        monkeypatch.setattr(adapter, "info", replace(adapter.info, tariff=tariff))
        adapter.followers()
        assert x.meter.before_ == [("followers", size)], "a fifth of a page, where no number is told"


@pytest.mark.parametrize("answer", [httpx.Response(429), problem(402), problem(403), problem(404)])
def test_a_refused_read_costs_nothing(answer: httpx.Response) -> None:
    x = always(answer)
    with pytest.raises(PlatformError):
        x.adapter().profile()
    assert x.meter.after_ == [("me", 0)]


def test_a_fault_of_the_servers_own_stays_reserved_for_it_may_have_been_counted() -> None:
    x = always(httpx.Response(503))
    with pytest.raises(PlatformError):
        x.adapter().profile()
    assert (x.meter.before_, x.meter.after_) == ([("me", 1)], [])


def test_after_a_fault_of_its_own_x_may_have_counted_it() -> None:
    x = always(httpx.Response(503))
    with pytest.raises(PlatformError):
        x.adapter().profile()
    assert x.meter.after_ == []


@pytest.mark.parametrize("wrong", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
def test_a_lost_answer_stays_reserved_for_it_may_have_been_counted(wrong: type[httpx.TransportError]) -> None:
    def answer(request: httpx.Request) -> Any:
        raise wrong("lost")

    x = always(answer)
    with pytest.raises(PlatformError):
        x.adapter().profile()
    assert x.meter.before_ == [("me", 1)]
    assert x.meter.after_ == []


def test_a_call_that_may_not_be_paid_for_is_not_made() -> None:
    x = FakeX()

    def nothing_left(call: str, items: int = 1) -> None:
        raise PaymentNeeded("X")

    x.meter.before = nothing_left  # type: ignore[method-assign]
    with pytest.raises(PaymentNeeded):
        x.adapter().profile()
    assert x.asked() == []


# ---- whatever it says

NAMES = (
    *("data", "id", "meta", "result_count", "next_token", "errors", "type", "title", "detail", "code", "parameter"),
    *("text", "created_at", "entities", "urls", "url", "expanded_url", "referenced_tweets", "referenced_posts"),
    *("protected", "public_metrics", "profile_image_url", "processing_info", "state", "deleted", "liked"),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["1", TOKEN]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@ALL
@settings(max_examples=40, deadline=None)
@given(body=json_values, status=st.sampled_from([200, 200, 200, 201, 204, 400, 401, 402, 403, 404, 429, 500]))
def test_whatever_x_says_a_method_answers_or_raises_a_platform_error(
    name: str, act: Callable[[XPlatform], Any], body: Any, status: int
) -> None:
    try:
        act(always(httpx.Response(status, json=body)).adapter())
    except PlatformError as error:
        assert not any(canary in "".join(traceback.format_exception(error)) for canary in CANARIES)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"[{}]", b'{"data"', b"\xff\xfe", b"7", b'"' + b"x" * 99])
@ALL
def test_no_answer_that_is_not_an_object_becomes_a_fact(
    content: bytes, name: str, act: Callable[[XPlatform], Any]
) -> None:
    with pytest.raises(PlatformError):
        act(always(httpx.Response(200, content=content)).adapter())


def test_half_a_character_in_a_strangers_name_does_not_blind_the_check() -> None:
    page = b'{"data":[{"id":"1","username":"dave","name":"D\\ud83d"}],"meta":{"result_count":1}}'
    x = FakeX({FOLLOWERS: httpx.Response(200, content=page)})
    x.adapter().followers()[0].display_name.encode()


@ALL
def test_no_token_in_any_message_or_log_though_everything_is_logged(
    name: str, act: Callable[[XPlatform], Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="tweepy.client")
    for answer in (problem(400), problem(401), problem(403), problem(500), httpx.Response(200, json={})):
        adapter = always(answer).adapter()
        assert not any(canary in repr(adapter) for canary in CANARIES)
        try:
            act(adapter)
        except PlatformError as error:
            assert not any(canary in "".join(traceback.format_exception(error)) for canary in CANARIES)
    assert not any(canary in caplog.text for canary in CANARIES)
