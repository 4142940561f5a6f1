"""Six digits that change every half minute, by the examples of the standard (RFC 6238, appendix B)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialgov.errors import InvalidInput
from socialgov.escrow.codes import Seed, code_at, matching_step, new_seed, otpauth, read_seed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EXAMPLES = {59: "94287082", 1111111109: "07081804", 1234567890: "89005924", 20000000000: "65353130"}


@pytest.mark.parametrize(("seconds", "digits"), EXAMPLES.items())
def test_the_standards_own_examples_come_out(seconds: int, digits: str) -> None:
    seed = Seed(b"12345678901234567890", digits=8)
    assert code_at(seed, datetime.fromtimestamp(seconds, UTC))[0] == digits


def test_the_seconds_that_are_left_are_told() -> None:
    assert [code_at(new_seed(), NOW + timedelta(seconds=after))[1] for after in (0, 1, 29)] == [30, 29, 1]


@pytest.mark.asvs("6.5.5")
def test_a_code_counts_for_its_half_minute_and_one_on_either_side() -> None:
    seed = new_seed()
    code, _ = code_at(seed, NOW)
    for after, counts in ((-31, False), (-30, True), (0, True), (59, True), (60, False)):
        assert (matching_step(seed, code, NOW + timedelta(seconds=after)) is not None) is counts, after


@pytest.mark.asvs("6.5.1")
def test_a_code_counts_once() -> None:
    seed = new_seed()
    code, _ = code_at(seed, NOW)
    step = matching_step(seed, code, NOW)
    assert step is not None
    assert matching_step(seed, code, NOW, after=step) is None
    later, _ = code_at(seed, NOW + timedelta(seconds=30))
    assert matching_step(seed, later, NOW + timedelta(seconds=30), after=step) == step + 1


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "１２３４５６", "123456789", "' or 1=1"])
def test_what_is_no_code_matches_nothing(typed: str) -> None:
    assert matching_step(new_seed(), typed, NOW) is None


def test_a_code_may_be_typed_with_a_gap() -> None:
    seed = new_seed()
    code, _ = code_at(seed, NOW)
    assert matching_step(seed, f" {code[:3]} {code[3:]} ", NOW) is not None


def test_a_seed_is_read_as_platforms_show_it() -> None:
    seed = new_seed()
    spaced = " ".join(seed.text[at : at + 4] for at in range(0, len(seed.text), 4))
    for text in (seed.text, spaced.lower(), seed.text + "====", otpauth(seed, issuer="The Network", name="ski.trip")):
        assert read_seed(text) == seed


def test_an_address_says_digits_period_and_algorithm() -> None:
    secret = base64.b32encode(bytes(range(20))).decode()
    read = read_seed(f"otpauth://totp/Shop:me?secret={secret}&digits=8&period=60&algorithm=SHA256")
    assert (read.digits, read.step, read.algorithm) == (8, 60, "SHA256")


@pytest.mark.parametrize(
    "text",
    ["", "ABC", "not base32 at all!", "otpauth://hotp/x?secret=AAAAAAAAAAAAAAAA", "otpauth://totp/x?secret=1", "otpauth://[",
     "otpauth://totp/x?secret=AAAAAAAAAAAAAAAA&period=0", "otpauth://totp/x?secret=AAAAAAAAAAAAAAAA&algorithm=MD5"],
)  # fmt: skip
def test_what_is_no_seed_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_seed(text)
    assert not text or text not in str(caught.value)


@given(st.one_of(st.text(max_size=80), st.text(max_size=60).map("otpauth://totp/".__add__)))
def test_whatever_is_typed_is_a_seed_or_refused(text: str) -> None:
    try:
        read = read_seed(text)
    except InvalidInput:
        return
    assert len(code_at(read, NOW)[0]) == read.digits


def test_a_seed_is_never_part_of_a_repr() -> None:
    seed = new_seed()
    assert repr(seed.secret) not in repr(seed)
    assert seed.text not in repr(seed)
