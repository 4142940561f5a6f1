"""The one place where an action gets an account's adapter, and hears what the machine can do for that account.

What an adapter declares is not enough: an account may not be connected (OAuth 2), and a platform may not offer all of
it to this school. Whatever is not here is a guided task for a person, so nothing stands still for want of a key.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from socialgov import platforms
from socialgov.actions.access import AppToken, BorrowedAccess, OwnAccess, lose_if_refused
from socialgov.actions.spending import meter_of, pause_for_payment
from socialgov.config_values import secret_line
from socialgov.errors import ConfigError
from socialgov.models import AccountState, Capability
from socialgov.platforms import LoginRefused, PlatformError
from socialgov.platforms.base import Access
from socialgov.platforms.grants import oauth_of
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.connections import (
    capabilities_off,
    connection_of,
    last_connection_of,
    others_that_work,
    put_off,
    put_on_again,
)
from socialgov.store.events import EventTag, record_event

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Connection, PlatformInfo
    from socialgov.platforms import Login, OAuth, Platform

JOB = "job:capabilities"


def capabilities_of(home: Home, account: Account) -> frozenset[Capability]:
    """What the machine can do for this account now."""
    info = home.settings.platforms[account.platform]
    off = not_offered(home, account)
    oauth = oauth_of(platforms.adapter_class(info))
    if oauth is None:
        return platforms.capabilities(info) - off
    connection = connection_of(home.db, account.id)
    if connection is not None and connection.works:
        return platforms.capabilities(info) - off
    return _from_outside(home, info, oauth, account) - off


def adapter_of(
    home: Home,
    account: Account,
    login: Login | None = None,
    *,
    now: datetime,
    given: tuple[str, Access] | None = None,
) -> Platform:
    """An adapter for one account, for one job: with its access, and with its calls counted.

    `given`: a server and an access to it that is not on record yet, while the account is being connected.
    """
    info = home.settings.platforms[account.platform]
    if given is not None:
        meter = meter_of(home, info, account.id, now=now)
        return platforms.connect(replace(info, api_base=given[0]), account, access=given[1], meter=meter)
    off = platforms.capabilities(info) - capabilities_of(home, account)  # also what is not told to a lent key
    oauth = oauth_of(platforms.adapter_class(info))
    access: Access | None = None
    if oauth is not None:
        connection = connection_of(home.db, account.id)
        if connection is not None and connection.works:
            access, login = OwnAccess(home, account, connection.id, now), None  # the password is of no use there
        else:
            connection = last_connection_of(home.db, account.id)
            access = _borrowed(home, info, oauth, account, connection, now)
        info = info if connection is None else replace(info, api_base=connection.server)
    meter = meter_of(home, info, account.id, now=now)
    return platforms.connect(info, account, login, access=access, meter=meter, off=off)


def is_connected(home: Home, account: Account) -> bool:
    """Does the platform let us into this account (OAuth 2), as far as we know?"""
    connection = connection_of(home.db, account.id)
    return connection is not None and connection.works


def shut_out(home: Home, account: Account) -> bool:
    """Is there a connection to be had that the account does not have now, or that does not work any more?"""
    return needs_connection(home, account) and not is_connected(home, account)


def needs_connection(home: Home, account: Account) -> bool:
    """Is a connection, and not the account's password, what an adapter works with there?"""
    return platforms.needs_connection(home.settings.platforms[account.platform])


# --------------------------------------------------------------------------------------------------- from outside


def _from_outside(home: Home, info: PlatformInfo, oauth: OAuth, account: Account) -> frozenset[Capability]:
    """What can still be read of an account that is being closed, once our access to it was revoked."""
    connection = last_connection_of(home.db, account.id)
    if account.state is not AccountState.CLOSING or account.remote_id is None or connection is None:
        return frozenset()
    lent = _app_token(info) is not None or others_that_work(home.db, info.key, connection.server, account.id)
    return oauth.by_anybody | (oauth.by_others if lent else frozenset())


def _borrowed(
    home: Home, info: PlatformInfo, oauth: OAuth, account: Account, connection: Connection | None, now: datetime
) -> Access | None:
    """The school's own token, else that of another connected account: for looks that need one, and only then."""
    if connection is None or account.state is not AccountState.CLOSING or not oauth.by_others:
        return None
    token = _app_token(info)
    if token is not None:
        return AppToken(token, info.name)
    lender = next(iter(others_that_work(home.db, info.key, connection.server, account.id)), None)
    if lender is None:
        return None
    return BorrowedAccess(OwnAccess(home, account_by_id(home.db, lender.account_id), lender.id, now), info.name)


def _app_token(info: PlatformInfo) -> str | None:
    """Unreadable or empty counts as none: then another account's access serves, or a person looks."""
    if info.client is None or info.client.app_token_file is None:
        return None
    try:
        return secret_line(Path(info.client.app_token_file), f"{info.name}'s app token") or None
    except ConfigError:
        return None


# --------------------------------------------------------------------------------------------------- not offered


def not_offered(home: Home, account: Account) -> frozenset[Capability]:
    """What the platform does not offer to the client that this account is, or was last, connected by."""
    return capabilities_off(home.db, account.platform, _client_at(home, account))


def note_refusal(home: Home, account_id: int, error: PlatformError, *, now: datetime) -> None:
    """Keep what an error says beyond this one call; most say nothing.

    The platform does not offer something to us: from now on people do it, for every account there. It asks for
    payment: it is asked nothing more until somebody has looked. It does not let us into this account any more, or
    only for less than was granted: somebody connects it again.
    """
    if isinstance(error, LoginRefused) and error.of_token:
        lose_if_refused(home, account_id, now=now)
    account = account_by_id(home.db, account_id)
    if isinstance(error, platforms.PaymentNeeded):
        pause_for_payment(home, home.settings.platforms[account.platform], now=now)
    if not isinstance(error, platforms.NotOffered):
        return
    with write(home.db) as db:
        if put_off(db, account.platform, _client_at(home, account), error.capability, "not offered", now):
            _say(db, EventTag.CAPABILITY_LOST, account.platform, error.capability, now, found_with=account_id)


def ask_again(home: Home, now: datetime) -> int:
    """What was found not offered `not_offered_days` ago is tried again from now on; returns how much that is."""
    before = now - timedelta(days=home.settings.policy.not_offered_days)
    with write(home.db) as db:
        found = put_on_again(db, before)
        for platform, capability in found:
            _say(db, EventTag.CAPABILITY_FOUND, platform, capability, now)
    return len(found)


def _client_at(home: Home, account: Account) -> str:
    """Which of our clients on the platform the account is with: a server that gave us one, "" for the school's own."""
    connection = last_connection_of(home.db, account.id)
    return "" if connection is None or connection.app_id is None else connection.server


def _say(
    db: Database, tag: EventTag, platform: str, capability: Capability, now: datetime, *, found_with: int | None = None
) -> None:
    record_event(
        db, tag, actor=JOB, now=now, subject="platform", account_id=found_with,
        data={"platform": platform, "capability": capability},
    )  # fmt: skip
