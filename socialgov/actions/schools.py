"""Making a school: its folder, its choices, its key, its database, and its network manager's way in."""

from __future__ import annotations

import fcntl
import io
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from string import Template
from types import MappingProxyType

from socialgov.actions.signin import make_signin_link
from socialgov.actions.staff import add_staff
from socialgov.actions.vault import Invitation, make_vault
from socialgov.config import Settings, load_settings, package_folder
from socialgov.errors import ConfigError, Conflict, InvalidInput, StoreError
from socialgov.escrow import Escrow, create_escrow
from socialgov.home import Home
from socialgov.models import Role
from socialgov.store import migrate, record_event, write
from socialgov.store.events import EventTag
from socialgov.store.vault import set_key_in_force


@dataclass(frozen=True, slots=True)
class NewSchool:
    """Shown once and kept nowhere: the token of the first sign-in link, the manager's vault code, three sheets."""

    signin_token: str = field(repr=False)
    vault_code: str = field(repr=False)
    sheets: tuple[str, ...] = field(repr=False)


SMALLEST_LOGO, LARGEST_LOGO = 64, 8000  # pixels: enough to compare, little enough to open


def create_school(
    root: str | Path,
    *,
    name: str,
    domains: Iterable[str],
    manager_name: str,
    manager_email: str,
    now: datetime,
    zone: str = "Europe/London",
    base_url: str = "http://localhost:5000",
    contact: str = "",
    approved: Iterable[str] = (),
    key_backend: str = "cryptfile",
    passphrase_file: str = "",
    demonstration: bool = False,
    servers: Mapping[str, str] = MappingProxyType({}),
    logo: bytes | None = None,
    escrow: Escrow | None = None,
    invitation: Invitation | None = None,
) -> NewSchool:
    """Make the home `root` and return what its network manager is given once: link, vault code, recovery sheets.

    Built in a folder inside `root` and moved into place, school.toml last: a crash leaves no half school. `servers`
    points a platform at another server (its `api_base`); `logo` is a PNG or JPEG; `escrow` is given when the school's
    key exists already. Raises ConfigError, EscrowError, InvalidInput, Conflict, StoreError.
    """
    root = Path(root).resolve()
    if passphrase_file and Path(passphrase_file).expanduser().resolve().is_relative_to(root):
        raise ConfigError("The passphrase file would lie in the home it protects.", "Put it elsewhere, such as /etc.")
    choices = {
        "name": _quoted(name.strip()),
        "id": _quoted(escrow.school_id if escrow else secrets.token_hex(16)),
        "email_domains": _quoted([one.strip().lower() for one in domains]),
        "zone": _quoted(zone),
        "base_url": _quoted(base_url),
        "contact": _quoted(contact.strip() or manager_email.strip()),
        "demonstration": _quoted(demonstration),
        "approved": _quoted(sorted(set(approved))),
        "servers": "".join(f"\n[platforms.{key}]\napi_base = {_quoted(url)}\n" for key, url in servers.items()),
        "backend": _quoted(key_backend),
        "passphrase_file": _quoted(passphrase_file),
        "key_id": _quoted(""),
    }
    with _building(root) as building:
        settings = _write_settings(building, choices)
        if logo is not None:
            (building / "logo.png").write_bytes(_as_png(logo))
        escrow = escrow or create_escrow(building, settings)
        settings = _write_settings(building, {**choices, "key_id": _quoted(escrow.identity)})
        return _begin(building, settings, escrow, manager_name, manager_email, now, invitation)


def _begin(
    building: Path,
    settings: Settings,
    escrow: Escrow,
    name: str,
    email: str,
    now: datetime,
    invitation: Invitation | None,
) -> NewSchool:
    """The database, its first events, the first link and the vault."""
    migrate(building / "school.db").close()
    home = Home(building, settings, escrow)
    try:
        with write(home.db) as db:
            set_key_in_force(db, escrow.key_id)
            record_event(db, EventTag.SCHOOL_CREATED, actor="cli", now=now, subject="school")
            manager = add_staff(home, None, name, email, [Role.NETWORK_MANAGER], now=now)
            link = make_signin_link(home, manager.id, actor="cli", now=now)
            vault = make_vault(home, manager.id, now=now, invitation=invitation)
    finally:
        home.db.close()
    return NewSchool(link.removeprefix("/signin/"), vault.code, vault.sheets)


def check_free(root: Path) -> None:
    """Raise Conflict where there is a school already, or what is left of one."""
    if (root / "school.toml").exists():
        raise Conflict(f"There is a school at {root} already.", "Choose another folder, or use this one as it is.")
    if (root / "school.db").exists():
        raise Conflict(
            f"There is a database at {root} but no school.toml.", "Restore school.toml, or choose another folder."
        )


@contextmanager
def _building(root: Path) -> Iterator[Path]:
    """A folder inside `root` whose content moves into `root` when all went well, and goes when not."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StoreError(f"{root} cannot be used: {error.strerror}.", "Choose another folder.") from None
    try:
        _lock(place, root)
        for left in root.glob(".init-*"):
            _settle(left, root)
        check_free(root)
        building = root / f".init-{secrets.token_hex(4)}"
        building.mkdir(mode=0o700)
        try:
            yield building
            _move(building, root)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    finally:
        os.close(place)


def _move(building: Path, root: Path) -> None:
    """Put what was built into place, school.toml last: with it there is a school."""
    for path in sorted(building.iterdir(), key=lambda path: path.name == "school.toml"):
        if path.suffix not in {".lock", ".migrating"}:
            if path.is_file():  # names and permissions lie there in the clear, and `root` may be open to others
                path.chmod(0o600)
            path.rename(root / path.name)


def _settle(left: Path, root: Path) -> None:
    """What an init that was killed left: finished when it was killed while moving, as all was made; else removed."""
    if (left / "school.toml").exists() and not (left / "school.db").exists() and (root / "school.db").exists():
        _move(left, root)
    shutil.rmtree(left)


def _lock(place: int, root: Path) -> None:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Conflict(f"Another init is at work in {root}.", "Wait for it to end.") from None


def _write_settings(folder: Path, choices: Mapping[str, str]) -> Settings:
    """Write school.toml from its template and read it back, so that what a person entered is checked by one reader."""
    template = Template((package_folder("config") / "school.toml.template").read_text(encoding="utf-8"))
    (folder / "school.toml").write_text(template.substitute(choices), encoding="utf-8")
    try:
        return load_settings(folder)
    except ConfigError as error:
        problem = error.message.partition(": ")[2] or error.message
        raise ConfigError(f"The school cannot be made: {problem}", error.mend) from None


def _quoted(value: object) -> str:
    """As TOML: a JSON string without DEL is one, and lists and booleans are written alike."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _as_png(content: bytes) -> bytes:
    """The logo as PNG, whatever it came as. Raises InvalidInput for anything that is no picture."""
    from PIL import Image, UnidentifiedImageError

    made = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
            if min(picture.size) < SMALLEST_LOGO or max(picture.size) > LARGEST_LOGO:
                raise InvalidInput(f"The logo must be {SMALLEST_LOGO} to {LARGEST_LOGO} pixels wide and high.")
            picture.convert("RGBA").save(made, "PNG")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InvalidInput("The logo is not a PNG or JPEG picture.", mend="Save it as PNG and try again.") from None
    return made.getvalue()
