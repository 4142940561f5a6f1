"""What the commands that keep a school going do: serve, scheduler, run-jobs, check, demo."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from socialgov.errors import ConfigError, InvalidInput, SocialgovError
from socialgov.home import Home, open_home

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def serve(paths: Sequence[Path], host: str, port: int, threads: int) -> None:
    """Serve one school, or several by host name, with waitress until Ctrl-C. ConfigError when the port is taken."""
    import waitress

    app = _application(paths)
    try:
        server = waitress.create_server(app, host=host, port=port, threads=threads, ident="")
    except OSError as error:
        raise ConfigError(f"Nothing can listen on {host}:{port}: {error.strerror}.", "Choose another --port.") from None
    Console(highlight=False, soft_wrap=True).print(f"Serving at http://{host}:{port}, Ctrl-C ends it.")
    try:
        server.run()
    finally:
        server.close()


def _application(paths: Sequence[Path]) -> WSGIApplication:
    if len(paths) == 1:
        from socialgov import create_app

        return create_app(paths[0])
    from socialgov.web.hosts import SchoolsByHost

    return SchoolsByHost([open_home(path) for path in paths])


def scheduler(path: Path) -> None:
    """Run the jobs until Ctrl-C."""
    from socialgov.jobs import run_scheduler

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every pass, every minute
    home = open_home(path)
    Console(highlight=False, soft_wrap=True).print(
        f"Looking after {escape(home.settings.school_name)}, Ctrl-C ends it."
    )
    run_scheduler(home)


def run_jobs(path: Path, moment: str | None) -> None:
    """One pass of every job. Trouble in any makes the exit code 1."""
    from socialgov.jobs import run_once

    home = open_home(path)
    report = run_once(home, home.now() if moment is None else _moment(home, moment))
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("Job", "How it went", "Done", "Trouble"):
        table.add_column(title, overflow="fold")
    for job in report.jobs:
        table.add_row(job.name, job.outcome, str(job.done), escape("\n".join(job.trouble)))
    Console(highlight=False, soft_wrap=True).print(table)
    if not report.whole:
        raise SystemExit(1)


def check(path: Path, accounts: tuple[int, ...]) -> None:
    """Observe and evaluate accounts; print what is out of order, and what was not checked since when.

    The first makes the exit code 1. The second does so by itself, once it is too old for the rules to tell.
    """
    from socialgov.cli_platforms import tell_not_checked
    from socialgov.store.accounts import watched_ids
    from socialgov.store.plans import not_checked

    home = open_home(path)
    wanted = accounts or watched_ids(home.db)
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("Account", "Rule", "Answer", "Why"):
        table.add_column(title, overflow="fold")
    for account_id in track(wanted, "Looking …", console=console, transient=True):
        for row in _out_of_order(home, account_id):
            table.add_row(*map(escape, row))
    missing = [one for one in not_checked(home.db) if one.account_id in set(wanted)]
    if table.row_count:
        console.print(table)
    elif missing:
        console.print(f"{len(wanted)} looked at, but not at everything. By what is known every rule holds.")
    else:
        console.print(f"{len(wanted)} looked at, all in order.")
    if missing:
        tell_not_checked(home, console, missing, home.now())
    if table.row_count:
        raise SystemExit(1)


def _out_of_order(home: Home, account_id: int) -> Iterator[tuple[str, str, str, str]]:
    """Rows for one account; one that cannot be checked says so and does not hide the others."""
    from socialgov.actions.observing import check_account
    from socialgov.store.accounts import account_by_id

    account = account_by_id(home.db, account_id)
    name = f"{account.id} {account.handle or account.handle_wished}"
    try:
        findings = check_account(home, account.id, now=home.now())
    except SocialgovError as error:
        yield name, "", "not checked", str(error)
        return
    for finding in findings:
        if not finding.passes:
            yield name, finding.rule_id, "broken" if finding.answer is False else "cannot tell", finding.because


def demo(port: int, folder: Path) -> None:
    from socialgov.demo.serving import main

    main(port, folder)


def _moment(home: Home, text: str) -> datetime:
    """A time as people write it, in the school's zone unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is no time.", mend="Write it as 2026-12-01T08:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=home.settings.zone)
