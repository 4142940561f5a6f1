"""What is read of each account and when, and what is known of its lists."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from socialgov.models import AccountKind, AccountState, Capability, ReadPlan
from socialgov.prices import ListKnown
from socialgov.store.rows import all_of, dicts, moment, moment_text, one_of, scalar, to_column

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class WatchedRow:
    """An account with something to look at; `connected`: by a connection that works. `lost_at`: the platform refused
    our access then, and nobody has connected the account again since.
    """

    id: int
    platform: str
    kind: AccountKind
    state: AccountState
    connected: bool
    off: tuple[str, ...]
    audience: int
    lost_at: datetime | None


_WATCHED = """
    select a.id, a.platform, a.kind, a.state,
      exists (select 1 from connection c where c.account_id = a.id and c.ended_at is null and c.lost_at is null)
        as connected,
      (select json_group_array(capability) from capability_off o where o.platform = a.platform and o.server = coalesce(
        (select c.server from connection c where c.account_id = a.id and c.ended_at is null and c.app_id is not null),
        '')) as off,
      (select count(*) from audience_member m where m.account_id = a.id and m.left_at is null) as audience,
      (select c.lost_at from connection c where c.account_id = a.id and c.ended_at is null) as lost_at
    from account a where (a.state in ('live', 'suspended') or (a.state = 'approved' and a.handle is not null))"""


def watched_rows(db: Database) -> list[WatchedRow]:
    """Every account whose facts are watched, by number."""
    return all_of(db, WatchedRow, f"{_WATCHED} order by a.id")


def watched_row(db: Database, account_id: int) -> WatchedRow | None:
    return one_of(db, WatchedRow, f"{_WATCHED} and a.id = ?", (account_id,))


# ---------------------------------------------------------------------------------------------------- lists

# what was read before the account's name on the platform was recorded is about another account
_LISTS = """
    select l.account_id, l.capability, l.told_then, l.told,
      case when a.set_up_at is null or l.read_at >= a.set_up_at then l.read_at end as read_at
    from list_read l join account a on a.id = l.account_id
    where (a.set_up_at is null or coalesce(l.told_at, l.read_at) >= a.set_up_at)"""


def lists_of(db: Database, account_id: int) -> dict[Capability, ListKnown]:
    """What is known of the account's lists, and when its profile was read."""
    return {
        Capability(row["capability"]): _known(row) for row in dicts(db, f"{_LISTS} and account_id = ?", (account_id,))
    }


def all_lists(db: Database) -> dict[int, dict[Capability, ListKnown]]:
    """The same of every account."""
    found: dict[int, dict[Capability, ListKnown]] = {}
    for row in dicts(db, _LISTS):
        found.setdefault(row["account_id"], {})[Capability(row["capability"])] = _known(row)
    return found


def _known(row: dict[str, object]) -> ListKnown:
    read_at = row["read_at"]
    return ListKnown(moment(str(read_at)) if read_at else None, row["told_then"], row["told"])  # type: ignore[arg-type]


def note_read(db: Database, account_id: int, capability: Capability, told: int | None, now: datetime) -> None:
    """It was read to its end just now, while the platform told this number."""
    db.execute(
        """insert into list_read (account_id, capability, read_at, told_then, told, told_at)
             values (:account, :capability, :now, :told, :told, :now)
           on conflict (account_id, capability) do update set read_at = excluded.read_at,
             told_then = excluded.told_then, told = excluded.told, told_at = excluded.told_at""",
        {"account": account_id, "capability": capability.value, "now": moment_text(now), "told": told},
    )


def note_told(db: Database, account_id: int, capability: Capability, told: int, now: datetime, *, stands: bool) -> None:
    """The platform tells this number now; the list itself was not read. `stands`: and nothing of it has changed."""
    db.execute(
        """insert into list_read (account_id, capability, told, told_at) values (:account, :capability, :told, :now)
           on conflict (account_id, capability) do update set told = excluded.told, told_at = excluded.told_at,
             told_then = case when :stands then excluded.told else told_then end""",
        {"account": account_id, "capability": capability.value, "now": moment_text(now), "told": told,
         "stands": stands},
    )  # fmt: skip


def requests_since(
    db: Database, platform: str, capability: Capability, since: datetime, *, page: int
) -> tuple[int, datetime | None]:
    """How many requests of `page` items the readings of this kind took since then, of the whole school's accounts on
    the platform, and when the first of them was. Each account counts with its newest reading.
    """
    row = db.execute(
        """select coalesce(sum(max(1, (coalesce(l.told_then, 1) + ?1 - 1) / ?1)), 0), min(l.read_at)
             from list_read l join account a on a.id = l.account_id
           where l.capability = ?2 and l.read_at > ?3 and a.platform = ?4""",
        (page, capability.value, moment_text(since), platform),
    ).fetchone()
    return int(row[0]), moment(row[1]) if row[1] else None


# ---------------------------------------------------------------------------------------------------- plans


def save_plans(db: Database, plans: Iterable[ReadPlan]) -> None:
    """Each account's plan, instead of the one before."""
    db.conn.executemany(
        "insert or replace into read_plan (account_id, day, at, reads, left_out, micros, made_at)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [
            (one.account_id, one.day.isoformat(), moment_text(one.at), to_column(sorted(one.reads)),
             to_column(sorted(one.left_out)), one.micros, moment_text(one.made_at))
            for one in plans
        ],
    )  # fmt: skip


def set_left_out(db: Database, account_id: int, left_out: Iterable[Capability], now: datetime) -> None:
    """What the look did without after all. Where no plan was ever made this is kept as one of no day."""
    db.execute(
        """insert into read_plan (account_id, day, at, reads, left_out, micros, made_at)
             values (:account, :day, :now, '[]', :left_out, 0, :now)
           on conflict (account_id) do update set left_out = excluded.left_out""",
        {"account": account_id, "day": date.min.isoformat(), "left_out": to_column(sorted(left_out)),
         "now": moment_text(now)},
    )  # fmt: skip


def plan_of(db: Database, account_id: int) -> ReadPlan | None:
    """The account's newest plan, of whatever day."""
    return next((_plan(row) for row in dicts(db, "select * from read_plan where account_id = ?", (account_id,))), None)


# those which nothing has overtaken: the account was not connected, shut out or disconnected since the plan was made
_IN_FORCE = """
    select p.* from read_plan p where p.day = :day and not exists (
      select 1 from connection c where c.account_id = p.account_id
        and max(c.connected_at, coalesce(c.lost_at, ''), coalesce(c.ended_at, '')) >= p.made_at)"""


def plan_in_force(db: Database, account_id: int, day: date) -> ReadPlan | None:
    """The account's plan of this day; None where it has none that its connection has not overtaken."""
    asked = {"account": account_id, "day": day.isoformat()}
    return next((_plan(row) for row in dicts(db, f"{_IN_FORCE} and p.account_id = :account", asked)), None)


def _plan(row: dict[str, str]) -> ReadPlan:
    reads, left_out = (frozenset(Capability(one) for one in json.loads(row[name])) for name in ("reads", "left_out"))
    day, micros = date.fromisoformat(row["day"]), int(row["micros"])
    return ReadPlan(
        int(row["account_id"]), day, moment(row["at"]), reads, left_out, micros, moment(row["made_at"])
    )  # fmt: skip


def accounts_without_plan(db: Database, day: date) -> frozenset[int]:
    """The accounts that are watched and have no plan of this day in force."""
    rows = db.execute(
        f"""select a.id from account a left join ({_IN_FORCE}) p on p.account_id = a.id where p.account_id is null
              and (a.state in ('live', 'suspended') or (a.state = 'approved' and a.handle is not null))""",  # noqa: S608
        {"day": day.isoformat()},
    )
    return frozenset(row[0] for row in rows)


def promised(db: Database, platform: str, day: date, *, other_than: int = 0) -> int:
    """Micros that the plans of this day still need on one platform: those of accounts not looked at since."""
    return int(
        scalar(
            db,
            "select coalesce(sum(p.micros), 0) from read_plan p join account a on a.id = p.account_id"
            " where p.day = ? and a.platform = ? and a.id <> ? and (a.checked_at is null or a.checked_at < p.made_at)",
            (day.isoformat(), platform, other_than),
        )
    )


def accounts_looked_at(db: Database, platform: str) -> int:
    """How many accounts on this platform a machine reads, or would with money enough; none that we are shut out of."""
    return int(
        scalar(
            db,
            "select count(*) from read_plan p join account a on a.id = p.account_id where a.platform = ?"
            " and a.state in ('approved', 'live', 'suspended') and (p.reads <> '[]' or p.left_out <> '[]')"
            " and not exists (select 1 from connection c where c.account_id = a.id and c.ended_at is null"
            " and c.lost_at is not null)",
            (platform,),
        )
    )


def not_checked_since(db: Database, account_ids: Collection[int]) -> dict[int, datetime | None]:
    """Of those of these accounts that something was left out of: since when, at the worst (None: it was never read).

    The register asks it on each page; where nothing is left out anywhere, an empty index answers.
    """
    if not account_ids:
        return {}
    rows = db.execute(
        """select p.account_id, min(coalesce(l.read_at, '')) from read_plan p join json_each(p.left_out) as one
             left join list_read l on l.account_id = p.account_id and l.capability = one.value
           where p.left_out <> '[]' and p.account_id between ? and ? group by p.account_id""",
        (min(account_ids), max(account_ids)),
    )
    return {row[0]: moment(row[1]) if row[1] else None for row in rows if row[0] in account_ids}


@dataclass(frozen=True, slots=True)
class NotChecked:
    """What of an account was not read although a machine could: `since` is when it was read last, None: never.

    `shut_out_at`: the platform refuses our access to the account since then, and nobody has connected it again.
    """

    account_id: int
    platform: str
    handle: str
    capability: Capability
    since: datetime | None
    shut_out_at: datetime | None = None


def not_checked(db: Database, account_id: int | None = None) -> list[NotChecked]:
    """Everything that the newest plans left out, of one account or of all; what was read longest ago first."""
    return all_of(
        db,
        NotChecked,
        """select a.id as account_id, a.platform, coalesce(a.handle, a.handle_wished) as handle,
             left_out.value as capability,
             case when a.set_up_at is null or l.read_at >= a.set_up_at then l.read_at end as since,
             (select c.lost_at from connection c where c.account_id = a.id and c.ended_at is null) as shut_out_at
           from read_plan p join account a on a.id = p.account_id join json_each(p.left_out) as left_out
             left join list_read l on l.account_id = a.id and l.capability = left_out.value
           where a.state in ('approved', 'live', 'suspended') and (?1 is null or a.id = ?1)
           order by since, a.id, capability""",
        (account_id,),
    )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many accounts in use were not wholly read, and since when, at the worst. `never`: of so many something never
    was; `since` is about the others.
    """

    accounts: int = 0
    never: int = 0
    since: datetime | None = None


def left_out(db: Database, keeper_id: int | None = None) -> LeftOut:
    """The whole school in one line, or the accounts that this person owns or stands in for."""
    summed = one_of(
        db,
        LeftOut,
        """select count(*) as accounts, coalesce(sum(since = ''), 0) as never, min(nullif(since, '')) as since from (
             select min(case when a.set_up_at > l.read_at then '' else coalesce(l.read_at, '') end) as since
               from read_plan p join account a on a.id = p.account_id join json_each(p.left_out) as one
                 left join list_read l on l.account_id = a.id and l.capability = one.value
               where p.left_out <> '[]' and a.state in ('approved', 'live', 'suspended')
                 and (?1 is null or a.owner_id = ?1 or a.deputy_id = ?1)
               group by a.id)""",
        (keeper_id,),
    )
    return summed or LeftOut()
