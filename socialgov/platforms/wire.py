"""HTTP as the adapters use it: bounded in time and size, and every failure a PlatformError with its meaning.

A message names the platform and what happened, never a header, a body or an address: those may hold a secret. For the
same reason an httpx error is not chained (`from None`): it carries the request that failed, password included.
"""

from __future__ import annotations

import json
import ssl
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from socialgov.addresses import is_loopback, is_private
from socialgov.models import PlatformInfo
from socialgov.platforms.base import PaymentNeeded, PlatformError, Unreachable
from socialgov.platforms.counting import count_request
from socialgov.platforms.hurry import time_is_over
from socialgov.platforms.patience import Patience

TIMEOUT = httpx.Timeout(connect=5, read=15, write=15, pool=5)
HEAD_SECONDS = 25  # so long for the head of an answer, and then
BODY_SECONDS = 30  # so long for its body: what drips in for longer is given up
JSON_BYTES = 5_000_000
MOST_REDIRECTS = 3

# The request did not leave this machine, so it cannot have had an effect.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not a failure of transport: 2xx or 4xx."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    sent_at: datetime | None  # the platform's own clock (RFC 9110, 6.6.1)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def error_name(self) -> str:
        """The `error` word of a JSON refusal, or an empty string. For comparing, never for showing."""
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError):
            return ""
        name = body.get("error") if isinstance(body, dict) else None
        return name if isinstance(name, str) else ""


class Wire:
    """One platform's API for one job. Keeps its connection; closes it when it is dropped."""

    def __init__(self, info: PlatformInfo, *, transport: httpx.BaseTransport | None = None) -> None:
        self.name = info.name
        self.base = _checked_base(info)
        loopback = is_loopback(urlsplit(self.base).hostname or "")
        self._client = httpx.Client(
            transport=transport,
            timeout=TIMEOUT,
            verify=_tls(),
            trust_env=not loopback,  # a school's proxy is not the way to this machine
            headers={"User-Agent": "socialgov", "Accept-Encoding": "identity"},
        )
        self._patience = Patience(HEAD_SECONDS)
        weakref.finalize(self, self._client.close)

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, *, token: str = "", limit: int = JSON_BYTES
    ) -> Reply:
        """Read. Redirects are followed only when nothing secret travels along."""
        return self._followed(self.base + path, params, token, limit)

    def fetch(self, url: str, *, limit: int) -> Reply:
        """What is at an address that the platform named, a picture for example: asked for without any token, and only
        from the platform's own server or from a public one by https.
        """
        reply = Reply(302, {"location": url}, b"", None)
        return self._followed(self._next_hop(self.base, reply, ""), None, "", limit)

    def _followed(self, url: str, params: Mapping[str, Any] | None, token: str, limit: int) -> Reply:
        for _ in range(MOST_REDIRECTS + 1):
            reply = self._send("GET", url, params=params, token=token, limit=limit, effect=False)
            if not 300 <= reply.status < 400:
                return reply
            url, params = self._next_hop(url, reply, token), None
        raise self.broken("sends us round in circles")

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        content: bytes | None = None,
        mime: str = "",
        token: str = "",
        effect: bool = True,
        method: str = "POST",
    ) -> Reply:
        """Change something. `effect` False: repeating it does no harm, so a lost answer is only a failure."""
        reply = self._send(
            method,
            self.base + path,
            body=body,
            content=content,
            mime=mime,
            token=token,
            limit=JSON_BYTES,
            effect=effect,
        )
        if 300 <= reply.status < 400:
            raise PlatformError(f"{self.name} answered with a redirect.", permanent=True, mend=_CHECK_ADDRESS)
        return reply

    def raw(
        self, method: str, target: str, *, headers: Mapping[str, str], content: bytes | None, limit: int = JSON_BYTES
    ) -> Reply:
        """One request as a library made it (platforms/bridge.py): every answer as it is, whatever its status.

        `target` is path and query below the platform's address. A redirect is never followed: a token travels along.
        """
        url, effect = self.base + target, method != "GET"
        reply = self._send(method, url, headers=headers, content=content, limit=limit, effect=effect, judge=False)
        if 300 <= reply.status < 400:
            raise PlatformError(f"{self.name} answered with a redirect.", permanent=True, mend=_CHECK_ADDRESS)
        return reply

    def judge(self, reply: Reply, *, effect: bool = False) -> Reply:
        """The reply, unless its status alone says that nothing was done (402, 429) or that it is broken (5xx)."""
        self._check_status(reply.status, httpx.Headers(reply.headers), effect)
        return reply

    def json(self, reply: Reply, *, effect: bool = False) -> dict[str, Any]:
        """The reply's JSON object. Anything else (HTML, a list, a cut body) raises PlatformError."""
        try:
            body = json.loads(reply.content)
            if b"\\ud" in reply.content or b"\\uD" in reply.content:
                # halves of characters no file can keep: one in a stranger's name would blind every check
                whole = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
                body = json.loads(whole)
        except (ValueError, RecursionError):
            raise self.broken("did not answer in JSON", effect=effect) from None
        if not isinstance(body, dict):
            raise self.broken("answered with something else than a JSON object", effect=effect)
        return body

    def broken(self, what: str, *, effect: bool = False) -> PlatformError:
        """An answer that makes no sense: perhaps a proxy's page, perhaps gone tomorrow."""
        return PlatformError(f"{self.name} {what}.", permanent=False, mend=_LATER, outcome_unknown=effect)

    def _send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        mime: str = "",
        token: str = "",
        headers: Mapping[str, str] | None = None,
        limit: int,
        effect: bool,
        judge: bool = True,
    ) -> Reply:
        if not (token.isascii() and token.isprintable()):
            raise self.broken("gave us a token that cannot be sent")
        if time_is_over():
            raise Unreachable(self.name, "takes too long to answer")
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if content is not None and mime:
            sent["Content-Type"] = mime
        more = {"trace": self._patience}
        count_request()
        try:
            with self._client.stream(
                method, url, params=params, json=body, content=content, headers=sent, extensions=more
            ) as response:
                if judge:
                    self._check_status(response.status_code, response.headers, effect)
                read = self._read(response, limit, effect)
                return Reply(response.status_code, dict(response.headers), read, _moment(response.headers.get("date")))
        except _NOT_SENT:
            raise Unreachable(self.name) from None
        except httpx.TimeoutException:
            raise self.broken("did not answer in time", effect=effect) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            raise PlatformError(f"{self.name} cannot be asked.", permanent=True, mend=_CHECK_ADDRESS) from None
        except (httpx.HTTPError, httpx.StreamError, OSError):
            raise self.broken("broke off in the middle", effect=effect) from None

    def _check_status(self, status: int, headers: httpx.Headers, effect: bool) -> None:
        if status == 402:
            raise PaymentNeeded(self.name)
        if status == 429:
            raise PlatformError(
                f"{self.name} asks us to slow down.",
                permanent=False,
                mend=_LATER,
                retry_at=_retry_at(headers),
            )
        if status >= 500 or status < 200:
            raise self.broken(f"has a fault of its own ({status})", effect=effect)

    def _read(self, response: httpx.Response, limit: int, effect: bool) -> bytes:
        """The body, given up when it is too long, too slow or packed in a way we did not ask for."""
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self.broken("answered in an encoding that was not asked for", effect=effect)
        until = time.monotonic() + BODY_SECONDS
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            size += len(part)
            if size > limit:
                raise PlatformError(
                    f"{self.name} answered with more than {limit:,} bytes.", permanent=True, outcome_unknown=effect
                )
            if time.monotonic() > until:
                raise self.broken("answers too slowly", effect=effect)
            parts.append(part)
        return b"".join(parts)

    def _next_hop(self, url: str, reply: Reply, token: str) -> str:
        try:
            hop = httpx.URL(url).join(reply.headers["location"])
        except (KeyError, httpx.InvalidURL, ValueError):  # nowhere is not this same place with nothing asked
            raise self.broken("redirects to nowhere") from None
        same = (hop.scheme, hop.host, hop.port) == (httpx.URL(url).scheme, httpx.URL(url).host, httpx.URL(url).port)
        if token or not (same or (hop.scheme == "https" and not is_private(hop.host))):
            raise PlatformError(f"{self.name} redirects to a place we do not go.", permanent=True, mend=_CHECK_ADDRESS)
        return str(hop)


_LATER = "It is tried again later."
_CHECK_ADDRESS = "Check api_base of this platform in school.toml."


def _checked_base(info: PlatformInfo) -> str:
    """The configured address without its last slash: https, or http on this machine only (a password travels)."""
    base = (info.api_base or "").rstrip("/")
    parts = urlsplit(base)
    if not base:
        raise PlatformError(
            f"No address is set for {info.name}.",
            permanent=True,
            mend=f"Set api_base under [platforms.{info.key}] in school.toml.",
        )
    if parts.scheme == "https" and parts.hostname:
        return base
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return base
    raise PlatformError(f"The address of {info.name} is not an https address.", permanent=True, mend=_CHECK_ADDRESS)


def _moment(text: str | None) -> datetime | None:
    """An HTTP date as an aware UTC moment; None when it is missing or nonsense."""
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _retry_at(headers: httpx.Headers) -> datetime | None:
    """When a 429 ends: `ratelimit-reset` (seconds since 1970, Bluesky; `x-rate-limit-reset` on X), a moment in ISO
    8601 as `x-ratelimit-reset` (Mastodon), or `retry-after` (RFC 9110); None if unsaid.
    """
    reset = headers.get("ratelimit-reset", "") or headers.get("x-rate-limit-reset", "")
    after, told = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    try:
        if reset.isascii() and reset.isdigit():
            return datetime.fromtimestamp(int(reset), UTC)
        if after.isascii() and after.isdigit():
            sent = _moment(headers.get("date"))
            return None if sent is None else sent + timedelta(seconds=int(after))
        if told:
            until = datetime.fromisoformat(told)
            return until.replace(tzinfo=UTC) if until.tzinfo is None else until.astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return _moment(after)


@cache
def _tls() -> ssl.SSLContext:
    """One for the process: reading the certificate store takes 20 ms."""
    return httpx.create_ssl_context()
