"""The register and what is done with an account from its page, each by the person whose it is to do."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from factories import NOW
from flask.testing import FlaskClient
from stage import Stage, picture, set_stage

from socialgov.actions.certificates import verify_certificate
from socialgov.actions.observing import record_observation
from socialgov.home import Home
from socialgov.models import AccountState, CredentialKind, Fact, Source, Staff
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.credentials import current_credential
from socialgov.store.events import events_page
from socialgov.store.observations import newest_observation
from socialgov.store.waivers import active_waivers, open_extension
from socialgov.web import accounts as account_pages

Browse = Callable[[Staff], FlaskClient]


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


@pytest.fixture
def owner(browse: Browse, stage: Stage) -> FlaskClient:
    return browse(stage.cast.owner)


@pytest.fixture
def manager(browse: Browse, stage: Stage) -> FlaskClient:
    return browse(stage.cast.manager)


@pytest.fixture
def head(browse: Browse, stage: Stage) -> FlaskClient:
    return browse(stage.cast.head)


def newest_tags(home: Home, number: int = 8) -> list[str]:
    return [event.tag for event in events_page(home.db, before=None, tag=None, actor=None, limit=number)]


def state_of(home: Home, account: Any) -> AccountState:
    return account_by_id(home.db, account.id).state


# --------------------------------------------------------------------------------------------------- register


def test_it_lists_every_account_to_everybody(browse: Browse, stage: Stage) -> None:
    text = browse(stage.outsider).get("/accounts/").text
    for handle in ("museum.visit", "ski.trip", "film.club", "theatre.trip"):
        assert handle in text


def test_it_finds_by_search_and_filter(manager: FlaskClient) -> None:
    assert "ski.trip" in manager.get("/accounts/?search=ski").text
    assert "film.club" not in manager.get("/accounts/?search=ski").text
    text = manager.get("/accounts/?state=suspended").text
    assert "film.club" in text
    assert "ski.trip" not in text
    text = manager.get("/accounts/?broken=1").text
    assert "ski.trip" in text
    assert "drama.club" not in text


def test_it_bears_any_filter(manager: FlaskClient) -> None:
    for query in (
        "state=nonsense&kind=x&platform=y&page=z",
        "page=-3",
        "page=99999",
        "search=%25_%27%22",
        "search=%00",
    ):
        assert manager.get(f"/accounts/?{query}").status_code == 200, query


def test_it_carries_on_no_more_of_an_address_than_its_filters(
    manager: FlaskClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_pages, "PAGE_SIZE", 2)
    text = manager.get("/accounts/?search=trip&_scheme=javascript&_external=1&endpoint=x&self=y&_anchor=z").text
    assert 'href="/accounts/?search=trip&amp;page=2"' in text
    assert "javascript" not in text


def test_it_shows_mine_only(browse: Browse, stage: Stage, owner: FlaskClient) -> None:
    assert "ski.trip" in owner.get("/accounts/?mine=1").text
    assert "No account fits" in browse(stage.outsider).get("/accounts/?mine=1").text


# --------------------------------------------------------------------------------------------------- one account


def test_it_shows_each_rule_with_its_answer_and_whose_evidence(owner: FlaskClient, stage: Stage) -> None:
    text = owner.get(f"/accounts/{stage.live.id}").text
    assert "ACC103" in text
    assert "Broken" in text
    assert f"Seen by {stage.cast.owner.name} just now." in text
    assert "Read from the platform just now." in text
    assert "From the school&#39;s own records." in text


def test_it_shows_how_moderators_marked_it_where_the_platform_tells(browse: Browse, stage: Stage, home: Home) -> None:
    page = f"/accounts/{stage.live.id}"
    assert "Moderators" not in browse(stage.cast.owner).get(page).text
    for labels, said in ((["graphic-media", "<b>"], "&lt;b&gt;; graphic media. Read from"), ([], "None. Read from")):
        with write(home.db) as db:
            record_observation(
                db, account_id=stage.live.id, fact=Fact.LABELS, value=labels, now=NOW, source=Source.API
            )  # fmt: skip
        assert said in browse(stage.cast.owner).get(page).text


def test_it_offers_only_what_this_person_may_do(
    browse: Browse, owner: FlaskClient, head: FlaskClient, stage: Stage
) -> None:
    at = f"/accounts/{stage.live.id}"
    assert "Suspend at once" in owner.get(at).text
    assert "See the password" not in owner.get(at).text
    assert "Make an exception" in head.get(at).text
    governor = browse(stage.people[next(role for role in stage.people if role.value == "governor")])
    assert "There is nothing for you to do here" in governor.get(at).text


def test_it_checks_now(owner: FlaskClient, stage: Stage, home: Home) -> None:
    assert owner.post(f"/accounts/{stage.live.id}/check").location == f"/accounts/{stage.live.id}"
    assert account_by_id(home.db, stage.live.id).checked_at == NOW


# --------------------------------------------------------------------------------------------------- decisions


def test_it_approves(manager: FlaskClient, stage: Stage, home: Home) -> None:
    manager.post(f"/accounts/{stage.requested.id}/decide", data={"decision": "approve"})
    assert state_of(home, stage.requested) is AccountState.APPROVED


@pytest.mark.parametrize("decision", ["return", "decline"])
def test_it_wants_a_reason_to_refuse(manager: FlaskClient, stage: Stage, home: Home, decision: str) -> None:
    at = f"/accounts/{stage.requested.id}/decide"
    answer = manager.post(at, data={"decision": decision})
    assert answer.status_code == 422
    assert "Give the reason." in answer.text
    assert manager.post(at, data={"decision": decision, "reason": "Say more."}).status_code == 302
    account = account_by_id(home.db, stage.requested.id)
    assert "Say more." in (account.return_reason, account.decision_reason)


def test_it_approves_nothing_that_changed_meanwhile(manager: FlaskClient, stage: Stage, home: Home) -> None:
    data = {"decision": "approve", "seen_version": str(stage.requested.version - 1)}
    assert manager.post(f"/accounts/{stage.requested.id}/decide", data=data).status_code == 409
    assert state_of(home, stage.requested) is AccountState.REQUESTED


def test_it_never_lets_somebody_decide_on_their_own_request(owner: FlaskClient, stage: Stage) -> None:
    assert owner.get(f"/accounts/{stage.requested.id}/decide").status_code == 403


# --------------------------------------------------------------------------------------------------- to the gate


def test_it_records_the_set_up(owner: FlaskClient, stage: Stage, home: Home) -> None:
    at = f"/accounts/{stage.approved.id}/setup"
    wrong = owner.post(at, data={"handle": "science.week", "school_email": "me@mail.example"})
    assert wrong.status_code == 422
    assert 'href="#school_email"' in wrong.text
    assert owner.post(at, data={"handle": "science.week", "school_email": "trips@school.example"}).status_code == 302
    assert account_by_id(home.db, stage.approved.id).school_email == "trips@school.example"


def test_it_takes_a_fact_with_a_screenshot(owner: FlaskClient, stage: Stage, home: Home) -> None:
    at = f"/accounts/{stage.live.id}/facts/likes"
    assert "Add a screenshot." in owner.post(at, data={"value": "3"}).text
    data = {"value": "3", "screenshot": (io.BytesIO(picture()), "shot.png")}
    assert owner.post(at, data=data).status_code == 302
    seen = newest_observation(home.db, stage.live.id, Fact.LIKES)
    assert seen is not None
    assert (seen.value, seen.observed_by) == (3, stage.cast.owner.id)
    assert "Seen by" in owner.get(f"/accounts/{stage.live.id}/facts").text


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n cut off"])
def test_it_refuses_what_is_no_picture(owner: FlaskClient, stage: Stage, content: bytes) -> None:
    data = {"value": "3", "screenshot": (io.BytesIO(content), "shot.png")}
    answer = owner.post(f"/accounts/{stage.live.id}/facts/likes", data=data)
    assert answer.status_code == 422
    assert "There is a problem" in answer.text


def test_it_compares_the_logo(owner: FlaskClient, stage: Stage, home: Home) -> None:
    logo = (home.path / "logo.png").read_bytes()
    assert owner.get("/accounts/logo.png").data == logo
    answer = owner.post(f"/accounts/{stage.live.id}/facts/logo", data={"avatar": (io.BytesIO(logo), "logo.png")})
    assert answer.status_code == 302
    seen = newest_observation(home.db, stage.live.id, Fact.LOGO)
    assert seen is not None
    assert seen.value == "match"


def test_it_logs_each_look_at_a_screenshot(owner: FlaskClient, stage: Stage, home: Home) -> None:
    answer = owner.get(f"/accounts/{stage.live.id}/evidence/{stage.blob_id}")
    assert answer.mimetype == "image/png"
    assert newest_tags(home, 1) == ["account:evidence:seen"]


def test_it_says_what_keeps_the_gate_shut(owner: FlaskClient, stage: Stage, home: Home) -> None:
    at = f"/accounts/{stage.approved.id}/gate"
    assert "Not ready to go live" in owner.get(at).text
    answer = owner.post(at)
    assert answer.status_code == 409
    assert "SEC201" in answer.text
    assert state_of(home, stage.approved) is AccountState.APPROVED


def test_a_ready_account_waits_for_its_first_day(owner: FlaskClient, stage: Stage, home: Home) -> None:
    tomorrow = home.today(home.now()) + timedelta(days=1)
    with write(home.db) as db:
        guarded_update(db, "account", stage.ready.id, {"starts_on": tomorrow.isoformat()})
    page = owner.get(f"/accounts/{stage.ready.id}/gate").text
    assert "put it live on that day" in page
    assert ">Go live</button>" not in page
    answer = owner.post(f"/accounts/{stage.ready.id}/gate")
    assert answer.status_code == 409
    assert f'<a href="/accounts/{stage.ready.id}">Open the account</a>' in answer.text


def test_it_opens_the_gate(owner: FlaskClient, stage: Stage, home: Home) -> None:
    at = f"/accounts/{stage.ready.id}/gate"
    assert "Ready to go live" in owner.get(at).text
    assert owner.post(at).status_code == 302
    assert state_of(home, stage.ready) is AccountState.LIVE


# --------------------------------------------------------------------------------------------------- credentials


def test_it_takes_a_deposit_and_never_shows_it_again(owner: FlaskClient, stage: Stage, home: Home) -> None:
    at = f"/accounts/{stage.approved.id}"
    data = {"username": "science.week", "email": "trips@school.example", "secret": "Qz7!vintage-Ferry-88"}
    owner.post(f"{at}/setup", data={"handle": "science.week", "school_email": "trips@school.example"})
    assert owner.post(f"{at}/deposit", data=data).status_code == 302
    assert current_credential(home.db, stage.approved.id, CredentialKind.PASSWORD) is not None
    for path in (at, f"{at}/deposit"):
        assert data["secret"] not in owner.get(path).text


def test_it_refuses_a_weak_password_beside_its_field(owner: FlaskClient, stage: Stage) -> None:
    data = {"username": "ski.trip", "email": "trips@school.example", "secret": "Password1!"}
    answer = owner.post(f"/accounts/{stage.live.id}/deposit", data=data)
    assert answer.status_code == 422
    assert 'href="#secret"' in answer.text
    assert "Password1!" not in answer.text


def test_it_records_a_login_test(manager: FlaskClient, stage: Stage, home: Home) -> None:
    assert manager.post(f"/accounts/{stage.live.id}/login-test", data={"works": "no"}).status_code == 302
    seen = newest_observation(home.db, stage.live.id, Fact.LOGIN_WORKS)
    assert seen is not None
    assert seen.value is False


# --------------------------------------------------------------------------------------------------- its life


def test_it_suspends_at_once_and_lets_go_on_through_the_gate(
    owner: FlaskClient, head: FlaskClient, stage: Stage, home: Home
) -> None:
    owner.post(f"/accounts/{stage.standing.id}/suspend", data={"reason": "A wrong photo."})
    assert state_of(home, stage.standing) is AccountState.SUSPENDED
    assert "A wrong photo." in head.get(f"/accounts/{stage.standing.id}").text
    assert head.post(f"/accounts/{stage.standing.id}/resume").status_code == 302
    assert state_of(home, stage.standing) is AccountState.LIVE


def test_it_hands_over(owner: FlaskClient, stage: Stage, home: Home) -> None:
    data = {"owner_id": stage.outsider.id, "deputy_id": stage.cast.deputy.id}
    assert owner.post(f"/accounts/{stage.live.id}/hand-over", data=data).status_code == 302
    assert account_by_id(home.db, stage.live.id).owner_id == stage.outsider.id


def test_it_confirms_and_reviews_a_standing_account(
    owner: FlaskClient, head: FlaskClient, stage: Stage, home: Home
) -> None:
    at = f"/accounts/{stage.standing.id}"
    owner.post(f"{at}/confirm")
    assert account_by_id(home.db, stage.standing.id).confirmed_at == NOW
    review = {"review_on-day": 1, "review_on-month": 9, "review_on-year": 2027, "reason": "It is read by many."}
    assert head.post(f"{at}/review", data=review).status_code == 302


def test_it_decides_on_a_longer_life(manager: FlaskClient, stage: Stage, home: Home) -> None:
    at = f"/accounts/{stage.live.id}/extension"
    assert "The coach comes a week later." in manager.get(at).text
    assert manager.post(at, data={"decision": "no"}).status_code == 422
    assert manager.post(at, data={"decision": "yes"}).status_code == 302
    assert open_extension(home.db, stage.live.id) is None
    assert str(account_by_id(home.db, stage.live.id).ends_on) == "2026-12-14"
    assert manager.get(at).status_code == 404


def test_it_asks_for_a_longer_life(owner: FlaskClient, stage: Stage, home: Home) -> None:
    data = {"until_on-day": 22, "until_on-month": 12, "until_on-year": 2026, "reason": "The show was moved."}
    assert owner.post(f"/accounts/{stage.approved.id}/extend", data=data).status_code == 302
    assert open_extension(home.db, stage.approved.id) is not None


def test_it_makes_and_ends_an_exception(head: FlaskClient, stage: Stage, home: Home) -> None:
    at = f"/accounts/{stage.live.id}/exception"
    assert "Choose at least one rule." in head.post(at, data={"what": "rules", "reason": "x"}).text
    assert head.post(at, data={"what": "public", "reason": "Parents asked for it."}).status_code == 302
    waivers = active_waivers(home.db, stage.live.id, home.today(NOW))
    assert {waiver.rule_id for waiver in waivers} == {"ACC103", "AUD301", "AUD302", "AUD304", "AUD305"}
    head.post(f"{at}/{waivers[0].id}/end")
    assert len(active_waivers(home.db, stage.live.id, home.today(NOW))) == 4


# --------------------------------------------------------------------------------------------------- closing


def test_it_closes_and_shows_how_far_it_is(owner: FlaskClient, stage: Stage, home: Home) -> None:
    assert owner.post(f"/accounts/{stage.live.id}/close", data={"reason": "Over."}).status_code == 302
    assert state_of(home, stage.live) is AccountState.CLOSING
    text = owner.get(f"/accounts/{stage.live.id}/closing").text
    assert "Take everything down" in text
    assert "Waits for a person" in text


def test_it_takes_a_closing_task_with_its_screenshot(owner: FlaskClient, stage: Stage) -> None:
    at = f"/accounts/{stage.closing.id}/closing/{stage.step_id}"
    assert "How to" in owner.get(at).text
    assert "Add a screenshot." in owner.post(at).text
    answer = owner.post(at, data={"screenshot": (io.BytesIO(picture()), "gone.png")}, follow_redirects=True)
    assert "Done and seen: take everything down." in answer.text


def test_it_has_no_certificate_before_the_end(owner: FlaskClient, stage: Stage) -> None:
    assert owner.get(f"/accounts/{stage.closing.id}/certificate").status_code == 404
    assert owner.get(f"/accounts/{stage.live.id}/closing").status_code == 404


def test_it_shows_the_certificate_and_hands_out_a_file_that_verifies(
    owner: FlaskClient, stage: Stage, home: Home
) -> None:
    at = f"/accounts/{stage.closed.id}/certificate"
    assert "What could not be seen" in owner.get(at).text
    file = owner.get(f"{at}.json")
    assert "attachment" in file.headers["Content-Disposition"]
    assert verify_certificate(file.text, home).valid
    assert not verify_certificate(file.text.replace("Test School", "Best School"), home).valid
