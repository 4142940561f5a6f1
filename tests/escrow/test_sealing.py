"""Sealing: what was changed, moved or made with another key does not open (ASVS 11.3.2, 11.3.3)."""

from __future__ import annotations

import copy
import pickle

import pytest
from factories import ESCROW, SCHOOL_ID
from hypothesis import given, settings
from hypothesis import strategies as st

from socialgov.errors import EscrowError
from socialgov.escrow import Escrow, random_token, verify_signature

PLACE = {"account": "7", "field": "password", "version": 1}
SECRET = b"correct horse battery staple"


def test_what_was_sealed_opens_again() -> None:
    assert ESCROW.open(ESCROW.seal(SECRET, **PLACE), **PLACE) == SECRET


def test_nothing_and_a_large_photo_can_be_sealed() -> None:
    for content in (b"", bytes(5_000_000)):
        assert ESCROW.open(ESCROW.seal(content, **PLACE), **PLACE) == content


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    sealed = {ESCROW.seal(SECRET, **PLACE) for _ in range(50)}
    assert len(sealed) == 50
    assert len({one[-44:] for one in sealed}) == 50
    assert not any(SECRET in one for one in sealed)


@pytest.mark.asvs("11.3.3")
def test_every_flipped_bit_is_noticed() -> None:
    sealed = ESCROW.seal(b"short", **PLACE)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1 << (at % 8)
        with pytest.raises(EscrowError):
            ESCROW.open(bytes(changed), **PLACE)


@pytest.mark.asvs("11.3.3")
def test_every_cut_is_noticed() -> None:
    sealed = ESCROW.seal(b"short", **PLACE)
    for length in range(len(sealed)):
        with pytest.raises(EscrowError):
            ESCROW.open(sealed[:length], **PLACE)
    with pytest.raises(EscrowError):
        ESCROW.open(sealed + b"\0", **PLACE)


@pytest.mark.parametrize("moved", [{"account": "8"}, {"field": "email"}, {"version": 2}, {"account": ""}])
@pytest.mark.asvs("11.3.3")
def test_a_record_moved_elsewhere_or_put_back_in_an_older_version_does_not_open(moved: dict[str, object]) -> None:
    sealed = ESCROW.seal(SECRET, **PLACE)
    with pytest.raises(EscrowError, match="belongs elsewhere"):
        ESCROW.open(sealed, **{**PLACE, **moved})


def test_two_places_whose_parts_run_together_are_still_two_places() -> None:
    sealed = ESCROW.seal(SECRET, account="1", field="2password", version=1)
    with pytest.raises(EscrowError):
        ESCROW.open(sealed, account="12", field="password", version=1)
    sealed = ESCROW.seal(SECRET, account="7", field="f1", version=2)
    with pytest.raises(EscrowError):
        ESCROW.open(sealed, account="7", field="f", version=12)


@pytest.mark.asvs("11.3.3")
def test_halves_of_two_records_do_not_make_a_third() -> None:
    """The wrapped data key of one with the content of the other, for the very same place."""
    one, other = ESCROW.seal(b"a" * 20, **PLACE), ESCROW.seal(b"b" * 20, **PLACE)
    cut = len(one) - (12 + 20 + 16)
    with pytest.raises(EscrowError):
        ESCROW.open(one[:cut] + other[cut:], **PLACE)


@pytest.mark.asvs("8.4.1")
def test_another_school_does_not_open_it_even_with_the_same_key() -> None:
    other = Escrow.from_key(bytes(range(32)), "ab" * 16)
    with pytest.raises(EscrowError):
        other.open(ESCROW.seal(SECRET, **PLACE), **PLACE)


def test_another_key_does_not_open_it_and_says_why() -> None:
    other = Escrow.from_key(bytes(32), SCHOOL_ID)
    with pytest.raises(EscrowError, match="another key"):
        other.open(ESCROW.seal(SECRET, **PLACE), **PLACE)


def test_a_record_of_a_later_scheme_asks_for_an_update() -> None:
    sealed = bytearray(ESCROW.seal(SECRET, **PLACE))
    sealed[2] = 9
    with pytest.raises(EscrowError, match="does not know"):
        ESCROW.open(bytes(sealed), **PLACE)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_and_nothing_else_is_raised(content: bytes) -> None:
    with pytest.raises(EscrowError):
        ESCROW.open(content, **PLACE)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20), st.integers(0, 2**40))
def test_any_content_in_any_place_comes_back(content: bytes, account: str, field: str, version: int) -> None:
    place = {"account": account.encode("utf-8", "replace").decode(), "field": field, "version": version}
    assert ESCROW.open(ESCROW.seal(content, **place), **place) == content


def test_an_escrow_shows_no_key_and_cannot_be_copied_out() -> None:
    assert repr(ESCROW) == f"<Escrow of school {SCHOOL_ID}, key {ESCROW.key_id}>"
    for give_away in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            give_away(ESCROW)


def test_an_error_never_quotes_what_was_sealed() -> None:
    sealed = ESCROW.seal(SECRET, **PLACE)
    with pytest.raises(EscrowError) as caught:
        ESCROW.open(sealed, **{**PLACE, "version": 9})
    assert SECRET.decode() not in str(caught.value)
    assert caught.value.__cause__ is None


def test_derived_keys_are_stable_and_tell_nothing_about_each_other() -> None:
    assert ESCROW.derive("flask") == Escrow.from_key(bytes(range(32)), SCHOOL_ID).derive("flask")
    assert len({ESCROW.derive(purpose) for purpose in ("flask", "flas", "k", "sign", "")}) == 5
    assert ESCROW.derive("flask") != Escrow.from_key(bytes(range(32)), "ab" * 16).derive("flask")
    assert len(ESCROW.derive("flask")) == 32


def test_a_key_of_the_wrong_length_is_refused() -> None:
    for key in (b"", bytes(31), bytes(33)):
        with pytest.raises(EscrowError):
            Escrow.from_key(key, SCHOOL_ID)


def test_a_token_has_256_bits_and_is_fit_for_a_url() -> None:
    tokens = {random_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)


# ---- signatures


def test_a_signature_holds_for_its_message_and_key_alone() -> None:
    signature, other = ESCROW.sign(b"closed"), Escrow.from_key(bytes(32), SCHOOL_ID)
    assert verify_signature(b"closed", signature, ESCROW.public_key())
    assert not verify_signature(b"closed.", signature, ESCROW.public_key())
    assert not verify_signature(b"closed", signature, other.public_key())
    assert not verify_signature(b"closed", other.sign(b"closed"), ESCROW.public_key())


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=100), st.text(max_size=60))
def test_any_text_as_signature_or_key_is_just_wrong(signature: str, key: str) -> None:
    assert verify_signature(b"closed", signature, ESCROW.public_key()) is False
    assert verify_signature(b"closed", ESCROW.sign(b"closed"), key) is False
