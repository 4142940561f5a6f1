"""What may be done about an account now, by this person: one table of words, pages and states.

Who may is not said again here: it is what the page itself demands (web/access.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import current_app

from socialgov.actions.adapters import is_connected
from socialgov.actions.putting_right import mends_of
from socialgov.lifecycle import TRANSITIONS, WATCHED_STATES
from socialgov.models import Account, AccountKind, AccountState, Staff
from socialgov.platforms import needs_connection, wants_client
from socialgov.web.access import may_open

if TYPE_CHECKING:
    from socialgov.home import Home

S = AccountState
ON_PLATFORM = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED})
RUNNING = WATCHED_STATES
CAN_CLOSE = frozenset(state for state, news in TRANSITIONS.items() if S.CLOSING in news)


def _always(account: Account) -> bool:
    return True


def _standing(account: Account) -> bool:
    return account.kind is not AccountKind.TRIP


def _ends(account: Account) -> bool:
    return account.ends_on is not None


def _waits(account: Account) -> bool:
    return account.returned_at is None


def _by_machine(account: Account) -> bool:
    return bool(mends_of(_home(), account))


def _unconnected(account: Account) -> bool:
    """Its platform has something to connect, or would have if the school registered a client there."""
    info = _home().settings.platforms[account.platform]
    return (needs_connection(info) or wants_client(info)) and not is_connected(_home(), account)


def _connected(account: Account) -> bool:
    return is_connected(_home(), account)


def _home() -> Home:
    home: Home = current_app.extensions["socialgov"]
    return home


def _has_export(account: Account) -> bool:
    return account.set_up_at is not None and _home().settings.platforms[account.platform].export is not None


def _wants_sign_ins(account: Account) -> bool:
    info = _home().settings.platforms[account.platform]
    return account.set_up_at is not None and info.login_every_days is not None


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to do: its words, its page, the states in which it makes sense, and how its button looks."""

    label: str
    endpoint: str
    states: frozenset[AccountState]
    kind: str = "secondary"
    applies: Callable[[Account], bool] = _always


DEEDS = (
    Deed("Decide on the request", "decisions.decide", frozenset({S.REQUESTED}), "primary", _waits),
    Deed("Change the request", "requests.check_amended", frozenset({S.REQUESTED})),
    Deed("Go live", "setup.gate", frozenset({S.APPROVED}), "primary"),
    Deed("Let it go on", "lifetime.go_on", frozenset({S.SUSPENDED}), "primary"),
    Deed("Follow the closing", "closing.progress", frozenset({S.CLOSING, S.CLOSED}), "primary"),
    Deed("Posts", "posts.page", RUNNING | {S.CLOSING}),
    Deed("Followers", "followers.page", ON_PLATFORM),
    Deed("Audience", "audience.page", ON_PLATFORM),
    Deed("Record the set-up", "setup.record", frozenset({S.APPROVED})),
    Deed("Say what is seen on the platform", "setup.facts", ON_PLATFORM),
    Deed("Put it right by machine", "putting_right.page", ON_PLATFORM, applies=_by_machine),
    Deed("Hand in the platform's own export file", "exports.hand_in", ON_PLATFORM | {S.CLOSING}, applies=_has_export),
    Deed("Say that somebody signed in there", "sign_ins.say", ON_PLATFORM, applies=_wants_sign_ins),
    Deed("Deposit the login", "deposits.hand_in", ON_PLATFORM | {S.CLOSING}),
    Deed("What is deposited", "deposits.parts", ON_PLATFORM | {S.CLOSING}),
    Deed("Connect with {platform}", "connections.show", ON_PLATFORM | {S.CLOSING}, applies=_unconnected),
    Deed("Connection with {platform}", "connections.show", ON_PLATFORM | {S.CLOSING}, applies=_connected),
    Deed("See the password", "credentials.show", ON_PLATFORM | {S.CLOSING}),
    Deed("Who has looked at the login", "credentials.looks", ON_PLATFORM | {S.CLOSING, S.CLOSED}),
    Deed("Record a login test", "credentials.test", ON_PLATFORM),
    Deed("Change the password", "rotations.show", ON_PLATFORM | {S.CLOSING}),
    Deed("Confirm that it is still needed", "lifetime.confirm", RUNNING, applies=_standing),
    Deed("Review it", "lifetime.review", ON_PLATFORM, applies=_standing),
    Deed("Ask for a longer life", "lifetime.extend", ON_PLATFORM, applies=_ends),
    Deed("Make an exception", "lifetime.waive", ON_PLATFORM | {S.REQUESTED}),
    Deed("Hand it over", "lifetime.hand_over", ON_PLATFORM),
    Deed("Withdraw the request", "requests.take_back", frozenset({S.REQUESTED}), "danger",
         lambda account: not account.found_unregistered),
    Deed("The password is compromised", "rotations.compromised", ON_PLATFORM | {S.CLOSING}, "danger"),
    Deed("Suspend at once", "lifetime.stop", frozenset({S.LIVE}), "danger"),
    Deed("Close the account", "lifetime.close", CAN_CLOSE, "danger"),
)  # fmt: skip


def deeds_for(staff: Staff, account: Account) -> list[Deed]:
    """The deeds that are open to `staff` for `account` as it stands, in the table's order."""
    name = _home().settings.platforms[account.platform].name
    return [
        replace(deed, label=deed.label.replace("{platform}", name))
        for deed in DEEDS
        if account.state in deed.states and deed.applies(account) and may_open(deed.endpoint, staff, account)
    ]
