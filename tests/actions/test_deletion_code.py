"""Deletion with a code that the platform mails: asked for by the machine, handed over by a person, never kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from closing_fakes import arrange, change, deeds
from closing_school import PASSWORD, deposited, live_account, owner_of, with_platform
from factories import NOW

from socialgov.actions.closing import advance, ask_new_code, complete_task, let_machine_try, start_closing
from socialgov.actions.credentials import machine_login, open_spare
from socialgov.actions.notices import open_notices
from socialgov.errors import InvalidInput
from socialgov.home import Home
from socialgov.models import Account, AccountState, ClosingStep, StepName, StepState
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import first_open_step
from socialgov.store.rows import scalar

LATER = NOW + timedelta(days=8)


@pytest.fixture
def school(home: Home, tmp_path: Path) -> Home:
    return with_platform(home, arrange(tmp_path / "network.json", password=PASSWORD), days_from_end_to_deletion=7)


@pytest.fixture
def account(school: Home) -> Account:
    account = live_account(school, remote_id="r1")
    deposited(school, account)
    return account


def to_the_code(school: Home, account: Account) -> ClosingStep:
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    advance(school, closing.id, now=LATER)
    step = first_open_step(school.db, closing.id)
    assert step is not None
    return step


def test_the_machine_asks_for_the_code_and_a_person_hands_it_over(school: Home, account: Account) -> None:
    step = to_the_code(school, account)
    assert (step.name, step.state) == (StepName.DELETE, StepState.TASK)
    assert any("mailed a deletion code" in notice.text for notice in open_notices(school.db, account.owner_id))
    complete_task(school, owner_of(school, account), step.id, now=LATER, code=" CODE-1 ")
    assert account_by_id(school.db, account.id).state is AccountState.CLOSED
    info = school.settings.platforms["sandbox"]
    assert deeds(info) == [
        "delete post 1",
        "delete post 2",
        "change password",
        "revoke",
        "deactivate",
        "mail code",
        "delete",
    ]


def test_a_wrong_code_comes_back_with_its_reason_and_another_can_be_asked_for(school: Home, account: Account) -> None:
    step, owner = to_the_code(school, account), owner_of(school, account)
    back = complete_task(school, owner, step.id, now=LATER, code="WRONG")
    assert back.state is StepState.TASK
    assert "not the code" in (back.last_error or "")
    again = ask_new_code(school, owner, step.id, now=LATER)
    assert again.state is StepState.TASK
    complete_task(school, owner, step.id, now=LATER, code="CODE-2")
    assert account_by_id(school.db, account.id).state is AccountState.CLOSED


def test_an_empty_code_is_refused_beside_its_field(school: Home, account: Account) -> None:
    step = to_the_code(school, account)
    with pytest.raises(InvalidInput) as refused:
        complete_task(school, owner_of(school, account), step.id, now=LATER, code="  ")
    assert "code" in refused.value.fields


def test_the_code_is_sealed_while_it_waits_and_forgotten_when_used(school: Home, account: Account) -> None:
    step, owner = to_the_code(school, account), owner_of(school, account)
    complete_task(school, owner, step.id, now=LATER, code="CODE-1")
    details = [row[0] for row in school.db.execute("select detail from closing_step").fetchall()]
    assert not any("code" in detail for detail in details)
    files = b"".join(path.read_bytes() for path in school.path.glob("school.db*"))
    assert b"CODE-1" not in files
    assert scalar(school.db, "select count(*) from event where data like '%CODE-1%'") == 0


def test_a_new_password_the_platform_took_is_found_again_after_a_refusal(school: Home, account: Account) -> None:
    """Somebody changed the password on the way; the machine's new one stays on record, and works once it is set."""
    info = school.settings.platforms["sandbox"]
    change(info, posts=[])
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    change(info, password="somebody else's")
    advance(school, closing.id, now=NOW)
    step = first_open_step(school.db, closing.id)
    assert step is not None and (step.name, step.state) == (StepName.CHANGE_PASSWORD, StepState.TASK)
    spare = open_spare(school, step.detail["spare"], purpose="test", now=NOW)
    change(info, password=spare.secret)
    let_machine_try(school, owner_of(school, account), step.id, now=NOW)
    login = machine_login(school, account.id, purpose="test", now=NOW)
    assert login is not None and login.secret == spare.secret
    assert "change password" not in deeds(info)
