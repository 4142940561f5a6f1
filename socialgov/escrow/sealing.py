"""The bytes: authenticated encryption bound to what a record is, and HPKE to a public key. Heavy imports are lazy."""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING

from socialgov.errors import EscrowError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hpke import Suite

KEY, NONCE, TAG = 32, 12, 16
PREFIX = 4  # bytes before each part that say how long it is
BLOCK = 64
HPKE_OVERHEAD = 32 + TAG  # the encapsulated X25519 key, and the tag


def prefixed(*parts: bytes) -> bytes:
    """Each part with its length in front, so that no two lists of parts read the same."""
    return b"".join([piece for part in parts for piece in (len(part).to_bytes(PREFIX, "big"), part)])


def cipher(key: bytes) -> AESGCM:
    """AES-256-GCM with this key, for whoever uses it more than once."""
    return _ciphers()[0](key)


def encrypt(key: bytes | AESGCM, content: bytes, bound: bytes) -> bytes:
    """AES-256-GCM under a fresh nonce: nonce 12 | content | tag 16."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + (cipher(key) if isinstance(key, bytes) else key).encrypt(nonce, content, bound)


def decrypt(key: bytes | AESGCM, sealed: bytes, bound: bytes) -> bytes:
    """The content. Raises EscrowError when it was changed, cut, or belongs elsewhere."""
    aesgcm, invalid_tag = _ciphers()
    if len(sealed) < NONCE + TAG:
        raise damaged()
    try:
        return (aesgcm(key) if isinstance(key, bytes) else key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
    except invalid_tag:
        raise does_not_open() from None


@cache
def _ciphers() -> tuple[type[AESGCM], type[Exception]]:
    """Imported once and late: an import within a function costs as much as the cipher itself."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM, InvalidTag


def seal_to_public(public: bytes, content: bytes, bound: bytes) -> bytes:
    """HPKE base mode (RFC 9180) to an X25519 public key: encapsulated key 32 | content | tag 16."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    try:
        return _suite().encrypt(content, X25519PublicKey.from_public_bytes(public), info=bound)
    except ValueError:  # a key of low order, or of the wrong length
        raise EscrowError("A public key is damaged.", "Restore it from the newest backup.") from None


def open_with_private(private: X25519PrivateKey, sealed: bytes, bound: bytes) -> bytes:
    """What `seal_to_public` sealed. Raises EscrowError when it was changed, or is for another key."""
    from cryptography.exceptions import InvalidTag

    try:
        return _suite().decrypt(sealed, private, info=bound)
    except (InvalidTag, ValueError):
        raise does_not_open() from None


def padded(content: bytes) -> bytes:
    """To whole blocks of 64 bytes (ISO/IEC 7816-4), so that a sealed password does not show how long it is."""
    return content + b"\x80" + bytes(-(len(content) + 1) % BLOCK)


def unpadded(content: bytes) -> bytes:
    """What was padded. Raises EscrowError for what never was."""
    stripped = content.rstrip(b"\0")
    if not stripped.endswith(b"\x80"):
        raise damaged()
    return stripped[:-1]


def hkdf(key: bytes, info: bytes) -> bytes:
    """32 bytes from `key` for one purpose (HKDF-SHA256)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), KEY, salt=None, info=info).derive(key)


def private_key(raw: bytes) -> X25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(raw)


def damaged() -> EscrowError:
    return EscrowError("A sealed record is damaged.", "Restore it from the newest backup.")


def does_not_open() -> EscrowError:
    return EscrowError(
        "A sealed record does not open: it was changed, or belongs elsewhere.", "Restore it from the newest backup."
    )


@cache
def _suite() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
