"""What a rule is: an id, words for people, and a pure question with three answers.

`check` answers True (it holds), False (it is broken) or None (nobody can tell from fresh evidence). None never counts
as holding. `because` is the one plain sentence that a page shows beside the answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from typing import ClassVar, Generic, TypeVar

from socialgov.models import AccountState, Fact, Observation, RuleSubject, When
from socialgov.rules.facts import AccountFacts, PostFacts

F = TypeVar("F", AccountFacts, PostFacts)

# the account never came about, so nothing is asked about it (ACC108 apart)
NEVER = frozenset({AccountState.DECLINED, AccountState.WITHDRAWN})
# nothing is left on the platform to look at
OVER = NEVER | {AccountState.CLOSED}

# what a person looks at, as it reads after "Nobody has looked yet at …"
FACT_WORDS = {
    Fact.PRESENCE: "whether it can be found on the platform",
    Fact.PRIVATE: "whether it is private",
    Fact.PROFILE_TEXT: "what its profile says",
    Fact.LOGO: "whether it shows the school's logo",
    Fact.SETUP_EMAIL: "the e-mail address it was set up with",
    Fact.LOGIN_WORKS: "whether the deposited login works",
    Fact.RECOVERY_WITH_SCHOOL: "where its recovery address, phone and second factor lead",
    Fact.FOLLOWERS: "its complete list of followers",
    Fact.FOLLOWS: "whom it follows",
    Fact.LIKES: "what it likes",
    Fact.SHARES: "what it shares",
    Fact.CONVERSATIONS: "whether it answers or writes to anybody",
    Fact.OUTSIDE_POSTS: "whether something appeared on it past the school's checks",
    Fact.POSTS: "what is on it",
    Fact.OUR_ACCESS: "whether socialgov can still sign in",
    Fact.LABELS: "what the platform's moderators have marked the account with",
}

# a rule asked at one of these moments goes on being asked: its breaking is news for owner and network manager
_WATCHED = frozenset({When.WATCH, When.ALWAYS, When.ANY_TIME, When.WITHDRAWAL, When.LEAVING, When.DAILY})


# what can be asked while there is nothing yet but a request
_BEFORE_IT_EXISTS = frozenset({When.REQUEST, When.ANY_TIME, When.LEAVING})


def day_words(day: date) -> str:
    """`3 March 2026`."""
    return f"{day.day} {day:%B %Y}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 post`, `3 posts`, `no posts`."""
    return f"{number or 'no'} {one if number == 1 else many or one + 's'}"


class Rule(ABC, Generic[F]):
    """One line of the catalogue (docs/rules.md).

    `evidence` names the observed facts it reads; empty when the school's own records answer it. `later` is not empty
    where (part of) the evidence comes with a later version: then None does not stop a post, and `because` says so.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    advice: ClassVar[str]
    subject: ClassVar[RuleSubject]
    when: ClassVar[tuple[When, ...]]
    evidence: ClassVar[tuple[Fact, ...]] = ()
    holds: ClassVar[str] = "It holds."
    broken: ClassVar[str] = "It does not hold."
    unknown: ClassVar[str] = "Nobody can tell yet."
    later: ClassVar[str] = ""
    school_wide: ClassVar[bool] = False  # alike for every account: news for the network manager, not for owners

    @property
    def watched(self) -> bool:
        """True where the rule is asked again for as long as the account lives."""
        return not _WATCHED.isdisjoint(self.when)

    @abstractmethod
    def check(self, facts: F) -> bool | None:
        """True holds, False broken, None cannot tell."""

    def because(self, facts: F, answer: bool | None) -> str:
        """One plain sentence for `answer`."""
        if answer is None and self.later:
            return f"Later version: {self.later}"
        return {True: self.holds, False: self.broken, None: self.unknown}[answer]


class AccountRule(Rule[AccountFacts]):
    """A rule about one account."""

    subject = RuleSubject.ACCOUNT

    def applies(self, facts: AccountFacts) -> bool:
        """False where asking makes no sense: the account is only asked for, never came about, or is gone."""
        state = facts.account.state
        if state is AccountState.REQUESTED and not facts.account.found_unregistered:
            return not _BEFORE_IT_EXISTS.isdisjoint(self.when)
        return state not in OVER

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        """As Rule.because; for None it first looks for evidence that is missing or too old."""
        if answer is None:
            for fact in self.evidence:
                if fact not in facts.observations:
                    return f"Nobody has looked yet at {FACT_WORDS[fact]}."
                if facts.fresh(fact) is None:
                    seen = day_words(facts.day(facts.observations[fact].observed_at))
                    return f"Last looked at on {seen}, which is too long ago to count: look again."
        return super().because(facts, answer)

    def rests_on(self, facts: AccountFacts) -> Observation | None:
        """The oldest observation among the evidence: an answer is as old as the oldest thing it rests on."""
        seen = [facts.observations[fact] for fact in self.evidence if fact in facts.observations]
        return min(seen, key=lambda one: one.observed_at, default=None)


class LaterRule(AccountRule):
    """A rule whose evidence this version does not gather: None, and `later` says what will answer it."""

    def check(self, facts: AccountFacts) -> bool | None:
        return None


class PostRule(Rule[PostFacts]):
    """A rule about one post, asked each time before it goes out."""

    subject = RuleSubject.POST
    when = (When.PUBLISH,)
