"""How the logins of all accounts stand, as a page and as a file; nothing is opened for either (OVS801, OVS804, OVS806).

What is wrong with an account is what the rules said when it was last checked, so that page, file and account agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov import permissions, platforms
from socialgov.csvfiles import write_table
from socialgov.models import AccountState, Capability, CredentialKind, Source
from socialgov.rules import CATALOGUE
from socialgov.rules.base import counted
from socialgov.rules.secrets import ROTATION_WORDS
from socialgov.store import audit as store
from socialgov.store.audit import AuditFilter, AuditRow
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, lately, record_event
from socialgov.store.paging import Page
from socialgov.store.staff import staff_by_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Staff

RULES = tuple(rule_id for rule_id in CATALOGUE if rule_id.startswith("SEC") or rule_id == "PPL704")
LARGEST_FILE = 100_000  # rows
ONE_SITTING = timedelta(hours=1)
KINDS = {
    CredentialKind.PASSWORD: "password",
    CredentialKind.RECOVERY_CODES: "recovery codes",
    CredentialKind.SECOND_FACTOR: "second factor",
    CredentialKind.NOTES: "notes",
}
YES_NO = {True: "Yes", False: "No", None: "Not known"}


@dataclass(frozen=True, slots=True)
class Line:
    """One account in words. `needs` are sentences, the rotation first; `knows` are the names of those who saw it."""

    row: AuditRow
    platform: str
    deposited: str
    age_days: int | None
    strength: str
    tested: str
    knows: tuple[str, ...]
    depositor: str
    recovery: str
    recovery_why: str
    key: str
    rotation: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """A page in words."""

    page: Page[AuditRow]
    lines: tuple[Line, ...]


def audit(home: Home, actor: Staff, wanted: AuditFilter, *, page: int, size: int, now: datetime) -> Audit:
    """A page of the audit, the most urgent account first. Looking is logged (OVS806)."""
    permissions.check_can_view_audit(actor)
    note_seen(home, actor, "credential", None, now=now)
    found = store.audit_page(home.db, wanted, RULES, now=now, page=page, size=size)
    return Audit(found, tuple(_lines(home, found.rows, now)))


def audit_file(home: Home, actor: Staff, wanted: AuditFilter, *, now: datetime) -> bytes:
    """The whole audit as CSV, UTF-8 with its mark so that a spreadsheet takes it. That it was taken is an event."""
    permissions.check_can_export_audit(actor)
    found = store.audit_page(home.db, wanted, RULES, now=now, size=LARGEST_FILE)
    content = write_table(HEADERS, (_cells(home, line) for line in _lines(home, found.rows, now)))
    with write(home.db) as db:
        data = {"accounts": len(found.rows), "platform": wanted.platform, "needing_only": wanted.needing_only}
        record_event(
            db, EventTag.CREDENTIAL_AUDITED, actor=actor_of(actor.id), now=now, subject="credential", data=data
        )
    return content


def note_seen(home: Home, actor: Staff, subject: str, subject_id: int | None, *, now: datetime) -> None:
    """Somebody looks through who knows what: one event a person, a subject and an hour, however often they turn a page.

    `subject` is "credential" for all accounts, or "staff" with the id of whoever leaves.
    """
    tag, who = EventTag.CREDENTIAL_AUDIT_SEEN, actor_of(actor.id)
    if not lately(home.db, tag, who, subject_id, now - ONE_SITTING):
        with write(home.db) as db:
            record_event(db, tag, actor=who, now=now, subject=subject, subject_id=subject_id)


# --------------------------------------------------------------------------------------------------- in words


def _lines(home: Home, rows: Iterable[AuditRow], now: datetime) -> Iterable[Line]:
    rows = tuple(rows)
    names = _names(home, rows)
    for row in rows:
        info = home.settings.platforms[row.platform]
        recovery = row.answers.get("SEC206")
        yield Line(
            row=row,
            platform=info.name,
            deposited=", ".join(KINDS[kind] for kind in row.kinds if kind in KINDS) or "nothing",
            age_days=(now - row.secret_at).days if row.secret_at else None,
            strength=_strength(row),
            tested=_tested(row),
            knows=tuple(names[one] for one in row.seen_by if one in names),
            depositor=names.get(row.deposited_by or 0, ""),
            recovery=YES_NO[recovery.answer if recovery else None],
            recovery_why=recovery.because if recovery else "Not asked yet.",
            key=_key(row, can=Capability.MAKE_TOKEN in platforms.capabilities(info)),
            rotation=_rotation(home, row, now),
            needs=tuple(_needs(home, row, now)),
        )


def _names(home: Home, rows: Iterable[AuditRow]) -> Mapping[int, str]:
    """Of those who looked or deposited; somebody who left is marked as such."""
    staff = staff_by_ids(home.db, {one for row in rows for one in (*row.seen_by, row.deposited_by or 0)})
    return {one.id: one.name if one.current else f"{one.name} (left)" for one in staff.values()}


def _strength(row: AuditRow) -> str:
    found = row.answers.get("SEC202")
    if row.secret_at is None or found is None:
        return "Not known"
    return {True: "Strong", False: "Weak", None: "Not known"}[found.answer]


def _tested(row: AuditRow) -> str:
    """The result of the newest test, and whether it was of what is deposited now."""
    if row.tried_at is None:
        return "Never"
    if row.deposited_at is not None and row.tried_at < row.deposited_at:
        return "Not since the last deposit"
    if row.worked is None:
        return "Not known"
    if not row.worked:
        return "Refused"
    return "Works" if row.tried_by is Source.ATTESTED else "Works, by the machine's word only"


def _key(row: AuditRow, *, can: bool) -> str:
    if not can:
        return "Not possible there"
    if row.key_since is None:
        return "None"
    return "Refused" if row.key_refused else "Works"


def _rotation(home: Home, row: AuditRow, now: datetime) -> str:
    if row.rotation is None or row.due_at is None:
        return ""
    by = home.today(row.due_at)
    words = "overdue since" if row.due_at <= now else "due by"
    return f"{words} {by.day} {by:%B %Y}, because {ROTATION_WORDS[row.rotation]}"


def _needs(home: Home, row: AuditRow, now: datetime) -> Iterable[str]:
    """What somebody has to do something about, in sentences."""
    if rotation := _rotation(home, row, now):
        yield f"A change of the password is {rotation}."
    asked = {rule_id: row.answers[rule_id] for rule_id in RULES if rule_id in row.answers}
    failing = {rule_id: found for rule_id, found in asked.items() if not found.passes}
    if rotation or "SEC204" in failing:
        failing.pop("PPL704", None)  # the same thing in other words
    if rotation:
        failing.pop("SEC204", None)
    if row.secret_at is None:  # all of these say once more that there is none
        failing = {rule_id: found for rule_id, found in failing.items() if rule_id in ("SEC201", "SEC206", "PPL704")}
    for rule_id, found in failing.items():
        yield f"Recovery: {found.because}" if rule_id == "SEC206" else found.because
    if row.strangers:
        yield f"{counted(row.strangers, 'delegate')} not on the staff any more, or never.".capitalize()
    if not row.answers and row.secret_at is None and row.state is not AccountState.CLOSING:
        yield "No user name and password are deposited."


# --------------------------------------------------------------------------------------------------- the file

HEADERS = (
    "Account", "Platform", "State", "Owner", "Deputy", "Deposited", "Password since", "Age in days", "Strength",
    "Used elsewhere", "Last tested", "Result", "Seen since its last change by", "Deposited by",
    "Recovery with the school", "Why", "Delegates", "Delegates not on the staff", "socialgov's own key",
    "Change of the password", "What is needed",
)  # fmt: skip


def _cells(home: Home, line: Line) -> tuple[str, ...]:
    row = line.row

    def day(moment: datetime | None) -> str:
        return home.today(moment).isoformat() if moment else ""

    reused = "Not known" if row.secret_at is None else YES_NO[row.reused]
    return (
        row.handle, line.platform, row.state.value, row.owner, row.deputy, line.deposited, day(row.secret_at),
        "" if line.age_days is None else str(line.age_days), line.strength, reused, day(row.tried_at), line.tested,
        "; ".join(line.knows), line.depositor, line.recovery, line.recovery_why, str(row.delegates), str(row.strangers),
        line.key, line.rotation, " ".join(line.needs),
    )  # fmt: skip
