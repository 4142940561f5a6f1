"""Where recovery leads and whom the platform lets in: on record, in the rules' answers, and gone at the end."""

from __future__ import annotations

from typing import Any

import pytest
from factories import DOMAIN, NOW, staff
from walk import Cast, approved, form_of, live, requested, set_up, tags

from socialgov.actions.contacts import (
    contacts_of,
    delegates_of,
    end_contact,
    end_delegate,
    record_contact,
    record_delegate,
)
from socialgov.actions.findings import current_findings
from socialgov.actions.staff import staff_leaves
from socialgov.errors import Conflict, InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, ContactKind, Finding
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.erasing import forget_people, people_still_held
from socialgov.store.findings import findings_of
from socialgov.store.outbox import notices_of

ADDRESS, PHONE, FACTOR = ContactKind.ADDRESS, ContactKind.PHONE, ContactKind.SECOND_FACTOR
OWN_PHONE = "+44 7700 900123"


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    return live(home, cast)


def recorded(home: Home, cast: Cast, account: Account, **changes: Any) -> int:
    values = {"kind": PHONE, "value": OWN_PHONE, "of_school": False, "staff_id": cast.owner.id, "now": NOW, **changes}
    return record_contact(home, cast.owner, account.id, **values)


def answer(home: Home, account: Account, rule_id: str) -> Finding:
    account = account_by_id(home.db, account.id)
    return next(one for one in current_findings(home, account, NOW) if one.rule_id == rule_id)


def test_a_phone_of_ones_own_breaks_the_rule_at_once_and_says_whom_to_ask(
    home: Home, cast: Cast, account: Account
) -> None:
    assert answer(home, account, "SEC206").answer is True
    contact_id = recorded(home, cast, account)
    (kept,) = [one for one in findings_of(home.db, account.id) if one.rule_id == "SEC206"]
    assert kept.answer is False
    assert "the owner's own" in kept.because
    assert OWN_PHONE not in kept.because
    assert OWN_PHONE not in str([one.text for one in notices_of(home.db, cast.manager.id)])
    end_contact(home, cast.owner, account.id, contact_id, now=NOW)
    assert answer(home, account, "SEC206").answer is True
    assert contacts_of(home.db, account.id) == []


def test_that_only_the_schools_are_on_record_is_no_proof_that_there_are_no_others(home: Home, cast: Cast) -> None:
    account = set_up(home, cast, approved(home, cast))
    recorded(home, cast, account, kind=ADDRESS, value=f"trips@{DOMAIN}", of_school=True)
    assert answer(home, account, "SEC206").answer is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"value": " "}, "value"),
        ({"value": "x" * 300, "kind": FACTOR}, "value"),
        ({"value": "call me"}, "value"),
        ({"kind": ADDRESS, "value": "me@home.example", "of_school": True}, "value"),
        ({"kind": ADDRESS, "value": "me"}, "value"),
        ({"staff_id": 4711}, "staff_id"),
    ],
)
def test_what_cannot_be_recorded_says_why(
    home: Home, cast: Cast, account: Account, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        recorded(home, cast, account, **changes)
    assert list(caught.value.fields) == [field]
    assert contacts_of(home.db, account.id) == []


def test_the_schools_has_no_holder_and_a_strangers_has_none_on_the_staff(
    home: Home, cast: Cast, account: Account
) -> None:
    recorded(home, cast, account, kind=FACTOR, value="Key in the office safe", of_school=True)
    recorded(home, cast, account, staff_id=None)
    assert [(one.kind, one.of_school, one.staff_id) for one in contacts_of(home.db, account.id)] == [
        (PHONE, False, None),
        (FACTOR, True, None),
    ]
    assert "not on the staff" in answer(home, account, "SEC206").because


def test_a_leaver_whom_the_platform_lets_in_puts_the_account_out_of_order_the_same_day(
    home: Home, cast: Cast, account: Account
) -> None:
    helper = staff(home)
    delegate_id = record_delegate(
        home, cast.owner, account.id, name="@helper", rights="Posts", staff_id=helper.id, now=NOW
    )
    assert answer(home, account, "PPL704").answer is True
    staff_leaves(home, cast.manager, helper.id, now=NOW)
    (kept,) = [one for one in findings_of(home.db, account.id) if one.rule_id == "PPL704"]
    assert kept.answer is False
    assert "delegates" in kept.because
    end_delegate(home, cast.owner, account.id, delegate_id, now=NOW)
    assert answer(home, account, "PPL704").answer is True


@pytest.mark.parametrize(
    ("changes", "field"), [({"name": ""}, "name"), ({"rights": ""}, "rights"), ({"staff_id": 4711}, "staff_id")]
)
def test_a_delegate_without_name_or_rights_is_refused(
    home: Home, cast: Cast, account: Account, changes: dict[str, Any], field: str
) -> None:
    values = {"name": "@helper", "rights": "Posts", **changes}
    with pytest.raises(InvalidInput) as caught:
        record_delegate(home, cast.owner, account.id, now=NOW, **values)
    assert list(caught.value.fields) == [field]


def test_the_log_holds_ids_and_no_address_number_or_name(home: Home, cast: Cast, account: Account) -> None:
    contact_id = recorded(home, cast, account)
    delegate_id = record_delegate(home, cast.owner, account.id, name="@helper", rights="Everything", now=NOW)
    end_contact(home, cast.owner, account.id, contact_id, now=NOW)
    end_delegate(home, cast.owner, account.id, delegate_id, now=NOW)
    seen = [tag for tag in tags(home, account) if tag.startswith("credential:")][-4:]
    assert seen == ["credential:recovery:recorded", "credential:delegates:recorded"] * 2
    log = str(list(home.db.query("select data from event")))
    assert not any(words in log for words in (OWN_PHONE, "@helper", "Everything"))


def test_what_is_taken_off_the_record_is_gone_and_not_only_hidden(home: Home, cast: Cast, account: Account) -> None:
    contact_id = recorded(home, cast, account)
    end_contact(home, cast.owner, account.id, contact_id, now=NOW)
    with pytest.raises(Conflict):
        end_contact(home, cast.owner, account.id, contact_id, now=NOW)
    assert OWN_PHONE not in str(list(home.db.query("select * from recovery_contact")))


@pytest.mark.asvs("8.2.2")
def test_another_accounts_record_is_out_of_reach(home: Home, cast: Cast, account: Account) -> None:
    contact_id = recorded(home, cast, account)
    other = set_up(home, cast, approved(home, cast, form=form_of(cast, handle_wished="history.trip")))
    with pytest.raises(Conflict):
        end_contact(home, cast.owner, other.id, contact_id, now=NOW)
    with pytest.raises(NotPermitted):
        end_contact(home, cast.head, account.id, contact_id, now=NOW)
    assert len(contacts_of(home.db, account.id)) == 1


def test_nothing_is_recorded_before_approval(home: Home, cast: Cast) -> None:
    waiting = requested(home, cast)
    with pytest.raises(WrongState):
        recorded(home, cast, waiting)
    with pytest.raises(WrongState):
        record_delegate(home, cast.owner, waiting.id, name="x", rights="y", now=NOW)


def test_closing_erases_them_with_everything_else_about_people(home: Home, cast: Cast, account: Account) -> None:
    recorded(home, cast, account)
    record_delegate(home, cast.owner, account.id, name="@helper", rights="Posts", now=NOW)
    assert people_still_held(home.db, account.id) >= 2
    with write(home.db) as db:
        counts = forget_people(db, account.id)
    assert (counts["recovery contacts"], counts["delegates"]) == (1, 1)
    assert delegates_of(home.db, account.id) == contacts_of(home.db, account.id) == []
    assert "SEC206" not in {one.rule_id for one in findings_of(home.db, account.id)}
