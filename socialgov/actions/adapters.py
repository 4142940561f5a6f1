"""The one place where an action gets an account's adapter, and hears what the machine can do for that account.

What an adapter declares is not enough: an account may not be connected (OAuth 2), and a platform may not offer all of
it to this school. Whatever is not here is a guided task for a person, so nothing stands still for want of a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov import platforms
from socialgov.store.connections import capabilities_off, connection_of

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, Capability
    from socialgov.platforms import Login, Platform


def capabilities_of(home: Home, account: Account) -> frozenset[Capability]:
    """What the machine can do for this account now."""
    info = home.settings.platforms[account.platform]
    if platforms.needs_connection(info):
        connection = connection_of(home.db, account.id)
        if connection is None or not connection.works:
            return frozenset()
    return platforms.capabilities(info) - capabilities_off(home.db, account.id)


def adapter_of(home: Home, account: Account, login: Login | None = None, *, now: datetime) -> Platform:
    """An adapter for one account, for one job: with its access, and with its calls counted."""
    info = home.settings.platforms[account.platform]
    return platforms.connect(info, account, login, off=capabilities_off(home.db, account.id))
