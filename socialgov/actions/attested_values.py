"""What a person may say about each fact: its shape, checked before it becomes an observation."""

from __future__ import annotations

from typing import Any

from socialgov.errors import InvalidInput
from socialgov.models import Fact, LogoMatch, Presence

_YES_OR_NO = frozenset({Fact.PRIVATE, Fact.LOGIN_WORKS, Fact.RECOVERY_WITH_SCHOOL, Fact.OUR_ACCESS})
_CHOICES = {Fact.PRESENCE: Presence, Fact.LOGO: LogoMatch}
_TEXTS = {Fact.PROFILE_TEXT: 5000, Fact.SETUP_EMAIL: 254}  # characters
_MOST = 100_000_000


def checked_value(fact: Fact, value: Any) -> Any:
    """`value` as `fact` is kept: bool, count, text or choice. Raises InvalidInput for the field `value`."""
    if fact is Fact.LABELS:
        raise _refused("Only the platform itself tells how its moderators marked the account.")
    if fact in _YES_OR_NO:
        if not isinstance(value, bool):
            raise _refused("Say yes or no.")
        return value
    if fact in _CHOICES:
        try:
            return _CHOICES[fact](value)
        except ValueError:
            raise _refused(f"Choose one of {', '.join(_CHOICES[fact])}.") from None
    if fact in _TEXTS:
        return _text(fact, value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise _refused("Enter a number, 0 where there is none.")
    return value


def _text(fact: Fact, value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not isinstance(value, str) or len(text) > _TEXTS[fact] or "\x00" in text:
        raise _refused(f"Enter what you see, {_TEXTS[fact]} characters at most.")
    if fact is Fact.SETUP_EMAIL and ("@" not in text or any(letter.isspace() for letter in text)):
        raise _refused("Enter an e-mail address, like trips@school.example.")
    return text


def _refused(why: str) -> InvalidInput:
    return InvalidInput("What you said cannot be recorded like this.", {"value": why}, why)
