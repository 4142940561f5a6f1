"""LIF: an account has an end, is disabled then, deleted after, and seen to be gone."""

from __future__ import annotations

from datetime import date, timedelta

from socialgov.lifecycle import confirmation_due_at
from socialgov.models import AccountKind, AccountState, Fact, Presence, When
from socialgov.rules.base import NEVER, AccountRule, day_words
from socialgov.rules.facts import AccountFacts

_CLOSING = frozenset({AccountState.CLOSING, AccountState.CLOSED})
_AWAY = (Presence.DEACTIVATED, Presence.GONE)


def time_is_over(facts: AccountFacts) -> bool:
    """The last day has passed in the school's zone, or a closing has begun for another reason."""
    ends_on = facts.account.ends_on
    return facts.account.state in _CLOSING or (ends_on is not None and facts.today > ends_on)


def was_set_up(facts: AccountFacts) -> bool:
    return facts.account.handle is not None or facts.account.remote_id is not None


class _ClosingRule(AccountRule):
    """Asked until the very end: of a closed account too."""

    def applies(self, facts: AccountFacts) -> bool:
        return facts.account.state not in NEVER


class HasAnEnd(AccountRule):
    id = "LIF601"
    title = "Has an end date, or for a standing account a review date"
    source = "P1.S8"
    advice = "Give a trip its last day, and a standing account the day on which it is looked at again."
    when = (When.REQUEST,)

    def check(self, facts: AccountFacts) -> bool | None:
        account = facts.account
        if account.kind is not AccountKind.TRIP:
            return account.ends_on is not None or account.review_on is not None
        return account.ends_on is not None and account.ends_on <= self._latest(facts)

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        account = facts.account
        if account.ends_on is not None and answer:
            return f"Its last day is {day_words(account.ends_on)}."
        if account.review_on is not None and answer:
            return f"It is looked at again on {day_words(account.review_on)}."
        if account.ends_on is not None:
            return f"A trip's account may live until {day_words(self._latest(facts))} at most."
        return "It has no end date." if account.kind is AccountKind.TRIP else "It has no end date and no review date."

    @staticmethod
    def _latest(facts: AccountFacts) -> date:
        """The longest life the school allows, or as long as was approved on top (LIF605)."""
        longest = facts.account.starts_on + timedelta(days=facts.policy.trip_longest_days)
        return max([longest, *(one.until_on for one in facts.extensions if one.approved)])


class Disabled(_ClosingRule):
    id = "LIF602"
    title = "Is disabled when its time is over"
    source = "P1.S8"
    advice = "When the time is over, follow the closing steps on the account's page: the first ones are for that day."
    when = (When.WATCH,)
    evidence = (Fact.PRESENCE,)

    def check(self, facts: AccountFacts) -> bool | None:
        if not time_is_over(facts) or not was_set_up(facts):
            return True
        closing = facts.closing
        if closing is None:
            return False
        if closing.deactivated_seen_at or closing.gone_seen_at:
            return True
        seen = facts.fresh(Fact.PRESENCE)
        if seen is None or seen.observed_at < closing.started_at:
            return None
        return seen.value in _AWAY

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if not was_set_up(facts):
            return "It was never set up on the platform."
        if not time_is_over(facts):
            ends_on = facts.account.ends_on
            return f"Its time runs until {day_words(ends_on)}." if ends_on else "Its time is not over."
        if answer is None:
            return "Its time is over, and nobody has seen yet that it is disabled."
        if answer is False:
            return "Its time is over, and it is not disabled."
        return "It was seen disabled after its time was over."


class Deleted(_ClosingRule):
    id = "LIF603"
    title = "Is deleted after that, and seen to be gone"
    source = "P1.S8"
    advice = "Finish the closing steps: delete the account, and look again when the platform's delay is over."
    when = (When.WATCH,)
    evidence = (Fact.PRESENCE,)

    def check(self, facts: AccountFacts) -> bool | None:
        if not time_is_over(facts) or not was_set_up(facts):
            return True
        if facts.closing is not None and facts.closing.gone_seen_at is not None:
            return True
        return False if facts.today > self._due(facts) else None

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if not was_set_up(facts):
            return "It was never set up on the platform."
        if not time_is_over(facts):
            return "Its time is not over, so it need not be deleted yet."
        if answer:
            return "It was seen to be gone."
        due = day_words(self._due(facts))
        return f"It must be seen to be gone by {due}." if answer is None else f"It had to be seen to be gone by {due}."

    @staticmethod
    def _due(facts: AccountFacts) -> date:
        """So many days after its last day, or after the closing began where that was earlier."""
        over = [facts.today]
        if facts.account.ends_on is not None:
            over.append(facts.account.ends_on)
        if facts.closing is not None:
            over.append(facts.day(facts.closing.started_at))
        return min(over) + timedelta(days=facts.policy.days_from_end_to_deletion)


class ConfirmedEachTerm(AccountRule):
    id = "LIF604"
    title = "A standing account is confirmed by its owner each term, or it is closed"
    source = "UK, registers elsewhere"
    advice = "Say once a term on the account's page that it is still needed. Close it when it is not."
    when = (When.WATCH,)

    def check(self, facts: AccountFacts) -> bool | None:
        due = confirmation_due_at(facts.account, facts.policy)
        return due is None or facts.account.state in _CLOSING or facts.now < due

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if facts.account.kind is AccountKind.TRIP:
            return "A trip's account has an end date instead."
        due = confirmation_due_at(facts.account, facts.policy)
        if due is None:
            return "It is not live yet."
        if facts.account.state in _CLOSING:
            return "It is being closed."
        by = day_words(facts.day(due))
        return f"Its owner confirms it again by {by}." if answer else f"Its owner had to confirm it by {by}."


class LongerLifeApproved(AccountRule):
    """That it is asked for before the end is held where it is asked (actions/extensions.py)."""

    id = "LIF605"
    title = "A longer life is asked for before the end, and approved"
    source = "P1.S8"
    advice = "Ask for a longer life on the account's page before the last day."
    when = (When.BEFORE_THE_END,)
    broken = "A longer life was asked for, nobody approved it, and the time is over."
    unknown = "A longer life was asked for, and nobody has decided yet."

    def check(self, facts: AccountFacts) -> bool | None:
        if facts.account.state in _CLOSING or all(one.approved is not None for one in facts.extensions):
            return True
        return False if time_is_over(facts) else None

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if not facts.extensions:
            return "Nobody asked for a longer life."
        return "What was asked for was decided." if answer else super().because(facts, answer)


class PeopleForgotten(_ClosingRule):
    id = "LIF606"
    title = "What is kept about people for the account's sake goes with it"
    source = "P2.8, UK"
    advice = "Nothing to do: when the account is gone, its lists of followers and audience and its photos are erased."
    when = (When.CLOSING,)

    def check(self, facts: AccountFacts) -> bool | None:
        if facts.account.state not in _CLOSING:
            return True
        if facts.closing is not None and facts.closing.erased_at is not None:
            return True
        return False if facts.account.state is AccountState.CLOSED else None

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if facts.account.state not in _CLOSING:
            return "The account lives, so what it needs about people is kept."
        if answer:
            return "What was kept about people for this account was erased."
        return (
            "What is kept about people is erased once the account is gone." if answer is None else "It is not erased."
        )


RULES = (HasAnEnd, Disabled, Deleted, ConfirmedEachTerm, LongerLifeApproved, PeopleForgotten)
