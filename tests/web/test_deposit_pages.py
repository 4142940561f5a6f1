"""The pages on which a login is deposited: what they ask, what they never show again, and what they offer instead."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from factories import NOW, vault_of
from flask.testing import FlaskClient
from stage import Stage, set_stage

from socialgov.actions.contacts import contacts_of, delegates_of
from socialgov.actions.credentials import record_login_test
from socialgov.actions.unsealing import unseal
from socialgov.escrow.codes import code_at, read_seed
from socialgov.home import Home
from socialgov.models import CredentialKind, Staff
from socialgov.store.credentials import current_credential, sealed_of
from socialgov.store.events import events_page

LOGIN = {"username": "ski.trip", "email": "trips@school.example"}
SECRET = "Qz7!vintage-Ferry-88"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DP"
K = CredentialKind


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


@pytest.fixture
def owner(stage: Stage, browse: Callable[[Staff], FlaskClient]) -> FlaskClient:
    return browse(stage.cast.owner)


@pytest.fixture
def at(stage: Stage) -> str:
    return f"/accounts/{stage.live.id}"


def proposed_in(page: str) -> str:
    found = re.search(r'<p class="secret" id="proposed">([^<]+)</p>', page)
    assert found, "no password is proposed"
    return html.unescape(found[1])


def opened(home: Home, account_id: int, kind: CredentialKind) -> str:
    kept = current_credential(home.db, account_id, kind)
    assert kept is not None
    return unseal(home, account_id, kind, kept.id, sealed_of(home.db, kept.id) or b"", vault_of(home))


# --------------------------------------------------------------------------------------------------- the password


def test_the_form_lets_paste_and_password_managers_in_and_spelling_helpers_out(owner: FlaskClient, at: str) -> None:
    text = owner.get(f"{at}/deposit").text
    (field,) = re.findall(r'<input[^>]*name="secret"[^>]*>', text)
    for attribute in ('type="password"', 'autocomplete="new-password"', 'spellcheck="false"', 'maxlength="256"'):
        assert attribute in field
    assert "onpaste" not in text
    assert 'value="ski.trip"' in text
    assert 'value="trips@school.example"' in text


def test_what_the_school_asks_for_stands_beside_the_field_with_whose_wish_it_is(owner: FlaskClient, at: str) -> None:
    text = owner.get(f"{at}/deposit").text
    assert "The school asks for 8 or more characters with letters, numbers and symbols" in text
    assert "SEC202, enforced by socialgov, as shipped, 22 November 2026" in text


@pytest.mark.parametrize("make", ["words", "characters"])
@pytest.mark.asvs("3.5.3", "14.2.1")
def test_a_password_is_made_without_script_kept_nowhere_and_deposited_as_it_was_shown(
    owner: FlaskClient, at: str, home: Home, stage: Stage, make: str
) -> None:
    before = events_page(home.db, before=None, tag=None, actor=None, limit=1)
    answer = owner.post(f"{at}/deposit", data={"make": make, **LOGIN})
    made = proposed_in(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert events_page(home.db, before=None, tag=None, actor=None, limit=1) == before
    assert made not in "\n".join(home.db.iterdump())
    assert made not in owner.get(f"{at}/deposit").text
    assert owner.post(f"{at}/deposit", data={**LOGIN, "proposed": made}).location == f"{at}/deposit/parts"
    assert opened(home, stage.live.id, K.PASSWORD) == made
    assert made not in owner.get(f"{at}/deposit/parts").text
    assert "What you deposit now takes its place" in owner.get(f"{at}/deposit").text


def test_each_asking_makes_another_one_and_keeps_what_was_typed(owner: FlaskClient, at: str) -> None:
    typed = {"make": "words", "username": "typed.name", "email": "typed@school.example"}
    pages = [owner.post(f"{at}/deposit", data=typed).text for _ in range(3)]
    assert len({proposed_in(page) for page in pages}) == 3
    assert all('value="typed.name"' in page and 'value="typed@school.example"' in page for page in pages)


def test_a_proposal_that_is_set_on_the_platform_already_is_not_lost_to_a_slip_beside_it(
    owner: FlaskClient, at: str
) -> None:
    made = proposed_in(owner.post(f"{at}/deposit", data={"make": "words"}).text)
    answer = owner.post(f"{at}/deposit", data={**LOGIN, "email": "me@home.example", "proposed": made})
    assert answer.status_code == 422
    assert proposed_in(answer.text) == made


@pytest.mark.asvs("14.2.1")
def test_what_somebody_typed_is_never_sent_back(owner: FlaskClient, at: str) -> None:
    wrong = owner.post(f"{at}/deposit", data={**LOGIN, "email": "me@home.example", "secret": SECRET})
    weak = owner.post(f"{at}/deposit", data={**LOGIN, "secret": "Password1!"})
    assert (wrong.status_code, weak.status_code) == (422, 422)
    assert SECRET not in wrong.text
    assert "Password1!" not in weak.text
    assert 'href="#secret"' in weak.text


def test_a_proposal_that_somebody_weakened_is_refused_like_any_other(owner: FlaskClient, at: str) -> None:
    answer = owner.post(f"{at}/deposit", data={**LOGIN, "proposed": "Password1!"})
    assert answer.status_code == 422
    assert "Password1!" not in answer.text
    assert 'id="secret"' in answer.text


def test_no_password_at_all_is_said_beside_the_field(owner: FlaskClient, at: str) -> None:
    answer = owner.post(f"{at}/deposit", data=LOGIN)
    assert answer.status_code == 422
    assert "Enter the password." in answer.text


def test_nonsense_instead_of_a_kind_of_password_makes_none(owner: FlaskClient, at: str) -> None:
    answer = owner.post(f"{at}/deposit", data={"make": "'; drop table", **LOGIN})
    assert answer.status_code == 422
    assert 'id="proposed"' not in answer.text


@pytest.mark.asvs("3.5.1")
def test_no_password_is_made_for_a_form_of_another_site(owner: FlaskClient, at: str) -> None:
    owner.application.config["WTF_CSRF_ENABLED"] = True
    answer = owner.post(f"{at}/deposit", data={"make": "words", **LOGIN})
    assert 'id="proposed"' not in answer.text


# --------------------------------------------------------------------------------------------------- the other parts


def test_the_list_says_what_is_deposited_and_what_the_gate_needs(
    owner: FlaskClient, at: str, stage: Stage, home: Home
) -> None:
    text = owner.get(f"/accounts/{stage.approved.id}/deposit/parts").text
    assert text.count(">Needed<") == 2
    assert text.count(">Optional<") == 4
    owner.post(f"{at}/deposit/notes", data={"notes": "Born on 1 May 2000"})
    text = owner.get(f"{at}/deposit/parts").text
    assert text.count(">Done<") == 3
    assert f"Deposited just now by {stage.cast.owner.name}" in text
    assert "1 May" not in text


def test_the_list_says_when_the_login_was_refused(owner: FlaskClient, at: str, stage: Stage, home: Home) -> None:
    assert ">Refused<" not in owner.get(f"{at}/deposit/parts").text
    record_login_test(home, stage.cast.manager, stage.live.id, False, now=NOW)
    assert ">Refused<" in owner.get(f"{at}/deposit/parts").text


@pytest.mark.asvs("3.5.3", "14.2.1")
def test_codes_go_in_are_counted_and_struck_and_never_come_back(
    owner: FlaskClient, at: str, stage: Stage, home: Home
) -> None:
    page = f"{at}/deposit/codes"
    assert owner.post(page, data={"codes": "canary-1\ncanary-2\ncanary-3"}).status_code == 302
    assert "3 recovery codes are deposited" in (text := owner.get(page).text)
    assert text.count("<option") == 3
    assert owner.post(f"{page}/used", data={"number": "2"}).location == page
    text = owner.get(page).text
    assert "The code is struck. 2 are left." in text
    assert "Used: 2." in text
    assert owner.post(f"{page}/used", data={"number": "2"}).status_code == 302
    assert "not used yet" in owner.get(page).text
    assert "2 of 3 left" in owner.get(at).text
    again = owner.post(page, data={"codes": "canary-1\ncanary-1"})
    assert again.status_code == 422
    for shown in (text, again.text, owner.get(at).text):
        assert "canary" not in shown
    assert opened(home, stage.live.id, K.RECOVERY_CODES) == "canary-1\ncanary-2\ncanary-3"


@pytest.mark.parametrize(
    ("part", "kind", "data"),
    [
        ("codes", "recovery_codes", {"codes": "1111-aaaa"}),
        ("second-factor", "second_factor", {"seed": "JBSWY3DPEHPK3PXP"}),
        ("notes", "notes", {"notes": "The key lies in the office."}),
    ],
)
def test_what_the_platform_no_longer_has_goes_off_the_record(
    owner: FlaskClient, at: str, part: str, kind: str, data: dict[str, str]
) -> None:
    form, button = f"{at}/deposit/{part}", f"{at}/deposit/{kind}/gone"
    assert button not in owner.get(form).text
    owner.post(form, data=data)
    assert button in owner.get(form).text
    assert "It is taken off the record." in owner.post(button, follow_redirects=True).text
    assert button not in owner.get(form).text
    for nothing in (kind, "password", "api_token", "x"):
        assert owner.post(f"{at}/deposit/{nothing}/gone").status_code == 404


@pytest.mark.asvs("3.5.3", "14.3.2")
def test_a_second_factor_is_compared_once_in_the_answer_and_its_seed_never_shown(
    owner: FlaskClient, at: str, stage: Stage, home: Home
) -> None:
    page = f"{at}/deposit/second-factor"
    answer = owner.post(page, data={"seed": SEED.lower()})
    digits, seconds = code_at(read_seed(SEED), NOW)
    assert f"{digits[:3]} {digits[3:]}" in answer.text
    assert f"in {seconds} seconds" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    for shown in (answer.text, owner.get(page).text, owner.get(at).text, owner.get(f"{at}/deposit/parts").text):
        assert SEED not in shown.upper()
    assert digits not in owner.get(page).text
    assert opened(home, stage.live.id, K.SECOND_FACTOR) == SEED.lower()


def test_a_seed_that_is_none_is_refused_and_not_sent_back(owner: FlaskClient, at: str) -> None:
    answer = owner.post(f"{at}/deposit/second-factor", data={"seed": "canary 0189"})
    assert answer.status_code == 422
    assert "canary" not in answer.text
    assert 'href="#seed"' in answer.text


def test_who_can_recover_it_goes_on_record_and_off(owner: FlaskClient, at: str, stage: Stage, home: Home) -> None:
    page, own = f"{at}/recovery", str(stage.cast.owner.id)
    data = {"kind": "phone", "value": "+44 7700 900123", "whose": own}
    assert owner.post(page, data=data).status_code == 302
    text = owner.get(page).text
    assert html.escape(f"{stage.cast.owner.name}'s own", quote=True).replace("&#x27;", "&#39;") in text
    assert "900123" in text
    account = owner.get(at).text
    assert "1 on record, 1 of them not the school" in account
    assert "900123" not in account
    (contact,) = contacts_of(home.db, stage.live.id)
    assert owner.post(f"{page}/{contact.id}/gone").status_code == 302
    assert contacts_of(home.db, stage.live.id) == []


@pytest.mark.parametrize("wrong", [{"kind": "pigeon"}, {"whose": ""}, {"whose": "4711"}, {"value": ""}])
def test_who_can_recover_it_is_asked_for_whole(owner: FlaskClient, at: str, wrong: dict[str, str]) -> None:
    data = {"kind": "address", "value": "trips@school.example", "whose": "school", **wrong}
    assert owner.post(f"{at}/recovery", data=data).status_code == 422


def test_delegates_go_on_record_and_off(owner: FlaskClient, at: str, stage: Stage, home: Home) -> None:
    page = f"{at}/delegates"
    data = {"name": "@helper", "rights": "Posts and answers", "staff_id": str(stage.cast.deputy.id)}
    assert owner.post(page, data={**data, "staff_id": ""}).status_code == 422
    assert owner.post(page, data=data).status_code == 302
    assert "@helper" in (text := owner.get(page).text)
    assert stage.cast.deputy.name in text
    (delegate,) = delegates_of(home.db, stage.live.id)
    assert owner.post(f"{page}/{delegate.id}/gone").status_code == 302
    assert delegates_of(home.db, stage.live.id) == []


def test_whoever_may_only_look_sees_that_there_is_something_and_no_more(
    owner: FlaskClient, browse: Callable[[Staff], FlaskClient], at: str, stage: Stage
) -> None:
    owner.post(f"{at}/deposit/notes", data={"notes": "canary"})
    owner.post(f"{at}/recovery", data={"kind": "phone", "value": "+44 7700 900123", "whose": "stranger"})
    head = browse(stage.cast.head)
    assert "Deposited just now" in head.get(at).text
    for path in ("deposit", "deposit/parts", "deposit/notes", "recovery", "delegates"):
        assert head.get(f"{at}/{path}").status_code == 403
    assert "900123" not in head.get(at).text


def test_nothing_is_taken_for_a_closed_account(owner: FlaskClient, stage: Stage) -> None:
    at = f"/accounts/{stage.closed.id}"
    assert owner.post(f"{at}/deposit/notes", data={"notes": "x"}).status_code in (400, 409)
    data = {"kind": "phone", "value": "+44 7700 900123", "whose": "school"}
    assert owner.post(f"{at}/recovery", data=data).status_code in (400, 409)
