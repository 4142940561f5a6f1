"""Codes of an authenticator app (TOTP, RFC 6238): where a browser or a machine cannot do passkeys.

ASVS 5.0: 6.5.1 (each code once), 6.5.5 (half a minute, and one step either way for a clock that is off), 6.3.1
(throttled by person). The seed is sealed under the school's key, shown once, and destroyed when the app is removed.
A false page can ask a code out of somebody, a passkey it cannot: the school may switch codes off (policy.toml).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.actions.notices import notify
from socialgov.actions.stepup import confirm_session, need_fresh, need_fresh_or_first
from socialgov.actions.throttle import forgive_person, note_wrong_person, one_try
from socialgov.errors import Conflict, InvalidInput, NotFound, NotPermitted
from socialgov.escrow.codes import Seed, matching_step, new_seed, read_seed
from socialgov.store import factors, guarded_update, record_event, write
from socialgov.store.events import EventTag, actor_of
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Staff
    from socialgov.store.factors import Authenticator

FIELD = "authenticator"
CONFIRM_WITHIN = timedelta(minutes=15)  # a seed that was shown and not confirmed counts no longer
_ADDED = "An authenticator app was added for signing in as you. If it was not you, tell the network manager at once."
_REMOVED = "Your authenticator app was removed. If you did not expect it, tell the network manager at once."
_WRONG = "This code is not right, or was used already. Wait for the next one and enter that."


def begin_authenticator(
    home: Home, actor: Staff, session_token: str, *, now: datetime, seed: Seed | None = None
) -> Seed:
    """A new seed for `actor`, to be shown once; it counts when a first code was right. `seed`: one to use instead.

    Raises StepUpNeeded (but for the very first), Conflict while another counts, NotPermitted where the school has
    switched codes off.
    """
    check_codes_allowed(home)
    need_fresh_or_first(home, session_token, now=now)
    seed = seed or new_seed()
    with write(home.db) as db:
        _insert(db, home, actor.id, seed, now)
    return seed


def confirm_authenticator(home: Home, actor: Staff, session_token: str, code: str, *, now: datetime) -> str:
    """The first code is right, so the app counts from now on; the session's new token, which it made strong.

    Raises InvalidInput, Throttled, StepUpNeeded, NotFound.
    """
    need_fresh_or_first(home, session_token, now=now)
    row = factors.authenticator_of(home.db, actor.id)
    if row is None or row.confirmed_at is not None or now - row.made_at > CONFIRM_WITHIN:
        raise NotFound("There is no new authenticator app to confirm.", "Begin again on the page Signing in.")
    step = _right_step(home, row, code, now)
    with write(home.db) as db:
        _confirm(db, row, step, now)
        forgive_person(db, home, actor.id)
        return confirm_session(home, session_token, "code", now=now)


def use_code(home: Home, staff_id: int, code: str, *, now: datetime) -> None:
    """Check a code and use it up. Raises InvalidInput for a wrong or used one, Throttled, NotPermitted.

    Of two who come with the same code at the same moment, one gets in.
    """
    check_codes_allowed(home)
    row = factors.authenticator_of(home.db, staff_id)
    if row is None or row.confirmed_at is None or not staff_by_id(home.db, staff_id).current:
        raise NotPermitted("There is no authenticator app for this.", "Use a passkey, or ask the network manager.")
    step = _right_step(home, row, code, now)
    try:
        with write(home.db) as db:
            where = {"last_step": row.last_step, "ended_at": None}
            guarded_update(db, "authenticator", row.id, {"last_step": step}, where=where)
            forgive_person(db, home, staff_id)
    except Conflict:
        raise _refused(home, row, now) from None


def confirm_with_code(home: Home, actor: Staff, session_token: str, code: str, *, now: datetime) -> str:
    """Step-up with a code; the session's new token. Raises as use_code does."""
    use_code(home, actor.id, code, now=now)
    return confirm_session(home, session_token, "code", now=now)


def remove_authenticator(home: Home, actor: Staff, session_token: str, *, now: datetime) -> None:
    """Remove your own app and destroy its seed. Raises StepUpNeeded, NotFound."""
    need_fresh(home, session_token, now=now)
    with write(home.db) as db:
        row = factors.authenticator_of(db, actor.id)
        if row is None:
            raise NotFound("You have no authenticator app here.")
        end_authenticator(db, row, actor=actor_of(actor.id), now=now)


def end_authenticator(db: Database, row: Authenticator, *, actor: str, now: datetime) -> None:
    """Its codes count no more, its seed is gone, and its owner is told. Inside `write()`."""
    guarded_update(db, "authenticator", row.id, {"ended_at": now, "sealed": None}, where={"ended_at": None})
    if row.confirmed_at is None:
        return  # it never counted
    _event(db, EventTag.AUTHENTICATOR_REMOVED, row, now, actor=actor)
    key = f"authenticator_removed:{row.id}"
    notify(db, staff_id=row.staff_id, kind="authenticator", text=_REMOVED, dedupe_key=key, now=now)


def give_authenticator(home: Home, staff_id: int, seed_text: str, *, now: datetime) -> None:
    """Give somebody of a demonstration an app with a known seed, confirmed. Raises NotPermitted for a real school."""
    if not home.settings.demonstration:
        raise NotPermitted("Only a demonstration may give somebody an authenticator app with a known seed.")
    with write(home.db) as db:
        if factors.authenticator_of(db, staff_id) is None:
            _insert(db, home, staff_id, read_seed(seed_text), now)
            row = factors.authenticator_of(db, staff_id)
            if row is not None:
                _confirm(db, row, None, now)


def check_codes_allowed(home: Home) -> None:
    """Raise NotPermitted where the school has switched authenticator codes off."""
    if not home.settings.policy.authenticator_codes:
        raise NotPermitted("This school does not use authenticator codes.", "Add a passkey instead.")


# --------------------------------------------------------------------------------------------------- small parts


def _insert(db: Database, home: Home, staff_id: int, seed: Seed, now: datetime) -> None:
    """Sealed with the row's own number as its version, so that no row's seed opens in another."""
    factors.drop_unconfirmed(db, staff_id, now)
    if factors.authenticator_of(db, staff_id) is not None:
        raise Conflict("You have an authenticator app already.", "Remove it first; then add the new one.")
    row_id = factors.insert_authenticator(db, staff_id, now)
    sealed = home.escrow.seal(seed.text.encode(), account=f"staff:{staff_id}", field=FIELD, version=row_id)
    guarded_update(db, "authenticator", row_id, {"sealed": sealed}, where={"sealed": None})


def _confirm(db: Database, row: Authenticator, step: int | None, now: datetime) -> None:
    changes = {"confirmed_at": now, "last_step": step}
    guarded_update(db, "authenticator", row.id, changes, where={"confirmed_at": None, "ended_at": None})
    _event(db, EventTag.AUTHENTICATOR_ADDED, row, now, actor=actor_of(row.staff_id))
    key = f"authenticator:{row.id}"
    notify(db, staff_id=row.staff_id, kind="authenticator", text=_ADDED, dedupe_key=key, now=now)


def _right_step(home: Home, row: Authenticator, code: str, now: datetime) -> int:
    """The step whose code this is. Raises Throttled before it looks, InvalidInput and counts after it was wrong."""
    if row.sealed is None:
        raise NotFound("This authenticator app was removed.", "Add it anew on the page Signing in.")
    with one_try(home, row.staff_id, now=now):
        seed_text = home.escrow.open(row.sealed, account=f"staff:{row.staff_id}", field=FIELD, version=row.id)
        seed = read_seed(seed_text.decode())
        step = matching_step(seed, code, now, after=row.last_step)
        if step is None:
            note_wrong_person(home, row.staff_id, now=now)
            raise _refused(home, row, now)
    return step


def _refused(home: Home, row: Authenticator, now: datetime) -> InvalidInput:
    with write(home.db) as db:
        _event(db, EventTag.AUTHENTICATOR_REFUSED, row, now, actor=actor_of(row.staff_id))
    return InvalidInput(_WRONG, {"code": _WRONG})


def _event(db: Database, tag: EventTag, row: Authenticator, now: datetime, *, actor: str) -> None:
    record_event(db, tag, actor=actor, now=now, subject="staff", subject_id=row.staff_id)
