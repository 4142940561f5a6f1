"""OVS: that the school can see what is done, and that the record of it can be trusted."""

from __future__ import annotations

from socialgov.models import AccountState, Fact, Presence, When
from socialgov.rules.base import NEVER, AccountRule, LaterRule
from socialgov.rules.facts import AccountFacts
from socialgov.rules.secrets import login_seen

_IN_USE = frozenset({AccountState.LIVE, AccountState.SUSPENDED})


class _Lasting(AccountRule):
    """Asked of closed accounts too: what was done there stays on record."""

    def applies(self, facts: AccountFacts) -> bool:
        return facts.account.state not in NEVER


class ManagerCanLook(AccountRule):
    id = "OVS801"
    title = "The network manager can look at every account at any time"
    source = "P1.S9"
    advice = "Deposit a user name and a password that work, so that the network manager can look at any time."
    when = (When.ALWAYS,)
    evidence = (Fact.LOGIN_WORKS, Fact.OUR_ACCESS, Fact.PRESENCE)
    holds = "The deposited login was seen to work."
    unknown = "Nobody has seen lately that the deposited login works."

    def check(self, facts: AccountFacts) -> bool | None:
        if self._vanished(facts) or self._shut_out(facts):
            return False
        seen = login_seen(facts)
        works: bool | None = None if seen is None else seen.value
        return works

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if self._vanished(facts):
            return "The account is in use here, but on the platform it is deactivated or gone."
        if self._shut_out(facts):
            return (
                "The platform no longer accepts the key that socialgov checks this account with, so what followers see"
                " is not checked. If it was connected there, connect it again on its page. Deposit the password again"
                " if not, or a network manager opens the vault and renews the key."
            )
        if answer is False:
            return "The deposited login did not work."
        return self.holds if answer else self.unknown

    @staticmethod
    def _shut_out(facts: AccountFacts) -> bool:
        """Somebody revoked our key on the platform; at the end of a closing that is as it should be."""
        return facts.account.state in _IN_USE and facts.value(Fact.OUR_ACCESS) is False

    @staticmethod
    def _vanished(facts: AccountFacts) -> bool:
        return facts.account.state in _IN_USE and facts.value(Fact.PRESENCE) in (Presence.DEACTIVATED, Presence.GONE)


class Logged(_Lasting):
    id = "OVS802"
    title = "What is done is logged against who did it, and the log cannot be quietly changed"
    source = "P1.A4, P3.6"
    advice = "Nothing to do: every change writes a line in the log, with who made it."
    when = (When.ALWAYS,)
    school_wide = True
    holds = "The log was checked from its first line and is whole."
    broken = "The log is not whole: somebody changed it. Tell the head, and keep the file as evidence."
    unknown = "Nobody has checked lately that the log is whole (`socialgov audit verify`)."

    def check(self, facts: AccountFacts) -> bool | None:
        return facts.log_whole


class LogHandedOver(LaterRule):
    id = "OVS803"
    title = "Logs go to SLT or the head on request, and to the authorities where needed, with proof that they are whole"
    source = "P1.A4, P3.6"
    advice = "Ask the head, who can read the log at any time."
    when = (When.ON_REQUEST,)
    later = "the log can be exported with its proof; until then the head reads it here."


class GovernorsInformed(LaterRule):
    id = "OVS804"
    title = "Governors get their information each term"
    source = "P5 school responsibilities"
    advice = "Nothing to do: governors can read the register at any time."
    when = (When.TERMLY,)
    later = "the governors' report is made each term; until then they read the register here."


class InTheInventory(_Lasting):
    id = "OVS805"
    title = "There is an inventory: what exists, on which platform, who has it"
    source = "P5 school responsibilities"
    advice = "Record the account's name on the platform when you have set it up."
    when = (When.ALWAYS,)
    holds = "The register has its platform, its owner and where it is."
    broken = "It is in use, and the register does not have its name on the platform."

    def check(self, facts: AccountFacts) -> bool | None:
        in_use = facts.account.state in (AccountState.LIVE, AccountState.SUSPENDED)
        return not in_use or bool(facts.account.handle)


class LookersLogged(_Lasting):
    """That monitoring is proportionate is for people to judge; that those who look are logged can be counted."""

    id = "OVS806"
    title = "Monitoring is proportionate: those who look are logged too"
    source = "P2.19"
    advice = "Look only where you have a reason: each look at a password, a screenshot or a photo is logged."
    when = (When.ALWAYS,)
    school_wide = True
    holds = "Each look at this account's password has its line in the log, and the log is whole."
    broken = "A look at this account's password has no line in the log, or the log is not whole."
    unknown = "Nobody has checked lately that the log is whole (`socialgov audit verify`)."

    def check(self, facts: AccountFacts) -> bool | None:
        if facts.unrecorded_looks or facts.log_whole is False:
            return False
        return True if facts.log_whole and facts.unrecorded_looks == 0 else None


RULES = (ManagerCanLook, Logged, LogHandedOver, GovernorsInformed, InTheInventory, LookersLogged)
