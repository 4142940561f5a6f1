"""Reading a TOML file so that every wrong key or value is refused with file, line and mend.

tomllib tells the line of a syntax error only, so `line_of` looks the key up again in the text. A Table hands out its
values one key at a time and knows which were asked for: what is left over is a mistake in the file (`close`).
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from socialgov.errors import ConfigError

E = TypeVar("E", bound=StrEnum)
_HEADER = re.compile(r"^\s*\[\[?\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""^\s*(?P<name>[A-Za-z0-9_."' -]+?)\s*=""")
_NAMED = 20  # known keys that a mend lists


@dataclass(frozen=True)
class Source:
    """A TOML file as text: what is needed to name the line of a key."""

    path: Path
    text: str

    def line_of(self, keys: tuple[str, ...]) -> int:
        """The line (from 1) where the key path `keys` stands, or that of its nearest parent; 1 when not found."""
        places = _places(self.text)
        for length in range(len(keys), 0, -1):
            if keys[:length] in places:
                return places[keys[:length]]
        return 1

    def refuse(self, keys: tuple[str, ...], problem: str, mend: str) -> ConfigError:
        """The error to raise about `keys`; the caller raises it."""
        return ConfigError(f"{self.path}, line {self.line_of(keys)}: {problem}", mend)


def _places(text: str) -> dict[tuple[str, ...], int]:
    """Line of every table header and key, first mention first. Lines inside multi-line strings may add false keys."""
    places: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _dotted(header["name"])
            places.setdefault(table, number)
        elif key := _KEY.match(line):
            places.setdefault(table + _dotted(key["name"]), number)
    return places


def _dotted(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in name.split("."))


@dataclass
class Table:
    """One table of a TOML file, read key by key. Ask for every key, then `close()` refuses those nobody asked for."""

    source: Source
    keys: tuple[str, ...]
    values: Mapping[str, Any]
    asked: set[str] = field(default_factory=set)

    @property
    def title(self) -> str:
        return f"[{'.'.join(self.keys)}]" if self.keys else "the file"

    def has(self, key: str) -> bool:
        return key in self.values

    def names(self) -> tuple[str, ...]:
        return tuple(self.values)

    def refuse(self, key: str, problem: str, mend: str) -> ConfigError:
        return self.source.refuse((*self.keys, key), problem, mend)

    def text(self, key: str, default: str | None = None, *, pattern: str | None = None, hint: str = "") -> str:
        """A string without control characters, not blank unless the default is ""; `pattern` must match it whole."""
        value = self._take(key, default)
        if not isinstance(value, str) or any(ord(sign) < 32 or ord(sign) == 127 for sign in value):
            raise self.refuse(key, f"`{key}` must be text in quotes on one line.", hint or f'Write {key} = "…".')
        if not value.strip() and default != "":
            raise self.refuse(key, f"`{key}` is empty.", hint or f'Write {key} = "…".')
        if pattern is not None and value and not re.fullmatch(pattern, value):
            raise self.refuse(key, f"`{key}` cannot be {value!r}.", hint)
        return value.strip()

    def whole(self, key: str, low: int, high: int, default: int | None = None, *, zero: bool = False) -> int:
        """A whole number from `low` to `high`; with `zero` also 0, which switches off what it is about."""
        value = self._take(key, default)
        fits = isinstance(value, int) and not isinstance(value, bool)
        if not fits or not (low <= value <= high or (zero and value == 0)):
            never = ", or 0 for never" if zero else ""
            words = f"Write a whole number from {low} to {high}, without quotes{never}."
            raise self.refuse(key, f"`{key}` cannot be {_shown(value)}.", words)
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.refuse(key, f"`{key}` cannot be {_shown(value)}.", "Write true or false, without quotes.")
        return value

    def day(self, key: str, default: date | None = None) -> date:
        value = self._take(key, default)
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.refuse(
                key, f"`{key}` cannot be {_shown(value)}.", "Write a day as 2026-09-01, without quotes or time."
            )
        return value

    def word(self, key: str, words: type[E], default: E | None = None) -> E:
        """One of an enumeration's words."""
        value = self._take(key, default)
        if isinstance(value, str) and value in {word.value for word in words}:
            return words(value)
        known = ", ".join(f'"{word.value}"' for word in words)
        raise self.refuse(key, f"`{key}` cannot be {_shown(value)}.", f"Write one of {known}.")

    def words(self, key: str, default: tuple[str, ...] | None = None, *, hint: str = "") -> tuple[str, ...]:
        """A list of different, non-blank strings."""
        value = self._take(key, default)
        listed = isinstance(value, list | tuple) and all(isinstance(one, str) and one.strip() for one in value)
        if not listed or len(set(value)) != len(value):
            raise self.refuse(
                key, f"`{key}` cannot be {_shown(value)}.", hint or f'Write a list: {key} = ["…", "…"], nothing twice.'
            )
        return tuple(one.strip() for one in value)

    def numbers(self, key: str, low: int, high: int, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """A list of different whole numbers from `low` to `high`, returned largest first."""
        value = self._take(key, default)
        fits = isinstance(value, list | tuple) and all(
            isinstance(one, int) and not isinstance(one, bool) and low <= one <= high for one in value
        )
        if not fits or not value or len(set(value)) != len(value):
            raise self.refuse(
                key,
                f"`{key}` cannot be {_shown(value)}.",
                f"Write a list of whole numbers from {low} to {high}, nothing twice: {key} = [14, 7, 1].",
            )
        return tuple(sorted(value, reverse=True))

    def table(self, key: str, *, required: bool = False) -> Table:
        """A table inside this one; an absent one is empty unless `required`."""
        if required and key not in self.values:
            raise self.refuse(
                key, f"[{'.'.join((*self.keys, key))}] is missing.", "Add it; `socialgov init` writes one."
            )
        self.asked.add(key)
        value = self.values.get(key, {})
        if not isinstance(value, Mapping):
            name = ".".join((*self.keys, key))
            raise self.refuse(key, f"`{key}` must be a table.", f"Write [{name}] on a line of its own.")
        return Table(self.source, (*self.keys, key), value)

    def close(self) -> None:
        """Refuse the first key that nobody asked for, with the nearest known one as the mend."""
        for key in self.values:
            if key not in self.asked:
                near = difflib.get_close_matches(key, self.asked, n=1)
                known = ", ".join(sorted(self.asked)[:_NAMED]) + (" …" if len(self.asked) > _NAMED else "")
                mend = f"Did you mean `{near[0]}`?" if near else f"It knows {known or 'nothing'}."
                raise self.refuse(key, f"`{key}` is not a key of {self.title}.", mend)

    def _take(self, key: str, default: Any) -> Any:
        self.asked.add(key)
        if key in self.values:
            return self.values[key]
        if default is None:
            raise self.refuse(key, f"`{key}` is missing in {self.title}.", f"Add a line {key} = …")
        return default


def read_toml(path: Path) -> Table:
    """The file's top table. Raises ConfigError when it is missing, not UTF-8 or not TOML."""
    try:
        text = path.read_text(encoding="utf-8")
        return Table(Source(path, text), (), tomllib.loads(text))
    except FileNotFoundError:
        raise ConfigError(f"There is no {path}.", "Run `socialgov init` for this home first.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", "Let this user read it.") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: this is not UTF-8 text.", "Save the file as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _not_toml(path, str(error), text) from None


def _not_toml(path: Path, problem: str, text: str) -> ConfigError:
    found = re.search(r"\(at line (\d+), column \d+\)$", problem)
    line = found[1] if found else str(max(1, text.count("\n")))
    what = re.sub(r"\s*\(at .*\)$", "", problem) or "this is not TOML"
    return ConfigError(f"{path}, line {line}: {what}.", "Mend that line: key = value, with text in quotes.")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
