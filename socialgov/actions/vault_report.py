"""How the vault stands, for whoever runs the school's machine: who opens it, its sheets, and whether all opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov.actions.recovery import drill_due_at
from socialgov.actions.sealed_places import check_all
from socialgov.actions.vault import vault_key
from socialgov.store import vault as store
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.actions.sealed_places import Found
    from socialgov.home import Home
    from socialgov.store.vault import RecoverySetRow, VaultKeyRow


@dataclass(frozen=True, slots=True)
class VaultReport:
    """`key` None: there is no vault. `holders` and `invited` by name; `recovery` None: no sheets were made."""

    key: VaultKeyRow | None
    holders: tuple[str, ...]
    invited: tuple[str, ...]
    recovery: RecoverySetRow | None
    drill_due_at: datetime | None
    found: Found

    @property
    def in_order(self) -> bool:
        """Somebody opens it, there are sheets, and everything sealed opens."""
        return self.key is not None and bool(self.holders) and self.recovery is not None and self.found.whole


def vault_report(home: Home, *, now: datetime) -> VaultReport:
    """Raises EscrowError where the vault's public key was swapped. Opens no content, and no front with the vault."""
    row = store.current_vault_key(home.db)
    if row is not None:
        vault_key(home)
    current = store.current_holders(home.db)
    names = {holder.staff_id: staff_by_id(home.db, holder.staff_id).name for holder in current}
    return VaultReport(
        row,
        tuple(names[one.staff_id] for one in current if one.kind == "manager"),
        tuple(names[one.staff_id] for one in current if one.expires_at is not None and now < one.expires_at),
        store.current_recovery(home.db),
        drill_due_at(home),
        check_all(home, home.db, home.escrow),
    )
