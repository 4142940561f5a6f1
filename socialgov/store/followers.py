"""Questions about followers: who follows an account, who they are, and what is out of order about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from socialgov.errors import NotFound
from socialgov.models import Fact, Follower, Person
from socialgov.store.connect import insert
from socialgov.store.rows import all_of, dicts, load, moment, one_of, to_column

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class KnownFollower:
    """A follower with the person they were accepted as. `left` True: that person is no longer in the audience."""

    follower: Follower
    person: Person | None
    left: bool


def follower_by_id(db: Database, follower_id: int) -> Follower:
    """The follower, gone or not. Raises NotFound."""
    follower = one_of(db, Follower, "select * from follower where id = ?", (follower_id,))
    if follower is None:
        raise NotFound("There is no such follower.", "Open the list of followers again.")
    return follower


def followers_of(db: Database, account_id: int) -> list[Follower]:
    """Everybody who follows or waits to follow, the unchecked first."""
    return all_of(
        db,
        Follower,
        "select * from follower where account_id = ? and gone_at is null"
        " order by decision is not null, decision desc, lower(handle), id",
        (account_id,),
    )


def accounts_with_unchecked_followers(db: Database) -> set[int]:
    """Ids of accounts with followers, or people asking to follow, on whom nobody has decided."""
    sql = "select distinct account_id from follower where decision is null and gone_at is null"
    return {row[0] for row in db.execute(sql)}


def all_followers_of(db: Database, account_id: int) -> list[Follower]:
    """Everybody on record for the account, those who have gone too."""
    return all_of(db, Follower, "select * from follower where account_id = ? order by id", (account_id,))


def known_followers_of(db: Database, account_id: int) -> list[KnownFollower]:
    """`followers_of` with the person each was accepted as."""
    people = {
        row["id"]: (load(Person, row), row["member_left_at"] is not None or row["left_on"] is not None)
        for row in dicts(
            db,
            "select p.*, m.left_at as member_left_at from follower f join person p on p.id = f.person_id"
            " left join audience_member m on m.account_id = f.account_id and m.person_id = p.id"
            " where f.account_id = ? and f.gone_at is null",
            (account_id,),
        )
    }
    nobody = (None, False)
    return [KnownFollower(f, *people.get(f.person_id or 0, nobody)) for f in followers_of(db, account_id)]


def insert_follower(
    db: Database, account_id: int, *, remote_id: str, handle: str, name: str, waiting: bool, now: datetime
) -> int:
    return insert(
        db,
        "follower",
        {
            "account_id": account_id,
            "remote_id": remote_id,
            "handle": handle,
            "display_name": name,
            "first_seen_at": now,
            "last_seen_at": now,
            "waiting": waiting,
        },
    )


def touch_followers(db: Database, account_id: int, remote_ids: Collection[str], now: datetime) -> None:
    """All of these were on the list at `now`; those who had gone are back."""
    db.execute(
        "update follower set last_seen_at = ?, gone_at = null"
        " where account_id = ? and remote_id in (select value from json_each(?))",
        (to_column(now), account_id, json.dumps(list(remote_ids))),
    )


def end_missing_followers(db: Database, account_id: int, remote_ids: Collection[str], now: datetime) -> int:
    """Whoever is not among `remote_ids` has gone. Returns how many those are."""
    done = db.execute(
        "update follower set gone_at = ?, waiting = 0"
        " where account_id = ? and gone_at is null and remote_id not in (select value from json_each(?))",
        (to_column(now), account_id, json.dumps(list(remote_ids))),
    )
    return int(done.rowcount)


# `outside`, `under_age` and `age_unknown` repeat in SQL what actions/followers.py asks of one person before accepting
# them; tests/actions/test_followers.py holds both to the same answers. Those who only wait see nothing yet.
_SUMMARY = """
with private_since as (
  select min(observed_at) as at from observation
  where account_id = :account and fact = :private and value = 'true' and observed_at > coalesce((
    select max(observed_at) from observation
    where account_id = :account and fact = :private and value = 'false'), ''))
select
  count(*) as total,
  coalesce(sum(f.decision is null), 0) as unchecked,
  coalesce(sum(f.decision is 'refused'), 0) as refused_still_there,
  coalesce(sum(f.decision is 'accepted' and (
    m.person_id is null or (p.kind = 'pupil' and not :pupil_followers))), 0) as outside_audience,
  coalesce(sum(f.decision is 'accepted' and m.person_id is not null and (
    m.left_at is not null or p.left_on is not null)), 0) as left_audience,
  coalesce(sum(f.decision is 'accepted' and p.born_on > :born_by), 0) as under_age,
  coalesce(sum(f.decision is 'accepted' and p.kind = 'pupil' and p.born_on is null), 0) as age_unknown,
  coalesce(sum(f.decision is null and (
    (select at from private_since) is null or f.first_seen_at <= (select at from private_since))), 0)
    as first_seen_before_private_unchecked,
  min(case when f.decision is null then f.first_seen_at end) as oldest_unchecked_at,
  (select max(observed_at) from observation where account_id = :account and fact = :followers) as read_at
from follower f
left join person p on p.id = f.person_id
left join audience_member m on m.account_id = f.account_id and m.person_id = f.person_id
where f.account_id = :account and f.gone_at is null and f.waiting = 0
"""


def born_by(minimum_age: int, today: date) -> date:
    """The last birthday of those who are `minimum_age` years old on `today`; on 29 February it is taken as the 28th."""
    year = today.year - minimum_age
    return date(year, 2, 28) if (today.month, today.day) == (2, 29) else today.replace(year=year)


def follower_counts(
    db: Database, account_id: int, *, pupil_followers: bool, born_by: date
) -> tuple[dict[str, Any], datetime | None]:
    """Counts by name over the followers that have not gone, and when the list was last read, in one query.

    Beside the counts: `oldest_unchecked_at`, when the first of the unchecked ones was first seen.

    `born_by` is the last birthday of those old enough; `pupil_followers` says whether pupils may follow at all.
    """
    params = {
        "account": account_id,
        "private": Fact.PRIVATE.value,
        "followers": Fact.FOLLOWERS.value,
        "pupil_followers": int(pupil_followers),
        "born_by": born_by.isoformat(),
    }
    counts = next(iter(dicts(db, _SUMMARY, params)))
    read_at, oldest = counts.pop("read_at"), counts.pop("oldest_unchecked_at")
    counts["oldest_unchecked_at"] = moment(oldest) if oldest else None
    return counts, moment(read_at) if read_at else None
