"""Connect an account with its platform: a person confirms there that this product may act for it (OAuth 2 with PKCE).

ASVS 5.0: 10.2.1 (state and PKCE), 10.2.3 (least scopes), 10.3.5. An attempt is a ceremony of one browser: begun there
by one person, finished by them once and within ten minutes. State and PKCE verifier are derived from the token that
only that browser's cookie holds. Whoever confirmed at the platform must have been signed in there as this very
account; else nothing is kept. What people attested before stays as it is.
"""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions import ceremonies
from socialgov.actions.access import OwnAccess, seal_tokens, take_back, tell_connectors, token_hash
from socialgov.actions.adapters import adapter_of
from socialgov.actions.ceremonies import Begun, CeremonyOver
from socialgov.actions.clients import Known, callback_of, client_of, forget_client, need_client
from socialgov.actions.findings import evaluate_account
from socialgov.actions.machine_tokens import access_was_revoked
from socialgov.actions.notices import answered
from socialgov.actions.observing import record_observation
from socialgov.errors import ConfigError, Conflict, NotPermitted, SocialgovError, Throttled
from socialgov.lifecycle import WATCHED_STATES, WrongState
from socialgov.models import AccountState, Fact, Source
from socialgov.names import one_line
from socialgov.openid.exchange import Attempt
from socialgov.platforms import LoginRefused, PlatformError, adapter_class
from socialgov.platforms.grants import ClientRefused, GrantRefused, Tokens, oauth_of
from socialgov.store import connections as store
from socialgov.store.accounts import account_by_id, account_with_remote_id
from socialgov.store.ceremonies import waiting_ceremonies
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag, actor_of, record_event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Connection, Staff
    from socialgov.platforms import OAuth, Platform, Profile
    from socialgov.platforms.oauth import Endpoint
    from socialgov.store.ceremonies import Ceremony

LOG = logging.getLogger(__name__)
CONNECT = "connect"  # the ceremony's purpose
LIFETIME = timedelta(minutes=10)
MOST_WAITING = 200  # of a school: a script that presses the button again and again must not fill the disk
CONNECTABLE = frozenset({AccountState.APPROVED, AccountState.CLOSING}) | WATCHED_STATES


class NotConnected(SocialgovError):
    """Nothing was connected, and why. `account_id`: whose page shows it."""

    status = 409

    def __init__(self, account_id: int, message: str, mend: str = "") -> None:
        super().__init__(message, mend)
        self.account_id = account_id


@dataclass(frozen=True, slots=True)
class _Fixed:
    """The token just given, to ask whose it is."""

    given: str = field(repr=False)
    name: str

    def token(self) -> str:
        return self.given

    def renew(self, refused: str) -> str:
        raise LoginRefused(f"{self.name} refuses the key that it gave a moment ago.", "Try again.", of_token=True)

    def revoke(self) -> None:
        """`take_back` does it."""


def oauth_for(home: Home, account: Account) -> OAuth | None:
    """How this account is connected; None where its platform has no such thing, or the school no client there."""
    return oauth_of(adapter_class(home.settings.platforms[account.platform]))


def people_go_to(home: Home, account: Account) -> str:
    """Where the browser is sent to confirm. Raises PlatformError for a handle that leads to a place we do not go."""
    info, oauth = home.settings.platforms[account.platform], oauth_for(home, account)
    server = adapter_class(info).server_of(info, account.handle)
    return oauth.people_go_to(server) if oauth and server else ""


# --------------------------------------------------------------------------------------------------- begin


def begin(home: Home, actor: Staff, account_id: int, *, now: datetime) -> Begun:
    """Send somebody to the platform. A server that gives clients is asked for one the first time.

    Raises NotPermitted, WrongState, NotConnected where the school has no client there, PlatformError, Throttled.
    """
    account = _connectable(home, actor, account_id)
    info = home.settings.platforms[account.platform]
    adapter = adapter_class(info)
    if waiting_ceremonies(home.db, CONNECT, now) >= MOST_WAITING:
        raise Throttled("Too many connections were begun and not finished.", "Try again in ten minutes.")
    server = adapter.server_of(info, account.handle)
    try:
        known = need_client(home, info, server, actor=actor_of(actor.id), now=now)
    except ConfigError as error:
        raise _no_client(account, info.name, error) from None
    endpoint = _endpoint(home, account, server, known)
    data = {"account": account.id, "server": server, "app": known.app_id}
    token = ceremonies.begin(home, CONNECT, data, now=now, staff_id=actor.id, lifetime=LIFETIME)
    with write(home.db) as db:
        _event(db, EventTag.CONNECTION_BEGUN, account, actor, now)
    attempt = Attempt.of(token)
    return Begun(endpoint.authorize_url(attempt.state, attempt.verifier, callback_of(home)), token)


def _connectable(home: Home, actor: Staff, account_id: int) -> Account:
    account = account_by_id(home.db, account_id)
    permissions.check_can_connect(actor, account)
    name = home.settings.platforms[account.platform].name
    if oauth_for(home, account) is None:
        raise WrongState(f"There is nothing to connect for {name} here.", "People look, and say what they saw.")
    if account.handle is None:
        raise WrongState(f"The account does not exist on {name} yet.", "Record its set-up first, then connect it.")
    if account.state not in CONNECTABLE or access_was_revoked(home.db, account):
        raise WrongState("This account is not connected any more.", "Open the account again to see where it stands.")
    return account


def _no_client(account: Account, name: str, error: ConfigError) -> NotConnected:
    """What is wrong names a file of this server: that is for its log, not for a page."""
    LOG.error("%s", error)
    return NotConnected(
        account.id,
        f"The school's client for {name} cannot be used.",
        "The network manager checks client_id and client_secret_file in school.toml.",
    )


def _endpoint(home: Home, account: Account, server: str, known: Known) -> Endpoint:
    from socialgov.platforms.oauth import Endpoint

    info = home.settings.platforms[account.platform]
    return Endpoint(info, adapter_class(info), server, known.client)


# --------------------------------------------------------------------------------------------------- finish


def finish(home: Home, actor: Staff, token: str | None, answer: Mapping[str, str], *, now: datetime) -> Account:
    """What the browser brings back from the platform, checked; the account connected.

    `token` is the browser's own, of `begin`. Raises CeremonyOver for what this person did not begin in this browser,
    else NotConnected with what went wrong and what mends it; then nothing is kept.
    """
    ceremony = _used_up(home, actor, token, answer, now)
    account = account_by_id(home.db, ceremony.data["account"])
    try:
        return _finish(home, actor, ceremony, account, token or "", answer, now)
    except SocialgovError as error:
        with write(home.db) as db:
            _event(db, EventTag.CONNECTION_REFUSED, account, actor, now, {"why": type(error).__name__})
        raise NotConnected(account.id, *_in_words(home, account, error)) from None


def _used_up(home: Home, actor: Staff, token: str | None, answer: Mapping[str, str], now: datetime) -> Ceremony:
    """The attempt of this browser and person. An answer to another attempt leaves it as it is (RFC 6749, 10.12)."""
    ceremony = ceremonies.look(home, CONNECT, token, now=now)
    state = answer.get("state", "").encode("utf-8", "replace")
    if ceremony.staff_id != actor.id or not hmac.compare_digest(state, Attempt.of(token or "").state.encode()):
        raise CeremonyOver
    with write(home.db) as db:
        return ceremonies.finish(db, CONNECT, token, now=now)


def _finish(
    home: Home, actor: Staff, ceremony: Ceremony, account: Account, token: str, answer: Mapping[str, str], now: datetime
) -> Account:
    _connectable(home, actor, account.id)
    info = home.settings.platforms[account.platform]
    code = answer.get("code", "")
    if answer.get("error") or not code:
        raise NotPermitted(f"{info.name} was not told that socialgov may do this.", "Connect it again and allow it.")
    server, app_id = ceremony.data["server"], ceremony.data["app"]
    if server != adapter_class(info).server_of(info, account.handle):
        raise Conflict("The account became another one meanwhile.", "Look at it, then connect it again.")
    known = Known(client_of(home, info, app_id), app_id)
    endpoint = _endpoint(home, account, server, known)
    try:
        tokens = endpoint.redeem(code, Attempt.of(token).verifier, callback_of(home), now)
    except ClientRefused:
        forget_client(home, app_id, now=now)
        raise
    try:
        profile = _whose(home, account, server, tokens, now)
        _check_same(home, account, profile)
        return _keep(home, actor, account, server, known, tokens, profile, now)
    except BaseException:
        take_back(endpoint, tokens)
        raise


def _whose(home: Home, account: Account, server: str, tokens: Tokens, now: datetime) -> Profile:
    """The account for which the platform gave the tokens, in its own words."""
    adapter: Platform = adapter_of(home, account, now=now, given=(server, _Fixed(tokens.access, account.platform)))
    return adapter.profile()


def _check_same(home: Home, account: Account, profile: Profile) -> None:
    """Raise NotPermitted unless it is this very account: by its lasting id; by its handle while we do not know that."""
    name = home.settings.platforms[account.platform].name
    if account.remote_id is not None:
        same = profile.remote_id == account.remote_id
    else:
        same = _folded(profile.handle) == _folded(account.handle or "")
    if not same:
        raise NotPermitted(
            f"You confirmed as {one_line(profile.handle)}, and this account is {account.handle}.",
            f"Sign out of {name} in this browser, sign in as {account.handle}, then connect it again.",
        )
    other = account_with_remote_id(home.db, account.platform, profile.remote_id, account.handle or "")
    if other is not None and other != account.id:
        raise NotPermitted(f"Another account here is this one on {name} already.", "Look it up in the register.")


def _folded(handle: str) -> str:
    return handle.removeprefix("@").casefold()


def _keep(
    home: Home,
    actor: Staff,
    asked_for: Account,
    server: str,
    known: Known,
    tokens: Tokens,
    profile: Profile,
    now: datetime,
) -> Account:
    """The connection on record in place of any before, whose tokens are erased."""
    with write(home.db) as db:
        account = _connectable(home, actor, asked_for.id)
        if (account.handle, account.remote_id) != (asked_for.handle, asked_for.remote_id):
            raise Conflict("The account became another one meanwhile.", "Look at it, then connect it again.")
        if (before := store.connection_of(db, account.id)) is not None:
            store.end_connection(db, before.id, now)
        connection_id = store.insert_connection(
            db, account_id=account.id, server=server, remote_id=profile.remote_id, handle=one_line(profile.handle),
            scopes=tokens.scopes, token_hash=token_hash(tokens.access), token_until=tokens.until,
            connected_by=actor.id, app_id=known.app_id, now=now,
        )  # fmt: skip
        store.keep_tokens(db, connection_id, seal_tokens(home, connection_id, account.id, tokens))
        soon = {"check_due_at": now} if account.state in WATCHED_STATES else {}
        guarded_update(db, "account", account.id, {"remote_id": profile.remote_id, **soon})
        _event(db, EventTag.CONNECTION_MADE, account, actor, now, {"scopes": list(tokens.scopes)}, connection_id)
        record_observation(db, account_id=account.id, fact=Fact.OUR_ACCESS, value=True, now=now, source=Source.API)
        answered(db, account.id, "connection_lost", now)
        evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
        return account_by_id(db, account.id)


def _in_words(home: Home, account: Account, error: SocialgovError) -> tuple[str, str]:
    name = home.settings.platforms[account.platform].name
    if isinstance(error, GrantRefused):
        return f"{name} did not take what it sent you back with: it is good once and for a short while.", "Try again."
    if isinstance(error, ConfigError):
        no_client = _no_client(account, name, error)
        return no_client.message, no_client.mend
    return error.message, error.mend


# --------------------------------------------------------------------------------------------------- end


def disconnect(home: Home, actor: Staff, account_id: int, *, now: datetime) -> bool:
    """End the connection, there and here; people go on with everything. Nothing that is on record is lost.

    False: the platform did not say that our access is over, so somebody takes it away there. What opened it is erased
    here all the same. Raises NotPermitted, WrongState where nothing is connected.
    """
    account = account_by_id(home.db, account_id)
    permissions.check_can_connect(actor, account)
    connection = store.connection_of(home.db, account_id)
    if connection is None:
        raise WrongState("This account is not connected.", "Open the account again to see where it stands.")
    told = True
    if connection.works:
        try:
            OwnAccess(home, account, connection.id, now, actor=actor_of(actor.id)).revoke()
        except PlatformError:
            told = False
    with write(home.db) as db:
        _end_here(home, db, actor, account, connection, now)
    return told


def _end_here(home: Home, db: Database, actor: Staff, account: Account, before: Connection, now: datetime) -> None:
    current = store.connection_of(db, account.id)
    if current is not None and current.id == before.id:
        store.end_connection(db, before.id, now)
        _event(db, EventTag.CONNECTION_ENDED, account, actor, now, connection_id=before.id)
    name = home.settings.platforms[account.platform].name
    text = (
        f"{account.name} was disconnected from {name} by {actor.name}. What the machine read there until now, "
        "people look at and say themselves, unless somebody connects it again."
    )
    tell_connectors(db, account, "connection_ended", before.id, text, now, but=actor.id)
    # not False: the school wants it so, and OVS801 is about a key that somebody took from us
    record_observation(db, account_id=account.id, fact=Fact.OUR_ACCESS, value=None, now=now, source=Source.API)
    answered(db, account.id, "connection_lost", now)
    evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))


def _event(
    db: Database,
    tag: EventTag,
    account: Account,
    actor: Staff,
    now: datetime,
    data: Mapping[str, object] | None = None,
    connection_id: int | None = None,
) -> None:
    record_event(
        db, tag, actor=actor_of(actor.id), now=now, subject="connection", subject_id=connection_id,
        account_id=account.id, data=data,
    )  # fmt: skip
