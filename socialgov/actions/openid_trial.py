"""Trying the school's sign-in service without signing anybody in: for whoever sets it up (docs/installing.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov.actions.openid import AFTERWARDS, CALLBACK
from socialgov.errors import ConfigError
from socialgov.openid.exchange import Attempt, redeem
from socialgov.openid.provider import provider_of
from socialgov.openid.refusals import Reason, SignInRefused

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.config import Settings
    from socialgov.config_signin import OpenIdSettings
    from socialgov.openid.provider import Description

_WORDS = {
    Reason.PROVIDER_UNREACHABLE: "It does not answer. Is the address right, and may this server reach it?",
    Reason.PROVIDER_BROKEN: "It answers, but not as an OpenID provider. A wrong address, or a proxy in its place?",
    Reason.OTHER_SERVICE: "It calls itself something else, or sends browsers elsewhere: see issuer and form_origins.",
    Reason.CLIENT_REFUSED: "It refuses client_id or the client's secret.",
    Reason.CODE_REFUSED: "It takes client_id and the client's secret.",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried. `right` False: nobody can sign in until it is mended."""

    what: str
    right: bool
    words: str


def to_register(settings: Settings) -> tuple[str, str]:
    """The addresses to register with the service: for coming back, and for coming back from its sign-out."""
    return settings.base_url + CALLBACK, settings.base_url + AFTERWARDS


def try_service(settings: Settings, *, now: datetime) -> list[Trial]:
    """Its description, its keys and our credentials, tried over the network. Raises ConfigError where there is none."""
    if settings.openid is None:
        raise ConfigError("school.toml names no sign-in service.", "Add [signin.openid] (docs/installing.md).")
    return list(_trials(settings, settings.openid, now))


def _trials(settings: Settings, openid: OpenIdSettings, now: datetime) -> Iterator[Trial]:
    try:
        description = provider_of(openid).describe(openid, now)
        yield Trial("Description", True, f"It is {openid.issuer}.")
        keys = provider_of(openid).keys(description, now)
        yield Trial("Keys", True, f"{len(keys.keys)} public, for {', '.join(description.algorithms)}.")
    except SignInRefused as refusal:
        yield Trial("Description and keys", False, _WORDS.get(refusal.reason, refusal.message))
        return
    yield _client(settings, openid, description, now)
    words = "It has one of its own." if description.end_session else "It has none: people stay signed in there."
    yield Trial("Sign-out", True, words)


def _client(settings: Settings, openid: OpenIdSettings, description: Description, now: datetime) -> Trial:
    """A code that nobody gave us: a service that knows us refuses the code, one that does not refuses us."""
    try:
        openid.client_secret()
        redeem(openid, description, Attempt.of("trial"), "trial", to_register(settings)[0], now)
    except ConfigError as error:
        return Trial("Client", False, str(error))
    except SignInRefused as refusal:
        words = _WORDS.get(refusal.reason, refusal.message)
        return Trial("Client", refusal.reason is Reason.CODE_REFUSED, words)
    return Trial("Client", False, "It took a code that it never gave: this is no sign-in service.")
