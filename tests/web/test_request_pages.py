"""Asking for an account: one question a page, check your answers, send; changing it; one that was found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from factories import NOW, staff
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import Stage, set_stage
from walk import Cast, requested

from socialgov.actions.accounts import return_request
from socialgov.home import Home
from socialgov.models import AccountState, Role, Staff
from socialgov.store.accounts import RegisterFilter, account_by_id, register_page

Browse = Callable[[Staff], FlaskClient]


def days(name: str, day: int, month: int, year: int) -> dict[str, Any]:
    return {f"{name}-day": day, f"{name}-month": month, f"{name}-year": year}


@pytest.fixture
def answers(cast: Cast) -> dict[str, dict[str, Any]]:
    """What a teacher answers, by question."""
    return {
        "platform": {"platform": "instagram"},
        "kind": {"kind": "trip"},
        "purpose": {"purpose": "News from the ski trip", "audience": "Parents of the pupils on it"},
        "handle": {"handle_wished": "ski.trip"},
        "dates": days("starts_on", 24, 11, 2026) | days("ends_on", 10, 12, 2026),
        "keepers": {"owner_id": cast.owner.id, "deputy_id": cast.deputy.id},
    }


def fill_in(client: FlaskClient, answers: dict[str, dict[str, Any]], under: str = "/request") -> str:
    """Answer every question; the address of the page that comes after the last."""
    where = ""
    for step, given_answers in answers.items():
        answer = client.post(f"{under}/{step}", data=given_answers)
        assert answer.status_code == 302, f"{step}: {answer.text[-2000:]}"
        where = answer.location or ""
    return where


def send(client: FlaskClient, under: str = "/request/check") -> Any:
    text = client.get(under).text
    seen = text.partition('name="seen" type="hidden" value="')[2].partition('"')[0]
    return client.post(under, data={"seen": seen})


def only_account(home: Home) -> Any:
    (row,) = register_page(home.db, RegisterFilter()).rows
    return account_by_id(home.db, row.id)


def test_it_leads_through_the_questions_to_a_request(
    browse: Browse, home: Home, cast: Cast, answers: dict[str, dict[str, Any]]
) -> None:
    client = browse(cast.owner)
    assert fill_in(client, answers) == "/request/check"
    text = client.get("/request/check").text
    for words in ("Instagram", "News from the ski trip", "10 December 2026", cast.deputy.name):
        assert words in text
    sent = send(client)
    account = only_account(home)
    assert sent.location == f"/accounts/{account.id}"
    assert (account.state, account.handle_wished) == (AccountState.REQUESTED, "ski.trip")
    assert "Start now" in client.get("/request/").text


def test_it_asks_first_what_is_not_answered(browse: Browse, cast: Cast) -> None:
    client = browse(cast.owner)
    assert client.get("/request/check").location == "/request/platform"
    client.post("/request/platform", data={"platform": "instagram"})
    assert client.get("/request/check").location == "/request/kind"


def test_it_says_beside_the_field_what_is_wrong(browse: Browse, cast: Cast, answers: dict[str, dict[str, Any]]) -> None:
    client = browse(cast.owner)
    fill_in(client, dict(list(answers.items())[:4]))
    answer = client.post("/request/dates", data=days("starts_on", 31, 2, 2027) | days("ends_on", 1, 1, 2020))
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert 'href="#starts_on-day"' in answer.text
    assert "enter a real day" in answer.text
    assert 'value="31"' in answer.text
    answer = client.post("/request/dates", data=days("starts_on", 24, 11, 26) | days("ends_on", 1, 12, 26))
    assert answer.text.count("enter a real day") >= 2  # a year of two digits is no year


def test_it_asks_the_policy_at_each_question(browse: Browse, cast: Cast, answers: dict[str, dict[str, Any]]) -> None:
    client = browse(cast.owner)
    fill_in(client, dict(list(answers.items())[:4]))
    answer = client.post("/request/dates", data=days("starts_on", 24, 11, 2026) | days("ends_on", 1, 9, 2027))
    assert answer.status_code == 422
    assert "LIF601" in answer.text
    assert (
        client.post("/request/keepers", data={"owner_id": cast.owner.id, "deputy_id": cast.owner.id}).status_code == 422
    )


def test_it_takes_a_change_back_to_the_answers(browse: Browse, cast: Cast, answers: dict[str, dict[str, Any]]) -> None:
    client = browse(cast.owner)
    fill_in(client, answers)
    assert client.post("/request/handle", data={"handle_wished": "other.name"}).location == "/request/check"
    assert "other.name" in client.get("/request/check").text


def test_it_asks_for_a_review_date_once_the_kind_is_changed(
    browse: Browse, cast: Cast, answers: dict[str, dict[str, Any]]
) -> None:
    client = browse(cast.owner)
    fill_in(client, answers)
    assert client.post("/request/kind", data={"kind": "standing"}).location == "/request/dates"
    assert "Review date" in client.get("/request/dates").text


def test_it_sends_nothing_that_another_window_changed(
    browse: Browse, home: Home, cast: Cast, answers: dict[str, dict[str, Any]]
) -> None:
    client = browse(cast.owner)
    fill_in(client, answers)
    stale = client.get("/request/check").text.partition('name="seen" type="hidden" value="')[2].partition('"')[0]
    client.post("/request/handle", data={"handle_wished": "other.name"})
    answer = client.post("/request/check", data={"seen": stale})
    assert answer.status_code == 422
    assert "another window" in answer.text
    assert register_page(home.db, RegisterFilter()).total == 0


def test_it_keeps_the_answers_over_a_sign_out(browse: Browse, cast: Cast, answers: dict[str, dict[str, Any]]) -> None:
    fill_in(browse(cast.owner), answers)
    again = browse(cast.owner)
    assert "Continue where you stopped" in again.get("/request/").text
    assert "ski.trip" in again.get("/request/check").text
    again.post("/request/start")
    assert "Start now" in again.get("/request/").text


def test_it_forgets_a_draft_nobody_came_back_to(
    browse: Browse, home: Home, cast: Cast, answers: dict[str, dict[str, Any]]
) -> None:
    fill_in(browse(cast.owner), answers)
    later = NOW + timedelta(days=home.settings.policy.draft_days, minutes=1)
    object.__setattr__(home, "clock", lambda: later)
    from socialgov.actions.drafts import draft_of

    assert draft_of(home, cast.owner, "request", now=later) == {}


def test_it_shows_my_draft_to_nobody_else(browse: Browse, home: Home, cast: Cast, answers: dict[str, Any]) -> None:
    fill_in(browse(cast.owner), answers)
    assert browse(cast.deputy).get("/request/check").location == "/request/platform"


def test_it_lets_a_sent_back_request_be_changed_and_sent_again(browse: Browse, home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    return_request(home, cast.manager, account.id, "Name the audience.", now=NOW)
    client, under = browse(cast.owner), f"/accounts/{account.id}/amend/"
    assert "Name the audience." in client.get(under).text
    changed = client.post(f"{under}purpose", data={"purpose": "Trip news", "audience": "Year 8 parents"})
    assert changed.location == under
    assert send(client, under).location == f"/accounts/{account.id}"
    again = account_by_id(home.db, account.id)
    assert (again.audience, again.returned_at) == ("Year 8 parents", None)


def test_it_withdraws_a_request(browse: Browse, home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    browse(cast.owner).post(f"/accounts/{account.id}/withdraw")
    assert account_by_id(home.db, account.id).state is AccountState.WITHDRAWN


def test_it_registers_an_account_that_was_found(
    browse: Browse, home: Home, cast: Cast, answers: dict[str, dict[str, Any]]
) -> None:
    client = browse(staff(home, Role.SAFEGUARDING_LEAD))
    fill_in(client, answers | {"dates": days("starts_on", 1, 9, 2026) | days("ends_on", 10, 12, 2026)}, "/found")
    send(client, "/found/check")
    account = only_account(home)
    assert account.found_unregistered
    assert account.handle == "ski.trip"
    assert "found without being registered" in client.get(f"/accounts/{account.id}").text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step=st.sampled_from(["platform", "kind", "purpose", "handle", "dates", "keepers"]),
    values=st.dictionaries(
        st.sampled_from(
            ["platform", "kind", "purpose", "audience", "handle_wished", "starts_on-day", "starts_on-month",
             "starts_on-year", "ends_on-day", "ends_on-month", "ends_on-year", "owner_id", "deputy_id"]
        ),
        st.text(max_size=300) | st.integers().map(str),
    ),
)  # fmt: skip
def test_it_never_breaks_over_what_is_typed(browse: Browse, cast: Cast, step: str, values: dict[str, str]) -> None:
    client = browse(cast.owner)
    try:
        answer = client.post(f"/request/{step}", data=values)
    except UnicodeEncodeError:
        return  # half a character cannot be sent by a browser either
    assert answer.status_code in (302, 422)
    assert client.get(f"/request/{step}").status_code == 200


def test_it_shows_what_was_typed_as_text(browse: Browse, cast: Cast) -> None:
    client = browse(cast.owner)
    client.post("/request/purpose", data={"purpose": "<script>alert(1)</script>", "audience": "x"})
    text = client.get("/request/purpose").text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_it_shows_the_stage_of_each_request(browse: Browse, home: Home) -> None:
    stage: Stage = set_stage(home)
    client = browse(stage.cast.owner)
    assert "Please say who the audience is." in client.get(f"/accounts/{stage.returned.id}").text
    assert "Not for school work." in client.get(f"/accounts/{stage.declined.id}").text
    assert "waits for a decision" in client.get(f"/accounts/{stage.requested.id}").text
