"""How many requests leave for a platform, whichever adapter or library makes them.

The meter (platforms/base.py) counts what costs money, in the database. This counts everything, for as long as somebody
wants to know, and writes nothing down.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Sent:
    """`requests`: redirects that were followed, pictures and renewals of a token are requests too."""

    requests: int = 0


_counting: ContextVar[Sent | None] = ContextVar("counting", default=None)


@contextmanager
def requests_counted() -> Iterator[Sent]:
    """What leaves in this block, and in this thread. A block within another counts for itself alone."""
    sent = Sent()
    told = _counting.set(sent)
    try:
        yield sent
    finally:
        _counting.reset(told)


def count_request() -> None:
    """The wire is about to send one."""
    sent = _counting.get()
    if sent is not None:
        sent.requests += 1
