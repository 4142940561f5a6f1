"""What the school asks of a password (SEC202), asked of what was kept when it was deposited: nobody opens it again.

Kept are a length that it has at least, which kinds of sign are in it, whether it is built on one word, and zxcvbn's 0
to 4. docs/decisions/0012-deposits.md says what that tells a thief, and why it is no more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from socialgov.models import Credential, Policy

SIGNS = ("letters", "numbers", "symbols")
# steps, so that the length itself is not kept; every one but the policy's own number at the time of the deposit
LENGTHS = (8, 10, 12, 14, 16, 20, 24, 32, 48, 64)
WORD = "It is built on a word, a name or a pattern that is easily guessed."
EASY = "It is too easy to guess. Make it longer."
NOT_MEASURED = (
    "How hard it is to guess was measured, and is enough; what it is made of was not. Deposit it again: then it is."
)
NOT_EXACTLY = "The school asks for longer passwords than when it was measured, and it may be too short. Change it."


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong, as sentences; `unknown` is the sentence that says what nobody can tell, or empty."""

    problems: tuple[str, ...] = ()
    unknown: str = ""


def judged(kept: Credential, policy: Policy) -> Judgement:
    """The deposited password `kept` by `policy` as it is now. Where its make-up is not known, that is no pass."""
    problems = [WORD] if kept.one_word else []
    if kept.strength < policy.password_min_strength and not problems:
        problems.append(EASY)
    if kept.length_at_least is None or kept.signs is None:
        return Judgement((*kept.problems, *problems) if kept.problems else tuple(problems), NOT_MEASURED)
    short = _short(kept.length_at_least, policy.password_min_length)
    lacking = [name for name in SIGNS if name in policy.password_signs and name not in kept.signs]
    return Judgement(
        (*composition(too_short=short is True, lacking=lacking, min_length=policy.password_min_length), *problems),
        NOT_EXACTLY if short is None else "",
    )


def composition(*, too_short: bool, lacking: Collection[str], min_length: int) -> tuple[str, ...]:
    """The sentences for what a password lacks, each with whose wish it is."""
    found = []
    if too_short:
        found.append(f"It is too short. The school asks for {min_length} characters or more.")
    if lacking:
        found.append(f"It has no {' and no '.join(lacking)}. The school asks for them.")
    return tuple(found)


def length_kept(length: int, min_length: int) -> int:
    """The highest step that `length` reaches; the policy's own number is a step too. 0: below them all."""
    return max((step for step in (*LENGTHS, min_length) if step <= length), default=0)


def wanted_words(policy: Policy) -> str:
    """`8 or more characters with letters, numbers and symbols`."""
    signs = [name for name in SIGNS if name in policy.password_signs]
    listed = " and ".join(filter(None, [", ".join(signs[:-1]), *signs[-1:]]))
    return f"{policy.password_min_length} or more characters" + (f" with {listed}" if listed else "")


def _short(at_least: int, min_length: int) -> bool | None:
    """Is it shorter than the policy asks? None: it lies between two steps with the policy's number between them."""
    if at_least >= min_length:
        return False
    above = next((step for step in LENGTHS if step > at_least), None)
    return True if above is not None and above <= min_length else None
