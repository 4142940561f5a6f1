"""DAT: personal data in the product itself."""

from __future__ import annotations

from datetime import timedelta

from socialgov.models import AccountState, Answer, PersonKind, When
from socialgov.rules.base import NEVER, AccountRule, LaterRule, PostRule, day_words
from socialgov.rules.facts import AccountFacts, PostFacts

# the erasure runs daily: a day and a night without it are forgiven
_LATE = timedelta(days=2)


class KeptNoLonger(AccountRule):
    id = "DAT001"
    title = "Personal data is kept no longer than needed"
    source = "P2.8, UK"
    advice = "Nothing to do: drafts, lists and photos that are not needed any more are erased daily."
    when = (When.DAILY,)
    school_wide = True
    unknown = "The daily erasure has not run yet: is the scheduler running?"

    def applies(self, facts: AccountFacts) -> bool:
        return facts.account.state not in NEVER

    def check(self, facts: AccountFacts) -> bool | None:
        if facts.account.state is AccountState.CLOSED:
            return facts.closing is not None and facts.closing.erased_at is not None
        ran = facts.retention_ran_at
        return None if ran is None else facts.now - ran <= _LATE

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if facts.account.state is AccountState.CLOSED:
            return "What was kept about people was erased." if answer else "What was kept about people was not erased."
        if facts.retention_ran_at is None:
            return self.unknown
        return f"The daily erasure last ran on {day_words(facts.day(facts.retention_ran_at))}."


class LeavesEncrypted(LaterRule):
    id = "DAT002"
    title = "What leaves the system is encrypted"
    source = "P2.8, P4 (encrypted, not by e-mail)"
    advice = "Do not copy names or photos out of socialgov, and never send them by e-mail."
    when = (When.EXPORT,)
    later = "exports are made, and encrypted; this version exports no personal data."


class BackedUp(LaterRule):
    id = "DAT003"
    title = "Backed up securely and restorable"
    source = "P4 personal safety"
    advice = "Nothing to do: the network manager backs up the school's folder."
    when = (When.DAILY,)
    later = "backups are made and tried here; until then the network manager backs up the school's folder."


class FoundAndHandedOver(LaterRule):
    id = "DAT004"
    title = "Everything held about one person can be found, handed over and, where due, erased"
    source = "UK (subject access)"
    advice = "Pass a request on to the data manager at once: the law sets a time limit."
    when = (When.ON_REQUEST,)
    later = "a person's data is gathered at a button; until then the data manager looks it up."


class BasisRecorded(PostRule):
    id = "DAT005"
    title = "The lawful basis for each use of a child's image is on record, beside the parents' permission"
    source = "UK (ICO)"
    advice = "Ask the data manager to record the lawful basis with the permission."
    when = (When.RECORDING,)
    holds = "Each permission used here has its lawful basis on record."

    def check(self, facts: PostFacts) -> bool | None:
        return not self._without(facts)

    def because(self, facts: PostFacts, answer: bool | None) -> str:
        if answer:
            return self.holds
        return f"No lawful basis is on record for {', '.join(self._without(facts))}."

    @staticmethod
    def _without(facts: PostFacts) -> list[str]:
        return [
            one.name
            for one in facts.shown
            if one.kind is PersonKind.PUPIL
            and any(
                grant.use is one.use and grant.answer is Answer.GRANTED and not grant.basis.strip()
                for grant in one.grants
            )
        ]


RULES = (KeptNoLonger, LeavesEncrypted, BackedUp, FoundAndHandedOver, BasisRecorded)
