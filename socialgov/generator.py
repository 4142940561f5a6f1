"""Secrets made at random: words for people to read out, characters for machines (SEC202)."""

from __future__ import annotations

import secrets
from functools import cache

WORDS_OF_A_CODE = 6  # of 7,776 words: 77 bits


def random_words(count: int = WORDS_OF_A_CODE, *, between: str = " ") -> str:
    """`count` words of the EFF's long list, each with 12.9 bits."""
    return between.join(secrets.choice(_words()) for _ in range(count))


@cache
def _words() -> tuple[str, ...]:
    from xkcdpass.xkcd_password import generate_wordlist

    return tuple(sorted(generate_wordlist(wordfile="eff-long", min_length=3, max_length=9, valid_chars="[a-z]")))
