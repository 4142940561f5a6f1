"""Names found in a text: full names and initials for certain, first names of the audience as a hint."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socialgov.models import Person, PersonKind
from socialgov.names import fold, names_in_text


def person(number: int, first: str, last: str) -> Person:
    return Person(number, PersonKind.PUPIL, str(number), first, last, None, None, None, None, None)


PUPILS = [
    person(1, "Siân", "O’Brien"),
    person(2, "Mary-Jane", "Watson"),
    person(3, "Will", "May"),
    person(4, "Ann", "Lee"),
    person(5, "Ian", "McBride"),
    person(6, "Zoë", "Łukasz"),
]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Well done Sian O'Brien!", 1),
        ("SIÂN O‘BRIEN won", 1),
        ("Brilliant: siân o.", 1),
        ("mary jane watson", 2),
        ("Maryjane W.", 2),
        ("#WillMay scored", 3),
        ("thanks @ann_lee2", 4),
        ("#annlee", 4),
        ("Lee, Ann", 4),
        ("Ian McBride and others", 5),
        ("zoe lukasz", 6),
    ],
)
def test_a_pupil_is_found_however_the_name_is_written(text: str, number: int) -> None:
    assert [one.id for one in names_in_text(text, PUPILS).certain] == [number]


@pytest.mark.parametrize(
    "text",
    ["We will go in May.", "Ann arrived; leeward wind", "Mary and Jane", "The lee shore", "", "🎉🎉", "Annual leek"],
)
def test_words_that_only_look_like_names_are_not_certain(text: str) -> None:
    assert names_in_text(text, PUPILS).certain == ()


def test_a_first_name_is_a_hint_only_in_the_audience_and_with_a_capital() -> None:
    assert [one.id for one in names_in_text("Well done Will", PUPILS, PUPILS[:3]).possible] == [3]
    assert names_in_text("we will", PUPILS, PUPILS).possible == ()
    assert names_in_text("Well done Will", PUPILS, PUPILS[:2]).possible == ()


def test_two_thousand_pupils_do_not_slow_a_page() -> None:
    import time

    school = [person(number, f"First{chr(97 + number % 26)}{number}", f"Last{number}") for number in range(2000)]
    started = time.perf_counter()
    assert names_in_text("A week in the hills with " + "many words " * 40, school).certain == ()
    assert time.perf_counter() - started < 0.5


@example("𝓐nn")
@given(st.text(max_size=80))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=120))
def test_no_text_makes_the_search_fall_over(text: str) -> None:
    for whole in (text, f"{text} Ann Lee"):
        found = names_in_text(whole, PUPILS, PUPILS)
        assert not {one.id for one in found.certain} & {one.id for one in found.possible}
    assert PUPILS[3] in found.certain
