"""Values that several tables of school.toml share: domains, and secrets, which lie in files outside the home."""

from __future__ import annotations

import re
from pathlib import Path

from socialgov.errors import ConfigError
from socialgov.tomlfile import Table

DOMAIN = r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)+"


def domains(table: Table, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The school's e-mail domains in small letters, at least one (ACC101)."""
    found = tuple(one.lower() for one in table.words(key, default))
    if not found or any(not re.fullmatch(DOMAIN, one) for one in found):
        raise table.refuse(
            key,
            f"`{key}` must name the school's e-mail domains (ACC101).",
            f'Write what stands behind the @: {key} = ["school.example"].',
        )
    return found


def outside_file(table: Table, key: str, root: Path) -> Path | None:
    """A path to a secret, which must not lie in the home: whoever copies the home must not copy its secret too."""
    text = table.text(key, "")
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_absolute() or path.resolve().is_relative_to(root.resolve()):
        raise table.refuse(
            key, f"`{key}` must be a full path outside the home.", "Move the file, for instance to /etc."
        )
    return path


def secret_line(path: Path, what: str) -> str:
    """The secret of such a file, without its line end. Raises ConfigError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"The file of {what} ({path}) cannot be read.", "Let this user read it.") from None
