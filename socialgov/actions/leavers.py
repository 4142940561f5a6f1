"""When somebody leaves: all they keep, know and are let into, and one action that has all of it changed (PPL704).

The report is asked anew each time, so it shows what is still open until nothing is, whoever did the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov.actions.credential_audit import note_seen
from socialgov.actions.keepers import hand_over
from socialgov.actions.request_checks import keeper_faults
from socialgov.actions.rotations import begin_for_leaver
from socialgov.actions.staff import staff_leaves
from socialgov.csvfiles import write_table
from socialgov.errors import Conflict, InvalidInput
from socialgov.lifecycle import OPEN_STATES
from socialgov.models import AccountState, CredentialKind
from socialgov.permissions import check_can_manage_staff, check_can_view_leavers
from socialgov.store import leavers as store
from socialgov.store.accounts import accounts_of_keeper
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.leavers import KnownSecret, Leaver, LetIn, WaysLeft
from socialgov.store.rotations import open_rotations
from socialgov.store.staff import staff_by_id, staff_by_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Rotation, Staff

HANDED_OVER_IN = OPEN_STATES - {AccountState.REQUESTED}  # a request is changed instead
KINDS = {
    CredentialKind.PASSWORD: "Password",
    CredentialKind.RECOVERY_CODES: "Recovery codes",
    CredentialKind.SECOND_FACTOR: "Second factor",
    CredentialKind.NOTES: "Notes",
}
CONTACTS = {"address": "Recovery address", "phone": "Recovery phone", "second_factor": "Second factor"}


@dataclass(frozen=True, slots=True)
class Report:
    """What hangs on one person. `changing`: the open changes of passwords because they leave, or that they know."""

    someone: Staff
    kept: tuple[Account, ...]
    requests: tuple[Account, ...]
    secrets: tuple[KnownSecret, ...]
    changing: tuple[tuple[Rotation, Account], ...]
    delegations: tuple[LetIn, ...]
    recoveries: tuple[LetIn, ...]
    ways: WaysLeft

    @property
    def to_secure(self) -> bool:
        """They know a password that nobody is changing yet."""
        changing = {account.id for _, account in self.changing}
        return any(one.account_id not in changing for one in self.secrets)

    @property
    def done(self) -> bool:
        """Nothing hangs on them any more."""
        things = (self.kept, self.requests, self.secrets, self.changing, self.delegations, self.recoveries)
        return not any(things) and not self.ways.some


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who could keep an account on: the deputy in the owner's place. None: somebody must be chosen."""

    account: Account
    owner_id: int | None
    deputy_id: int | None


def leaver_report(home: Home, actor: Staff, staff_id: int) -> Report:
    """Every secret this person has seen since its last change, every account they keep, and every other way in."""
    check_can_view_leavers(actor)
    db, someone = home.db, staff_by_id(home.db, staff_id)
    accounts = [one for one in accounts_of_keeper(db, staff_id) if staff_id in (one.owner_id, one.deputy_id)]
    secrets = tuple(store.secrets_known_to(db, staff_id))
    known = {one.account_id for one in secrets}
    return Report(
        someone=someone,
        kept=tuple(one for one in accounts if one.state in HANDED_OVER_IN),
        requests=tuple(one for one in accounts if one.state is AccountState.REQUESTED),
        secrets=secrets,
        changing=tuple(
            pair for pair in open_rotations(db) if pair[0].leaver_id == staff_id or pair[0].account_id in known
        ),
        delegations=tuple(store.delegations_of(db, staff_id)),
        recoveries=tuple(store.recoveries_of(db, staff_id)),
        ways=store.ways_left(db, staff_id),
    )


def see_report(home: Home, actor: Staff, staff_id: int, *, now: datetime) -> Report:
    """The report for a page. Looking is logged (OVS806)."""
    check_can_view_leavers(actor)
    note_seen(home, actor, "staff", staff_by_id(home.db, staff_id).id, now=now)
    return leaver_report(home, actor, staff_id)


def leavers(home: Home, actor: Staff) -> list[Leaver]:
    """Those who left and of whom something is still open."""
    check_can_view_leavers(actor)
    return store.leavers_with_open_things(home.db)


def proposals(home: Home, staff_id: int) -> list[Proposal]:
    """For each account to be handed over, who is proposed."""
    kept = _kept(home.db, staff_id)
    people = staff_by_ids(home.db, {keeper for one in kept for keeper in (one.owner_id, one.deputy_id)})

    def stays(keeper: int) -> int | None:
        return keeper if keeper != staff_id and people[keeper].current else None

    found = []
    for one in kept:
        owner, deputy = stays(one.owner_id), stays(one.deputy_id)
        found.append(Proposal(one, owner or deputy, deputy if owner else None))
    return found


def secure_leaver(
    home: Home, actor: Staff, staff_id: int, keepers: Mapping[int, tuple[int, int]], *, now: datetime
) -> None:
    """End somebody's access, hand over all they keep, and begin to change all they know: together or not at all.

    `keepers` maps each of their accounts to its new owner and deputy. Works as well for somebody who left before.
    Raises InvalidInput with the fields `owner_ID` and `deputy_ID`, Conflict when they keep other accounts by now.
    """
    check_can_manage_staff(actor)
    with write(home.db) as db:
        someone, kept = staff_by_id(db, staff_id), _kept(db, staff_id)
        if {one.id for one in kept} != set(keepers):
            raise Conflict("What this person keeps has changed meanwhile.", "Look at the list again and repeat.")
        _check_keepers(db, staff_id, keepers)
        if someone.current:
            staff_leaves(home, actor, staff_id, now=now)
        changing = begin_for_leaver(home, db, staff_id, actor=actor_of(actor.id), now=now)
        for one in kept:
            owner_id, deputy_id = keepers[one.id]
            hand_over(home, actor, one.id, owner_id=owner_id, deputy_id=deputy_id, now=now)
        record_event(
            db, EventTag.LEAVER_SECURED, actor=actor_of(actor.id), now=now, subject="staff", subject_id=staff_id,
            data={"handed_over": sorted(keepers), "changing": changing},
        )  # fmt: skip


def _kept(db: Database, staff_id: int) -> list[Account]:
    mine = accounts_of_keeper(db, staff_id)
    return [one for one in mine if staff_id in (one.owner_id, one.deputy_id) and one.state in HANDED_OVER_IN]


def _check_keepers(db: Database, staff_id: int, keepers: Mapping[int, tuple[int, int]]) -> None:
    """Each account needs two people who work here and are not the one who leaves (ACC105)."""
    faults = {}
    for account_id, (owner_id, deputy_id) in keepers.items():
        found = keeper_faults(db, owner_id=owner_id, deputy_id=deputy_id)
        for field, keeper in (("owner_id", owner_id), ("deputy_id", deputy_id)):
            if keeper == staff_id:
                found[field] = "Choose somebody other than the one who leaves."
        faults |= {f"{field.removesuffix('_id')}_{account_id}": said for field, said in found.items()}
    if faults:
        raise InvalidInput("The accounts cannot be handed over like this.", faults, "Choose somebody else.")


# --------------------------------------------------------------------------------------------------- the file

HEADERS = ("What", "Account", "Platform", "Since", "More")


def report_file(home: Home, actor: Staff, staff_id: int, *, now: datetime) -> bytes:
    """The report as CSV. It names what somebody knows, so that it was taken is an event."""
    report = leaver_report(home, actor, staff_id)
    content = write_table(HEADERS, _lines(home, report))
    with write(home.db) as db:
        record_event(
            db, EventTag.CREDENTIAL_AUDITED, actor=actor_of(actor.id), now=now, subject="staff", subject_id=staff_id
        )
    return content


def _lines(home: Home, report: Report) -> Iterator[tuple[str, ...]]:
    platforms = home.settings.platforms
    for one in (*report.kept, *report.requests):
        part = "owner" if one.owner_id == report.someone.id else "deputy"
        yield (f"Keeps it as {part}", one.name, platforms[one.platform].name, "", one.state.value)
    for secret in report.secrets:
        seen = " and ".join(["deposited it"] * secret.deposited + [f"looked {secret.looks}×"] * bool(secret.looks))
        day = home.today(secret.last_at).isoformat()
        yield (f"Knows: {KINDS[secret.kind].lower()}", secret.handle, platforms[secret.platform].name, day, seen)
    for rotation, account in report.changing:
        day = home.today(rotation.due_at).isoformat()
        yield ("Password is being changed", account.name, platforms[account.platform].name, "", f"due {day}")
    for entry in report.delegations:
        day = home.today(entry.recorded_at).isoformat()
        yield ("Let in as delegate", entry.handle, platforms[entry.platform].name, day, entry.what)
    for entry in report.recoveries:
        day = home.today(entry.recorded_at).isoformat()
        yield (CONTACTS[entry.what], entry.handle, platforms[entry.platform].name, day, "leads to them")
