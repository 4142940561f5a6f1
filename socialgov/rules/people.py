"""PPL: what staff have agreed to, and what happens when they leave."""

from __future__ import annotations

from socialgov.models import RotationReason, When
from socialgov.rules.base import AccountRule, LaterRule, counted
from socialgov.rules.facts import AccountFacts


class AgreementSigned(LaterRule):
    id = "PPL701"
    title = "Owner, deputy and approver have signed the agreement in force (name, signature, date)"
    source = "P1 heading, P2 end, P3 intro"
    advice = "Sign the school's agreement before you ask for an account."
    when = (When.REQUEST, When.WATCH)
    later = "agreements and signatures are kept on paper until then."


class Countersigned(LaterRule):
    id = "PPL702"
    title = "The school has countersigned"
    source = 'P2 ("accepted by")'
    advice = "Hand your signed agreement to the office, which countersigns it."
    when = (When.WATCH,)
    later = "agreements and signatures are kept on paper until then."


class LinksDeclared(LaterRule):
    id = "PPL703"
    title = "Links with pupils or parents outside school are declared and were talked over"
    source = "P2.1, P2.14, P4 personal safety"
    advice = "Tell the head when you know pupils or parents privately, and talk over what that means online."
    when = (When.WATCH,)
    later = "declarations are made to the head until then."


class LeaversHandOver(AccountRule):
    """A leaver's sessions end in the same transaction that records the leaving (actions/staff.py)."""

    id = "PPL704"
    title = "When staff leave: accounts handed over, secrets they knew changed, access ended the same day"
    source = "P1.A3, UK"
    advice = "Hand your accounts over before you leave, and have the passwords that you knew changed."
    when = (When.LEAVING,)
    holds = "Nobody who left keeps this account or knows its password."

    def check(self, facts: AccountFacts) -> bool | None:
        keepers = (facts.owner, facts.deputy)
        if facts.knowers_left or facts.delegates_left or self._late(facts):
            return False
        return all(staff is not None and staff.current for staff in keepers)

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer:
            return self.holds
        if facts.knowers_left:
            return f"{counted(facts.knowers_left, 'person', 'people')} who knew a secret of it left.".capitalize()
        if facts.delegates_left:
            people = counted(facts.delegates_left, "person", "people").capitalize()
            return f"{people} who left can still get in without the password: the platform has them as delegates."
        if self._late(facts):
            return "Somebody left, and the password was not changed in time."
        return "Its owner or deputy left: it must be handed over."

    @staticmethod
    def _late(facts: AccountFacts) -> bool:
        due = facts.rotation
        return due is not None and due.reason is RotationReason.LEFT and facts.now >= due.due_at


class AgreementReviewed(LaterRule):
    id = "PPL705"
    title = "The agreement is reviewed when due (each year, or every three years) and by the body responsible"
    source = "P1 heading, P3 title, P5 heading"
    advice = "Nothing to do: the head or the governors review the agreement."
    when = (When.WATCH,)
    later = "the review of agreements is in the governors' calendar until then."


RULES = (AgreementSigned, Countersigned, LinksDeclared, LeaversHandOver, AgreementReviewed)
