"""Asking for an account, and the decision."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from factories import NOW, make_home, staff
from walk import Cast, approved, cast_of, form_of, requested, standing_form, tags

from socialgov.actions import accounts
from socialgov.actions.findings import current_findings
from socialgov.actions.request_checks import request_notes, tidy_handle
from socialgov.actions.staff import staff_leaves
from socialgov.errors import Conflict, InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, Role
from socialgov.store.accounts import account_by_id, requests_waiting
from socialgov.store.outbox import notices_of

S = AccountState


def faults(home: Home, cast: Cast, **changes: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        accounts.request_account(home, cast.owner, form_of(cast, **changes), now=NOW)
    return caught.value.fields


def test_a_request_waits_for_those_who_may_decide(home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    assert account.state is S.REQUESTED
    assert tags(home, account) == ["account:request:made"]
    assert [a.id for a in requests_waiting(home.db)] == [account.id]
    assert [n.kind for n in notices_of(home.db, cast.manager.id)] == ["request_waiting"]
    assert [n.kind for n in notices_of(home.db, cast.head.id)] == ["request_waiting"]
    assert notices_of(home.db, cast.owner.id) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"platform": "myspace"}, "platform"),
        ({"purpose": " \n "}, "purpose"),
        ({"purpose": "x" * 1_001}, "purpose"),
        ({"audience": ""}, "audience"),
        ({"handle_wished": ""}, "handle_wished"),
        ({"handle_wished": "no spaces here"}, "handle_wished"),
        ({"handle_wished": "x" * 100_000}, "handle_wished"),
        ({"owner_id": 999}, "owner_id"),
        ({"deputy_id": 999}, "deputy_id"),
        ({"starts_on": date(2026, 11, 22)}, "starts_on"),
        ({"starts_on": date.max}, "starts_on"),
        ({"ends_on": None}, "ends_on"),
        ({"ends_on": date(2026, 11, 23)}, "ends_on"),
        ({"starts_on": date(2026, 12, 1), "ends_on": date(2026, 12, 1)}, "ends_on"),
        ({"ends_on": date.max}, "ends_on"),
        ({"review_on": date(2027, 1, 1)}, "review_on"),
    ],
)
def test_a_field_that_cannot_be_says_so_and_nothing_is_kept(
    home: Home, cast: Cast, changes: dict[str, object], field: str
) -> None:
    assert list(faults(home, cast, **changes)) == [field]
    assert requests_waiting(home.db) == []


def test_the_deputy_is_another_person_than_the_owner(home: Home, cast: Cast) -> None:
    assert "deputy_id" in faults(home, cast, deputy_id=cast.owner.id)


def test_the_longest_life_is_the_policys(home: Home, cast: Cast) -> None:
    start = date(2026, 12, 1)
    longest = start + timedelta(days=home.settings.policy.trip_longest_days)
    assert "ends_on" in faults(home, cast, starts_on=start, ends_on=longest + timedelta(days=1))
    assert accounts.request_account(home, cast.owner, form_of(cast, starts_on=start, ends_on=longest), now=NOW)


def test_a_standing_account_has_a_review_date_and_no_end(home: Home, cast: Cast) -> None:
    for wrong in ({"review_on": None}, {"review_on": date(2028, 1, 1)}, {"ends_on": date(2026, 12, 1)}):
        with pytest.raises(InvalidInput) as caught:
            accounts.request_account(home, cast.owner, standing_form(cast, **wrong), now=NOW)
        assert list(caught.value.fields) == list(wrong)
    assert accounts.request_account(home, cast.owner, standing_form(cast), now=NOW).ends_on is None


def test_a_platform_that_the_school_has_not_approved_cannot_be_asked_for(tmp_path) -> None:  # type: ignore[no-untyped-def]
    home = make_home(tmp_path, approved=("sandbox",))
    assert "ACC104" in faults(home, cast_of(home), platform="instagram")["platform"]


def test_a_handle_is_tidied_and_taken_once(home: Home, cast: Cast) -> None:
    first = requested(home, cast, form=form_of(cast, handle_wished=" @Field.Trip "))
    assert first.handle_wished == "field.trip"
    assert "handle_wished" in faults(home, cast, handle_wished="FIELD.TRIP")
    accounts.withdraw(home, cast.owner, first.id, now=NOW)
    assert requested(home, cast, form=form_of(cast, handle_wished="field.trip"))


@pytest.mark.parametrize(
    "typed",
    [
        "https://www.instagram.com/ski.trip/",
        "instagram.com/ski.trip",
        "http://instagram.com/ski.trip?hl=en",
        "@ski.trip",
    ],
)
def test_a_pasted_profile_address_is_understood(home: Home, cast: Cast, typed: str) -> None:
    assert requested(home, cast, form=form_of(cast, handle_wished=typed)).handle_wished == "ski.trip"


@pytest.mark.parametrize(
    "typed", ["https://social.example/@ski_trip", "Social.example/@ski_trip/", "@ski_trip@social.example"]
)
def test_an_address_on_a_network_of_many_servers_is_understood(home: Home, typed: str) -> None:
    assert tidy_handle(home.settings.platforms["mastodon"], typed) == "ski_trip@social.example"


def test_an_address_elsewhere_is_no_handle(home: Home, cast: Cast) -> None:
    assert "handle_wished" in faults(home, cast, handle_wished="https://elsewhere.example/ski.trip")


def test_a_mere_request_is_asked_only_what_a_request_can_answer(home: Home, cast: Cast) -> None:
    asked = {finding.rule_id for finding in current_findings(home, requested(home, cast), NOW)}
    assert {"ACC104", "ACC105", "ACC107", "LIF601"} <= asked
    assert asked.isdisjoint({"ACC103", "SEC201", "SEC205", "AUD301", "INT401", "MED512"})


def test_texts_become_one_line_without_control_characters(home: Home, cast: Cast) -> None:
    account = requested(home, cast, form=form_of(cast, purpose=" A \x00\ttrip\r\nto \ud800 Paris "))
    assert account.purpose == "A trip to Paris"


def test_governors_and_leavers_do_not_ask(home: Home, cast: Cast) -> None:
    for other in (staff(home, Role.GOVERNOR), staff(home, Role.TEACHER)):
        left = staff_leaves(home, cast.manager, other.id, now=NOW) if other.has(Role.TEACHER) else other
        with pytest.raises(NotPermitted):
            accounts.request_account(home, left or _again(home, other.id), form_of(cast), now=NOW)


def _again(home: Home, staff_id: int):  # type: ignore[no-untyped-def]
    from socialgov.store.staff import staff_by_id

    return staff_by_id(home.db, staff_id)


def test_what_an_approver_should_know_is_said(home: Home) -> None:
    notes = " ".join(request_notes(home.settings, "bluesky"))
    assert "no private accounts" in notes
    assert "13" in notes
    assert "exception" not in " ".join(request_notes(home.settings, "instagram"))
    assert request_notes(home.settings, "nowhere") == ()


# --------------------------------------------------------------------------------------------------- deciding


def test_an_approval_says_who_and_when(home: Home, cast: Cast) -> None:
    account = accounts.approve(home, cast.manager, requested(home, cast).id, now=NOW, reason="Fine.")
    assert (account.state, account.decided_by, account.decided_at) == (S.APPROVED, cast.manager.id, NOW)
    assert account.decision_reason == "Fine."
    assert tags(home, account)[-1] == "account:state:approved"
    assert [n.kind for n in notices_of(home.db, cast.deputy.id)] == ["request_approved"]


def test_nobody_decides_on_their_own(home: Home, cast: Cast) -> None:
    form = form_of(cast, owner_id=cast.head.id)
    account = accounts.request_account(home, cast.manager, form, now=NOW)
    for barred in (cast.manager, cast.head, cast.owner):
        with pytest.raises(NotPermitted):
            accounts.approve(home, barred, account.id, now=NOW)


def test_a_decision_is_made_once(home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    accounts.decline(home, cast.manager, account.id, "Two of these exist already.", now=NOW)
    with pytest.raises(Conflict):
        accounts.approve(home, cast.head, account.id, now=NOW)
    with pytest.raises(Conflict):
        accounts.withdraw(home, cast.owner, account.id, now=NOW)
    with pytest.raises(WrongState):
        accounts.amend_request(home, cast.owner, account.id, form_of(cast), now=NOW)
    assert tags(home, account) == ["account:request:made", "account:state:declined"]


def test_declining_and_returning_need_a_reason(home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    for verb in (accounts.decline, accounts.return_request):
        with pytest.raises(InvalidInput) as caught:
            verb(home, cast.manager, account.id, "  ", now=NOW)
        assert "reason" in caught.value.fields


def test_a_returned_request_waits_for_its_author_and_then_for_the_approver_again(home: Home, cast: Cast) -> None:
    account = accounts.return_request(home, cast.manager, requested(home, cast).id, "Say which pupils.", now=NOW)
    assert account.state is S.REQUESTED
    assert account.return_reason == "Say which pupils."
    assert requests_waiting(home.db) == []
    with pytest.raises(Conflict):
        accounts.approve(home, cast.head, account.id, now=NOW)
    with pytest.raises(NotPermitted):
        accounts.amend_request(home, cast.head, account.id, form_of(cast), now=NOW)
    amended = accounts.amend_request(home, cast.deputy, account.id, form_of(cast, audience="Year 9"), now=NOW)
    assert (amended.audience, amended.return_reason, amended.returned_at) == ("Year 9", None, None)
    assert [a.id for a in requests_waiting(home.db)] == [account.id]
    assert accounts.approve(home, cast.head, account.id, now=NOW).state is S.APPROVED


def test_the_reason_stays_out_of_mails_and_events(home: Home, cast: Cast) -> None:
    account = accounts.return_request(home, cast.manager, requested(home, cast).id, "Leave Zebedee out.", now=NOW)
    for table in ("notice", "outbox", "event"):
        assert "Zebedee" not in str(list(home.db.query(f"select * from {table}")))
    assert account.return_reason == "Leave Zebedee out."


def test_an_approver_decides_on_what_they_read(home: Home, cast: Cast) -> None:
    seen = requested(home, cast)
    accounts.amend_request(home, cast.owner, seen.id, form_of(cast, purpose="Something else"), now=NOW)
    with pytest.raises(Conflict, match="changed after you opened it"):
        accounts.approve(home, cast.manager, seen.id, now=NOW, seen_version=seen.version)


def test_an_amended_request_may_keep_the_first_day_that_has_come_meanwhile(home: Home, cast: Cast) -> None:
    account, later = requested(home, cast), NOW + timedelta(days=3)
    accounts.amend_request(home, cast.owner, account.id, form_of(cast, purpose="Better words"), now=later)
    with pytest.raises(InvalidInput) as caught:
        accounts.amend_request(home, cast.owner, account.id, form_of(cast, starts_on=date(2026, 11, 24)), now=later)
    assert "starts_on" in caught.value.fields


def test_a_request_whose_deputy_left_cannot_be_approved_until_it_is_changed(home: Home, cast: Cast) -> None:
    account, other = requested(home, cast), staff(home, Role.TEACHER)
    staff_leaves(home, cast.manager, cast.deputy.id, now=NOW)
    assert accounts.why_not_approvable(home, account, now=NOW)
    with pytest.raises(Conflict, match="deputy"):
        accounts.approve(home, cast.manager, account.id, now=NOW)
    accounts.amend_request(home, cast.owner, account.id, form_of(cast, deputy_id=other.id), now=NOW)
    assert accounts.approve(home, cast.manager, account.id, now=NOW).deputy_id == other.id


def test_a_request_that_waited_past_its_last_day_cannot_be_approved(home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    with pytest.raises(Conflict, match="future"):
        accounts.approve(home, cast.manager, account.id, now=NOW + timedelta(days=30))
    assert accounts.decline(home, cast.manager, account.id, "Too late.", now=NOW + timedelta(days=30))


# --------------------------------------------------------------------------------------------------- found


def test_an_account_found_by_an_approver_is_taken_in_hand(home: Home, cast: Cast) -> None:
    form = form_of(cast, starts_on=date(2024, 9, 1), ends_on=date(2026, 12, 20))
    account = accounts.register_found(home, cast.manager, form, handle="@old.trip", now=NOW)
    assert (account.state, account.handle, account.found_unregistered) == (S.APPROVED, "old.trip", True)
    assert tags(home, account) == ["account:unregistered:found", "account:state:approved"]
    assert [n.kind for n in notices_of(home.db, cast.owner.id)] == ["account_found"]


def test_an_account_found_by_a_teacher_waits_and_cannot_be_dropped(home: Home, cast: Cast) -> None:
    account = accounts.register_found(home, cast.owner, form_of(cast), handle="old.trip", now=NOW)
    assert account.state is S.REQUESTED
    with pytest.raises(Conflict, match="leave it there"):
        accounts.decline(home, cast.manager, account.id, "No.", now=NOW)
    with pytest.raises(Conflict, match="leave it there"):
        accounts.withdraw(home, cast.owner, account.id, now=NOW)
    with pytest.raises(InvalidInput):
        changed = form_of(cast, handle_wished="another")
        accounts.amend_request(home, cast.owner, account.id, changed, now=NOW)
    accounts.amend_request(home, cast.owner, account.id, form_of(cast, handle_wished="old.trip"), now=NOW)
    assert accounts.approve(home, cast.manager, account.id, now=NOW).state is S.APPROVED


def test_one_found_on_a_platform_that_is_not_approved_is_recorded_all_the_same(tmp_path) -> None:  # type: ignore[no-untyped-def]
    home = make_home(tmp_path, approved=("sandbox",))
    cast = cast_of(home)
    account = accounts.register_found(home, cast.manager, form_of(cast), handle="old.trip", now=NOW)
    assert account_by_id(home.db, account.id).state is S.APPROVED


def test_one_on_the_register_is_not_found_again(home: Home, cast: Cast) -> None:
    account = approved(home, cast)
    with pytest.raises(InvalidInput) as caught:
        accounts.register_found(home, cast.manager, form_of(cast), handle=account.handle_wished, now=NOW)
    assert "handle_wished" in caught.value.fields
