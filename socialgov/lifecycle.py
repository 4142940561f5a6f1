"""The life of an account as one dict, and what follows from it. Pure: `now` and `today` are arguments.

The diagram in the README is generated from TRANSITIONS (`socialgov.lifecycle.diagram`) and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from socialgov.errors import Conflict
from socialgov.models import (
    AccountKind,
    AccountState,
    Capability,
    Fact,
    Presence,
    RotationReason,
    StepDoer,
    StepName,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from zoneinfo import ZoneInfo

    from socialgov.models import Account, PlatformInfo, Policy, Rotation

S = AccountState

TRANSITIONS: Mapping[AccountState, frozenset[AccountState]] = {
    S.REQUESTED: frozenset({S.APPROVED, S.DECLINED, S.WITHDRAWN}),
    S.APPROVED: frozenset({S.LIVE, S.CLOSING}),
    S.LIVE: frozenset({S.SUSPENDED, S.CLOSING}),
    S.SUSPENDED: frozenset({S.LIVE, S.CLOSING}),
    S.CLOSING: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
    S.DECLINED: frozenset(),
    S.WITHDRAWN: frozenset(),
}

OPEN_STATES = frozenset({S.REQUESTED, S.APPROVED, S.LIVE, S.SUSPENDED, S.CLOSING})
WATCHED_STATES = frozenset({S.LIVE, S.SUSPENDED})


class WrongState(Conflict):
    """The account is not in a state from which this can happen."""


def check_transition(old: AccountState, new: AccountState) -> None:
    """Raise WrongState unless TRANSITIONS has old → new."""
    if new not in TRANSITIONS[old]:
        raise WrongState(
            f"This account is {old.value.replace('_', ' ')}, so it cannot become {new.value.replace('_', ' ')}.",
            "Open the account again to see where it stands.",
        )


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The moment `day` is over in the school's zone: an end date means the end of that day there."""
    return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)


def ends_at(account: Account, zone: ZoneInfo) -> datetime | None:
    """When the account's time is over (LIF602), as an aware moment; None for a standing account."""
    return None if account.ends_on is None else end_of_day(account.ends_on, zone)


def confirmation_due_at(account: Account, policy: Policy) -> datetime | None:
    """When a standing account must have been confirmed again by its owner (LIF604)."""
    if account.kind is AccountKind.TRIP or account.live_at is None:
        return None
    return (account.confirmed_at or account.live_at) + timedelta(days=policy.confirmation_days)


def due_transition(account: Account, now: datetime, zone: ZoneInfo, policy: Policy) -> AccountState | None:
    """What the clock alone makes of this account: CLOSING once its time is over (LIF602, LIF604), else None.

    An account that was approved but never went live closes at its end date too: its name must not stay reserved and
    whatever was set up on the platform must go.
    """
    if S.CLOSING not in TRANSITIONS[account.state]:
        return None
    end = ends_at(account, zone)
    if end is not None and now >= end:
        return S.CLOSING
    due = confirmation_due_at(account, policy)
    if due is not None and now >= due + timedelta(days=max(policy.reminder_days, default=0)):
        return S.CLOSING  # reminded, then given as long again as the earliest reminder, then closed
    return None


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a closing: the machine's where the platform can, else a guided task for a person."""

    name: StepName
    doer: StepDoer


_CAPABILITY = {
    StepName.TAKE_CONTENT_DOWN: Capability.DELETE_POST,
    StepName.CHANGE_PASSWORD: Capability.CHANGE_PASSWORD,
    StepName.REVOKE_ACCESS: Capability.REVOKE_ACCESS,
    StepName.DEACTIVATE: Capability.DEACTIVATE,
    StepName.SEE_IT_GONE: Capability.SEE_PRESENCE,
    StepName.DELETE: Capability.DELETE,
    StepName.SEE_IT_GONE_FOR_GOOD: Capability.SEE_PRESENCE,
}


def closing_plan(
    account: Account,
    platform: PlatformInfo,
    capabilities: frozenset[Capability],
    needs_password: frozenset[Capability] = frozenset(),
) -> tuple[PlannedStep, ...]:
    """The ordered steps that close `account` on a platform that can do `capabilities` (P1.S8, LIF602, LIF603, LIF606).

    What is in `needs_password` the machine does only while a network manager has the vault open.

    An account that never existed on the platform (no handle was recorded) has nothing to take down there: it is only
    frozen, what was held about people is erased, and a certificate says that it was never set up.
    """
    if account.handle is None and account.remote_id is None:
        names = [StepName.FREEZE_POSTING, StepName.ERASE_PEOPLE, StepName.CERTIFICATE]
    else:
        names = [
            StepName.FREEZE_POSTING,
            StepName.TAKE_CONTENT_DOWN,
            StepName.CHANGE_PASSWORD,
            *_ending(capabilities, needs_password),
        ]
        if {Capability.DELETE, Capability.DELETE_BY_MAILED_CODE} & capabilities:
            # the platform keeps a deactivated account until told to delete it
            names += [StepName.WAIT_THE_DELAY, StepName.DELETE]
        else:
            # deactivation turns into deletion by itself once the platform's delay is over
            names += [StepName.WAIT_THE_DELAY]
        names += [StepName.SEE_IT_GONE_FOR_GOOD, StepName.ERASE_PEOPLE, StepName.CERTIFICATE]
    return tuple(PlannedStep(name, _doer(name, capabilities)) for name in names)


def _ending(capabilities: frozenset[Capability], needs_password: frozenset[Capability]) -> list[StepName]:
    """All access ends before the account is deactivated, for on many platforms signing in again undoes that.

    Only where the machine deactivates with a key of its own must that key be the last to go.
    """
    by_own_key = {Capability.REVOKE_ACCESS, Capability.DEACTIVATE} <= capabilities - needs_password
    if by_own_key and Capability.MAKE_TOKEN in capabilities:
        return [StepName.DEACTIVATE, StepName.SEE_IT_GONE, StepName.REVOKE_ACCESS]
    return [StepName.REVOKE_ACCESS, StepName.DEACTIVATE, StepName.SEE_IT_GONE]


def _doer(name: StepName, capabilities: frozenset[Capability]) -> StepDoer:
    needed = _CAPABILITY.get(name)
    if needed is None or needed in capabilities:
        return StepDoer.MACHINE
    return StepDoer.PERSON


@dataclass(frozen=True, slots=True)
class Proof:
    """What must be seen before a step counts as done. `capability` is what a machine needs to look for itself.

    `attested` is the value a person vouches for where no machine can look; with `screenshot` they show it.
    """

    fact: Fact
    capability: Capability
    attested: Any
    screenshot: bool = True


PROOFS: Mapping[StepName, Proof] = {
    StepName.TAKE_CONTENT_DOWN: Proof(Fact.POSTS, Capability.READ_POSTS, 0),
    StepName.CHANGE_PASSWORD: Proof(Fact.LOGIN_WORKS, Capability.CHECK_LOGIN, True, screenshot=False),
    StepName.REVOKE_ACCESS: Proof(Fact.OUR_ACCESS, Capability.CHECK_LOGIN, False, screenshot=False),
    StepName.DEACTIVATE: Proof(Fact.PRESENCE, Capability.SEE_PRESENCE, Presence.DEACTIVATED),
    StepName.SEE_IT_GONE: Proof(Fact.PRESENCE, Capability.SEE_PRESENCE, Presence.DEACTIVATED),
    StepName.DELETE: Proof(Fact.PRESENCE, Capability.SEE_PRESENCE, Presence.GONE),
    StepName.SEE_IT_GONE_FOR_GOOD: Proof(Fact.PRESENCE, Capability.SEE_PRESENCE, Presence.GONE),
}


def proves(name: StepName, value: Any, platform: PlatformInfo) -> bool:
    """Does this fresh value show that the step has had its effect? A value that is unknown never does."""
    if name in (StepName.DEACTIVATE, StepName.SEE_IT_GONE):
        return value in (Presence.DEACTIVATED, Presence.GONE)
    if name is StepName.DELETE and platform.deletion_delay_days:
        # deleted, but the platform can still undo it: SEE_IT_GONE_FOR_GOOD looks again when it no longer can
        return value in (Presence.DEACTIVATED, Presence.GONE)
    proof = PROOFS[name]
    return value is not None and bool(value == proof.attested)


TIME_FOR_A_PERSON = timedelta(days=14)  # to hand over a mailed code, holidays of a week included


def step_not_before(
    name: StepName,
    *,
    plan: Collection[StepName],
    account: Account,
    platform: PlatformInfo,
    policy: Policy,
    zone: ZoneInfo,
    started_at: datetime,
    now: datetime,
) -> datetime:
    """The earliest moment for a step whose turn comes at `now` (LIF603).

    Where the school deletes, it keeps the account disabled as long as it may, and begins early enough to be done within
    its own days from the end: the platform's delay, during which it can be undone there, and a person's part come
    before that day. Where deactivation becomes deletion by itself, only the platform's delay counts.
    """
    delay, deletes = timedelta(days=platform.deletion_delay_days), StepName.DELETE in plan
    if name is StepName.WAIT_THE_DELAY:
        if not deletes:
            return now + delay
        end = ends_at(account, zone)
        base = started_at if end is None else min(started_at, end)
        return max(now, base + timedelta(days=policy.days_from_end_to_deletion) - delay - TIME_FOR_A_PERSON)
    if name is StepName.SEE_IT_GONE_FOR_GOOD and deletes:
        return now + delay
    return now


TIME_FOR_A_ROTATION = timedelta(days=14)  # where nobody who must not have it has the password
TIME_AFTER_HAND_OVER = timedelta(days=7)  # a colleague who still works here knows it


def rotation_due_at(reason: RotationReason, now: datetime, policy: Policy, *, secret_at: datetime | None) -> datetime:
    """By when a password must be changed for `reason` (SEC204, PPL704). `secret_at`: since when it is in use.

    On schedule it is the day on which the password becomes too old, but never less than a week from now.
    """
    if reason in (RotationReason.COMPROMISED, RotationReason.LEFT):
        return now + timedelta(hours=policy.rotation_hours)
    if reason is RotationReason.HANDED_OVER:
        return now + TIME_AFTER_HAND_OVER
    if reason is RotationReason.SCHEDULE and secret_at is not None:
        return max(secret_at + timedelta(days=policy.password_max_age_days), now + TIME_AFTER_HAND_OVER)
    return now + TIME_FOR_A_ROTATION


class Lateness(StrEnum):
    """How far the time for a rotation has gone, which decides whom it is told."""

    EARLY = "early"
    HALF = "half"
    SOON = "soon"  # three quarters are over
    LATE = "late"


def rotation_lateness(rotation: Rotation, now: datetime) -> Lateness:
    """How pressing an open rotation has become."""
    whole = rotation.due_at - rotation.started_at
    if now >= rotation.due_at:
        return Lateness.LATE
    if now >= rotation.due_at - whole / 4:
        return Lateness.SOON
    return Lateness.HALF if now >= rotation.due_at - whole / 2 else Lateness.EARLY


def back_off(attempts: int) -> timedelta:
    """How long to leave a platform or a mail server alone after the n-th failure: 5 minutes, doubled, at most a day."""
    return min(timedelta(minutes=5 << min(max(attempts, 1) - 1, 10)), timedelta(days=1))


def diagram() -> str:
    """TRANSITIONS as a Mermaid state diagram, for the README."""
    lines = ["stateDiagram-v2", "    [*] --> requested"]
    for old, news in TRANSITIONS.items():
        lines += [f"    {old.value} --> {new.value}" for new in AccountState if new in news]
    lines += [f"    {old.value} --> [*]" for old, news in TRANSITIONS.items() if not news]
    return "\n".join(lines)
