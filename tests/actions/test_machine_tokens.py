"""The machine's own key: made with the password just deposited, and from then on the only thing it opens by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from closing_school import PASSWORD, deposited, events, live_account, owner_of, with_platform
from factories import NOW, manager_of, vault_of
from networks import Clock, Sandbox, served_sandbox

from socialgov.actions.closing import advance, start_closing
from socialgov.actions.credentials import deposit, record_login_test
from socialgov.actions.findings import current_findings
from socialgov.actions.giving_up_keys import end_given_up_key, keys_to_end
from socialgov.actions.machine_tokens import accounts_without_key, key_since, make_machine_token
from socialgov.actions.notices import open_notices
from socialgov.actions.observing import check_account
from socialgov.actions.rotation_progress import rotation_progress
from socialgov.actions.rotations import report_compromised
from socialgov.actions.today import needs_today
from socialgov.actions.unsealing import machine_login
from socialgov.errors import EscrowError, NotFound, VaultShut
from socialgov.home import Home
from socialgov.models import Account, CredentialKind, Fact, Source
from socialgov.platforms import LoginRefused, PlatformError
from socialgov.platforms import sandbox as adapter
from socialgov.sandbox.keys import Keys
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.credentials import credentials_of, current_credential, sealed_of
from socialgov.store.events import verify_chain
from socialgov.store.observations import newest_observation
from socialgov.store.rows import scalar

OTHER = "Otter+91+harbour?"
PASSWORD_KIND, TOKEN = CredentialKind.PASSWORD, CredentialKind.API_TOKEN
USED = "credential:secret:used_by_machine"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with served_sandbox(tmp_path / "sandbox.db", Clock(NOW)) as sandbox:
        yield sandbox


@pytest.fixture
def school(home: Home, sandbox: Sandbox) -> Home:
    return with_platform(home, replace(sandbox.info, key="sandbox"))


@pytest.fixture
def account(school: Home, sandbox: Sandbox) -> Account:
    member = sandbox.network.create_account("lakes2026", PASSWORD, email="trips@school.example", private=True)
    return live_account(school, remote_id=member.id)


def keys_of(sandbox: Sandbox) -> list[str]:
    return [key.name for key in Keys(sandbox.network).of(sandbox.network.named("lakes2026"))]


def hand_in(school: Home, account: Account, secret: str = PASSWORD) -> None:
    deposit(
        school, owner_of(school, account), account.id, username="lakes2026", secret=secret,
        email="trips@school.example", now=NOW,
    )  # fmt: skip


def away(school: Home) -> Home:
    """The same school while the network cannot be reached."""
    info = replace(school.settings.platforms["sandbox"], api_base="http://127.0.0.1:9")
    return with_platform(school, info)


def works(school: Home, account: Account) -> tuple[bool, Source] | None:
    seen = newest_observation(school.db, account.id, Fact.LOGIN_WORKS)
    return (seen.value, seen.source) if seen else None


# --------------------------------------------------------------------------------------------------- making it


def test_a_deposit_brings_the_machine_a_key_and_the_password_is_forgotten(
    school: Home, account: Account, sandbox: Sandbox
) -> None:
    hand_in(school, account)
    (name,) = keys_of(sandbox)
    assert name.startswith("socialgov-")
    assert key_since(school, account.id) == NOW
    login = machine_login(school, account.id, purpose="test", now=NOW)
    assert login is not None and login.is_token and login.secret != PASSWORD
    assert Keys(sandbox.network).sign_in("lakes2026", login.secret)
    assert works(school, account) == (True, Source.API)
    kinds = [row["data"] for row in events(school, "credential:secret:deposited", account.id)]
    assert kinds == ['{"kind": "password"}', '{"kind": "api_token"}']
    assert len(events(school, USED, account.id)) == 1, "the test's own: to make the key nothing sealed was opened"
    assert verify_chain(school.db).whole


def test_the_key_is_sealed_under_the_schools_key_and_the_password_is_not(school: Home, account: Account) -> None:
    hand_in(school, account)
    token = current_credential(school.db, account.id, TOKEN)
    password = current_credential(school.db, account.id, PASSWORD_KIND)
    assert token is not None and password is not None and token.deposited_by is None
    sealed = {one.kind: sealed_of(school.db, one.id) or b"" for one in (token, password)}
    opened = school.escrow.open(sealed[TOKEN], account=str(account.id), field=TOKEN.value, version=token.id)
    assert opened
    with pytest.raises(EscrowError):
        school.escrow.open(
            sealed[PASSWORD_KIND], account=str(account.id), field=PASSWORD_KIND.value, version=password.id
        )


def test_a_new_password_brings_a_new_key_and_ends_the_one_before(
    school: Home, account: Account, sandbox: Sandbox
) -> None:
    hand_in(school, account)
    before = machine_login(school, account.id, purpose="test", now=NOW)
    sandbox.network.change_password(sandbox.network.named("lakes2026"), PASSWORD, OTHER)
    hand_in(school, account, OTHER)
    after = machine_login(school, account.id, purpose="test", now=NOW)
    assert before is not None and after is not None and before.secret != after.secret
    assert len(keys_of(sandbox)) == 1
    old, new = [one for one in reversed(credentials_of(school.db, account.id)) if one.kind is TOKEN]
    assert sealed_of(school.db, old.id) is None
    assert sealed_of(school.db, new.id) is not None


def test_a_refused_login_is_told_at_once_and_the_deposit_stands(school: Home, account: Account) -> None:
    hand_in(school, account, OTHER)
    assert works(school, account) == (False, Source.API)
    assert current_credential(school.db, account.id, PASSWORD_KIND) is not None
    for keeper in (account.owner_id, account.deputy_id):
        (told,) = [one for one in open_notices(school.db, keeper) if one.kind == "login_refused"]
        assert "refused the login" in told.text
    answers = {one.rule_id: one.answer for one in current_findings(school, account, NOW)}
    assert (answers["SEC205"], answers["OVS801"]) == (False, False)
    assert key_since(school, account.id) is None


def test_a_network_that_is_away_leaves_the_deposit_and_a_later_try_makes_the_key(
    school: Home, account: Account
) -> None:
    hand_in(away(school), account)
    assert works(school, account) is None
    assert [row["data"] for row in events(school, "credential:token:failed", account.id)] == ['{"permanent": false}']
    manager = manager_of(school)
    assert [one.id for one in accounts_without_key(school)] == [account.id]
    assert "own_key" in {need.key for need in needs_today(school, manager, NOW)}
    assert make_machine_token(school, account.id, vault_of(school), now=NOW, actor=manager) is True
    assert key_since(school, account.id) == NOW
    assert accounts_without_key(school) == []
    (used,) = events(school, USED, account.id)
    assert (used["actor"], "make a key" in used["data"]) == (f"staff:{manager.id}", True)


def test_a_later_try_says_what_the_platform_said(school: Home, account: Account, sandbox: Sandbox) -> None:
    vault, manager = vault_of(school), manager_of(school)
    with pytest.raises(NotFound):
        make_machine_token(school, account.id, vault, now=NOW, actor=manager)
    hand_in(away(school), account)
    with pytest.raises(PlatformError, match="cannot be reached"):
        make_machine_token(away(school), account.id, vault, now=NOW, actor=manager)
    sandbox.network.change_password(sandbox.network.named("lakes2026"), PASSWORD, OTHER)
    with pytest.raises(LoginRefused):
        make_machine_token(school, account.id, vault, now=NOW, actor=manager)
    assert works(school, account) == (False, Source.API)


def test_the_managers_own_word_stays_when_the_key_is_made_later(school: Home, account: Account) -> None:
    hand_in(away(school), account)
    record_login_test(school, manager_of(school), account.id, True, now=NOW)
    make_machine_token(school, account.id, vault_of(school), now=NOW, actor=manager_of(school))
    assert works(school, account) == (True, Source.ATTESTED)


def test_where_a_platform_makes_no_keys_nothing_is_asked(home: Home) -> None:
    account = live_account(home, platform="instagram")
    deposited(home, account)
    assert make_machine_token(home, account.id, vault_of(home), now=NOW, actor=manager_of(home)) is False
    assert events(home, "credential:token:failed") == []
    assert accounts_without_key(home) == []


def test_a_key_that_came_too_late_is_ended_and_kept_nowhere(
    school: Home, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the platform was asked, somebody recorded that the account is another one there."""
    make = adapter.SandboxPlatform.make_token

    def meanwhile(self: adapter.SandboxPlatform, name: str) -> str:
        made = make(self, name)
        with write(school.db) as db:
            db.execute("update account set remote_id = 'another' where id = ?", [account.id])
        return made

    monkeypatch.setattr(adapter.SandboxPlatform, "make_token", meanwhile)
    hand_in(school, account)
    assert current_credential(school.db, account.id, TOKEN) is None
    assert keys_of(sandbox) == []


def test_no_transaction_is_open_while_the_platform_is_asked(
    school: Home, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    make = adapter.SandboxPlatform.make_token

    def watching(self: adapter.SandboxPlatform, name: str) -> str:
        seen.append(school.db.conn.in_transaction)
        return make(self, name)

    monkeypatch.setattr(adapter.SandboxPlatform, "make_token", watching)
    hand_in(school, account)
    assert seen == [False]


# --------------------------------------------------------------------------------------------------- using it


def test_the_machine_asked_for_a_password_without_a_vault_refuses_and_nothing_is_logged(
    school: Home, account: Account
) -> None:
    hand_in(school, account)
    before = scalar(school.db, "select count(*) from event")
    with pytest.raises(VaultShut):
        machine_login(school, account.id, purpose="deactivate", now=NOW, needs_password=True)
    assert scalar(school.db, "select count(*) from event") == before


def test_without_a_key_the_machine_has_no_login_and_does_not_fall_back(school: Home, account: Account) -> None:
    hand_in(away(school), account)
    assert machine_login(school, account.id, purpose="check", now=NOW) is None
    check_account(school, account.id, now=NOW)
    assert events(school, USED, account.id) == []


def test_with_the_vault_a_persons_name_stands_beside_the_use(school: Home, account: Account) -> None:
    hand_in(school, account)
    manager = manager_of(school)
    login = machine_login(
        school, account.id, purpose="deactivate", now=NOW, needs_password=True, vault=vault_of(school), actor=manager
    )
    assert login is not None and (login.secret, login.is_token) == (PASSWORD, False)
    assert events(school, USED, account.id)[-1]["actor"] == f"staff:{manager.id}"


def test_a_check_with_the_key_says_nothing_about_the_password(school: Home, account: Account, sandbox: Sandbox) -> None:
    hand_in(school, account)
    sandbox.network.change_password(sandbox.network.named("lakes2026"), PASSWORD, OTHER)
    later = NOW + timedelta(days=1)
    check_account(school, account.id, now=later)
    seen = newest_observation(school.db, account.id, Fact.LOGIN_WORKS)
    assert seen is not None and seen.observed_at == NOW
    ours = newest_observation(school.db, account.id, Fact.OUR_ACCESS)
    assert ours is not None and (ours.value, ours.observed_at) == (True, later)


def revoked(school: Home, account: Account, sandbox: Sandbox) -> None:
    hand_in(school, account)
    record_login_test(school, manager_of(school), account.id, True, now=NOW)
    check_account(school, account.id, now=NOW)
    assert {one.rule_id: one.answer for one in current_findings(school, account, NOW)}["OVS801"] is True
    Keys(sandbox.network).revoke_all(sandbox.network.named("lakes2026"))
    check_account(school, account.id, now=NOW + timedelta(days=1))


def test_a_key_revoked_on_the_platform_is_a_breach_and_a_task(school: Home, account: Account, sandbox: Sandbox) -> None:
    revoked(school, account, sandbox)
    later = NOW + timedelta(days=1)
    finding = {one.rule_id: one for one in current_findings(school, account, later)}["OVS801"]
    assert finding.answer is False
    assert "no longer accepts the key" in finding.because
    assert key_since(school, account.id) is None
    needs = {need.key: need.title for need in needs_today(school, manager_of(school), later)}
    assert "own_key" in needs
    for person in (account.owner_id, manager_of(school).id):
        assert any("Deposit the password again" in one.text for one in open_notices(school.db, person))


def test_what_is_not_read_any_more_gets_old_and_is_not_called_compliant(
    school: Home, account: Account, sandbox: Sandbox
) -> None:
    revoked(school, account, sandbox)
    later = NOW + timedelta(days=school.settings.policy.observation_days + 1)
    check_account(school, account.id, now=later)
    answers = {one.rule_id: one.answer for one in current_findings(school, account, later)}
    for rule in ("INT402", "MED512", "AUD301"):
        assert answers[rule] is not True, rule


def test_depositing_again_or_opening_the_vault_mends_it(school: Home, account: Account, sandbox: Sandbox) -> None:
    revoked(school, account, sandbox)
    later = NOW + timedelta(days=1)
    make_machine_token(school, account.id, vault_of(school), now=later, actor=manager_of(school))
    assert key_since(school, account.id) == later
    assert {one.rule_id: one.answer for one in current_findings(school, account, later)}["OVS801"] is True


# --------------------------------------------------------------------------------------------------- its end


def test_after_the_closing_ended_our_access_a_deposit_brings_no_new_key(
    school: Home, account: Account, sandbox: Sandbox
) -> None:
    hand_in(school, account)
    closing = start_closing(school, None, account.id, "Its end date is over.", now=NOW)
    advance(school, closing.id, now=NOW)
    assert keys_of(sandbox) == []
    hand_in(school, account_by_id(school.db, account.id), OTHER)
    assert keys_of(sandbox) == []
    assert current_credential(school.db, account.id, TOKEN) is None


# --------------------------------------------------------------------------------------------------- compromised


def sealed_keys(school: Home, account: Account) -> list[int]:
    kept = [one.id for one in credentials_of(school.db, account.id) if one.kind is TOKEN]
    return [one for one in kept if sealed_of(school.db, one) is not None]


def test_the_key_of_a_compromised_account_opens_nothing_there_any_more(
    school: Home, account: Account, sandbox: Sandbox
) -> None:
    hand_in(school, account)
    report_compromised(school, owner_of(school, account), account.id, "A pupil knew it.", now=NOW)
    assert keys_of(sandbox) == []
    assert sealed_keys(school, account) == []
    assert len(events(school, "credential:token:ended", account.id)) == 1
    progress = rotation_progress(school, account_by_id(school.db, account.id), NOW)
    assert progress is not None and not progress.key_left


def test_a_key_that_cannot_be_ended_at_once_is_out_of_force_and_ended_later(
    school: Home, account: Account, sandbox: Sandbox
) -> None:
    hand_in(school, account)
    unreachable = away(school)
    report_compromised(unreachable, owner_of(school, account), account.id, "A pupil knew it.", now=NOW)
    assert account_by_id(school.db, account.id).state == "suspended"
    assert current_credential(school.db, account.id, TOKEN) is None
    assert machine_login(school, account.id, purpose="test", now=NOW) is None
    progress = rotation_progress(school, account_by_id(school.db, account.id), NOW)
    assert progress is not None and progress.key_left  # the page says how a person ends it
    assert len(keys_of(sandbox)) == 1
    assert not end_given_up_key(unreachable, account.id, now=NOW)
    assert keys_to_end(school) == [account.id]
    assert end_given_up_key(school, account.id, now=NOW + timedelta(hours=1))
    assert (keys_of(sandbox), sealed_keys(school, account), keys_to_end(school)) == ([], [], [])


def test_a_key_that_somebody_ended_there_by_hand_is_done_with(school: Home, account: Account, sandbox: Sandbox) -> None:
    hand_in(school, account)
    report_compromised(away(school), owner_of(school, account), account.id, "A pupil knew it.", now=NOW)
    Keys(sandbox.network).revoke(sandbox.network.named("lakes2026"), keys_of(sandbox)[0])
    assert end_given_up_key(school, account.id, now=NOW)
    assert sealed_keys(school, account) == []


def test_a_new_key_takes_the_place_of_one_that_was_not_ended(school: Home, account: Account, sandbox: Sandbox) -> None:
    hand_in(school, account)
    report_compromised(away(school), owner_of(school, account), account.id, "A pupil knew it.", now=NOW)
    sandbox.network.change_password(sandbox.network.named("lakes2026"), PASSWORD, OTHER)
    hand_in(school, account, OTHER)
    [name] = keys_of(sandbox)
    assert (len(sealed_keys(school, account)), keys_to_end(school)) == (1, [])
    assert end_given_up_key(school, account.id, now=NOW)
    assert keys_of(sandbox) == [name]
