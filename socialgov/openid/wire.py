"""HTTP to the sign-in service, bounded in time and size: a service that is down or strange must not take us along.

A redirect is never followed: each address stands in the provider's own description. Errors carry neither address nor
body, and are not chained (`from None`): a request holds the client's secret or somebody's code.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from socialgov.addresses import is_loopback
from socialgov.config_signin import is_safe_address
from socialgov.openid.refusals import Reason, SignInRefused

if TYPE_CHECKING:
    import httpx
    from authlib.oauth2.auth import ClientAuth

CONNECT_SECONDS, READ_SECONDS = 4, 6
WHOLE_SECONDS = 10  # a body that drips in for longer is given up
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON object; what Authlib needs of a response."""

    status_code: int
    body: Mapping[str, Any]

    def json(self) -> dict[str, Any]:
        return dict(self.body)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise SignInRefused(Reason.PROVIDER_BROKEN)


class Wire:
    """The session that Authlib's client sends its requests through, and ours for the two documents we read."""

    def get(self, url: str, *, bearer: str = "") -> Answer:
        """Read a JSON object. Raises SignInRefused."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self._send("GET", url, headers, "")

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth) -> Answer:
        """A form, with the client's own credentials added by `auth`. Raises SignInRefused."""
        url, signed, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return self._send("POST", url, signed, body)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: str) -> Answer:
        import httpx

        if not is_safe_address(url):
            raise SignInRefused(Reason.PROVIDER_BROKEN)
        here = is_loopback(urlsplit(url).hostname or "")  # a school's proxy is not the way to this machine
        waits = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        try:
            with (
                httpx.Client(timeout=waits, trust_env=not here) as client,
                client.stream(method, url, headers={**headers, **_ASKED}, content=body.encode() or None) as response,
            ):
                return Answer(response.status_code, _json(_read(response)))
        except httpx.TransportError:
            raise SignInRefused(Reason.PROVIDER_UNREACHABLE) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, OSError):
            raise SignInRefused(Reason.PROVIDER_BROKEN) from None


_ASKED = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "socialgov"}


def _read(response: httpx.Response) -> bytes:
    """The body, given up when it is too long, too slow, or packed in a way we did not ask for."""
    if response.headers.get("content-encoding", "identity") != "identity" or 300 <= response.status_code < 400:
        raise SignInRefused(Reason.PROVIDER_BROKEN)
    until, parts, size = time.monotonic() + WHOLE_SECONDS, [], 0
    for part in response.iter_bytes():
        size += len(part)
        parts.append(part)
        if size > MOST_BYTES:
            raise SignInRefused(Reason.PROVIDER_BROKEN)
        if time.monotonic() > until:
            raise SignInRefused(Reason.PROVIDER_UNREACHABLE)
    return b"".join(parts)


def _json(content: bytes) -> dict[str, Any]:
    """A JSON object; HTML, a list or half an answer is refused."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise SignInRefused(Reason.PROVIDER_BROKEN) from None
    if not isinstance(body, dict):
        raise SignInRefused(Reason.PROVIDER_BROKEN)
    return body
