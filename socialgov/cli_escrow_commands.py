"""The commands `socialgov escrow …` and their flags; what they do is in cli_escrow.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from socialgov.cli_parts import FILE, F, Group, home_option, sheets_options


def _sheet_files(command: F) -> F:
    return click.option(
        "--sheet-file",
        "files",
        type=FILE,
        multiple=True,
        help="A file with the 33 words of one sheet; give it twice. Default: ask, and show nothing of what is typed.",
    )(command)


def _make_manager(command: F) -> F:
    return click.option(
        "--make-manager", is_flag=True, help="Give EMAIL the role of network manager too: the only one may be gone."
    )(command)


def _passphrase_options(command: F) -> F:
    command = click.option(
        "--vault-passphrase-file", type=FILE, help="A file with that passphrase. Default: ask, and show nothing."
    )(command)
    return click.option(
        "--as", "email", metavar="EMAIL", help="The network manager whose vault passphrase is given, by address."
    )(command)


@click.group(cls=Group)
def escrow() -> None:
    """The vault, its recovery sheets and the school's key.

    What people deposit opens with a network manager's vault passphrase alone. Should nobody have one any more, or the
    machine be lost, any two of the three recovery sheets open it; `drill` rehearses that.
    """


@escrow.command("status")
@home_option
def escrow_status(home: Path) -> None:
    """Say how the vault stands: who opens it, sheets, last drill, and whether every record opens.

    Opens no record's content. Ends with 1 where nobody can open the vault, or something does not open.
    """
    from socialgov import cli_escrow

    cli_escrow.status(home)


@escrow.command("make")
@home_option
@click.argument("manager", metavar="[EMAIL]", required=False)
@sheets_options
def escrow_make(home: Path, manager: str | None, **sheets: Any) -> None:
    """Make the vault of a school that has none, and hand it every deposited password.

    For a school from before there was a vault. EMAIL is the network manager who gets the code; it is not needed where
    there is only one. Also makes it anew where init was interrupted: nobody has joined, and nothing is deposited.
    """
    from socialgov import cli_escrow

    cli_escrow.make(home, manager, **sheets)


@escrow.command("sheets")
@home_option
@_passphrase_options
@sheets_options
def escrow_sheets(home: Path, email: str | None, vault_passphrase_file: Path | None, **sheets: Any) -> None:
    """Make three new recovery sheets; those before are worth nothing from then on.

    When a sheet is lost or was seen, when its keeper leaves, or before the drill finds that one cannot be read.
    """
    from socialgov import cli_escrow

    cli_escrow.sheets(home, email, vault_passphrase_file, **sheets)


@escrow.command("drill")
@home_option
@_sheet_files
def escrow_drill(home: Path, files: tuple[Path, ...]) -> None:
    """Rehearse the recovery with two sheets, and show nothing.

    Joins them in memory, and tries whether they would bring back every record; no password is opened, printed or
    kept. To be done each year: network managers and heads are reminded. Ends with 1 where something would be missing.
    """
    from socialgov import cli_escrow

    cli_escrow.drill(home, files)


@escrow.command("recover")
@home_option
@click.argument("manager", metavar="EMAIL")
@_make_manager
@_sheet_files
def escrow_recover(home: Path, manager: str, make_manager: bool, files: tuple[Path, ...]) -> None:
    """Bring a school back from a backup and two sheets, on a new machine or after its passphrase was lost.

    Restore the backup into the folder first. The school's key is put into this machine's keyring, under the passphrase
    that is given now, and the network manager with the address EMAIL gets a code for the vault.
    """
    from socialgov import cli_escrow

    cli_escrow.recover(home, manager, files, make_manager=make_manager)


@escrow.command("invite")
@home_option
@click.argument("manager", metavar="EMAIL")
@_make_manager
@_sheet_files
def escrow_invite(home: Path, manager: str, make_manager: bool, files: tuple[Path, ...]) -> None:
    """Let a network manager into the vault with two sheets, when no other can.

    Prints the code of EMAIL once. As long as anybody opens the vault, they let others in on its page instead.
    """
    from socialgov import cli_escrow

    cli_escrow.invite(home, manager, files, make_manager=make_manager)


@escrow.command("rotate-key")
@home_option
@click.option("--vault", is_flag=True, help="Change the vault's key pair too: asks for a vault passphrase.")
@click.option("--new-sheets", is_flag=True, help="Make new recovery sheets too: asks for a vault passphrase.")
@click.option("--leave-damaged", is_flag=True, help="Go on although some records do not open; they are left behind.")
@_passphrase_options
@sheets_options
def escrow_rotate_key(home: Path, **choices: Any) -> None:
    """Change the school's key: every record is taken over to a new one, in one step.

    When somebody who could read the keyring leaves, after a machine was stolen (then with --vault and --new-sheets),
    or on the school's schedule. The school may be served meanwhile. Interrupted, it goes on when it is run again.
    """
    from socialgov import cli_escrow

    cli_escrow.rotate_key(home, **choices)
