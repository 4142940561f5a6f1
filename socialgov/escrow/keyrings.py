"""Where the school's key lies: the system keyring, under a backend chosen by name in school.toml.

Nothing picks a backend by itself, because some lose or expose what they are given (docs/decisions/0004-keys.md). The
entry holds the root and the key, and while the key is being changed the next one too: `2:ROOT:KEY[:NEXT]`, each in
base64. An entry of the first version is one secret that is both.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from socialgov.errors import EscrowError
from socialgov.escrow.school_key import Escrow
from socialgov.escrow.sealing import KEY

if TYPE_CHECKING:
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


# --------------------------------------------------------------------------------------------------- the keyring


def create_escrow(root: Path, settings: Settings) -> Escrow:
    """Make the school's key and put it into the chosen keyring; read back before anything relies on it.

    Raises EscrowError when there is a key already (a second would make everything sealed unreadable), when the backend
    is refused, or when what was written does not come back.
    """
    with _locked(root):
        anew = settings.key_backend == "cryptfile" and not (root / KEY_FILE).exists()
        backend = _instance(settings.key_backend) if anew else _backend(root, settings)
        if not anew and _ask(backend.get_password, SERVICE, settings.school_id) is not None:
            raise EscrowError("This school has a key already.", "Use it: `socialgov status` says whether it opens.")
        secrets_made = [secrets.token_bytes(KEY), secrets.token_bytes(KEY)]
        _put(backend, root, settings, secrets_made)
    return Escrow(secrets_made[1], settings.school_id, secrets_made[0])


def open_escrow(root: Path, settings: Settings, in_force: str | None = None) -> Escrow:
    """The school's key, read from its keyring and compared with the key id of school.toml. Raises EscrowError.

    `in_force`: the id of the key that the database was last written under; None where it was never changed.
    """
    if settings.key_backend == "cryptfile" and not (root / KEY_FILE).is_file():
        raise EscrowError(
            f"The key file {root / KEY_FILE} is missing.",
            "Restore it from its backup, or use two recovery sheets: `socialgov escrow recover`.",
        )
    with _locked(root):
        backend = _backend(root, settings)
        found = _entry(backend, settings)
        if settings.key_backend != "cryptfile":
            self_test(backend, settings.school_id)
    keys = _escrows(found, settings)
    if settings.key_id and keys[0].identity != settings.key_id:
        raise EscrowError(
            "The keyring holds another key than this home was made with.", "Restore the key from its backup."
        )
    for escrow in keys:
        if in_force in (None, escrow.key_id):
            return escrow
    raise EscrowError(
        "The keyring holds another key than the database was last written under.",
        "Restore the key from its backup, or recover it with two of the recovery sheets.",
    )


# ---- changing the key (`socialgov escrow rotate-key`), in two steps around the database's own


def stage_next_key(root: Path, settings: Settings) -> Escrow:
    """A next key beside the one in force, in the keyring; the same one again after a crash. Raises EscrowError."""
    with _locked(root):
        backend = _backend(root, settings)
        found = _entry(backend, settings)
        if len(found) < 3:
            found = [*(found if len(found) == 2 else found * 2), secrets.token_bytes(KEY)]
            _put(backend, root, settings, found)
    return _escrows(found, settings)[-1]


def drop_old_key(root: Path, settings: Settings, in_force: str) -> None:
    """Only the key in force is left in the keyring; what was sealed under the others opens no more."""
    with _locked(root):
        backend = _backend(root, settings)
        found = _entry(backend, settings)
        kept = [escrow for escrow in _escrows(found, settings) if escrow.key_id == in_force]
        if not kept:
            raise EscrowError("The key in force is not in the keyring.", "Restore the key from its backup.")
        if len(found) > 2:
            _put(backend, root, settings, list(kept[0].secrets_to_recover()))


def replace_key(root: Path, settings: Settings, escrow: Escrow) -> None:
    """Put a recovered key into the keyring, in place of whatever is there. Raises EscrowError."""
    with _locked(root):
        # a key file is made anew and not opened before: its passphrase may be lost
        is_file = settings.key_backend == "cryptfile"
        backend = _instance(settings.key_backend) if is_file else _backend(root, settings)
        _put(backend, root, settings, list(escrow.secrets_to_recover()))


def _escrows(found: list[bytes], settings: Settings) -> list[Escrow]:
    """The keys of an entry, the one in force before a rotation first."""
    root, keys = found[0], found[1:] or found
    return [Escrow(key, settings.school_id, root) for key in keys]


def _entry(backend: KeyringBackend, settings: Settings) -> list[bytes]:
    """[root, key] or [root, key, next]; of the first version [key]. Raises EscrowError."""
    text = _ask(backend.get_password, SERVICE, settings.school_id)
    if text is None:
        raise EscrowError(
            f"The keyring {settings.key_backend} has no key for this school.",
            "Run as the user who ran `socialgov init`, or restore the key from its backup.",
        )
    parts = text.split(":")
    if parts[0] == "2":
        parts = parts[1:]
    try:
        found = [base64.b64decode(part, validate=True) for part in parts]
    except ValueError:
        found = []
    if not 1 <= len(found) <= 3 or any(len(part) != KEY for part in found):
        raise EscrowError("The keyring's entry for this school is no key.", "Restore the key from its backup.")
    return found


def _put(backend: KeyringBackend, root: Path, settings: Settings, found: list[bytes]) -> None:
    """Write the entry and read it back.

    A file backend writes its whole file anew, so a key file is made beside the old one and takes its place when it was
    read back and is on the disk: killed at any moment, one of the two is there whole.
    """
    text = ":".join(["2", *(base64.b64encode(part).decode() for part in found)])
    path, beside = root / KEY_FILE, root / f"{KEY_FILE}.next"
    is_file = settings.key_backend == "cryptfile"
    if is_file:
        beside.unlink(missing_ok=True)
        backend = _instance(settings.key_backend)
        _unlock(backend, beside, passphrase(settings))
    _ask(backend.set_password, SERVICE, settings.school_id, text)
    if _ask(backend.get_password, SERVICE, settings.school_id) != text:
        raise EscrowError(
            f"The keyring {settings.key_backend} did not keep the key.", "Choose another backend (0004-keys.md)."
        )
    if is_file:
        _settle(beside)
        beside.replace(path)
        _settle(path)


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
