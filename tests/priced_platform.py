"""A fake platform on which every look costs money: it answers from a plain state and counts through its meter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from recording_platform import READS, RecordingPlatform, Shown

from socialgov import platforms
from socialgov.home import Home
from socialgov.models import CallCost, Capability, Tariff
from socialgov.platforms import Counts, Profile

CENT = 10_000
_SERVED = {
    "presence": Capability.SEE_PRESENCE,
    "profile": Capability.READ_PROFILE,
    "posts": Capability.READ_POSTS,  # and the shares among them, as on X
    "followers": Capability.READ_FOLLOWERS,
    "follows": Capability.READ_FOLLOWS,
    "likes": Capability.READ_LIKES,
}
TARIFF = Tariff(
    "USD", "a test", date(2026, 11, 22),
    {name: CallCost(name, "item", CENT, 300, 15, 100, serves=serves) for name, serves in _SERVED.items()},
)  # fmt: skip


@dataclass
class PricedShown(Shown):
    """Like Shown, with the counts that a profile tells; `counts` None: as many as the lists are long."""

    counts: Counts | None = None


class PricedPlatform(RecordingPlatform):
    capabilities = READS - {Capability.CHECK_LOGIN}
    shown: PricedShown = PricedShown()

    _timeline_here = False

    def _answer(self, name: str) -> Any:
        if name in ("posts", "shares", "conversations"):
            return self._of_timeline(name)
        self.meter.before(name, 100 if name not in ("profile", "presence") else 1)
        answer = super()._answer(name)
        self.meter.after(name, len(answer) if isinstance(answer, list) else 1)
        return answer

    def _of_timeline(self, name: str) -> Any:
        """Posts, shares and conversations are one list, which is paid for once a job, whichever is asked for first."""
        items = len(self.shown.posts) + len(self.shown.shares)
        if not self._timeline_here:
            self.meter.before("posts", 100)
        answer = super()._answer(name)
        if not self._timeline_here:
            self.meter.after("posts", items)
        self._timeline_here = True
        return answer

    def profile(self) -> Profile:
        told = self.shown.counts or Counts(
            len(self.shown.followers),
            len(self.shown.follows),
            len(self.shown.likes),
            len(self.shown.posts) + len(self.shown.shares),
        )
        return replace(self._answer("profile"), counts=told)


def priced_home(home: Home, monkeypatch: Any, budget: int | None) -> tuple[Home, PricedShown]:
    """`home` with Instagram read through the fake, with `budget` cents a month, and what it shows."""
    shown = PricedShown()
    monkeypatch.setattr(PricedPlatform, "shown", shown)
    monkeypatch.setitem(platforms.ADAPTERS, "priced", (__name__, "PricedPlatform"))
    return with_budget(home, budget), shown


def with_budget(home: Home, budget: int | None) -> Home:
    info = replace(
        home.settings.platforms["instagram"],
        adapter="priced",
        tariff=TARIFF,
        monthly_budget=None if budget is None else budget * CENT,
    )
    return replace(home, settings=replace(home.settings, platforms={**home.settings.platforms, "instagram": info}))
