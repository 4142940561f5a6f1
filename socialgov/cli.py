"""The command line. This file knows commands, their flags and how errors end; what they do is in cli_*.py.

Nothing heavy is imported here: `socialgov --help` must cost little more than click itself (`make bench` measures it).
Exit codes: 0 done and in order, 1 refused or out of order, 2 wrong use.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from socialgov import __version__
from socialgov.cli_escrow_commands import escrow
from socialgov.cli_parts import FILE, FOLDER, Group, home_option, sheets_options


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="socialgov")
def main() -> None:
    """Makes a school's social media policy run.

    A school is a folder, its home. Begin with one, then serve it and let the scheduler look after it:

    \b
      export SOCIALGOV_PASSPHRASE="six words nobody else would pick"
      socialgov init /srv/school
      socialgov serve --home /srv/school
      socialgov scheduler --home /srv/school

    To look around first, with an invented school: socialgov demo
    """


@main.command()
@click.argument("home", type=FOLDER)
@click.option("--name", prompt="The school's name", help="The school's name, as people know it.")
@click.option(
    "--domain",
    "domains",
    prompt="What stands behind the @ in its e-mail addresses",
    help="Its e-mail domain. Several: separate them with commas.",
)
@click.option("--manager-name", prompt="The network manager's name", help="Who holds every login.")
@click.option("--manager-email", prompt="The network manager's school address", help="Where the manager is reached.")
@click.option("--base-url", prompt="The address people will open", default="http://localhost:5000", show_default=True)
@click.option("--zone", default="Europe/London", show_default=True, help="Time zone of the school.")
@click.option("--contact", default="", help="Whom accounts name for questions. Default: the network manager.")
@click.option("--platforms", default="", help="Approved platforms, with commas between. Can be chosen later.")
@click.option("--logo", type=FILE, help="The school's logo, PNG or JPEG: accounts are compared with it.")
@click.option(
    "--keys",
    default="",
    help="Where the key is kept: cryptfile, secret-service, kwallet, macos, windows. Default: ask.",
)
@click.option("--passphrase-file", default="", help="cryptfile: a file outside the home with the passphrase.")
@sheets_options
def init(home: Path, **choices: Any) -> None:
    """Make a school in the folder HOME.

    Asks for what no flag says. Makes school.toml, the database, the key and the vault. Prints the network manager's
    first sign-in link, which works once and for ten minutes, and their code for the vault, and writes three recovery
    sheets into a folder outside the home: print them, then delete the folder.
    """
    from socialgov import cli_school

    cli_school.init(home, **choices)


@main.command()
@click.option(
    "--home",
    "homes",
    type=FOLDER,
    multiple=True,
    help="The school's folder. Default: $SOCIALGOV_HOME, else the current folder. Several: repeat it.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Pages served at once.")
def serve(homes: tuple[Path, ...], host: str, port: int, threads: int) -> None:
    """Serve the school's pages until Ctrl-C.

    Plain HTTP: put a web server with a certificate in front, and set [web] trusted_proxies in school.toml. With
    several homes each school answers at the host name of its own base_url, and each needs its own scheduler.
    """
    from socialgov import cli_run

    cli_run.serve(homes or (Path(os.environ.get("SOCIALGOV_HOME", "")),), host, port, threads)


@main.command()
@home_option
def scheduler(home: Path) -> None:
    """Check accounts, close them in time, and send mail, until Ctrl-C.

    One a school. Should two run by mistake, nothing is done twice.
    """
    from socialgov import cli_run

    cli_run.scheduler(home)


@main.command("run-jobs")
@home_option
@click.option(
    "--at", "moment", metavar="TIME", help="As if it were TIME, such as 2026-12-01T08:00 (school's own zone)."
)
def run_jobs(home: Path, moment: str | None) -> None:
    """Do once what the scheduler does all day, and say what was done."""
    from socialgov import cli_run

    cli_run.run_jobs(home, moment)


@main.command()
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--folder", default=Path("demo-home"), show_default=True, type=FOLDER, help="Where it is kept.")
def demo(port: int, folder: Path) -> None:
    """Serve an invented school to look around in, with a simulated network beside it."""
    from socialgov import cli_run

    cli_run.demo(port, folder)


@main.command()
@home_option
def status(home: Path) -> None:
    """Say how the school stands: key, database, log, people, accounts, what is not checked, mail."""
    from socialgov import cli_school

    cli_school.status(home)


@main.command()
@home_option
@click.argument("accounts", nargs=-1, type=int, metavar="[ACCOUNT]...")
def check(home: Path, accounts: tuple[int, ...]) -> None:
    """Look at accounts now: at those numbered, else at every account that is watched.

    Also says what was not read, for want of money or of an answer, and since when. Ends with 1 where an enforced rule
    is broken or cannot be told, as it cannot once what is known is too old.
    """
    from socialgov import cli_run

    cli_run.check(home, accounts)


@main.command("import")
@home_option
@click.argument("kind", type=click.Choice(["people", "carers", "permissions", "accounts"]))
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Report every bad row by number, and change nothing.")
@click.option("--part", is_flag=True, help="The file is not the whole list: nobody it leaves out has left.")
@click.option("--as", "email", metavar="EMAIL", help="Who brings it in, by school address. Needed for accounts.")
def import_(home: Path, kind: str, file: Path, dry_run: bool, part: bool, email: str | None) -> None:
    """Read people, carers, permissions or existing accounts from a CSV file.

    All of it or nothing: with one bad row nothing is changed, and the report names each by number.
    """
    from socialgov import cli_school

    cli_school.import_file(home, kind, file, dry_run=dry_run, full=not part, email=email)


@main.command("signin-link")
@home_option
@click.argument("email")
@click.option(
    "--remove-factors",
    is_flag=True,
    help="First remove their passkeys and authenticator app, as after a lost device, and end their sessions. "
    "They and the heads are told, and it stands in the log.",
)
def signin_link(home: Path, email: str, remove_factors: bool) -> None:
    """Print a sign-in link for the member of staff with this address.

    It works once, and only for a few minutes. An earlier one that was not used stops working. Somebody who has a
    passkey or an authenticator app uses it after the link; when the device is lost, the network manager removes it on
    the page of that person. Nobody else can do that for the only network manager: then it is done here.
    """
    from socialgov import cli_school

    cli_school.signin_link(home, email, remove_factors=remove_factors)


main.add_command(escrow)


@main.command("signin-service")
@home_option
def signin_service(home: Path) -> None:
    """Try the school's own sign-in service, and print what to register with it.

    Asks for its description and keys, and whether it takes our credentials; signs nobody in and changes nothing.
    Ends with 1 where something must be mended.
    """
    from socialgov import cli_signin

    cli_signin.signin_service(home)


@main.group(cls=Group, invoke_without_command=True)
@home_option
@click.pass_context
def platforms(context: click.Context, home: Path) -> None:
    """Say how each platform stands: budget, what was spent, what it offers, which accounts are connected, last reads.

    Ends with 1 where a platform is paused, its budget is used up, or an account must be connected anew.
    """
    context.obj = home
    if context.invoked_subcommand is None:
        from socialgov import cli_platforms

        cli_platforms.platforms(home)


@platforms.command("probe")
@click.argument("account")
@click.option("--home", type=FOLDER, help="The school's folder, as above.")
@click.pass_obj
def platforms_probe(of_group: Path, account: str, home: Path | None) -> None:
    """Try every read of ACCOUNT, by number or handle: what works, how much it found, what it cost.

    Changes nothing on the platform and keeps nothing of what it read. Costs what the reads cost. Ends with 1 where a
    read fails, or where no machine reads this account.
    """
    from socialgov import cli_platforms

    cli_platforms.probe(home or of_group, account)


@main.group(cls=Group)
def audit() -> None:
    """Prove that the log and certificates are what they were."""


@audit.command("verify")
@home_option
@click.option(
    "--checkpoint",
    type=FILE,
    help="A mailed checkpoint, saved as a file: proves that no tail was cut off or rewritten.",
)
def audit_verify(home: Path, checkpoint: Path | None) -> None:
    """Recompute the log from its first event and compare it with the signed checkpoints.

    Ends with 1 when it is not whole.
    """
    from socialgov import cli_audit

    cli_audit.verify(home, checkpoint)


@audit.command("verify-certificate")
@click.argument("file", type=FILE)
@click.option("--home", type=FOLDER, envvar="SOCIALGOV_HOME", help="Also compare it with this school's own key.")
def audit_verify_certificate(file: Path, home: Path | None) -> None:
    """Check a certificate of deletion: was it changed, and who signed it?

    Needs no home, so that a parent or a governor can do it with the file alone. Ends with 1 when it does not hold.
    """
    from socialgov import cli_audit

    cli_audit.verify_certificate(file, home)
