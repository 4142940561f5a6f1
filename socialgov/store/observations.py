"""Questions about what was observed: the newest word on each fact, and which posts on the account are ours."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialgov.errors import NotFound
from socialgov.models import Fact, Observation, Source
from socialgov.store.connect import insert
from socialgov.store.rows import all_of, dicts, moment, moment_text, one_of, scalar

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

# one seek in the index for each fact, however long the history is
_NEWEST = """
    select o.* from json_each(:facts) as wanted join observation as o on o.id = (
      select id from observation where account_id = :account and fact = wanted.value and observed_at >= :since
      order by observed_at desc, id desc limit 1)
"""
_ALL_FACTS = json.dumps([fact.value for fact in Fact])


@dataclass(frozen=True, slots=True)
class OwnPosts:
    """What of ours may be on the account: lasting ids of published posts, and texts of those that have none.

    Those are being published just now, or were published by hand.
    """

    remote_ids: frozenset[str]
    texts_on_the_way: frozenset[str]


def insert_observation(
    db: Database,
    *,
    account_id: int,
    fact: Fact,
    value: Any,
    source: Source,
    observed_by: int | None,
    evidence_id: int | None,
    note: str | None,
    now: datetime,
) -> int:
    """One more observation; older ones stay. `value` is kept as JSON."""
    columns = {"account_id": account_id, "fact": fact, "value": json.dumps(value, ensure_ascii=False)}
    more = {"source": source, "observed_by": observed_by, "evidence_id": evidence_id, "note": note}
    return insert(db, "observation", {**columns, **more, "observed_at": now})


def newest_observations(db: Database, account_id: int, since: datetime | None = None) -> dict[Fact, Observation]:
    """The newest observation of each fact that has one, not older than `since`."""
    params = {"facts": _ALL_FACTS, "account": account_id, "since": moment_text(since) if since else ""}
    return {seen.fact: seen for seen in all_of(db, Observation, _NEWEST, params)}


def newest_observation(
    db: Database, account_id: int, fact: Fact, *, source: Source | None = None
) -> Observation | None:
    """The newest observation of one fact, from anywhere or from one source."""
    return one_of(
        db,
        Observation,
        "select * from observation where account_id = ? and fact = ? and (?3 is null or source = ?3)"
        " order by observed_at desc, id desc limit 1",
        (account_id, fact, source),
    )


def observation_by_id(db: Database, observation_id: int) -> Observation:
    """The observation. Raises NotFound."""
    seen = one_of(db, Observation, "select * from observation where id = ?", (observation_id,))
    if seen is None:
        raise NotFound("There is no such observation.")
    return seen


def own_posts(db: Database, account_id: int) -> OwnPosts:
    """What of ours may be on the account now."""
    rows = list(
        dicts(
            db,
            "select remote_id, text, state from post where account_id = ? and state in ('publishing', 'published')",
            (account_id,),
        )
    )
    return OwnPosts(
        frozenset(row["remote_id"] for row in rows if row["remote_id"]),
        frozenset(row["text"] for row in rows if row["state"] == "publishing" or not row["remote_id"]),
    )


def note_outside_posts(db: Database, account_id: int, remote_ids: Iterable[str], now: datetime) -> None:
    """These posts were seen on the account and are not ours; when each was first seen stays."""
    db.conn.executemany(
        "insert into seen_post (account_id, remote_id, first_seen_at) values (?, ?, ?) on conflict do nothing",
        [(account_id, remote_id, moment_text(now)) for remote_id in remote_ids],
    )


def followers_on_record(db: Database, account_id: int, at: datetime) -> int:
    """How many followers are on record that had not gone at `at`, those put on record later too."""
    return int(
        scalar(
            db,
            "select count(*) from follower where account_id = ? and (gone_at is null or gone_at > ?)",
            (account_id, at),
        )
    )


def last_read_by_platform(db: Database) -> dict[str, datetime]:
    """When a platform last told the machine anything about any of its accounts, by platform."""
    rows = dicts(
        db,
        """select a.platform, max(o.observed_at) as at from account a join observation o on o.account_id = a.id
           where o.source = 'api' group by a.platform""",
    )
    return {row["platform"]: moment(row["at"]) for row in rows}
