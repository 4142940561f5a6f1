"""The file of accounts that exist already: each row becomes an account found unregistered (ACC108), once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from socialgov.actions.request_checks import request_faults
from socialgov.actions.requests import register_found
from socialgov.csvfiles import Problem
from socialgov.errors import InvalidInput
from socialgov.importing import AccountRow, ImportRow
from socialgov.models import AccountRequest
from socialgov.store.accounts import account_with_handle
from socialgov.store.staff import staff_by_email

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.config import Settings
    from socialgov.home import Home
    from socialgov.models import Staff

# a field of the request → the file's column
_TITLES = {
    "platform": "Platform",
    "handle_wished": "Handle",
    "purpose": "Purpose",
    "audience": "Audience",
    "owner_id": "Owner",
    "deputy_id": "Deputy",
    "starts_on": "Starts on",
    "ends_on": "Ends on",
    "review_on": "Review on",
}


def account_changes(home: Home, rows: Iterable[ImportRow], now: datetime) -> tuple[dict[str, int], list[Problem]]:
    """How many accounts are new, how many on the register already, and what is wrong with the rows."""
    counts = {"new": 0, "unchanged": 0}
    problems: list[Problem] = []
    for row in rows:
        if not isinstance(row, AccountRow):
            continue
        platform = _platform(home.settings, row)
        if platform is None:
            what = f"“{row.platform}” is not a platform we know. Known are: {', '.join(home.settings.platforms)}."
            problems.append(Problem(row.number, "Platform", what))
        elif account_with_handle(home.db, platform, row.handle) is not None:
            counts["unchanged"] += 1
        elif faults := _faults(home, row, platform, now):
            problems += faults
        else:
            counts["new"] += 1
    return counts, problems


def bring_in_accounts(home: Home, actor: Staff | None, rows: Iterable[ImportRow], now: datetime) -> None:
    """Record every account that is not on the register. Call inside `write()`."""
    if actor is None:
        raise InvalidInput(
            "Accounts must be brought in by a member of staff.",
            mend="Name one with --as on the command line, or import the file on the page People.",
        )
    for row in rows:
        platform = _platform(home.settings, row) if isinstance(row, AccountRow) else None
        if platform is None or account_with_handle(home.db, platform, row.handle) is not None:
            continue
        register_found(home, actor, _request(home, home.db, row, platform, now), handle=row.handle, now=now)


def _platform(settings: Settings, row: AccountRow) -> str | None:
    """The platform's key, by key or by name, whatever the capitals."""
    wanted = row.platform.casefold()
    return next((key for key, info in settings.platforms.items() if wanted in (key, info.name.casefold())), None)


def _faults(home: Home, row: AccountRow, platform: str, now: datetime) -> list[Problem]:
    problems = [
        Problem(row.number, title, f"Nobody on the staff has the address “{email}”.")
        for title, email in (("Owner", row.owner_email), ("Deputy", row.deputy_email))
        if staff_by_email(home.db, email) is None
    ]
    if problems:
        return problems
    request = _request(home, home.db, row, platform, now)
    _, faults = request_faults(home.db, home.settings, request, today=home.today(now), found=True)
    return [Problem(row.number, _TITLES.get(name, ""), sentence) for name, sentence in faults.items()]


def _request(home: Home, db: Database, row: AccountRow, platform: str, now: datetime) -> AccountRequest:
    owner, deputy = staff_by_email(db, row.owner_email), staff_by_email(db, row.deputy_email)
    assert owner is not None and deputy is not None  # `_faults` has refused the row otherwise
    return AccountRequest(
        platform=platform,
        kind=row.kind,
        handle_wished=row.handle,
        purpose=row.purpose,
        audience=row.audience,
        owner_id=owner.id,
        deputy_id=deputy.id,
        starts_on=row.starts_on or home.today(now),
        ends_on=row.ends_on,
        review_on=row.review_on,
    )
