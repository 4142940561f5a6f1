"""X wants somebody to sign in every 30 days: who is told, when, and what counts as a sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import NOW, staff
from walk import Cast, form_of, live, requested, standing_form

from socialgov.actions.credentials import record_login_test
from socialgov.actions.reminders import due_reminders, remind
from socialgov.actions.sign_ins import record_sign_in, sign_in_due
from socialgov.errors import NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account
from socialgov.store.outbox import notices_of

DAY = timedelta(days=1)


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    return live(home, cast, form=standing_form(cast, platform="x", handle_wished="drama_club"))


def tell(home: Home, account: Account, days: float) -> list[str]:
    """The keys of what is due after so many days; it is told."""
    now = NOW + timedelta(days=days)
    found = [one for one in due_reminders(home, now) if one.kind == "sign_in_due"]
    assert all(remind(home, one, now=now) for one in found)
    return [one.key.rsplit(":", 1)[-1] for one in found]


def told(home: Home, staff_id: int) -> int:
    return sum(notice.kind == "sign_in_due" for notice in notices_of(home.db, staff_id))


def test_the_keepers_are_told_a_week_before_and_the_manager_when_it_is_late(
    home: Home, cast: Cast, account: Account
) -> None:
    assert sign_in_due(home, account) == NOW + 30 * DAY
    assert [tell(home, account, days) for days in (22, 23, 24, 29.9, 31, 32, 39)] == [
        [], ["soon"], [], [], ["late0"], [], ["late1"],
    ]  # fmt: skip
    assert [told(home, one.id) for one in (cast.owner, cast.deputy, cast.manager, cast.head)] == [3, 3, 2, 0]
    text = notices_of(home.db, cast.owner.id)[-1].text
    assert "X wants somebody to sign in to the account drama_club by 23 December 2026" in text


def test_saying_so_begins_the_time_anew_and_puts_the_notices_away(home: Home, cast: Cast, account: Account) -> None:
    tell(home, account, 24)
    now = NOW + 25 * DAY
    record_sign_in(home, cast.deputy, account.id, now=now)
    assert told(home, cast.owner.id) == 0
    assert sign_in_due(home, account) == now + 30 * DAY
    assert tell(home, account, 31) == []
    assert tell(home, account, 50) == ["soon"]


def test_the_managers_login_test_counts_and_one_that_failed_does_not(home: Home, cast: Cast, account: Account) -> None:
    record_login_test(home, cast.manager, account.id, False, now=NOW + 10 * DAY)
    assert sign_in_due(home, account) == NOW + 30 * DAY
    record_login_test(home, cast.manager, account.id, True, now=NOW + 12 * DAY)
    assert sign_in_due(home, account) == NOW + 42 * DAY


def test_no_other_platform_and_no_other_state_is_asked(home: Home, cast: Cast, account: Account) -> None:
    other = live(home, cast, form=standing_form(cast, handle_wished="art.club"))
    assert sign_in_due(home, other) is None
    waiting = requested(home, cast, form=form_of(cast, platform="x", handle_wished="waits"))
    assert sign_in_due(home, waiting) is None
    with pytest.raises(WrongState):
        record_sign_in(home, cast.owner, waiting.id, now=NOW)
    with pytest.raises(NotPermitted):
        record_sign_in(home, staff(home), account.id, now=NOW)
