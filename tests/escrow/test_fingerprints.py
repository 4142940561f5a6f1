"""Fingerprints: a password that is used twice is found, and a guess at one is dear (SEC203)."""

from __future__ import annotations

import time

import pytest
from factories import ESCROW, SCHOOL_ID
from hypothesis import given
from hypothesis import strategies as st
from plugin_quick_fingerprints import REAL

from socialgov.escrow import Escrow, fingerprints, near_forms
from socialgov.escrow.vault import COST, Holder


def prints(secret: str) -> set[str]:
    return set(ESCROW.fingerprints(secret))


def test_equal_secrets_have_equal_fingerprints_and_others_do_not() -> None:
    assert ESCROW.fingerprints("Sunflower!7") == ESCROW.fingerprints("Sunflower!7")
    assert ESCROW.fingerprints("Sunflower!7")[0] != ESCROW.fingerprints("Sunflower!8")[0]


def test_a_fingerprint_looks_through_the_ways_to_type_one_sign() -> None:
    assert ESCROW.fingerprints("café ﬁsh") == ESCROW.fingerprints("cafe\u0301 fish")


@pytest.mark.parametrize("near", ["sunflower!7", "SUNFLOWER!7", "Sunflower!8", "Sunflower2027!", "Sunflower"])
def test_secrets_that_differ_by_capitals_or_their_end_are_near(near: str) -> None:
    assert prints("Sunflower!7") & prints(near)


@pytest.mark.parametrize("far", ["Moonflower!7", "!7Sunflower", "Sun1!", "12345678!"])
def test_secrets_that_differ_otherwise_are_not_near(far: str) -> None:
    assert not prints("Sunflower!7") & prints(far)


def test_two_passwords_of_digits_alone_are_not_near_because_nothing_is_left_of_them() -> None:
    assert not prints("12345678!") & prints("87654321?")


@given(st.text("abcdE1!", min_size=1, max_size=9), st.text("abcdE1!", min_size=1, max_size=9))
def test_two_are_near_whenever_they_were_to_an_earlier_version(one: str, other: str) -> None:
    """It kept a form without capitals too, where it kept one without its end: whoever shares that shares this."""

    def earlier(secret: str) -> set[str]:
        plain = secret.casefold()
        stem = plain.rstrip("1!")
        return {secret, plain} | ({stem} if len(stem) >= 5 else set())

    assert set(near_forms(one)).isdisjoint(near_forms(other)) is earlier(one).isdisjoint(earlier(other))
    assert set(near_forms(one)) <= earlier(one), "what an earlier version kept is found by what is kept now"


def test_a_fingerprint_needs_the_key() -> None:
    other = Escrow.from_key(bytes(32), SCHOOL_ID)
    assert not prints("Sunflower!7") & set(other.fingerprints("Sunflower!7"))


def test_a_guess_at_a_fingerprint_costs_what_one_at_a_vault_passphrase_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"argon2id:{REAL[0]}:{REAL[1]}:{REAL[2]}" == COST
    assert REAL[0] >= 3 and REAL[1] >= 64 * 1024, "RFC 9106: three passes over 64 MiB"
    monkeypatch.setattr(fingerprints, "COST", REAL)
    quick = ESCROW.quick_fingerprints("Otter-Plywood-42!")
    begun = time.process_time()
    (kept,) = ESCROW.fingerprints("otter plywood")
    ours, begun = time.process_time() - begun, time.process_time()
    Holder(bytes(16)).private_of("otter plywood")
    passphrase = time.process_time() - begun
    assert kept not in quick and kept[1:] not in quick
    assert ours > passphrase / 3
