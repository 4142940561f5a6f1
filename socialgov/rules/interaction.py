"""INT: the account only speaks; it follows, likes, shares and answers nobody."""

from __future__ import annotations

from socialgov.models import Fact, When
from socialgov.rules.base import AccountRule, counted
from socialgov.rules.facts import AccountFacts


class _NoneOf(AccountRule):
    """A count that must be nought."""

    when = (When.WATCH,)
    thing = ("", "")

    def check(self, facts: AccountFacts) -> bool | None:
        number = facts.value(self.evidence[0])
        return None if number is None else number == 0

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer is None:
            return super().because(facts, answer)
        return f"{counted(int(facts.value(self.evidence[0])), *self.thing)} seen.".capitalize()


class FollowsNobody(_NoneOf):
    id = "INT401"
    title = "The account follows nobody"
    source = "P1.S5"
    advice = "Do not follow anybody from this account; unfollow whoever it follows."
    evidence = (Fact.FOLLOWS,)
    thing = ("followed account", "followed accounts")


class LikesNothing(_NoneOf):
    id = "INT402"
    title = "It likes nothing"
    source = "P1.S5"
    advice = "Do not like anything from this account; take back what it liked."
    evidence = (Fact.LIKES,)
    thing = ("like", "likes")


class SharesNothing(_NoneOf):
    id = "INT403"
    title = "It shares (reposts, quotes) nothing"
    source = "P1.S5"
    advice = "Do not repost or quote anything from this account; take back what it shared."
    evidence = (Fact.SHARES,)
    thing = ("repost or quote", "reposts and quotes")


class NoConversations(_NoneOf):
    id = "INT404"
    title = "It holds no conversations with pupils or parents on the platform"
    source = "P1.A5, P4 (parents not contacted by social networks)"
    advice = "Answer nobody on the platform. Ask parents to write to the school instead."
    evidence = (Fact.CONVERSATIONS,)
    thing = ("reply or message", "replies and messages")


RULES = (FollowsNobody, LikesNothing, SharesNothing, NoConversations)
