"""Errors a person can act on. Each says in one line what is wrong and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from socialgov.models import Finding


class SocialgovError(Exception):
    """Base of all. `mend` is the next step for the reader; the web shows both, the command line prints both."""

    status = 400

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()


class ConfigError(SocialgovError):
    """A wrong key or value in a configuration file: names file, line and mend."""

    status = 500


class StoreError(SocialgovError):
    """The database cannot be used as it is (locked by another program, disk full, tampered, newer than this code)."""

    status = 503


class EscrowError(SocialgovError):
    """The key is missing or refused, or a sealed record does not open. Never carries a secret."""

    status = 503


class NotPermitted(SocialgovError):
    """This person may not do this (permissions.py)."""

    status = 403


class NotFound(SocialgovError):
    status = 404


class Conflict(SocialgovError):
    """Somebody else, or the clock, changed it first: nothing was written. Look again and repeat."""

    status = 409


class InvalidInput(SocialgovError):
    """What was entered cannot be used. `fields` maps a field's name to the sentence to show beside it."""

    status = 422

    def __init__(self, message: str, fields: Mapping[str, str] | None = None, mend: str = "") -> None:
        super().__init__(message, mend)
        self.fields = dict(fields or {})


class GateRefused(SocialgovError):
    """A gate stays shut: `findings` are the rules that do not answer True (unknown is not a pass)."""

    status = 409

    def __init__(self, message: str, findings: Sequence[Finding] = (), mend: str = "") -> None:
        super().__init__(message, mend)
        self.findings = tuple(findings)


class StepUpNeeded(NotPermitted):
    """Something that matters most, and the person has not shown lately who they are (ASVS 7.5.1): the web asks.

    `for_vault`: for the vault or the glass, where an authenticator code is not enough (actions/stepup.py).
    """

    def __init__(self, *, for_vault: bool = False) -> None:
        super().__init__("First show once more that it is you.", "Use your passkey or the school's sign-in.")
        self.for_vault = for_vault


class VaultShut(SocialgovError):
    """The vault is not open in this session: a network manager opens it with their passphrase (SEC207)."""

    status = 403

    def __init__(
        self,
        message: str = "The vault is shut.",
        mend: str = "A network manager opens it with their vault passphrase.",
    ) -> None:
        super().__init__(message, mend)


class Throttled(SocialgovError):
    """Too many refusals for this person or from this address. Say nothing about whether the person exists."""

    status = 429
