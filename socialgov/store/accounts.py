"""Questions about accounts, and the one way an account's row changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from socialgov.errors import NotFound
from socialgov.models import Account, AccountKind, AccountState
from socialgov.store.connect import guarded_update, insert
from socialgov.store.events import EventTag, record_event
from socialgov.store.paging import Page, read_page
from socialgov.store.rows import all_of, dicts, load, one_of, scalar, to_column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlite_utils import Database

    from socialgov.models import AccountRequest


def account_by_id(db: Database, account_id: int) -> Account:
    """The account. Raises NotFound."""
    account = one_of(db, Account, "select * from account where id = ?", (account_id,))
    if account is None:
        raise NotFound("There is no such account.", "Look in the register.")
    return account


def insert_account(db: Database, form: AccountRequest, *, requested_by: int, now: datetime, **more: Any) -> int:
    """A new account as asked for; `more` are further columns. Returns its id."""
    columns = {name: getattr(form, name) for name in form.__slots__}
    first = {"state": AccountState.REQUESTED, "requested_by": requested_by, "requested_at": now}
    return insert(db, "account", {**columns, **first, **more})


def change_account(
    db: Database,
    account: Account,
    changes: Mapping[str, Any],
    *,
    tag: EventTag,
    actor: str,
    now: datetime,
    data: Mapping[str, Any] | None = None,
) -> Account:
    """Change `account` and write the event that tells it, only while nobody else has changed it since it was read.

    Returns the account as it is now. Raises Conflict with nothing written.
    """
    guards = {"state": account.state, "version": account.version}
    guarded_update(db, "account", account.id, {**changes, "version": account.version + 1}, where=guards)
    record_event(
        db, tag, actor=actor, now=now, subject="account", subject_id=account.id, account_id=account.id, data=data
    )
    return account_by_id(db, account.id)


def account_with_handle(db: Database, platform: str, handle: str, *, other_than: int | None = None) -> int | None:
    """The id of an open account that has this handle on this platform, or asks for it. A closed one has freed it."""
    found: int | None = scalar(
        db,
        """select id from account where platform = ? and lower(coalesce(handle, handle_wished)) = lower(?)
             and state in ('requested', 'approved', 'live', 'suspended', 'closing') and id is not ? limit 1""",
        (platform, handle, other_than),
    )
    return found


def open_accounts_called(db: Database, handle: str) -> list[Account]:
    """Every open account with this handle, or that asks for it, on whatever platform."""
    return all_of(
        db,
        Account,
        """select * from account where lower(coalesce(handle, handle_wished)) = lower(?)
             and state in ('requested', 'approved', 'live', 'suspended', 'closing') order by id""",
        (handle,),
    )


def account_with_remote_id(db: Database, platform: str, remote_id: str, handle: str) -> int | None:
    """The id of the account, open or closed, that is this one on the platform: a lasting id is never given twice.

    On a network of many servers each server counts for itself, and the handle says which one (`name@server`).
    """
    found: int | None = scalar(
        db,
        """select id from account where platform = ? and remote_id = ?
             and lower(substr(coalesce(handle, ''), instr(coalesce(handle, '') || '@', '@') + 1)) = ?""",
        (platform, remote_id, handle.partition("@")[2].lower()),
    )
    return found


# --------------------------------------------------------------------------------------------------- register


@dataclass(frozen=True, slots=True)
class RegisterFilter:
    """What the register shows. None or empty: everything. `keeper_id`: owned or deputised for by this person."""

    state: AccountState | None = None
    platform: str | None = None
    kind: AccountKind | None = None
    keeper_id: int | None = None
    search: str = ""
    broken_only: bool = False


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One line of the inventory (OVS805). `broken` and `unknown` count the enforced rules without an exception."""

    id: int
    platform: str
    kind: AccountKind
    state: AccountState
    handle: str
    purpose: str
    owner: str
    deputy: str
    ends_on: date | None
    review_on: date | None
    checked_at: datetime | None
    found_unregistered: bool
    broken: int
    unknown: int


# the words of the index finding_trouble, which holds only these few of all findings; named, because without statistics
# SQLite takes another one that costs half as much again
_TROUBLE = """finding indexed by finding_trouble where account_id = a.id and enforcement = 'enforced'
                and waived_by is null and answer is not 1"""


def register_page(db: Database, wanted: RegisterFilter, *, page: int = 1, size: int = 50) -> Page[RegisterRow]:
    """A page of the register, newest account first, with the number of broken and unknown rules of each.

    One query. The inner select finds the page's ids alone, so that names and findings are looked up for `size` accounts
    and not for all of them.
    """
    tests, params = _register_tests(wanted)
    sql = f"""
        select a.id, a.platform, a.kind, a.state, coalesce(a.handle, a.handle_wished) as handle, a.purpose,
               owner.name as owner, deputy.name as deputy, a.ends_on, a.review_on, a.checked_at, a.found_unregistered,
               (select count(*) from {_TROUBLE} and answer = 0) as broken,
               (select count(*) from {_TROUBLE} and answer is null) as unknown,
               (select count(*) from account a where {tests}) as total
        from (select a.id from account a where {tests} order by a.id desc limit :size offset :skip) as shown
          join account a on a.id = shown.id join staff owner on owner.id = a.owner_id
          join staff deputy on deputy.id = a.deputy_id
        order by a.id desc"""  # noqa: S608
    return read_page(db, sql, params, partial(load, RegisterRow), page=page, size=size)


def _register_tests(wanted: RegisterFilter) -> tuple[str, dict[str, Any]]:
    """The filter as SQL tests on account `a`, each with its parameter."""
    tests, params = ["1"], {}
    for column in ("state", "platform", "kind"):
        value = getattr(wanted, column)
        if value:
            tests.append(f"a.{column} = :{column}")
            params[column] = to_column(value)
    if wanted.keeper_id is not None:
        tests.append("(a.owner_id = :keeper or a.deputy_id = :keeper)")
        params["keeper"] = wanted.keeper_id
    if wanted.broken_only:
        tests.append("a.state in ('approved', 'live', 'suspended')")
        tests.append(f"exists (select 1 from {_TROUBLE} and answer = 0)")  # noqa: S608
    if wanted.search.strip():
        tests.append(
            r"""(a.handle like :term escape '\' or a.handle_wished like :term escape '\' or
                 a.purpose like :term escape '\' or a.audience like :term escape '\' or
                 a.owner_id in (select id from staff where name like :term escape '\') or
                 a.deputy_id in (select id from staff where name like :term escape '\'))"""
        )
        params["term"] = _like(wanted.search.strip().removeprefix("@"))
    return " and ".join(tests), params


def _like(text: str) -> str:
    """`text` as a LIKE pattern that finds it anywhere, its own % and _ taken as they are."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


def account_names(db: Database, account_ids: Collection[int]) -> dict[int, str]:
    """The handles of these accounts, for pages that list what happened to many."""
    rows = db.execute(
        "select id, coalesce(handle, handle_wished) from account where id in (select value from json_each(?))",
        (to_column(sorted(account_ids)),),
    )
    return {row[0]: row[1] for row in rows}


def count_by_state(db: Database) -> dict[AccountState, int]:
    """How many accounts there are in each state that has any."""
    return {AccountState(row[0]): row[1] for row in db.execute("select state, count(*) from account group by state")}


# --------------------------------------------------------------------------------------------------- today


def accounts_of_keeper(db: Database, staff_id: int) -> list[Account]:
    """Open accounts this person owns, deputises for or asked for; newest first. What a leaver must hand over."""
    return all_of(
        db,
        Account,
        """select * from account where (owner_id = :who or deputy_id = :who or requested_by = :who)
             and state in ('requested', 'approved', 'live', 'suspended', 'closing') order by id desc""",
        {"who": staff_id},
    )


def requests_waiting(db: Database) -> list[Account]:
    """Requests that wait for a decision, oldest first. One that was sent back waits for its author instead."""
    return _accounts(db, "state = 'requested' and returned_at is null order by requested_at, id")


def logins_to_test(db: Database) -> list[Account]:
    """Accounts that are set up or live and whose deposited login no person has tested since the deposit (SEC205).

    That the machine could sign in is no test; that it was refused is one, and a new deposit is due.
    """
    return _accounts(
        db,
        """state in ('approved', 'live', 'suspended') and exists (
             select 1 from credential c where c.account_id = account.id and c.kind = 'password'
               and c.superseded_at is null and c.destroyed_at is null
               and not exists (select 1 from observation o where o.account_id = account.id and o.fact = 'login_works'
                 and o.observed_at >= c.deposited_at
                 and (o.source = 'attested' and o.value <> 'null' or o.value = 'false'))) order by id""",
    )


def accounts_without_own_key(db: Database, platforms: Collection[str]) -> list[Account]:
    """Accounts set up on these platforms with a password on record and no key of the product's own that works.

    A key that the platform was seen to refuse (OUR_ACCESS) does not count.
    """
    return _accounts(
        db,
        """state in ('approved', 'live', 'suspended') and handle is not null
             and platform in (select value from json_each(?))
             and exists (select 1 from credential c where c.account_id = account.id and c.kind = 'password'
               and c.superseded_at is null and c.destroyed_at is null)
             and not exists (select 1 from credential c where c.account_id = account.id and c.kind = 'api_token'
               and c.superseded_at is null and c.destroyed_at is null
               and coalesce((select o.value from observation o where o.account_id = account.id
                 and o.fact = 'our_access' and o.observed_at >= c.deposited_at
                 order by o.observed_at desc, o.id desc limit 1), 'true') <> 'false') order by id""",
        (to_column(sorted(platforms)),),
    )


def accounts_in_trouble(db: Database, *, keeper_id: int | None = None, limit: int = 200) -> list[tuple[Account, int]]:
    """Live or suspended accounts with the number of enforced rules they break, the worst first.

    `keeper_id`: only those this person owns or deputises for.
    """
    mine = "and (a.owner_id = :keeper or a.deputy_id = :keeper)" if keeper_id is not None else ""
    rows = dicts(
        db,
        f"""with broken as (select a.id, (select count(*) from {_TROUBLE} and answer = 0) as number from account a
              where a.state in ('live', 'suspended') {mine})
            select account.*, broken.number as broken from broken join account using (id)
            where broken.number > 0 order by broken.number desc, account.id limit :limit""",  # noqa: S608
        {"keeper": keeper_id, "limit": limit},
    )
    return [(load(Account, row), row["broken"]) for row in rows]


def accounts_of_leavers(db: Database) -> list[Account]:
    """Approved, live or suspended accounts whose owner or deputy is no longer on the staff."""
    return _accounts(
        db,
        """state in ('approved', 'live', 'suspended') and exists (
             select 1 from staff where staff.id in (account.owner_id, account.deputy_id) and staff.left_at is not null)
           order by id""",
    )


def owners_of_live_accounts(db: Database) -> set[int]:
    return {row[0] for row in db.execute("select distinct owner_id from account where state = 'live'")}


def suspended_accounts(db: Database) -> list[Account]:
    return _accounts(db, "state = 'suspended' order by suspended_at, id")


def accounts_ending_by(db: Database, day: date) -> list[Account]:
    """Accounts whose time is over on or before `day`, soonest first."""
    return _accounts(db, "state in ('approved', 'live', 'suspended') and ends_on <= ? order by ends_on, id", (day,))


def reviews_due_by(db: Database, day: date) -> list[Account]:
    """Standing accounts whose review date is on or before `day`, soonest first."""
    return _accounts(db, "state in ('approved', 'live', 'suspended') and review_on <= ? order by review_on, id", (day,))


def confirmations_due_since(db: Database, moment: datetime) -> list[Account]:
    """Standing accounts that nobody has confirmed, nor put live, since `moment` (LIF604)."""
    return _accounts(
        db,
        """state in ('live', 'suspended') and kind <> 'trip' and coalesce(confirmed_at, live_at) <= ?
           order by coalesce(confirmed_at, live_at), id""",
        (moment,),
    )


def _accounts(db: Database, tail: str, params: tuple[Any, ...] = ()) -> list[Account]:
    return all_of(db, Account, f"select * from account where {tail}", params)  # noqa: S608


def account_counts(db: Database) -> dict[AccountState, int]:
    """How many accounts are in each state that has any, in the order of the life."""
    found = {
        row["state"]: row["number"] for row in dicts(db, "select state, count(*) as number from account group by 1")
    }
    return {state: found[state] for state in AccountState if state in found}


def watched_ids(db: Database) -> list[int]:
    """Accounts whose facts are watched: live and suspended ones."""
    return [row["id"] for row in dicts(db, "select id from account where state in ('live', 'suspended') order by id")]
