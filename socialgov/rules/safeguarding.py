"""SAF: concerns about children, and stopping an account. Concerns are recorded by a later version."""

from __future__ import annotations

from socialgov.models import AccountState, Fact, When
from socialgov.rules.base import AccountRule, LaterRule
from socialgov.rules.facts import AccountFacts
from socialgov.rules.secrets import login_seen

_ON_PAPER = "concerns are recorded here; until then go to the safeguarding lead or the head in person, at once."


class ConcernArrives(LaterRule):
    id = "SAF901"
    title = (
        "A concern about a child reaches the safeguarding lead or the head at once, and only those who should see it"
    )
    source = "P1.A13, P2.13, P3.13, P4 problems, P5"
    advice = "Tell the safeguarding lead or the head at once. Do not write it into a post or a note here."
    when = (When.REPORT,)
    later = _ON_PAPER


class EvidenceSaved(LaterRule):
    id = "SAF902"
    title = "Evidence is saved: what, where, when, by whom, unchanged since"
    source = "P5 cyber bullying"
    advice = "Take a screenshot with date and address before anything is removed, and hand it to the safeguarding lead."
    when = (When.REPORT,)
    later = _ON_PAPER


class StaffConcerns(LaterRule):
    id = "SAF903"
    title = (
        "Concerns about staff go to the head (about the head: to the governors), who turns to the LADO or HR;"
        " no home-made investigation"
    )
    source = "P5 school responsibilities"
    advice = "Tell the head; about the head, tell the chair of governors. Do not investigate yourself."
    when = (When.REPORT,)
    later = _ON_PAPER


class StoppedAtOnce(AccountRule):
    """Stopping here ends posting at once; stopping on the platform needs a login that works."""

    id = "SAF904"
    title = "An account can be stopped at once"
    source = "P5, P1.S9"
    advice = "Press “Suspend” on the account's page: you, the head, the safeguarding lead and the network manager can."
    when = (When.ANY_TIME,)
    evidence = (Fact.LOGIN_WORKS,)
    broken = "Posting can be stopped here, but the deposited login did not work: nobody can stop it on the platform."
    unknown = "Posting can be stopped here; nobody has seen lately that the deposited login works on the platform."

    def check(self, facts: AccountFacts) -> bool | None:
        if facts.account.state is not AccountState.LIVE:
            return True
        seen = login_seen(facts)
        works: bool | None = None if seen is None else seen.value
        return works

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if facts.account.state is not AccountState.LIVE:
            return "It is not live, so nothing goes out."
        if answer:
            return "Posting stops here at once, and the deposited login works on the platform."
        return self.broken if answer is False else self.unknown


class AbuseUnanswered(AccountRule):
    """Whether what it wrote was an answer to abuse is for a person to say."""

    id = "SAF905"
    title = "Abuse is not answered online"
    source = "P5 cyber bullying"
    advice = "Do not answer. Save it, report it to the safeguarding lead, and let the school act."
    when = (When.GUIDANCE,)
    evidence = (Fact.CONVERSATIONS,)
    holds = "The account answers nobody."
    unknown = "The account answered somebody: a person must look whether it was abuse."

    def check(self, facts: AccountFacts) -> bool | None:
        return True if facts.value(Fact.CONVERSATIONS) == 0 else None


class CriticismPassedOn(LaterRule):
    id = "SAF906"
    title = "Criticism or unsuitable content about the school is passed to line manager, safeguarding lead or head"
    source = "P2.O6, P5 (content report form)"
    advice = "Pass it on to your line manager, the safeguarding lead or the head. Do not answer it."
    when = (When.REPORT,)
    later = _ON_PAPER


class BefriendingReported(LaterRule):
    id = "SAF907"
    title = "A pupil's or parent's attempt to befriend staff, or the other way round, is reported to the head"
    source = "P5 pupils and parents"
    advice = "Refuse, and tell the head."
    when = (When.REPORT,)
    later = _ON_PAPER


RULES = (
    ConcernArrives,
    EvidenceSaved,
    StaffConcerns,
    StoppedAtOnce,
    AbuseUnanswered,
    CriticismPassedOn,
    BefriendingReported,
)
