"""The menu: what this person may open, in one order for everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import current_app, g, request

from socialgov import permissions
from socialgov.models import Staff

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True, slots=True)
class Entry:
    """A menu entry: shown to those for whom `can(staff)` is true."""

    label: str
    endpoint: str
    can: Callable[[Staff], bool]

    @property
    def blueprint(self) -> str:
        return self.endpoint.partition(".")[0]


MENU = (
    Entry("Today", "start.page", lambda staff: staff.current),
    Entry("Register", "accounts.register", permissions.can_view_register),
    Entry("Request an account", "requests.begin", permissions.can_request),
    Entry("People", "people.page", permissions.can_view_people),
    Entry("Log", "log.page", permissions.can_view_log),
    Entry("Staff", "staff.page", permissions.can_manage_staff),
)


def install(app: Flask) -> None:
    @app.context_processor
    def menu() -> dict[str, Any]:
        return {"menu": entries(g.get("staff")), "here": request.blueprint, "staff": g.get("staff")}


def entries(staff: Staff | None) -> list[Entry]:
    """The entries for this person whose pages exist."""
    if staff is None:
        return []
    return [entry for entry in MENU if entry.endpoint in current_app.view_functions and entry.can(staff)]
