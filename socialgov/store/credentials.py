"""Questions about deposited logins. Only `sealed_of` reads a sealed secret; no listing ever holds one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.models import Credential, CredentialKind
from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import all_of, dicts, one_of, scalar, to_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlite_utils import Database

# `reused` is asked anew each time (SEC203 is watched): a near form of this secret is in use for another account
_CREDENTIALS = """
    select c.id, c.account_id, c.kind, c.username, c.email, c.strength, c.problems, c.deposited_by, c.deposited_at,
      c.secret_at, c.superseded_at, c.length_at_least, c.signs, c.one_word, c.codes, c.struck,
      exists (select 1 from credential_fingerprint mine
        join credential_fingerprint theirs on theirs.fingerprint = mine.fingerprint
        join credential other on other.id = theirs.credential_id
        where mine.credential_id = c.id and other.account_id <> c.account_id and other.superseded_at is null) as reused
    from credential c"""

# six digits of a second factor are worth nothing a minute later: whoever saw them does not know the secret
LOOK_THAT_TELLS = "reveal.shown <> 'second_factor_code'"


def current_credential(db: Database, account_id: int, kind: CredentialKind) -> Credential | None:
    """The deposit in force, without its secret; None when nothing is deposited or it was destroyed."""
    return one_of(
        db,
        Credential,
        f"{_CREDENTIALS} where c.account_id = ? and c.kind = ? and c.superseded_at is null and c.destroyed_at is null",
        (account_id, kind),
    )


def held_credentials(db: Database, account_id: int) -> list[Credential]:
    """What is in force for the account, of every kind, without its secrets."""
    where = "where c.account_id = ? and c.superseded_at is null and c.destroyed_at is null order by c.id"
    return all_of(db, Credential, f"{_CREDENTIALS} {where}", (account_id,))


def credentials_of(db: Database, account_id: int) -> list[Credential]:
    """Every deposit that was ever made for the account, newest first, without secrets."""
    return all_of(db, Credential, f"{_CREDENTIALS} where c.account_id = ? order by c.id desc", (account_id,))


def insert_credential(
    db: Database,
    *,
    account_id: int,
    kind: CredentialKind,
    username: str,
    email: str | None,
    fingerprints: Sequence[str],
    strength: int,
    problems: Sequence[str],
    deposited_by: int | None,
    secret_at: datetime,
    now: datetime,
    spare: bool = False,
    measured: Mapping[str, object] | None = None,
) -> int:
    """A deposit without its secret yet: its id is part of what the secret is sealed to. `fingerprints[0]` is exact.

    A spare waits beside the deposit in force until the platform was seen to take it (`adopt`). `measured` holds
    length_at_least, signs and one_word of a password, or codes of a list of recovery codes.
    """
    values = {"account_id": account_id, "kind": kind, "username": username, "email": email, "strength": strength}
    values |= {"problems": tuple(problems), "deposited_by": deposited_by, "deposited_at": now, "secret_at": secret_at}
    values |= {"spare": spare, "superseded_at": now if spare else None}
    values |= {"fingerprint": next(iter(fingerprints), None), **(measured or {})}
    credential_id = insert(db, "credential", values)
    db.conn.executemany(
        "insert into credential_fingerprint (fingerprint, credential_id) values (?, ?)",
        [(fingerprint, credential_id) for fingerprint in dict.fromkeys(fingerprints)],
    )
    return credential_id


def keep_sealed(db: Database, credential_id: int, sealed: bytes) -> None:
    db.execute("update credential set sealed = ? where id = ?", (sealed, credential_id))


def strike(db: Database, kept: Credential, struck: tuple[int, ...]) -> None:
    """These recovery codes were used. Conflict when somebody struck one meanwhile."""
    guarded_update(db, "credential", kept.id, {"struck": struck}, where={"struck": kept.struck})


def spare_by_id(db: Database, credential_id: int) -> Credential | None:
    """A deposit that waits beside the one in force; None once it was adopted or destroyed."""
    where = "where c.id = ? and c.spare = 1 and c.destroyed_at is null"
    return one_of(db, Credential, f"{_CREDENTIALS} {where}", (credential_id,))


def spares_of(db: Database, account_id: int) -> list[Credential]:
    """Deposits of the account that wait beside the one in force, newest first."""
    where = "where c.account_id = ? and c.spare = 1 and c.destroyed_at is null order by c.id desc"
    return all_of(db, Credential, f"{_CREDENTIALS} {where}", (account_id,))


def adopt(db: Database, spare: Credential, now: datetime) -> None:
    """The spare takes the place of the deposit in force, and no other spare can be the one that holds any more."""
    supersede(db, spare.account_id, spare.kind, now)
    guarded_update(db, "credential", spare.id, {"spare": False, "superseded_at": None}, where={"spare": True})
    db.execute("update credential set spare = 0 where account_id = ? and spare = 1", (spare.account_id,))


def sealed_of(db: Database, credential_id: int) -> bytes | None:
    """The sealed secret, None once it was destroyed."""
    sealed: bytes | None = scalar(db, "select sealed from credential where id = ?", (credential_id,))
    return sealed


def supersede(db: Database, account_id: int, kind: CredentialKind, now: datetime) -> None:
    """The deposit in force gives way to a new one; its secret is kept until the new one is known to work."""
    db.execute(
        "update credential set superseded_at = ? where account_id = ? and kind = ? and superseded_at is null",
        [to_column(value) for value in (now, account_id, kind)],
    )


_GIVEN_UP = """c.kind = 'api_token' and c.superseded_at is not null and c.destroyed_at is null and not exists (
  select 1 from credential held where held.account_id = c.account_id and held.kind = c.kind
    and held.superseded_at is null and held.destroyed_at is null)"""


def given_up_key(db: Database, account_id: int) -> Credential | None:
    """The machine's newest key that is out of force with none in its place; None once it was destroyed."""
    where = f"where c.account_id = ? and {_GIVEN_UP} order by c.id desc limit 1"
    return one_of(db, Credential, f"{_CREDENTIALS} {where}", (account_id,))


def accounts_with_given_up_key(db: Database) -> list[int]:
    """Every account of which `given_up_key` finds one."""
    found = db.execute(f"select distinct c.account_id from credential c where {_GIVEN_UP} order by 1")  # noqa: S608
    return [row[0] for row in found]


def accounts_sharing(db: Database, fingerprints: Sequence[str], *, other_than: int) -> set[int]:
    """The other accounts for which a near form of this secret is, or was, deposited (SEC203)."""
    marks = ", ".join("?" for _ in fingerprints)
    rows = dicts(
        db,
        f"""select distinct c.account_id from credential_fingerprint f join credential c on c.id = f.credential_id
            where f.fingerprint in ({marks}) and c.account_id <> ?""",  # noqa: S608
        (*fingerprints, other_than),
    )
    return {row["account_id"] for row in rows}


def deposited_before(db: Database, account_id: int, fingerprints: Sequence[str]) -> bool:
    """True where a near form of this secret was deposited for this account already, as whatever it was."""
    marks = ", ".join("?" for _ in fingerprints)
    found = scalar(
        db,
        f"""select 1 from credential_fingerprint f join credential c on c.id = f.credential_id
            where f.fingerprint in ({marks}) and c.account_id = ? limit 1""",  # noqa: S608
        (*fingerprints, account_id),
    )
    return found is not None


def has_fingerprint(db: Database, credential_id: int, exact: str) -> bool:
    """True where the deposit's secret is exactly this one."""
    return bool(scalar(db, "select fingerprint = ? from credential where id = ?", (exact, credential_id)))


def last_looked_at(db: Database, account_id: int, staff_id: int) -> int | None:
    """The deposit of this account's password that this person looked at last, in force or not; None: they never did."""
    found: int | None = scalar(
        db,
        "select credential_id from reveal join credential c on c.id = credential_id"
        " where c.account_id = ? and c.kind = 'password' and staff_id = ? order by reveal.id desc limit 1",
        (account_id, staff_id),
    )
    return found


def knowers(db: Database, account_id: int) -> set[int]:
    """Staff who deposited or saw the secret that is in force: those whose leaving asks for a new one (SEC204)."""
    rows = dicts(
        db,
        f"""with same as (select c.id, c.deposited_by from credential c join credential now
             on now.account_id = c.account_id and now.kind = c.kind and now.secret_at = c.secret_at
             where c.account_id = ? and now.superseded_at is null and now.destroyed_at is null)
           select deposited_by as staff_id from same where deposited_by is not null
           union select staff_id from reveal where credential_id in (select id from same)
             and {LOOK_THAT_TELLS}""",  # noqa: S608
        (account_id,),
    )
    return {row["staff_id"] for row in rows}


def known_to_leavers(db: Database, account_id: int) -> dict[CredentialKind, int]:
    """What is in force and was deposited or seen by staff who left: kind → how many of them know it."""
    rows = db.execute(
        f"""select held.kind, count(distinct gone.id) from credential held
             join credential same on same.account_id = held.account_id and same.kind = held.kind
               and same.secret_at = held.secret_at
             left join reveal on reveal.credential_id = same.id and {LOOK_THAT_TELLS}
             join staff gone on gone.id in (same.deposited_by, reveal.staff_id) and gone.left_at is not null
           where held.account_id = ? and held.superseded_at is null and held.destroyed_at is null
           group by held.id order by held.id""",  # noqa: S608
        (account_id,),
    )
    return {CredentialKind(kind): people for kind, people in rows}


def accounts_known_to(db: Database, staff_id: int) -> set[int]:
    """Accounts of which this person deposited or saw a secret that was not destroyed: to be asked `knowers` about."""
    rows = db.execute(
        """select account_id from credential where destroyed_at is null and
             (deposited_by = :who or id in (select credential_id from reveal where staff_id = :who))""",
        {"who": staff_id},
    )
    return {row[0] for row in rows}


def destroy(db: Database, account_id: int, now: datetime, *, superseded_only: bool = False) -> list[int]:
    """Overwrite the account's secrets and everything derived from them; the ids of those that were still there."""
    which = "account_id = ? and (destroyed_at is null or fingerprint is not null)"
    if superseded_only:
        which += " and superseded_at is not null and spare = 0"
    ids = [row["id"] for row in dicts(db, f"select id from credential where {which}", (account_id,))]  # noqa: S608
    for credential_id in ids:
        db.execute("delete from credential_fingerprint where credential_id = ?", (credential_id,))
        db.execute(
            "update credential set sealed = null, fingerprint = null, destroyed_at = ? where id = ?",
            (to_column(now), credential_id),
        )
    return ids
