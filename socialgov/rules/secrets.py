"""SEC: the password, who holds it and who has seen it."""

from __future__ import annotations

from datetime import datetime, timedelta

from socialgov.models import (
    AccountState,
    ContactKind,
    Credential,
    Fact,
    Observation,
    RecoveryContact,
    RotationReason,
    Source,
    When,
)
from socialgov.rules.base import NEVER, AccountRule, counted, day_words
from socialgov.rules.facts import AccountFacts
from socialgov.rules.strength import judged

# read after "the password must be changed because"
ROTATION_WORDS = {
    RotationReason.COMPROMISED: "it is compromised",
    RotationReason.LEFT: "somebody who kept the account or knew its secrets left",
    RotationReason.HANDED_OVER: "somebody who knows it no longer keeps the account",
    RotationReason.ASKED: "somebody asked for it",
    RotationReason.SCHEDULE: "it has been in use as long as the school allows",
}
CONTACT_WORDS = {
    ContactKind.ADDRESS: "recovery address",
    ContactKind.PHONE: "recovery phone",
    ContactKind.SECOND_FACTOR: "second factor",
}


def login_seen(facts: AccountFacts) -> Observation | None:
    """The newest word on whether the login works, if it is about the secret that is deposited now and not too old.

    Good for `policy.login_test_days`, whoever says it: trying a login again and again is itself a risk.
    """
    seen, credential = facts.observations.get(Fact.LOGIN_WORKS), facts.credential
    if seen is None or credential is None or seen.observed_at < credential.deposited_at:
        return None
    return seen if facts.now - seen.observed_at <= timedelta(days=facts.policy.login_test_days) else None


class Deposited(AccountRule):
    id = "SEC201"
    title = "Username and password are with the network manager before the account goes live"
    source = 'P1.S2, P5 ("passwords are kept in the office")'
    advice = "Deposit the user name and the password on the account's page. Keep no copy of your own."
    when = (When.GATE,)
    holds = "User name and password are deposited."
    broken = "No user name and password are deposited."

    def check(self, facts: AccountFacts) -> bool | None:
        return facts.credential is not None and bool(facts.credential.username.strip())


class Strong(AccountRule):
    id = "SEC202"
    title = "Strong: 8 or more characters with letters, numbers and symbols; not built on a dictionary word"
    source = "P2.6"
    advice = "Have one made on the page where it is deposited, set it on the platform, and deposit that."
    when = (When.DEPOSIT,)
    holds = "The deposited password is strong enough by what was measured when it came in."
    unknown = "No password is deposited."

    def check(self, facts: AccountFacts) -> bool | None:
        if facts.credential is None:
            return None
        found = judged(facts.credential, facts.policy)
        if found.problems:
            return False
        return None if found.unknown else True

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer or facts.credential is None:
            return super().because(facts, answer)
        found = judged(facts.credential, facts.policy)
        return " ".join(found.problems) or found.unknown


class UsedOnce(AccountRule):
    id = "SEC203"
    title = "Used for one system only"
    source = "P2.6"
    advice = "Give each account a password of its own."
    when = (When.DEPOSIT, When.WATCH)
    holds = "No other account here has or had this password."
    broken = "Another account here has or had this password, or one very like it."
    unknown = "No password is deposited."

    def check(self, facts: AccountFacts) -> bool | None:
        return None if facts.credential is None else not facts.credential.reused


class Changed(AccountRule):
    """A change that is due counts as broken once its time is over; one for a compromised password from the start."""

    id = "SEC204"
    title = "Changed: when compromised, when someone who knows it leaves, and on the school's schedule"
    source = "P1.A3, P2.6"
    advice = "Change the password when it is due, when somebody who knew it leaves, and at once when in doubt."
    when = (When.GATE, When.WATCH)
    unknown = "No password is deposited."

    def check(self, facts: AccountFacts) -> bool | None:
        kept = facts.credential
        if kept is None:
            return None
        due = self._due(kept, facts)
        return facts.knowers_left == 0 and not _pressing(facts) and (due is None or facts.now <= due)

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if facts.credential is None:
            return self.unknown
        if facts.rotation is not None and _pressing(facts):
            return f"It must be changed because {ROTATION_WORDS[facts.rotation.reason]}, and that is not done."
        if facts.knowers_left:
            people = counted(facts.knowers_left, "person", "people")
            return f"{people} who knew a secret of it left: change it.".capitalize()
        if answer and facts.rotation is not None:
            by = day_words(facts.day(facts.rotation.due_at))
            return f"It is being changed because {ROTATION_WORDS[facts.rotation.reason]}; that must be done by {by}."
        due = self._due(facts.credential, facts)
        if due is None:
            return "It is changed when somebody who knows it leaves or has it wrongly; the school sets no day."
        words = day_words(facts.day(due))
        return f"It must be changed by {words}." if answer else f"It was due to be changed by {words}."

    @staticmethod
    def _due(kept: Credential, facts: AccountFacts) -> datetime | None:
        """The day by the school's schedule; None where it has none."""
        days = facts.policy.password_max_age_days
        return (kept.secret_at or kept.deposited_at) + timedelta(days=days) if days else None


def _pressing(facts: AccountFacts) -> bool:
    """A change is open that cannot wait: the password is compromised, or the time for it is over."""
    due = facts.rotation
    return due is not None and (due.reason is RotationReason.COMPROMISED or facts.now >= due.due_at)


class LoginTested(AccountRule):
    """A machine's sign-in is no substitute for the network manager's word, but its refusal counts."""

    id = "SEC205"
    title = "The network manager has signed in with it once, and said so"
    source = "P1.S2"
    advice = "Ask the network manager to sign in once with what you deposited."
    when = (When.GATE,)
    evidence = (Fact.LOGIN_WORKS,)
    holds = "The network manager signed in with the deposited password."
    broken = "The deposited user name and password did not work."

    def check(self, facts: AccountFacts) -> bool | None:
        seen = login_seen(facts)
        if seen is None:
            return None
        if seen.value is False:
            return False
        return True if seen.source is Source.ATTESTED else None

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer is not None:
            return super().because(facts, answer)
        if facts.credential is None:
            return "No password is deposited, so nobody can sign in with it."
        if login_seen(facts) is not None:
            return "The machine could sign in; the network manager has not said so yet."
        return "The network manager has not signed in yet with what is deposited now, or long ago."


class RecoveryWithSchool(AccountRule):
    id = "SEC206"
    title = "Recovery address, phone and second factor belong to the school, not to a person"
    source = "P1.S2"
    advice = "In the account's security settings, leave only the school's address and the school's phone or key."
    when = (When.GATE, When.WATCH)
    evidence = (Fact.RECOVERY_WITH_SCHOOL,)
    holds = "Recovery address, phone and second factor are the school's."
    broken = "A recovery address, phone or second factor is a person's own."

    def check(self, facts: AccountFacts) -> bool | None:
        """What is on record can break it. That only the school's are on record does not show that there are no others:
        for that somebody looks."""
        if self._strangers(facts):
            return False
        ours: bool | None = facts.value(Fact.RECOVERY_WITH_SCHOOL)
        return ours

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if not self._strangers(facts):
            return super().because(facts, answer)
        return " ".join(self._whose(one, facts) for one in self._strangers(facts))

    @staticmethod
    def _strangers(facts: AccountFacts) -> list[RecoveryContact]:
        return [one for one in facts.contacts if not one.of_school]

    @staticmethod
    def _whose(one: RecoveryContact, facts: AccountFacts) -> str:
        """By office and without the value: this sentence is mailed, and names and numbers stay on the page."""
        what = f"A {CONTACT_WORDS[one.kind]}"
        if one.staff_id in (facts.account.owner_id, facts.account.deputy_id):
            office = "owner" if one.staff_id == facts.account.owner_id else "deputy"
            return f"{what} is the {office}'s own: ask them to put the school's in its place."
        if one.staff_id is not None:
            return f"{what} is a colleague's own: the page Who can recover it says whom to ask."
        return f"{what} is somebody's who is not on the staff: ask the owner to put the school's in its place."


class NobodyElseSees(AccountRule):
    id = "SEC207"
    title = "Nobody else sees it; each look is recorded with a reason before it is shown"
    source = "P1.A3, P2.6, P3.7, P5 users"
    advice = "Do not pass the password on. Whoever needs it asks the network manager, who looks with a reason."
    when = (When.ALWAYS,)
    holds = "Each look at the deposited password has its reason and its line in the log."
    unknown = "No password is deposited, so there is nothing to look at."

    def applies(self, facts: AccountFacts) -> bool:
        return facts.account.state not in NEVER

    def check(self, facts: AccountFacts) -> bool | None:
        if facts.unrecorded_looks:
            return False
        if facts.account.state is AccountState.CLOSED:
            return True
        return None if facts.credential is None or facts.unrecorded_looks is None else True

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer is False:
            looks = counted(facts.unrecorded_looks or 0, "look")
            return f"{looks} at the password without a reason, a right or a line in the log."
        return super().because(facts, answer)


RULES = (Deposited, Strong, UsedOnce, Changed, LoginTested, RecoveryWithSchool, NobodyElseSees)
