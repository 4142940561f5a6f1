"""Secrets made at random: words for people to read out and type, characters for those who copy (SEC202).

Every one holds letters, numbers and symbols, so that it meets whatever a school's policy asks for, and more: how many
bits of chance are in it follows from how it is made (`bits`), and never falls below FEWEST_BITS.
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from functools import cache
from math import log2

WORDS_OF_A_CODE = 6  # of 7,772 words: 77 bits
WORDS = 5
NUMBERS = 900  # 100 to 999
CHARACTERS = 16
FEWEST_BITS = 70  # 2**70 guesses: out of reach for whoever stole the fingerprints and the key to them
# nothing that looks like something else on a phone, and only signs that platforms take and one tap selects
LETTERS, DIGITS, SIGNS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-_.!?+*#%="


class Make(StrEnum):
    """What a proposed password is made of."""

    WORDS = "words"
    CHARACTERS = "characters"


def random_words(count: int = WORDS_OF_A_CODE, *, between: str = " ") -> str:
    """`count` words of the EFF's long list, each with 12.9 bits."""
    return between.join(secrets.choice(_words()) for _ in range(count))


def random_password(make: Make, min_length: int) -> str:
    """A password of at least `min_length` characters, with letters, numbers and symbols."""
    return _of_words(min_length) if make is Make.WORDS else _of_characters(max(CHARACTERS, min_length))


def bits(make: Make) -> float:
    """How many bits of chance the shortest password of this make holds, by how it is made."""
    if make is Make.WORDS:
        return WORDS * log2(len(_words())) + log2(NUMBERS)
    letters, digits, signs, rest = len(LETTERS), len(DIGITS), len(SIGNS), CHARACTERS - 1
    without = (letters + signs) ** rest + (letters + digits) ** rest - letters**rest
    return log2(letters * ((letters + digits + signs) ** rest - without))


def _of_words(min_length: int) -> str:
    """`Otter-plywood-sunrise-mitten-gravel-407`; a number more at a time where the school asks for longer ones."""
    made = f"{random_words(WORDS, between='-').capitalize()}-{_number()}"
    while len(made) < min_length:
        made += f"-{_number()}"
    return made


def _number() -> int:
    return 100 + secrets.randbelow(NUMBERS)


def _of_characters(length: int) -> str:
    """A letter (some platforms refuse a sign in front), the rest by chance, until a number and a sign are among it.

    What lacks one is thrown away whole, so that each password that can be is as likely as any other.
    """
    while True:
        made = secrets.choice(LETTERS) + "".join(secrets.choice(LETTERS + DIGITS + SIGNS) for _ in range(length - 1))
        if not set(made).isdisjoint(DIGITS) and not set(made).isdisjoint(SIGNS):
            return made


@cache
def _words() -> tuple[str, ...]:
    from xkcdpass.xkcd_password import generate_wordlist

    return tuple(sorted(generate_wordlist(wordfile="eff-long", min_length=3, max_length=9, valid_chars="[a-z]")))
