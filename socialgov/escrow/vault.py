"""The vault's key pair, who holds it, and how it is recovered (SEC207; docs/decisions/0010-vault.md).

The public half seals deposits and is in the database. The private half exists in the clear only in the memory of a
request in which a network manager has opened it. At rest it is sealed once for each holder, to a key that comes from
the holder's passphrase, and once to the recovery key, which is split over three sheets of paper.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from socialgov.errors import EscrowError
from socialgov.escrow.school_key import KEY_ID, Escrow
from socialgov.escrow.sealing import (
    HPKE_OVERHEAD,
    KEY,
    PREFIX,
    damaged,
    decrypt,
    encrypt,
    hkdf,
    open_with_private,
    prefixed,
    private_key,
    seal_to_public,
)
from socialgov.escrow.stretching import LANES, MEMORY, PASSES, SALT, stretch

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

_KEYS_SEALED = 2 * KEY + HPKE_OVERHEAD  # root and key, for the recovery sheets
COST = f"argon2id:{PASSES}:{MEMORY}:{LANES}"


@dataclass(frozen=True, slots=True)
class VaultKey:
    """The public half, which everybody may have. `key_id`: 16 hex digits."""

    key_id: str
    public: bytes


class OpenVault:
    """The private half, in memory for as long as one request needs it. Never part of a repr, never pickled."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY:
            raise EscrowError("The vault's key has the wrong length.", "Restore the newest backup.")
        self._raw = raw

    def __repr__(self) -> str:
        return f"<OpenVault {self.key_id}>"

    def __reduce__(self) -> str:
        raise TypeError("a vault is not pickled")

    @cached_property
    def private(self) -> X25519PrivateKey:
        return private_key(self._raw)

    @cached_property
    def public(self) -> VaultKey:
        public = self.private.public_key().public_bytes_raw()
        return VaultKey(hkdf(public, b"socialgov vault key id")[:KEY_ID].hex(), public)

    @property
    def key_id(self) -> str:
        return self.public.key_id

    # ---- the five minutes in which it stays open (vault_opening)

    def kept_under(self, escrow: Escrow, token: str, opening_id: int) -> bytes:
        """Sealed so that it takes the school's key and the browser's `token` to go on."""
        inner = encrypt(token_key(token), self._raw, b"vault opening")
        return escrow.seal(inner, account="vault", field="opening", version=opening_id)

    @classmethod
    def kept(cls, escrow: Escrow, sealed: bytes, token: str, opening_id: int) -> OpenVault:
        """Raises EscrowError for another token, another row, or a changed one."""
        inner = escrow.open(sealed, account="vault", field="opening", version=opening_id)
        return cls(decrypt(token_key(token), inner, b"vault opening"))

    # ---- its holders

    def wrapped_for(self, escrow: Escrow, public: bytes, holder_id: int) -> bytes:
        """The private half for one holder: sealed to the holder's public key, and under the school's key."""
        inner = seal_to_public(public, self._raw, _holder_bound(escrow, holder_id))
        return escrow.seal(inner, account="vault", field="holder", version=holder_id)

    def recovery_of(self, escrow: Escrow, public: bytes, proof: bytes) -> bytes:
        """All that a school needs after its keyring or its network managers are lost, sealed to the recovery key.

        Not under the school's key: it must open when that is lost. So the recovery key's `proof` (`recovery_proof`) is
        looked at first: whoever could put their own key there would be handed everything. Raises EscrowError.
        """
        keys = _recoverable_keys(escrow, public, proof)
        return prefixed(keys, seal_to_public(public, self._raw, _recovery_bound(escrow.school_id, b"vault")))


def renewed_recovery(escrow: Escrow, public: bytes, proof: bytes, sealed: bytes) -> bytes:
    """What `recovery_of` made, with the school's new key in it: the vault's part stays shut. Raises EscrowError."""
    _, vault = _two_parts(sealed)
    return prefixed(_recoverable_keys(escrow, public, proof), vault)


def _recoverable_keys(escrow: Escrow, public: bytes, proof: bytes) -> bytes:
    if not hmac.compare_digest(recovery_proof(escrow, public), proof):
        raise EscrowError(
            "The recovery key was changed by somebody.",
            "Keep the database as evidence and restore the newest backup.",
        )
    return seal_to_public(public, b"".join(escrow.secrets_to_recover()), _recovery_bound(escrow.school_id, b"keys"))


def _two_parts(sealed: bytes) -> tuple[bytes, bytes]:
    """The keys' part and the vault's. Raises EscrowError for what `prefixed` did not put together."""
    keys, vault = sealed[PREFIX : PREFIX + _KEYS_SEALED], sealed[2 * PREFIX + _KEYS_SEALED :]
    if prefixed(keys, vault) != sealed:
        raise damaged()
    return keys, vault


def recovery_proof(escrow: Escrow, public: bytes) -> bytes:
    """That a recovery key was put into the store by us."""
    return escrow.proof_of(prefixed(b"recovery", public))


def make_vault_key() -> OpenVault:
    """A new key pair, from 32 random bytes."""
    return OpenVault(secrets.token_bytes(KEY))


def vault_key_of(escrow: Escrow, public: bytes, proof: bytes, key_id: str) -> VaultKey:
    """The public half as the store has it. Raises EscrowError unless we put it there: deposits would go astray."""
    if not hmac.compare_digest(escrow.proof_of(public), proof):
        raise EscrowError(
            "The vault's public key was changed by somebody.",
            "Keep the database as evidence and restore the newest backup.",
        )
    found = VaultKey(hkdf(public, b"socialgov vault key id")[:KEY_ID].hex(), public)
    if found.key_id != key_id:
        raise EscrowError("The vault's key does not carry its own id.", "Restore the newest backup.")
    return found


def token_key(token: str) -> bytes:
    """From the 256 random bits of a cookie."""
    return hkdf(token.encode(), b"socialgov vault opening")


@dataclass(frozen=True)
class Holder:
    """One way into the vault: a passphrase, stretched to a key pair. The public half lets others seal to it."""

    salt: bytes
    cost: str = COST

    @classmethod
    def new(cls) -> Holder:
        return cls(secrets.token_bytes(SALT))

    def private_of(self, passphrase: str) -> X25519PrivateKey:
        """The holder's private key: Argon2id over the passphrase. Takes about 0.15 s and 64 MiB."""
        return private_key(stretch(passphrase.encode(), self.salt, *self._numbers()))

    def _numbers(self) -> tuple[int, int, int]:
        """Passes, KiB and lanes; what a changed row says instead is refused before it costs memory or time."""
        found = re.fullmatch(r"argon2id:([1-9]\d?):([1-9]\d{3,5}):([1-9])", self.cost)
        if found is None or len(self.salt) != SALT:
            raise EscrowError("A way into the vault is damaged.", "Restore it from the newest backup.")
        return int(found[1]), int(found[2]), int(found[3])

    def public_of(self, passphrase: str) -> bytes:
        return self.private_of(passphrase).public_key().public_bytes_raw()

    def open(self, escrow: Escrow, wrapped: bytes, passphrase: str, holder_id: int) -> OpenVault:
        """The vault. Raises EscrowError when the passphrase is another, or the row was changed or swapped."""
        inner = escrow.open(wrapped, account="vault", field="holder", version=holder_id)
        return OpenVault(open_with_private(self.private_of(passphrase), inner, _holder_bound(escrow, holder_id)))


@dataclass(frozen=True, slots=True)
class Recovery:
    """The recovery secret, 32 bytes, as long as it is not yet split or was joined again (escrow/shares.py)."""

    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Recovery:
        return cls(secrets.token_bytes(KEY))

    @property
    def check_value(self) -> bytes:
        """Tells whether joined sheets are those of this school; SLIP-39 itself would not say."""
        return hkdf(self.secret, b"socialgov recovery check")[:8]

    @property
    def public(self) -> bytes:
        return self._private().public_key().public_bytes_raw()

    def open(self, school_id: str, sealed: bytes) -> tuple[Escrow, OpenVault]:
        """The school's key and vault, from the newest backup and two sheets alone. Raises EscrowError."""
        keys, vault = _two_parts(sealed)
        both = open_with_private(self._private(), keys, _recovery_bound(school_id, b"keys"))
        raw = open_with_private(self._private(), vault, _recovery_bound(school_id, b"vault"))
        return Escrow(both[KEY:], school_id, both[:KEY]), OpenVault(raw)

    def _private(self) -> X25519PrivateKey:
        return private_key(hkdf(self.secret, b"socialgov recovery key"))


def _holder_bound(escrow: Escrow, holder_id: int) -> bytes:
    return prefixed(b"socialgov vault holder", escrow.school_id.encode(), str(holder_id).encode())


def _recovery_bound(school_id: str, part: bytes) -> bytes:
    return prefixed(b"socialgov recovery", part, school_id.encode())
