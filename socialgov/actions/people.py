"""Import people, carers, permissions and existing accounts: first a plan that changes nothing, then all or nothing.

A plan tells each bad row by its number; a plan with problems cannot be applied. Applying looks at the store again
inside its one transaction, so that applying twice, or after somebody else, changes only what still differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from socialgov.actions.imported_accounts import account_changes, bring_in_accounts
from socialgov.actions.imported_permissions import permission_changes, record_permissions
from socialgov.csvfiles import Problem
from socialgov.errors import InvalidInput
from socialgov.import_columns import ImportKind
from socialgov.importing import CarerRow, ImportRow, PersonRow, parse_import
from socialgov.models import Person, PersonKind
from socialgov.names import fold
from socialgov.permissions import check_can_import, check_can_view_people
from socialgov.store import people as store
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Staff

_FIELDS = frozenset({"first_name", "last_name", "email", "born_on", "year_group", "form"})
MANY_LEAVING = 0.2  # a full list that would lose a larger share is more often a partial list


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a file would do. `summary` counts by word (`new`, `changed`, `unchanged`, `leaving`, …).

    `problems` name row, column and sentence; with any of them nothing can be applied. `warnings` are for a person to
    weigh. `full`: the file is the whole list, so whoever it does not name has left. A column that is not `present` in
    the file leaves what is on record alone.
    """

    kind: ImportKind
    rows: tuple[ImportRow, ...]
    problems: tuple[Problem, ...]
    summary: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    present: frozenset[str] = frozenset()
    full: bool = True

    @property
    def changes(self) -> int:
        return sum(count for word, count in self.summary.items() if word != "unchanged")


@dataclass(frozen=True, slots=True)
class PersonView:
    """What the page of one person shows: their carers or the pupils they care for, and the accounts they belong to."""

    person: Person
    carers: tuple[store.Related, ...]
    pupils: tuple[store.Related, ...]


def plan_import(home: Home, kind: str, content: bytes, *, full: bool = True, now: datetime | None = None) -> ImportPlan:
    """Read a file of this kind and say what it would change. Writes nothing. Never raises for a bad file.

    `full` False: additions and changes only, nobody is marked as left. `now` is the school's own when not given.
    """
    parsed = parse_import(ImportKind(kind), content)
    plan = ImportPlan(
        parsed.kind, parsed.rows, parsed.problems, {}, ignored=parsed.ignored, present=parsed.present, full=full
    )
    plan = _PLANNERS[plan.kind](home, plan, now or home.now())
    return replace(plan, problems=tuple(sorted(set(plan.problems))))


def apply_import(home: Home, actor: Staff | None, plan: ImportPlan, *, now: datetime) -> Mapping[str, int]:
    """Do what the plan says, or nothing. Returns what was done, counted by word.

    `actor` None is the command line, whose user holds the files anyway. Raises InvalidInput when the plan has problems
    or has got some since it was made.
    """
    if actor is not None:
        check_can_import(actor)
    with write(home.db) as db:
        fresh = replace(_PLANNERS[plan.kind](home, replace(plan, warnings=()), now), rows=plan.rows)
        if fresh.problems:
            first = fresh.problems[0]
            raise InvalidInput(
                f"The file has {len(fresh.problems)} problems, so nothing was imported.",
                {"file": f"Row {first.row}: {first.message}" if first.row else first.message},
                "Correct the rows that the report names, and import the whole file again.",
            )
        _APPLIERS[plan.kind](home, db, actor, fresh, now)
        if fresh.changes:
            record_event(
                db,
                EventTag.IMPORT_APPLIED,
                actor=actor_of(actor.id) if actor else "cli",
                now=now,
                subject="school",
                data={"kind": plan.kind.value, "full": plan.full, **fresh.summary},
            )
    return fresh.summary


def search_people(home: Home, query: str, kind: PersonKind | None = None, limit: int = 50) -> list[Person]:
    """Current people whose name or reference has every word of `query`, whatever its accents and capitals."""
    wanted = fold(query).split()
    found = []
    for person in store.current_people(home.db, kind):
        text = f"{fold(person.name)} {person.ref.casefold()} {(person.form or '').casefold()}"
        if all(part in text for part in wanted):
            found.append(person)
            if len(found) == limit:
                break
    return found


def view_person(home: Home, actor: Staff, person_id: int, *, now: datetime) -> PersonView:
    """One person's record for a page. Looking is logged (OVS806)."""
    check_can_view_people(actor)
    person = store.person_by_id(home.db, person_id)
    with write(home.db) as db:
        record_event(
            db, EventTag.PERSON_SEEN, actor=actor_of(actor.id), now=now, subject="person", subject_id=person_id
        )
    return PersonView(
        person,
        tuple(store.carers_of(home.db, [person_id])),
        tuple(store.pupils_cared_for(home.db, person_id)),
    )


# ---------------------------------------------------------------------------------------------------- people


def _plan_people(home: Home, plan: ImportPlan, now: datetime) -> ImportPlan:
    rows = [row for row in plan.rows if isinstance(row, PersonRow)]
    known = store.people_by_ref(home.db)
    counts = _count(_same_person(row, known.get((row.kind, row.ref)), plan.present) for row in rows)
    leaving = _leaving_people(rows, known) if plan.full else []
    counts["leaving"] = len(leaving)
    return _with(plan, counts, _many_leave(leaving, known))


def _same_person(row: PersonRow, old: Person | None, present: frozenset[str]) -> bool | None:
    """None: new. True: nothing differs."""
    if old is None:
        return None
    return old.left_on is None and all(getattr(row, name) == getattr(old, name) for name in _FIELDS & present)


def _leaving_people(rows: Iterable[PersonRow], known: Mapping[tuple[PersonKind, str], Person]) -> list[Person]:
    """Whoever is of a kind that the file lists, and is not in it."""
    rows = list(rows)
    kinds, listed = {row.kind for row in rows}, {(row.kind, row.ref) for row in rows}
    return [one for key, one in known.items() if one.left_on is None and one.kind in kinds and key not in listed]


def _many_leave(leaving: list[Person], known: Mapping[tuple[PersonKind, str], Person]) -> tuple[str, ...]:
    kinds = {one.kind for one in leaving}
    there = sum(1 for one in known.values() if one.left_on is None and one.kind in kinds)
    if len(leaving) <= MANY_LEAVING * there:
        return ()
    return (
        f"{len(leaving)} of {there} people on record are not in this file and would be marked as left."
        " Is it really the full list?",
    )


def _apply_people(home: Home, db: Database, actor: Staff | None, plan: ImportPlan, now: datetime) -> None:
    known = store.people_by_ref(db)
    rows = [row for row in plan.rows if isinstance(row, PersonRow)]
    for row in rows:
        old = known.get((row.kind, row.ref))
        if not _same_person(row, old, plan.present):
            store.save_person(db, _person_values(row, old, plan.present))
    if plan.full:
        _mark_left(home, db, [one.id for one in _leaving_people(rows, known)], now)


def _person_values(row: PersonRow, old: Person | None, present: frozenset[str]) -> dict[str, object]:
    kept = {name: getattr(old, name) for name in _FIELDS - present} if old else {}
    return {**{name: getattr(row, name) for name in row.__slots__ if name != "number"}, **kept}


def _mark_left(home: Home, db: Database, person_ids: list[int], now: datetime) -> None:
    if person_ids:
        store.mark_left(db, person_ids, home.today(now), now)
    store.end_carers_without_pupils(db, now)


# ---------------------------------------------------------------------------------------------------- carers


def _plan_carers(home: Home, plan: ImportPlan, now: datetime) -> ImportPlan:
    rows = [row for row in plan.rows if isinstance(row, CarerRow)]
    known, links = store.people_by_ref(home.db), store.carer_links(home.db)
    problems = list(plan.problems)
    for row in rows:
        pupil = known.get((PersonKind.PUPIL, row.pupil_ref))
        if pupil is None or pupil.left_on is not None:
            problems.append(
                Problem(
                    row.number, "Pupil reference", f"No pupil has the reference {row.pupil_ref}. Import people first."
                )
            )

    def same(row: CarerRow) -> bool | None:
        old, pupil = known.get((PersonKind.CARER, row.ref)), known.get((PersonKind.PUPIL, row.pupil_ref))
        if old is None or pupil is None or (old.id, pupil.id) not in links:
            return None
        return _same_carer(row, old, plan.present) and links[(old.id, pupil.id)] == row.relation

    counts = _count(map(same, rows))
    leaving = _leaving_carers(rows, known) if plan.full else []
    counts["leaving"] = len(leaving)
    counts["links_ended"] = len(_ended_links(rows, known, links)) if plan.full else 0
    return replace(_with(plan, counts, _many_leave(leaving, known)), problems=tuple(problems))


def _same_carer(row: CarerRow, old: Person, present: frozenset[str]) -> bool:
    fields = {"first_name", "last_name", "email"} & present
    return old.left_on is None and all(getattr(row, name) == getattr(old, name) for name in fields)


def _leaving_carers(rows: list[CarerRow], known: Mapping[tuple[PersonKind, str], Person]) -> list[Person]:
    listed = {row.ref for row in rows}
    return [
        one
        for (kind, ref), one in known.items()
        if kind is PersonKind.CARER and one.left_on is None and ref not in listed
    ]


def _ended_links(
    rows: list[CarerRow],
    known: Mapping[tuple[PersonKind, str], Person],
    links: Mapping[tuple[int, int], str],
) -> list[tuple[int, int]]:
    """The pairs on record that the file does not name any more."""
    named = {
        (carer.id, pupil.id)
        for row in rows
        if (carer := known.get((PersonKind.CARER, row.ref))) and (pupil := known.get((PersonKind.PUPIL, row.pupil_ref)))
    }
    return [pair for pair in links if pair not in named]


def _apply_carers(home: Home, db: Database, actor: Staff | None, plan: ImportPlan, now: datetime) -> None:
    known, links = store.people_by_ref(db), store.carer_links(db)
    rows = [row for row in plan.rows if isinstance(row, CarerRow)]
    ended = _ended_links(rows, known, links) if plan.full else []
    ids: dict[str, int] = {}
    for row in rows:
        if row.ref not in ids:
            ids[row.ref] = _save_carer(db, row, known.get((PersonKind.CARER, row.ref)), plan.present)
        store.save_carer_link(db, ids[row.ref], known[(PersonKind.PUPIL, row.pupil_ref)].id, row.relation)
    store.end_carer_links(db, ended)
    leaving = [one.id for one in _leaving_carers(rows, known)] if plan.full else []
    _mark_left(home, db, leaving, now)
    store.add_new_carers(db, now)


def _save_carer(db: Database, row: CarerRow, old: Person | None, present: frozenset[str]) -> int:
    if old is not None and _same_carer(row, old, present):
        return old.id
    values = dict.fromkeys(_FIELDS) | {"kind": PersonKind.CARER, "ref": row.ref}
    values |= {"first_name": row.first_name, "last_name": row.last_name, "email": row.email}
    if old is not None and "email" not in present:
        values["email"] = old.email
    return store.save_person(db, values)


# ---------------------------------------------------------------------------------------------------- permissions


def _plan_permissions(home: Home, plan: ImportPlan, now: datetime) -> ImportPlan:
    counts, problems = permission_changes(home.db, plan.rows)
    return replace(_with(plan, counts, ()), problems=(*plan.problems, *problems))


def _apply_permissions(home: Home, db: Database, actor: Staff | None, plan: ImportPlan, now: datetime) -> None:
    record_permissions(home, db, actor, plan.rows, now)


# ---------------------------------------------------------------------------------------------------- accounts


def _plan_accounts(home: Home, plan: ImportPlan, now: datetime) -> ImportPlan:
    counts, problems = account_changes(home, plan.rows, now)
    return replace(_with(plan, counts, ()), problems=(*plan.problems, *problems))


def _apply_accounts(home: Home, db: Database, actor: Staff | None, plan: ImportPlan, now: datetime) -> None:
    bring_in_accounts(home, actor, plan.rows, now)


# ---------------------------------------------------------------------------------------------------- shared


def _count(same: Iterable[bool | None]) -> dict[str, int]:
    """New ones answer None, changed ones False, unchanged ones True."""
    answers = list(same)
    return {"new": answers.count(None), "changed": answers.count(False), "unchanged": answers.count(True)}


def _with(plan: ImportPlan, counts: Mapping[str, int], warnings: tuple[str, ...]) -> ImportPlan:
    return replace(plan, summary=dict(counts), warnings=(*plan.warnings, *warnings))


_PLANNERS: Mapping[ImportKind, Callable[[Home, ImportPlan, datetime], ImportPlan]] = {
    ImportKind.PEOPLE: _plan_people,
    ImportKind.CARERS: _plan_carers,
    ImportKind.PERMISSIONS: _plan_permissions,
    ImportKind.ACCOUNTS: _plan_accounts,
}
_APPLIERS: Mapping[ImportKind, Callable[[Home, Database, Staff | None, ImportPlan, datetime], None]] = {
    ImportKind.PEOPLE: _apply_people,
    ImportKind.CARERS: _apply_carers,
    ImportKind.PERMISSIONS: _apply_permissions,
    ImportKind.ACCOUNTS: _apply_accounts,
}
