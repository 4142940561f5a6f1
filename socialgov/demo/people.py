"""Invented people for the demonstration, as the CSV files that a school's information system would export.

Names are put together from two short lists of plants, tools and weather, so that nobody bears them; addresses end in
`.example`, which nobody can own. The same seed makes the same school each time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from random import Random

DOMAIN = "marrowdown.example"
PUPILS, CARERS, STAFF = 1200, 1900, 90
FORMS = "ABCDEFGH"
YEAR_GROUPS = tuple(range(7, 14))

# fmt: off
_FIRST = """
    Acorn Alder Anise Arrow Barley Bayleaf Beacon Birch Bracken Bramble Breeze Briar Burdock Campion Cedar Chervil
    Clover Comet Copper Cricket Damson Dapple Dewberry Ember Fennel Fern Feather Flint Gorse Harebell Hawthorn
    Hazel Heath Indigo Juniper Kestrel Larkspur Lichen Linnet Lovage Mallow Maple Marigold Meadow Merle Moss
    Nettle Oakley Orchard Pebble Pippin Plover Quill Quince Reed Rowan Rush Saffron Sedge Sorrel Sparrow Starling
    Tansy Teasel Thistle Thrift Umber Vetch Willow Wren Yarrow Zephyr"""
_LAST_START = """
    Anvil Apple Basket Bellows Bobbin Bonnet Bucket Button Candle Cobble Cornet Crumpet Dumpling Fiddle Gable Gimlet
    Hedge Kettle Ladder Lantern Mallet Marrow Muffin Noggin Paddle Parcel Pickle Puddle Ribbon Saddle Spindle Teacup
    Thimble Trellis Trundle Turnip Wicker Yonder"""
_LAST_END = "berry bright by cote fold garth latch mere nook sby stile wick worthy"
# fmt: on
_RELATIONS = ("mother", "father", "grandparent", "guardian")


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody invented. `ref` is the id that the information system knows them by."""

    ref: str
    first: str
    last: str
    email: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True)
class Pupil:
    """A pupil with their carers and what each of those answered about photos."""

    who: Named
    born_on: date
    year: int
    form: str
    carers: tuple[tuple[Named, str], ...]
    answers: tuple[tuple[Named, str, str], ...]  # who answered, for which use, what


@dataclass(frozen=True)
class InventedSchool:
    """All the people of the demonstration."""

    pupils: tuple[Pupil, ...]
    carers: tuple[Named, ...]
    staff: tuple[Named, ...]

    def form(self, year: int, letter: str) -> list[Pupil]:
        return [pupil for pupil in self.pupils if (pupil.year, pupil.form) == (year, f"{year}{letter}")]


def invent(today: date, seed: int = 7) -> InventedSchool:
    """1,200 pupils, their 1,900 carers and 90 staff, of the ages that the school year of `today` asks for."""
    return _Inventor(today, seed).school()


class _Inventor:
    def __init__(self, today: date, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311
        self.september = date(today.year if today.month >= 9 else today.year - 1, 9, 1)
        self.today = today
        self.names = self._names()

    def _names(self) -> Iterable[tuple[str, str]]:
        lasts = [start + end for start in _LAST_START.split() for end in _LAST_END.split() if start[-1] != end[0]]
        pairs = [(first, last) for first in _FIRST.split() for last in lasts]
        self.random.shuffle(pairs)
        return iter(pairs)

    def school(self) -> InventedSchool:
        staff = tuple(self._named("S", number) for number in range(1, STAFF + 1))
        carers: list[Named] = []
        pupils: list[Pupil] = []
        refs = count(1)
        while len(pupils) < PUPILS:
            family = self._family(len(pupils), len(carers), refs)
            carers += [carer for carer, _ in family]
            size = min(self.random.choices((1, 2, 3), (75, 20, 5))[0], PUPILS - len(pupils))
            pupils += [self._pupil(len(pupils) + place, family) for place in range(size)]
        return InventedSchool(tuple(pupils), tuple(carers), staff)

    def _family(self, pupils: int, carers: int, refs: Iterable[int]) -> list[tuple[Named, str]]:
        """The carers of one family: two in most, one or three in some, so that the sum comes out at CARERS."""
        wanted = pupils * CARERS / PUPILS
        size = 3 if carers < wanted - 6 else 1 if carers > wanted + 6 else self.random.choice((1, 2, 2, 2, 3))
        size = max(1, min(size, CARERS - carers))
        _, last = next(iter(self.names))
        relations = self.random.sample(_RELATIONS, size)
        return [(self._named("C", next(iter(refs)), last), relation) for relation in relations]

    def _named(self, letter: str, number: int, last: str | None = None) -> Named:
        first, own_last = next(iter(self.names))
        last = last or own_last
        ref = f"{letter}{number:04}"
        if letter == "S":
            return Named(ref, first, last, f"{first[0]}.{last}@{DOMAIN}".lower())
        return Named(ref, first, last, f"{first}.{last}.{number}@post.example".lower())

    def _pupil(self, place: int, family: Sequence[tuple[Named, str]]) -> Pupil:
        year = YEAR_GROUPS[place % len(YEAR_GROUPS)]
        letter = FORMS[(place // len(YEAR_GROUPS)) % len(FORMS)]
        born_on = self.september.replace(year=self.september.year - year - 5) + timedelta(
            days=self.random.randrange(365)
        )
        first, _ = next(iter(self.names))
        who = Named(f"P{place + 1:04}", first, family[0][0].last, "")
        return Pupil(who, born_on, year, f"{year}{letter}", tuple(family), tuple(self._answers(family)))

    def _answers(self, family: Sequence[tuple[Named, str]]) -> Iterable[tuple[Named, str, str]]:
        """What the carers answered: most grant photos, some refuse, a few have not answered, a few disagree."""
        first = family[0][0]
        chance = self.random.random()
        if chance < 0.08:
            return
        if chance < 0.14:
            yield first, "photo", "refused"
            return
        yield first, "photo", "granted"
        yield first, "name", self.random.choice(("granted", "refused"))
        if len(family) > 1 and chance > 0.97:
            yield family[1][0], "photo", "refused"


# ------------------------------------------------------------------------------------------------------ CSV


def people_csv(school: InventedSchool) -> bytes:
    rows: list[tuple[object, ...]] = [
        ("pupil", pupil.who.ref, pupil.who.first, pupil.who.last, "", pupil.born_on, pupil.year, pupil.form)
        for pupil in school.pupils
    ]
    rows += [("staff", who.ref, who.first, who.last, who.email, "", "", "") for who in school.staff]
    return _csv(("kind", "reference", "first name", "last name", "email", "date of birth", "year group", "form"), rows)


def carers_csv(school: InventedSchool) -> bytes:
    rows = [
        (carer.ref, carer.first, carer.last, carer.email, pupil.who.ref, relation)
        for pupil in school.pupils
        for carer, relation in pupil.carers
    ]
    return _csv(("carer reference", "first name", "last name", "email", "pupil reference", "relation"), rows)


def permissions_csv(school: InventedSchool, given_on: date) -> bytes:
    rows = [
        (pupil.who.ref, "pupil", carer.ref, use, answer, given_on, "consent")
        for pupil in school.pupils
        for carer, use, answer in pupil.answers
    ]
    return _csv(("person reference", "kind", "given by", "use", "answer", "given on", "basis"), rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
