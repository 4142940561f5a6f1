"""The vault as this browser holds it open: a token in the signed cookie, beside that of the session.

The database has the other half (actions/vault.py). Without either, or a minute too late, the vault is shut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, session

from socialgov.actions.vault import opened_vault, opening_of
from socialgov.errors import VaultShut

if TYPE_CHECKING:
    from socialgov.escrow import OpenVault
    from socialgov.store.vault import OpeningRow

VAULT_KEY = "vault"  # the token's place in the cookie


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
