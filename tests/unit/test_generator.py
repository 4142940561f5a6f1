"""Passwords made by chance: any policy of the school is met, and how much chance is in them follows from the making."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialgov import generator
from socialgov.config import RANGES
from socialgov.generator import DIGITS, FEWEST_BITS, LETTERS, SIGNS, Make, bits, random_password, random_words
from socialgov.passwords import LONGEST, assess, signs_in

lengths = st.integers(*RANGES["password_min_length"])
strengths = st.integers(*RANGES["password_min_strength"])
wanted = st.sets(st.sampled_from(("letters", "numbers", "symbols")))
CONTEXT = ("Example St Mary's Primary School", "Instagram", "geography.field.trip", "Year 6 trip to Paris", "Jane Doe")


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(Make), lengths, strengths, wanted)
def test_whatever_a_school_may_ask_for_is_met(make: Make, length: int, strength: int, signs: set[str]) -> None:
    made = random_password(make, length)
    assert assess(made, context=CONTEXT, min_length=length, min_strength=strength, signs=signs).problems == ()
    assert length <= len(made) <= LONGEST
    assert signs_in(made) == ("letters", "numbers", "symbols")
    assert made.isascii()
    assert " " not in made


@pytest.mark.parametrize("make", Make)
def test_there_is_enough_chance_in_it(make: Make) -> None:
    assert bits(make) >= FEWEST_BITS == 70


def test_the_bits_are_those_of_the_construction() -> None:
    words, number = len(generator._words()), 900
    assert bits(Make.WORDS) == pytest.approx(log2(words**5 * number))
    everything = len(LETTERS + DIGITS + SIGNS)
    assert bits(Make.CHARACTERS) < 16 * log2(everything)
    # counted for a short one by trying them all: a letter, then two more among which are a digit and a sign
    assert _count(2) == len(LETTERS) * 2 * len(DIGITS) * len(SIGNS)


def _count(rest: int) -> int:
    """The formula of `bits` for `rest` characters behind the first letter."""
    letters, digits, signs = len(LETTERS), len(DIGITS), len(SIGNS)
    without = (letters + signs) ** rest + (letters + digits) ** rest - letters**rest
    return letters * ((letters + digits + signs) ** rest - without)


def test_nothing_is_in_it_that_looks_like_something_else() -> None:
    assert set("lIoO01|").isdisjoint(LETTERS + DIGITS + SIGNS)
    assert len(set(LETTERS + DIGITS + SIGNS)) == len(LETTERS + DIGITS + SIGNS)


def test_no_two_are_alike() -> None:
    assert len({random_password(make, 8) for make in Make for _ in range(200)}) == 400


def test_a_spoken_code_is_six_words() -> None:
    words = random_words().split(" ")
    assert len(words) == 6
    assert set(words) <= set(generator._words())
