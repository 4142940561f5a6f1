"""What is begun in one browser and finished by it, once, within minutes (ASVS 5.0: 6.5.1, 6.5.5).

A challenge for a passkey, a sign-in that waits for its second factor, a form that waits for a step-up: each is a row
whose token only that browser's cookie holds. An answer to somebody else's challenge finds none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from socialgov.actions.sessions import token_hash
from socialgov.errors import Conflict, NotPermitted
from socialgov.escrow import random_token
from socialgov.store import ceremonies as rows
from socialgov.store import write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.store.ceremonies import Ceremony

LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the token that only its cookie keeps."""

    url: str = field(repr=False)
    token: str = field(repr=False)


class CeremonyOver(NotPermitted):
    """It was finished already, took too long, or was begun in another browser."""

    def __init__(self) -> None:
        super().__init__("This took too long, or was begun in another window, so nothing was done.", "Begin again.")


def begin(
    home: Home,
    purpose: str,
    data: Mapping[str, Any],
    *,
    now: datetime,
    staff_id: int | None = None,
    session_id: int | None = None,
    lifetime: timedelta = LIFETIME,
) -> str:
    """Keep `data` until this browser comes back; the token is its cookie's alone. What ran out before is erased."""
    token = random_token()
    with write(home.db) as db:
        rows.purge_ceremonies(db, now)
        rows.add_ceremony(
            db,
            purpose,
            token_hash=token_hash(token),
            made_at=now,
            expires_at=now + lifetime,
            staff_id=staff_id,
            session_id=session_id,
            data=data,
        )
    return token


def look(home: Home, purpose: str, token: str | None, *, now: datetime) -> Ceremony:
    """The ceremony of this browser, without using it up. Raises CeremonyOver."""
    return _found(home.db, purpose, token, now)


def finish(db: Database, purpose: str, token: str | None, *, now: datetime) -> Ceremony:
    """Use it up, inside `write()`: it counts once, whether what follows succeeds or not. Raises CeremonyOver."""
    ceremony = _found(db, purpose, token, now)
    try:
        rows.use_up_ceremony(db, ceremony.id, now)
    except Conflict:  # of two who come with the same, one gets on
        raise CeremonyOver from None
    return ceremony


def finish_alone(
    home: Home, purpose: str, token: str | None, *, staff_id: int | None, now: datetime
) -> Mapping[str, Any]:
    """Use up what this person (None: anybody) began, in a transaction of its own: its data. Raises CeremonyOver."""
    with write(home.db) as db:
        ceremony = finish(db, purpose, token, now=now)
    if ceremony.staff_id != staff_id:
        raise CeremonyOver
    return ceremony.data


def _found(db: Database, purpose: str, token: str | None, now: datetime) -> Ceremony:
    ceremony = rows.ceremony_by_hash(db, token_hash(token)) if token else None
    if ceremony is None or ceremony.purpose != purpose or not ceremony.usable(now):
        raise CeremonyOver
    return ceremony
