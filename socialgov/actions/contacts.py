"""On record: where recovery leads and whose that is (SEC206), and whom the platform itself lets in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.deposits import need_depositable
from socialgov.actions.findings import evaluate_account
from socialgov.actions.request_checks import school_email_fault, text_faults, tidy
from socialgov.errors import InvalidInput
from socialgov.models import ContactKind
from socialgov.store import contacts as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.contacts import contacts_of, delegates_of
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.staff import current_staff

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Staff

__all__ = ["contacts_of", "delegates_of", "end_contact", "end_delegate", "record_contact", "record_delegate"]

LONGEST = 254
MOST = 50  # of each, for one account
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{4,30}")


def record_contact(
    home: Home,
    actor: Staff,
    account_id: int,
    *,
    kind: ContactKind,
    value: str,
    of_school: bool,
    staff_id: int | None = None,
    now: datetime,
) -> int:
    """Where recovery leads: an address, a phone or a second factor, and whose it is. The id of the record.

    Not the school's: `staff_id` says whose, None somebody who is not on the staff. SEC206 is asked anew at once.
    Raises InvalidInput with the fields at fault, WrongState where nothing is deposited any more.
    """
    value = tidy(value)
    with write(home.db) as db:
        account = _need(db, actor, account_id)
        faults = _contact_faults(home, kind, value, of_school)
        faults |= _staff_faults(db, staff_id)
        if len(contacts_of(db, account_id)) >= MOST:
            faults["value"] = "That is more than anybody can keep track of. Take some away first."
        _raise_if(faults, "This cannot be recorded as it is.")
        new_id = store.insert_contact(
            db, account_id=account_id, kind=kind, value=value, of_school=of_school,
            staff_id=None if of_school else staff_id, recorded_by=actor.id, now=now,
        )  # fmt: skip
        data = {"recorded": new_id, "kind": kind.value, "of_school": of_school}
        _record(home, db, EventTag.RECOVERY_CONTACTS, account, actor, now, data)
    return new_id


def end_contact(home: Home, actor: Staff, account_id: int, contact_id: int, *, now: datetime) -> None:
    """Somebody took it out of the platform's settings. Raises Conflict when it was ended before."""
    with write(home.db) as db:
        account = _need(db, actor, account_id)
        store.end_contact(db, account_id, contact_id, now)
        _record(home, db, EventTag.RECOVERY_CONTACTS, account, actor, now, {"ended": contact_id})


def record_delegate(
    home: Home, actor: Staff, account_id: int, *, name: str, rights: str, staff_id: int | None = None, now: datetime
) -> int:
    """Somebody whom the platform lets in without the password, as it calls them, and what they may do there."""
    name, rights = tidy(name), tidy(rights)
    with write(home.db) as db:
        account = _need(db, actor, account_id)
        faults = text_faults({"name": name, "rights": rights}, LONGEST) | _staff_faults(db, staff_id)
        if len(delegates_of(db, account_id)) >= MOST:
            faults["name"] = "That is more than anybody can keep track of. Take some away first."
        _raise_if(faults, "This cannot be recorded as it is.")
        new_id = store.insert_delegate(
            db, account_id=account_id, name=name, rights=rights, staff_id=staff_id, recorded_by=actor.id, now=now
        )
        _record(home, db, EventTag.DELEGATES_RECORDED, account, actor, now, {"recorded": new_id})
    return new_id


def end_delegate(home: Home, actor: Staff, account_id: int, delegate_id: int, *, now: datetime) -> None:
    """The platform lets them in no more. Raises Conflict when it was ended before."""
    with write(home.db) as db:
        account = _need(db, actor, account_id)
        store.end_delegate(db, account_id, delegate_id, now)
        _record(home, db, EventTag.DELEGATES_RECORDED, account, actor, now, {"ended": delegate_id})


def _need(db: Database, actor: Staff, account_id: int) -> Account:
    account = account_by_id(db, account_id)
    permissions.check_can_deposit(actor, account)
    need_depositable(account)
    return account


def _contact_faults(home: Home, kind: ContactKind, value: str, of_school: bool) -> dict[str, str]:
    """What is wrong with the value. What is said to be the school's address must be one (ACC101)."""
    if not value:
        return {"value": "Enter where it leads."}
    if len(value) > LONGEST:
        return {"value": f"Use {LONGEST} characters or fewer."}
    if kind is ContactKind.PHONE and not _PHONE.fullmatch(value):
        return {"value": "Enter a phone number, such as +44 20 7946 0018."}
    if kind is not ContactKind.ADDRESS:
        return {}
    if of_school and (fault := school_email_fault(home.settings, value)):
        return {"value": f"{fault} If it is a person's own, say whose."}
    return {} if "@" in value else {"value": "Enter an e-mail address."}


def _staff_faults(db: Database, staff_id: int | None) -> dict[str, str]:
    known = staff_id is None or staff_id in {one.id for one in current_staff(db)}
    return {} if known else {"staff_id": "Choose somebody who works here now, or nobody of the list."}


def _raise_if(faults: dict[str, str], message: str) -> None:
    if faults:
        raise InvalidInput(message, faults, "Change what is marked.")


def _record(
    home: Home, db: Database, tag: EventTag, account: Account, actor: Staff, now: datetime, data: Mapping[str, Any]
) -> None:
    """The event, with ids only, and what the rules make of the change."""
    record_event(
        db, tag, actor=actor_of(actor.id), now=now, subject="account", subject_id=account.id, account_id=account.id,
        data=data,
    )  # fmt: skip
    evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
