"""What OAuth 2 gives and refuses, as actions see it. Light: no HTTP client is imported for a page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from socialgov.platforms.base import OAuth, Platform
from socialgov.platforms.refusals import PlatformError


class GrantRefused(PlatformError):
    """The platform does not take this code or this renewal token (any more): a person must confirm again."""

    def __init__(self, platform: str) -> None:
        super().__init__(f"{platform} does not let us in with this.", permanent=True, mend="Connect the account again.")


class ClientRefused(PlatformError):
    """The platform does not know the client: it is the set-up that is wrong, and no account's connection."""

    def __init__(self, platform: str) -> None:
        super().__init__(
            f"{platform} does not know the client that is set up here.",
            permanent=True,
            mend="The network manager checks client_id and client_secret_file of this platform in school.toml.",
        )


@dataclass(frozen=True, slots=True)
class Client:
    """What the platform knows this product by. A public client has no secret."""

    client_id: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a grant gives. `refresh` "": it cannot be renewed; `until` None: it does not run out."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    until: datetime | None
    scopes: tuple[str, ...]

    def dump(self) -> bytes:
        """For sealing: the two secrets and nothing else."""
        return json.dumps({"access": self.access, "refresh": self.refresh}).encode()


def oauth_of(adapter: type[Platform]) -> OAuth | None:
    """How accounts of this adapter are connected; None where they are not."""
    return adapter.oauth if adapter.needs_connection else None
