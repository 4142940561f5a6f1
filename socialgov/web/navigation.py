"""The menu: what this person may open, in one order for everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import current_app, g, request

from socialgov import permissions
from socialgov.actions.break_glass import under_way
from socialgov.models import Staff

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True, slots=True)
class Entry:
    """A menu entry: shown to those for whom `can(staff)` is true; marked on the pages of its `blueprints`."""

    label: str
    endpoint: str
    can: Callable[[Staff], bool]
    blueprints: tuple[str, ...]


def _sees_glass_only(staff: Staff) -> bool:
    """The second person, while the glass of the vault is being broken."""
    only = permissions.can_view_glass(staff) and not permissions.can_view_vault(staff)
    return only and under_way(g.home, now=g.now) is not None


OF_ACCOUNTS = (
    "accounts", "decisions", "setup", "exports", "sign_ins", "deposits", "contacts", "credentials", "rotations",
    "lifetime", "closing",
    "audience", "followers", "posts",
)  # fmt: skip

MENU = (
    Entry("Today", "start.page", lambda staff: staff.current, ("start",)),
    Entry("Register", "accounts.register", permissions.can_view_register, OF_ACCOUNTS),
    Entry("Request an account", "requests.begin", permissions.can_request, ("requests",)),
    Entry("Public accounts", "public_accounts.show", permissions.can_allow_public, ("public_accounts",)),
    Entry("People", "people.page", permissions.can_view_people, ("people",)),
    Entry("Logins", "audit.page", permissions.can_view_audit, ("audit",)),
    Entry("Platforms", "platforms.page", permissions.can_view_platforms, ("platforms",)),
    Entry("Log", "log.page", permissions.can_view_log, ("log",)),
    Entry("Vault", "vault.show", permissions.can_view_vault, ("vault", "glass")),
    Entry("Vault", "glass.show", _sees_glass_only, ("glass",)),
    Entry("Staff", "staff.page", permissions.can_manage_staff, ("staff", "leavers")),
)


def install(app: Flask) -> None:
    @app.context_processor
    def menu() -> dict[str, Any]:
        staff = g.get("staff")
        may_open_vault = staff is not None and permissions.can_open_vault(staff)
        return {
            "menu": entries(staff), "here": request.blueprint, "staff": staff, "may_open_vault": may_open_vault
        }  # fmt: skip


def entries(staff: Staff | None) -> list[Entry]:
    """The entries for this person whose pages exist."""
    if staff is None:
        return []
    return [entry for entry in MENU if entry.endpoint in current_app.view_functions and entry.can(staff)]
