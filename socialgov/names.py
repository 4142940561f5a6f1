"""Names as people write them: folded for comparing, and found in a post's text. Pure.

A pupil is identified by a full name, or by a first name with the initial of the last name (MED503). A first name alone
is only a hint, and only where the pupil belongs to the account's audience: Grace, Mark and May are words as well.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from socialgov.models import Person

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_JOINERS = str.maketrans("", "", "'’‘`´ʼ-‐‑‒–—.")
_HUMP = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|_+|(?<=\D)(?=\d)|(?<=\d)(?=\D)")
_WORD = re.compile(r"[^\W_]+(?:[-'’‘ʼ.][^\W_]+)*\.?")


@dataclass(frozen=True, slots=True)
class NamesFound:
    """People a text names. `certain`: by full name or first name and initial. `possible`: by a first name alone."""

    certain: tuple[Person, ...] = ()
    possible: tuple[Person, ...] = ()


def one_line(text: str, most: int = 200) -> str:
    """A name that a stranger chose, as one short line: without breaks, and without signs that hide others."""
    if len(text) > most or not text.isprintable() or "  " in text:
        text = " ".join("".join(sign if sign.isprintable() else " " for sign in text[: 4 * most]).split())[:most]
    return text


def unescaped(text: str) -> str:
    """HTML's escapes as what they stand for. A number that no program reads leaves the text as it is."""
    try:
        return html.unescape(text)
    except ValueError:  # int() refuses thousands of digits
        return text


def fold(text: str) -> str:
    """`text` without accents, capitals, apostrophes and hyphens, so that Siân O’Brien equals sian obrien."""
    # decomposed first, so that an ornamental capital (𝓐) has a small letter; again after, as some small ones decompose
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.translate(_JOINERS)).casefold())
    kept = "".join(letter for letter in plain.translate(_LETTERS) if not unicodedata.combining(letter))
    return " ".join(kept.translate(_JOINERS).split())


def words(text: str) -> list[str]:
    """The folded words of a text; hashtags and handles are split at capitals, underscores and digits."""
    return [word for word, _ in _words_as_written(_HUMP.sub(" ", unicodedata.normalize("NFC", text)))]


def _words_as_written(text: str) -> list[tuple[str, str]]:
    """Each folded word with the way it was written."""
    pairs = ((fold(match.group()), match.group()) for match in _WORD.finditer(text))
    return [(word, written) for word, written in pairs if word]


def names_in_text(text: str, everybody: Iterable[Person], audience: Iterable[Person] = ()) -> NamesFound:
    """Who of `everybody` the text names for certain, and who of `audience` it may name by first name.

    The text is read twice, as written and with hashtags taken apart: #AnnLee is Ann Lee, and McBride stays one word.
    """
    text = unicodedata.normalize("NFC", text)
    readings = (_words_as_written(text), _words_as_written(_HUMP.sub(" ", text)))
    said = " | ".join(f" {' '.join(word for word, _ in reading)} " for reading in readings)
    present = {word for reading in readings for word, _ in reading}
    certain = tuple(person for person in everybody if _is_named(said, present, person))
    known = {person.id for person in certain}
    capitalised = {word for reading in readings for word, written in reading if written[:1].isupper()}
    possible = tuple(
        person
        for person in audience
        if person.id not in known and not capitalised.isdisjoint(_variants(person.first_name))
    )
    return NamesFound(certain, possible)


def _variants(name: str) -> set[str]:
    """A name folded, with its hyphens closed up and with them as spaces: maryjane and mary jane."""
    return {fold(name), fold(name.replace("-", " "))} - {""}


def _is_named(said: str, present: set[str], person: Person) -> bool:
    firsts, lasts = _variants(person.first_name), _variants(person.last_name)
    for first in firsts:
        for last in lasts:
            joined = f"{first}{last}".replace(" ", "")
            if joined in present:
                return True
            if first.split()[0] not in present and last.split()[0] not in present:
                continue  # the cheap test: neither name begins anywhere
            if any(f" {form} " in said for form in (f"{first} {last}", f"{last} {first}", f"{first} {last[0]}")):
                return True
    return False
