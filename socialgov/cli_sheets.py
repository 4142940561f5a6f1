"""The recovery sheets as files to be printed: one a sheet, in a folder outside the home, for its owner's eyes only."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socialgov.config import package_folder
from socialgov.errors import ConfigError, Conflict, StoreError

if TYPE_CHECKING:
    from socialgov.actions.recovery import SheetSet

COLUMNS, ROWS = 3, 11  # of 33 words
PURPOSE = (
    "With any two of the three sheets, and a backup, everything this school has deposited can be opened again when its "
    "machine, its passphrases or its network managers are lost. One sheet alone tells nothing."
)
# who keeps which: two together would be as good as all, so they never lie in one place or with one person
PLACES = (
    "Keep this sheet in the school's safe.",
    "This sheet is kept by the head, away from the school's safe and from its machines.",
    "Keep this sheet outside the school: with the chair of governors, the trust's office, or a bank.",
)
ADVICE = (
    "Print it on paper, then delete the file and empty the bin. Never photograph it, scan it or mail it.",
    "Put it into an envelope, seal it, and sign across the flap: then it shows whether somebody has opened it.",
)
USE = (
    "To rehearse it each year, with two sheets at the school's machine: socialgov escrow drill",
    "On a new machine, with the newest backup: socialgov escrow recover",
    "Sheet lost, seen by somebody, or its keeper leaves: socialgov escrow sheets makes a new set, and voids this one.",
)


def sheets_folder(home: Path, chosen: Path | None) -> Path:
    """Where the sheets go. Raises ConfigError for a folder inside the home, Conflict where sheets lie already."""
    home = home.resolve()
    folder = (chosen or home.with_name(f"{home.name}-recovery-sheets")).expanduser().resolve()
    if folder.is_relative_to(home):
        raise ConfigError(
            "The recovery sheets would lie in the home that they open, and in each of its backups.",
            "Choose a folder elsewhere: --sheets.",
        )
    if folder.is_dir() and any(folder.glob("recovery-sheet-*")):
        raise Conflict(f"There are recovery sheets in {folder} already.", "Print them and delete them, or move them.")
    return folder


def keep_in(folder: Path, form: str) -> Callable[[SheetSet], None]:
    """Writes three sheets into `folder` as `form`, html or text. Raises StoreError, and then none is left there."""

    def keep(made: SheetSet) -> None:
        written: list[Path] = []
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number, words in enumerate(made.sheets, 1):
                path = folder / f"recovery-sheet-{number}-of-3-set-{made.number}.{'html' if form == 'html' else 'txt'}"
                text = _page(_facts(made, number, words)) if form == "html" else _text(_facts(made, number, words))
                _write(path, text, written)
        except OSError as error:
            remove(written)
            raise StoreError(
                f"The recovery sheets were not written to {folder}: {error.strerror}.", "Choose another: --sheets."
            ) from None

    return keep


def remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _write(path: Path, text: str, written: list[Path]) -> None:
    """For its owner alone, and never over a file that is there."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    written.append(path)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _facts(made: SheetSet, number: int, words: str) -> dict[str, Any]:
    """What stands on one sheet: its own words and no other's, numbered down the columns."""
    numbered = list(enumerate(words.split(), 1))
    return {
        "school": made.school,
        "set_number": made.number,
        "number": number,
        "made_on": f"{made.made_at.day} {made.made_at:%B %Y}",
        "purpose": PURPOSE,
        "rows": [[numbered[row + column * ROWS] for column in range(COLUMNS)] for row in range(ROWS)],
        "advice": (("Where to keep it", (PLACES[number - 1], *ADVICE)), ("When it is needed", USE)),
    }


def _page(facts: dict[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(package_folder("templates")), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("recovery/sheet.html").render(**facts)


def _text(facts: dict[str, Any]) -> str:
    grid = "\n".join("".join(f"{place:>4}  {word:<14}" for place, word in row).rstrip() for row in facts["rows"])
    advice = "\n\n".join(
        f"{heading}\n" + "\n".join(f"  - {sentence}" for sentence in sentences)
        for heading, sentences in facts["advice"]
    )
    head = f"Recovery sheet {facts['number']} of 3\n{facts['school']}, set {facts['set_number']}, {facts['made_on']}"
    return f"{head}\n\n{facts['purpose']}\n\n{grid}\n\n{advice}\n\nKept by ____________ since ____________\n"
