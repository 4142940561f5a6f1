"""A platform's own export file as evidence: followers, follows, likes and posts, as old as the file is.

A person hands it in, so what it tells is a person's word with the file behind it. It counts from the moment at which
the platform made it, never from today; where something newer is known, that stands. Only the parts that were read are
kept: an archive can have messages in it, which are nobody's business here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.adapters import capabilities_of, shut_out
from socialgov.actions.blobs import save_blob
from socialgov.actions.findings import evaluate_account
from socialgov.actions.followers import BY_HAND, record_followers
from socialgov.actions.reading import READ_BY
from socialgov.errors import InvalidInput
from socialgov.exports import ExportReading, pack, read_export
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, Fact, Source
from socialgov.platforms import RemoteFollower
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.exports import insert_export
from socialgov.store.followers import all_followers_of
from socialgov.store.observations import insert_observation, newest_observation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, ExportEntry, ExportFormat, Staff

S = AccountState
THERE = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED, S.CLOSING})
PURPOSE = "export"
ANOTHER = "Ask the platform for a new file, and hand that in."


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What a file brought: lengths of the lists that count now, of those that are older than what is known, and
    what it does not tell. `listed` True: the followers on record were brought in line with its list.
    """

    made_at: datetime
    counted: dict[Fact, int]
    older: dict[Fact, int]
    missing: tuple[Fact, ...]
    listed: bool


def hand_in_export(
    home: Home,
    actor: Staff,
    account_id: int,
    files: Sequence[tuple[str, bytes]],
    *,
    now: datetime,
    made_on: date | None = None,
) -> ExportResult:
    """Read the export file of an account's platform, keep it sealed, and ask the rules again.

    `files` are the uploads, by name; `made_on` is the day on which a person says that the file was made, which is
    needed only where the file does not say. Raises InvalidInput (`files`, `made_on`), NotPermitted or WrongState.
    """
    account = _there(home, actor, account_id)
    reading = read_export(_format(home, account), files)
    _need_this_account(account, reading)
    made_at = _made_at(home, account, reading, made_on, now)
    if not any(_counts(home, actor, account, fact, made_at, now) for fact in reading.lists):
        raise _refuse("All that it tells is known from later already.", ANOTHER)
    blob_id = save_blob(
        home, pack(reading.parts), mime="application/zip", purpose=PURPOSE, account_id=account_id, made_by=actor.id,
        now=now,
    )  # fmt: skip
    with write(home.db) as db:
        account = _there(home, actor, account_id)
        result = _keep(home, db, actor, account, reading, blob_id, made_at, now)
        counts = {fact.value: number for fact, number in (result.counted | result.older).items()}
        export_id = insert_export(
            db, account_id=account_id, blob_id=blob_id, made_on=home.today(made_at), read_by=actor.id, counts=counts,
            now=now,
        )  # fmt: skip
        record_event(
            db, EventTag.EXPORT_READ, actor=actor_of(actor.id), now=now, subject="export", subject_id=export_id,
            account_id=account_id, data={"made_on": home.today(made_at).isoformat(), "evidence": blob_id, **counts},
        )  # fmt: skip
        evaluate_account(home, account_id, now=now, actor=actor_of(actor.id))
    return result


def _there(home: Home, actor: Staff, account_id: int) -> Account:
    account = account_by_id(home.db, account_id)
    permissions.check_can_attest(actor, account)
    if account.state not in THERE or account.set_up_at is None:
        raise WrongState("There is nothing on the platform yet, or nothing any more.", "Open the account again.")
    return account


def _format(home: Home, account: Account) -> ExportFormat:
    info = home.settings.platforms[account.platform]
    if info.export is None:
        raise _refuse(f"No export file of {info.name} can be read here.", "Say what is seen, with a screenshot.")
    return info.export


def _need_this_account(account: Account, reading: ExportReading) -> None:
    """Where the file says whose it is, it must be this account's: by its lasting id, else by its name."""
    if account.remote_id is not None and reading.owner_id is not None:
        same = reading.owner_id == account.remote_id
    else:
        same = reading.owner_name is None or reading.owner_name.casefold() == (account.handle or "").casefold()
    if not same:
        raise _refuse("It is the file of another account.", f"Sign in as {account.handle}, and ask for its file.")


def _made_at(home: Home, account: Account, reading: ExportReading, made_on: date | None, now: datetime) -> datetime:
    """When the platform made the file: the earliest that file and person say. A day counts from its first minute."""
    days = [day for day in (reading.made_on, made_on) if day is not None]
    if not days:
        message = "The file does not say when it was made: enter the day."
        raise InvalidInput("The export file was not read.", {"made_on": message}, "Enter the day, then hand it in.")
    day = min(days)
    exact = reading.made_at is not None and day == reading.made_at.date()
    midnight = datetime.combine(day, time(), home.settings.zone)
    made_at = reading.made_at if exact and reading.made_at is not None else midnight
    newest = max((entry.at for some in reading.lists.values() for entry in some if entry.at), default=None)
    if made_at > now + timedelta(minutes=5):
        raise _refuse("It says that it was made in the future.", "Look at the day, and hand it in again.")
    if newest is not None and newest > made_at + timedelta(days=1):
        raise _refuse("It has entries that are newer than its day.", "Look at the day, and hand it in again.")
    if account.set_up_at is not None and made_at < account.set_up_at:
        raise _refuse("It was made before the account was set up here, or on that day.", ANOTHER)
    return made_at


def _counts(home: Home, actor: Staff, account: Account, fact: Fact, made_at: datetime, now: datetime) -> bool:
    """Is the file's word on this fact the newest? What the platform itself tells the machine is not replaced by it,
    and what it told lately not by a keeper's file either, who may have ended the connection.
    """
    seen = newest_observation(home.db, account.id, fact)
    if seen is not None and seen.observed_at >= made_at:
        return False
    told = newest_observation(home.db, account.id, fact, source=Source.API)
    ended = shut_out(home, account) and permissions.is_keeper(actor, account)
    if told is None or not (ended or READ_BY.get(fact) in capabilities_of(home, account)):
        return True
    return now - told.observed_at > timedelta(days=home.settings.policy.observation_days)


def _keep(
    home: Home,
    db: Database,
    actor: Staff,
    account: Account,
    reading: ExportReading,
    blob_id: int,
    made_at: datetime,
    now: datetime,
) -> ExportResult:
    counted: dict[Fact, int] = {}
    older: dict[Fact, int] = {}
    listed = False
    for fact, entries in reading.lists.items():
        if not _counts(home, actor, account, fact, made_at, now):
            older[fact] = len(entries)
            continue
        counted[fact] = len(entries)
        insert_observation(
            db, account_id=account.id, fact=fact, value=len(entries), source=Source.ATTESTED, observed_by=actor.id,
            evidence_id=blob_id, note="From the platform's own export file.", now=made_at,
        )  # fmt: skip
        if fact is Fact.FOLLOWERS and (followers := _followers(db, account.id, entries, made_at)) is not None:
            record_followers(home, account.id, followers, now=now, actor=actor_of(actor.id))
            listed = True
    return ExportResult(made_at, counted, older, reading.missing, listed)


def _followers(
    db: Database, account_id: int, entries: Sequence[ExportEntry], made_at: datetime
) -> list[RemoteFollower] | None:
    """The file's list as the platform would have told it, with those who were first seen after it was made.

    None where it has numbers only and the record names only: nobody can tell then who is who, and the count alone,
    which says whether some are missing here, is kept.
    """
    known = all_followers_of(db, account_id)
    by_id = {one.remote_id: one for one in known}
    by_handle = {one.handle.casefold(): one for one in known}
    if any(entry.name is None for entry in entries) and any(one.remote_id.startswith(BY_HAND) for one in known):
        return None
    found: dict[str, RemoteFollower] = {}
    for entry in entries:
        old = by_id.get(entry.id or "") or by_handle.get((entry.name or "").casefold())
        if old is not None and old.gone_at is not None and old.gone_at > made_at:
            continue  # seen to be gone after the file was made
        if old is not None:
            one = RemoteFollower(old.remote_id, old.handle, old.display_name)
        else:
            handle = entry.name or entry.id or ""
            one = RemoteFollower(entry.id or BY_HAND + handle.casefold(), handle, handle)
        found[one.remote_id] = one
    later = [one for one in known if one.gone_at is None and (one.first_seen_at > made_at or one.waiting)]
    kept = {one.remote_id: RemoteFollower(one.remote_id, one.handle, one.display_name, one.waiting) for one in later}
    return list((kept | found).values())


def _refuse(what: str, mend: str) -> InvalidInput:
    return InvalidInput("The export file was not read.", {"files": f"{what} {mend}"}, mend)
