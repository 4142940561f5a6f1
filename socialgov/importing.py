"""The four files a school imports, row by row, into checked values. Pure: what only the store knows is asked later.

People (pupils, staff), carers with their relation to pupils, permissions, and the accounts that already exist (ACC108).
A permission file may have one row for each use, or one row for each person with a yes/no column for each use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from socialgov.csvfiles import Problem, Row, Table, parse_day, read_table
from socialgov.import_columns import ACCOUNT_KINDS, ANSWERS, COLUMNS, PERSON_KINDS, USES, ImportKind
from socialgov.models import AccountKind, Answer, PersonKind, Use

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class PersonRow:
    number: int
    kind: PersonKind
    ref: str
    first_name: str
    last_name: str
    email: str | None
    born_on: date | None
    year_group: str | None
    form: str | None


@dataclass(frozen=True, slots=True)
class CarerRow:
    number: int
    ref: str
    first_name: str
    last_name: str
    email: str | None
    pupil_ref: str
    relation: str


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """`given_by_ref` empty: the file does not say who answered; equal to `person_ref`: the person themself."""

    number: int
    person_kind: PersonKind
    person_ref: str
    use: Use
    answer: Answer
    given_by_ref: str
    given_on: date | None
    valid_until_on: date | None
    basis: str
    account: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    number: int
    platform: str
    handle: str
    kind: AccountKind
    purpose: str
    audience: str
    owner_email: str
    deputy_email: str
    starts_on: date | None
    ends_on: date | None
    review_on: date | None


ImportRow = PersonRow | CarerRow | PermissionRow | AccountRow


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's rows and problems, before the store was asked anything."""

    kind: ImportKind
    rows: tuple[ImportRow, ...]
    problems: tuple[Problem, ...]
    ignored: tuple[str, ...]
    present: frozenset[str]  # the columns that the file has: what it does not have stays as it is on record
    encoding: str


_EMAIL_SHAPE = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+")
_SELF = frozenset({"self", "pupil", "themself", "themselves", "the pupil", "student", "own"})


class _Cells:
    """Typed reading of one row; what cannot be read becomes a problem and None."""

    def __init__(self, row: Row, kind: ImportKind, problems: list[Problem]) -> None:
        self._row = row
        self._titles = {column.name: column.title for column in COLUMNS[kind]}
        self._problems = problems

    def problem(self, name: str, message: str) -> None:
        self._problems.append(Problem(self._row.number, self._titles.get(name, ""), message))

    def text(self, name: str) -> str:
        return self._row.cells.get(name, "")

    def or_none(self, name: str) -> str | None:
        return self.text(name) or None

    def day(self, name: str) -> date | None:
        text = self.text(name)
        if not text:
            return None
        day = parse_day(text)
        if day is None:
            self.problem(name, f"“{text[:40]}” is not a date. Write it as day/month/year, for example 31/12/2026.")
        return day

    def email(self, name: str) -> str | None:
        text = self.text(name)
        if text and not _EMAIL_SHAPE.fullmatch(text):
            self.problem(name, f"“{text[:80]}” is not an e-mail address.")
        return text.lower() or None

    def choice(self, name: str, choices: Mapping[E, Sequence[str]], default: E | None = None) -> E | None:
        text = self.text(name).casefold()
        if not text and default is not None:
            return default
        for value, names in choices.items():
            if text in names:
                return value
        allowed = ", ".join(names[0] for names in choices.values())
        said = f"“{text[:40]}” is not one of" if text else "This is empty. Write one of"
        self.problem(name, f"{said}: {allowed}.")
        return None


def parse_import(kind: ImportKind, content: bytes) -> Parsed:
    """Read and check a file as far as it can be checked by itself. Never raises."""
    table = read_table(content, COLUMNS[kind])
    problems = list(table.problems)
    if kind is ImportKind.PERMISSIONS:
        problems += _permission_columns(table)
    reader: Callable[[_Cells, Row, Table], list[ImportRow]] = _READERS[kind]
    rows: list[ImportRow] = []
    for row in table.rows:
        before = len(problems)
        read = reader(_Cells(row, kind, problems), row, table)
        if len(problems) == before:
            rows += read
    rows, repeated = _without_repeats(rows)
    problems = sorted([*problems, *repeated])
    return Parsed(kind, tuple(rows), tuple(problems), table.ignored, table.present, table.encoding)


def _person(cells: _Cells, row: Row, table: Table) -> list[ImportRow]:
    kind = cells.choice("kind", PERSON_KINDS, PersonKind.PUPIL)
    born_on = cells.day("born_on")
    email = cells.email("email")
    if kind is PersonKind.CARER:
        cells.problem("kind", "Parents and carers come in the carers file, with the pupil they belong to.")
    return [
        PersonRow(
            row.number,
            kind or PersonKind.PUPIL,
            cells.text("ref"),
            cells.text("first_name"),
            cells.text("last_name"),
            email,
            born_on,
            cells.or_none("year_group"),
            cells.or_none("form"),
        )
    ]


def _carer(cells: _Cells, row: Row, table: Table) -> list[ImportRow]:
    return [
        CarerRow(
            row.number,
            cells.text("ref"),
            cells.text("first_name"),
            cells.text("last_name"),
            cells.email("email"),
            cells.text("pupil_ref"),
            cells.text("relation") or "carer",
        )
    ]


def _permission_columns(table: Table) -> list[Problem]:
    """A permission file has `Use` and `Answer`, or a column for each use, and not both."""
    if not table.present:
        return []
    wide = any(name.startswith("use_") for name in table.present)
    if "use" in table.present and "answer" in table.present and not wide:
        return []
    if wide and "use" not in table.present:
        return []
    return [
        Problem(
            0,
            "",
            "The file needs the columns “Use” and “Answer”, or a column for each use such as “Photo permission”"
            " with yes or no in it, and not both.",
        )
    ]


def _permission(cells: _Cells, row: Row, table: Table) -> list[ImportRow]:
    kind = cells.choice("person_kind", PERSON_KINDS, PersonKind.PUPIL) or PersonKind.PUPIL
    given_on, until = cells.day("given_on"), cells.day("valid_until_on")
    if given_on and until and until < given_on:
        cells.problem("valid_until_on", "This is before the day on which it was given.")
    person_ref, given_by = cells.text("person_ref"), cells.text("given_by")
    if given_by.casefold() in _SELF or (not given_by and kind is not PersonKind.PUPIL):
        given_by = person_ref
    answers: list[tuple[Use, Answer]] = []
    if "use" in table.present:
        use, answer = cells.choice("use", USES), cells.choice("answer", ANSWERS)
        if use and answer:
            answers.append((use, answer))
    else:
        for use in Use:
            name = f"use_{use.value}"
            if cells.text(name) and (answer := cells.choice(name, ANSWERS)):
                answers.append((use, answer))
    return [
        PermissionRow(
            row.number,
            kind,
            person_ref,
            use,
            answer,
            given_by,
            given_on,
            until,
            cells.text("basis") or "consent",
            cells.text("account"),
        )
        for use, answer in answers
    ]


def _account(cells: _Cells, row: Row, table: Table) -> list[ImportRow]:
    kind = cells.choice("kind", ACCOUNT_KINDS, AccountKind.STANDING) or AccountKind.STANDING
    ends_on, review_on = cells.day("ends_on"), cells.day("review_on")
    if kind is AccountKind.TRIP and ends_on is None:
        cells.problem("ends_on", "A trip account needs the day on which it ends.")
    if kind is not AccountKind.TRIP and review_on is None:
        cells.problem("review_on", "A standing account needs the day of its next review.")
    return [
        AccountRow(
            row.number,
            cells.text("platform"),
            cells.text("handle").lstrip("@"),
            kind,
            cells.text("purpose"),
            cells.text("audience"),
            cells.email("owner") or "",
            cells.email("deputy") or "",
            cells.day("starts_on"),
            ends_on,
            review_on,
        )
    ]


_READERS: Mapping[ImportKind, Callable[[_Cells, Row, Table], list[ImportRow]]] = {
    ImportKind.PEOPLE: _person,
    ImportKind.CARERS: _carer,
    ImportKind.PERMISSIONS: _permission,
    ImportKind.ACCOUNTS: _account,
}


def _without_repeats(rows: list[ImportRow]) -> tuple[list[ImportRow], list[Problem]]:
    """Rows that say the same twice are read once; rows that contradict each other are problems."""
    seen: dict[object, ImportRow] = {}
    kept: list[ImportRow] = []
    problems: list[Problem] = []
    names: dict[str, CarerRow] = {}
    for row in rows:
        if isinstance(row, CarerRow):
            first = names.setdefault(row.ref, row)
            if (first.first_name, first.last_name, first.email) != (row.first_name, row.last_name, row.email):
                problems.append(
                    Problem(
                        row.number, "Carer reference", f"Row {first.number} gives {row.ref} another name or e-mail."
                    )
                )
                continue
        old = seen.setdefault(_key(row), row)
        if old is row:
            kept.append(row)
        elif _content(old) != _content(row):
            problems.append(Problem(row.number, "", f"This contradicts row {old.number}, which is about the same."))
    return kept, problems


def _key(row: ImportRow) -> object:
    match row:
        case PersonRow():
            return row.kind, row.ref
        case CarerRow():
            return row.ref, row.pupil_ref
        case PermissionRow():
            # the same question answered on another day, or by somebody else, is another answer
            return row.person_kind, row.person_ref, row.use, row.account.casefold(), row.given_by_ref, row.given_on
        case AccountRow():
            return row.platform.casefold(), row.handle.casefold()


def _content(row: ImportRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in row.__slots__ if name != "number")
