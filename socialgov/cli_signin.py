"""`socialgov signin-service`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from socialgov.actions.openid_trial import to_register, try_service
from socialgov.config import load_settings


def signin_service(path: Path) -> None:
    """Print what was tried and what to register. That anything is wrong makes the exit code 1."""
    settings = load_settings(path.resolve())
    trials = try_service(settings, now=datetime.now(UTC))
    callback, afterwards = to_register(settings)
    console = Console(highlight=False, soft_wrap=True)
    console.print("Register with the service:", markup=False)
    console.print(f"  for signing in   {callback}\n  for signing out  {afterwards}\n", markup=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("Tried", "", "What it says"):
        table.add_column(title, overflow="fold")
    for trial in trials:
        table.add_row(trial.what, "right" if trial.right else "wrong", escape(trial.words))
    console.print(table)
    if not all(trial.right for trial in trials):
        raise SystemExit(1)
