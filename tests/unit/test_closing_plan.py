"""The closing plan and what proves each step: pure, so tried with plain data and with whatever Hypothesis finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import INFO

from socialgov.home import Home
from socialgov.lifecycle import PROOFS, back_off, closing_plan, proves, step_not_before
from socialgov.models import Account, AccountKind, AccountState, Capability, Fact, Presence, StepDoer, StepName

LONDON = ZoneInfo("Europe/London")
START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
ACCOUNT = Account(
    id=1, platform="somewhere", kind=AccountKind.TRIP, state=AccountState.LIVE, handle_wished="a", handle="a",
    remote_id="r", purpose="p", audience="a", owner_id=1, deputy_id=2, requested_by=1, requested_at=START,
    starts_on=date(2026, 10, 1), ends_on=date(2026, 11, 22), review_on=None, school_email=None, return_reason=None,
    returned_at=None, decided_by=None, decided_at=None, decision_reason=None, live_at=START, suspended_at=None,
    suspend_reason=None, confirmed_at=None, closed_at=None, found_unregistered=False, check_due_at=None,
    checked_at=None, version=1,
)  # fmt: skip
capabilities = st.frozensets(st.sampled_from(list(Capability)))


@given(capabilities, capabilities, st.booleans())
def test_every_plan_begins_frozen_and_ends_erased_and_certified(
    can: frozenset[Capability], password: frozenset[Capability], set_up: bool
) -> None:
    account = ACCOUNT if set_up else replace(ACCOUNT, handle=None, remote_id=None)
    names = [step.name for step in closing_plan(account, INFO, can, password)]
    assert names[0] is StepName.FREEZE_POSTING
    assert names[-2:] == [StepName.ERASE_PEOPLE, StepName.CERTIFICATE]
    without_revoking = [name for name in names if name is not StepName.REVOKE_ACCESS]
    assert without_revoking == sorted(without_revoking, key=list(StepName).index)
    assert (StepName.SEE_IT_GONE_FOR_GOOD in names) is set_up


@given(capabilities, capabilities)
def test_access_ends_before_the_account_is_hidden_unless_our_own_key_hides_it(
    can: frozenset[Capability], password: frozenset[Capability]
) -> None:
    names = [step.name for step in closing_plan(ACCOUNT, INFO, can, password)]
    key_hides_it = {Capability.MAKE_TOKEN, Capability.DEACTIVATE, Capability.REVOKE_ACCESS} <= can and not (
        {Capability.DEACTIVATE, Capability.REVOKE_ACCESS} & password
    )
    assert (names.index(StepName.REVOKE_ACCESS) > names.index(StepName.SEE_IT_GONE)) is key_hides_it
    assert names.index(StepName.CHANGE_PASSWORD) < names.index(StepName.REVOKE_ACCESS)
    assert names.index(StepName.REVOKE_ACCESS) < names.index(StepName.WAIT_THE_DELAY)


@given(capabilities)
def test_a_step_is_the_machines_only_where_the_platform_can(can: frozenset[Capability]) -> None:
    plan = {step.name: step.doer for step in closing_plan(ACCOUNT, INFO, can)}
    assert (plan[StepName.DEACTIVATE] is StepDoer.MACHINE) is (Capability.DEACTIVATE in can)
    assert (plan[StepName.SEE_IT_GONE] is StepDoer.MACHINE) is (Capability.SEE_PRESENCE in can)
    assert (StepName.DELETE in plan) is bool({Capability.DELETE, Capability.DELETE_BY_MAILED_CODE} & can)


@given(st.sampled_from(list(PROOFS)), st.none() | st.booleans() | st.integers() | st.sampled_from(list(Presence)))
def test_an_unknown_or_live_account_proves_no_end(name: StepName, value: object) -> None:
    if PROOFS[name].fact is Fact.PRESENCE and proves(name, value, INFO):
        assert value in (Presence.DEACTIVATED, Presence.GONE)
    assert not proves(name, None, INFO)


def test_only_gone_is_gone_for_good() -> None:
    assert not proves(StepName.SEE_IT_GONE_FOR_GOOD, Presence.DEACTIVATED, INFO)
    assert proves(StepName.SEE_IT_GONE_FOR_GOOD, Presence.GONE, INFO)
    at_once = replace(INFO, deletion_delay_days=0)
    assert not proves(StepName.DELETE, Presence.DEACTIVATED, at_once)
    assert proves(StepName.DELETE, Presence.DEACTIVATED, INFO)  # it can still be undone there: looked at again later


@pytest.mark.parametrize(
    ("plan", "name", "days"),
    [
        ((StepName.WAIT_THE_DELAY,), StepName.WAIT_THE_DELAY, 30),
        ((StepName.WAIT_THE_DELAY, StepName.DELETE), StepName.WAIT_THE_DELAY, 60 - 30 - 14),
        ((StepName.WAIT_THE_DELAY, StepName.DELETE), StepName.SEE_IT_GONE_FOR_GOOD, 30),
        ((StepName.WAIT_THE_DELAY,), StepName.SEE_IT_GONE_FOR_GOOD, 0),
        ((StepName.WAIT_THE_DELAY,), StepName.DEACTIVATE, 0),
    ],
)
def test_the_schools_days_end_after_the_platforms(
    home: Home, plan: tuple[StepName, ...], name: StepName, days: int
) -> None:
    policy = replace(home.settings.policy, days_from_end_to_deletion=60)
    moment = step_not_before(
        name, plan=plan, account=ACCOUNT, platform=INFO, policy=policy, zone=LONDON, started_at=START, now=START
    )
    assert moment == START + timedelta(days=days)


def test_the_schools_days_count_from_the_end_not_from_a_late_machine(home: Home) -> None:
    policy = replace(home.settings.policy, days_from_end_to_deletion=60)
    late = START + timedelta(days=10)
    moment = step_not_before(
        StepName.WAIT_THE_DELAY, plan=(StepName.WAIT_THE_DELAY, StepName.DELETE), account=ACCOUNT, platform=INFO,
        policy=policy, zone=LONDON, started_at=late, now=late,
    )  # fmt: skip
    assert moment == START + timedelta(days=60 - 30 - 14)


@pytest.mark.parametrize("delay", [0, 14, 30])
@pytest.mark.parametrize("days", [7, 31, 45, 400])
def test_deletion_begins_early_enough_to_be_over_in_the_schools_days(home: Home, days: int, delay: int) -> None:
    policy = replace(home.settings.policy, days_from_end_to_deletion=days)
    platform = replace(INFO, deletion_delay_days=delay)
    moment = step_not_before(
        StepName.WAIT_THE_DELAY, plan=(StepName.WAIT_THE_DELAY, StepName.DELETE), account=ACCOUNT, platform=platform,
        policy=policy, zone=LONDON, started_at=START, now=START,
    )  # fmt: skip
    begins_at_once = moment == START
    assert begins_at_once or moment + timedelta(days=delay) < START + timedelta(days=days)


@given(st.integers(-3, 10_000))
def test_backing_off_grows_and_ends_at_a_day(attempts: int) -> None:
    assert timedelta(minutes=5) <= back_off(attempts) <= back_off(attempts + 1) <= timedelta(days=1)
