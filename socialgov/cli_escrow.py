"""What the commands `socialgov escrow …` do. Codes are printed once; sheets are written to be printed, never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from socialgov.cli_sheets import keep_in, sheets_folder
from socialgov.config import load_settings
from socialgov.errors import EscrowError, InvalidInput, NotFound
from socialgov.escrow import PASSPHRASE_FILE_VARIABLE, PASSPHRASE_VARIABLE
from socialgov.escrow.shares import WORDS
from socialgov.home import open_home, wall_clock
from socialgov.models import Role
from socialgov.store.staff import staff_by_email, staff_by_id, staff_with_role

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.actions.sealed_places import Found
    from socialgov.config import Settings
    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Staff

T = TypeVar("T")
_SHEETS = ("First sheet", "Second sheet")
_SHOWN = 20  # damaged records


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def tell_of_sheets(console: Console, folder: Path) -> None:
    console.print(f"Three recovery sheets are in {escape(str(folder))}.")
    console.print(
        "[bold]Print each of them now, give them to three different keepers, and delete the folder.[/bold] Any two of "
        "them open everything; without two of them nothing opens when the machine or the passphrases are lost."
    )


def tell_of_code(console: Console, settings: Settings, name: str, code: str) -> None:
    hours = settings.policy.vault_invitation_hours
    console.print(f"Code for the vault, for {escape(name)} alone, shown once, good for {hours} hours:")
    console.print(f"  {code}")
    console.print(f"They set their own vault passphrase with it: {settings.base_url}/vault")


# --------------------------------------------------------------------------------------------------- status


def status(path: Path) -> None:
    """One table; exit code 1 where the vault is not in order."""
    from socialgov.actions.vault_report import vault_report

    home = open_home(path)
    now = home.now()
    report = vault_report(home, now=now)
    recovery, due = report.recovery, report.drill_due_at
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for title, text in (
        ("School's key", f"{home.escrow.key_id} in {home.settings.key_backend}, opens"),
        ("Vault", f"{report.key.key_id}, made on {_day(home, report.key.made_at)}" if report.key else "none yet"),
        ("Opened by", ", ".join(report.holders) or "nobody yet"),
        ("Invited", ", ".join(report.invited) or "nobody"),
        ("Sheets", f"set {recovery.id}, made on {_day(home, recovery.made_at)}" if recovery else "none yet"),
        ("Last drill", _day(home, recovery.drilled_at) if recovery and recovery.drilled_at else "never"),
        ("Next drill", ("due since " if due <= now else "by ") + _day(home, due) if due else "when there are sheets"),
        ("Sealed", f"{report.found.vault} records to the vault, {report.found.machine} under the school's key"),
    ):
        table.add_row(title, escape(text))
    console = _console()
    console.print(table)
    _tell_damaged(console, report.found)
    if report.key is None:
        console.print("Make the vault: socialgov escrow make")
    if not report.in_order:
        raise SystemExit(1)


def _tell_damaged(console: Console, found: Found) -> None:
    if found.whole:
        console.print("Every record opens.")
        return
    for one in found.damaged[:_SHOWN]:
        console.print(f"Does not open: {one}")
    for one in found.lost[:_SHOWN]:
        console.print(f"File lost: {one}")
    more = len(found.damaged) + len(found.lost)
    console.print(f"{more} in all. Restore them from the newest backup.")


# --------------------------------------------------------------------------------------------------- vault, sheets


def make(path: Path, email: str | None, *, sheets: Path | None, sheets_as: str) -> None:
    from socialgov.actions.recovery import make as make_vault

    home, folder = open_home(path), sheets_folder(path, sheets)
    manager = _manager(home, email)
    made = make_vault(home, manager, keep_in(folder, sheets_as), now=home.now())
    console = _console()
    console.print(f"The vault is made. It took over {made.taken_over} deposited passwords and codes.")
    tell_of_code(console, home.settings, manager.name, made.code)
    tell_of_sheets(console, folder)


def sheets(path: Path, email: str | None, file: Path | None, *, sheets: Path | None, sheets_as: str) -> None:
    from socialgov.actions.recovery import make_sheets

    home, folder = open_home(path), sheets_folder(path, sheets)
    opened = _opened(home, email, file)
    number = make_sheets(home, opened, keep_in(folder, sheets_as), now=home.now())
    console = _console()
    console.print(f"Set {number} is made. Destroy the sheets of earlier sets: they open nothing any more.")
    tell_of_sheets(console, folder)


# --------------------------------------------------------------------------------------------------- with two sheets


def drill(path: Path, files: Sequence[Path]) -> None:
    from socialgov.actions.recovery import drill as rehearse

    home = open_home(path)
    words = _two_sheets(files)
    begun = wall_clock()
    done = _explaining(lambda: rehearse(home, words, now=home.now()))
    console = _console()
    console.print(f"The two sheets are of set {done.set_id} and belong together.")
    seconds = (wall_clock() - begun).total_seconds()
    console.print(
        f"They would bring back the school's key, the vault and {done.found.count} records ({done.found.vault} of them "
        f"the vault's); tried in {seconds:.1f} s. Nothing was opened to be read, shown or kept."
    )
    _tell_damaged(console, done.found)
    if not done.found.whole:
        raise SystemExit(1)
    console.print("Put the sheets back into new envelopes, and each to its keeper.")


def recover(path: Path, email: str, files: Sequence[Path], *, make_manager: bool) -> None:
    from socialgov.actions.recovery import recover as bring_back

    settings = load_settings(path.resolve())
    words = _two_sheets(files)
    if settings.key_backend == "cryptfile":
        _need_new_passphrase()
    found, code = _explaining(lambda: bring_back(path, words, email, now=wall_clock(), make_manager=make_manager))
    home = open_home(path)
    manager = _manager(home, email)
    console = _console()
    console.print(f"[bold]{escape(settings.school_name)}[/bold] is back. Its key is kept in {settings.key_backend}.")
    if settings.key_backend == "cryptfile":
        console.print("Keep the new passphrase where the services find it, and on paper in the safe (installing.md).")
    _tell_damaged(console, found)
    tell_of_code(console, home.settings, manager.name, code)
    console.print("Was the old machine or a backup in somebody's hands? Then, once the vault can be opened:")
    console.print("  socialgov escrow rotate-key --vault --new-sheets")


def invite(path: Path, email: str, files: Sequence[Path], *, make_manager: bool) -> None:
    from socialgov.actions.recovery import invite_with_sheets

    home = open_home(path)
    manager, words = _manager(home, email), _two_sheets(files)
    code = _explaining(lambda: invite_with_sheets(home, words, email, now=home.now(), make_manager=make_manager))
    tell_of_code(_console(), home.settings, manager.name, code)


# --------------------------------------------------------------------------------------------------- the key


def rotate_key(
    path: Path,
    *,
    vault: bool,
    new_sheets: bool,
    leave_damaged: bool,
    email: str | None,
    vault_passphrase_file: Path | None,
    sheets: Path | None,
    sheets_as: str,
) -> None:
    from socialgov.actions.key_rotation import Change
    from socialgov.actions.key_rotation import rotate_key as rotate

    home, console = open_home(path), _console()
    folder = sheets_folder(path, sheets) if new_sheets else None
    opened = _opened(home, email, vault_passphrase_file) if vault or new_sheets else None
    keep = keep_in(folder, sheets_as) if folder else None
    with console.status("Taking every record over to a new key …"):
        done = rotate(home, Change(opened, vault, keep, leave_damaged), now=home.now())
    if done.found is None:
        console.print(f"An earlier rotation had been interrupted. It is finished: the school's key is {done.key_id}.")
        console.print("Nothing else was done. Run it once more for another key.")
        return
    console.print(f"The school's key is now {done.key_id}: {done.found.count} records were taken over.")
    if done.found.damaged or done.found.lost:
        _tell_damaged(console, done.found)
    if vault:
        console.print("The vault has a new key pair too. Its passphrases stay as they are.")
    if folder:
        tell_of_sheets(console, folder)
    console.print("Make a backup now. Those from before open with the key file or the sheets of their time.")


# --------------------------------------------------------------------------------------------------- asking


def _manager(home: Home, email: str | None) -> Staff:
    """The network manager with this address; without one, the only one there is."""
    if email is not None:
        found = staff_by_email(home.db, email)
        if found is None or not found.current:
            raise NotFound(f"Nobody with the address {email} works here.", "Check it in the list of staff.")
        return found
    managers = staff_with_role(home.db, Role.NETWORK_MANAGER)
    if len(managers) != 1:
        raise InvalidInput(f"There are {len(managers)} network managers.", mend="Name one by school address.")
    return managers[0]


def _opened(home: Home, email: str | None, file: Path | None) -> OpenVault:
    """The vault, with a passphrase from a file or the terminal, of the manager named or the only one who has one."""
    from socialgov.actions.recovery import open_as
    from socialgov.store.vault import current_holders

    manager = _manager(home, email) if email else None
    if manager is None:
        holders = [holder.staff_id for holder in current_holders(home.db) if holder.kind == "manager"]
        if len(holders) != 1:
            raise InvalidInput(f"{len(holders)} network managers open the vault.", mend="Name one of them: --as.")
        manager = staff_by_id(home.db, holders[0])
    passphrase = _text(file) if file else click.prompt(f"Vault passphrase of {manager.name}", hide_input=True)
    return open_as(home, manager, passphrase.strip("\r\n"), now=home.now())


def _two_sheets(files: Sequence[Path]) -> tuple[str, str]:
    if len(files) not in (0, 2):
        raise InvalidInput("Two sheets are needed.", mend="Give --sheet-file twice, or not at all and type them in.")
    if files:
        return _words(_text(files[0])), _words(_text(files[1]))
    click.echo("Type the 33 words of each sheet, one after the other. Nothing is shown; Enter ends a sheet.", err=True)
    first, second = (click.prompt(name, hide_input=True) for name in _SHEETS)
    return first, second


def _words(text: str) -> str:
    """The words of a sheet as we write it (html or text: each after its number), or the text as it is."""
    numbered = dict(re.findall(r"\b(\d{1,2})\s+([a-z]+)", re.sub(r"<[^>]+>", " ", text.lower())))
    wanted = [str(place) for place in range(1, WORDS + 1)]
    return " ".join(numbered[place] for place in wanted) if all(place in numbered for place in wanted) else text


def _explaining(do: Callable[[], T]) -> T:
    """`do`, and where a sheet is at fault say which: `sheet_1` is a form's word."""
    try:
        return do()
    except InvalidInput as error:
        said = [f"{_SHEETS[int(name[-1]) - 1]}: {text}" for name, text in error.fields.items()]
        raise InvalidInput(" ".join([error.message, *said]), mend=error.mend) from None


def _need_new_passphrase() -> None:
    """The key file is made anew: its passphrase from where the services give it, else asked for twice."""
    given = (PASSPHRASE_VARIABLE, PASSPHRASE_FILE_VARIABLE, "CREDENTIALS_DIRECTORY")
    if any(os.environ.get(name) for name in given):
        return
    typed = click.prompt("A new passphrase for the key file", hide_input=True, confirmation_prompt=True)
    os.environ[PASSPHRASE_VARIABLE] = typed


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise EscrowError(f"{file} cannot be read as text.", "Write only the words into it.") from None


def _day(home: Home, at: datetime) -> str:
    local = at.astimezone(home.settings.zone)
    return f"{local.day} {local:%B %Y}"
