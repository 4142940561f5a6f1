"""The permissions file against the store: whom each row is about, who answered, and whether that is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov.actions.grants import note_take_downs
from socialgov.csvfiles import Problem
from socialgov.importing import ImportRow, PermissionRow
from socialgov.models import PersonKind
from socialgov.store import people as store
from socialgov.store.events import actor_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Person, Staff


@dataclass(frozen=True, slots=True)
class _Resolved:
    """A permission row with what the store knows: ids, and the newest answer of the same giver to the same question."""

    row: PermissionRow
    person_id: int
    account_id: int | None
    given_by: int | None
    unchanged: bool


def permission_changes(db: Database, rows: Iterable[ImportRow]) -> tuple[dict[str, int], list[Problem]]:
    """How many answers are new, and what the store says is wrong with the rows."""
    resolved, problems = _resolve(db, rows)
    unchanged = sum(one.unchanged for one in resolved)
    return {"new": len(resolved) - unchanged, "unchanged": unchanged}, problems


def record_permissions(home: Home, db: Database, actor: Staff | None, rows: Iterable[ImportRow], now: datetime) -> None:
    """Put every new answer on record, and ask to take down what is no longer covered. Call inside `write()`."""
    resolved, _ = _resolve(db, rows)
    changed = [one for one in resolved if not one.unchanged]
    for one in changed:
        store.insert_grant(
            db,
            {
                "person_id": one.person_id,
                "use": one.row.use,
                "account_id": one.account_id,
                "answer": one.row.answer,
                "given_by": one.given_by,
                "given_on": one.row.given_on or home.today(now),
                "valid_until_on": one.row.valid_until_on,
                "basis": one.row.basis,
                "recorded_at": now,
                "recorded_by": actor.id if actor else None,
            },
        )
    note_take_downs(home, db, {one.person_id for one in changed}, now, actor_of(actor.id) if actor else "cli")


def _resolve(db: Database, rows: Iterable[ImportRow]) -> tuple[list[_Resolved], list[Problem]]:
    known, links = store.people_by_ref(db), store.carer_links(db)
    newest, accounts = store.newest_grants(db), store.accounts_by_handle(db)
    resolved: list[_Resolved] = []
    problems: list[Problem] = []
    for row in rows:
        if not isinstance(row, PermissionRow):
            continue
        person = known.get((row.person_kind, row.person_ref))
        account_id = accounts.get(row.account.lstrip("@").casefold())
        if person is None:
            what = f"No {row.person_kind.value} has the reference {row.person_ref}. Import people first."
            problems.append(Problem(row.number, "Person reference", what))
        elif row.account and account_id is None:
            what = f"No account here is called {row.account}. Leave it empty for every account."
            problems.append(Problem(row.number, "Account", what))
        elif isinstance(giver := _giver(row, person, known, links), str):
            problems.append(Problem(row.number, "Given by", giver))
        else:
            old = newest.get((person.id, row.use.value, account_id, giver))
            same = (
                old is not None
                and (row.answer, row.valid_until_on, row.basis) == (old.answer, old.valid_until_on, old.basis)
                and row.given_on in (None, old.given_on)
            )
            resolved.append(_Resolved(row, person.id, account_id, giver, same))
    return resolved, problems


def _giver(
    row: PermissionRow,
    person: Person,
    known: Mapping[tuple[PersonKind, str], Person],
    links: Mapping[tuple[int, int], str],
) -> int | str | None:
    """Who answered: an id, None where the file does not say, or what is wrong in a sentence."""
    if not row.given_by_ref:
        return None
    if row.given_by_ref == row.person_ref:
        return person.id
    carer = known.get((PersonKind.CARER, row.given_by_ref))
    if carer is None:
        return f"No carer has the reference {row.given_by_ref}. Import carers first."
    if (carer.id, person.id) not in links:
        return f"{row.given_by_ref} is not on record as a parent or carer of {row.person_ref}."
    return carer.id
