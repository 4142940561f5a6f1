"""The stage of the demonstration's stories: who plays, and what moment it is.

A story is a generator. It yields the day and hour at which it goes on, counted from today, and between two yields it
calls the product's own actions with `stage.now`. All stories are told together, in the order of their moments, so the
log of the school reads as it would have been written.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.demo import people
from socialgov.home import Home
from socialgov.models import Person, PersonKind, Staff
from socialgov.sandbox.network import Member, Network
from socialgov.store.people import people_by_ref

if TYPE_CHECKING:
    from socialgov.demo.clock import NetworkClock
    from socialgov.demo.pocket import Pocket

Moment = tuple[float, float]  # days from today, hour of that day in the school's zone
Story = Iterator[Moment]
FIRST_TEACHER = 5  # in front of the teachers stand those with other roles


@dataclass
class Stage:
    """The school while its story is told."""

    home: Home
    people: people.InventedSchool
    staff: Sequence[Staff]
    network: Network
    clock: NetworkClock
    pocket: Pocket  # the network manager's passphrase and phone
    today: datetime
    now: datetime = field(init=False)
    known: dict[tuple[PersonKind, str], Person] = field(default_factory=dict, repr=False)
    members: dict[str, Member] = field(default_factory=dict)  # carers on the simulated network, by reference
    secrets: dict[str, str] = field(default_factory=dict, repr=False)  # what the owners know, by handle

    def __post_init__(self) -> None:
        self.now = self.today

    @property
    def manager(self) -> Staff:
        return self.staff[0]

    @property
    def head(self) -> Staff:
        return self.staff[1]

    @property
    def lead(self) -> Staff:
        return self.staff[2]

    @property
    def data_manager(self) -> Staff:
        return self.staff[3]

    def teacher(self, number: int) -> Staff:
        return self.staff[FIRST_TEACHER + number]

    def day(self, days: int) -> date:
        """The school's own day, counted from today."""
        return self.home.today(self.today) + timedelta(days=days)

    def moment(self, when: Moment) -> datetime:
        """A little jitter apart, so that no two accounts were asked for at nine o'clock sharp; never in the future."""
        days, hour = when
        local = self.today.astimezone(self.home.settings.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        wanted = local + timedelta(days=days, hours=hour, seconds=secrets.randbelow(1200))
        return min(wanted.astimezone(self.today.tzinfo), self.today)

    def turn_to(self, moment: datetime) -> None:
        self.now = self.clock.told = max(moment, self.now) if self.clock.told else moment

    def person(self, kind: PersonKind, ref: str) -> Person:
        if not self.known:
            self.known = people_by_ref(self.home.db)
        return self.known[kind, ref]


def tell(stage: Stage, stories: Iterable[Story]) -> None:
    """Go on with whichever story's moment is next, until all are told."""
    queue: list[tuple[datetime, int, Story]] = []
    for order, story in enumerate(stories):
        heapq.heappush(queue, (stage.moment(next(story)), order, story))
    while queue:
        moment, order, story = heapq.heappop(queue)
        stage.turn_to(moment)
        when = next(story, None)
        if when is not None:
            heapq.heappush(queue, (max(stage.moment(when), moment), order, story))
