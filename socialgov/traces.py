"""Where an unexpected error came from, without its words: they may quote a password that was in hand (ASVS 16.2.5)."""

from __future__ import annotations

from traceback import walk_tb


def without_words(error: BaseException) -> str:
    """The error's kind and the places it came through, and the same of what led to it. No message, no value."""
    told, seen = [], set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        places = (
            f"  {frame.f_code.co_filename}:{line} in {frame.f_code.co_name}"
            for frame, line in walk_tb(cause.__traceback__)
        )
        told.append("\n".join([type(cause).__name__, *places]))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\nafter ".join(told)
