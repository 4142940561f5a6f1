"""How long a whole job with a platform may take, however many requests it is made of.

The wire bounds each request; a post with four pictures is dozens of them. Once its time is over no request leaves any
more, so whoever waits knows from when on nothing can happen that nobody has seen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_over_at: ContextVar[float | None] = ContextVar("over_at", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """In this block, and in this thread, no request begins later than `seconds` from now: it raises Unreachable."""
    told = _over_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _over_at.reset(told)


def time_is_over() -> bool:
    over_at = _over_at.get()
    return over_at is not None and time.monotonic() >= over_at
