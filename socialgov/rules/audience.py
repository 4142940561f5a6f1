"""AUD: who follows the account."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta

from socialgov.models import Fact, When
from socialgov.rules.base import AccountRule, counted, day_words
from socialgov.rules.facts import AccountFacts


class _FollowerRule(AccountRule):
    """Answered from the register of followers, once the complete list has been read and is not too old."""

    evidence = (Fact.FOLLOWERS,)

    def check(self, facts: AccountFacts) -> bool | None:
        return None if facts.value(Fact.FOLLOWERS) is None else self.judge(facts)

    @abstractmethod
    def judge(self, facts: AccountFacts) -> bool | None:
        """The answer, given a fresh and complete list."""


class FollowersChecked(_FollowerRule):
    """On a private account somebody let a new follower in, and has `policy.follower_review_days` to say who it is.

    On an account that is not known to be private a stranger sees everything at once: there is no such time.
    """

    id = "AUD301"
    title = "Every follower has been checked by the owner: accepted as a known person, or refused and removed"
    source = "P1.S3"
    advice = "Go through the list of followers: accept those you know, refuse the others and remove them."
    when = (When.WATCH,)
    holds = "Every follower has been checked."

    def judge(self, facts: AccountFacts) -> bool | None:
        summary = facts.followers
        if summary.refused_still_there or facts.followers_not_on_record:
            return False
        if not summary.unchecked:
            return True
        due = self._due(facts)
        return None if due is not None and facts.now < due and facts.value(Fact.PRIVATE) is True else False

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        summary, due = facts.followers, self._due(facts)
        if answer is False and facts.followers_not_on_record:
            return f"The platform counts {facts.followers_not_on_record} more than the list here: put them on it."
        if answer is False and summary.refused_still_there:
            return f"{counted(summary.refused_still_there, 'refused follower')} must still be removed on the platform."
        if answer is False:
            return f"{counted(summary.unchecked, 'follower')} not checked yet."
        if answer is None and facts.fresh(Fact.FOLLOWERS) and due is not None:
            return f"{counted(summary.unchecked, 'new follower')} to be checked by {day_words(facts.day(due))}."
        return super().because(facts, answer)

    @staticmethod
    def _due(facts: AccountFacts) -> datetime | None:
        oldest = facts.followers.oldest_unchecked_at
        return None if oldest is None else oldest + timedelta(days=facts.policy.follower_review_days)


class FollowersBelong(_FollowerRule):
    id = "AUD302"
    title = (
        "Every accepted follower belongs to the account's audience (a trip: its pupils and their parents and carers)"
    )
    source = "P1.S4"
    advice = "Accept only people of the account's audience. Correct the audience first if it is wrong."
    when = (When.WATCH,)
    holds = "Every accepted follower belongs to the audience."

    def judge(self, facts: AccountFacts) -> bool | None:
        return facts.followers.outside_audience == 0

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer is False:
            return f"{counted(facts.followers.outside_audience, 'follower')} accepted from outside the audience."
        return super().because(facts, answer)


class OldEnough(_FollowerRule):
    id = "AUD303"
    title = "Nobody below the platform's minimum age follows"
    source = "P5 pupils and parents"
    advice = "Do not accept anybody below the platform's minimum age, nor anybody whose age you do not know."
    when = (When.ACCEPT, When.WATCH)
    holds = "Everybody who follows is old enough."

    def judge(self, facts: AccountFacts) -> bool | None:
        summary = facts.followers
        if summary.under_age:
            return False
        unsure = summary.age_unknown or summary.unchecked or facts.followers_not_on_record
        return None if unsure else True

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        summary, age = facts.followers, facts.platform.minimum_age
        if answer is False:
            return f"{counted(summary.under_age, 'follower')} below the platform's minimum age of {age}."
        if answer is None and facts.fresh(Fact.FOLLOWERS):
            return "The age of some followers is not known, or they are not checked yet."
        return super().because(facts, answer)


class LeaversRemoved(_FollowerRule):
    id = "AUD304"
    title = "People who left the audience are removed"
    source = "P1.S4, P2.1 (past pupils)"
    advice = "Remove followers who left the school or the group."
    when = (When.WATCH,)
    holds = "Nobody who left the audience follows."

    def judge(self, facts: AccountFacts) -> bool | None:
        return facts.followers.left_audience == 0

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer is False:
            return f"{counted(facts.followers.left_audience, 'follower')} left the audience and must be removed."
        return super().because(facts, answer)


class EarlyFollowers(_FollowerRule):
    id = "AUD305"
    title = "Followers it had before it was made private have been checked too"
    source = "P1.S3"
    advice = "Before it goes live, look at the complete list: who followed while it was public still sees everything."
    when = (When.GATE,)
    holds = "Nobody follows from before it was private without having been checked."

    def judge(self, facts: AccountFacts) -> bool | None:
        return not facts.followers.first_seen_before_private_unchecked and not facts.followers_not_on_record

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer is False:
            early = facts.followers.first_seen_before_private_unchecked + facts.followers_not_on_record
            return f"{counted(early, 'follower')} from before it was private not checked."
        return super().because(facts, answer)


RULES = (FollowersChecked, FollowersBelong, OldEnough, LeaversRemoved, EarlyFollowers)
