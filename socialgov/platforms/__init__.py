"""Adapters by name. config/platforms.toml names the adapter of each platform; nothing else chooses."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from socialgov.platforms.base import (
    Access,
    BudgetUsedUp,
    CannotDo,
    Counts,
    Login,
    LoginRefused,
    Meter,
    NotOffered,
    NotReady,
    OAuth,
    PaymentNeeded,
    Picture,
    Platform,
    PlatformError,
    Profile,
    RemoteFollower,
    RemotePost,
    Unreachable,
)

if TYPE_CHECKING:
    from socialgov.models import Account, Capability, PlatformInfo

__all__ = [
    "ADAPTERS",
    "Access",
    "BudgetUsedUp",
    "CannotDo",
    "Counts",
    "Login",
    "LoginRefused",
    "Meter",
    "NotOffered",
    "NotReady",
    "OAuth",
    "PaymentNeeded",
    "Picture",
    "Platform",
    "PlatformError",
    "Profile",
    "RemoteFollower",
    "RemotePost",
    "Unreachable",
    "adapter_class",
    "capabilities",
    "connect",
    "needs_password",
    "wants_client",
]

# adapter name → module and class; imported when first used, so that a page needs no HTTP client
ADAPTERS = {
    "attested": ("socialgov.platforms.attested", "AttestedPlatform"),
    "bluesky": ("socialgov.platforms.bluesky", "BlueskyPlatform"),
    "mastodon": ("socialgov.platforms.mastodon", "MastodonPlatform"),
    "sandbox": ("socialgov.platforms.sandbox", "SandboxPlatform"),
    "x": ("socialgov.platforms.x", "XPlatform"),
}


def adapter_class(info: PlatformInfo) -> type[Platform]:
    """The platform's adapter; people do everything where it needs a client that the school has not registered."""
    found = _declared(info.adapter)
    return _declared("attested") if found.needs_client and info.client is None else found


def declared_capabilities(info: PlatformInfo) -> frozenset[Capability]:
    """What the platform's adapter could do once the school has a client and the account is connected."""
    return _declared(info.adapter).capabilities


def _declared(adapter: str) -> type[Platform]:
    module, name = ADAPTERS[adapter]
    return getattr(import_module(module), name)  # type: ignore[no-any-return]


def capabilities(info: PlatformInfo) -> frozenset[Capability]:
    """What the platform's adapter can do by itself, where the account is connected if it must be.

    For one account ask actions/adapters.py `capabilities_of`, which knows whether it is.
    """
    return adapter_class(info).offered(info)


def needs_password(info: PlatformInfo) -> frozenset[Capability]:
    """What of that the platform does for the account's password only: a network manager opens the vault for it."""
    return adapter_class(info).needs_password


def wants_client(info: PlatformInfo) -> bool:
    """Would accounts be connected there, if the school had registered a client with the platform?"""
    return _declared(info.adapter).needs_client and info.client is None


def needs_connection(info: PlatformInfo) -> bool:
    """Must a person connect an account (OAuth 2) before the adapter can do anything?"""
    return adapter_class(info).needs_connection


def connect(
    info: PlatformInfo,
    account: Account,
    login: Login | None = None,
    *,
    access: Access | None = None,
    meter: Meter | None = None,
    off: frozenset[Capability] = frozenset(),
) -> Platform:
    """An adapter for one account, for one job. Actions take theirs from actions/adapters.py."""
    return adapter_class(info)(
        info, handle=account.handle, remote_id=account.remote_id, login=login, access=access, meter=meter, off=off
    )
