"""The access of a connected account, for an adapter that has no school behind it."""

from __future__ import annotations

from typing import NoReturn

from socialgov.platforms import LoginRefused, Platform
from socialgov.platforms.grants import Client, Tokens
from socialgov.platforms.oauth import Endpoint


class Given:
    """The tokens that the platform gave to `client` (platforms/base.py, `Access`).

    It is ended as the product ends it, by its own `Endpoint`, over the network that `adapter` has then: so whatever
    stands in front of the adapter stands in front of that too.
    """

    def __init__(self, adapter: Platform, tokens: Tokens, client: Client) -> None:
        self._adapter, self._tokens, self._client = adapter, tokens, client

    def token(self) -> str:
        return self._tokens.access

    def renew(self, refused: str) -> NoReturn:
        raise LoginRefused("The account must be connected again.", of_token=True)

    def revoke(self) -> None:
        kind, info = type(self._adapter), self._adapter.info
        over = type(kind.__name__, (kind,), {"transport": self._adapter.transport})  # type: ignore[attr-defined]
        endpoint = Endpoint(info, over, over.server_of(info, self._adapter.handle), self._client)
        endpoint.revoke(self._tokens.refresh, "refresh_token")
        endpoint.revoke(self._tokens.access, "access_token")
