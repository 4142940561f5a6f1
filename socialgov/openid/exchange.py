"""Sending somebody to the sign-in service, and checking what comes back (OpenID Connect Core 1.0, 3.1).

ASVS 5.0: 6.8.2 (signature), 10.2.1 (state and PKCE), 10.5.1 (nonce), 10.5.4 (audience). State, nonce and PKCE
verifier of one attempt are all derived from the token that only the browser's cookie holds: the store has a hash of
that token and nothing else, so whoever reads it can finish nobody's sign-in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from socialgov.errors import ConfigError
from socialgov.openid.provider import Description, provider_of
from socialgov.openid.refusals import Reason, SignInRefused
from socialgov.openid.wire import Wire

if TYPE_CHECKING:
    from authlib.oauth2.client import OAuth2Client
    from joserfc.jwt import Token

    from socialgov.config_signin import OpenIdSettings

log = logging.getLogger(__name__)

LEEWAY_SECONDS = 60  # how far the service's clock may be from ours
_OF_CLAIM = {
    "iss": Reason.WRONG_ISSUER,
    "aud": Reason.WRONG_AUDIENCE,
    "azp": Reason.WRONG_AUDIENCE,
    "nonce": Reason.WRONG_NONCE,
    "exp": Reason.WRONG_TIME,
    "iat": Reason.WRONG_TIME,
    "nbf": Reason.WRONG_TIME,
}
_ABORTED = {
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "login_required",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The three values of one attempt: `state` and `nonce` travel through the browser, `verifier` never does."""

    state: str
    nonce: str
    verifier: str = field(repr=False)

    @classmethod
    def of(cls, token: str) -> Attempt:
        """From the browser's token. The same token gives the same values; none tells another, or the token."""
        return cls(*(_derived(token, name) for name in ("state", "nonce", "verifier")))


@dataclass(frozen=True, slots=True)
class Checked:
    """What the service says, its signature and purpose checked. `id_token` is for its sign-out."""

    claims: Mapping[str, Any] = field(repr=False)
    id_token: str = field(repr=False)


def authorize_url(
    settings: OpenIdSettings, description: Description, attempt: Attempt, redirect_uri: str, **asked: str
) -> str:
    """Where the browser goes. `asked` are further parameters such as prompt and max_age."""
    if settings.hosted_domain:
        asked["hd"] = settings.hosted_domain  # shows the right accounts; the claim is what is checked
    url, _ = _client(settings, description, redirect_uri).create_authorization_url(
        description.authorize, state=attempt.state, code_verifier=attempt.verifier, nonce=attempt.nonce, **asked
    )
    return str(url)


def logout_url(end_session: str, told: Mapping[str, str]) -> str:
    """Where the service's own sign-out is, with what it is told (RP-Initiated Logout 1.0, 2)."""
    from authlib.common.urls import add_params_to_uri

    return str(add_params_to_uri(end_session, list(told.items())))


def check_state(attempt: Attempt, answer: Mapping[str, str]) -> None:
    """Raise SignInRefused for an answer that belongs to another attempt, or that nobody asked for."""
    if not hmac.compare_digest(answer.get("state", "").encode("utf-8", "replace"), attempt.state.encode()):
        raise SignInRefused(Reason.WRONG_STATE)


def code_of(description: Description, answer: Mapping[str, str]) -> str:
    """The authorization code of an answer whose state is right. Raises SignInRefused."""
    named = answer.get("iss")
    if named != description.issuer and (named is not None or description.names_itself):
        raise SignInRefused(Reason.WRONG_ISSUER)  # another service's answer (RFC 9207)
    if error := answer.get("error"):
        _note(error)
        raise SignInRefused(Reason.ABORTED if error in _ABORTED else Reason.PROVIDER_REFUSED)
    code = answer.get("code", "")
    if not code:
        raise SignInRefused(Reason.PROVIDER_BROKEN)
    return code


def redeem(
    settings: OpenIdSettings, description: Description, attempt: Attempt, code: str, redirect_uri: str, now: datetime
) -> Checked:
    """Exchange the code for an ID token and check it. Raises SignInRefused."""
    tokens = _tokens(settings, description, attempt, code, redirect_uri)
    id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
    if not isinstance(id_token, str) or not isinstance(access_token, str):
        raise SignInRefused(Reason.WRONG_TOKEN)
    claims = _verified(settings, description, attempt, id_token, access_token, now)
    if "email" not in claims and description.userinfo:  # some services tell it only there
        claims = {**_userinfo(description, access_token, claims["sub"]), **claims}
    return Checked(claims, id_token)


# --------------------------------------------------------------------------------------------------- within


def _derived(token: str, name: str) -> str:
    digest = hmac.new(token.encode("utf-8", "surrogatepass"), f"openid.{name}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _client(settings: OpenIdSettings, description: Description, redirect_uri: str, secret: str = "") -> OAuth2Client:
    from authlib.oauth2.client import OAuth2Client

    return OAuth2Client(
        Wire(),
        client_id=settings.client_id,
        client_secret=secret,
        token_endpoint_auth_method=description.token_auth,
        scope=" ".join(settings.scopes),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )


def _tokens(
    settings: OpenIdSettings, description: Description, attempt: Attempt, code: str, redirect_uri: str
) -> Mapping[str, Any]:
    from authlib.oauth2 import OAuth2Error

    try:
        client = _client(settings, description, redirect_uri, settings.client_secret())
        return dict(client.fetch_token(description.token, code=code, code_verifier=attempt.verifier))
    except OAuth2Error as error:
        _note(error.error)
        reason = Reason.CODE_REFUSED if error.error == "invalid_grant" else Reason.CLIENT_REFUSED
        raise SignInRefused(reason) from None
    except ConfigError as error:  # names a file of this server: for its log, not for the visitor
        log.error("%s", error)
        raise SignInRefused(Reason.CLIENT_REFUSED) from None
    except (ValueError, TypeError, KeyError):
        raise SignInRefused(Reason.PROVIDER_BROKEN) from None


def _verified(
    settings: OpenIdSettings,
    description: Description,
    attempt: Attempt,
    id_token: str,
    access_token: str,
    now: datetime,
) -> dict[str, Any]:
    """The claims, once signature, issuer, audience, times, nonce and at_hash are right."""
    from authlib.oidc.core import CodeIDToken
    from joserfc.errors import ClaimError, ExpiredTokenError, JoseError

    token = _signed(settings, description, id_token, now)
    options: dict[str, Any] = {
        "iss": {"essential": True, "value": settings.issuer},
        "aud": {"essential": True, "value": settings.client_id},
        **{name: {"essential": True} for name in ("sub", "exp", "iat")},
    }
    params = {"nonce": attempt.nonce, "client_id": settings.client_id, "access_token": access_token}
    claims = CodeIDToken(token.claims, token.header, options, params)
    try:
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
    except ExpiredTokenError:
        raise SignInRefused(Reason.WRONG_TIME) from None
    except ClaimError as error:
        raise SignInRefused(_OF_CLAIM.get(error.claim, Reason.WRONG_TOKEN)) from None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise SignInRefused(Reason.WRONG_TOKEN) from None
    if not 0 < len(claims["sub"]) <= 255:  # Core 2
        raise SignInRefused(Reason.WRONG_TOKEN)
    return dict(claims)


def _signed(settings: OpenIdSettings, description: Description, id_token: str, now: datetime) -> Token:
    """The token, once its signature is one of the provider's own keys. Keys that were changed are fetched anew."""
    from joserfc import jwt
    from joserfc.errors import DecodeError, InvalidKeyIdError, InvalidPayloadError, JoseError
    from joserfc.jws import JWSRegistry

    provider = provider_of(settings)
    registry = JWSRegistry(algorithms=description.algorithms, strict_check_header=False)
    try:
        try:
            return jwt.decode(id_token, provider.keys(description, now), registry=registry)
        except InvalidKeyIdError:
            return jwt.decode(id_token, provider.keys(description, now, again=True), registry=registry)
    except (DecodeError, InvalidPayloadError, UnicodeError):
        raise SignInRefused(Reason.WRONG_TOKEN) from None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise SignInRefused(Reason.WRONG_SIGNATURE) from None


def _userinfo(description: Description, access_token: str, subject: str) -> dict[str, Any]:
    """What the service tells about the same subject at its userinfo address (Core 5.3.2)."""
    if not re.fullmatch(r"[!-~]+", access_token):
        raise SignInRefused(Reason.PROVIDER_BROKEN)
    answer = Wire().get(description.userinfo, bearer=access_token)
    answer.raise_for_status()
    if answer.body.get("sub") != subject:
        raise SignInRefused(Reason.WRONG_TOKEN)
    return answer.json()


def _note(error: object) -> None:
    """The service's own error word, for whoever mends the settings: a word of the standard, nobody's name."""
    word = str(error)
    log.warning("the sign-in service refused: %s", word if re.fullmatch(r"[a-z_]{1,60}", word) else "in unknown words")
