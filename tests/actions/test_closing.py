"""A closing from its first line in the plan to its certificate: on a simulated network over HTTP, and by people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from closing_school import (
    PASSWORD,
    deposited,
    events,
    live_account,
    owner_of,
    people_around,
    with_platform,
)
from factories import NOW, manager_of, staff, vault_of
from networks import Clock, Sandbox, served_sandbox

from socialgov.actions.blobs import read_blob
from socialgov.actions.certificates import certificate_of, certificate_text, verify_certificate
from socialgov.actions.closing import (
    advance,
    complete_task,
    go_on_with_vault,
    let_machine_try,
    start_closing,
    steps_of,
)
from socialgov.actions.credentials import deposit
from socialgov.actions.notices import open_notices
from socialgov.errors import InvalidInput, NotFound, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, AccountState, ClosingStep, Presence, Role, StepDoer, StepName, StepState
from socialgov.sandbox.keys import Keys
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import closing_of, first_open_step
from socialgov.store.erasing import people_still_held
from socialgov.store.events import verify_chain
from socialgov.store.rows import scalar


def screenshot() -> bytes:
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    Image.new("RGB", (32, 24), "white").save(out, "PNG")
    return out.getvalue()


PNG = screenshot()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with served_sandbox(tmp_path / "sandbox.db", Clock(NOW)) as sandbox:
        yield sandbox


@pytest.fixture
def school(home: Home, sandbox: Sandbox) -> Home:
    return with_platform(home, replace(sandbox.info, key="sandbox"), days_from_end_to_deletion=7)


def on_the_network(home: Home, sandbox: Sandbox) -> Account:
    """A live account that exists on the simulated network, with a post, its deposit, and people around it."""
    from socialgov.sandbox.wall import Wall

    member = sandbox.network.create_account("lakes2026", PASSWORD, email="trips@school.example", private=True)
    Wall(sandbox.network).publish(member, "We climbed a hill", [], key="k1")
    account = live_account(home, remote_id=member.id)
    deposited(home, account)
    people_around(home, account)
    return account


def names(steps: list) -> list[str]:
    return [step.name.value for step in steps]


def test_the_machine_closes_an_account_and_proves_it(school: Home, sandbox: Sandbox) -> None:
    account = on_the_network(school, sandbox)
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    done = advance(school, closing.id, now=NOW)
    assert names(done) == ["take_content_down", "change_password", "deactivate", "see_it_gone", "revoke_access"]
    waiting = first_open_step(school.db, closing.id)
    assert waiting is not None
    assert (waiting.name, waiting.state) == (StepName.WAIT_THE_DELAY, StepState.WAITING)
    assert waiting.not_before_at == NOW + timedelta(days=30)
    assert advance(school, closing.id, now=NOW + timedelta(days=29)) == []

    sandbox.clock.pass_days(31)
    over = NOW + timedelta(days=31)
    assert names(advance(school, closing.id, now=over)) == [
        "wait_the_delay",
        "see_it_gone_for_good",
        "erase_people",
        "certificate",
    ]
    assert account_by_id(school.db, account.id).state is AccountState.CLOSED
    found = closing_of(school.db, account.id)
    assert found is not None and found.finished_at == over
    assert verify_chain(school.db).whole


def test_each_step_seen_by_the_machine_has_a_fresh_observation(school: Home, sandbox: Sandbox) -> None:
    account = on_the_network(school, sandbox)
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    seen = {step.name: step.observation_id for step in steps_of(school.db, closing.id) if step.state is StepState.DONE}
    assert all(seen[name] for name in seen if name is not StepName.FREEZE_POSTING)
    found = school.db.execute("select fact, value from observation where id > 2 order by id").fetchall()
    assert [(fact, json.loads(value)) for fact, value in found] == [
        ("posts", 0),
        ("login_works", True),
        ("presence", "deactivated"),
        ("presence", "deactivated"),
        ("our_access", False),
    ]  # the first two are of the day on which the machine was given its key


def test_the_password_that_holds_is_the_one_on_record(school: Home, sandbox: Sandbox) -> None:
    from socialgov.actions.credentials import machine_login

    account = on_the_network(school, sandbox)
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    login = machine_login(
        school, account.id, purpose="test", now=NOW, needs_password=True, vault=vault_of(school),
        actor=manager_of(school),
    )  # fmt: skip
    assert login is not None and login.secret != PASSWORD
    sandbox.network.sign_in("lakes2026", login.secret)


def test_nothing_about_people_is_left_and_secrets_are_gone_from_the_files(school: Home, sandbox: Sandbox) -> None:
    account = on_the_network(school, sandbox)
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    sandbox.clock.pass_days(31)
    advance(school, closing.id, now=NOW + timedelta(days=31))
    assert people_still_held(school.db, account.id) == 0
    assert scalar(school.db, "select count(*) from post where text != ''") == 0
    with pytest.raises(NotFound):
        read_blob(school, 1)
    assert not [path for path in (school.path / "blobs").glob("*/*") if path.is_file()]
    files = b"".join(path.read_bytes() for path in school.path.glob("school.db*"))
    assert b"sam_p" not in files
    assert b"Robin at the lake" not in files
    assert len(events(school, "closing:people:erased", account.id)) == 1


def test_a_closing_freezes_in_its_own_transaction(school: Home, sandbox: Sandbox) -> None:
    account = on_the_network(school, sandbox)
    start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    states = {row[0] for row in school.db.execute("select state from post").fetchall()}
    assert states == {"published", "discarded"}
    assert events(school, "account:state:closing", account.id)[0]["actor"] == "job:closing"


def test_only_who_may_close_closes_and_only_once(school: Home) -> None:
    account = live_account(school)
    stranger = staff(school, Role.TEACHER)
    with pytest.raises(NotPermitted):
        start_closing(school, stranger, account.id, "I want to", now=NOW)
    with pytest.raises(InvalidInput):
        start_closing(school, owner_of(school, account), account.id, "  ", now=NOW)
    start_closing(school, owner_of(school, account), account.id, "The trip is over", now=NOW)
    with pytest.raises(WrongState):
        start_closing(school, owner_of(school, account), account.id, "Again", now=NOW)


def test_an_account_that_was_never_set_up_closes_at_once_and_says_so(school: Home) -> None:
    account = live_account(school, state=AccountState.APPROVED, handle=None, live_at=None)
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    assert names(advance(school, closing.id, now=NOW)) == ["erase_people", "certificate"]
    certificate = certificate_of(school.db, account.id)
    assert certificate is not None
    body = json.loads(certificate.body)
    assert body["not_seen"] == ["No account was recorded on the platform, so there was nothing there to look at."]


def test_a_network_that_is_down_is_left_alone_for_longer_each_time(school: Home, sandbox: Sandbox) -> None:
    account = on_the_network(school, sandbox)
    away = with_platform(school, replace(sandbox.info, key="sandbox", api_base="http://127.0.0.1:9"))
    closing = start_closing(away, None, account.id, "Its end date is over.", now=NOW)
    waits, now = [], NOW
    for _ in range(3):
        advance(away, closing.id, now=now)
        step = first_open_step(away.db, closing.id)
        assert step is not None and step.not_before_at is not None and step.last_error
        waits.append((step.not_before_at - now).total_seconds() / 60)
        now = step.not_before_at
    assert waits == [5, 10, 20]
    told = open_notices(away.db, account.owner_id)
    assert any("held up" in notice.text for notice in told)
    assert names(advance(school, closing.id, now=now))[0] == "take_content_down"


def test_a_password_changed_behind_our_back_does_not_hold_the_machine_up(school: Home, sandbox: Sandbox) -> None:
    account = on_the_network(school, sandbox)
    sandbox.network.change_password(sandbox.network.named("lakes2026"), PASSWORD, "somebody-changed-it-9")
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    waiting = first_open_step(school.db, closing.id)
    assert waiting is not None and waiting.name is StepName.WAIT_THE_DELAY


def key_was_revoked(school: Home, sandbox: Sandbox) -> ClosingStep:
    """Somebody revoked our key on the network; the closing begins and stands still."""
    account = on_the_network(school, sandbox)
    Keys(sandbox.network).revoke_all(sandbox.network.named("lakes2026"))
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    step = first_open_step(school.db, closing.id)
    assert step is not None
    assert (step.name, step.state, step.doer) == (StepName.TAKE_CONTENT_DOWN, StepState.TASK, StepDoer.PERSON)
    assert "socialgov's own key" in (step.last_error or "")
    return step


def test_a_revoked_key_is_a_managers_task_and_the_open_vault_mends_it(school: Home, sandbox: Sandbox) -> None:
    step, manager = key_was_revoked(school, sandbox), manager_of(school)
    assert any("Open the vault" in notice.text for notice in open_notices(school.db, manager.id))
    go_on_with_vault(school, manager, step.id, vault_of(school), now=NOW + timedelta(minutes=1))
    after = first_open_step(school.db, step.closing_id)
    assert after is not None and after.name is StepName.WAIT_THE_DELAY, "every step behind it, in the same moment"
    used = events(school, "credential:secret:used_by_machine", 1)
    assert f"staff:{manager.id}" in [row["actor"] for row in used]


def test_a_revoked_key_is_mended_by_a_keeper_too_who_deposits_the_password_again(
    school: Home, sandbox: Sandbox
) -> None:
    step = key_was_revoked(school, sandbox)
    account = account_by_id(school.db, 1)
    deposited(school, account)
    advance(school, step.closing_id, now=NOW + timedelta(minutes=1))
    waiting = first_open_step(school.db, step.closing_id)
    assert waiting is not None and waiting.name is StepName.WAIT_THE_DELAY


def test_the_machine_can_be_told_to_try_its_key_again(school: Home, sandbox: Sandbox) -> None:
    step = key_was_revoked(school, sandbox)
    account = account_by_id(school.db, 1)
    again = let_machine_try(school, owner_of(school, account), step.id, now=NOW + timedelta(minutes=1))
    assert (again.state, again.detail["vault"]) == (StepState.TASK, True), "it is still refused"


def test_an_account_that_came_back_is_noticed_and_handed_to_a_person(school: Home, sandbox: Sandbox) -> None:
    account = on_the_network(school, sandbox)
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    sandbox.network.reactivate(sandbox.network.member(account.remote_id or ""))
    now = NOW + timedelta(days=30)
    for _ in range(3):
        advance(school, closing.id, now=now)
        now += timedelta(days=1)
    step = first_open_step(school.db, closing.id)
    assert step is not None
    assert (step.name, step.state) == (StepName.SEE_IT_GONE_FOR_GOOD, StepState.TASK)
    assert "still there for everybody" in (step.last_error or "")
    again = complete_task(school, owner_of(school, account), step.id, now=now)
    assert again.state is StepState.TASK  # a person's word does not stand against what the machine sees


def by_people(home: Home, account: Account, now) -> None:
    """The owner does every task, depositing a new password where it is asked for."""
    owner = owner_of(home, account)
    closing = closing_of(home.db, account.id)
    assert closing is not None
    for _ in range(12):
        step = first_open_step(home.db, closing.id)
        if step is None or step.state is not StepState.TASK:
            return
        if step.name is StepName.CHANGE_PASSWORD:
            deposit(home, owner, account.id, username="x", secret="Otter+91+harbour?", email="trips@school.example",
                    now=now)  # fmt: skip
        complete_task(home, owner, step.id, now=now, screenshot=PNG)


def test_people_close_an_account_where_no_machine_can(home: Home) -> None:
    account = live_account(home, platform="instagram")
    deposited(home, account)
    people_around(home, account)
    closing = start_closing(home, None, account.id, "Its end date is over.", now=NOW)
    by_people(home, account, NOW + timedelta(hours=1))
    waiting = first_open_step(home.db, closing.id)
    assert waiting is not None and waiting.name is StepName.WAIT_THE_DELAY
    over = NOW + timedelta(days=31)
    advance(home, closing.id, now=over)
    by_people(home, account, over)
    advance(home, closing.id, now=over)
    assert account_by_id(home.db, account.id).state is AccountState.CLOSED
    certificate = certificate_of(home.db, account.id)
    assert certificate is not None
    body = json.loads(certificate.body)
    seen = {step["step"]: step["seen"] for step in body["steps"] if "seen" in step}
    assert seen["see_it_gone_for_good"]["value"] == Presence.GONE
    assert seen["see_it_gone_for_good"]["source"] == "attested"
    assert len(seen["see_it_gone_for_good"]["evidence_sha256"]) == 64
    assert seen["deactivate"]["by"].startswith(f"staff {account.owner_id}")
    assert any("No machine could look" in line for line in body["not_seen"])
    assert verify_certificate(certificate_text(certificate), home).valid


def test_a_task_wants_its_screenshot_and_a_new_deposit(home: Home) -> None:
    account = live_account(home, platform="instagram")
    deposited(home, account)
    closing = start_closing(home, None, account.id, "Its end date is over.", now=NOW)
    owner = owner_of(home, account)
    step = first_open_step(home.db, closing.id)
    assert step is not None and step.name is StepName.TAKE_CONTENT_DOWN
    with pytest.raises(InvalidInput) as refused:
        complete_task(home, owner, step.id, now=NOW)
    assert "screenshot" in refused.value.fields
    complete_task(home, owner, step.id, now=NOW, screenshot=PNG)
    with pytest.raises(WrongState):
        complete_task(home, owner, step.id, now=NOW, screenshot=PNG)
    step = first_open_step(home.db, closing.id)
    assert step is not None and step.name is StepName.CHANGE_PASSWORD
    with pytest.raises(InvalidInput) as refused:
        complete_task(home, owner, step.id, now=NOW)
    assert "password" in refused.value.fields
