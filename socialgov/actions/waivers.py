"""The head's exceptions: this rule need not hold for this account, for this reason, until this day.

An exception opens a gate without making a rule true: the finding still says that it is broken, and who excepted it.
What parents permit is not the head's to except, so the rules about posts have no exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from socialgov import permissions, rules
from socialgov.actions.findings import evaluate_account
from socialgov.actions.notices import notify
from socialgov.actions.request_checks import checked_reason
from socialgov.errors import Conflict, InvalidInput
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, RuleSubject
from socialgov.rules import PUBLIC_ACCOUNT_RULES
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.waivers import active_waivers, insert_waiver, waiver_by_id

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Staff, Waiver

__all__ = ["PUBLIC_ACCOUNT_RULES", "end_waiver", "grant_waiver"]

S = AccountState
WAIVER_STATES = frozenset({S.REQUESTED, S.APPROVED, S.LIVE, S.SUSPENDED})


def grant_waiver(
    home: Home,
    actor: Staff,
    account_id: int,
    rule_ids: Iterable[str],
    reason: str,
    until_on: date | None,
    *,
    now: datetime,
) -> list[Waiver]:
    """Except the account from these rules, in place of earlier exceptions from them; None: for as long as it lives.

    "May be public" is all of PUBLIC_ACCOUNT_RULES. Raises InvalidInput with the fields at fault.
    """
    permissions.check_can_waive(actor)
    reason = checked_reason(reason)
    wanted = _checked_rules(rule_ids)
    if until_on is not None and until_on <= home.today(now):
        message = "The exception must end in the future."
        raise InvalidInput("This is not possible as an exception.", {"until_on": message}, "Change the date.")
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        if account.state not in WAIVER_STATES:
            raise WrongState(f"This account is {account.state.value}, so no exception can be made for it.")
        for old in active_waivers(db, account_id, home.today(now)):
            if old.rule_id in wanted:
                guarded_update(db, "waiver", old.id, {"ended_at": now}, where={"ended_at": None})
        ids = [
            insert_waiver(
                db, account_id=account_id, rule_id=rule_id, reason=reason, decided_by=actor.id, until_on=until_on,
                now=now,
            )
            for rule_id in wanted
        ]  # fmt: skip
        until = until_on.isoformat() if until_on else None
        _record(db, EventTag.WAIVER_GRANTED, account, actor, now, {"waivers": ids, "rules": wanted, "until_on": until})
        text = f"The head made an exception for the account {account.name}. Open it to read from which rules."
        _tell_keepers(db, account, actor, text, ids[0], now)
        evaluate_account(home, account_id, now=now, actor=actor_of(actor.id))
        return [waiver_by_id(db, waiver_id) for waiver_id in ids]


def end_waiver(home: Home, actor: Staff, waiver_id: int, *, now: datetime) -> Waiver:
    """Take an exception back: from now on the rule holds for this account like for any other."""
    permissions.check_can_waive(actor)
    with write(home.db) as db:
        waiver = waiver_by_id(db, waiver_id)
        account = account_by_id(db, waiver.account_id)
        if waiver.ended_at is not None:
            raise Conflict("This exception has ended already.", "Look at the account again.")
        guarded_update(db, "waiver", waiver_id, {"ended_at": now}, where={"ended_at": None})
        data = {"waivers": [waiver_id], "rules": [waiver.rule_id]}
        _record(db, EventTag.WAIVER_ENDED, account, actor, now, data)
        text = f"An exception for the account {account.name} has ended. Open it to see what must be done."
        _tell_keepers(db, account, actor, text, waiver_id, now)
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
        return waiver_by_id(db, waiver_id)


def _checked_rules(rule_ids: Iterable[str]) -> list[str]:
    """The ids in the catalogue's order. Raises InvalidInput for none, an unknown one, or a rule about posts."""
    asked = set(rule_ids)
    allowed = [rule.id for rule in rules.CATALOGUE.values() if rule.subject is RuleSubject.ACCOUNT]
    fault = None
    if not asked:
        fault = "Choose at least one rule."
    elif unknown := sorted(asked.difference(allowed)):
        fault = f"There is no exception from {', '.join(unknown)}."
    if fault:
        raise InvalidInput("This is not possible as an exception.", {"rule_ids": fault}, "Change the choice.")
    return [rule_id for rule_id in allowed if rule_id in asked]


def _record(
    db: Database, tag: EventTag, account: Account, actor: Staff, now: datetime, data: dict[str, object]
) -> None:
    record_event(
        db, tag, actor=actor_of(actor.id), now=now, subject="account", subject_id=account.id, account_id=account.id,
        data=data,
    )  # fmt: skip


def _tell_keepers(db: Database, account: Account, actor: Staff, text: str, waiver_id: int, now: datetime) -> None:
    for staff_id in sorted({account.owner_id, account.deputy_id} - {actor.id}):
        notify(
            db, staff_id=staff_id, kind="exception_changed", text=text, now=now, account_id=account.id,
            dedupe_key=f"exception_changed:{waiver_id}:{'ended' if 'ended' in text else 'made'}",
        )  # fmt: skip
