"""The school's key, opened: what is sealed under it, to the vault, derived and signed.

Two secrets lie in the keyring. The *key* wraps data keys and can be rotated. The *root* is never rotated: fingerprints
of passwords and signatures come from it and could not be made anew. A home made before keys could be rotated has one
secret for both.

A sealed record is an envelope: a random data key a record, and both bound to what the record is.

    scheme 1, the machine's:  "SG" 1 | key id 8 | data key wrapped under the key, 60 | content, 28 more than it is
    scheme 2, the vault's:    "SG" 2 | key id 8 | vault key id 8 | the same of an HPKE of the data key, 108 | content
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import cached_property
from typing import TYPE_CHECKING

from socialgov.errors import EscrowError
from socialgov.escrow.fingerprints import keyed, near_forms, stretched
from socialgov.escrow.sealing import (
    HPKE_OVERHEAD,
    KEY,
    NONCE,
    TAG,
    cipher,
    damaged,
    decrypt,
    encrypt,
    hkdf,
    open_with_private,
    padded,
    prefixed,
    seal_to_public,
    unpadded,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from socialgov.escrow.vault import OpenVault, VaultKey

MAGIC = b"SG"
BY_SCHOOL_KEY, TO_VAULT = 1, 2  # the scheme byte
KEY_ID = 8
HEAD = len(MAGIC) + 1 + KEY_ID  # a trigger of the store reads the key id at bytes 4 to 11 (m0006_vault)
WRAPPED = NONCE + KEY + TAG
WRAPPED_TWICE = WRAPPED + HPKE_OVERHEAD
FRONT = {BY_SCHOOL_KEY: HEAD + WRAPPED, TO_VAULT: HEAD + KEY_ID + WRAPPED_TWICE}  # what a rotation writes anew


class Escrow:
    """The key of one school, opened. Thread-safe: it holds no state that changes."""

    def __init__(self, key: bytes, school_id: str, root: bytes | None = None) -> None:
        root = key if root is None else root
        if len(key) != KEY or len(root) != KEY:
            raise EscrowError("The school's key has the wrong length.", "Restore the key from its backup.")
        self.school_id = school_id
        self._key, self._root = key, root

    @classmethod
    def from_key(cls, key: bytes, school_id: str) -> Escrow:
        """An Escrow from 32 raw bytes, for a restored key and for tests."""
        return cls(key, school_id)

    def __repr__(self) -> str:
        return f"<Escrow of school {self.school_id}, key {self.key_id}>"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    @cached_property
    def key_id(self) -> str:
        """Which key it is, 16 hex digits; tells nothing about the key."""
        return self._purpose(self._key, "key id")[:KEY_ID].hex()

    @cached_property
    def identity(self) -> str:
        """Which home it belongs to, 16 hex digits: of the root, so it outlives every rotation (school.toml, key_id)."""
        return self.derive("key id")[:KEY_ID].hex()

    def with_next_key(self, key: bytes) -> Escrow:
        """The same home under another key: the same root."""
        return Escrow(key, self.school_id, self._root)

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF-SHA256), the same each time, of which none tells another."""
        return self._purpose(self._root, purpose)

    def _purpose(self, secret: bytes, purpose: str) -> bytes:
        return hkdf(secret, prefixed(b"socialgov derive", self.school_id.encode(), purpose.encode()))

    # ---- sealing under the school's key: what the machine opens by itself

    def seal(self, content: bytes, *, account: str, field: str, version: int) -> bytes:
        """`content` sealed for one field of one record; opens only with the same account, field and version."""
        bound, data_key = self._bound(account, field, version), secrets.token_bytes(KEY)
        wrapped = encrypt(self._wrapping_key, data_key, self._wrap_bound(bound))
        return self._head(BY_SCHOOL_KEY) + wrapped + encrypt(data_key, content, b"content" + bound)

    def open(self, sealed: bytes, *, account: str, field: str, version: int) -> bytes:
        """The content. Raises EscrowError when it was changed, moved, or sealed under another key or to the vault."""
        self._check_head(sealed, BY_SCHOOL_KEY)
        bound = self._bound(account, field, version)
        data_key = decrypt(self._wrapping_key, sealed[HEAD : HEAD + WRAPPED], self._wrap_bound(bound))
        return decrypt(data_key, sealed[HEAD + WRAPPED :], b"content" + bound)

    # ---- sealing to the vault: what only a network manager opens (SEC207)

    def seal_to(self, vault: VaultKey, content: bytes, *, account: str, field: str, version: int) -> bytes:
        """`content` sealed to the vault's public key. To open it takes the school's key and the vault's private half.

        The school's key around the HPKE keeps whoever can only write to the database from slipping a record in.
        """
        bound, data_key = self._bound(account, field, version), secrets.token_bytes(KEY)
        front = self._to_vault(vault, data_key, bound)
        return front + encrypt(data_key, padded(content), b"content" + bound)

    def open_with(self, vault: OpenVault, sealed: bytes, *, account: str, field: str, version: int) -> bytes:
        """The content. Raises EscrowError when it was changed, moved, or sealed under another key or vault."""
        bound = self._bound(account, field, version)
        data_key = self._data_key(vault, sealed, bound)
        return unpadded(decrypt(data_key, sealed[FRONT[TO_VAULT] :], b"content" + bound))

    def _to_vault(self, vault: VaultKey, data_key: bytes, bound: bytes) -> bytes:
        mark = bytes.fromhex(vault.key_id)
        inner = seal_to_public(vault.public, data_key, b"data key" + mark + bound)
        wrapped = encrypt(self._wrapping_key, inner, self._wrap_bound(bound) + mark)
        return self._head(TO_VAULT) + mark + wrapped

    def _data_key(self, vault: OpenVault, sealed: bytes, bound: bytes) -> bytes:
        self._check_head(sealed, TO_VAULT)
        mark, wrapped = sealed[HEAD : HEAD + KEY_ID], sealed[HEAD + KEY_ID : FRONT[TO_VAULT]]
        if mark.hex() != vault.key_id:
            raise EscrowError("A record was sealed to another vault.", "Restore the newest backup.")
        inner = decrypt(self._wrapping_key, wrapped, self._wrap_bound(bound) + mark)
        return open_with_private(vault.private, inner, b"data key" + mark + bound)

    # ---- rotation: the front of a record is written anew, its content is neither opened nor touched

    def rewrap(self, sealed: bytes, old: Escrow, *, account: str, field: str, version: int) -> bytes:
        """The record under this key instead of `old`. `sealed` may be the front alone (`front_of`)."""
        scheme = sealed[2] if len(sealed) > HEAD else 0
        old._check_head(sealed, scheme)
        bound = self._bound(account, field, version)
        mark = sealed[HEAD : HEAD + KEY_ID] if scheme == TO_VAULT else b""
        start, end = HEAD + len(mark), FRONT[scheme]
        inner = decrypt(old._wrapping_key, sealed[start:end], old._wrap_bound(bound) + mark)
        wrapped = encrypt(self._wrapping_key, inner, self._wrap_bound(bound) + mark)
        return self._head(scheme) + mark + wrapped + sealed[end:]

    def reseal(
        self, sealed: bytes, opened: OpenVault, to: VaultKey, *, account: str, field: str, version: int
    ) -> bytes:
        """The record sealed to another vault key. Opens its data key, not its content."""
        bound = self._bound(account, field, version)
        data_key = self._data_key(opened, sealed, bound)
        return self._to_vault(to, data_key, bound) + sealed[FRONT[TO_VAULT] :]

    def hand_to_vault(self, sealed: bytes, vault: VaultKey, *, account: str, field: str, version: int) -> bytes:
        """A record of scheme 1 as one of scheme 2: passwords that were deposited before there was a vault."""
        content = self.open(sealed, account=account, field=field, version=version)
        return self.seal_to(vault, content, account=account, field=field, version=version)

    def check_front(
        self, sealed: bytes, opened: OpenVault | None = None, *, account: str, field: str, version: int
    ) -> int:
        """Its scheme, where this key opens the front of a record (`sealed` may be that alone); else EscrowError.

        Of the vault's records the inner half is looked at too where the vault is `opened`. No content is touched.
        """
        scheme = sealed[2] if len(sealed) > HEAD else 0
        self._check_head(sealed, scheme)
        bound = self._bound(account, field, version)
        if scheme == TO_VAULT and opened is not None:
            self._data_key(opened, sealed, bound)
        else:
            mark = sealed[HEAD : HEAD + KEY_ID] if scheme == TO_VAULT else b""
            wrapped = sealed[HEAD + len(mark) : FRONT[scheme]]
            decrypt(self._wrapping_key, wrapped, self._wrap_bound(bound) + mark)
        return scheme

    # ---- the parts of a record

    def _head(self, scheme: int) -> bytes:
        return self._heads[scheme]

    @cached_property
    def _heads(self) -> dict[int, bytes]:
        return {scheme: MAGIC + bytes([scheme]) + bytes.fromhex(self.key_id) for scheme in FRONT}

    def _check_head(self, sealed: bytes, scheme: int) -> None:
        if scheme in FRONT and len(sealed) >= FRONT[scheme] and sealed.startswith(self._heads[scheme]):
            return
        if len(sealed) < HEAD + WRAPPED or sealed[:2] != MAGIC:
            raise damaged()
        if sealed[2] not in FRONT:
            raise EscrowError("A record was sealed in a way this version does not know.", "Update socialgov.")
        if sealed[2] != scheme or len(sealed) < FRONT[scheme]:
            raise damaged()
        if sealed[3:HEAD].hex() != self.key_id:
            raise EscrowError(
                "A record was sealed under another key.", "Give this home the key it was made with (0004-keys.md)."
            )

    def _bound(self, account: str, field: str, version: int) -> bytes:
        """What a record is. The identity, not the key: a rotation must not touch the content."""
        before, after = self._home_bound
        return before + prefixed(account.encode(), field.encode(), b"%d" % version) + after

    @cached_property
    def _home_bound(self) -> tuple[bytes, bytes]:
        return prefixed(self.school_id.encode()), prefixed(self.identity.encode())

    def _wrap_bound(self, bound: bytes) -> bytes:
        return self._own_bound + bound

    @cached_property
    def _own_bound(self) -> bytes:
        return b"data key" + (b"" if self.key_id == self.identity else bytes.fromhex(self.key_id))

    @cached_property
    def _wrapping_key(self) -> AESGCM:
        return cipher(self._purpose(self._key, "wrap data keys"))

    # ---- finding a password that is used twice (SEC203)

    def fingerprints(self, secret: str) -> tuple[str, ...]:
        """Of the secret as typed, and of its near form where that is another. About 0.15 s each."""
        return tuple(self.stretched(quick) for quick in self.quick_fingerprints(secret))

    def quick_fingerprints(self, secret: str) -> tuple[str, ...]:
        """The same before they are stretched, as earlier versions kept them: to find those (actions/stretching.py)."""
        key = self.derive("password fingerprints")
        return tuple(keyed(key, form) for form in near_forms(secret))

    def stretched(self, quick: str) -> str:
        """Of an earlier version's fingerprint what is kept now; nothing is opened for it."""
        return stretched(self.derive("stretched fingerprints"), quick)

    # ---- signing (certificates, checkpoints), and vouching for the vault's public key

    def sign(self, message: bytes) -> str:
        """Ed25519 signature of `message`, base64."""
        return base64.b64encode(self._signing_key.sign(message)).decode()

    def public_key(self) -> str:
        """The public half of the signing key, base64 of 32 bytes."""
        return base64.b64encode(self._signing_key.public_key().public_bytes_raw()).decode()

    def proof_of(self, public: bytes) -> bytes:
        """That a public key was put into the store by us: without it, whoever writes there could swap in their own."""
        return hmac.new(self.derive("vault public key"), public, hashlib.sha256).digest()

    @cached_property
    def _signing_key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.derive("sign"))

    # ---- what the recovery sheets hold

    def secrets_to_recover(self) -> tuple[bytes, bytes]:
        """(root, key), to be sealed to the recovery key and to nothing else."""
        return self._root, self._key


def verify_signature(message: bytes, signature: str, public_key: str) -> bool:
    """Does `signature` (base64) over `message` belong to `public_key` (base64)? Malformed input is False."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def random_token() -> str:
    """256 random bits for a URL or a cookie."""
    return secrets.token_urlsafe(32)
