"""The vault as this browser holds it open: a token in the signed cookie, beside that of the session.

The database has the other half (actions/vault.py). Without either, or a minute too late, the vault is shut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, session

from socialgov.actions.vault import opened_vault, opening_of
from socialgov.errors import VaultShut

if TYPE_CHECKING:
    from flask import Flask

    from socialgov.escrow import OpenVault
    from socialgov.store.vault import OpeningRow

VAULT_KEY = "vault"  # the token's place in the cookie


def install(app: Flask) -> None:
    @app.context_processor
    def opening() -> dict[str, Any]:
        """Until when the vault is open in this browser: shown on every page, with the button that shuts it."""
        here = opening_in_hand() if VAULT_KEY in session and g.get("staff") else None
        return {"vault_open": time_left(here) if here else None}


def time_left(opening: OpeningRow) -> str:
    """`until 14:05 (4 minutes)`, in the school's own zone."""
    minutes = max(1, round((opening.expires_at - g.now).total_seconds() / 60))
    until = opening.expires_at.astimezone(g.home.settings.zone)
    return f"until {until:%H:%M} ({minutes} {'minute' if minutes == 1 else 'minutes'})"


def vault_in_hand() -> OpenVault | None:
    """The vault, where it is open in this session; None where it is shut."""
    try:
        return need_vault()
    except VaultShut:
        return None


def need_vault() -> OpenVault:
    """The vault. Raises VaultShut, which sends a network manager to the page where it is opened, and back."""
    token = session.get(VAULT_KEY)
    if not token or not g.get("session_token"):
        raise VaultShut
    return opened_vault(g.home, g.session_token, token, now=g.now)


def opening_in_hand() -> OpeningRow | None:
    """Since when and until when it is open in this session, and whether by breaking the glass."""
    if not session.get(VAULT_KEY) or not g.get("session_token"):
        return None
    return opening_of(g.home, g.session_token, now=g.now)


def glass_in_hand() -> int | None:
    """The id of the broken glass that opened the vault in this session; None where nobody broke any."""
    opening = opening_in_hand()
    return opening.break_glass_id if opening else None


def take_in_hand(token: str) -> None:
    session[VAULT_KEY] = token


def let_go() -> None:
    session.pop(VAULT_KEY, None)
