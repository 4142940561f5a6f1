"""Try everything that a machine can read of one account, and tell what worked, what it found and what it cost.

For bringing a platform up. Reads only: nothing is changed there, and nothing that was read is kept here. It costs what
the reads cost, and stops where the month's budget does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov.actions.adapters import adapter_of, capabilities_of, note_refusal
from socialgov.actions.platform_states import NEEDS
from socialgov.actions.reading import Reading, try_read
from socialgov.actions.spending import month_of
from socialgov.actions.unsealing import machine_login
from socialgov.errors import InvalidInput, NotFound
from socialgov.models import AccountState, Capability, Fact
from socialgov.platforms import declared_capabilities
from socialgov.platforms.counting import requests_counted
from socialgov.rules.base import counted
from socialgov.store.accounts import account_by_id, open_accounts_called
from socialgov.store.spending import Spent, spent_on_account

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, PlatformInfo

S = AccountState
_THERE = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED, S.CLOSING})


@dataclass(frozen=True, slots=True)
class Probe:
    """One read: `works` None where a person does it. `found` in words, without anybody's name or text.

    `requests`: how many it took, paid for or not; none where an earlier read brought it along.
    """

    capability: Capability
    works: bool | None
    found: str
    requests: int = 0
    micros: int = 0


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """All reads of one account, and what a machine could do there and did not try, because it changes something."""

    account: Account
    info: PlatformInfo
    probes: tuple[Probe, ...]
    not_tried: tuple[Capability, ...]

    @property
    def works(self) -> bool:
        """True where a machine reads something there, and every such read worked."""
        tried = [probe for probe in self.probes if probe.works is not None]
        return bool(tried) and all(probe.works for probe in tried)

    @property
    def micros(self) -> int:
        return sum(probe.micros for probe in self.probes)


def account_named(home: Home, name: str) -> Account:
    """The open account with this number or handle. Raises NotFound, or InvalidInput where several have the handle."""
    if name.isdecimal():
        return account_by_id(home.db, int(name))
    found = open_accounts_called(home.db, name.removeprefix("@"))
    if not found:
        raise NotFound(f"No account is called {name}.", "Give its number: it stands in the address of its page.")
    if len(found) > 1:
        numbers = ", ".join(f"{one.id} on {home.settings.platforms[one.platform].name}" for one in found)
        raise InvalidInput(f"Several accounts are called {name}.", mend=f"Give a number: {numbers}.")
    return found[0]


def probe_account(home: Home, account_id: int, *, now: datetime) -> ProbeReport:
    """Read one need after the other. What a platform answers is in the report, and raises nothing.

    Raises InvalidInput for an account that is not on its platform.
    """
    account = account_by_id(home.db, account_id)
    if account.state not in _THERE or (account.handle is None and account.remote_id is None):
        raise InvalidInput("This account is not on its platform, so there is nothing to read.", mend="Set it up first.")
    info, can = home.settings.platforms[account.platform], capabilities_of(home, account)
    login = machine_login(home, account.id, purpose="probe", now=now) if can else None
    platform = adapter_of(home, account, login, now=now)
    probes = []
    for capability in NEEDS:
        if not platform.can(capability) or capability not in can:
            probes.append(Probe(capability, None, _why_not(info, capability)))
            continue
        before, reading = _spent(home, account, now), Reading()
        with requests_counted() as sent:
            try_read(platform, capability, reading)
        after, error = _spent(home, account, now), reading.failed.get(capability)
        if error is not None:
            note_refusal(home, account.id, error, now=now)
        probes.append(
            Probe(
                capability=capability,
                works=error is None,
                found=str(error) if error is not None else _found(capability, reading),
                requests=sent.requests,
                micros=after.micros - before.micros,
            )
        )
    return ProbeReport(account, info, tuple(probes), tuple(sorted(can - set(NEEDS))))


def _spent(home: Home, account: Account, now: datetime) -> Spent:
    return spent_on_account(home.db, account.platform, account.id, *month_of(home.today(now)))


def _why_not(info: PlatformInfo, capability: Capability) -> str:
    if capability in declared_capabilities(info):
        return "a person looks: it is not connected, not registered or not offered here"
    return "a person looks"


def _found(capability: Capability, reading: Reading) -> str:
    """Counts and answers only: no name, no text, no address."""
    if capability is Capability.READ_PROFILE:
        return _profile(reading)
    if capability is Capability.READ_POSTS:
        replies = counted(reading.values[Fact.CONVERSATIONS], "reply", "replies")
        return f"{counted(len(reading.posts or ()), 'post')}, {replies} to others"
    if capability is Capability.READ_FOLLOWERS:
        waiting = sum(one.waiting for one in reading.followers or ())
        return f"{counted(reading.values[Fact.FOLLOWERS], 'follower')}, {waiting} waiting"
    if capability is Capability.SEE_PRESENCE:
        return str(reading.values[Fact.PRESENCE].value)
    if capability is Capability.CHECK_LOGIN:
        return {True: "it works", False: "refused"}.get(reading.values.get(Fact.OUR_ACCESS, None), "no key here")
    return str(next(iter(reading.values.values()), "nothing told"))


def _profile(reading: Reading) -> str:
    private = {True: "private", False: "public"}.get(reading.values.get(Fact.PRIVATE, None), "privacy not told")
    text = "a text" if reading.values.get(Fact.PROFILE_TEXT) else "no text"
    picture = "a picture" if reading.picture else "no picture"
    return f"{private}, {text}, {picture}{_counts(reading)}"


def _counts(reading: Reading) -> str:
    if reading.counts is None:
        return ""
    told = {"followers": reading.counts.followers, "follows": reading.counts.follows, "likes": reading.counts.likes,
            "posts": reading.counts.posts}  # fmt: skip
    return "".join(f", {name} told: {number}" for name, number in told.items() if number is not None)
