"""How strong a password is (SEC202)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialgov.passwords import LONGEST, assess, context_words, without_context

CONTEXT = ("Example St Mary's Primary School", "twitter", "ypt_stmarys", "Year 6 trip to Paris", "Jane Miller")


def problems(secret: str, **changes: int) -> tuple[str, ...]:
    return assess(secret, context=CONTEXT, **{"min_length": 8, "min_strength": 3, **changes}).problems


def test_a_strong_password_has_no_problem() -> None:
    assert [problems(s) for s in ("kV9#mQ2x-Tolpuddle-61", "correct-Horse7battery", "aB3$kd92ls0P")] == [(), (), ()]


@pytest.mark.parametrize(
    "guessable",
    ["Twitter@StMarys1", "Tw1tt3r@StM4rys!2026", "P@ris2026Trip!", "J4neMi11er#9", "esmps-TWITTER-1999"],
)  # fmt: skip
def test_what_anybody_could_guess_for_the_account_is_refused(guessable: str) -> None:
    assert problems(guessable)
    assert assess(guessable, context=CONTEXT, min_length=8, min_strength=3).strength < 3


def test_context_alone_would_have_passed_zxcvbn() -> None:
    from zxcvbn import zxcvbn

    assert zxcvbn("Twitter@StMarys1", user_inputs=list(CONTEXT))["score"] == 4


@pytest.mark.parametrize("word", ["Password1!", "Sunflower12!", "Elephant#1"])
def test_one_dictionary_word_with_trimmings_is_refused(word: str) -> None:
    assert any("word" in problem for problem in problems(word))


def test_composition_is_named() -> None:
    assert "It has no numbers and no symbols. The school asks for them." in problems("sunflowerbicyclecoffee")
    assert "It is too short. The school asks for 8 characters or more." in problems("aB3$k")
    assert "It has no letters. The school asks for them." in problems("93847561!!47-20")
    assert problems("short1!aB", min_length=12)[0] == "It is too short. The school asks for 12 characters or more."


def test_a_problem_never_quotes_the_password() -> None:
    assert "Sunflower" not in " ".join(problems("Sunflower12!"))


def test_over_long_input_is_scored_and_not_raised() -> None:
    assert f"It is longer than {LONGEST} characters, which no platform takes." in problems("kV9#" * 5_000)
    assert problems("kV9#mQ2x-Tolpuddle-61" + "x" * 100) == ()


def test_context_words_are_whole_joined_and_initials() -> None:
    words = context_words(CONTEXT)
    assert {"stmarys", "primary", "paris", "janemiller", "esmps", "ypt"} <= set(words)
    assert "to" not in words  # two letters stand in any random password


def test_taking_context_out_leaves_the_rest_as_typed() -> None:
    assert without_context("Xy9-T0lpuddle-PARIS-2026", context_words(CONTEXT)) == "Xy9-T0lpuddle--"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120), st.lists(st.text(max_size=30), max_size=4))
def test_any_text_gets_an_answer(secret: str, context: list[str]) -> None:
    found = assess(secret, context=context, min_length=8, min_strength=3)
    assert 0 <= found.strength <= 4
    assert len(without_context(secret, context_words(context))) <= 2 * len(secret) * 18


def test_a_password_made_of_signs_like_letters_does_not_keep_the_server_busy() -> None:
    begun = time.process_time()
    found = assess("a4@b8c({[<e3g69i!1|l71|o0s$5t+7x%z2" * 3, context=(), min_length=8, min_strength=3)
    assert found.strength == 4
    assert time.process_time() - begun < 2.5  # it took six seconds
