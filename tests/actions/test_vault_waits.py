"""Who hears, and when, that an account cannot be disabled before somebody opens the vault (LIF602)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from closing_fakes import arrange, change
from closing_school import PASSWORD, deposited, live_account, owner_of, with_platform
from factories import NOW, manager_of, staff, vault_of

from socialgov.actions.closing import advance, complete_task, go_on_with_vault, start_closing
from socialgov.actions.findings import current_findings
from socialgov.actions.notices import open_notices
from socialgov.actions.reminders import due_reminders, remind
from socialgov.actions.today import needs_today
from socialgov.errors import NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, ClosingStep, Role, Staff, StepName, StepState
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import first_open_step, tasks_of_keeper

DAY = timedelta(days=1)


@pytest.fixture
def school(home: Home, tmp_path: Path) -> Home:
    return with_platform(home, arrange(tmp_path / "network.json", password=PASSWORD))


@pytest.fixture
def account(school: Home) -> Account:
    account = live_account(school, remote_id="r1")
    deposited(school, account)
    return account


def waiting(school: Home, account: Account) -> ClosingStep:
    """The closing as it stands still before the deactivation."""
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    step = first_open_step(school.db, closing.id)
    assert step is not None and step.name is StepName.DEACTIVATE and step.detail["vault"] is True
    return step


def told(school: Home, person: Staff) -> list[str]:
    return [one.text for one in open_notices(school.db, person.id) if one.kind == "vault_needed"]


def remind_all(school: Home, now: datetime) -> None:
    for reminder in due_reminders(school, now):
        remind(school, reminder, now=now)


def test_the_managers_are_told_the_day_before_the_end_and_once(school: Home) -> None:
    account = live_account(school, ends_on=date(2026, 11, 25), remote_id="r1")
    deposited(school, account)
    manager = manager_of(school)
    remind_all(school, NOW)
    assert told(school, manager) == []
    for hours in (0, 5):
        remind_all(school, NOW + DAY + timedelta(hours=hours))
    (text,) = told(school, manager)
    assert "ends on 25 November 2026" in text and "open the vault" in text


def test_nobody_is_told_where_the_machine_ends_an_account_by_itself(home: Home, tmp_path: Path) -> None:
    info = replace(home.settings.platforms["sandbox"], api_base="http://127.0.0.1:9")
    school = with_platform(home, info)
    live_account(school, ends_on=date(2026, 11, 24), remote_id="r1")
    live_account(school, platform="instagram", ends_on=date(2026, 11, 24))
    remind_all(school, NOW)
    assert told(school, manager_of(school)) == []


def test_a_step_that_waits_is_told_to_managers_at_once_and_to_heads_after_a_day(school: Home, account: Account) -> None:
    head, manager, second = staff(school, Role.HEAD), manager_of(school), staff(school, Role.NETWORK_MANAGER)
    waiting(school, account)
    for one in (manager, second):
        (text,) = told(school, one)
        assert "Open the vault, then socialgov deactivates it." in text
    remind_all(school, NOW + DAY - timedelta(minutes=1))
    assert told(school, head) == []
    for days in (1, 2, 3):
        remind_all(school, NOW + days * DAY)
    (text,) = told(school, head)
    assert "waited for a network manager for more than a day" in text and "LIF602" in text


def test_it_stands_on_the_managers_today_and_not_among_the_keepers_tasks(school: Home, account: Account) -> None:
    waiting(school, account)
    titles = {need.key: need.title for need in needs_today(school, manager_of(school), NOW)}
    assert titles["vault"] == "Open the vault, then socialgov deactivates it"
    assert tasks_of_keeper(school.db, account.owner_id) == []


def test_not_disabled_in_time_is_a_breach_until_the_vault_was_opened(school: Home, account: Account) -> None:
    step = waiting(school, account)
    later = NOW + 2 * DAY
    answers = {one.rule_id: one.answer for one in current_findings(school, account_by_id(school.db, account.id), later)}
    assert answers["LIF602"] is not True
    go_on_with_vault(school, manager_of(school), step.id, vault_of(school), now=later)
    answers = {one.rule_id: one.answer for one in current_findings(school, account_by_id(school.db, account.id), later)}
    assert answers["LIF602"] is True


def test_a_person_may_do_it_by_hand_and_the_machine_looks(school: Home, account: Account) -> None:
    step, owner = waiting(school, account), owner_of(school, account)
    back = complete_task(school, owner, step.id, now=NOW)
    assert back.state is StepState.TASK and "still there for everybody" in (back.last_error or "")
    change(school.settings.platforms["sandbox"], presence="deactivated")
    assert complete_task(school, owner, step.id, now=NOW).state is StepState.DONE


def test_only_who_may_and_only_where_it_waits(school: Home, account: Account) -> None:
    step = waiting(school, account)
    with pytest.raises(NotPermitted):
        go_on_with_vault(school, owner_of(school, account), step.id, vault_of(school), now=NOW)
    manager = manager_of(school)
    go_on_with_vault(school, manager, step.id, vault_of(school), now=NOW)
    with pytest.raises(WrongState):
        go_on_with_vault(school, manager, step.id, vault_of(school), now=NOW)
