"""How far a rotation is: what a page says about it. Reads only; nothing here finishes one (actions/rotations.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov.models import CredentialKind, Fact, Source
from socialgov.store.credentials import current_credential
from socialgov.store.observations import newest_observation
from socialgov.store.rotations import has_given_way, open_rotation

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, Credential, Rotation

# what else lets somebody in and is deposited: who changes the password changes these too
BESIDES = (CredentialKind.RECOVERY_CODES, CredentialKind.SECOND_FACTOR, CredentialKind.NOTES)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an open rotation stands. `refused`: the new deposit was tried and did not work."""

    rotation: Rotation
    late: bool
    deposited: bool
    old_again: bool  # something was deposited since, but it is the old secret or very like it
    refused: bool
    older: tuple[Credential, ...]  # other deposits from before the rotation began, which it does not make new by itself


def rotation_progress(home: Home, account: Account, now: datetime) -> Progress | None:
    """None where no change of the password is open."""
    db, rotation = home.db, open_rotation(home.db, account.id)
    if rotation is None:
        return None
    held = current_credential(db, account.id, CredentialKind.PASSWORD)
    deposited = held is not None and has_given_way(db, rotation, held.id)
    seen = newest_observation(db, account.id, Fact.LOGIN_WORKS)
    tried = seen is not None and held is not None and seen.observed_at >= held.deposited_at
    besides = (current_credential(db, account.id, kind) for kind in BESIDES)
    return Progress(
        rotation=rotation,
        late=now >= rotation.due_at,
        deposited=deposited,
        old_again=held is not None and not deposited and held.id > (rotation.old_credential_id or 0),
        refused=bool(deposited and tried and seen and seen.value is False and seen.source is Source.ATTESTED),
        older=tuple(one for one in besides if one and (one.secret_at or one.deposited_at) < rotation.started_at),
    )
