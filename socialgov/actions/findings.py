"""Ask every rule about an account, keep the answers, and tell those responsible when a rule newly breaks.

How unknown, enforcement, exceptions and freshness combine stands in docs/decisions/0006-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov import rules
from socialgov.actions.followers import follower_summary
from socialgov.actions.notices import notify
from socialgov.lifecycle import WATCHED_STATES
from socialgov.models import (
    AccountState,
    CredentialKind,
    Enforcement,
    Fact,
    Finding,
    Observation,
    Role,
    StepName,
)
from socialgov.rules.base import LaterRule
from socialgov.rules.facts import AccountFacts, ClosingSummary, FollowerSummary
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import closing_of, steps_of
from socialgov.store.connect import write
from socialgov.store.contacts import contacts_of, delegates_of
from socialgov.store.credentials import current_credential, knowers
from socialgov.store.events import EventTag, record_event
from socialgov.store.findings import (
    SchoolRecords,
    findings_of,
    forget_findings,
    save_findings,
    school_records,
    touch_findings,
    unrecorded_looks,
)
from socialgov.store.observations import followers_on_record, newest_observations
from socialgov.store.people import audience_size
from socialgov.store.posts import posts_to_take_down
from socialgov.store.rotations import open_rotation
from socialgov.store.rows import moment_text
from socialgov.store.staff import staff_by_ids, staff_with_role
from socialgov.store.waivers import active_waivers, extensions_of

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account

_CLOSING = frozenset({AccountState.CLOSING, AccountState.CLOSED})


# ------------------------------------------------------------------------------------------------------- facts


def facts_of(home: Home, account: Account, now: datetime) -> AccountFacts:
    """All that is known about `account` at `now`, in about a dozen statements however long its history is.

    What was observed before its name on the platform was recorded is about another account and is left out.
    """
    db, settings, today = home.db, home.settings, home.today(now)
    info = settings.platforms[account.platform]
    observations = newest_observations(db, account.id, account.set_up_at)
    followers = follower_summary(db, account, info, settings.policy, today)
    credential = current_credential(db, account.id, CredentialKind.PASSWORD)
    known_by = knowers(db, account.id) if credential else set()
    delegates = {one.staff_id for one in delegates_of(db, account.id) if one.staff_id is not None}
    wanted = {account.owner_id, account.deputy_id, account.decided_by or account.owner_id, *known_by, *delegates}
    staff = staff_by_ids(db, wanted)
    school = school_records(db)
    return AccountFacts(
        account=account,
        platform=info,
        platform_approved=account.platform in settings.approved_platforms,
        policy=settings.policy,
        email_domains=settings.email_domains,
        contact=settings.contact,
        zone=settings.zone,
        now=now,
        today=today,
        owner=staff.get(account.owner_id),
        deputy=staff.get(account.deputy_id),
        decided_by=staff.get(account.decided_by) if account.decided_by else None,
        observations=observations,
        credential=credential,
        rotation=open_rotation(db, account.id),
        contacts=tuple(contacts_of(db, account.id)),
        delegates_left=sum(not staff[one].current for one in delegates),
        knowers_left=sum(not staff[one].current for one in known_by),
        followers=followers,
        followers_not_on_record=_not_on_record(db, account, observations, followers),
        waivers={waiver.rule_id: waiver for waiver in active_waivers(db, account.id, today)},
        extensions=tuple(extensions_of(db, account.id)),
        closing=_closing_summary(db, account) if account.state in _CLOSING else None,
        audience_size=audience_size(db, account.id),
        log_whole=_log_whole(school, now, timedelta(days=settings.policy.observation_days)),
        unrecorded_looks=unrecorded_looks(db, account.id),
        take_down_due_at=tuple(
            post.take_down_by_at for post in posts_to_take_down(db, account.id) if post.take_down_by_at is not None
        ),
        retention_ran_at=school.retention_ran_at,
    )


def _not_on_record(
    db: Database, account: Account, observations: Mapping[Fact, Observation], followers: FollowerSummary
) -> int:
    """How many more followers the platform counted than the list here had then; nobody knows who those are."""
    seen = observations.get(Fact.FOLLOWERS)
    if seen is None or seen.value <= followers.total:
        return 0
    return max(0, int(seen.value) - followers_on_record(db, account.id, seen.observed_at))


def _closing_summary(db: Database, account: Account) -> ClosingSummary | None:
    closing = closing_of(db, account.id)
    if closing is None:
        return None
    done = {step.name: step.done_at for step in steps_of(db, closing.id)}
    return ClosingSummary(
        started_at=closing.started_at,
        deactivated_seen_at=done.get(StepName.SEE_IT_GONE),
        gone_seen_at=done.get(StepName.SEE_IT_GONE_FOR_GOOD),
        erased_at=done.get(StepName.ERASE_PEOPLE),
    )


def _log_whole(school: SchoolRecords, now: datetime, good_for: timedelta) -> bool | None:
    """What the newest check of the log said. A fault does not get better with time; a good answer gets old."""
    if school.log_checked_at is None or school.log_whole is False:
        return school.log_whole
    return True if now - school.log_checked_at <= good_for else None


# ------------------------------------------------------------------------------------------------------- asking


def current_findings(home: Home, account: Account, now: datetime) -> list[Finding]:
    """Every rule's answer at this moment, those of later versions too. Writes nothing: for pages and gates."""
    return rules.evaluate(facts_of(home, account, now))


def gate(home: Home, account_id: int, now: datetime) -> list[Finding]:
    """The answers that decide whether the account may go live, at this moment; `rules.blocking` names the obstacles."""
    return rules.gate_findings(current_findings(home, account_by_id(home.db, account_id), now))


def evaluate_account(home: Home, account_id: int, *, now: datetime, actor: str = "job:check") -> list[Finding]:
    """Ask every rule about the account and keep the answers; returns them in the catalogue's order.

    Facts are read inside the write, so the answers fit what the transaction saw. Only findings that changed are
    written anew; one FINDING_CHANGED event names the rules whose answer did. Rules that a later version will answer
    are not stored: nobody can act on them, and they would count as unknown in the register.
    """
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        findings = current_findings(home, account, now)
        _keep(db, home, account, findings, now, actor)
    return findings


def _keep(db: Database, home: Home, account: Account, findings: Iterable[Finding], now: datetime, actor: str) -> None:
    new = {one.rule_id: one for one in findings if not isinstance(rules.CATALOGUE[one.rule_id], LaterRule)}
    old = {one.rule_id: one for one in findings_of(db, account.id)}
    save_findings(db, account.id, [one for one in new.values() if not _same(one, old.get(one.rule_id))], now)
    forget_findings(db, account.id, old.keys() - new.keys())
    touch_findings(db, account.id, now)
    changed = {
        rule_id: [old[rule_id].answer if rule_id in old else None, one.answer]
        for rule_id, one in new.items()
        if one.answer is not (old[rule_id].answer if rule_id in old else None)
    }
    if changed:
        record_event(
            db,
            EventTag.FINDING_CHANGED,
            actor=actor,
            now=now,
            subject="account",
            subject_id=account.id,
            account_id=account.id,
            data=changed,
        )
    if account.state in WATCHED_STATES:
        # while it was being set up nobody was told, so on the day it goes live everything is news
        _tell(db, home, account, {} if account.live_at == now else old, new, now)


def _same(new: Finding, old: Finding | None) -> bool:
    """Nothing but the moment of asking differs."""
    return old is not None and all(
        getattr(new, name) == getattr(old, name)
        for name in ("answer", "because", "enforcement", "evidence_at", "evidence_source", "evidence_by", "waived_by")
    )


# ------------------------------------------------------------------------------------------------------- telling


def _tell(
    db: Database,
    home: Home,
    account: Account,
    old: Mapping[str, Finding],
    new: Mapping[str, Finding],
    now: datetime,
) -> None:
    """Owner and network manager hear of rules that newly break; the owner hears what must be looked at again.

    Of a rule that is the same for every account only the network manager hears, once a day: no owner could mend it.
    """
    watched = [one for one in new.values() if rules.CATALOGUE[one.rule_id].watched]
    broken = [one for one in watched if _in_breach(one) and not _in_breach(old.get(one.rule_id))]
    stale = [one for one in watched if _unknown(one) and _held(old.get(one.rule_id))]
    on = home.settings.platforms[account.platform].name
    managers = {staff.id for staff in staff_with_role(db, Role.NETWORK_MANAGER)}
    if of_school := [one for one in (*broken, *stale) if rules.CATALOGUE[one.rule_id].school_wide]:
        _notify_of_school(db, managers, of_school, home.today(now), now)
    broken, stale = _of_account(broken), _of_account(stale)
    if broken:
        text = f"{account.name} on {on} is out of order. {_listed(broken)}"
        _notify_each(db, account, {account.owner_id, *managers}, "rule_broken", text, now)
    if stale:
        text = f"{account.name} on {on} needs a fresh look. {_listed(stale)}"
        _notify_each(db, account, {account.owner_id}, "look_again", text, now)


def _notify_each(db: Database, account: Account, staff_ids: set[int], kind: str, text: str, now: datetime) -> None:
    """One notice each, whatever the number of rules; the key lets the same rule be told again when it breaks again."""
    for staff_id in sorted(staff_ids):
        notify(
            db,
            staff_id=staff_id,
            kind=kind,
            text=text,
            dedupe_key=f"{kind}:{account.id}:{moment_text(now)}",
            now=now,
            account_id=account.id,
        )


def _notify_of_school(db: Database, staff_ids: set[int], findings: list[Finding], day: date, now: datetime) -> None:
    for staff_id in sorted(staff_ids):
        for one in findings:
            text = f"Something is out of order for the whole school. {_listed([one])}"
            key = f"school_rule:{one.rule_id}:{day}"
            notify(db, staff_id=staff_id, kind="school_rule", text=text, dedupe_key=key, now=now)


def _of_account(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if not rules.CATALOGUE[one.rule_id].school_wide]


def _listed(findings: list[Finding]) -> str:
    return " ".join(f"{rules.CATALOGUE[one.rule_id].title} ({one.rule_id}): {one.because}" for one in findings)


def _in_breach(finding: Finding | None) -> bool:
    return finding is not None and finding.answer is False and not finding.passes


def _unknown(finding: Finding) -> bool:
    return finding.answer is None and not finding.passes


def _held(finding: Finding | None) -> bool:
    return finding is not None and finding.answer is True and finding.enforcement is Enforcement.ENFORCED
