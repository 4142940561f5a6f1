"""What somebody signs in with, and what of it can be asked for here: passkeys, authenticator app, identities."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from socialgov.store import factors
from socialgov.store.identities import current_identities

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.config import Settings
    from socialgov.home import Home
    from socialgov.store.factors import Authenticator, Passkey


@dataclass(frozen=True, slots=True)
class Ways:
    """What one person has. The authenticator is a confirmed one; `identities` counts those of the provider."""

    passkeys: tuple[Passkey, ...]
    authenticator: Authenticator | None
    identities: int

    @property
    def some(self) -> bool:
        return bool(self.passkeys or self.authenticator or self.identities)


@dataclass(frozen=True, slots=True)
class Usable:
    """Which of them can be asked for here and now."""

    passkey: bool
    code: bool
    openid: bool

    @property
    def factor(self) -> bool:
        """Something to ask for after a one-time link."""
        return self.passkey or self.code

    @property
    def some(self) -> bool:
        return self.factor or self.openid


def ways_of(db: Database, staff_id: int) -> Ways:
    app = factors.authenticator_of(db, staff_id)
    return Ways(
        tuple(factors.passkeys_of(db, staff_id)),
        app if app is not None and app.confirmed_at is not None else None,
        len(current_identities(db, staff_id)),
    )


def usable(home: Home, ways: Ways, *, for_vault: bool = False) -> Usable:
    """A passkey needs https or localhost, a code the school's consent, an identity a provider that asks again.

    Google does not (`step_up` in [signin.openid]): somebody who signs in there confirms with a passkey or a code.
    `for_vault`: a code counts only where passkeys cannot work (`codes_open_vault`).
    """
    openid, codes = home.settings.openid, home.settings.policy.authenticator_codes
    if for_vault:
        codes = codes and codes_open_vault(home.settings)
    return Usable(
        passkey=bool(ways.passkeys) and passkeys_work(home.settings),
        code=ways.authenticator is not None and codes,
        openid=bool(ways.identities) and openid is not None and openid.step_up,
    )


def codes_open_vault(settings: Settings) -> bool:
    """A code stands in for a passkey where there can be none, and for the invented people of a demonstration."""
    return settings.demonstration or not passkeys_work(settings)


def passkeys_work(settings: Settings) -> bool:
    """Browsers offer passkeys on https and on localhost, and never on a bare network address."""
    parts = urlsplit(settings.base_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")
    return False
