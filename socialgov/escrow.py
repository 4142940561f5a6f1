"""The school's one key, and everything that is sealed, derived or signed with it.

The key lives in the system keyring under a backend chosen by name in school.toml; nothing picks one by itself, because
some backends lose or expose what they are given (docs/decisions/0004-keys.md). Records are sealed by envelope: a
random data key a record, wrapped by the school's key, both bound to what the record is. This module is the only
importer of keyring and of ciphers. It never puts a secret into an error, a log or a repr.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import secrets
import struct
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from socialgov.errors import EscrowError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from keyring.backend import KeyringBackend

    from socialgov.config import Settings

SERVICE = "socialgov"
KEY_FILE = "key.cryptfile"
PASSPHRASE_VARIABLE = "SOCIALGOV_PASSPHRASE"  # noqa: S105
PASSPHRASE_FILE_VARIABLE = "SOCIALGOV_PASSPHRASE_FILE"  # noqa: S105
SYSTEMD_CREDENTIAL = "socialgov-passphrase"
PASSPHRASE_MIN_LENGTH = 12

_BACKENDS = {
    "cryptfile": ("keyrings.cryptfile.cryptfile", "CryptFileKeyring"),
    "secret-service": ("keyring.backends.SecretService", "Keyring"),
    "kwallet": ("keyring.backends.kwallet", "DBusKeyring"),
    "macos": ("keyring.backends.macOS", "Keyring"),
    "windows": ("keyring.backends.Windows", "WinVaultKeyring"),
}
# fail has no store, null loses everything silently, the chainer chooses for itself and may prompt, and the file
# backends of keyrings.alt do not notice tampering (facts measured for 0004-keys.md).
_REFUSED_MODULES = ("keyring.backends.fail", "keyring.backends.null", "keyring.backends.chainer", "keyrings.alt")

_MAGIC = b"SG"
_BY_SCHOOL_KEY = 1  # the scheme byte: a later scheme may wrap the data key to a person's public key instead
_NONCE, _TAG, _KEY, _KEY_ID = 12, 16, 32, 8
_HEAD = len(_MAGIC) + 1 + _KEY_ID
_WRAPPED = _NONCE + _KEY + _TAG


class Escrow:
    """The key of one school, opened. Thread-safe: it holds no state that changes."""

    def __init__(self, key: bytes, school_id: str) -> None:
        if len(key) != _KEY:
            raise EscrowError("The school's key has the wrong length.", "Restore the key from its backup.")
        self.school_id = school_id
        self._key = key

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
        return self.derive("key id")[:_KEY_ID].hex()

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF-SHA256), the same each time, of which none tells another."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = _prefixed(b"socialgov derive", self.school_id.encode(), purpose.encode())
        return HKDF(SHA256(), _KEY, salt=None, info=info).derive(self._key)

    # ---- sealing

    def seal(self, content: bytes, *, account: str, field: str, version: int) -> bytes:
        """`content` sealed for one field of one record; opens only with the same account, field and version."""
        bound = self._bound(account, field, version)
        data_key = secrets.token_bytes(_KEY)
        head = _MAGIC + bytes([_BY_SCHOOL_KEY]) + bytes.fromhex(self.key_id)
        return head + self._wrap(data_key, bound) + _encrypt(data_key, content, b"content" + bound)

    def open(self, sealed: bytes, *, account: str, field: str, version: int) -> bytes:
        """The content. Raises EscrowError when it was changed, moved, or sealed under another key."""
        if len(sealed) < _HEAD + _WRAPPED + _NONCE + _TAG or sealed[:2] != _MAGIC:
            raise EscrowError("A sealed record is damaged.", "Restore it from the newest backup.")
        if sealed[2] != _BY_SCHOOL_KEY:
            raise EscrowError("A record was sealed in a way this version does not know.", "Update socialgov.")
        if sealed[3:_HEAD].hex() != self.key_id:
            raise EscrowError(
                "A record was sealed under another key.", "Give this home the key it was made with (0004-keys.md)."
            )
        bound = self._bound(account, field, version)
        data_key = self._unwrap(sealed[_HEAD : _HEAD + _WRAPPED], bound)
        return _decrypt(data_key, sealed[_HEAD + _WRAPPED :], b"content" + bound)

    def _bound(self, account: str, field: str, version: int) -> bytes:
        """What a record is, each part with its length in front so that no two records read the same."""
        parts = (self.school_id, account, field, str(version), self.key_id)
        return _prefixed(*(part.encode() for part in parts))

    def _wrap(self, data_key: bytes, bound: bytes) -> bytes:
        return _encrypt(self._wrapping_key, data_key, b"data key" + bound)

    def _unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        return _decrypt(self._wrapping_key, wrapped, b"data key" + bound)

    @cached_property
    def _wrapping_key(self) -> bytes:
        return self.derive("wrap data keys")

    # ---- finding a password that is used twice (SEC203)

    def fingerprint(self, secret: str) -> str:
        """A keyed hash of the secret as typed (after NFKC): equal secrets are seen without being kept."""
        return self._hash(unicodedata.normalize("NFKC", secret))

    def fingerprints(self, secret: str) -> tuple[str, ...]:
        """`fingerprint`, then those of its near forms: without capitals, and without the digits and signs at its end.

        Two secrets are near when their sets meet.
        """
        exact = unicodedata.normalize("NFKC", secret)
        plain = unicodedata.normalize("NFKC", exact.casefold())
        stem = plain.rstrip("".join({sign for sign in plain if not sign.isalpha()}))
        forms = [exact, plain] + ([stem] if len(stem) >= 5 else [])
        return tuple(dict.fromkeys(self._hash(form) for form in forms))

    def _hash(self, text: str) -> str:
        return hmac.new(self.derive("password fingerprints"), text.encode(), hashlib.sha256).hexdigest()

    # ---- signing (certificates, checkpoints)

    def sign(self, message: bytes) -> str:
        """Ed25519 signature of `message`, base64."""
        return base64.b64encode(self._signing_key.sign(message)).decode()

    def public_key(self) -> str:
        """The public half of the signing key, base64 of 32 bytes."""
        return base64.b64encode(self._signing_key.public_key().public_bytes_raw()).decode()

    @cached_property
    def _signing_key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.derive("sign"))


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


# --------------------------------------------------------------------------------------------------- the keyring


def create_escrow(root: Path, settings: Settings) -> Escrow:
    """Make the school's key and put it into the chosen keyring; read back before anything relies on it.

    Raises EscrowError when there is a key already (a second would make everything sealed unreadable), when the backend
    is refused, or when what was written does not come back.
    """
    with _locked(root):
        backend = _backend(root, settings)
        name = settings.school_id
        if _ask(backend.get_password, SERVICE, name) is not None:
            raise EscrowError("This school has a key already.", "Use it: `socialgov status` says whether it opens.")
        key = secrets.token_bytes(_KEY)
        text = base64.b64encode(key).decode()
        _ask(backend.set_password, SERVICE, name, text)
        if _ask(backend.get_password, SERVICE, name) != text:
            raise EscrowError(
                f"The keyring {settings.key_backend} did not keep the key.", "Choose another backend (0004-keys.md)."
            )
    if settings.key_backend == "cryptfile":
        _settle(root / KEY_FILE)
    return Escrow(key, name)


def open_escrow(root: Path, settings: Settings) -> Escrow:
    """The school's key, read from its keyring and compared with the key id of school.toml. Raises EscrowError."""
    if settings.key_backend == "cryptfile" and not (root / KEY_FILE).is_file():
        raise EscrowError(f"The key file {root / KEY_FILE} is missing.", "Restore it from its backup.")
    with _locked(root):
        backend = _backend(root, settings)
        text = _ask(backend.get_password, SERVICE, settings.school_id)
        if text is not None and settings.key_backend != "cryptfile":
            self_test(backend, settings.school_id)
    if text is None:
        raise EscrowError(
            f"The keyring {settings.key_backend} has no key for this school.",
            "Run as the user who ran `socialgov init`, or restore the key from its backup.",
        )
    try:
        escrow = Escrow(base64.b64decode(text, validate=True), settings.school_id)
    except ValueError:
        raise EscrowError(
            "The keyring's entry for this school is no key.", "Restore the key from its backup."
        ) from None
    if settings.key_id and escrow.key_id != settings.key_id:
        raise EscrowError(
            "The keyring holds another key than this home was made with.", "Restore the key from its backup."
        )
    return escrow


def proposed_backend() -> str:
    """The keyring of this machine if it has one that works without anybody sitting there, else `cryptfile`.

    Proposed once, by `socialgov init`, and written into school.toml: later nothing is chosen any more.
    """
    for name in _BACKENDS:
        if name != "cryptfile":
            try:
                if _instance(name).priority > 0:
                    return name
            except Exception:  # noqa: S112 (any failure means: this machine has no such keyring)
                continue
    return "cryptfile"


def _instance(name: str) -> KeyringBackend:
    from importlib import import_module

    module, class_name = _BACKENDS[name]
    backend_class: type[KeyringBackend] = getattr(import_module(module), class_name)
    _ = backend_class.priority  # raises where the system has no such keyring
    return backend_class()


def _backend(root: Path, settings: Settings) -> KeyringBackend:
    """The backend named in school.toml, never one that keyring would pick."""
    try:
        backend = _instance(settings.key_backend)
    except Exception as error:
        raise EscrowError(
            f"This machine has no keyring {settings.key_backend} ({type(error).__name__}).",
            'Write backend = "cryptfile" under [keys] and give a passphrase (docs/decisions/0004-keys.md).',
        ) from None
    refuse_unfit(backend)
    if settings.key_backend == "cryptfile":
        _unlock(backend, root / KEY_FILE, passphrase(settings))
    return backend


def refuse_unfit(backend: object) -> None:
    """Raise EscrowError for a backend that loses, exposes or does not protect what it is given."""
    module = type(backend).__module__
    if module.startswith(_REFUSED_MODULES) or type(backend).__name__ == "PlaintextKeyring":
        raise EscrowError(f"The keyring {module} cannot keep a secret safe.", "Choose another backend (0004-keys.md).")


def self_test(backend: KeyringBackend, name: str) -> None:
    """Write a value, read it back, delete it. Raises EscrowError for a keyring that loses what it is given.

    Not done with the key file when it is opened: it is written once, at init, and rewriting it with the key inside is
    the one thing that could lose the key. That it opens and holds the right key is test enough.
    """
    probe, value = f"{name} self-test", secrets.token_urlsafe(16)
    _ask(backend.set_password, SERVICE, probe, value)
    if _ask(backend.get_password, SERVICE, probe) != value:
        raise EscrowError(
            f"The keyring {type(backend).__module__} did not keep what it was given.",
            "Choose another backend in school.toml, [keys] backend (docs/decisions/0004-keys.md).",
        )
    _ask(backend.delete_password, SERVICE, probe)


def _unlock(backend: KeyringBackend, path: Path, secret: str) -> None:
    backend.file_path = str(path)  # type: ignore[attr-defined]
    try:
        # the environment's KEYRING_PROPERTY_… that keyring documents does not reach this backend
        backend.keyring_key = secret  # type: ignore[attr-defined]
    except (ValueError, AssertionError):
        raise EscrowError("The passphrase does not open the key file.", "Give the one that was set at init.") from None
    except Exception as error:
        raise EscrowError(
            f"The key file {path} cannot be used ({type(error).__name__}).", "Restore it from its backup."
        ) from None


def passphrase(settings: Settings) -> str:
    """From the environment, a file named there or in school.toml, or systemd's credentials. Raises EscrowError."""
    secret = os.environ.get(PASSPHRASE_VARIABLE)
    if secret is None:
        path = _passphrase_path(settings)
        if path is None:
            raise EscrowError(
                "There is no passphrase for the key file.",
                f"Set {PASSPHRASE_VARIABLE}, or {PASSPHRASE_FILE_VARIABLE} to a file, or give systemd's credential "
                f"{SYSTEMD_CREDENTIAL}.",
            )
        try:
            secret = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise EscrowError(f"The passphrase file {path} cannot be read.", "Let this user read it.") from None
    if len(secret.strip()) < PASSPHRASE_MIN_LENGTH:
        raise EscrowError(
            f"The passphrase is shorter than {PASSPHRASE_MIN_LENGTH} characters.", "Take six words at random."
        )
    return secret


def _passphrase_path(settings: Settings) -> Path | None:
    if named := os.environ.get(PASSPHRASE_FILE_VARIABLE):
        return Path(named)
    if settings.key_passphrase_file is not None:
        return settings.key_passphrase_file
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):
        return Path(folder) / SYSTEMD_CREDENTIAL
    return None


def _ask(call: object, *args: str) -> str | None:
    """Call a keyring. Whatever it raises becomes one EscrowError without its text, which might quote the secret."""
    try:
        return call(*args)  # type: ignore[operator, no-any-return]
    except Exception as error:
        raise EscrowError(
            f"The keyring did not answer ({type(error).__name__}).", "Unlock it, or choose another backend."
        ) from None


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """One process at a time: the file backend writes its whole file anew and loses what another wrote meanwhile."""
    try:
        lock = (root / ".key.lock").open("w")
    except OSError as error:
        raise EscrowError(f"{root} cannot be written: {error.strerror}.", "Give this user the home.") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _settle(path: Path) -> None:
    """The key file on the disk for good, readable by its owner alone."""
    path.chmod(0o600)
    for place in (path, path.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# --------------------------------------------------------------------------------------------------- bytes


def _prefixed(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _encrypt(key: bytes, content: bytes, bound: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, bound)


def _decrypt(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
    except InvalidTag:
        raise EscrowError(
            "A sealed record does not open: it was changed, or belongs elsewhere.", "Restore it from the newest backup."
        ) from None
