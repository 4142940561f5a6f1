"""Changing a password: begun for its reasons, told to those who must know, and finished by a new one that works."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from factories import NOW, staff, vault_of
from walk import Cast, approved, deposited, form_of, live, ready, tags

from socialgov.actions import accounts
from socialgov.actions.credentials import record_login_test, reveal
from socialgov.actions.deposit_parts import deposit_codes, end_part
from socialgov.actions.reminders import due_reminders, remind
from socialgov.actions.rotation_progress import rotation_progress
from socialgov.actions.rotations import begin_scheduled, passwords_to_rotate, report_compromised, start_rotation
from socialgov.actions.staff import staff_leaves
from socialgov.actions.today import needs_today
from socialgov.errors import GateRefused, InvalidInput, NotFound, NotPermitted
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.lifecycle import WrongState
from socialgov.models import Account, AccountState, CredentialKind, Role, Rotation, RotationReason, Staff
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.credentials import credentials_of, current_credential, insert_credential, keep_sealed, sealed_of
from socialgov.store.findings import findings_of
from socialgov.store.outbox import notices_of
from socialgov.store.rotations import open_rotation, rotations_of

R = RotationReason
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEW = "Qz7!lantern-mosaic-Vw"
OTHER = "Jk4#barnacle-trumpet-Px"


@pytest.fixture
def trip(home: Home, cast: Cast) -> Account:
    return live(home, cast)


def rotation_of(home: Home, account: Account) -> Rotation:
    found = open_rotation(home.db, account.id)
    assert found is not None
    return found


def answer(home: Home, account: Account, rule_id: str) -> bool | None:
    return next(one.answer for one in findings_of(home.db, account.id) if one.rule_id == rule_id)


def kinds_told(home: Home, staff_id: int) -> list[str]:
    return [notice.kind for notice in notices_of(home.db, staff_id)]


# --------------------------------------------------------------------------------------------------- compromised


def test_compromised_stops_the_account_and_starts_the_change_at_once(home: Home, cast: Cast, trip: Account) -> None:
    lead = staff(home, Role.SAFEGUARDING_LEAD)
    account = report_compromised(home, cast.owner, trip.id, "A pupil knew it.", now=NOW)
    assert account.state is AccountState.SUSPENDED
    assert account.suspend_reason == "Compromised: A pupil knew it."
    begun = rotation_of(home, trip)
    assert (begun.reason, begun.detail, begun.started_by) == (R.COMPROMISED, "A pupil knew it.", cast.owner.id)
    assert begun.due_at == NOW + timedelta(hours=home.settings.policy.rotation_hours)
    assert tags(home, trip)[-3:] == [
        "credential:secret:compromised",
        "account:state:suspended",
        "credential:rotation:started",
    ]
    assert answer(home, trip, "SEC204") is False
    for told in (cast.deputy, cast.manager, cast.head, lead):
        assert "account_compromised" in kinds_told(home, told.id)
    assert "account_compromised" not in kinds_told(home, cast.owner.id)


def test_the_products_own_key_goes_with_a_compromised_password(home: Home, cast: Cast, trip: Account) -> None:
    with write(home.db) as db:
        key = insert_credential(
            db, account_id=trip.id, kind=CredentialKind.API_TOKEN, username="x", email=None, fingerprints=["f"],
            strength=4, problems=(), deposited_by=None, secret_at=NOW, now=NOW,
        )  # fmt: skip
        keep_sealed(db, key, home.escrow.seal(b"key", account=str(trip.id), field="api_token", version=key))
    report_compromised(home, cast.owner, trip.id, "Seen.", now=NOW)
    assert sealed_of(home.db, key) is None
    assert current_credential(home.db, trip.id, CredentialKind.API_TOKEN) is None
    assert "credential:secret:destroyed" in tags(home, trip)


@pytest.mark.parametrize("role", [Role.TEACHER, Role.HEAD, Role.SAFEGUARDING_LEAD, Role.GOVERNOR])
def test_others_than_keepers_and_the_manager_suspend_instead(home: Home, trip: Account, role: Role) -> None:
    with pytest.raises(NotPermitted):
        report_compromised(home, staff(home, role), trip.id, "Odd posts.", now=NOW)


def test_a_report_needs_a_reason_and_an_account_that_is_there(home: Home, cast: Cast, trip: Account) -> None:
    with pytest.raises(InvalidInput):
        report_compromised(home, cast.owner, trip.id, "  ", now=NOW)
    assert open_rotation(home.db, trip.id) is None
    declined = accounts.request_account(home, cast.owner, form_of(cast, handle_wished="x.y"), now=NOW)
    with pytest.raises(WrongState):
        report_compromised(home, cast.owner, declined.id, "Odd.", now=NOW)


def test_a_compromise_is_all_or_nothing(home: Home, cast: Cast, trip: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("socialgov.actions.rotations._tell_of_compromise", broken)
    with pytest.raises(Exception, match="disk"):
        report_compromised(home, cast.owner, trip.id, "A pupil knew it.", now=NOW)
    assert account_by_id(home.db, trip.id).state is AccountState.LIVE
    assert open_rotation(home.db, trip.id) is None


def test_it_goes_on_only_when_the_new_password_works(home: Home, cast: Cast, trip: Account) -> None:
    report_compromised(home, cast.manager, trip.id, "It was on a poster.", now=NOW)
    with pytest.raises(GateRefused) as caught:
        accounts.resume(home, cast.manager, trip.id, now=NOW)
    assert [f.rule_id for f in caught.value.findings] == ["SEC204"]
    deposited(home, cast, trip, secret=NEW, now=NOW)
    with pytest.raises(GateRefused) as caught:
        accounts.resume(home, cast.manager, trip.id, now=NOW)
    assert {f.rule_id for f in caught.value.findings} >= {"SEC204"}
    record_login_test(home, cast.manager, trip.id, True, now=NOW)
    assert accounts.resume(home, cast.manager, trip.id, now=NOW).state is AccountState.LIVE


def test_an_approved_account_stays_approved_and_does_not_go_live(home: Home, cast: Cast) -> None:
    account = ready(home, cast)
    assert report_compromised(home, cast.owner, account.id, "Seen.", now=NOW).state is AccountState.APPROVED
    with pytest.raises(GateRefused):
        accounts.go_live(home, cast.owner, account.id, now=NOW)


# --------------------------------------------------------------------------------------------------- finishing


def test_it_is_finished_by_a_new_deposit_that_works_and_the_old_ones_are_destroyed(
    home: Home, cast: Cast, trip: Account
) -> None:
    old = credentials_of(home.db, trip.id)[0]
    report_compromised(home, cast.owner, trip.id, "Seen.", now=NOW)
    deposited(home, cast, trip, secret=NEW, now=NOW + HOUR)
    record_login_test(home, cast.manager, trip.id, False, now=NOW + HOUR)
    assert rotation_of(home, trip).finished_at is None
    record_login_test(home, cast.manager, trip.id, True, now=NOW + 2 * HOUR)
    [done] = rotations_of(home.db, trip.id)
    new = credentials_of(home.db, trip.id)[0]
    assert (done.new_credential_id, done.finished_at) == (new.id, NOW + 2 * HOUR)
    assert (sealed_of(home.db, old.id), sealed_of(home.db, new.id) is not None) == (None, True)
    assert "credential:rotation:finished" in tags(home, trip)
    assert not {"rotation", "account_compromised"} & set(kinds_told(home, cast.deputy.id))


def test_a_test_of_the_old_password_finishes_nothing(home: Home, cast: Cast, trip: Account) -> None:
    report_compromised(home, cast.owner, trip.id, "Seen.", now=NOW)
    record_login_test(home, cast.manager, trip.id, True, now=NOW)
    assert rotation_of(home, trip).finished_at is None


def test_the_old_password_deposited_again_does_not_count_even_after_a_detour(home: Home, cast: Cast) -> None:
    advise(home)
    account = approved(home, cast)
    account = accounts.record_setup(
        home, cast.owner, account.id, handle=account.handle_wished, school_email="trips@school.example", now=NOW
    )
    deposited(home, cast, account, secret=NEW)
    record_login_test(home, cast.manager, account.id, True, now=NOW)
    start_rotation(home, cast.owner, account.id, "I mistyped it somewhere.", now=NOW)
    for secret in (OTHER, NEW):
        deposited(home, cast, account, secret=secret)
    record_login_test(home, cast.manager, account.id, True, now=NOW)  # destroys what told old from new
    assert open_rotation(home.db, account.id) is not None
    deposited(home, cast, account, secret=NEW)
    record_login_test(home, cast.manager, account.id, True, now=NOW)
    progress = rotation_progress(home, account, NOW)
    assert progress is not None
    assert (progress.deposited, progress.late) == (False, False)
    deposited(home, cast, account, secret=OTHER)
    record_login_test(home, cast.manager, account.id, True, now=NOW)
    assert open_rotation(home.db, account.id) is None


def advise(home: Home) -> None:
    """The school only advises that a password is used once, so that any is taken."""
    from dataclasses import replace
    from types import MappingProxyType

    from socialgov.models import AccountKind, Enforcement, RuleChoice

    choice = RuleChoice(dict.fromkeys(AccountKind, Enforcement.ADVISED), "the governors", None)
    policy = home.settings.policy
    rules = MappingProxyType({**policy.rules, "SEC203": choice})
    object.__setattr__(home, "settings", replace(home.settings, policy=replace(policy, rules=rules)))


# --------------------------------------------------------------------------------------------------- leaving


def test_everything_a_leaver_saw_is_to_be_changed(home: Home, cast: Cast, trip: Account) -> None:
    second = staff(home, Role.NETWORK_MANAGER)
    reveal(home, second, vault_of(home), trip.id, "To try whether it works.", now=NOW)
    staff_leaves(home, cast.manager, second.id, now=NOW)
    begun = rotation_of(home, trip)
    assert (begun.reason, begun.leaver_id) == (R.LEFT, second.id)
    assert begun.due_at == NOW + timedelta(hours=home.settings.policy.rotation_hours)
    assert (answer(home, trip, "SEC204"), answer(home, trip, "PPL704")) == (False, False)
    deposited(home, cast, trip, secret=NEW, now=NOW + HOUR)
    record_login_test(home, cast.manager, trip.id, True, now=NOW + HOUR)
    assert (answer(home, trip, "SEC204"), answer(home, trip, "PPL704")) == (True, True)


def test_a_second_reason_joins_the_open_rotation_and_the_gravest_counts(home: Home, cast: Cast, trip: Account) -> None:
    start_rotation(home, cast.owner, trip.id, "To be safe.", now=NOW)
    deposited(home, cast, trip, secret=NEW, now=NOW)
    report_compromised(home, cast.owner, trip.id, "The new one was seen too.", now=NOW)
    begun = rotation_of(home, trip)
    assert (begun.reason, len(rotations_of(home.db, trip.id))) == (R.COMPROMISED, 1)
    record_login_test(home, cast.manager, trip.id, True, now=NOW)
    assert open_rotation(home.db, trip.id) is not None  # what was deposited before the report does not count
    deposited(home, cast, trip, secret=OTHER, now=NOW)
    record_login_test(home, cast.manager, trip.id, True, now=NOW)
    assert open_rotation(home.db, trip.id) is None


def test_a_lighter_reason_changes_nothing(home: Home, cast: Cast, trip: Account) -> None:
    report_compromised(home, cast.owner, trip.id, "Seen.", now=NOW)
    before = rotation_of(home, trip)
    start_rotation(home, cast.deputy, trip.id, "To be safe.", now=NOW)
    assert rotation_of(home, trip) == before


def test_a_leaver_who_cannot_know_the_new_password_does_not_taint_it(home: Home, cast: Cast, trip: Account) -> None:
    start_rotation(home, cast.manager, trip.id, "To be safe.", now=NOW)
    manager_deposits(home, cast.manager, trip, NEW)
    staff_leaves(home, cast.manager, cast.deputy.id, now=NOW)
    record_login_test(home, cast.manager, trip.id, True, now=NOW)
    assert open_rotation(home.db, trip.id) is None


def manager_deposits(home: Home, manager: Staff, account: Account, secret: str, *, now: datetime = NOW) -> None:
    from socialgov.actions.credentials import deposit

    deposit(home, manager, account.id, username=account.name, secret=secret, email="trips@school.example", now=now)


def codes(home: Home, cast: Cast, account: Account, *, now: datetime) -> None:
    deposit_codes(home, cast.deputy, account.id, "1111-aaaa\n2222-bbbb", now=now)


def test_it_is_not_done_while_somebody_who_left_knows_the_recovery_codes(home: Home, cast: Cast, trip: Account) -> None:
    """The new password is of no use where whoever left sets the next one with a code of theirs."""
    deposit_codes(home, cast.owner, trip.id, "1111-aaaa\n2222-bbbb", now=NOW)
    staff_leaves(home, cast.manager, cast.owner.id, now=NOW)
    manager_deposits(home, cast.manager, trip, NEW, now=NOW + HOUR)
    record_login_test(home, cast.manager, trip.id, True, now=NOW + HOUR)
    assert rotation_of(home, trip).finished_at is None
    assert answer(home, trip, "SEC204") is False
    progress = rotation_progress(home, trip, NOW + HOUR)
    assert progress is not None
    assert (progress.deposited, progress.tested, progress.known) == (True, True, {CredentialKind.RECOVERY_CODES: 1})
    assert "Deposit anew what people who left still know" in {
        n.title for n in needs_today(home, cast.deputy, NOW + HOUR)
    }
    told(home, NOW + 18 * HOUR)
    assert any("people who left still know" in one.text for one in notices_of(home.db, cast.manager.id))
    old = [one.id for one in credentials_of(home.db, trip.id) if one.superseded_at]
    assert all(sealed_of(home.db, one) for one in old)
    codes(home, cast, trip, now=NOW + 2 * HOUR)  # the last thing it waited for: nobody need test the password again
    [done] = rotations_of(home.db, trip.id)
    assert done.finished_at == NOW + 2 * HOUR
    assert answer(home, trip, "SEC204") is True
    assert not any(sealed_of(home.db, one) for one in old)


def test_where_the_platform_has_no_codes_any_more_nobody_makes_any_up(home: Home, cast: Cast, trip: Account) -> None:
    deposit_codes(home, cast.owner, trip.id, "1111-aaaa\n2222-bbbb", now=NOW)
    staff_leaves(home, cast.manager, cast.owner.id, now=NOW)
    manager_deposits(home, cast.manager, trip, NEW, now=NOW + HOUR)
    record_login_test(home, cast.manager, trip.id, True, now=NOW + HOUR)
    with pytest.raises(NotFound):
        end_part(home, cast.deputy, trip.id, CredentialKind.NOTES, now=NOW + HOUR)
    for kind in (CredentialKind.PASSWORD, CredentialKind.API_TOKEN):
        with pytest.raises(NotFound):
            end_part(home, cast.deputy, trip.id, kind, now=NOW + HOUR)
    assert rotation_of(home, trip).finished_at is None
    end_part(home, cast.deputy, trip.id, CredentialKind.RECOVERY_CODES, now=NOW + HOUR)
    assert open_rotation(home.db, trip.id) is None
    assert current_credential(home.db, trip.id, CredentialKind.RECOVERY_CODES) is None
    assert answer(home, trip, "SEC204") is True
    assert "credential:secret:ended" in tags(home, trip)


def test_new_codes_alone_do_not_end_it(home: Home, cast: Cast, trip: Account) -> None:
    deposit_codes(home, cast.owner, trip.id, "1111-aaaa\n2222-bbbb", now=NOW)
    staff_leaves(home, cast.manager, cast.owner.id, now=NOW)
    codes(home, cast, trip, now=NOW + HOUR)
    assert rotation_of(home, trip).finished_at is None
    manager_deposits(home, cast.manager, trip, NEW, now=NOW + HOUR)
    codes(home, cast, trip, now=NOW + HOUR)
    assert rotation_of(home, trip).finished_at is None
    record_login_test(home, cast.manager, trip.id, True, now=NOW + HOUR)
    assert open_rotation(home.db, trip.id) is None


def test_codes_that_somebody_still_here_knows_keep_nothing_open(home: Home, cast: Cast, trip: Account) -> None:
    codes(home, cast, trip, now=NOW)
    start_rotation(home, cast.owner, trip.id, "It was read out in the staff room.", now=NOW + HOUR)
    deposited(home, cast, trip, secret=NEW, now=NOW + HOUR)
    progress = rotation_progress(home, trip, NOW + HOUR)
    assert progress is not None
    assert ([one.kind for one in progress.older], progress.known) == ([CredentialKind.RECOVERY_CODES], {})
    record_login_test(home, cast.manager, trip.id, True, now=NOW + HOUR)
    assert open_rotation(home.db, trip.id) is None


# --------------------------------------------------------------------------------------------------- on schedule


def test_it_comes_due_by_itself_before_the_password_is_too_old(home: Home, cast: Cast) -> None:
    account = live(home, cast, form=standing(cast))
    due = NOW + timedelta(days=home.settings.policy.password_max_age_days)
    ahead = timedelta(days=max(home.settings.policy.reminder_days))
    assert passwords_to_rotate(home, due - ahead - HOUR) == []
    assert passwords_to_rotate(home, due - ahead) == [account.id]
    assert begin_scheduled(home, account.id, now=due - ahead)
    begun = rotation_of(home, account)
    assert (begun.reason, begun.started_by, begun.due_at) == (R.SCHEDULE, None, due)
    assert passwords_to_rotate(home, due - ahead) == []
    assert not begin_scheduled(home, account.id, now=due)
    assert answer(home, account, "SEC204") is True


def test_a_school_may_have_it_changed_on_no_schedule(home: Home, cast: Cast) -> None:
    live(home, cast, form=standing(cast))
    policy = replace(home.settings.policy, password_max_age_days=0)
    never = replace(home, settings=replace(home.settings, policy=policy))
    assert passwords_to_rotate(never, NOW + 3660 * DAY) == []


def standing(cast: Cast) -> object:
    from walk import standing_form

    return standing_form(cast)


def test_the_scheduler_begins_it(home: Home, cast: Cast) -> None:
    account = live(home, cast, form=standing(cast))
    later = NOW + timedelta(days=home.settings.policy.password_max_age_days - 10)
    accounts.confirm_needed(home, cast.owner, account.id, now=later - DAY)
    run_once(home, later)
    assert rotation_of(home, account).reason is R.SCHEDULE


# --------------------------------------------------------------------------------------------------- reminders


def told(home: Home, now: object) -> None:
    for reminder in due_reminders(home, now):  # type: ignore[arg-type]
        remind(home, reminder, now=now)  # type: ignore[arg-type]


def count(home: Home, person: Staff, kind: str) -> int:
    return sum(
        1 for row in home.db.execute("select kind from notice where staff_id = ?", (person.id,)) if row[0] == kind
    )


def test_keepers_are_reminded_then_managers_then_the_head(home: Home, cast: Cast, trip: Account) -> None:
    report_compromised(home, cast.owner, trip.id, "Seen.", now=NOW)
    began = {one.id: count(home, one, "rotation") for one in (cast.owner, cast.manager, cast.head)}

    def since(person: Staff) -> int:
        return count(home, person, "rotation") - began[person.id]

    told(home, NOW + 11 * HOUR)
    assert (since(cast.owner), since(cast.manager), since(cast.head)) == (0, 0, 0)
    told(home, NOW + 12 * HOUR)
    told(home, NOW + 13 * HOUR)
    assert (since(cast.owner), since(cast.manager), since(cast.head)) == (1, 0, 0)
    told(home, NOW + 18 * HOUR)
    assert (since(cast.owner), since(cast.manager), since(cast.head)) == (2, 1, 0)
    told(home, NOW + 24 * HOUR)
    told(home, NOW + 25 * HOUR)
    late = [count(home, one, "rotation_late") for one in (cast.owner, cast.manager, cast.head)]
    assert late == [1, 1, 1]
    told(home, NOW + 48 * HOUR)
    assert count(home, cast.head, "rotation_late") == 2


def test_what_needs_you_today_names_it(home: Home, cast: Cast, trip: Account) -> None:
    report_compromised(home, cast.owner, trip.id, "Seen.", now=NOW)

    def needs(person: Staff, now: object = NOW) -> list[str]:
        return [need.href_endpoint for need in needs_today(home, person, now) if need.key == "rotation"]  # type: ignore[arg-type]

    assert needs(cast.deputy) == needs(cast.manager) == ["rotations.show"]
    assert needs(cast.head) == []
    assert needs(cast.head, NOW + 2 * DAY) == ["accounts.page"]


def test_once_a_new_password_is_deposited_only_the_managers_test_is_left(home: Home, cast: Cast, trip: Account) -> None:
    start_rotation(home, cast.owner, trip.id, "It was read out in the staff room.", now=NOW)
    deposited(home, cast, trip, secret="Quite&another-61-Secret", now=NOW + DAY)

    def needs(person: Staff) -> set[str]:
        return {need.key for need in needs_today(home, person, NOW + DAY)}

    assert not needs(cast.owner) & {"rotation", "login_test"}
    assert needs(cast.manager) & {"rotation", "login_test"} == {"login_test"}
