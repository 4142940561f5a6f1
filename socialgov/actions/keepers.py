"""Who answers for an account, and whether it is still needed: hand over, confirm, review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.findings import evaluate_account
from socialgov.actions.notices import notify
from socialgov.actions.own_cause import check_did_not_hand_over
from socialgov.actions.request_checks import checked_reason, keeper_faults, review_faults
from socialgov.actions.rotations import begin_after_hand_over
from socialgov.errors import Conflict, InvalidInput
from socialgov.lifecycle import OPEN_STATES, WrongState
from socialgov.models import AccountKind, AccountState
from socialgov.store.accounts import account_by_id, change_account
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Staff

S = AccountState
NEEDED_STATES = frozenset({S.LIVE, S.SUSPENDED})


def hand_over(home: Home, actor: Staff, account_id: int, *, owner_id: int, deputy_id: int, now: datetime) -> Account:
    """Give the account to an owner and a deputy who both work here (ACC105, PPL704). A request is amended instead.

    All keepers are told. Where an outgoing keeper knows a secret of it, the change of the password begins (SEC204).
    """
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_hand_over(actor, account)
        if account.state not in OPEN_STATES - {S.REQUESTED}:
            raise WrongState(
                f"This account is {account.state.value}, so it cannot be handed over.",
                "A request is changed instead." if account.state is S.REQUESTED else "",
            )
        if faults := keeper_faults(db, owner_id=owner_id, deputy_id=deputy_id):
            raise InvalidInput("The account cannot be handed over to these two.", faults, "Choose somebody else.")
        before = {account.owner_id, account.deputy_id}
        if (owner_id, deputy_id) == (account.owner_id, account.deputy_id):
            raise InvalidInput("Nothing changes: these two keep the account already.", {"owner_id": "Choose a change."})
        account = change_account(
            db, account, {"owner_id": owner_id, "deputy_id": deputy_id},
            tag=EventTag.ACCOUNT_HANDED_OVER, actor=actor_of(actor.id), now=now,
            data={"owner": owner_id, "deputy": deputy_id, "before": sorted(before)},
        )  # fmt: skip
        _tell_of_hand_over(db, account, before, now)
        gone = before - {owner_id, deputy_id}
        begin_after_hand_over(home, db, account, gone, actor=actor_of(actor.id), now=now)
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    return account


def confirm_needed(home: Home, actor: Staff, account_id: int, *, now: datetime) -> Account:
    """The owner or deputy says that a standing account is still needed, once a term (LIF604)."""
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_confirm(actor, account)
        _need_standing(account)
        if account.state not in NEEDED_STATES:
            raise WrongState(f"This account is {account.state.value}, so there is nothing to confirm yet.")
        account = change_account(
            db, account, {"confirmed_at": now},
            tag=EventTag.ACCOUNT_CONFIRMED, actor=actor_of(actor.id), now=now,
        )  # fmt: skip
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    return account


def review(home: Home, actor: Staff, account_id: int, review_on: date, reason: str, *, now: datetime) -> Account:
    """An approver other than the owner lets a standing account go on until the next review date (LIF601)."""
    reason = checked_reason(reason)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_review(actor, account, home.settings.policy)
        check_did_not_hand_over(db, actor, account)
        _need_standing(account)
        if account.state not in NEEDED_STATES | {S.APPROVED}:
            raise WrongState(f"This account is {account.state.value}, so it has no review to hold.")
        if faults := review_faults(home.settings, review_on, home.today(now)):
            raise InvalidInput("The review cannot be recorded as it is.", faults, "Change the date.")
        account = change_account(
            db, account, {"review_on": review_on, "decision_reason": reason},
            tag=EventTag.ACCOUNT_REVIEWED, actor=actor_of(actor.id), now=now,
            data={"review_on": review_on.isoformat()},
        )  # fmt: skip
        for staff_id in sorted({account.owner_id, account.deputy_id} - {actor.id}):
            notify(
                db, staff_id=staff_id, kind="account_reviewed", now=now, account_id=account.id,
                text=f"The account {account.name} was reviewed and may go on until {review_on.day} {review_on:%B %Y}.",
                dedupe_key=f"account_reviewed:{account.id}:{account.version}",
            )  # fmt: skip
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    return account


def _need_standing(account: Account) -> None:
    if account.kind is AccountKind.TRIP:
        raise Conflict("A trip account has a last day and is not confirmed.", "Ask for a longer life if it needs one.")


def _tell_of_hand_over(db: Database, account: Account, before: set[int], now: datetime) -> None:
    after = {account.owner_id, account.deputy_id}
    key = f"handed_over:{account.id}:{account.version}"
    for staff_id in sorted(before | after):
        text = f"The account {account.name} " + (
            "is now in your hands." if staff_id in after else "was handed over to others."
        )
        notify(
            db, staff_id=staff_id, kind="account_handed_over", text=text, now=now, account_id=account.id, dedupe_key=key
        )
