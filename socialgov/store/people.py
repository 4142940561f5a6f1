"""Questions about people, their carers, what is permitted for them, and who belongs to an account's audience."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialgov.errors import NotFound
from socialgov.models import Grant, Person, PersonKind
from socialgov.store.connect import insert
from socialgov.store.rows import all_of, dicts, load, one_of, scalar, to_column

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Related:
    """One end of a care: the person at the other end, the pupil's id, and the relation (`mother`, `grandparent`, …)."""

    person: Person
    pupil_id: int
    relation: str


def person_by_id(db: Database, person_id: int) -> Person:
    """The person, current or left. Raises NotFound."""
    person = one_of(db, Person, "select * from person where id = ?", (person_id,))
    if person is None:
        raise NotFound("There is no such person.", "Search again: a new import may have changed the list.")
    return person


def people_by_ids(db: Database, person_ids: Collection[int]) -> list[Person]:
    """Those of `person_ids` that exist, by name."""
    return all_of(
        db,
        Person,
        "select p.* from person p where p.id in (select value from json_each(?))"
        " order by p.last_name, p.first_name, p.id",
        (json.dumps(list(person_ids)),),
    )


def people_by_ref(db: Database) -> dict[tuple[PersonKind, str], Person]:
    """Everybody, by kind and the information system's reference."""
    return {(person.kind, person.ref): person for person in all_of(db, Person, "select * from person")}


def current_people(db: Database, kind: PersonKind | None = None) -> list[Person]:
    """Everybody who has not left, of one kind or of all, by name."""
    return all_of(
        db,
        Person,
        "select p.* from person p where p.left_on is null and (?1 is null or p.kind = ?1)"
        " order by p.last_name, p.first_name, p.id",
        (kind,),
    )


def count_people(db: Database) -> dict[str, int]:
    """How many have not left, by kind."""
    return {
        row["kind"]: row["n"]
        for row in dicts(db, "select kind, count(*) as n from person where left_on is null group by kind")
    }


def pupil_groups(db: Database) -> list[tuple[str, str]]:
    """The (year group, form) pairs that current pupils are in; an empty text stands for none."""
    rows = dicts(
        db,
        "select distinct coalesce(year_group, '') as y, coalesce(form, '') as f from person"
        " where kind = 'pupil' and left_on is null order by length(y), y, f",
    )
    return [(row["y"], row["f"]) for row in rows]


def save_person(db: Database, values: Mapping[str, Any]) -> int:
    """Insert or update by (kind, ref); back from having left. Returns the id."""
    return int(
        scalar(
            db,
            "insert into person (kind, ref, first_name, last_name, email, born_on, year_group, form)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)"
            " on conflict (kind, ref) do update set first_name = excluded.first_name, last_name = excluded.last_name,"
            " email = excluded.email, born_on = excluded.born_on, year_group = excluded.year_group,"
            " form = excluded.form, left_on = null returning id",
            [
                values[name]
                for name in ("kind", "ref", "first_name", "last_name", "email", "born_on", "year_group", "form")
            ],
        )
    )


def mark_left(db: Database, person_ids: Collection[int], today: date, now: datetime) -> None:
    """These people have left the school, and with it every audience (AUD304)."""
    ids = json.dumps(list(person_ids))
    db.execute(
        "update person set left_on = ? where left_on is null and id in (select value from json_each(?))",
        (to_column(today), ids),
    )
    db.execute(
        "update audience_member set left_at = ?"
        " where left_at is null and person_id in (select value from json_each(?))",
        (to_column(now), ids),
    )


# ---------------------------------------------------------------------------------------------------- carers


def carer_links(db: Database) -> dict[tuple[int, int], str]:
    """Every (carer, pupil) pair with its relation."""
    return {
        (row["carer_id"], row["pupil_id"]): row["relation"]
        for row in dicts(db, "select carer_id, pupil_id, relation from carer")
    }


def save_carer_link(db: Database, carer_id: int, pupil_id: int, relation: str) -> None:
    db.execute(
        "insert into carer (carer_id, pupil_id, relation) values (?, ?, ?)"
        " on conflict do update set relation = excluded.relation",
        (carer_id, pupil_id, relation),
    )


def end_carer_links(db: Database, pairs: Iterable[tuple[int, int]]) -> None:
    """These people no longer care for these pupils, as the information system has it."""
    for carer_id, pupil_id in pairs:
        db.execute("delete from carer where carer_id = ? and pupil_id = ?", (carer_id, pupil_id))


def carers_of(db: Database, pupil_ids: Collection[int]) -> list[Related]:
    """The current carers of these pupils, one line for each pair, by name."""
    rows = dicts(
        db,
        "select p.*, c.pupil_id, c.relation from carer c join person p on p.id = c.carer_id"
        " where p.left_on is null and c.pupil_id in (select value from json_each(?))"
        " order by p.last_name, p.first_name, p.id",
        (json.dumps(list(pupil_ids)),),
    )
    return [Related(load(Person, row), row["pupil_id"], row["relation"]) for row in rows]


def pupils_cared_for(db: Database, carer_id: int) -> list[Related]:
    """The pupils one carer cares for, by name."""
    rows = dicts(
        db,
        "select p.*, c.pupil_id, c.relation from carer c join person p on p.id = c.pupil_id where c.carer_id = ?"
        " order by p.last_name, p.first_name, p.id",
        (carer_id,),
    )
    return [Related(load(Person, row), row["pupil_id"], row["relation"]) for row in rows]


# ---------------------------------------------------------------------------------------------------- grants


def grants_of(db: Database, person_ids: Collection[int]) -> dict[int, tuple[Grant, ...]]:
    """Everything on record about what is permitted for these people, oldest first; each id has its (empty) tuple."""
    found: dict[int, list[Grant]] = {person_id: [] for person_id in person_ids}
    for grant in all_of(
        db,
        Grant,
        "select * from grant_of where person_id in (select value from json_each(?)) order by given_on, id",
        (json.dumps(list(person_ids)),),
    ):
        found[grant.person_id].append(grant)
    return {person_id: tuple(grants) for person_id, grants in found.items()}


def grant_by_id(db: Database, grant_id: int) -> Grant:
    """One recorded answer. Raises NotFound."""
    grant = one_of(db, Grant, "select * from grant_of where id = ?", (grant_id,))
    if grant is None:
        raise NotFound("There is no such permission.", "Open the person's page again.")
    return grant


def newest_grants(db: Database) -> dict[tuple[int, str, int | None, int | None], Grant]:
    """The newest answer for each (person, use, account, who answered)."""
    newest: dict[tuple[int, str, int | None, int | None], Grant] = {}
    for grant in all_of(db, Grant, "select * from grant_of order by given_on, id"):
        newest[(grant.person_id, grant.use.value, grant.account_id, grant.given_by)] = grant
    return newest


def insert_grant(db: Database, values: Mapping[str, Any]) -> int:
    return insert(db, "grant_of", values)


def accounts_by_handle(db: Database) -> dict[str, int]:
    """Open accounts by `handle` and by `platform:handle`, in small letters; a handle that two have is left out."""
    found: dict[str, int] = {}
    twice: set[str] = set()
    for row in dicts(
        db,
        "select id, platform, lower(coalesce(handle, handle_wished)) as handle from account"
        " where state in ('requested', 'approved', 'live', 'suspended', 'closing')",
    ):
        if row["handle"] in found:
            twice.add(row["handle"])
        found[row["handle"]] = found[f"{row['platform']}:{row['handle']}"] = row["id"]
    return {name: account_id for name, account_id in found.items() if name not in twice}


# ---------------------------------------------------------------------------------------------------- audience


def audience_of(db: Database, account_id: int) -> list[Person]:
    """Who belongs to the account's audience now, by name. Pupils are in it too: whether they may follow is policy."""
    return all_of(
        db,
        Person,
        "select p.* from audience_member m join person p on p.id = m.person_id"
        " where m.account_id = ? and m.left_at is null and p.left_on is null"
        " order by p.last_name, p.first_name, p.id",
        (account_id,),
    )


def accounts_of_person(db: Database, person_id: int) -> list[dict[str, Any]]:
    """Open accounts whose audience this person belongs to: id and handle."""
    return list(
        dicts(
            db,
            "select a.id, coalesce(a.handle, a.handle_wished) as handle, a.platform from audience_member m"
            " join account a on a.id = m.account_id where m.person_id = ? and m.left_at is null"
            " and a.state in ('requested', 'approved', 'live', 'suspended', 'closing') order by 2",
            (person_id,),
        )
    )


def audience_size(db: Database, account_id: int) -> int:
    return int(
        scalar(
            db,
            "select count(*) from audience_member m join person p on p.id = m.person_id"
            " where m.account_id = ? and m.left_at is null and p.left_on is null",
            (account_id,),
        )
    )


def is_member(db: Database, account_id: int, person_id: int) -> bool:
    """Does this person belong to the audience now?"""
    return bool(
        scalar(
            db,
            "select 1 from audience_member where account_id = ? and person_id = ? and left_at is null",
            (account_id, person_id),
        )
    )


def add_members(db: Database, account_id: int, person_ids: Iterable[int], added_by: int | None, now: datetime) -> None:
    """Into the audience, or back into it."""
    for person_id in person_ids:
        db.execute(
            "insert into audience_member (account_id, person_id, added_at, added_by) values (?, ?, ?, ?)"
            " on conflict do update set left_at = null, added_at = excluded.added_at, added_by = excluded.added_by"
            " where left_at is not null",
            (account_id, person_id, to_column(now), added_by),
        )


def end_members(db: Database, account_id: int, person_ids: Collection[int], now: datetime) -> None:
    """Out of the audience. The line stays, so that a follower who was one of them is seen (AUD304)."""
    db.execute(
        "update audience_member set left_at = ? where account_id = ? and left_at is null"
        " and person_id in (select value from json_each(?))",
        (to_column(now), account_id, json.dumps(list(person_ids))),
    )


def end_carers_without_pupils(db: Database, now: datetime) -> int:
    """A carer leaves an audience when none of their pupils is in it any more (AUD304). Returns how many did."""
    done = db.execute(
        "update audience_member set left_at = ? where left_at is null"
        " and person_id in (select id from person where kind = 'carer')"
        " and not exists (select 1 from carer c join audience_member m on m.person_id = c.pupil_id"
        "   where c.carer_id = audience_member.person_id and m.account_id = audience_member.account_id"
        "   and m.left_at is null)",
        (to_column(now),),
    )
    return int(done.rowcount)


def add_new_carers(db: Database, now: datetime) -> None:
    """Whoever has become a carer of a pupil in an audience joins it. One who was taken out once stays out."""
    db.execute(
        "insert into audience_member (account_id, person_id, added_at)"
        " select distinct m.account_id, c.carer_id, ? from carer c join person p on p.id = c.carer_id"
        " join audience_member m on m.person_id = c.pupil_id"
        " where m.left_at is null and p.left_on is null on conflict do nothing",
        (to_column(now),),
    )
