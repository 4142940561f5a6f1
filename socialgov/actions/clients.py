"""What a platform knows this product by: the client that the school registered, or one that the server gave us.

Mastodon has thousands of servers, and each gives a client to whoever asks: we ask when the first account of a server
is connected. Its secret is sealed under the school's key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from socialgov.config_values import secret_line
from socialgov.errors import ConfigError
from socialgov.platforms import adapter_class
from socialgov.platforms.grants import Client
from socialgov.store import connections as store
from socialgov.store.connect import write
from socialgov.store.events import EventTag, record_event

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import PlatformApp, PlatformInfo

CALLBACK = "/connections/callback"  # registered with each platform: docs/how-to/connect-accounts.md
FIELD = "client"


def callback_of(home: Home) -> str:
    """The full address to which a platform sends people back."""
    return home.settings.base_url + CALLBACK


@dataclass(frozen=True, slots=True)
class Known:
    """A client, and the registration that it stands in; None: the school registered it by hand."""

    client: Client
    app_id: int | None = None


def client_of(home: Home, info: PlatformInfo, app_id: int | None) -> Client:
    """The client that a connection was made with. Raises ConfigError where its secret cannot be read."""
    app = store.app_by_id(home.db, app_id) if app_id is not None else None
    return _by_hand(info) if app is None else _opened(home, app)


def _by_hand(info: PlatformInfo) -> Client:
    if info.client is None:
        raise ConfigError(f"No client is known for {info.name}.", f"Set client_id under [platforms.{info.key}].")
    secret = secret_line(Path(info.client.secret_file), f"{info.name}'s client") if info.client.secret_file else ""
    return Client(info.client.client_id, secret)


def _opened(home: Home, app: PlatformApp) -> Client:
    sealed = store.sealed_client(home.db, app.id)
    if sealed is None:
        return Client(app.client_id)
    return Client(app.client_id, home.escrow.open(sealed, account="platform_app", field=FIELD, version=app.id).decode())


def need_client(home: Home, info: PlatformInfo, server: str, *, actor: str, now: datetime) -> Known:
    """The client for a new connection; a server that gives clients, and gave none for our address, is asked for one.

    Raises ConfigError where the school must register one, PlatformError where the server gives none.
    """
    from socialgov.platforms.oauth import register

    adapter = adapter_class(info)
    if info.client is not None or adapter.oauth is None or not adapter.oauth.register_path:
        return Known(_by_hand(info))
    redirect_uri, scopes = callback_of(home), adapter.oauth.scopes
    app = store.app_of(home.db, info.key, server)
    if app is not None and _fits(app, redirect_uri, scopes):
        return Known(_opened(home, app), app.id)
    client = register(info, adapter, server, redirect_uri, home.settings.base_url)
    with write(home.db) as db:
        if (before := store.app_of(db, info.key, server)) is not None:
            if _fits(before, redirect_uri, scopes):  # somebody else was faster
                return Known(_opened(home, before), before.id)
            store.end_app(db, before.id, now)
        app_id = store.insert_app(
            db, platform=info.key, server=server, client_id=client.client_id, redirect_uri=redirect_uri,
            scopes=scopes, now=now,
        )  # fmt: skip
        sealed = home.escrow.seal(client.secret.encode(), account="platform_app", field="client", version=app_id)
        store.keep_client(db, app_id, sealed)
        record_event(
            db, EventTag.SERVER_REGISTERED, actor=actor, now=now, subject="platform_app", subject_id=app_id,
            data={"platform": info.key},
        )  # fmt: skip
    return Known(client, app_id)


def forget_client(home: Home, app_id: int | None, *, now: datetime) -> None:
    """The server says that it does not know us: next time it is asked for another client."""
    if app_id is not None:
        with write(home.db) as db:
            store.end_app(db, app_id, now)


def _fits(app: PlatformApp, redirect_uri: str, scopes: tuple[str, ...]) -> bool:
    return (app.redirect_uri, set(app.scopes)) == (redirect_uri, set(scopes))
