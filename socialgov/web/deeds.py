"""What may be done about an account now, by this person: one table, so that no template decides it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

from socialgov import permissions as can
from socialgov.lifecycle import TRANSITIONS, WATCHED_STATES
from socialgov.models import Account, AccountKind, AccountState, Policy, Staff

if TYPE_CHECKING:
    from collections.abc import Iterable

S = AccountState
ON_PLATFORM = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED})
RUNNING = WATCHED_STATES
CAN_CLOSE = frozenset(state for state, news in TRANSITIONS.items() if S.CLOSING in news)

Test = Callable[[Staff, Account, Policy], bool]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to do: its words, its page, the states in which it makes sense, and who may."""

    label: str
    endpoint: str
    states: frozenset[AccountState]
    may: Test
    kind: str = "secondary"
    applies: Callable[[Account], bool] = lambda account: True


def _of_account(check: Callable[[Staff, Account], bool]) -> Test:
    return lambda staff, account, policy: check(staff, account)


def _of_staff(check: Callable[[Staff], bool]) -> Test:
    return lambda staff, account, policy: check(staff)


def _standing(account: Account) -> bool:
    return account.kind is not AccountKind.TRIP


DEEDS = (
    Deed("Decide on the request", "decisions.decide", frozenset({S.REQUESTED}), can.can_decide, "primary",
         lambda account: account.returned_at is None),
    Deed("Change the request", "requests.check_amended", frozenset({S.REQUESTED}), _of_account(can.can_amend_request)),
    Deed("Withdraw the request", "requests.take_back", frozenset({S.REQUESTED}), _of_account(can.can_amend_request),
         applies=lambda account: not account.found_unregistered),
    Deed("Go live", "setup.gate", frozenset({S.APPROVED}), _of_account(can.can_go_live), "primary"),
    Deed("Record the set-up", "setup.record", ON_PLATFORM, _of_account(can.can_set_up)),
    Deed("Record what you see on the platform", "setup.facts", ON_PLATFORM, _of_account(can.can_attest)),
    Deed("Posts", "posts.page", RUNNING | {S.CLOSING}, _of_account(can.can_view_posts)),
    Deed("Followers", "followers.page", ON_PLATFORM | {S.CLOSING}, _of_account(can.can_check_followers)),
    Deed("Audience", "audience.page", ON_PLATFORM, _of_account(can.can_set_audience)),
    Deed("Deposit the password", "credentials.hand_in", ON_PLATFORM | {S.CLOSING}, _of_account(can.can_deposit)),
    Deed("See the password", "credentials.show", ON_PLATFORM | {S.CLOSING}, _of_staff(can.can_reveal)),
    Deed("Record a login test", "credentials.test", ON_PLATFORM, _of_staff(can.can_test_login)),
    Deed("Confirm that it is still needed", "lifetime.confirm", RUNNING, _of_account(can.can_confirm),
         applies=_standing),
    Deed("Review it", "lifetime.review", ON_PLATFORM, can.can_review, applies=_standing),
    Deed("Ask for a longer life", "lifetime.extend", ON_PLATFORM, _of_account(can.can_ask_extension),
         applies=lambda account: account.ends_on is not None),
    Deed("Make an exception", "lifetime.waive", ON_PLATFORM | {S.REQUESTED}, _of_staff(can.can_waive)),
    Deed("Hand over", "lifetime.hand_over", ON_PLATFORM, _of_account(can.can_hand_over)),
    Deed("Let it go on", "lifetime.go_on", frozenset({S.SUSPENDED}), _of_staff(can.can_resume), "primary"),
    Deed("Follow the closing", "closing.progress", frozenset({S.CLOSING, S.CLOSED}),
         _of_account(can.can_view_account), "primary"),
    Deed("Close the account", "lifetime.close", CAN_CLOSE, _of_account(can.can_close)),
    Deed("Suspend at once", "lifetime.stop", frozenset({S.LIVE}), _of_account(can.can_suspend), "danger"),
)  # fmt: skip


def deeds_for(staff: Staff, account: Account, policy: Policy) -> list[Deed]:
    """The deeds that are open to `staff` for `account` as it stands, in the table's order."""
    return [deed for deed in _existing(DEEDS) if _open(deed, staff, account, policy)]


def _open(deed: Deed, staff: Staff, account: Account, policy: Policy) -> bool:
    return account.state in deed.states and deed.applies(account) and deed.may(staff, account, policy)


def _existing(deeds: Iterable[Deed]) -> list[Deed]:
    """Those whose pages this application has."""
    return [deed for deed in deeds if deed.endpoint in current_app.view_functions]
