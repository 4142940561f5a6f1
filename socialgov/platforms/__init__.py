"""Adapters by name. config/platforms.toml names the adapter of each platform; nothing else chooses."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from socialgov.platforms.base import (
    CannotDo,
    Login,
    LoginRefused,
    Picture,
    Platform,
    PlatformError,
    Profile,
    RemoteFollower,
    RemotePost,
)

if TYPE_CHECKING:
    from socialgov.models import Account, Capability, PlatformInfo

__all__ = [
    "ADAPTERS",
    "CannotDo",
    "Login",
    "LoginRefused",
    "Picture",
    "Platform",
    "PlatformError",
    "Profile",
    "RemoteFollower",
    "RemotePost",
    "adapter_class",
    "capabilities",
    "connect",
    "needs_password",
]

# adapter name → module and class; imported when first used, so that a page needs no HTTP client
ADAPTERS = {
    "attested": ("socialgov.platforms.attested", "AttestedPlatform"),
    "bluesky": ("socialgov.platforms.bluesky", "BlueskyPlatform"),
    "sandbox": ("socialgov.platforms.sandbox", "SandboxPlatform"),
}


def adapter_class(info: PlatformInfo) -> type[Platform]:
    module, name = ADAPTERS[info.adapter]
    return getattr(import_module(module), name)  # type: ignore[no-any-return]


def capabilities(info: PlatformInfo) -> frozenset[Capability]:
    """What the platform's adapter can do by itself."""
    return adapter_class(info).capabilities


def needs_password(info: PlatformInfo) -> frozenset[Capability]:
    """What of that the platform does for the account's password only: a network manager opens the vault for it."""
    return adapter_class(info).needs_password


def connect(info: PlatformInfo, account: Account, login: Login | None = None) -> Platform:
    """An adapter for one account, for one job."""
    return adapter_class(info)(info, handle=account.handle, remote_id=account.remote_id, login=login)
