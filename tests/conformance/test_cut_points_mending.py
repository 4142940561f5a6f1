"""A dead line at every request of putting right by machine: the picture, the privacy, likes, follows and reposts.

Whatever is cut: no rule is called in order that is not, the log says nothing was done that was not, and pressing the
button again puts it right.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from closing_school import events
from faulty import Cut, Cutting, at_every_request
from PIL import Image, ImageDraw
from school_there import There
from world import EVERY_CUT, World, photo

from socialgov.actions.findings import evaluate_account
from socialgov.actions.observing import CHECKER, keep_reading
from socialgov.actions.putting_right import WAYS, Mend, make_private, mends_of, set_picture, take_back
from socialgov.actions.reading import Reading, try_read
from socialgov.errors import SocialgovError
from socialgov.models import Capability
from socialgov.store.connect import write
from socialgov.store.events import EventTag
from socialgov.store.findings import findings_of

_colours = count(1)


@dataclass(frozen=True, slots=True)
class Wrong:
    """`make` makes it so on the platform itself; what it returns tells `right` how it was. `tag` is logged for each."""

    make: Callable[[World], Any]
    right: Callable[[World, Any], bool]
    press: Callable[..., Any]
    tag: EventTag


def _another_picture(world: World) -> bytes:
    shown = photo(f"hsl({next(_colours) * 47 % 360}, 70%, 40%)")
    world.adapter(Capability.SET_PICTURE).set_picture(shown.content, shown.mime)
    return world.face()


def _taking_back(mend: Mend, make: Callable[[World], str], left: Callable[[World], list[str]], many: int = 1) -> Wrong:
    def press(*who: Any, **when: Any) -> None:
        take_back(*who, mend, **when)

    return Wrong(
        lambda world: [make(world) for _ in range(many)],
        lambda world, made: not left(world),
        press,
        EventTag.INTERACTION_UNDONE,
    )


WRONGS: dict[Mend, Wrong] = {
    Mend.PICTURE: Wrong(_another_picture, lambda world, face: world.face() != face, set_picture, EventTag.PICTURE_SET),
    Mend.PRIVATE: Wrong(
        lambda world: world.make_public(), lambda world, made: world.is_private(), make_private, EventTag.PRIVATE_SET
    ),
    Mend.LIKES: _taking_back(Mend.LIKES, lambda world: world.like(), lambda world: world.liked(), many=2),
    Mend.FOLLOWS: _taking_back(Mend.FOLLOWS, lambda world: world.follow(), lambda world: world.follows()),
    Mend.SHARES: _taking_back(Mend.SHARES, lambda world: world.share(), lambda world: world.shared()),
}


def logo() -> bytes:
    """No other picture here is like it."""
    image, out = Image.new("RGB", (64, 64), "white"), BytesIO()
    ImageDraw.Draw(image).polygon([(0, 0), (64, 0), (0, 64)], fill="navy")
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("mend", list(Mend), ids=lambda mend: mend.value)
def test_putting_right_that_is_cut_off_anywhere_is_seen_before_it_is_said(there: There, mend: Mend) -> None:
    if mend not in mends_of(there.home, there.account):
        pytest.skip(f"{there.world.info.name} lets no machine do this")
    (there.home.path / "logo.png").write_bytes(logo())
    moments = count(1)

    def run(number: int, cut: Cut) -> Cutting:
        there.whole()
        return PuttingRight(there, mend, next(moments)).cut_off(number, cut)

    if there.world.sparing:
        at_every_request(run, (), step=7)
    else:
        at_every_request(run, Cut if EVERY_CUT else [Cut.BEFORE])


class PuttingRight:
    """One press that is cut off, and one over a network that works."""

    def __init__(self, there: There, mend: Mend, turn: int) -> None:
        self.there, self.world, self.mend, self.wrong = there, there.world, mend, WRONGS[mend]
        self.now = there.world.now + turn * timedelta(minutes=2)
        self.made = self.wrong.make(self.world)

    def cut_off(self, number: int, cut: Cut) -> Cutting:
        where, before = f"{self.mend}, request {number} {cut.value}", len(self.said)
        self.look()
        assert self.answer is False, f"{where}: nothing is wrong yet"
        network = Cutting(self.world.network(), number, cut)
        self.there.through(network)
        try:
            self.press()
        except SocialgovError as error:
            assert network.happened, f"{where}: {error}"
        self.there.whole()
        assert self.is_right or self.answer is not True, f"{where}: it is called in order, and it is not"
        self.what_is_said_was_done(where, before)
        self.press()
        assert self.is_right and self.answer is True, f"{where}: pressed again, and it is not right"
        return network

    def look(self) -> None:
        """At this one thing, as a check does whose turn it is."""
        reading, home, account = Reading(), self.there.home, self.there.fresh()
        seen_by = WAYS[self.mend].seen_by
        try_read(self.world.adapter(seen_by), seen_by, reading)
        with write(home.db) as db:
            keep_reading(home, db, account, reading, self.now)
            evaluate_account(home, account.id, now=self.now, actor=CHECKER)

    def press(self) -> None:
        self.wrong.press(self.there.home, self.there.owner, self.there.account.id, now=self.now)

    @property
    def is_right(self) -> bool:
        return self.wrong.right(self.world, self.made)

    @property
    def answer(self) -> bool | None:
        found = findings_of(self.there.home.db, self.there.account.id)
        return {one.rule_id: one.answer for one in found}[WAYS[self.mend].rule_id]

    @property
    def said(self) -> list[dict[str, Any]]:
        return events(self.there.home, self.wrong.tag, self.there.account.id)

    def what_is_said_was_done(self, where: str, before: int) -> None:
        new = self.said[before:]
        if isinstance(self.made, list):
            undone = [json.loads(event["data"])["remote_id"] for event in new]
            left = {Mend.LIKES: self.world.liked, Mend.FOLLOWS: self.world.follows, Mend.SHARES: self.world.shared}
            assert not set(undone) & set(left[self.mend]()), f"{where}: the log says undone, and it is there"
        else:
            assert not new or self.is_right, f"{where}: the log says done, and it is not"
