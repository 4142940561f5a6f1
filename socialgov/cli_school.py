"""What the commands about the school itself do: init, status, import, signin-link."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from socialgov.config import load_settings
from socialgov.errors import InvalidInput, NotFound, StoreError
from socialgov.home import open_home, wall_clock

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.actions.people import ImportPlan
    from socialgov.actions.schools import NewSchool
    from socialgov.home import Home

_SHOWN = 50  # problems of a file: more scroll away what a person can mend in one go


def init(
    home: Path,
    *,
    name: str,
    domains: str,
    manager_name: str,
    manager_email: str,
    base_url: str,
    zone: str,
    contact: str,
    platforms: str,
    logo: Path | None,
    keys: str,
    passphrase_file: str,
    sheets: Path | None,
    sheets_as: str,
) -> None:
    """Make a school and print what to do next."""
    from socialgov.actions.schools import check_free, create_school
    from socialgov.cli_sheets import sheets_folder
    from socialgov.escrow import proposed_backend

    check_free(home)
    folder = sheets_folder(home, sheets)  # refused before anything is made
    console, backend = Console(highlight=False, soft_wrap=True), keys or proposed_backend()
    with console.status("Making the school and its key …"):
        school = create_school(
            home,
            name=name,
            domains=_listed(domains),
            manager_name=manager_name,
            manager_email=manager_email,
            now=wall_clock(),
            zone=zone,
            base_url=base_url,
            contact=contact,
            approved=_listed(platforms),
            key_backend=backend,
            passphrase_file=passphrase_file,
            logo=logo.read_bytes() if logo else None,
        )
    console.print(f"[bold]{_plain(name)}[/bold] is ready at {_plain(home)}. Its key is kept in {backend}.")
    if backend == "cryptfile":
        console.print("Keep its passphrase apart from the folder: without it nothing sealed opens again.")
    if not _listed(platforms):
        console.print("No platform is approved yet: name them in school.toml, \\[platforms] approved.")
    console.print(f"Serve it:        socialgov serve --home {_plain(home)}")
    console.print(f"Look after it:   socialgov scheduler --home {_plain(home)}")
    console.print(f"{_plain(manager_name)} signs in once, within ten minutes, at:")
    console.print(f"{base_url.rstrip('/')}/signin/{school.signin_token}")
    _show_vault(console, home, folder, sheets_as, manager_name, school)


def _show_vault(
    console: Console, path: Path, folder: Path, sheets_as: str, manager_name: str, school: NewSchool
) -> None:
    """The manager's code, and the sheets as files to be printed. Both are kept nowhere."""
    from socialgov.actions.recovery import SheetSet
    from socialgov.cli_escrow import tell_of_code, tell_of_sheets
    from socialgov.cli_sheets import keep_in

    settings = load_settings(path)
    made_at = wall_clock().astimezone(settings.zone)
    try:
        keep_in(folder, sheets_as)(SheetSet(1, settings.school_name, made_at, school.sheets))
    except StoreError as error:
        raise StoreError(
            f"The school is made, but {error.message}", "Run `socialgov escrow make` for new ones."
        ) from None
    tell_of_code(console, settings, manager_name, school.vault_code)
    tell_of_sheets(console, folder)


def _clock(home: Home, at: datetime) -> str:
    """`3 December 2026, 14:05`, in the school's own zone."""
    local = at.astimezone(home.settings.zone)
    return f"{local.day} {local:%B %Y, %H:%M}"


def status(path: Path) -> None:
    """One table: how the school stands."""
    from socialgov.actions.log import verify_log
    from socialgov.store.accounts import account_counts
    from socialgov.store.outbox import waiting_mail
    from socialgov.store.rows import moment
    from socialgov.store.staff import current_staff

    home = open_home(path)
    settings, log = home.settings, verify_log(home)
    counts = ", ".join(f"{count} {state.value}" for state, count in account_counts(home.db).items())
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for title, text in (
        ("School", settings.school_name),
        ("Home", str(home.path)),
        ("Address", settings.base_url),
        ("Time there", _clock(home, home.now())),
        ("Key", f"{home.escrow.key_id} in {settings.key_backend}, opens"),
        ("Platforms", ", ".join(sorted(settings.approved_platforms)) or "none approved yet"),
        ("Staff", str(len(current_staff(home.db)))),
        ("Accounts", counts or "none"),
        ("Not checked", _not_checked(home)),
        ("Log", f"{log.count} events, " + ("whole" if log.whole else f"not whole: {log.fault}")),
        ("Checkpoint", _clock(home, moment(log.newest_at)) if log.newest_at else "none signed yet"),
        ("Mail", f"{waiting_mail(home.db)} waiting" + ("" if settings.mail.host else ", no server in school.toml")),
    ):
        table.add_row(title, _plain(text))
    Console(highlight=False, soft_wrap=True).print(table)
    if not log.whole:
        raise SystemExit(1)


def _not_checked(home: Home) -> str:
    """What a machine could have read and did not, in one line; `socialgov platforms` says why."""
    from socialgov.actions.platform_states import left_out_words
    from socialgov.store.plans import left_out

    out = left_out(home.db)
    return f"not all {left_out_words(home, out)}" if out.accounts else "nothing"


def signin_link(path: Path, email: str, *, remove_factors: bool = False) -> None:
    """Print the whole address of a new link, after removing passkeys and authenticator app where asked."""
    from socialgov.actions.signin import make_signin_link
    from socialgov.actions.ways import remove_factors as remove
    from socialgov.store.staff import staff_by_email

    home = open_home(path)
    staff = staff_by_email(home.db, email)
    if staff is None:
        raise NotFound(f"Nobody here has the address {email}.", "Check it in the list of staff.")
    console = Console(highlight=False, soft_wrap=True)
    if remove_factors:
        removed = remove(home, None, None, staff.id, now=home.now())
        console.print(f"Removed {_some(removed, 'passkey or authenticator app', 'passkeys or authenticator apps')}.")
    link = make_signin_link(home, staff.id, actor="cli", now=home.now())
    console.print(f"{home.settings.base_url}{link}", soft_wrap=True)


def import_file(path: Path, kind: str, file: Path, *, dry_run: bool, full: bool, email: str | None) -> None:
    """Plan, report, and unless it is a dry run or has problems, apply as the member of staff with this address."""
    from socialgov.actions.people import apply_import, plan_import
    from socialgov.store.staff import staff_by_email

    home = open_home(path)
    actor = staff_by_email(home.db, email) if email else None
    if email and (actor is None or not actor.current):
        raise NotFound(f"Nobody with the address {email} works here.", "Name a member of staff after --as.")
    plan = plan_import(home, kind, file.read_bytes(), full=full)
    console = Console(highlight=False, soft_wrap=True)
    _report(console, plan)
    if plan.problems:
        raise InvalidInput(
            f"{_some(len(plan.problems), 'problem')} in {file.name}, so nothing was changed.",
            mend="Correct those rows and import the whole file again.",
        )
    if dry_run:
        console.print("A dry run: nothing was changed.")
        return
    done = apply_import(home, actor, plan, now=home.now())
    console.print(f"Imported {_counts(done)}.")


def _report(console: Console, plan: ImportPlan) -> None:
    if plan.problems:
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("Row", justify="right")
        table.add_column("Column")
        table.add_column("Problem", overflow="fold")
        for problem in plan.problems[:_SHOWN]:
            table.add_row(str(problem.row or "file"), _plain(problem.column), _plain(problem.message))
        console.print(table)
        if len(plan.problems) > _SHOWN:
            console.print(f"… and {len(plan.problems) - _SHOWN} more.")
    for warning in plan.warnings:
        console.print(f"Please look: {_plain(warning)}")
    if plan.ignored:
        console.print(f"Columns not used: {_plain(', '.join(plan.ignored))}")
    if not plan.problems:
        console.print(f"{_some(len(plan.rows), 'row')}: {_counts(plan.summary)}.")


def _counts(summary: Any) -> str:
    return ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in summary.items()) or "nothing to do"


def _some(count: int, word: str, plural: str = "") -> str:
    return f"{count} {word if count == 1 else plural or word + 's'}"


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _plain(text: object) -> str:
    """What came from people, so that no bracket in it is taken for markup."""
    from rich.markup import escape

    return escape(str(text))
