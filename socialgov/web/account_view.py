"""What the pages about one account show, in words: gathered here, so that views and templates stay short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import g, url_for

from socialgov.actions.accounts import Task, task_list
from socialgov.actions.machine_tokens import key_since, makes_keys
from socialgov.actions.marks import marks_of
from socialgov.lifecycle import WATCHED_STATES, confirmation_due_at
from socialgov.models import (
    Account,
    AccountKind,
    Fact,
    Finding,
    Observation,
    PlatformInfo,
    Source,
    Waiver,
)
from socialgov.platforms import needs_connection
from socialgov.store.connections import connection_of
from socialgov.web.access import may_open
from socialgov.web.attest_forms import QUESTIONS
from socialgov.web.deposit_view import held_rows
from socialgov.web.words import KINDS, ago, day_words, source_words

if TYPE_CHECKING:
    from datetime import date, datetime

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownTask:
    """A task with its link; none where the page is not this person's."""

    title: str
    hint: str
    done: bool | None
    href: str | None


@dataclass(frozen=True, slots=True)
class ShownWaivers:
    """Exceptions that the head made in one go, with one reason: which rules are still excepted, which no longer."""

    reason: str
    decided_by: int
    decided_at: datetime
    until_on: date | None
    in_force: tuple[Waiver, ...]
    ended: tuple[Waiver, ...]


def shown_waivers(waivers: Sequence[Waiver]) -> list[ShownWaivers]:
    """The exceptions, newest first, as they were made: `may be public` is several rules and one decision."""
    together: dict[tuple[datetime, str], list[Waiver]] = {}
    for waiver in waivers:
        together.setdefault((waiver.decided_at, waiver.reason), []).append(waiver)
    return [
        ShownWaivers(
            reason=reason,
            decided_by=some[0].decided_by,
            decided_at=decided_at,
            until_on=some[0].until_on,
            in_force=tuple(sorted((one for one in some if not one.ended_at), key=lambda one: one.rule_id)),
            ended=tuple(sorted((one for one in some if one.ended_at), key=lambda one: one.rule_id)),
        )
        for (decided_at, reason), some in together.items()
    ]


def shown_tasks(account: Account) -> list[ShownTask]:
    """The task list to the gate, each with its page where this person may open it.

    In a list of things to do, what nobody can tell yet is a thing to do; the hint says that nobody has looked.
    """
    return [
        ShownTask(task.title, _hint(task), bool(task.done), _task_href(task, account))
        for task in task_list(g.home, account, g.now)
    ]


def _hint(task: Task) -> str:
    return task.hint if task.done else f"{task.hint} {task.who}.".strip()


# a task about one fact leads to the page that asks for it
FACT_OF_TASK = {
    "school_address": Fact.SETUP_EMAIL,
    "logo": Fact.LOGO,
    "profile": Fact.PROFILE_TEXT,
    "private": Fact.PRIVATE,
}


def _task_href(task: Task, account: Account) -> str | None:
    if task.href_endpoint in (None, "accounts.page") or not may_open(task.href_endpoint, g.staff, account):
        return None
    if task.href_endpoint == "setup.facts" and task.key in FACT_OF_TASK:
        return _fact_href(account, FACT_OF_TASK[task.key])
    return url_for(task.href_endpoint, account_id=account.id)


def _fact_href(account: Account, fact: Fact) -> str:
    """Where a person says what is so about `fact`: the logo is compared and has a page of its own."""
    if fact is Fact.LOGO:
        return url_for("setup.say_logo", account_id=account.id)
    return url_for("setup.say", account_id=account.id, fact=fact.value)


def evidence_words(finding: Finding, names: Mapping[int, str]) -> str:
    """How old a finding's evidence is and whose."""
    if finding.evidence_at is None:
        return "From the school's own records." if finding.answer is not None else "No evidence."
    if finding.evidence_source is Source.API:
        return f"Read from the platform {ago(finding.evidence_at)}."
    who = names.get(finding.evidence_by or 0, "somebody")
    return f"Seen by {who} {ago(finding.evidence_at)}."


def about(account: Account, names: Mapping[int, str]) -> list[Row]:
    """The account in words, for everybody who may see it."""
    platform = g.home.settings.platforms[account.platform]
    rows: list[Row] = [
        ("Address", platform.url_of(account.handle) if account.handle else "Not set up yet"),
        ("Purpose", account.purpose),
        ("Audience", account.audience),
        ("Owner", names.get(account.owner_id, "not known")),
        ("Deputy", names.get(account.deputy_id, "not known")),
        ("From", day_words(account.starts_on)),
        *_until(account),
        ("Set up with", account.school_email or "Not recorded"),
        *held_rows(account, names),
        *_own_key(account),
        *_connection(account),
        *_marks(account),
        ("Asked for", f"{names.get(account.requested_by, 'not known')}, {_day(account.requested_at)}"),
    ]
    if account.decided_by:
        decision = f"{names.get(account.decided_by, 'not known')}, {_day(account.decided_at)}"
        rows.append(("Decided", f"{decision}. {account.decision_reason or ''}".strip()))
    if account.live_at:
        rows.append(("Live since", _day(account.live_at)))
    return rows


def request_rows(account: Account, names: Mapping[int, str]) -> list[Row]:
    """What was asked for, for whoever decides on it."""
    platform = g.home.settings.platforms[account.platform]
    return [
        ("Platform", platform.name),
        ("Kind of account", KINDS[account.kind]),
        ("Handle wished", account.handle_wished),
        ("Purpose", account.purpose),
        ("Audience", account.audience),
        ("From", day_words(account.starts_on)),
        *_until(account),
        ("Owner", names.get(account.owner_id, "not known")),
        ("Deputy", names.get(account.deputy_id, "not known")),
        ("Asked for by", f"{names.get(account.requested_by, 'not known')}, {_day(account.requested_at)}"),
    ]


def _until(account: Account) -> list[Row]:
    if account.kind is AccountKind.TRIP:
        return [("Until", f"The end of {day_words(account.ends_on)}" if account.ends_on else "No date")]
    rows: list[Row] = [("Review date", day_words(account.review_on) if account.review_on else "No date")]
    due = confirmation_due_at(account, g.home.settings.policy)
    if due and account.state in WATCHED_STATES:
        rows.append(("To be confirmed by", _day(due)))
    return rows


def _own_key(account: Account) -> list[Row]:
    """What the machine checks it with, where the platform gives such keys at all."""
    if not makes_keys(g.home, account):
        return []
    since = key_since(g.home, account.id)
    return [("socialgov's own key", f"Made {ago(since)}" if since else "None that works")]


def _connection(account: Account) -> list[Row]:
    """Whether socialgov is let in there, where accounts of the platform are connected at all."""
    info = g.home.settings.platforms[account.platform]
    if not needs_connection(info):
        return []
    connection, href = connection_of(g.home.db, account.id), url_for("connections.show", account_id=account.id)
    if connection is None:
        said = "Not yet: people look, and say what they saw"
    elif connection.works:
        said = f"As {connection.handle}, since {_day(connection.connected_at)}"
    else:
        said = f"{info.name} no longer lets socialgov in. Connect it again"
    link = (href, "the connection") if may_open("connections.show", g.staff, account) else ()
    return [(f"Connected with {info.name}", said, *link)]


def _marks(account: Account) -> list[Row]:
    """What the platform's moderators say of it, where the platform tells."""
    told = marks_of(g.home, account)
    if told is None:
        return []
    said = "; ".join(told.words) or "None"
    return [("Moderators' marks", f"{said}. Read from the platform {ago(told.observed_at)}.")]


def _day(moment: datetime | None) -> str:
    return day_words(g.home.today(moment)) if moment else "not known"


# --------------------------------------------------------------------------------------------------- facts


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact: what is known, how old and whose, its screenshot, and where to say it anew."""

    title: str
    value: str
    evidence: str
    blob: int | None
    href: str


def fact_rows(account: Account, seen: Mapping[Fact, Observation], names: Mapping[int, str]) -> list[FactRow]:
    """Each fact that a person can say something about, in one order."""
    titles = {Fact.LOGO: "The school's logo", **{fact: question.title for fact, question in QUESTIONS.items()}}
    return [_fact_row(account, fact, title, seen, names) for fact, title in titles.items()]


def _fact_row(
    account: Account,
    fact: Fact,
    title: str,
    seen: Mapping[Fact, Observation],
    names: Mapping[int, str],
) -> FactRow:
    href = _fact_href(account, fact)
    observation = seen.get(fact)
    if observation is None:
        return FactRow(title, "Not known", "Nobody has looked", None, href)
    who = source_words(observation.source)
    if observation.observed_by:
        who = f"seen by {names.get(observation.observed_by, 'somebody')}"
    evidence = f"{who[0].upper()}{who[1:]} {ago(observation.observed_at)}"
    return FactRow(title, value_words(observation.value), evidence, observation.evidence_id, href)


def value_words(value: Any) -> str:
    """A fact's value in words."""
    if value is None:
        return "Not known"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    text = str(getattr(value, "value", value))
    return text if len(text) <= 200 else text[:197] + "…"


def guide(platform: PlatformInfo, name: str) -> tuple[str, ...]:
    """The sentences a person follows on this platform; empty where it has none."""
    return platform.guides.get(name, ())
