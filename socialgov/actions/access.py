"""A connected account's token, as an adapter gets it (platforms/base.py `Access`): opened when needed, renewed once.

Tokens of X can be renewed one time only, so two jobs that renew at once would lose the account. Whoever renews has a
claim in the database; the other waits and takes what the first one got. No transaction is open while the platform is
asked. An answer that was lost is asked for once more with the old token; refused then, somebody connects the account
again: a task, never a lost account (docs/decisions/0019-connections.md).
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.actions.clients import client_of
from socialgov.actions.notices import notify
from socialgov.errors import ConfigError, Conflict, EscrowError, StoreError
from socialgov.models import Fact, Role, Source
from socialgov.platforms import LoginRefused, PlatformError, adapter_class
from socialgov.platforms.grants import GrantRefused, Tokens
from socialgov.store import connections as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.events import EventTag, record_event
from socialgov.store.staff import staff_with_role

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Connection
    from socialgov.platforms.oauth import Endpoint

JOB = "job:access"
FIELD = "connection"
EARLY = timedelta(minutes=5)  # a token is renewed before it runs out, so that no job starts with one that is about to
CLAIM = timedelta(minutes=2)  # longer than the wire waits for an answer and its body, twice
WAIT_SECONDS = 20.0
LOOK_SECONDS = 0.05
_LATER = "It is tried again later."


def seal_tokens(home: Home, connection_id: int, account_id: int, tokens: Tokens) -> bytes:
    return home.escrow.seal(tokens.dump(), account=str(account_id), field="connection", version=connection_id)


def take_back(endpoint: Endpoint, tokens: Tokens) -> None:
    """Nobody has these tokens on record, so nobody shall be able to use them."""
    for token, hint in ((tokens.refresh, "refresh_token"), (tokens.access, "access_token")):
        with suppress(PlatformError):
            endpoint.revoke(token, hint)


def token_hash(token: str) -> str:
    """What tells one token from another without opening it."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Opened:
    connection: Connection
    access: str = field(repr=False)
    refresh: str = field(repr=False)


class OwnAccess:
    """The token of one account's connection in force, for one job that began at `now`."""

    def __init__(self, home: Home, account: Account, connection_id: int, now: datetime, *, actor: str = JOB) -> None:
        self._home, self._account, self._id, self._actor = home, account, connection_id, actor
        self._began, self._ticked = now, time.monotonic()
        self._held: str = ""
        self._made: set[str] = set()  # hashes of tokens that were renewed for this job

    def __repr__(self) -> str:
        return f"OwnAccess(account {self._account.id})"

    def token(self) -> str:
        """One that should be good now."""
        if not self._held:
            self._note_use()
        opened, now = self._open(), self._now()
        until = opened.connection.token_until
        if until is None or not opened.refresh or now < until - EARLY:
            self._held = opened.access
        else:
            self._held = self._renewed_early(opened, until, now)
        return self._held

    def renew(self, refused: str) -> str:
        """Another one after `refused` was refused. One that was made for this job and is refused too is the end."""
        if token_hash(refused) in self._made:
            opened = self._open()
            if opened.access == refused:
                raise self._lose(opened, "refused")
            return opened.access
        self._held = self._renew(refused)
        return self._held

    def revoke(self) -> None:
        """End it on the platform, then here. Raises PlatformError while the platform has not said that it is over."""
        try:
            opened = self._open()
        except LoginRefused:  # nothing is left that could be revoked
            self._end()
            return
        self._note_use()
        endpoint = self._endpoint(opened.connection)
        endpoint.revoke(opened.refresh, "refresh_token")
        endpoint.revoke(opened.access, "access_token")
        self._end()

    # ------------------------------------------------------------------------------------------------ within

    def _now(self) -> datetime:
        """The job's moment and the time since: a job may last longer than a token."""
        return self._began + timedelta(seconds=time.monotonic() - self._ticked)

    def _open(self) -> _Opened:
        """The tokens as they are now: another job may have renewed them. Raises LoginRefused where there are none."""
        found = store.sealed_tokens(self._home.db, self._account.id)
        if found is None or found[0].id != self._id or not found[0].works:
            raise refused(self._home, self._account)
        connection, sealed = found
        try:
            content = self._home.escrow.open(sealed, account=str(self._account.id), field=FIELD, version=self._id)
        except EscrowError:
            raise PlatformError(
                "Our key for this account does not open just now.", permanent=False, mend=_LATER
            ) from None
        told = json.loads(content)
        return _Opened(connection, told["access"], told["refresh"])

    def _renewed_early(self, opened: _Opened, until: datetime, now: datetime) -> str:
        """Renewed before its time is over; while that fails only for now, the old one is used up."""
        try:
            return self._renew(opened.access)
        except LoginRefused:
            raise
        except PlatformError:
            if now >= until:
                raise
            return opened.access

    def _renew(self, refused_token: str) -> str:
        """A token other than this one: the one that another job got meanwhile, or renewed now, by one job at a time."""
        give_up = time.monotonic() + WAIT_SECONDS
        while True:
            opened = self._open()
            if opened.access != refused_token:
                return opened.access
            if not opened.refresh:
                raise self._lose(opened, "refused")
            until = self._now() + CLAIM
            with write(self._home.db) as db:
                ours = store.claim(db, self._id, until=until, now=self._now())
            if ours:
                # whoever had the claim may have finished between our look and our claim
                opened = self._open()
                if opened.access != refused_token:
                    self._release(until)
                    return opened.access
                return self._renew_claimed(opened, until)
            if time.monotonic() > give_up:
                raise PlatformError(
                    "Another job is renewing our key for this account.",
                    permanent=False,
                    mend="It is tried again later.",
                )
            threading.Event().wait(LOOK_SECONDS)

    def _renew_claimed(self, opened: _Opened, until: datetime) -> str:
        try:
            tokens = self._ask_for_next(opened)
        except GrantRefused:
            raise self._lose(opened, "refused") from None
        except BaseException:
            self._release(until)
            raise
        try:
            self._keep_or_again(opened, tokens)
        except LoginRefused:
            if store.connection_of(self._home.db, self._account.id) is None:  # somebody disconnected meanwhile
                take_back(self._endpoint(opened.connection), tokens)
            raise
        self._made.add(token_hash(tokens.access))
        return tokens.access

    def _keep_or_again(self, opened: _Opened, tokens: Tokens) -> None:
        try:
            self._keep(opened, tokens)
        except StoreError:  # the database was busy, or the school's key was changed: the old token is used up already
            self._home.refresh()
            self._keep(opened, tokens)

    def _keep(self, opened: _Opened, tokens: Tokens) -> None:
        with write(self._home.db) as db:
            sealed = seal_tokens(self._home, self._id, self._account.id, tokens)
            try:
                store.replace_tokens(
                    db, self._id, sealed, token_hash=token_hash(tokens.access), before=token_hash(opened.access),
                    token_until=tokens.until, scopes=tokens.scopes, now=self._now(),
                )  # fmt: skip
            except Conflict:  # it was ended, or connected anew, while the platform was asked
                raise refused(self._home, self._account) from None

    def _ask_for_next(self, opened: _Opened) -> Tokens:
        """Ask once more where the answer was lost: some platforms give it again. Raises PlatformError."""
        endpoint = self._endpoint(opened.connection)
        try:
            return endpoint.renew(opened.refresh, opened.connection.scopes, self._now())
        except PlatformError as error:
            if not error.outcome_unknown:
                raise
        return endpoint.renew(opened.refresh, opened.connection.scopes, self._now())

    def _endpoint(self, connection: Connection) -> Endpoint:
        from socialgov.platforms.oauth import Endpoint

        info = self._home.settings.platforms[self._account.platform]
        try:
            client = client_of(self._home, info, connection.app_id)
        except (ConfigError, EscrowError):  # names a file of this server: for its log, not for a page
            raise PlatformError(
                f"The client for {info.name} cannot be read.",
                permanent=False,
                mend="The network manager checks client_secret_file in school.toml.",
            ) from None
        return Endpoint(info, adapter_class(info), connection.server, client)

    def _release(self, until: datetime) -> None:
        with write(self._home.db) as db:
            store.release(db, self._id, until=until)

    def _lose(self, opened: _Opened, why: str) -> LoginRefused:
        """Put on record that the platform refuses us, and tell those who can connect it again. Returns the error."""
        now = self._now()
        with write(self._home.db) as db:
            try:
                store.lose_connection(db, self._id, why, token_hash=token_hash(opened.access), now=now)
            except Conflict:  # somebody ended it or connected it anew: nothing is lost
                return refused(self._home, self._account)
            tell_lost(self._home, db, account_by_id(db, self._account.id), self._id, why, now)
        return refused(self._home, self._account)

    def _note_use(self) -> None:
        with write(self._home.db) as db:
            record_event(
                db, EventTag.CREDENTIAL_MACHINE_USE, actor=self._actor, now=self._now(), subject="connection",
                subject_id=self._id, account_id=self._account.id, data={"purpose": "connection"},
            )  # fmt: skip

    def _end(self) -> None:
        with write(self._home.db) as db:
            try:
                store.end_connection(db, self._id, self._now())
            except Conflict:
                return
            record_event(
                db, EventTag.CONNECTION_ENDED, actor=self._actor, now=self._now(), subject="connection",
                subject_id=self._id, account_id=self._account.id,
            )  # fmt: skip


class BorrowedAccess:
    """Another connected account's token, for looking only: whether an account is there is no secret of its own."""

    def __init__(self, own: OwnAccess, platform: str) -> None:
        self._own, self._platform = own, platform

    def token(self) -> str:
        """Raises PlatformError for now: that account's keepers are told, and the next look borrows of another."""
        return self._lent(self._own.token)

    def renew(self, refused: str) -> str:
        return self._lent(lambda: self._own.renew(refused))

    def revoke(self) -> None:
        """It is not ours to end."""
        raise PlatformError(f"Nothing on {self._platform} is revoked with a borrowed key.", permanent=True)

    def _lent(self, ask: Callable[[], str]) -> str:
        try:
            return ask()
        except LoginRefused:
            raise PlatformError(
                f"{self._platform} could not be looked at with another account's key.", permanent=False
            ) from None


class AppToken:
    """The school's own token, of no account, for looks ([platforms.x] app_token_file)."""

    def __init__(self, token: str, platform: str) -> None:
        self._token, self._platform = token, platform

    def __repr__(self) -> str:
        return "AppToken()"

    def token(self) -> str:
        return self._token

    def renew(self, refused: str) -> str:
        """It cannot be renewed from here."""
        raise PlatformError(
            f"{self._platform} does not accept the school's own token.",
            permanent=True,
            mend="The network manager writes a new one into app_token_file.",
        )

    def revoke(self) -> None:
        """It is not ours to end."""
        raise PlatformError(f"Nothing on {self._platform} is revoked with the school's own token.", permanent=True)


def refused(home: Home, account: Account) -> LoginRefused:
    """What an adapter hears where the account must be connected anew."""
    name = home.settings.platforms[account.platform].name
    return LoginRefused(
        f"{name} does not let socialgov into this account any more.",
        "Connect the account again on its page.",
        of_token=True,
    )


def lose_if_refused(home: Home, account_id: int, *, now: datetime) -> None:
    """An adapter was refused with a token that nothing was said about here: the platform lets us do less than before.

    A token that was renewed a moment ago may not be the one that was refused: then the next call tells.
    """
    with write(home.db) as db:
        connection = store.connection_of(db, account_id)
        if connection is None or not connection.works:
            return
        if connection.renewed_at is not None and now < connection.renewed_at + EARLY:
            return
        before = store.token_hash_of(db, connection.id)
        store.lose_connection(db, connection.id, "refused", token_hash=before, now=now)
        tell_lost(home, db, account_by_id(db, account_id), connection.id, "refused", now)


def tell_connectors(
    db: Database, account: Account, kind: str, connection_id: int, text: str, now: datetime, *, but: int | None = None
) -> None:
    """A notice to those who can connect the account: its keepers and the network managers, `but` whom it is from."""
    managers = {one.id for one in staff_with_role(db, Role.NETWORK_MANAGER)}
    for staff_id in sorted({account.owner_id, account.deputy_id} | managers):
        if staff_id != but:
            key = f"{kind}:{connection_id}"
            notify(db, staff_id=staff_id, kind=kind, text=text, dedupe_key=key, now=now, account_id=account.id)


def tell_lost(home: Home, db: Database, account: Account, connection_id: int, why: str, now: datetime) -> None:
    """Event, fact, and notices to those who can connect it again; inside `write()`. Until then people do all."""
    # those two get adapters, and so import this
    from socialgov.actions.findings import evaluate_account
    from socialgov.actions.observing import record_observation

    name = home.settings.platforms[account.platform].name
    record_event(
        db, EventTag.CONNECTION_LOST, actor=JOB, now=now, subject="connection", subject_id=connection_id,
        account_id=account.id, data={"why": why},
    )  # fmt: skip
    text = (
        f"Connect the account {account.name} with {name} again. {name} does not let socialgov in any more,"
        " so nothing there is checked by machine. The account itself is not touched."
    )
    tell_connectors(db, account, "connection_lost", connection_id, text, now)
    record_observation(db, account_id=account.id, fact=Fact.OUR_ACCESS, value=False, now=now, source=Source.API)
    evaluate_account(home, account.id, now=now, actor=JOB)
