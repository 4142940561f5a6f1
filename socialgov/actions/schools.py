"""Making a school: its folder, its choices, its key, its database, and its network manager's way in."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from string import Template

from socialgov.actions.signin import make_signin_link
from socialgov.actions.staff import add_staff
from socialgov.config import Settings, load_settings, package_folder
from socialgov.errors import ConfigError, Conflict, StoreError
from socialgov.escrow import Escrow, create_escrow
from socialgov.home import Home
from socialgov.models import Role
from socialgov.store import migrate, record_event, write
from socialgov.store.events import EventTag


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
    logo: bytes | None = None,
    escrow: Escrow | None = None,
) -> str:
    """Make the home `root` and return the token of the network manager's first sign-in link (`/signin/<token>`).

    Built in a folder inside `root` and moved into place, school.toml last: a crash leaves no half school. `escrow` is
    given when the school's key exists already. Raises ConfigError, EscrowError, InvalidInput, Conflict.
    """
    root = Path(root).resolve()
    _check_free(root)
    choices = {
        "name": name.strip(),
        "id": escrow.school_id if escrow else secrets.token_hex(16),
        "email_domains": [one.strip().lower() for one in domains],
        "zone": zone,
        "base_url": base_url,
        "contact": contact.strip() or manager_email.strip(),
        "demonstration": demonstration,
        "approved": sorted(set(approved)),
        "backend": key_backend,
        "passphrase_file": passphrase_file,
        "key_id": "",
    }
    with _Building(root) as building:
        settings = _write_settings(building, choices)
        escrow = escrow or create_escrow(building, settings)
        settings = _write_settings(building, {**choices, "key_id": escrow.key_id})
        if logo is not None:
            (building / "logo.png").write_bytes(logo)
        return _begin(building, settings, escrow, manager_name, manager_email, now)


def _begin(building: Path, settings: Settings, escrow: Escrow, name: str, email: str, now: datetime) -> str:
    """The database, its first events, and the first link."""
    migrate(building / "school.db").close()
    home = Home(building, settings, escrow)
    try:
        with write(home.db) as db:
            record_event(db, EventTag.SCHOOL_CREATED, actor="cli", now=now, subject="school")
            manager = add_staff(home, None, name, email, [Role.NETWORK_MANAGER], now=now)
            link = make_signin_link(home, manager.id, actor="cli", now=now)
    finally:
        home.db.close()
    return link.removeprefix("/signin/")


def _check_free(root: Path) -> None:
    if (root / "school.toml").exists():
        raise Conflict(f"There is a school at {root} already.", "Choose another folder, or use this one as it is.")
    if (root / "school.db").exists():
        raise Conflict(
            f"There is a database at {root} but no school.toml.", "Restore school.toml, or choose another folder."
        )


class _Building:
    """A folder inside `root` that becomes its content when all went well, and goes when not."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / f".init-{secrets.token_hex(4)}"

    def __enter__(self) -> Path:
        try:
            self.path.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise StoreError(f"{self.root} cannot be written: {error.strerror}.", "Choose another folder.") from None
        return self.path

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            for path in sorted(self.path.iterdir(), key=lambda path: path.name == "school.toml"):
                if path.suffix not in {".lock", ".migrating"}:
                    path.rename(self.root / path.name)
        shutil.rmtree(self.path, ignore_errors=True)


def _write_settings(folder: Path, choices: dict[str, object]) -> Settings:
    """Write school.toml from its template and read it back, so that what a person entered is checked by one reader."""
    template = Template((package_folder("config") / "school.toml.template").read_text(encoding="utf-8"))
    path = folder / "school.toml"
    # a JSON string without DEL is a TOML string, and lists and booleans are written alike
    quoted = {key: json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") for key, value in choices.items()}
    path.write_text(template.substitute(quoted), encoding="utf-8")
    try:
        return load_settings(folder)
    except ConfigError as error:
        problem = error.message.partition(": ")[2] or error.message
        raise ConfigError(f"The school cannot be made: {problem}", error.mend) from None
