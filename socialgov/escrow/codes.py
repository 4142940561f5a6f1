"""Six digits that change every half minute (TOTP, RFC 6238): for sign-in, and for an account's own second factor."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from socialgov.errors import InvalidInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP = 30  # seconds
DIGITS = 6
_FAULT = "This is no key of an authenticator: letters and the digits 2 to 7, or an address that begins with otpauth://."


@dataclass(frozen=True, slots=True)
class Seed:
    """What an authenticator app is given once."""

    secret: bytes = field(repr=False)
    digits: int = DIGITS
    step: int = STEP
    algorithm: str = "SHA1"

    @property
    def text(self) -> str:
        """In base32, as apps take it by hand."""
        return base64.b32encode(self.secret).decode().rstrip("=")


def new_seed() -> Seed:
    """160 random bits (RFC 4226, section 4)."""
    return Seed(secrets.token_bytes(20))


def read_seed(text: str) -> Seed:
    """A seed as a platform shows it: base32 in any grouping, or an otpauth:// address. Raises InvalidInput."""
    text = text.strip()
    if not text.lower().startswith("otpauth:"):
        return Seed(_base32(text))
    try:
        parts = urlsplit(text)
    except ValueError:  # such as an address with one bracket
        raise InvalidInput(_FAULT, {"secret": _FAULT}) from None
    asked = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
    algorithm = asked.get("algorithm", "SHA1").upper()
    digits, step = asked.get("digits", str(DIGITS)), asked.get("period", str(STEP))
    fits = parts.netloc.lower() == "totp" and digits in ("6", "7", "8") and step.isdecimal() and 10 <= int(step) <= 300
    if not fits or algorithm not in ("SHA1", "SHA256", "SHA512"):
        raise InvalidInput(_FAULT, {"secret": _FAULT})
    return Seed(_base32(unquote(asked.get("secret", ""))), int(digits), int(step), algorithm)


def code_at(seed: Seed, now: datetime) -> tuple[str, int]:
    """(the digits that count now, seconds until the next)."""
    moment = int(now.timestamp())
    return _totp(seed).generate(moment).decode(), seed.step - moment % seed.step


def matching_step(seed: Seed, code: str, now: datetime, *, after: int | None = None) -> int | None:
    """The step whose code this is: the present one, or one before or behind for a clock that is off; None: no match.

    `after`: the last step that was used. A code counts once (RFC 6238, 5.2).
    """
    typed = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6,8}", typed):
        return None
    present = int(now.timestamp()) // seed.step
    found = None
    for step in (present - 1, present, present + 1):
        same = secrets.compare_digest(_totp(seed).generate(step * seed.step).decode(), typed)
        if same and (after is None or step > after):
            found = step
    return found


def otpauth(seed: Seed, *, issuer: str, name: str) -> str:
    """The address inside a QR code."""
    return _totp(seed).get_provisioning_uri(name, issuer)


def _base32(text: str) -> bytes:
    packed = re.sub(r"[\s-]", "", text).upper().rstrip("=")
    try:
        secret = base64.b32decode(packed + "=" * (-len(packed) % 8))
    except (binascii.Error, ValueError):
        secret = b""
    if not 10 <= len(secret) <= 128:
        raise InvalidInput(_FAULT, {"secret": _FAULT})
    return secret


def _totp(seed: Seed) -> TOTP:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    algorithm = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256, "SHA512": hashes.SHA512}[seed.algorithm]()
    return TOTP(seed.secret, seed.digits, algorithm, seed.step, enforce_key_length=False)
