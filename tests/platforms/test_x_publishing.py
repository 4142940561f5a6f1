"""Posting on X, with pictures, and taking back: nothing twice, nothing that only looks done."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from fake_x import ME, OTHER, FakeX, listed, missing, picture, post, problem

from socialgov.platforms import NotReady, PlatformError, Unreachable
from socialgov.platforms.hurry import within

TIMELINE, CREATE = "GET /2/users/me-id/tweets", "POST /2/tweets"
UPLOAD = "POST /2/media/upload"


def lost(request: httpx.Request) -> Any:
    raise httpx.ReadTimeout("no answer", request=request)


def test_a_post_goes_out_with_its_words_and_pictures_and_its_number_is_told() -> None:
    x = FakeX()
    number = x.adapter().publish("Boats", [picture(b"jpeg")], key="k")
    assert number == "77"
    assert x.bodies(CREATE) == [{"text": "Boats", "media": {"media_ids": ["9"]}}]
    assert x.bodies(f"{UPLOAD}/initialize") == [
        {"media_type": "image/jpeg", "total_bytes": 4, "media_category": "tweet_image"}
    ]
    assert x.bodies(f"{UPLOAD}/9/append") == [{"media": base64.b64encode(b"jpeg").decode(), "segment_index": 0}]
    assert x.bodies("POST /2/media/metadata") == [{"id": "9", "metadata": {"alt_text": {"text": "two boats"}}}]


def test_a_large_picture_goes_in_pieces_and_a_larger_one_not_at_all() -> None:
    x = FakeX()
    x.adapter().publish("Boats", [picture(b"1" * 2_500_000)], key="k")
    pieces = x.bodies(f"{UPLOAD}/9/append")
    assert [piece["segment_index"] for piece in pieces] == [0, 1, 2]
    assert sum(len(base64.b64decode(piece["media"])) for piece in pieces) == 2_500_000
    with pytest.raises(PlatformError, match="too large"):
        x.adapter().publish("Boats", [picture(b"1" * 5_000_001)], key="k")


def test_more_pictures_than_x_takes_are_refused_before_anything_is_sent() -> None:
    x = FakeX()
    with pytest.raises(PlatformError, match="takes 4 pictures"):
        x.adapter().publish("Boats", [picture()] * 5, key="k")
    assert x.asked() == []


def processing(state: str, **more: Any) -> dict[str, Any]:
    return {"data": {"id": "9", "processing_info": {"state": state, **more}}}


def test_a_picture_that_x_still_works_on_holds_the_post_back_and_is_not_sent_again() -> None:
    states = iter([processing("in_progress"), processing("succeeded")])
    x = FakeX(
        {
            f"{UPLOAD}/9/finalize": processing("pending", check_after_secs=3),
            "GET /2/media/upload": lambda request: next(states),
        }
    )
    adapter = x.adapter()
    for seconds in (3, 1):
        with pytest.raises(NotReady) as refused:
            adapter.publish("Boats", [picture()], key="k")
        assert refused.value.seconds == seconds and not refused.value.outcome_unknown
        assert CREATE not in x.asked()
    assert adapter.publish("Boats", [picture()], key="k") == "77"
    assert x.query("GET /2/media/upload") == [{"command": "STATUS", "media_id": "9"}] * 2
    for once in (TIMELINE, f"{UPLOAD}/initialize", "POST /2/media/metadata", CREATE):
        assert x.asked().count(once) == 1, once


@pytest.mark.parametrize(("told", "meant"), [(0, 0), (2.5, 2.5), (10**400, 3_600), (-1, -1), ("soon", 1), (None, 1)])
def test_whatever_x_says_about_when_to_ask_again_is_some_seconds(told: Any, meant: float) -> None:
    x = FakeX({f"{UPLOAD}/9/finalize": processing("pending", check_after_secs=told)})
    with pytest.raises(NotReady) as refused:
        x.adapter().publish("Boats", [picture()], key="k")
    assert refused.value.seconds == meant


def test_with_several_pictures_each_is_sent_before_any_is_waited_for() -> None:
    numbers, states = iter("89"), iter(["in_progress", "succeeded"])
    sent = {f"POST /2/media/upload/{number}/append": {"data": {"expires_at": 1}} for number in "89"}
    x = FakeX(
        {
            **sent,
            f"{UPLOAD}/initialize": lambda request: {"data": {"id": next(numbers)}},
            f"{UPLOAD}/8/finalize": processing("pending"),
            f"{UPLOAD}/9/finalize": {"data": {"id": "9"}},
            "GET /2/media/upload": lambda request: processing(next(states)),
        }
    )
    adapter = x.adapter()
    for _ in range(2):
        with pytest.raises(NotReady):
            adapter.publish("Boats", [picture(), picture(alt="")], key="k")
    assert x.asked().count(f"{UPLOAD}/9/finalize") == 1
    adapter.publish("Boats", [picture(), picture(alt="")], key="k")
    assert x.bodies(CREATE) == [{"text": "Boats", "media": {"media_ids": ["8", "9"]}}]


@pytest.mark.parametrize("state", ["failed", "unheard of"])
def test_a_picture_that_never_gets_ready_stops_the_post_and_nothing_is_out(state: str) -> None:
    x = FakeX({f"{UPLOAD}/9/finalize": processing(state, check_after_secs=1)})
    with pytest.raises(PlatformError) as refused:
        x.adapter().publish("Boats", [picture()], key="k")
    assert not refused.value.outcome_unknown and not isinstance(refused.value, NotReady)
    assert CREATE not in x.asked()


def test_after_a_lost_answer_the_same_adapter_looks_before_it_sends_the_post_again() -> None:
    x = FakeX({CREATE: lost})
    adapter = x.adapter()
    with pytest.raises(PlatformError):
        adapter.publish("Boats", [picture()], key="k")
    x.answers[TIMELINE] = listed(post("42", "Boats"))
    assert adapter.publish("Boats", [picture()], key="k") == "42"
    assert x.asked().count(CREATE) == 1


def test_once_its_time_is_over_nothing_is_sent_any_more_and_nothing_is_in_doubt() -> None:
    x = FakeX()
    with within(0), pytest.raises(Unreachable, match="too long") as refused:
        x.adapter().publish("Boats", [picture()], key="k")
    assert not refused.value.outcome_unknown
    assert x.asked() == []
    assert x.adapter().publish("Boats", [picture()], key="k") == "77", "only in that block"


@pytest.mark.parametrize("step", [f"{UPLOAD}/initialize", f"{UPLOAD}/9/append", "POST /2/media/metadata"])
def test_a_lost_answer_while_uploading_leaves_no_doubt_for_nothing_is_out(step: str) -> None:
    x = FakeX({step: lost})
    with pytest.raises(PlatformError) as refused:
        x.adapter().publish("Boats", [picture()], key="k")
    assert not refused.value.outcome_unknown
    assert CREATE not in x.asked()


# ---- never twice


@pytest.mark.parametrize(
    "answer",
    [
        lost,
        httpx.Response(503, text="over capacity"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.Response(201, json={"data": {"text": "Boats"}}),
    ],
)
def test_a_post_whose_answer_is_lost_is_in_doubt_and_is_not_sent_again(answer: Any) -> None:
    x = FakeX({CREATE: answer})
    with pytest.raises(PlatformError) as refused:
        x.adapter().publish("Boats", [], key="k")
    assert refused.value.outcome_unknown
    assert x.asked().count(CREATE) == 1


def test_a_post_that_x_refuses_is_not_out_and_not_in_doubt() -> None:
    x = FakeX({CREATE: problem(403, title="Forbidden")})
    with pytest.raises(PlatformError) as refused:
        x.adapter().publish("Boats", [], key="k")
    assert not refused.value.outcome_unknown
    assert refused.value.permanent


def test_the_same_words_within_the_hour_are_the_post_that_was_asked_for() -> None:
    x = FakeX({TIMELINE: listed(post("42", "Boats &amp; trains", at="2026-03-02T08:30:00.000Z"))})
    assert x.adapter().publish("Boats & trains", [], key="k") == "42"
    assert CREATE not in x.asked()
    assert x.query(TIMELINE)[0]["max_results"] == "5"


def test_a_post_is_known_again_by_its_words_though_x_rewrote_its_links_and_added_one_for_the_picture() -> None:
    links = [
        {"url": "https://t.co/a", "expanded_url": "http://school.example/trip", "display_url": "school.example/trip"},
        {"url": "https://t.co/b", "expanded_url": "https://x.com/trip/status/42/photo/1", "media_key": "3_9"},
    ]
    said = post("42", "See https://t.co/a today https://t.co/b", entities={"urls": links})
    x = FakeX({TIMELINE: listed(said)})
    for typed in ("See school.example/trip today", "See https://school.example/trip today"):
        assert x.adapter().publish(typed, [], key="k") == "42"
    assert [one.text for one in x.adapter().posts()] == ["See school.example/trip today"]


def test_an_accent_that_was_typed_in_two_signs_comes_back_as_one_and_is_the_same_post() -> None:
    x = FakeX({TIMELINE: listed(post("42", "Caf\u00e9 in Llanberis"))})
    assert x.adapter().publish("Cafe\u0301 in Llanberis", [], key="k") == "42"


def test_pictures_without_words_are_not_sent_for_they_could_not_be_told_apart() -> None:
    x = FakeX()
    with pytest.raises(PlatformError, match="needs words") as refused:
        x.adapter().publish(" ", [picture()], key="k")
    assert refused.value.permanent and not refused.value.outcome_unknown
    assert x.asked() == []


@pytest.mark.parametrize(
    "other",
    [
        post("42", "Boats", at="2026-03-02T07:30:00.000Z"),
        post("42", "Boats!"),
        post("42", "Boats", referenced_tweets=[{"type": "quoted", "id": "5"}]),
    ],
)
def test_older_or_other_words_and_quotes_are_another_post(other: dict[str, Any]) -> None:
    x = FakeX({TIMELINE: listed(other)})
    assert x.adapter().publish("Boats", [], key="k") == "77"


def test_nothing_is_posted_where_it_cannot_be_seen_what_is_out_already() -> None:
    x = FakeX({TIMELINE: httpx.Response(503)})
    with pytest.raises(PlatformError) as refused:
        x.adapter().publish("Boats", [], key="k")
    assert not refused.value.outcome_unknown
    assert CREATE not in x.asked()


def test_words_that_x_takes_only_once_are_explained() -> None:
    detail = "You are not allowed to create a Tweet with duplicate content."
    x = FakeX({CREATE: problem(403, title="Forbidden", detail=detail)})
    with pytest.raises(PlatformError, match="only once"):
        x.adapter().publish("Boats", [], key="k")


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("Boats. Lunch at one", "post"),
        ("See https://school.example/trip", "post_with_link"),
        ("See school.example/trip", "post_with_link"),
        ("Write to office@school.example", "post_with_link"),
        ("All well, 20.30 home", "post"),
    ],
)
def test_a_post_with_a_link_is_counted_at_its_price(text: str, call: str) -> None:
    x = FakeX()
    x.adapter().publish(text, [], key="k")
    assert (call, 1) in x.meter.before_
    assert (call, 1) in x.meter.after_


# ---- taking down and back


def test_a_post_is_deleted_and_one_that_is_gone_already_is_success() -> None:
    x = FakeX({"DELETE /2/tweets/42": {"data": {"deleted": True}}, "DELETE /2/tweets/43": missing(404, resource="t")})
    x.adapter().delete_post("42")
    x.adapter().delete_post("43")
    assert x.asked() == ["DELETE /2/tweets/42", "DELETE /2/tweets/43"]


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"deleted": False}},
        {},
        httpx.Response(404, text="<html>"),
        problem(403, title="Forbidden"),
        httpx.Response(204),
    ],
)
def test_a_deletion_that_x_does_not_confirm_is_not_done(answer: Any) -> None:
    with pytest.raises(PlatformError):
        FakeX({"DELETE /2/tweets/42": answer}).adapter().delete_post("42")


@pytest.mark.parametrize("bad", ["", "../2/users/1", "at://x", "12a", "1" * 21, "٣"])
@pytest.mark.parametrize("method", ["delete_post", "undo_like", "undo_follow", "undo_share"])
def test_only_a_number_of_x_ever_becomes_part_of_an_address(method: str, bad: str) -> None:
    x = FakeX()
    with pytest.raises(PlatformError, match="no number"):
        getattr(x.adapter(), method)(bad)
    assert x.asked() == []


def test_likes_and_follows_are_taken_back_by_the_stored_number_in_one_request() -> None:
    x = FakeX(
        {
            "DELETE /2/users/me-id/likes/7": {"data": {"liked": False}},
            f"DELETE /2/users/me-id/following/{OTHER}": {"data": {"following": False}},
        }
    )
    adapter = x.adapter()
    adapter.undo_like("7")
    adapter.undo_follow(OTHER)
    assert len(x.asked()) == 2
    for still in ({"data": {"liked": True}}, {}):
        with pytest.raises(PlatformError, match="does not say"):
            FakeX({"DELETE /2/users/me-id/likes/7": still}).adapter().undo_like("7")


def test_a_repost_is_taken_back_by_what_it_repeats_and_a_quote_is_deleted() -> None:
    said = listed(
        post("4", "RT", referenced_tweets=[{"type": "retweeted", "id": "50"}]),
        post("5", "Look", referenced_tweets=[{"type": "quoted", "id": "51"}]),
    )
    x = FakeX(
        {
            TIMELINE: said,
            "DELETE /2/users/me-id/retweets/50": {"data": {"retweeted": False}},
            "DELETE /2/tweets/5": {"data": {"deleted": True}},
        }
    )
    adapter = x.adapter()
    assert adapter.shares() == ["4", "5"]
    adapter.undo_share("4")
    adapter.undo_share("5")
    adapter.undo_share("6")  # not on the timeline, so taken back already
    assert adapter.shares() == []
    assert x.asked().count(TIMELINE) == 1


def test_clearing_an_account_takes_its_reposts_back_too() -> None:
    said = listed(post("4", "RT", referenced_tweets=[{"type": "reposted", "id": "50"}]))
    x = FakeX({TIMELINE: said, "DELETE /2/users/me-id/retweets/50": {"data": {"reposted": False}}})
    adapter = x.adapter()
    for number in adapter.shares():
        adapter.delete_post(number)
    assert x.asked()[-1] == "DELETE /2/users/me-id/retweets/50"


def test_after_a_change_that_failed_the_timeline_is_read_again() -> None:
    x = FakeX({TIMELINE: listed(post("42")), "DELETE /2/tweets/42": lost})
    adapter = x.adapter()
    adapter.posts()
    with pytest.raises(PlatformError) as refused:
        adapter.delete_post("42")
    assert not refused.value.outcome_unknown  # it may be done again without harm
    adapter.posts()
    assert x.asked().count(TIMELINE) == 2


def test_access_is_ended_by_what_gave_it() -> None:
    x = FakeX()
    x.adapter().revoke_access()
    assert x.access.revoked == 1
    x.adapter(connected=False).revoke_access()  # there is none: done already
    assert x.asked() == []


def test_what_never_left_this_machine_is_no_doubt_and_costs_nothing() -> None:
    def down(request: httpx.Request) -> Any:
        raise httpx.ConnectError("refused", request=request)

    x = FakeX({CREATE: down})
    with pytest.raises(Unreachable) as refused:
        x.adapter().publish("Boats", [], key="k")
    assert not refused.value.outcome_unknown
    assert x.meter.after_[-1] == ("post", 0)
    assert ME not in str(refused.value)
