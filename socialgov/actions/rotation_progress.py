"""How far a rotation is: what a page says about it. Reads only; nothing here finishes one (actions/rotations.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov.models import CredentialKind, Fact, Source
from socialgov.store.credentials import current_credential, given_up_key, known_to_leavers
from socialgov.store.observations import newest_observation
from socialgov.store.rotations import has_given_way, open_rotation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Credential, Rotation

# what else lets somebody in and is deposited: who changes the password changes these too
BESIDES = (CredentialKind.RECOVERY_CODES, CredentialKind.SECOND_FACTOR, CredentialKind.NOTES)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an open rotation stands. `refused`: the new deposit was tried and did not work; `tested`: it did."""

    rotation: Rotation
    late: bool
    deposited: bool
    tested: bool
    old_again: bool  # something was deposited since, but it is the old secret or very like it
    refused: bool
    older: tuple[Credential, ...]  # other deposits which it does not make new by itself: from before it, or `known`
    key_left: bool  # the product's own key was given up, and the platform has not ended it yet
    known: Mapping[CredentialKind, int]  # those without which it does not end: how many who left know each

    @property
    def only_the_rest(self) -> bool:
        """The new password is known to work; what is left is what people who left know besides."""
        return self.tested and bool(self.known)


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
    known = known_besides(db, account.id)
    return Progress(
        rotation=rotation,
        late=now >= rotation.due_at,
        deposited=deposited,
        tested=deposited and held is not None and manager_said_so(db, held),
        old_again=held is not None and not deposited and held.id > (rotation.old_credential_id or 0),
        refused=bool(deposited and tried and seen and seen.value is False and seen.source is Source.ATTESTED),
        older=tuple(
            one
            for one in besides
            if one and (one.kind in known or (one.secret_at or one.deposited_at) < rotation.started_at)
        ),
        key_left=given_up_key(db, account.id) is not None,
        known=known,
    )


def known_besides(db: Database, account_id: int) -> dict[CredentialKind, int]:
    """What lets somebody in besides the password and is known to people who left: kind → how many of them."""
    return {kind: people for kind, people in known_to_leavers(db, account_id).items() if kind in BESIDES}


def manager_said_so(db: Database, credential: Credential) -> bool:
    """A network manager has signed in with this very deposit, and it was not refused since (SEC205)."""
    seen = newest_observation(db, credential.account_id, Fact.LOGIN_WORKS)
    return (
        seen is not None
        and seen.value is True
        and seen.source is Source.ATTESTED
        and seen.observed_at >= credential.deposited_at
    )
