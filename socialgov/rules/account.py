"""ACC: what the account is and how it presents itself."""

from __future__ import annotations

import re

from socialgov.models import AccountKind, AccountState, Fact, LogoMatch, When
from socialgov.rules.base import NEVER, OVER, AccountRule, counted
from socialgov.rules.facts import AccountFacts

# "official", but not "unofficial", "non-official" or "not an official"
_OFFICIAL = re.compile(r"(?<!not )(?<!not an )(?<!not the )(?<!un-)(?<!non-)(?<!non )\bofficial\b")


class SchoolAddress(AccountRule):
    id = "ACC101"
    title = "Set up with a school e-mail address only (address in the school's domains)"
    source = "P1.S2"
    advice = "Set the account up with an address of the school, never with your own."
    when = (When.GATE, When.WATCH)
    evidence = (Fact.SETUP_EMAIL,)
    holds = "It was set up with an address in the school's domains."
    broken = "It was set up with an address outside the school's domains."

    def check(self, facts: AccountFacts) -> bool | None:
        address = facts.value(Fact.SETUP_EMAIL)
        if address is None:
            return None
        name, at, domain = str(address).strip().casefold().rpartition("@")
        return bool(name and at) and "@" not in name and domain in {one.casefold() for one in facts.email_domains}


class SchoolLogo(AccountRule):
    id = "ACC102"
    title = "Shows the school's logo"
    source = "P1.S1"
    advice = "Use the school's logo as the account's picture, as the office gave it to you."
    when = (When.GATE, When.WATCH)
    evidence = (Fact.LOGO,)
    holds = "Its picture is the school's logo."
    broken = "Its picture is not the school's logo."
    unknown = "Its picture may or may not be the school's logo: a person must look and say so."

    def check(self, facts: AccountFacts) -> bool | None:
        return {LogoMatch.MATCH: True, LogoMatch.DIFFERENT: False}.get(facts.value(Fact.LOGO))


class Private(AccountRule):
    id = "ACC103"
    title = "Is private: only approved people see what it posts"
    source = "P1.S3, P1.S4, P2 letter"
    advice = "Switch the account to private or protected, and look again from time to time: settings change."
    when = (When.GATE, When.WATCH)
    evidence = (Fact.PRIVATE,)
    holds = "It is private."
    broken = "It is public: anybody can see what it posts."

    def check(self, facts: AccountFacts) -> bool | None:
        if not facts.platform.can_be_private:
            return False
        private: bool | None = facts.value(Fact.PRIVATE)
        return private

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if not facts.platform.can_be_private:
            return f"{facts.platform.name} has no private accounts: only the head can make an exception."
        return super().because(facts, answer)


class ApprovedPlatform(AccountRule):
    id = "ACC104"
    title = "On a platform that the school has approved"
    source = "P4 personal safety, P4 promoting safe use"
    advice = "Choose one of the platforms that the school has approved, or ask the head to approve another."
    when = (When.REQUEST, When.GATE)

    def check(self, facts: AccountFacts) -> bool | None:
        return facts.platform_approved

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        return f"The school has {'' if answer else 'not '}approved {facts.platform.name}."


class OwnerAndDeputy(AccountRule):
    id = "ACC105"
    title = "One named owner and one named deputy, both current staff"
    source = 'P5 staff ("responsible for the account")'
    advice = "Name two different colleagues who work here now. Hand the account over when one of them leaves."
    when = (When.REQUEST, When.WATCH)
    holds = "Owner and deputy are two current members of staff."

    def check(self, facts: AccountFacts) -> bool | None:
        owner, deputy = facts.owner, facts.deputy
        return owner is not None and deputy is not None and owner.current and deputy.current and owner.id != deputy.id

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer:
            return self.holds
        for staff, name in ((facts.owner, "owner"), (facts.deputy, "deputy")):
            if staff is None:
                return f"No {name} is named."
            if not staff.current:
                return f"The {name} does not work here any more."
        return "Owner and deputy are the same person."


class OfficialProfile(AccountRule):
    id = "ACC106"
    title = "The profile says it is an official school account, and who to contact"
    source = "P2.O1"
    advice = "Write “Official account of …” into the profile, and the school's e-mail address or web site."
    when = (When.GATE, When.WATCH)
    evidence = (Fact.PROFILE_TEXT,)
    holds = "The profile says that it is official and who to contact."

    def check(self, facts: AccountFacts) -> bool | None:
        text = facts.value(Fact.PROFILE_TEXT)
        return None if text is None else self._official(text) and self._contact(facts, text)

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer is not False:
            return super().because(facts, answer)
        if not self._official(facts.value(Fact.PROFILE_TEXT)):
            return "The profile does not say that this is an official school account (the word “official”)."
        return "The profile does not say who to contact (an address or web site of the school)."

    @staticmethod
    def _official(text: str) -> bool:
        return _OFFICIAL.search(" ".join(text.casefold().split())) is not None

    @staticmethod
    def _contact(facts: AccountFacts, text: str) -> bool:
        folded = "".join(text.casefold().split())
        known = (facts.contact, *facts.email_domains)
        return any("".join(one.casefold().split()) in folded for one in known if one.strip())


class ApprovedPurpose(AccountRule):
    id = "ACC107"
    title = "A professional purpose and a named audience, approved before set-up"
    source = "P1.S4, P1.A2, P2.O5"
    advice = "Say what the account is for and who it is for, and wait for the approval before you set it up."
    when = (When.REQUEST,)
    holds = "Somebody other than its owner approved what it is for and who it is for."
    broken = "It has no purpose, no audience, or was approved by the person who asked for it."
    unknown = "Nobody has decided on the request yet."

    def check(self, facts: AccountFacts) -> bool | None:
        account = facts.account
        if not (account.purpose.strip() and account.audience.strip()):
            return False
        if account.decided_by is None or account.state is AccountState.REQUESTED:
            return None
        return account.decided_by not in (account.requested_by, account.owner_id)

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        size = facts.audience_size
        if answer and facts.account.kind is AccountKind.TRIP and size:
            return f"{self.holds} Its audience is {counted(size, 'person', 'people')}."
        return super().because(facts, answer)


class Registered(AccountRule):
    id = "ACC108"
    title = "Registered before it exists; one found unregistered is recorded and brought in or closed"
    source = "P1.S2, P5 inventory"
    advice = "Ask before you set an account up. If you find one that is not in the register, report it."
    when = (When.ANY_TIME,)

    def applies(self, facts: AccountFacts) -> bool:
        """A found account whose request was declined still exists: that is asked on."""
        return facts.account.found_unregistered or facts.account.state not in OVER

    def check(self, facts: AccountFacts) -> bool | None:
        account = facts.account
        if not account.found_unregistered:
            return True
        return account.state not in NEVER | {AccountState.REQUESTED, AccountState.APPROVED}

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if not facts.account.found_unregistered:
            return "It was registered before it was set up."
        if answer:
            return "It was found unregistered, recorded, and brought in or closed."
        return "It was found unregistered and is not yet brought in or closed."


RULES = (
    SchoolAddress,
    SchoolLogo,
    Private,
    ApprovedPlatform,
    OwnerAndDeputy,
    OfficialProfile,
    ApprovedPurpose,
    Registered,
)
