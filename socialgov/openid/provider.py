"""The sign-in service's own description of itself (OpenID Connect Discovery 1.0) and its public keys, remembered.

It counts only under the very issuer that the school configured (Discovery 4.3): another name in the description
means another service. A service that is down is not asked again for a few seconds, so that waiting for it does not
occupy every thread of the web server.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from socialgov.config_signin import is_safe_address, origin_of
from socialgov.openid.refusals import Reason, SignInRefused
from socialgov.openid.wire import Wire

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

    from socialgov.config_signin import OpenIdSettings

log = logging.getLogger(__name__)

REMEMBERED = timedelta(hours=1)
KEYS_AGAIN_AFTER = timedelta(seconds=30)  # a token under an unknown key makes us ask, but not for each token
TOLD_AGAIN_AFTER = timedelta(minutes=1)
DOWN_FOR = timedelta(seconds=15)

# Signatures by the provider's private key only: with HS256 whoever has the client's secret could sign, with `none`
# anybody.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)

KEY_KINDS = ("RSA", "EC", "OKP")


@dataclass(frozen=True, slots=True)
class Description:
    """What we use of the discovery document, checked. `end_session` "" means: it has no sign-out of its own."""

    issuer: str
    authorize: str
    token: str
    keys: str
    userinfo: str
    end_session: str
    algorithms: tuple[str, ...]
    token_auth: str
    names_itself: bool  # its answers carry `iss` (RFC 9207)


@dataclass
class Provider:
    """One sign-in service as this process remembers it. Threads share it."""

    issuer: str
    _description: Description | None = None
    _described_at: datetime | None = None
    _keys: KeySet | None = None
    _keys_at: datetime | None = None
    _down: Reason | None = None
    _down_since: datetime | None = None
    _told: dict[Reason, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def describe(self, settings: OpenIdSettings, now: datetime) -> Description:
        """The description, fetched when it is not remembered. Raises SignInRefused."""
        with self._lock:
            if self._description is None or not _within(self._described_at, now, REMEMBERED):
                answer = self._ask(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration", now)
                self._description, self._described_at = _checked(answer, settings), now
            return self._description

    def keys(self, description: Description, now: datetime, *, again: bool = False) -> KeySet:
        """Its public keys; `again`: a token names one that is not among them, perhaps they were changed."""
        with self._lock:
            lately = _within(self._keys_at, now, KEYS_AGAIN_AFTER if again else REMEMBERED)
            if self._keys is None or not lately:
                self._keys, self._keys_at = _key_set(self._ask(description.keys, now)), now
            return self._keys

    def worth_a_line(self, reason: Reason, now: datetime) -> bool:
        """Is this fault to be logged, or was the same one a moment ago?"""
        with self._lock:
            if _within(self._told.get(reason), now, TOLD_AGAIN_AFTER):
                return False
            self._told[reason] = now
            return True

    def _ask(self, url: str, now: datetime) -> Mapping[str, Any]:
        if self._down and _within(self._down_since, now, DOWN_FOR):
            raise SignInRefused(self._down)
        try:
            answer = Wire().get(url)
            answer.raise_for_status()
        except SignInRefused as refusal:
            self._down, self._down_since = refusal.reason, now
            raise
        self._down = None
        return answer.body


_providers: dict[tuple[str, ...], Provider] = {}


def provider_of(settings: OpenIdSettings) -> Provider:
    """The one of these settings; what is remembered for one school was checked for that school alone."""
    key = (settings.issuer, settings.client_id, str(settings.secret_file), *settings.form_origins)
    return _providers.setdefault(key, Provider(settings.issuer))


def forget_providers() -> None:
    """For tests: nothing is remembered."""
    _providers.clear()


def _within(since: datetime | None, now: datetime, span: timedelta) -> bool:
    return since is not None and timedelta(0) <= now - since < span


def _checked(document: Mapping[str, Any], settings: OpenIdSettings) -> Description:
    """The document as a Description. Raises SignInRefused where it is another's or cannot be used."""
    if document.get("issuer") != settings.issuer:
        log.warning("the sign-in service calls itself %r, school.toml says another issuer", document.get("issuer"))
        raise SignInRefused(Reason.OTHER_SERVICE)
    authorize = _address(document, "authorization_endpoint")
    if origin_of(authorize) not in settings.form_origins:  # the browser would not go there
        log.warning("add %r to form_origins in [signin.openid] of school.toml", origin_of(authorize))
        raise SignInRefused(Reason.OTHER_SERVICE)
    algorithms = tuple(one for one in _words(document, _SIGNED, ("RS256",)) if one in ALGORITHMS)
    if not algorithms:
        raise SignInRefused(Reason.PROVIDER_BROKEN)
    methods = _words(document, "token_endpoint_auth_methods_supported", ("client_secret_basic",))
    return Description(
        issuer=settings.issuer,
        authorize=authorize,
        token=_address(document, "token_endpoint"),
        keys=_address(document, "jwks_uri"),
        userinfo=_address(document, "userinfo_endpoint", ""),
        end_session=_address(document, "end_session_endpoint", ""),
        algorithms=algorithms,
        token_auth="client_secret_basic" if "client_secret_basic" in methods else "client_secret_post",
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


_SIGNED = "id_token_signing_alg_values_supported"


def _words(document: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """A list of words of the description; whatever else stands in it is left out."""
    value = document.get(name, default)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list | tuple) else ()


def _address(document: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = document.get(name, default)
    if value == default and default is not None:
        return default
    if not isinstance(value, str) or not is_safe_address(value):
        raise SignInRefused(Reason.PROVIDER_BROKEN)
    return value


def _key_set(document: Mapping[str, Any]) -> KeySet:
    """Public keys only: a shared secret among them (`oct`) could let a client sign for the provider."""
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    listed = document.get("keys")
    try:
        return KeySet.import_key_set({"keys": [_usable(key) for key in listed or [] if key["kty"] in KEY_KINDS]})
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise SignInRefused(Reason.PROVIDER_BROKEN) from None


def _usable(key: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth")}
