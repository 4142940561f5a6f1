"""A certificate of deletion holds only as it was issued, and anybody can see that without the school's home."""

from __future__ import annotations

import json

import pytest
from closing_school import live_account
from factories import NOW, make_home
from hypothesis import given, settings
from hypothesis import strategies as st

from socialgov.actions.certificates import certificate_of, certificate_text, fingerprint, verify_certificate
from socialgov.actions.closing import advance, start_closing
from socialgov.escrow import Escrow
from socialgov.home import Home
from socialgov.models import AccountState


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str]:
    home = make_home(tmp_path_factory.mktemp("school"))
    account = live_account(home, state=AccountState.APPROVED, handle=None, live_at=None)
    closing = start_closing(home, None, account.id, "Its end date is over.", now=NOW)
    advance(home, closing.id, now=NOW)
    certificate = certificate_of(home.db, account.id)
    assert certificate is not None
    return home, certificate_text(certificate)


def test_a_certificate_holds_without_the_home_and_against_it(issued: tuple[Home, str]) -> None:
    home, text = issued
    alone, at_home = verify_certificate(text), verify_certificate(text, home)
    assert alone.valid and at_home.valid
    assert alone.fingerprint == fingerprint(home.escrow.public_key())
    assert at_home.home_says


def test_how_the_file_is_laid_out_does_not_matter(issued: tuple[Home, str]) -> None:
    assert verify_certificate(json.dumps(json.loads(issued[1]))).valid


def test_any_changed_value_is_noticed(issued: tuple[Home, str]) -> None:
    whole = json.loads(issued[1])
    for part in whole["certificate"]:
        changed = json.loads(issued[1])
        changed["certificate"][part] = "something else"
        assert not verify_certificate(json.dumps(changed)).valid, part


def test_a_certificate_signed_by_another_key_does_not_pass_for_the_schools(issued: tuple[Home, str]) -> None:
    from socialgov.actions.certificate_body import CONTENT, canonical

    home, text = issued
    other = Escrow.from_key(bytes(32), "ab" * 16)
    body = json.loads(text)["certificate"]
    body["school"]["public_key"] = other.public_key()
    forged = json.dumps({"certificate": body, "signature": other.sign(CONTENT + canonical(body).encode())})
    assert verify_certificate(forged).valid  # whole in itself, with another fingerprint
    assert verify_certificate(forged).fingerprint != fingerprint(home.escrow.public_key())
    assert not verify_certificate(forged, home).valid


def test_two_values_under_one_name_are_refused(issued: tuple[Home, str]) -> None:
    doubled = issued[1].replace('"version": 1', '"version": 1, "version": 2')
    report = verify_certificate(doubled)
    assert report.fault == "This is no certificate: a name stands in it twice."


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_file_with_a_flipped_character_never_passes_as_another_certificate(issued, data: st.DataObject) -> None:
    text = issued[1]
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.characters()) + text[at + 1 :]
    report = verify_certificate(changed)
    assert not report.valid or report.body == json.loads(text)["certificate"]


@settings(max_examples=200, deadline=None)
@given(
    st.text()
    | st.recursive(st.none() | st.booleans() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        json.dumps
    )
)
def test_any_other_file_gets_a_sentence_and_no_error(text: str) -> None:
    assert verify_certificate(text).fault


def test_a_certificate_names_no_person(issued: tuple[Home, str]) -> None:
    home, text = issued
    for row in home.db.execute("select name, email from staff").fetchall():
        assert row[0] not in text and row[1] not in text
