"""Where a platform does not let us in any more, what is not checked is said each day until somebody connects again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from connected import Connected, connectable

from socialgov.actions import connections
from socialgov.actions.access import lose_if_refused
from socialgov.actions.observing import check_account
from socialgov.actions.planning import plan_reads
from socialgov.actions.platform_states import unchecked
from socialgov.home import Home
from socialgov.models import Capability
from socialgov.platforms.x import XPlatform
from socialgov.prices import READS
from socialgov.store.plans import accounts_without_plan, not_checked, plan_in_force

READ_ON_X = XPlatform.capabilities & READS


@pytest.fixture
def one(home: Home, tmp_path: Path) -> Iterator[Connected]:
    """Connected and looked at once."""
    with connectable(home, tmp_path) as found:
        found.connect()
        check_account(found.home, found.account.id, now=found.now)
        yield found


def shut_out(one: Connected) -> datetime:
    """A day later X refuses us; returns when the account was looked at last."""
    seen = one.now
    one.later(days=1)
    one.x.doors.revoke_by_user(one.there.id)
    check_account(one.home, one.account.id, now=one.now)
    return seen


def missing(one: Connected) -> dict[Capability, datetime | None]:
    return {found.capability: found.since for found in not_checked(one.home.db, one.account.id)}


def test_what_is_not_checked_is_said_every_day_after_with_the_day_it_was_read_last(one: Connected) -> None:
    seen = shut_out(one)
    refused = one.now
    for _ in range(5):
        one.later(days=1)
        assert plan_reads(one.home, now=one.now) == 1
        check_account(one.home, one.account.id, now=one.now)
        assert missing(one) == dict.fromkeys(READ_ON_X, seen)
    said = unchecked(one.home, one.again(), now=one.now)
    assert said is not None and len(said.needs) == len(READ_ON_X)
    assert f"{refused.day} {refused:%B %Y}" in said.why
    assert one.again().checked_at == seen, "nothing was read since, so nothing was checked"


def test_it_is_said_at_once_where_no_look_but_a_renewal_was_refused(one: Connected) -> None:
    plan_reads(one.home, now=one.later(days=1))
    assert missing(one) == {}
    one.x.doors.revoke_by_user(one.there.id)
    lose_if_refused(one.home, one.account.id, now=one.now)
    assert plan_reads(one.home, now=one.later(minutes=1)) == 1, "the plan of this morning holds no more"
    assert set(missing(one)) == READ_ON_X
    assert plan_reads(one.home, now=one.later(minutes=1)) == 0


def test_connected_again_it_is_read_the_same_day_and_nothing_is_missing(one: Connected) -> None:
    shut_out(one)
    one.later(days=1)
    plan_reads(one.home, now=one.now)
    one.later(hours=1)
    one.connect()
    assert plan_reads(one.home, now=one.later(minutes=1)) == 1
    check_account(one.home, one.account.id, now=one.now)
    assert missing(one) == {}
    assert one.again().checked_at == one.now


def test_an_account_that_is_first_connected_at_noon_is_read_at_noon(home: Home, tmp_path: Path) -> None:
    with connectable(home, tmp_path) as one:
        plan_reads(one.home, now=one.now)
        one.later(hours=3)
        one.connect()
        check_account(one.home, one.account.id, now=one.later(minutes=1))
        plan = plan_in_force(one.home.db, one.account.id, one.home.today(one.now))
        assert plan is not None and Capability.READ_FOLLOWERS in plan.reads
        assert one.again().checked_at == one.now


def test_who_ends_the_connection_of_their_own_will_leaves_nothing_out(one: Connected) -> None:
    shut_out(one)
    assert missing(one)
    connections.disconnect(one.home, one.owner, one.account.id, now=one.later(hours=1))
    assert plan_reads(one.home, now=one.later(minutes=1)) == 1
    assert missing(one) == {}
    assert accounts_without_plan(one.home.db, one.home.today(one.now)) == frozenset()
