"""Who works at the school, who is known to it, and what was permitted for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from socialgov.models.words import Answer, PersonKind, Role, Use


@dataclass(frozen=True, slots=True)
class Staff:
    id: int
    name: str
    email: str
    roles: frozenset[Role]
    left_at: datetime | None = None

    @property
    def current(self) -> bool:
        return self.left_at is None

    def has(self, *roles: Role) -> bool:
        return self.current and bool(self.roles.intersection(roles))


@dataclass(frozen=True, slots=True)
class Person:
    """A pupil, carer or member of staff as the school's information system knows them. `ref` is its id there."""

    id: int
    kind: PersonKind
    ref: str
    first_name: str
    last_name: str
    email: str | None
    born_on: date | None
    year_group: str | None
    form: str | None
    left_on: date | None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Grant:
    """One recorded answer about one person: who said what, for which use and channel, for which days (MED501-MED504).

    `account_id` None means every account of the school. `given_by` is the person who answered: a carer, or the
    person themself. `basis` is the lawful basis recorded beside it (DAT005).
    """

    id: int
    person_id: int
    use: Use
    account_id: int | None
    answer: Answer
    given_by: int | None
    given_on: date
    valid_until_on: date | None
    basis: str
    recorded_at: datetime
