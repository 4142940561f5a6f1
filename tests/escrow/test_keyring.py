"""The keyring: chosen by name, tested before use, one key a home, and never a backend that loses or exposes."""

from __future__ import annotations

import base64
import dataclasses
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import pytest
from factories import PASSPHRASE, SCHOOL_ID
from keyring.backend import KeyringBackend
from keyrings.cryptfile.file import PlaintextKeyring

from socialgov.config import Settings, load_settings
from socialgov.errors import EscrowError
from socialgov.escrow import (
    KEY_FILE,
    PASSPHRASE_FILE_VARIABLE,
    PASSPHRASE_VARIABLE,
    SERVICE,
    SYSTEMD_CREDENTIAL,
    create_escrow,
    keyrings,
    open_escrow,
    refuse_unfit,
    self_test,
)

SCHOOL = f"""\
[school]
name = "Test School"
id = "{SCHOOL_ID}"
email_domains = ["school.example"]
base_url = "http://localhost"
contact = "office@school.example"
[keys]
backend = "cryptfile"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings, str]:
    """A home with a key file, made once: each use of Argon2 costs half a second."""
    root = tmp_path_factory.mktemp("home")
    (root / "school.toml").write_text(SCHOOL, encoding="utf-8")
    found = load_settings(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
        key_id = create_escrow(root, found).identity
    return root, dataclasses.replace(found, key_id=key_id), key_id


@pytest.fixture
def no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE)


# ---- the key file


def test_the_key_that_was_made_is_the_key_that_is_opened(made: tuple[Path, Settings, str]) -> None:
    root, found, key_id = made
    assert open_escrow(root, found).identity == key_id


def test_only_its_owner_can_read_the_key_file_and_it_tells_nothing(made: tuple[Path, Settings, str]) -> None:
    root, found, _ = made
    path = root / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = open_escrow(root, found)._key
    for way in (key, key.hex().encode(), base64.b64encode(key), PASSPHRASE.encode()):
        for place in root.rglob("*"):
            assert not place.is_file() or way not in place.read_bytes()


def test_a_second_key_is_refused_because_it_would_lock_out_everything_sealed(made: tuple[Path, Settings, str]) -> None:
    root, found, key_id = made
    with pytest.raises(EscrowError, match="has a key already"):
        create_escrow(root, found)
    assert open_escrow(root, found).identity == key_id


def test_a_wrong_passphrase_is_refused(made: tuple[Path, Settings, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "quite another passphrase")
    with pytest.raises(EscrowError, match="does not open the key file") as caught:
        open_escrow(*made[:2])
    assert "quite another" not in str(caught.value)


def test_another_key_than_the_homes_own_is_refused(made: tuple[Path, Settings, str]) -> None:
    root, found, _ = made
    with pytest.raises(EscrowError, match="another key"):
        open_escrow(root, dataclasses.replace(found, key_id="0" * 16))


def test_the_key_of_another_school_is_not_found(made: tuple[Path, Settings, str]) -> None:
    root, found, _ = made
    with pytest.raises(EscrowError, match="has no key for this school"):
        open_escrow(root, dataclasses.replace(found, school_id="ab" * 16))


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "binary"])
def test_a_damaged_key_file_is_refused_and_not_repaired(
    made: tuple[Path, Settings, str], tmp_path: Path, damage: str
) -> None:
    root, found, _ = made
    whole = (root / KEY_FILE).read_bytes()
    at = whole.index(SCHOOL_ID.encode()) + len(SCHOOL_ID) + 60
    changed = {
        "flip": whole[:at] + (b"A" if whole[at : at + 1] != b"A" else b"B") + whole[at + 1 :],
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "binary": b"\xff\x00\x01" * 50,
    }[damage]
    path = tmp_path / KEY_FILE
    path.write_bytes(changed)
    with pytest.raises(EscrowError):
        open_escrow(tmp_path, found)


def test_a_home_copied_without_its_key_file_is_refused_and_no_new_key_is_made(
    made: tuple[Path, Settings, str], tmp_path: Path
) -> None:
    with pytest.raises(EscrowError, match="is missing"):
        open_escrow(tmp_path, made[1])
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_written_is_named(made: tuple[Path, Settings, str], tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes((made[0] / KEY_FILE).read_bytes())
    (tmp_path / ".key.lock").mkdir()
    with pytest.raises(EscrowError, match="cannot be written"):
        open_escrow(tmp_path, made[1])


# ---- the passphrase


@pytest.mark.usefixtures("no_passphrase")
def test_without_a_passphrase_it_says_the_three_ways_to_give_one(made: tuple[Path, Settings, str]) -> None:
    with pytest.raises(EscrowError, match="no passphrase") as caught:
        open_escrow(*made[:2])
    for way in (PASSPHRASE_VARIABLE, PASSPHRASE_FILE_VARIABLE, SYSTEMD_CREDENTIAL):
        assert way in caught.value.mend


@pytest.mark.usefixtures("no_passphrase")
def test_a_passphrase_comes_from_a_named_file_the_settings_or_systemd(
    made: tuple[Path, Settings, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made[1]
    for name, text in (("named", "from the named file"), ("configured", "from the settings"), ("", "")):
        if name:
            (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    (tmp_path / SYSTEMD_CREDENTIAL).write_text("from systemd itself", encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert keyrings.passphrase(found) == "from systemd itself"
    configured = dataclasses.replace(found, key_passphrase_file=tmp_path / "configured")
    assert keyrings.passphrase(configured) == "from the settings"
    monkeypatch.setenv(PASSPHRASE_FILE_VARIABLE, str(tmp_path / "named"))
    assert keyrings.passphrase(configured) == "from the named file"
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "from the environment")
    assert keyrings.passphrase(configured) == "from the environment"


@pytest.mark.parametrize("weak", ["", "   ", "short", "           \t\n  "])
def test_a_short_passphrase_is_refused(
    made: tuple[Path, Settings, str], monkeypatch: pytest.MonkeyPatch, weak: str
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, weak)
    with pytest.raises(EscrowError, match="shorter than"):
        open_escrow(*made[:2])


@pytest.mark.usefixtures("no_passphrase")
def test_a_passphrase_file_that_cannot_be_read_is_named(
    made: tuple[Path, Settings, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE_FILE_VARIABLE, "/nowhere/passphrase")
    with pytest.raises(EscrowError, match="/nowhere/passphrase"):
        open_escrow(*made[:2])


# ---- other backends


class RecordingKeyring(KeyringBackend):
    """A keyring of a system, which keeps what it is given and remembers what it was asked."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.asked: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append(f"get {username}")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.asked.append(f"set {username}")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.asked.append(f"delete {username}")
        del self.kept[service, username]


class ForgettingKeyring(RecordingKeyring):
    """Like keyring's null backend: takes a secret and has none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        self.asked.append(f"set {username}")


class TalkingKeyring(RecordingKeyring):
    """Quotes the secret in its error, as a bus that does not answer may do."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot store {password}")


@pytest.fixture
def system(made: tuple[Path, Settings, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A machine whose Secret Service is a RecordingKeyring."""
    kept = RecordingKeyring()
    monkeypatch.setattr(keyrings, "_instance", lambda name: kept)
    yield dataclasses.replace(made[1], key_backend="secret-service", key_id="")
    assert all(service == SERVICE for service, _ in kept.kept)


def test_a_system_keyring_is_tested_by_writing_each_time_it_is_opened(system: Settings, tmp_path: Path) -> None:
    key_id = create_escrow(tmp_path, system).key_id
    kept = keyrings._instance("secret-service")
    kept.asked.clear()
    assert open_escrow(tmp_path, system).key_id == key_id
    probe = f"{SCHOOL_ID} self-test"
    assert kept.asked == [f"get {SCHOOL_ID}", f"set {probe}", f"get {probe}", f"delete {probe}"]
    assert [name for _, name in kept.kept] == [SCHOOL_ID]


def test_a_keyring_that_forgets_is_noticed_before_anything_relies_on_it(
    system: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyrings, "_instance", lambda name: ForgettingKeyring())
    with pytest.raises(EscrowError, match="did not keep"):
        create_escrow(tmp_path, system)
    with pytest.raises(EscrowError, match="did not keep"):
        self_test(ForgettingKeyring(), "school")


def test_what_a_keyring_says_in_its_errors_is_not_passed_on(
    system: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyrings, "_instance", lambda name: TalkingKeyring())
    with pytest.raises(EscrowError, match="did not answer") as caught:
        create_escrow(tmp_path, system)
    assert "cannot store" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_entry_that_is_no_key_is_refused(system: Settings, tmp_path: Path) -> None:
    for text in ("not base64 at all!", base64.b64encode(b"short").decode(), "é"):
        keyrings._instance("").kept[SERVICE, SCHOOL_ID] = text
        with pytest.raises(EscrowError):
            open_escrow(tmp_path, system)


@pytest.mark.parametrize(
    "backend",
    [
        keyring.backends.fail.Keyring(),
        keyring.backends.null.Keyring(),
        keyring.backends.chainer.ChainerBackend(),
        PlaintextKeyring(),
    ],
    ids=["fail", "null", "chainer", "plaintext"],
)
def test_backends_that_lose_or_expose_are_refused(backend: KeyringBackend) -> None:
    with pytest.raises(EscrowError, match="cannot keep a secret safe"):
        refuse_unfit(backend)


def test_the_file_backends_of_keyrings_alt_are_refused() -> None:
    encrypted = type("EncryptedKeyring", (RecordingKeyring,), {"__module__": "keyrings.alt.file"})
    with pytest.raises(EscrowError, match=r"keyrings\.alt"):
        refuse_unfit(encrypted())


def test_a_machine_without_the_chosen_keyring_is_told_what_to_choose(
    made: tuple[Path, Settings, str], tmp_path: Path
) -> None:
    with pytest.raises(EscrowError, match="has no keyring windows") as caught:
        create_escrow(tmp_path, dataclasses.replace(made[1], key_backend="windows"))
    assert "cryptfile" in caught.value.mend


def test_without_a_system_keyring_init_proposes_the_key_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> KeyringBackend:
        raise RuntimeError("no bus")

    monkeypatch.setattr(keyrings, "_instance", none)
    assert keyrings.proposed_backend() == "cryptfile"
    monkeypatch.setattr(keyrings, "_instance", lambda name: RecordingKeyring())
    assert keyrings.proposed_backend() == "secret-service"


def test_what_the_environment_says_to_keyring_does_not_change_the_choice(
    made: tuple[Path, Settings, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, found, key_id = made
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    assert open_escrow(root, found).identity == key_id


def test_two_that_make_a_key_at_once_get_one_key(tmp_path: Path, made: tuple[Path, Settings, str]) -> None:
    """The file backend alone would lose one of them without an error."""
    found, made_keys, refused = dataclasses.replace(made[1], key_id=""), [], []

    def make() -> None:
        try:
            made_keys.append(create_escrow(tmp_path, found).key_id)
        except EscrowError as error:
            refused.append(error)

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made_keys) == 1
    assert len(refused) == 2
    assert open_escrow(tmp_path, found).key_id == made_keys[0]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
