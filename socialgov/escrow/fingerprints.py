"""What tells that a password is used twice, without any being opened (SEC203; docs/decisions/0012-deposits.md).

A fingerprint is Argon2id over an HMAC under the home's root. Without the root nobody can try a guess against it; with
it each guess costs what a guess at a vault passphrase costs. Two forms of a password leave one: as it was typed, and
its near form, by which passwords count as alike.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from socialgov.escrow.stretching import LANES, MEMORY, PASSES, SALT, stretch

SHORTEST_STEM = 5  # characters: of `12345678!` nothing would be left
MARK = "s"  # in front of what is stretched: earlier versions kept the HMAC itself, which is plain hex
COST = (PASSES, MEMORY, LANES)


def near_forms(secret: str) -> tuple[str, ...]:
    """The secret as typed (after NFKC), and its near form where that is another: without capitals, and without the
    digits and signs at its end. Two secrets are near when their sets meet."""
    exact = unicodedata.normalize("NFKC", secret)
    plain = unicodedata.normalize("NFKC", exact.casefold())
    stem = plain.rstrip("".join({sign for sign in plain if not sign.isalpha()}))
    return tuple(dict.fromkeys((exact, stem if len(stem) >= SHORTEST_STEM else plain)))


def keyed(key: bytes, form: str) -> str:
    """HMAC-SHA256, 64 hex digits: quick to make, so it is not kept."""
    return hmac.new(key, form.encode(), hashlib.sha256).hexdigest()


def stretched(key: bytes, quick: str) -> str:
    """The fingerprint of what `keyed` made. The salt is the home's: equal passwords must have equal fingerprints."""
    return MARK + stretch(bytes.fromhex(quick), key[:SALT], *COST).hex()
