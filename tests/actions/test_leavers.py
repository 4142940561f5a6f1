"""When somebody leaves: the report names all that hangs on them, and one action has all of it changed (PPL704)."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from factories import NOW, account_at, staff, vault_of
from walk import Cast, approved, deposited, form_of, live, requested

from socialgov.actions.contacts import end_delegate, record_contact, record_delegate
from socialgov.actions.credential_audit import audit
from socialgov.actions.credentials import record_login_test, reveal
from socialgov.actions.deposit_parts import deposit_codes, deposit_seed
from socialgov.actions.leavers import leaver_report, leavers, proposals, report_file, secure_leaver
from socialgov.actions.looking import look
from socialgov.actions.sessions import session_staff
from socialgov.actions.staff import staff_leaves
from socialgov.actions.today import needs_today
from socialgov.errors import Conflict, InvalidInput, NotPermitted, SocialgovError
from socialgov.home import Home
from socialgov.models import Account, AccountState, ContactKind, CredentialKind, Role, RotationReason, Shown, Staff
from socialgov.store.accounts import account_by_id
from socialgov.store.audit import AuditFilter
from socialgov.store.credentials import known_to_leavers
from socialgov.store.events import EventTag, events_page
from socialgov.store.rotations import open_rotation
from socialgov.store.staff import staff_by_id
from socialgov.store.vault import current_holders

HOUR = timedelta(hours=1)
NEW = "Qz7!lantern-mosaic-Vw"


@pytest.fixture
def trip(home: Home, cast: Cast) -> Account:
    return live(home, cast)


def chosen(home: Home, leaver: Staff, deputy: Staff) -> dict[int, tuple[int, int]]:
    """What is proposed, with this deputy where one must be chosen."""
    return {
        one.account.id: (one.owner_id or deputy.id, one.deputy_id or deputy.id) for one in proposals(home, leaver.id)
    }


# --------------------------------------------------------------------------------------------------- the report


def test_the_report_names_every_secret_seen_since_its_last_change(home: Home, cast: Cast, trip: Account) -> None:
    other = live(home, cast, form=form_of(cast, handle_wished="other.trip"))
    second = staff(home, Role.NETWORK_MANAGER)
    for account in (trip, trip, other):
        reveal(home, second, vault_of(home), account.id, "To try whether it works.", now=NOW)
    known = leaver_report(home, cast.manager, second.id).secrets
    assert {(one.account_id, one.kind, one.deposited, one.looks) for one in known} == {
        (trip.id, CredentialKind.PASSWORD, False, 2),
        (other.id, CredentialKind.PASSWORD, False, 1),
    }
    deposited(home, cast, trip, secret=NEW, now=NOW + HOUR)
    assert [one.account_id for one in leaver_report(home, cast.manager, second.id).secrets] == [other.id]
    mine = leaver_report(home, cast.manager, cast.owner.id).secrets
    assert {(one.account_id, one.deposited, one.looks) for one in mine} == {(trip.id, True, 0), (other.id, True, 0)}


@pytest.mark.parametrize(
    ("shown", "knows"), [(Shown.SECOND_FACTOR_CODE, False), (Shown.SECOND_FACTOR_SEED, True)], ids=str
)
def test_six_digits_of_a_second_factor_are_no_knowledge_and_its_seed_is(
    home: Home, cast: Cast, trip: Account, shown: Shown, knows: bool
) -> None:
    """Rules, report, list and audit say the same of whoever looked (docs/decisions/0013-looking.md)."""
    second = staff(home, Role.NETWORK_MANAGER)
    deposit_seed(home, cast.owner, trip.id, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", now=NOW)
    look(home, second, vault_of(home), trip.id, "To sign in for the owner.", now=NOW, shown=shown)
    assert leaver_report(home, cast.manager, second.id).to_secure is knows
    audited = audit(home, cast.manager, AuditFilter(), page=1, size=9, now=NOW).lines
    assert [one.knows for one in audited if one.row.id == trip.id] == [(second.name,) if knows else ()]
    secure_leaver(home, cast.manager, second.id, {}, now=NOW)
    assert (open_rotation(home.db, trip.id) is not None) is knows
    assert [one.id for one in leavers(home, cast.manager)] == ([second.id] if knows else [])
    assert known_to_leavers(home.db, trip.id) == ({CredentialKind.SECOND_FACTOR: 1} if knows else {})


def test_the_report_names_accounts_delegates_and_recovery(home: Home, cast: Cast, trip: Account) -> None:
    asked = requested(home, cast, form=form_of(cast, handle_wished="asked.for"))
    record_delegate(
        home, cast.owner, trip.id, name="Their own name", rights="may post", staff_id=cast.deputy.id, now=NOW
    )
    record_contact(
        home, cast.owner, trip.id, kind=ContactKind.PHONE, value="+44 20 7946 0000", of_school=False,
        staff_id=cast.deputy.id, now=NOW,
    )  # fmt: skip
    report = leaver_report(home, cast.head, cast.deputy.id)
    assert [one.id for one in report.kept] == [trip.id]
    assert [one.id for one in report.requests] == [asked.id]
    assert [(one.account_id, one.what) for one in report.delegations] == [(trip.id, "may post")]
    assert [(one.account_id, one.what) for one in report.recoveries] == [(trip.id, "phone")]
    assert not report.done
    assert leaver_report(home, cast.head, staff(home).id).done


@pytest.mark.parametrize("role", [Role.TEACHER, Role.SAFEGUARDING_LEAD, Role.DATA_MANAGER, Role.GOVERNOR])
def test_others_do_not_see_what_somebody_has_in_hand(home: Home, cast: Cast, role: Role) -> None:
    somebody = staff(home, role)
    for asked in (
        lambda: leaver_report(home, somebody, cast.owner.id),
        lambda: leavers(home, somebody),
        lambda: report_file(home, somebody, cast.owner.id, now=NOW),
    ):
        with pytest.raises(NotPermitted):
            asked()


def test_the_file_is_the_report_and_an_event(home: Home, cast: Cast, trip: Account) -> None:
    content = report_file(home, cast.manager, cast.owner.id, now=NOW).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content)))
    assert ["Keeps it as owner", trip.name, "Instagram", "", "live"] in rows
    assert ["Knows: password", trip.name, "Instagram", "2026-11-23", "deposited it"] in rows
    [event] = events_page(home.db, before=None, tag="credential:audit", actor=None, limit=1)
    assert (event.tag, event.subject, event.subject_id) == (EventTag.CREDENTIAL_AUDITED, "staff", cast.owner.id)


# --------------------------------------------------------------------------------------------------- the action


@pytest.mark.asvs("7.4.2")
def test_one_action_ends_access_hands_over_and_begins_every_change(home: Home, cast: Cast, trip: Account) -> None:
    from socialgov.actions.sessions import Visitor, start_session
    from socialgov.store.connect import write

    other, new = live(home, cast, form=form_of(cast, handle_wished="other.trip")), staff(home)
    with write(home.db) as db:
        token = start_session(db, home, cast.owner.id, method="link", visitor=Visitor(), now=NOW)
    secure_leaver(home, cast.manager, cast.owner.id, chosen(home, cast.owner, new), now=NOW + HOUR)
    assert session_staff(home, token, now=NOW + HOUR) is None
    assert staff_by_id(home.db, cast.owner.id).left_at == NOW + HOUR
    for account in (trip, other):
        now_kept = account_by_id(home.db, account.id)
        assert (now_kept.owner_id, now_kept.deputy_id) == (cast.deputy.id, new.id)
        begun = open_rotation(home.db, account.id)
        assert begun is not None
        assert (begun.reason, begun.leaver_id, begun.due_at) == (
            RotationReason.LEFT,
            cast.owner.id,
            NOW + HOUR + timedelta(hours=home.settings.policy.rotation_hours),
        )
    [event] = events_page(home.db, before=None, tag=EventTag.LEAVER_SECURED, actor=None, limit=1)
    assert event.data == {"handed_over": sorted([trip.id, other.id]), "changing": sorted([trip.id, other.id])}


def test_a_manager_who_leaves_loses_the_vault_too(home: Home, cast: Cast, trip: Account) -> None:
    from factories import give_way_in

    second = staff(home, Role.NETWORK_MANAGER)
    give_way_in(home, second)
    reveal(home, second, vault_of(home), trip.id, "To try whether it works.", now=NOW)
    secure_leaver(home, cast.manager, second.id, {}, now=NOW)
    assert second.id not in {row.staff_id for row in current_holders(home.db)}
    assert not leaver_report(home, cast.manager, second.id).ways.some
    assert open_rotation(home.db, trip.id) is not None


def test_each_account_needs_two_others_who_work_here(home: Home, cast: Cast, trip: Account) -> None:
    gone = staff(home)
    staff_leaves(home, cast.manager, gone.id, now=NOW)
    for owner, deputy, field in (
        (cast.deputy.id, cast.deputy.id, f"deputy_{trip.id}"),
        (cast.owner.id, cast.deputy.id, f"owner_{trip.id}"),
        (cast.deputy.id, cast.owner.id, f"deputy_{trip.id}"),
        (cast.deputy.id, gone.id, f"deputy_{trip.id}"),
    ):
        with pytest.raises(InvalidInput) as caught:
            secure_leaver(home, cast.manager, cast.owner.id, {trip.id: (owner, deputy)}, now=NOW)
        assert set(caught.value.fields) == {field}
    assert staff_by_id(home.db, cast.owner.id).current


def test_it_is_all_or_nothing(home: Home, cast: Cast, trip: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    other, new = live(home, cast, form=form_of(cast, handle_wished="other.trip")), staff(home)
    keepers = chosen(home, cast.owner, new)
    calls: list[int] = []

    def second_breaks(home: Home, actor: Staff, account_id: int, **more: object) -> object:
        calls.append(account_id)
        if len(calls) == 2:
            raise SocialgovError("The disk is full.")
        return real(home, actor, account_id, **more)  # type: ignore[arg-type]

    from socialgov.actions.keepers import hand_over as real

    monkeypatch.setattr("socialgov.actions.leavers.hand_over", second_breaks)
    with pytest.raises(SocialgovError, match="full"):
        secure_leaver(home, cast.manager, cast.owner.id, keepers, now=NOW)
    assert len(calls) == 2
    assert staff_by_id(home.db, cast.owner.id).current
    for account in (trip, other):
        assert account_by_id(home.db, account.id).owner_id == cast.owner.id
        assert open_rotation(home.db, account.id) is None
    monkeypatch.undo()
    secure_leaver(home, cast.manager, cast.owner.id, keepers, now=NOW)  # and once more, from where it was
    assert not leaver_report(home, cast.manager, cast.owner.id).kept


def test_what_changed_since_the_form_was_shown_is_not_handed_over_blindly(
    home: Home, cast: Cast, trip: Account
) -> None:
    keepers = chosen(home, cast.owner, staff(home))
    approved(home, cast, form=form_of(cast, handle_wished="one.more"))
    with pytest.raises(Conflict):
        secure_leaver(home, cast.manager, cast.owner.id, keepers, now=NOW)
    assert staff_by_id(home.db, cast.owner.id).current


def test_somebody_who_left_before_is_secured_the_same_way(home: Home, cast: Cast, trip: Account) -> None:
    staff_leaves(home, None, cast.owner.id, now=NOW)
    staff_leaves(home, None, cast.deputy.id, now=NOW)
    [one] = proposals(home, cast.owner.id)
    assert (one.owner_id, one.deputy_id) == (None, None)
    new, newer = staff(home), staff(home)
    secure_leaver(home, cast.manager, cast.owner.id, {trip.id: (new.id, newer.id)}, now=NOW + HOUR)
    assert account_by_id(home.db, trip.id).owner_id == new.id
    assert leaver_report(home, cast.manager, cast.deputy.id).kept == ()


def test_the_manager_sees_what_is_open_until_nothing_is(home: Home, cast: Cast, trip: Account) -> None:
    delegate = record_delegate(
        home, cast.owner, trip.id, name="Owner", rights="may post", staff_id=cast.owner.id, now=NOW
    )
    secure_leaver(home, cast.manager, cast.owner.id, chosen(home, cast.owner, staff(home)), now=NOW)
    assert "let_in" in {need.key for need in needs_today(home, cast.manager, NOW)}
    [open_one] = leavers(home, cast.manager)
    assert (open_one.id, open_one.kept, open_one.known, open_one.changing, open_one.let_in) == (
        cast.owner.id, 0, 1, 1, 1,
    )  # fmt: skip
    deposited_by_deputy(home, cast, trip)
    record_login_test(home, cast.manager, trip.id, True, now=NOW + HOUR)
    assert [(one.known, one.changing, one.let_in) for one in leavers(home, cast.manager)] == [(0, 0, 1)]
    end_delegate(home, cast.deputy, trip.id, delegate, now=NOW + HOUR)
    assert leavers(home, cast.manager) == []
    assert leaver_report(home, cast.manager, cast.owner.id).done


def deposited_by_deputy(home: Home, cast: Cast, account: Account) -> None:
    from socialgov.actions.credentials import deposit

    now = NOW + HOUR
    deposit(home, cast.deputy, account.id, username="x", secret=NEW, email="trips@school.example", now=now)


def test_a_change_stays_on_the_list_until_nothing_is_known_any_more(home: Home, cast: Cast, trip: Account) -> None:
    deposit_codes(home, cast.owner, trip.id, "1111-aaaa\n2222-bbbb", now=NOW)
    secure_leaver(home, cast.manager, cast.owner.id, chosen(home, cast.owner, staff(home)), now=NOW)
    deposited_by_deputy(home, cast, trip)
    record_login_test(home, cast.manager, trip.id, True, now=NOW + HOUR)
    assert [(one.known, one.changing) for one in leavers(home, cast.manager)] == [(1, 1)]
    deposit_codes(home, cast.deputy, trip.id, "3333-cccc\n4444-dddd", now=NOW + HOUR)
    assert leavers(home, cast.manager) == []
    assert open_rotation(home.db, trip.id) is None


def test_a_change_that_was_open_already_counts_for_whoever_leaves_next(home: Home, cast: Cast, trip: Account) -> None:
    both = staff(home, Role.NETWORK_MANAGER), staff(home, Role.NETWORK_MANAGER)
    for one in both:
        reveal(home, one, vault_of(home), trip.id, "To try whether it works.", now=NOW)
        assert leaver_report(home, cast.manager, one.id).to_secure
    for one in both:
        secure_leaver(home, cast.manager, one.id, {}, now=NOW)
        report = leaver_report(home, cast.manager, one.id)
        assert ([account.id for _, account in report.changing], report.to_secure) == ([trip.id], False)
    assert [(one.known, one.changing) for one in leavers(home, cast.manager)] == [(1, 1), (1, 1)]


def test_an_account_that_is_closed_asks_for_nothing(home: Home, cast: Cast) -> None:
    closed = account_at(home, AccountState.CLOSED)
    report = leaver_report(home, cast.manager, account_by_id(home.db, closed.id).owner_id)
    assert report.done


def test_a_password_that_was_changed_since_they_left_is_not_changed_again(
    home: Home, cast: Cast, trip: Account
) -> None:
    staff_leaves(home, None, cast.owner.id, now=NOW)
    deposited_by_deputy(home, cast, trip)
    record_login_test(home, cast.manager, trip.id, True, now=NOW + HOUR)
    assert open_rotation(home.db, trip.id) is None
    secure_leaver(home, cast.manager, cast.owner.id, {trip.id: (cast.deputy.id, staff(home).id)}, now=NOW + 2 * HOUR)
    assert open_rotation(home.db, trip.id) is None
