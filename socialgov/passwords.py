"""How strong a platform's password is, and what is wrong with it (SEC202). Pure apart from zxcvbn, slow to load.

zxcvbn alone is not enough: it scores `Twitter@StMarys1` 4 of 4 although it is the platform, the school and a digit. So
the words that anybody could guess from the account are taken out, and what is left is scored as well.
How long it is and what it is made of is what the school's policy asks for (P2.6), and no more than that; it is for
passwords held in escrow only, never for signing in here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from socialgov.rules.strength import EASY, SIGNS, WORD, composition

LONGEST = 256  # no platform takes more; the bound keeps a pasted file out
SCORED = 72  # zxcvbn raises ValueError above this
# zxcvbn tries every reading of signs that may stand for letters. Where there are many different ones, 72 characters
# keep it busy for five seconds, and 20 for a fraction of one: a handful of such deposits would stop the service.
READ_AS_LETTERS = frozenset("4@8({[<369!1|70$5+%2")
MANY_READINGS = 6
SCORED_OF_MANY = 20
SHORTEST_CONTEXT_WORD = 3

_LOOKS_LIKE = str.maketrans("@430!1l$57", "aaeoiiisst")  # 1 stands for i and for l, so those two count as one
_WORD = re.compile(r"[^\W_]+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ANY_YEAR = re.compile(r"(?<!\d)(?:1\d|20)\d\d(?!\d)")  # also of a battle, or of a club's founding
_BETWEEN = re.compile(r"[\s\-_.,;:'\N{RIGHT SINGLE QUOTATION MARK}]+")


@dataclass(frozen=True, slots=True)
class Assessment:
    """`strength` is zxcvbn's 0 to 4; `problems` are sentences for the depositor, which never quote the password.

    `one_word`: more than half of it is a single word of a dictionary (P2.6).
    """

    strength: int
    problems: tuple[str, ...]
    one_word: bool = False


def assess(
    secret: str, *, context: Iterable[str], min_length: int, min_strength: int, signs: Collection[str] = SIGNS
) -> Assessment:
    """What is wrong with `secret` for an account that `context` describes (school, handle, platform, purpose, names).

    `signs`: which of letters, numbers and symbols the school asks for. Raises nothing for any text: over-long input is
    scored by its first 72 characters, or 20 where they can be read in too many ways.
    """
    text = unicodedata.normalize("NFKC", secret)
    words = context_words(context)
    left = without_context(text, words)
    whole = _score(text, words)
    strength = min(whole.strength, _score(left, words).strength)
    problems = list(_composition(text, min_length, signs))
    if whole.one_word or (whole.strength < min_strength and whole.patterned):
        problems.append(WORD)
    elif whole.strength < min_strength:
        problems.append(EASY)
    elif strength < min_strength:
        problems.append(
            "It is built on words anybody could guess for this account: the school, the platform, the handle, "
            "what the account is for, a name or a year."
        )
    return Assessment(strength, tuple(problems), whole.one_word)


def guesses_of(passphrase: str, *, context: Iterable[str]) -> float:
    """How many guesses a passphrase withstands, as a power of ten: zxcvbn's estimate of what is really in it.

    Years and the words of `context` (names of staff, the school) are taken out first, and so is what stands between
    words: zxcvbn takes each space for a sign made up at random, and a name with a year for good.
    """
    from zxcvbn import zxcvbn

    words = context_words(context)
    left = without_context(_ANY_YEAR.sub("", unicodedata.normalize("NFKC", passphrase)), words)
    left = _scored(_BETWEEN.sub("", left))
    return float(zxcvbn(left, user_inputs=list(words))["guesses_log10"]) if left else 0.0


def signs_in(secret: str) -> tuple[str, ...]:
    """Which of letters, numbers and symbols are in it; a space is none of them."""
    text = unicodedata.normalize("NFKC", secret)
    there = {
        "letters": any(c.isalpha() for c in text),
        "numbers": any(c.isdigit() for c in text),
        "symbols": any(not c.isalnum() and not c.isspace() for c in text),
    }
    return tuple(name for name in SIGNS if there[name])


def context_words(phrases: Iterable[str]) -> tuple[str, ...]:
    """The guessable words of `phrases`, folded: each word, neighbours joined, and the initials; longest first."""
    found: set[str] = set()
    for phrase in phrases:
        words = _WORD.findall(_folded(phrase.replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")))
        found.update(words)
        found.update("".join(words[i : i + n]) for n in (2, 3) for i in range(len(words) - n + 1))
        found.add("".join(word[0] for word in words))
    return tuple(sorted((w for w in found if len(w) >= SHORTEST_CONTEXT_WORD), key=lambda w: (-len(w), w)))


def without_context(secret: str, words: Iterable[str]) -> str:
    """`secret` without the context words and years in it, in whatever capitals and with 0 for o, @ for a and so on."""
    text = _YEAR.sub("", secret)
    looks = _folded(text).translate(_LOOKS_LIKE)
    if len(looks) != len(text):  # folding changed the length (ß, ligatures): work on what it was folded to
        text = looks
    for word in words:
        shape = word.translate(_LOOKS_LIKE)
        while (at := looks.find(shape)) >= 0:
            looks = looks[:at] + looks[at + len(shape) :]
            text = text[:at] + text[at + len(shape) :]
    return text


def _composition(text: str, min_length: int, signs: Collection[str]) -> Iterable[str]:
    there = signs_in(text)
    lacking = [name for name in SIGNS if name in signs and name not in there]
    yield from composition(too_short=len(text) < min_length, lacking=lacking, min_length=min_length)
    if len(text) > LONGEST:
        yield f"It is longer than {LONGEST} characters, which no platform takes."


@dataclass(frozen=True, slots=True)
class _Score:
    strength: int
    one_word: bool
    patterned: bool


def _score(text: str, words: tuple[str, ...]) -> _Score:
    """zxcvbn's answer; `one_word`: more than half of the text is a single dictionary word (P2.6); `patterned`: it found
    a word, date, row of keys or repetition at all."""
    from zxcvbn import zxcvbn

    scored = _scored(text)
    if not scored:
        return _Score(0, False, False)
    answer = zxcvbn(scored, user_inputs=list(words))
    found = [(part["pattern"], len(part["token"])) for part in answer["sequence"]]
    longest = max((length for pattern, length in found if pattern == "dictionary"), default=0)
    return _Score(answer["score"], longest * 2 > len(text), any(pattern != "bruteforce" for pattern, _ in found))


def _scored(text: str) -> str:
    """As much of it as zxcvbn is given."""
    return text[: SCORED_OF_MANY if len(READ_AS_LETTERS.intersection(text)) > MANY_READINGS else SCORED]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
