"""PURE: who a checked answer of the sign-in service says somebody is, by the school's settings.

An identity is the pair of issuer and subject (ASVS 5.0: 6.8.1): addresses are given to somebody else one day, a
subject never is. The address only says whom to link it with, the first time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from socialgov.config_signin import EmailProof
from socialgov.openid.refusals import Reason, SignInRefused

if TYPE_CHECKING:
    from socialgov.config_signin import OpenIdSettings
    from socialgov.models import Role

_ADDRESS = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]{1,64}@[A-Za-z0-9.-]{1,189}")
AUTH_LEEWAY = timedelta(seconds=2)  # auth_time counts whole seconds, by another clock


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody with an account of the school. `groups` None: the school lets groups decide nothing."""

    issuer: str
    subject: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    groups: frozenset[str] | None
    auth_at: datetime | None

    def given_roles(self, settings: OpenIdSettings) -> frozenset[Role]:
        """The roles that the school's mapping gives to this person's groups."""
        return frozenset(role for group in self.groups or () for role in settings.groups.get(group, ()))

    def roles_with(self, by_hand: frozenset[Role], settings: OpenIdSettings) -> frozenset[Role]:
        """`by_hand` as it is, but for the roles that the school's mapping decides."""
        if self.groups is None:
            return by_hand
        return (by_hand - settings.mapped_roles) | self.given_roles(settings)


def identity_of(claims: Mapping[str, Any], settings: OpenIdSettings) -> Identity:
    """Who it is, if it is somebody with a verified address of the school. Raises SignInRefused."""
    email = _email(claims, settings)
    if settings.hosted_domain and claims.get("hd") != settings.hosted_domain:
        raise SignInRefused(Reason.WRONG_DOMAIN)
    return Identity(
        issuer=settings.issuer,
        subject=claims["sub"],
        email=email,
        name=_name(claims, email),
        groups=_groups(claims, settings),
        auth_at=_auth_at(claims),
    )


def check_fresh(identity: Identity, begun_at: datetime, window: timedelta, now: datetime) -> None:
    """Raise SignInRefused unless the person showed who they are since `begun_at` and within `window` (ASVS 6.8.4).

    A service that does not say when counts as one that did not ask: unknown is never a pass.
    """
    earliest = max(begun_at, now - window) - AUTH_LEEWAY
    if identity.auth_at is None or not earliest <= identity.auth_at <= now + AUTH_LEEWAY:
        raise SignInRefused(Reason.STALE)


def _email(claims: Mapping[str, Any], settings: OpenIdSettings) -> str:
    email = claims.get("email")
    if not isinstance(email, str) or not _ADDRESS.fullmatch(email):
        raise SignInRefused(Reason.EMAIL_NOT_VERIFIED)
    if email.rpartition("@")[2].lower() not in settings.domains:
        raise SignInRefused(Reason.WRONG_DOMAIN)
    if not _is_proven(claims, settings.email_proof):
        raise SignInRefused(Reason.EMAIL_NOT_VERIFIED)
    return email.lower()


def _is_proven(claims: Mapping[str, Any], proof: EmailProof) -> bool:
    said = claims.get(proof.value)
    if proof is EmailProof.XMS_EDOV:  # Entra sends true, 1 or their text, as the account's kind has it
        return said is True or str(said).lower() in ("1", "true")
    return said is True


def _name(claims: Mapping[str, Any], email: str) -> str:
    """As the service tells it, else what stands before the @."""
    told = claims.get("name")
    name = " ".join(told.split()) if isinstance(told, str) else ""
    return name if 0 < len(name) <= 100 and name.isprintable() else email.partition("@")[0]


def _groups(claims: Mapping[str, Any], settings: OpenIdSettings) -> frozenset[str] | None:
    """The groups, whole. Entra leaves them out of the token of somebody who is in very many: refused, not guessed."""
    if not settings.groups:
        return None
    told = claims.get(settings.groups_claim)
    if not isinstance(told, list) or not all(isinstance(group, str) for group in told):
        raise SignInRefused(Reason.GROUPS_UNKNOWN)
    return frozenset(told)


def _auth_at(claims: Mapping[str, Any]) -> datetime | None:
    seconds = claims.get("auth_time")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
