"""The time on the simulated network of a demonstration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from socialgov.home import Home


class NetworkClock:
    """What time it is on the simulated network: the moment of the story while it is told, then the school's."""

    def __init__(self) -> None:
        self._now: Callable[[], datetime] | None = None
        self.told: datetime | None = None

    def follow(self, home: Home) -> None:
        self._now = home.now

    def __call__(self) -> datetime:
        if self._now is not None:
            return self._now()
        if self.told is None:
            raise RuntimeError("the story has not begun")
        return self.told
