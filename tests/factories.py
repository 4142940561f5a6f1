"""What tests need: a school in a folder, people in it, and accounts that walked the real actions to where they are."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from socialgov.actions.schools import create_school
from socialgov.actions.staff import add_staff
from socialgov.config import load_settings
from socialgov.escrow import Escrow
from socialgov.home import Home, open_home
from socialgov.models import Account, AccountKind, AccountState, Role, Staff
from socialgov.store.accounts import account_by_id
from socialgov.store.staff import staff_by_email

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SCHOOL_ID = "5c" * 16
ESCROW = Escrow.from_key(bytes(range(32)), SCHOOL_ID)
DOMAIN = "school.example"
PASSPHRASE = "six words nobody else would pick"
PLATFORMS = ("sandbox", "bluesky", "instagram", "x", "facebook_group")
_numbers = count(1)


def make_home(
    tmp_path: Path, *, real_key: bool = False, demonstration: bool = False, escrow: Escrow = ESCROW, **choices: Any
) -> Home:
    """A new school with its network manager `manager@school.example`, at `tmp_path / "home"`.

    Its clock stands at NOW. The key is a fixed one of the tests; `real_key` makes one in a key file instead, for tests
    that open the home again in another process (set SOCIALGOV_PASSPHRASE to PASSPHRASE; each opening costs a second).
    """
    root = tmp_path / "home"
    values: dict[str, Any] = {
        "name": "Test School",
        "domains": [DOMAIN],
        "contact": f"office@{DOMAIN}",
        "manager_name": "Mo Manager",
        "manager_email": f"manager@{DOMAIN}",
        "approved": PLATFORMS,
        "demonstration": demonstration,
        "now": NOW,
        **choices,
    }
    if real_key:
        create_school(root, **values)
        return open_home(root, clock=lambda: NOW)
    create_school(root, escrow=escrow, **values)
    return Home(root, load_settings(root), escrow, clock=lambda: NOW)


def manager_of(home: Home) -> Staff:
    """The network manager that every school of `make_home` has."""
    found = staff_by_email(home.db, f"manager@{DOMAIN}")
    assert found is not None
    return found


def staff(home: Home, *roles: Role, name: str | None = None, email: str | None = None) -> Staff:
    """A new member of staff with these roles (a teacher when none is named)."""
    number = next(_numbers)
    wanted = roles or (Role.TEACHER,)
    return add_staff(
        home,
        None,
        name or f"{wanted[0].value.replace('_', ' ').title()} {number}",
        email or f"staff{number}@{DOMAIN}",
        wanted,
        now=NOW,
    )


def account_at(
    home: Home,
    state: AccountState,
    *,
    platform: str = "instagram",
    kind: AccountKind = AccountKind.TRIP,
    now: datetime = NOW,
    handle: str | None = None,
) -> Account:
    """An account in `state`, walked there through the real actions (tests/walk.py shows each step)."""
    import walk

    from socialgov.actions import accounts, closing

    cast, number = walk.cast_of(home), next(_numbers)
    form_for = walk.form_of if kind is AccountKind.TRIP else walk.standing_form
    form = form_for(cast, platform=platform, kind=kind, handle_wished=handle or f"account_{number}")
    if state in (AccountState.REQUESTED, AccountState.DECLINED, AccountState.WITHDRAWN):
        account = walk.requested(home, cast, now=now, form=form)
        if state is AccountState.DECLINED:
            accounts.decline(home, cast.manager, account.id, "Another account serves this already.", now=now)
        if state is AccountState.WITHDRAWN:
            accounts.withdraw(home, cast.owner, account.id, now=now)
    elif state in (AccountState.APPROVED, AccountState.CLOSED):
        account = walk.approved(home, cast, now=now, form=form)
        if state is AccountState.CLOSED:  # never set up on the platform, so that the machine closes it alone
            begun = closing.start_closing(home, cast.manager, account.id, "The trip does not take place.", now=now)
            closing.advance(home, begun.id, now=now)
    else:
        account = walk.live(home, cast, now=now, form=form)
        if state is AccountState.SUSPENDED:
            accounts.suspend(home, cast.owner, account.id, "Something looks wrong there.", now=now)
        if state is AccountState.CLOSING:
            closing.start_closing(home, cast.manager, account.id, "The trip is over early.", now=now)
    return account_by_id(home.db, account.id)
