"""An account and what hangs on it: the request, what was observed, what the rules say, exceptions, followers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from socialgov.models.words import AccountKind, AccountState, Decision, Enforcement, Fact, Source


@dataclass(frozen=True, slots=True)
class Account:
    """A managed social media account. `remote_id` is the platform's lasting id (a name can be taken by another)."""

    id: int
    platform: str
    kind: AccountKind
    state: AccountState
    handle_wished: str
    handle: str | None
    remote_id: str | None
    purpose: str
    audience: str
    owner_id: int
    deputy_id: int
    requested_by: int
    requested_at: datetime
    starts_on: date
    ends_on: date | None
    review_on: date | None
    school_email: str | None
    return_reason: str | None
    returned_at: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    decision_reason: str | None
    live_at: datetime | None
    suspended_at: datetime | None
    suspend_reason: str | None
    confirmed_at: datetime | None
    closed_at: datetime | None
    found_unregistered: bool
    check_due_at: datetime | None
    checked_at: datetime | None
    version: int
    set_up_at: datetime | None = None  # since when `handle` is this one: older observations are of another account

    @property
    def name(self) -> str:
        """What it is called: its handle, or the one wished for while it has none."""
        return self.handle or self.handle_wished


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """What a teacher asks for on the check-your-answers page."""

    platform: str
    kind: AccountKind
    handle_wished: str
    purpose: str
    audience: str
    owner_id: int
    deputy_id: int
    starts_on: date
    ends_on: date | None
    review_on: date | None


@dataclass(frozen=True, slots=True)
class Observation:
    """A fact's value, when it was so, and who says it. `evidence_id` is a sealed blob (a screenshot)."""

    id: int
    account_id: int
    fact: Fact
    value: Any
    observed_at: datetime
    source: Source
    observed_by: int | None
    evidence_id: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's answer for an account: True holds, False broken, None cannot tell. `because` is one plain sentence.

    `evidence_at` and `evidence_source` tell the oldest observation it rests on; None when it rests on the school's
    own records. `waived_by` is the head's exception, which lets a gate open although the rule does not hold.
    """

    rule_id: str
    answer: bool | None
    because: str
    enforcement: Enforcement
    evidence_at: datetime | None = None
    evidence_source: Source | None = None
    evidence_by: int | None = None
    waived_by: int | None = None
    evaluated_at: datetime | None = None

    @property
    def passes(self) -> bool:
        """True where a gate may open: it holds, is excepted by the head, or the school does not enforce it."""
        return self.answer is True or self.waived_by is not None or self.enforcement is not Enforcement.ENFORCED


@dataclass(frozen=True, slots=True)
class Waiver:
    """The head's exception from one rule for one account, with reason and end."""

    id: int
    account_id: int
    rule_id: str
    reason: str
    decided_by: int
    decided_at: datetime
    until_on: date | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Extension:
    """A longer life, asked for before the end (LIF605). `approved` None while nobody has decided."""

    id: int
    account_id: int
    until_on: date
    reason: str
    asked_by: int
    asked_at: datetime
    approved: bool | None
    decided_by: int | None
    decided_at: datetime | None
    decision_reason: str | None


@dataclass(frozen=True, slots=True)
class Follower:
    id: int
    account_id: int
    remote_id: str
    handle: str
    display_name: str
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None
    decision: Decision | None
    person_id: int | None
    decided_by: int | None
    decided_at: datetime | None
    reason: str | None
    waiting: bool = False  # asked to follow, and the platform has not let them in yet
