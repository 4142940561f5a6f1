"""What tests need: a school in a folder, people in it, and accounts that walked the real actions to where they are."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from socialgov.actions.schools import create_school
from socialgov.actions.staff import add_staff
from socialgov.actions.vault import Invitation, add_holder
from socialgov.config import load_settings
from socialgov.escrow import Escrow, Holder, OpenVault, Recovery
from socialgov.escrow.shares import join_shares
from socialgov.home import Home, open_home
from socialgov.models import Account, AccountKind, AccountState, Role, Staff
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.staff import staff_by_email
from socialgov.store.vault import current_recovery, current_vault_key, end_holder, holder_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SCHOOL_ID = "5c" * 16
ESCROW = Escrow.from_key(bytes(range(32)), SCHOOL_ID)
DOMAIN = "school.example"
PASSPHRASE = "six words nobody else would pick"
PLATFORMS = ("sandbox", "bluesky", "instagram", "x", "facebook_group")
VAULT_CODE = "lantern gravel otter plywood sunrise mitten"
VAULT_PASSPHRASE = "harbour tinsel quarry moped velvet acorn"
_numbers = count(1)
_sheets: dict[Path, tuple[str, ...]] = {}
_made: dict[str, Home] = {}  # schools for copying, by what they were made of


def make_home(
    tmp_path: Path,
    *,
    real_key: bool = False,
    demonstration: bool = False,
    escrow: Escrow = ESCROW,
    joined: bool = True,
    **choices: Any,
) -> Home:
    """A new school with its network manager `manager@school.example`, at `tmp_path / "home"`.

    The manager opens the vault with VAULT_PASSPHRASE; not `joined`, they still have to set one with VAULT_CODE.
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
        "invitation": invitation(),
        **choices,
    }
    if real_key:
        _sheets[root] = create_school(root, **values).sheets
        home = open_home(root, clock=lambda: NOW)
        if joined:
            give_way_in(home, manager_of(home))
        return home
    key = f"{escrow!r} {joined} {sorted(values.items(), key=lambda item: item[0])!r}"
    if key not in _made:
        _made[key] = _make(values, escrow, joined=joined)
    shutil.copytree(_made[key].path, root)
    _sheets[root] = _sheets[_made[key].path]
    return Home(root, _made[key].settings, escrow, clock=lambda: NOW)


def _make(values: dict[str, Any], escrow: Escrow, *, joined: bool) -> Home:
    """A school for copying: making one takes a tenth of a second, and nearly every test wants the same."""
    root = Path(_folder().name) / str(len(_made))
    _sheets[root] = create_school(root, escrow=escrow, **values).sheets
    home = Home(root, load_settings(root), escrow, clock=lambda: NOW)
    if joined:
        give_way_in(home, manager_of(home))
    home.db.execute("pragma wal_checkpoint(truncate)")
    home.db.close()
    return home


@cache
def _folder() -> TemporaryDirectory[str]:
    """Goes with the process."""
    return TemporaryDirectory(prefix="socialgov-tests-")


def vault_of(home: Home) -> OpenVault:
    """The school's vault, opened as with two of its recovery sheets: no passphrase is stretched for it."""
    found = current_recovery(home.db)
    assert found is not None
    return Recovery(join_shares(_sheets[home.path][:2])).open(home.settings.school_id, found.sealed)[1]


def sheets_of(home: Home) -> tuple[str, ...]:
    """The three recovery sheets that were shown when the school was made."""
    return _sheets[home.path]


@cache
def invitation() -> Invitation:
    """The vault code of every test's school: stretched once, which costs a sixth of a second."""
    holder = Holder(b"salt of tests 01")
    return Invitation(VAULT_CODE, holder, holder.public_of(VAULT_CODE))


@cache
def _way_in() -> tuple[Holder, bytes]:
    holder = Holder(b"salt of tests 02")
    return holder, holder.public_of(VAULT_PASSPHRASE)


def give_way_in(home: Home, manager: Staff) -> None:
    """Let this network manager open the vault with VAULT_PASSPHRASE, as if they had joined with their code."""
    holder, public = _way_in()
    with write(home.db) as db:
        row = current_vault_key(db)
        assert row is not None
        if (asked := holder_of(db, manager.id, "invitation")) is not None:
            end_holder(db, asked.id, NOW)
        add_holder(
            db, home.escrow, vault_of(home), holder, public, kind="manager", staff_id=manager.id, vault_key_id=row.id,
            made_by=manager.id, now=NOW,
        )  # fmt: skip


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
