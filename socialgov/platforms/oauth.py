"""OAuth 2 as a client: authorization code with PKCE, renewal, revocation (RFC 6749, 7636, 7009), by Authlib.

Every request goes out by platforms/wire.py, so that time, size and failures are those of every adapter, and tests
inject faults in the same place: the adapter's `transport`. Authlib is imported when first used. Nothing here knows the
school, its database or the clock; no error, repr or log holds a token, a code or a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from socialgov.platforms.base import Platform
from socialgov.platforms.grants import Client, ClientRefused, GrantRefused, Tokens
from socialgov.platforms.refusals import PlatformError
from socialgov.platforms.wire import Reply, Wire

if TYPE_CHECKING:
    from authlib.oauth2.auth import ClientAuth
    from authlib.oauth2.client import OAuth2Client

    from socialgov.models import PlatformInfo

_CLIENT_WRONG = frozenset({"invalid_client", "unauthorized_client"})
_LONGEST = 4_000  # letters of a token; longer ones are no tokens
_FORM = "application/x-www-form-urlencoded"


class Endpoint:
    """One server's addresses of OAuth 2, for one client. Made for one exchange."""

    def __init__(self, info: PlatformInfo, adapter: type[Platform], server: str, client: Client) -> None:
        if adapter.oauth is None:
            raise PlatformError(f"{info.name} has no accounts to connect.", permanent=True)
        self.info, self.oauth, self.server, self.client = replace(info, api_base=server), adapter.oauth, server, client
        self._session = _Session(wire_to(info, adapter, server), server)

    def authorize_url(self, state: str, verifier: str, redirect_uri: str) -> str:
        """Where the browser goes. `verifier` itself does not: only what proves it (S256)."""
        url, _ = self._authlib(redirect_uri, " ".join(self.oauth.scopes)).create_authorization_url(
            self.oauth.people_go_to(self.server), state=state, code_verifier=verifier
        )
        return str(url)

    def redeem(self, code: str, verifier: str, redirect_uri: str, now: datetime) -> Tokens:
        """Tokens for the code. Raises GrantRefused, ClientRefused, PlatformError (also where a scope is missing)."""
        told = self._ask(
            lambda: self._authlib(redirect_uri).fetch_token(self._token_url, code=code, code_verifier=verifier)
        )
        tokens = _tokens(self.info, told, now, before="", asked=self.oauth.scopes)
        if missing := set(self.oauth.scopes) - set(tokens.scopes):
            raise PlatformError(
                f"{self.info.name} did not grant everything: {', '.join(sorted(missing))} is missing.",
                permanent=True,
                mend="Connect it again and leave everything ticked.",
            )
        return tokens

    def renew(self, refresh: str, scopes: tuple[str, ...], now: datetime) -> Tokens:
        """The next tokens. Raises as `redeem`. Where the platform keeps the renewal token, so do we (RFC 6749, 6)."""
        told = self._ask(lambda: self._authlib().refresh_token(self._token_url, refresh_token=refresh))
        return _tokens(self.info, told, now, before=refresh, asked=scopes)

    def revoke(self, token: str, hint: str) -> None:
        """End one token (RFC 7009); one that was no good any more is ended, too. Raises PlatformError."""
        if not token:
            return
        client = self._authlib()
        reply = client.revoke_token(
            self.server + self.oauth.revoke_path, token=token, token_type_hint=hint, headers={"Content-Type": _FORM}
        )
        if reply.status_code >= 400:
            word = _word(reply)
            if word in _CLIENT_WRONG:
                raise ClientRefused(self.info.name)
            if word not in ("invalid_request", "invalid_token", "invalid_grant"):
                raise PlatformError(f"{self.info.name} did not end our access.", permanent=False)

    @property
    def _token_url(self) -> str:
        return self.server + self.oauth.token_path

    def _authlib(self, redirect_uri: str | None = None, scope: str | None = None) -> OAuth2Client:
        from authlib.oauth2.client import OAuth2Client

        method = self.oauth.token_auth if self.client.secret else "none"
        return OAuth2Client(
            self._session,
            client_id=self.client.client_id,
            client_secret=self.client.secret,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            scope=scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _ask(self, request: Any) -> Mapping[str, Any]:
        """One request for tokens. What Authlib makes of an answer is an error of ours, without its words."""
        from authlib.oauth2 import OAuth2Error

        try:
            return dict(request())
        except OAuth2Error as error:
            if error.error in _CLIENT_WRONG:
                raise ClientRefused(self.info.name) from None
            if error.error in ("temporarily_unavailable", "server_error"):
                raise PlatformError(f"{self.info.name} has a fault of its own.", permanent=False) from None
            raise GrantRefused(self.info.name) from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise _unreadable(self.info) from None


def register(info: PlatformInfo, adapter: type[Platform], server: str, redirect_uri: str, website: str) -> Client:
    """A client of this very server, for whoever asks (Mastodon: POST /api/v1/apps). Raises PlatformError."""
    assert adapter.oauth is not None
    wire = wire_to(info, adapter, server)
    form = {
        "client_name": "socialgov",
        "redirect_uris": redirect_uri,
        "scopes": " ".join(adapter.oauth.scopes),
        "website": website,
    }
    # asked for twice, it is registered twice: that does no harm, the one that nobody knows of is never used
    reply = wire.post(adapter.oauth.register_path, content=urlencode(form).encode(), mime=_FORM, effect=False)
    if not reply.ok:
        raise PlatformError(
            f"{info.name} does not register us ({reply.status}).", permanent=True, mend="Is this the right server?"
        )
    told = wire.json(reply)
    client_id, secret = told.get("client_id"), told.get("client_secret", "")
    if not _is_token(client_id) or not (secret == "" or _is_token(secret)):
        raise _unreadable(info)
    return Client(str(client_id), str(secret))


def wire_to(info: PlatformInfo, adapter: type[Platform], server: str) -> Wire:
    """Our wire to this server, through the adapter's own transport where it has one (tests)."""
    return Wire(replace(info, api_base=server), transport=getattr(adapter, "transport", None))


# --------------------------------------------------------------------------------------------------- within


@dataclass(frozen=True, slots=True)
class _Answer:
    """What Authlib needs of a response."""

    status_code: int
    content: bytes = field(repr=False)

    def json(self) -> Any:
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        """Nothing broken gets here: the wire has raised."""


class _Session:
    """What Authlib's client sends its requests through."""

    def __init__(self, wire: Wire, server: str) -> None:
        self._wire, self._server = wire, server

    def post(
        self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth, **_: Any
    ) -> _Answer:
        """A form, with the client's own credentials added by `auth`. Raises PlatformError."""
        url, signed, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        sent = {**signed, "Content-Type": _FORM, "Accept": "application/json"}
        sent.pop("Content-Length", None)
        reply = self._wire.raw("POST", url.removeprefix(self._server), headers=sent, content=body.encode())
        self._wire.judge(reply, effect=True)
        return _Answer(reply.status, _checked(self._wire, reply))


def _checked(wire: Wire, reply: Reply) -> bytes:
    """The body of a token answer: a JSON object, or (for a revocation) nothing. A page of HTML is a broken answer.

    A refusal must say so in JSON too: a proxy's 404 page is no word of the platform about an account.
    """
    if reply.content.strip():
        body = wire.json(reply, effect=reply.ok)
        if not reply.ok and not isinstance(body.get("error"), str):
            raise wire.broken(f"refused in a way we do not understand ({reply.status})")
        return reply.content
    if not reply.ok:
        raise wire.broken(f"refused without a word ({reply.status})")
    return b""


def _word(answer: _Answer) -> str:
    return str(answer.json().get("error", ""))


def _tokens(
    info: PlatformInfo, told: Mapping[str, Any], now: datetime, *, before: str, asked: tuple[str, ...]
) -> Tokens:
    access, refresh = told.get("access_token"), told.get("refresh_token") or before
    kind, scope, seconds = told.get("token_type", "bearer"), told.get("scope"), told.get("expires_in")
    if not _is_token(access) or not (refresh == "" or _is_token(refresh)) or str(kind).lower() != "bearer":
        raise _unreadable(info)
    granted = tuple(scope.split()) if isinstance(scope, str) and scope.strip() else asked  # unsaid: as asked (5.1)
    return Tokens(str(access), str(refresh), _until(seconds, now), granted)


def _until(seconds: object, now: datetime) -> datetime | None:
    """When it runs out; None where that is not said, for then a refusal (401) tells."""
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 10**9:
        return None
    return now + timedelta(seconds=float(seconds))


def _is_token(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and re.fullmatch(r"[!-~]+", value) is not None


def _unreadable(info: PlatformInfo) -> PlatformError:
    """Answered with success, and yet no token in it: it may have been used up, so it counts as a lost answer."""
    return PlatformError(
        f"{info.name} answered with something that is no token.", permanent=False, outcome_unknown=True
    )
