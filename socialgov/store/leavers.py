"""What somebody who leaves keeps, knows and is let into (PPL704), each in one question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.models import Account, AccountState, CredentialKind
from socialgov.store.credentials import LOOK_THAT_TELLS
from socialgov.store.rows import all_of, scalar

if TYPE_CHECKING:
    from sqlite_utils import Database

_OPEN = "('requested', 'approved', 'live', 'suspended', 'closing')"

# deposits in force whose secret this person deposited, or looked at since it was last changed; never the machine's key
_KNOWN = f"""
    from credential held
      join credential same on same.account_id = held.account_id and same.kind = held.kind
        and same.secret_at = held.secret_at
      left join reveal on reveal.credential_id = same.id and reveal.staff_id = {{who}} and {LOOK_THAT_TELLS}
    where held.superseded_at is null and held.destroyed_at is null and held.kind <> 'api_token'
      and (same.deposited_by = {{who}} or reveal.id is not null)
      and held.account_id in (select account_id from credential where deposited_by = {{who}}
        union select account_id from credential join reveal on reveal.credential_id = credential.id
          where reveal.staff_id = {{who}})"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """A secret in force that somebody deposited or has looked at since it was last changed."""

    account_id: int
    handle: str
    platform: str
    state: AccountState
    kind: CredentialKind
    secret_at: datetime
    deposited: bool
    looks: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class LetIn:
    """A way past the password that leads to this person: a delegate's rights, or a recovery contact of a kind."""

    account_id: int
    handle: str
    platform: str
    what: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class WaysLeft:
    """How somebody still gets in here: sessions that nobody ended, and what they sign in or open the vault with."""

    sessions: int
    passkeys: int
    authenticators: int
    identities: int
    vault: int

    @property
    def some(self) -> bool:
        return bool(self.sessions or self.passkeys or self.authenticators or self.identities or self.vault)


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who left, and how much that hangs on them is not done yet."""

    id: int
    name: str
    left_at: datetime
    kept: int
    known: int
    changing: int
    let_in: int


def secrets_known_to(db: Database, staff_id: int) -> list[KnownSecret]:
    """By account, of those that are not closed."""
    known = _KNOWN.replace("{who}", ":who")
    return all_of(
        db,
        KnownSecret,
        f"""select held.account_id, coalesce(a.handle, a.handle_wished) as handle, a.platform, a.state, held.kind,
              held.secret_at, max(coalesce(same.deposited_by = :who, 0)) as deposited, count(reveal.id) as looks,
              max(coalesce(reveal.at, same.deposited_at)) as last_at
            from (select held.id as held_id, same.id as same_id, reveal.id as reveal_id {known}) as found
              join credential held on held.id = held_id join credential same on same.id = same_id
              join account a on a.id = held.account_id left join reveal on reveal.id = reveal_id
            where a.state in {_OPEN} group by held.id order by handle, held.id""",  # noqa: S608
        {"who": staff_id},
    )


def delegations_of(db: Database, staff_id: int) -> list[LetIn]:
    """Accounts into which the platform lets this person without the password."""
    return _let_in(db, "delegate", "entry.rights", staff_id)


def recoveries_of(db: Database, staff_id: int) -> list[LetIn]:
    """Accounts whose recovery leads to this person (SEC206)."""
    return _let_in(db, "recovery_contact", "entry.kind", staff_id)


def _let_in(db: Database, table: str, what: str, staff_id: int) -> list[LetIn]:
    return all_of(
        db,
        LetIn,
        f"""select entry.account_id, coalesce(a.handle, a.handle_wished) as handle, a.platform, {what} as what,
              entry.recorded_at
            from {table} entry join account a on a.id = entry.account_id
            where entry.staff_id = :who and entry.ended_at is null and a.state in {_OPEN} order by handle""",  # noqa: S608
        {"who": staff_id},
    )


def accounts_letting_leavers_in(db: Database) -> list[Account]:
    """Accounts in which somebody who left is a delegate or is what recovery leads to."""
    entries = " union ".join(
        f"select account_id from {table} where ended_at is null"  # noqa: S608
        " and staff_id in (select id from staff where left_at is not null)"
        for table in ("delegate", "recovery_contact")
    )
    return all_of(
        db,
        Account,
        f"select * from account where id in ({entries}) and state in {_OPEN} order by id",  # noqa: S608
    )


def ways_left(db: Database, staff_id: int) -> WaysLeft:
    """Counts of what nobody has ended. A session may have timed out by itself."""

    def count(table: str) -> int:
        return int(scalar(db, f"select count(*) from {table} where staff_id = ? and ended_at is null", (staff_id,)))  # noqa: S608

    tables = ("session", "passkey", "authenticator", "identity", "vault_holder")
    return WaysLeft(*(count(table) for table in tables))


def leavers_with_open_things(db: Database, limit: int = 200) -> list[Leaver]:
    """Everybody who left and of whom something is not done, who left last first. One query."""
    known = _KNOWN.replace("{who}", "gone.id")
    there = f"account_id in (select id from account where state in {_OPEN})"  # noqa: S608
    return all_of(
        db,
        Leaver,
        f"""select * from (
              select gone.id, gone.name, gone.left_at,
                (select count(*) from account where gone.id in (owner_id, deputy_id) and state in {_OPEN}) as kept,
                (select count(distinct held.account_id) {known} and held.{there}) as known,
                (select count(*) from rotation where finished_at is null and {there}
                  and (leaver_id = gone.id or account_id in (select held.account_id {known}))) as changing,
                (select count(*) from delegate where staff_id = gone.id and ended_at is null and {there})
                + (select count(*) from recovery_contact where staff_id = gone.id and ended_at is null and {there})
                  as let_in
              from staff gone where gone.left_at is not null)
            where kept + known + changing + let_in > 0 order by left_at desc, id desc limit :limit""",  # noqa: S608
        {"limit": limit},
    )
