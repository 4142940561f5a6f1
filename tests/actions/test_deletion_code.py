"""Deletion with a code that the platform mails: asked for by the machine, handed over by a person, never kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from closing_fakes import arrange, change, deeds
from closing_school import PASSWORD, deposited, events, live_account, owner_of, with_platform
from factories import NOW, manager_of, vault_of

from socialgov.actions.closing import (
    advance,
    ask_new_code,
    complete_task,
    go_on_with_vault,
    start_closing,
)
from socialgov.actions.credentials import deposit, deposit_spare, machine_login
from socialgov.actions.notices import open_notices
from socialgov.errors import InvalidInput
from socialgov.home import Home
from socialgov.models import Account, AccountState, ClosingStep, StepName, StepState
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import closing_of, first_open_step
from socialgov.store.connect import write
from socialgov.store.credentials import spares_of
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


def now_at(school: Home, account: Account) -> ClosingStep:
    closing = closing_of(school.db, account.id)
    assert closing is not None
    step = first_open_step(school.db, closing.id)
    assert step is not None
    return step


def with_vault(school: Home, account: Account, now: datetime = LATER) -> ClosingStep:
    """A network manager opens the vault, and the step that waits for it goes on."""
    step = now_at(school, account)
    go_on_with_vault(school, manager_of(school), step.id, vault_of(school), now=now)
    return now_at(school, account)


def to_the_code(school: Home, account: Account) -> ClosingStep:
    """Deactivated and asked to be deleted while the vault is open (this school waits no days); the code is mailed."""
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    return with_vault(school, account, NOW)


def test_what_ends_the_account_waits_for_the_vault_and_the_managers_hear_of_it(school: Home, account: Account) -> None:
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    step = now_at(school, account)
    assert (step.name, step.state, step.detail["vault"]) == (StepName.DEACTIVATE, StepState.TASK, True)
    told = [notice.text for notice in open_notices(school.db, manager_of(school).id)]
    assert any("Open the vault, then socialgov deactivates it." in text for text in told)
    assert advance(school, closing.id, now=LATER) == []
    password_id = scalar(school.db, "select max(id) from credential where kind = 'password' and superseded_at is null")
    used = [row["subject_id"] for row in events(school, "credential:secret:used_by_machine", account.id)]
    assert password_id not in used, "the machine opened no password"


def test_who_opened_the_vault_is_who_used_the_password(school: Home, account: Account) -> None:
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    after = with_vault(school, account, NOW)
    assert after.name is StepName.DELETE
    used = events(school, "credential:secret:used_by_machine", account.id)[-2:]
    assert [row["actor"] for row in used] == [f"staff:{manager_of(school).id}"] * 2
    assert ["deactivate" in used[0]["data"], "delete" in used[1]["data"]] == [True, True]


def test_the_machine_asks_for_the_code_and_a_person_hands_it_over(school: Home, account: Account) -> None:
    step = to_the_code(school, account)
    assert (step.name, step.state) == (StepName.DELETE, StepState.TASK)
    assert any("mailed a deletion code" in notice.text for notice in open_notices(school.db, account.owner_id))
    complete_task(school, manager_of(school), step.id, now=LATER, code=" CODE-1 ", vault=vault_of(school))
    assert account_by_id(school.db, account.id).state is AccountState.CLOSED
    info = school.settings.platforms["sandbox"]
    assert deeds(info) == [
        "make token",
        "delete post 1",
        "delete post 2",
        "change password",
        "revoke",
        "deactivate",
        "mail code",
        "delete",
    ]


def test_a_code_handed_over_without_the_vault_waits_sealed_for_it(school: Home, account: Account) -> None:
    step, owner = to_the_code(school, account), owner_of(school, account)
    waits = complete_task(school, owner, step.id, now=LATER, code="CODE-1")
    assert (waits.state, waits.detail["vault"]) == (StepState.TASK, True)
    assert "CODE-1" not in str(waits.detail)
    go_on_with_vault(school, manager_of(school), step.id, vault_of(school), now=LATER)
    assert account_by_id(school.db, account.id).state is AccountState.CLOSED


def test_a_wrong_code_comes_back_with_its_reason_and_another_can_be_asked_for(school: Home, account: Account) -> None:
    step, manager, vault = to_the_code(school, account), manager_of(school), vault_of(school)
    back = complete_task(school, manager, step.id, now=LATER, code="WRONG", vault=vault)
    assert back.state is StepState.TASK
    assert "not the code" in (back.last_error or "")
    again = ask_new_code(school, manager, step.id, now=LATER, vault=vault)
    assert (again.state, again.detail["phase"]) == (StepState.TASK, "code")
    complete_task(school, manager, step.id, now=LATER, code="CODE-2", vault=vault)
    assert account_by_id(school.db, account.id).state is AccountState.CLOSED


def test_an_empty_code_is_refused_beside_its_field(school: Home, account: Account) -> None:
    step = to_the_code(school, account)
    with pytest.raises(InvalidInput) as refused:
        complete_task(school, owner_of(school, account), step.id, now=LATER, code="  ")
    assert "code" in refused.value.fields


def test_the_code_is_sealed_while_it_waits_and_forgotten_when_used(school: Home, account: Account) -> None:
    step = to_the_code(school, account)
    complete_task(school, manager_of(school), step.id, now=LATER, code="CODE-1", vault=vault_of(school))
    details = [row[0] for row in school.db.execute("select detail from closing_step").fetchall()]
    assert not any("code" in detail for detail in details)
    files = b"".join(path.read_bytes() for path in school.path.glob("school.db*"))
    assert b"CODE-1" not in files
    assert scalar(school.db, "select count(*) from event where data like '%CODE-1%'") == 0


def key_is_gone(school: Home, account: Account) -> ClosingStep:
    """Somebody revokes our key and changes the password while the closing is on its way."""
    info = school.settings.platforms["sandbox"]
    change(info, posts=[])
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    change(info, token="", password="somebody else's")
    advance(school, closing.id, now=NOW)
    step = now_at(school, account)
    assert (step.name, step.state) == (StepName.CHANGE_PASSWORD, StepState.TASK)
    return step


def test_a_revoked_key_waits_for_the_vault_and_the_password_is_tried_then(school: Home, account: Account) -> None:
    step = key_is_gone(school, account)
    assert step.detail["vault"] is True
    assert "socialgov's own key" in (step.last_error or "")
    after = with_vault(school, account, NOW)
    assert after.state is StepState.TASK
    assert "does not accept the deposited login" in (after.last_error or ""), "the password was tried, and is wrong too"


def test_a_new_deposit_brings_a_new_key_and_the_machine_goes_on_by_itself(school: Home, account: Account) -> None:
    step, owner = key_is_gone(school, account), owner_of(school, account)
    change(school.settings.platforms["sandbox"], password="Otter+91+harbour?")
    deposit(school, owner, account.id, username="x", secret="Otter+91+harbour?", email="trips@school.example", now=NOW)
    assert now_at(school, account).state is StepState.WAITING, "nobody has to press a button"
    advance(school, step.closing_id, now=NOW)
    assert now_at(school, account).name is StepName.DEACTIVATE


def test_a_new_password_the_platform_took_is_found_again_with_the_vault(school: Home, account: Account) -> None:
    """Our key went just after the platform took the machine's new password: whichever holds, it is on record."""
    info = school.settings.platforms["sandbox"]
    change(info, posts=[])
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    secret = "the-machine-made-This-1."
    with write(school.db) as db:
        deposit_spare(school, db, account.id, "never-set-Anywhere-2.", now=NOW)
        deposit_spare(school, db, account.id, secret, now=NOW)
        deposit_spare(school, db, account.id, "nor-was-This-one-3.", now=NOW)
    change(info, token="", password=secret)
    advance(school, closing.id, now=NOW)
    assert now_at(school, account).detail["vault"] is True
    with_vault(school, account, NOW)
    assert "change password" not in deeds(info)
    login = machine_login(
        school, account.id, purpose="test", now=NOW, needs_password=True, vault=vault_of(school),
        actor=manager_of(school),
    )  # fmt: skip
    assert login is not None and login.secret == secret
    assert spares_of(school.db, account.id) == []
