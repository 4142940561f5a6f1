"""The vault: who can open it, and for how long it stays open (SEC207; docs/decisions/0010-vault.md).

Its private half is never at rest in the clear. A network manager's passphrase opens it into one browser's session for a
few minutes; adding and removing managers wraps the private half anew and opens no deposit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions import throttle
from socialgov.actions.notices import notify
from socialgov.actions.sessions import open_session
from socialgov.actions.stepup import need_fresh
from socialgov.errors import Conflict, EscrowError, InvalidInput, NotFound, VaultShut
from socialgov.escrow import Holder, OpenVault, Recovery, VaultKey, make_vault_key, random_token, recovery_proof
from socialgov.escrow.shares import split_secret
from socialgov.escrow.vault import vault_key_of
from socialgov.generator import random_words
from socialgov.models import Role
from socialgov.store import vault as store
from socialgov.store.connect import write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.staff import staff_by_id, staff_with_role

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.escrow import Escrow
    from socialgov.home import Home
    from socialgov.models import Staff

NOBODY = (
    "Nobody can open the vault any more, so no deposited password can be looked at. If somebody holds an invitation, "
    "they must set their passphrase now. Otherwise the head breaks the glass with two recovery sheets."
)
WRONG = "This passphrase does not open the vault."


@dataclass(frozen=True, slots=True)
class Invitation:
    """Six words, shown once, and the key pair that they are stretched to."""

    code: str = field(repr=False)
    holder: Holder
    public: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Invitation:
        code, holder = random_words(), Holder.new()
        return cls(code, holder, holder.public_of(code))


@dataclass(frozen=True, slots=True)
class NewVault:
    """What is shown once when a vault is made: the first manager's code, and the three recovery sheets."""

    code: str = field(repr=False)
    sheets: tuple[str, ...] = field(repr=False)


def make_vault(
    home: Home, manager_id: int, *, now: datetime, actor: str = "cli", invitation: Invitation | None = None
) -> NewVault:
    """Make the school's vault: its key pair, the invitation of its first network manager, and its recovery sheets.

    Raises Conflict where there is one already: a second would make everything in the first unreadable.
    """
    opened, recovery = make_vault_key(), Recovery.new()
    invitation = invitation or Invitation.new()
    with write(home.db) as db:
        if store.current_vault_key(db) is not None:
            raise Conflict("This school has a vault already.", "Open it, or use the recovery sheets.")
        key_id = _insert_key(db, home.escrow, opened, now)
        record_event(db, EventTag.VAULT_MADE, actor=actor, now=now, subject="vault", data={"key": opened.key_id})
        keep_recovery_set(db, home.escrow, opened, recovery, actor=actor, now=now)
        expires_at = now + timedelta(hours=home.settings.policy.vault_invitation_hours)
        add_holder(
            db, home.escrow, opened, invitation.holder, invitation.public, kind="invitation", staff_id=manager_id,
            vault_key_id=key_id, made_by=None, now=now, expires_at=expires_at,
        )  # fmt: skip
    return NewVault(invitation.code, tuple(split_secret(recovery.secret)))


def vault_key(home: Home, db: Database | None = None) -> VaultKey:
    """The public half that deposits are sealed to. Raises EscrowError when there is none, or it was swapped."""
    row = store.current_vault_key(home.db if db is None else db)
    if row is None:
        raise EscrowError("This school has no vault yet.", "The network manager runs `socialgov escrow make`.")
    return vault_key_of(home.escrow, row.public_key, row.proof, row.key_id)


# --------------------------------------------------------------------------------------------------- opening


def open_vault(home: Home, actor: Staff, session_token: str, passphrase: str, *, now: datetime) -> str:
    """Open the vault in this session for `policy.vault_open_minutes`; what the browser must keep is returned once.

    Raises StepUpNeeded unless the person showed lately who they are, Throttled, NotPermitted, InvalidInput.
    """
    permissions.check_can_open_vault(actor)
    need_fresh(home, session_token, now=now, for_vault=True)
    held, opened = open_with_own(home, actor, passphrase, "passphrase", now=now)
    return keep_open(home, actor, session_token, opened, now=now, held=held)


def open_with_own(
    home: Home, actor: Staff, passphrase: str, field: str, *, now: datetime
) -> tuple[store.HolderRow, OpenVault]:
    """Somebody's own way in, and what their passphrase opens. Raises Throttled, NotFound, InvalidInput (`field`)."""
    with throttle.one_try(home, actor.id, now=now, of=throttle.PASSPHRASE):
        held = store.holder_of(home.db, actor.id, "manager")
        if held is None or held.wrapped is None:
            raise NotFound("You have no vault passphrase yet.", "Set one with the code that another manager gives you.")
        try:
            return held, Holder(held.salt, held.cost).open(home.escrow, held.wrapped, passphrase, held.id)
        except EscrowError:
            refused(home, actor, now)
            raise InvalidInput(WRONG, {field: WRONG}, "Try again, or ask another network manager.") from None


def keep_open(
    home: Home,
    actor: Staff,
    session_token: str,
    opened: OpenVault,
    *,
    now: datetime,
    held: store.HolderRow | None = None,
    break_glass_id: int | None = None,
    until: datetime | None = None,
) -> str:
    """Hold an opened vault for one session, sealed to a token that only the browser gets. Compared with the store.

    `held`: the way in that opened it, which must still be there.
    """
    token = random_token()
    expires_at = now + timedelta(minutes=home.settings.policy.vault_open_minutes)
    expires_at = min(expires_at, until or expires_at)
    with write(home.db) as db:
        if opened.key_id != vault_key(home, db).key_id:
            raise EscrowError("This opens an older vault.", "Restore the backup that belongs to it.")
        session = open_session(home, session_token, now=now)
        if session is None or session.staff_id != actor.id:
            raise VaultShut("You are not signed in any more.", "Sign in again.")
        if held is not None:
            check_still_held(db, held)
        throttle.forgive_person(db, home, actor.id, of=throttle.PASSPHRASE)
        store.end_openings(db, now, session_id=session.id)
        opening_id = store.insert_opening(
            db, session_id=session.id, staff_id=actor.id, opened_at=now, expires_at=expires_at,
            break_glass_id=break_glass_id,
        )  # fmt: skip
        store.keep_opening(db, opening_id, opened.kept_under(home.escrow, token, opening_id))
        record_event(
            db, EventTag.VAULT_OPENED, actor=actor_of(actor.id), now=now, subject="vault", subject_id=opening_id,
            data={"glass": break_glass_id},
        )  # fmt: skip
    return token


def opened_vault(home: Home, session_token: str, opening_token: str, *, now: datetime) -> OpenVault:
    """The vault, for this request. Raises VaultShut when it is not open in this session, or its time is over."""
    row = opening_of(home, session_token, now=now)
    if row is None or row.sealed is None:
        raise VaultShut
    try:
        opened = OpenVault.kept(home.escrow, row.sealed, opening_token, row.id)
    except EscrowError:
        raise VaultShut from None
    if opened.key_id != vault_key(home).key_id:
        raise VaultShut
    return opened


def opening_of(home: Home, session_token: str, *, now: datetime) -> store.OpeningRow | None:
    """The opening that is in force in this session: until when, and whether by breaking the glass. None: it is shut."""
    session = open_session(home, session_token, now=now)
    row = store.opening_of_session(home.db, session.id) if session else None
    return row if row is not None and row.opened_at <= now < row.expires_at else None


def shut_vault(home: Home, session_token: str, *, now: datetime) -> None:
    """Shut it before its time. A vault that is not open is no error."""
    session = open_session(home, session_token, now=now)
    if session is None:
        return
    with write(home.db) as db:
        if store.end_openings(db, now, session_id=session.id):
            actor = actor_of(session.staff_id)
            record_event(db, EventTag.VAULT_SHUT, actor=actor, now=now, subject="vault", subject_id=session.id)


def shut_expired(home: Home, *, now: datetime) -> int:
    """Overwrite what held vaults open, and invitations, whose time is over. Both check the time themselves, too."""
    with write(home.db) as db:
        return store.end_openings(db, now, expired_only=True) + store.empty_expired_invitations(db, now)


def refused(home: Home, actor: Staff, now: datetime) -> None:
    """A wrong passphrase is an event and counts towards the throttle."""
    with write(home.db) as db:
        record_event(db, EventTag.VAULT_REFUSED, actor=actor_of(actor.id), now=now, subject="vault")
    throttle.note_wrong_person(home, actor.id, now=now, of=throttle.PASSPHRASE)


# --------------------------------------------------------------------------------------------------- its holders


def invite(home: Home, actor: Staff, opened: OpenVault, staff_id: int, *, now: datetime) -> str:
    """Let another network manager in: six words, shown once, to be told in person. An earlier invitation ends."""
    permissions.check_can_open_vault(actor)
    invitation = Invitation.new()
    with write(home.db) as db:
        permissions.check_can_open_vault(staff_by_id(db, actor.id))
        if store.holder_of(db, actor.id, "manager") is None:  # taken from them while the code was made
            raise VaultShut
        if not staff_by_id(db, staff_id).has(Role.NETWORK_MANAGER):
            raise InvalidInput("Only a network manager can be let into the vault.", mend="Give them that role first.")
        if store.holder_of(db, staff_id, "manager") is not None:
            raise Conflict("This person opens the vault already.", "They can change their passphrase themselves.")
        let_in(db, home, opened, invitation, staff_id, made_by=actor.id, now=now)
    return invitation.code


def let_in(
    db: Database,
    home: Home,
    opened: OpenVault,
    invitation: Invitation,
    staff_id: int,
    *,
    made_by: int | None,
    now: datetime,
) -> None:
    """An invitation on record, in place of an earlier one; managers and heads are told. Inside `write()`.

    `made_by` None: on the command line, with two of the recovery sheets.
    """
    _end(db, store.holder_of(db, staff_id, "invitation"), now)
    row = store.current_vault_key(db)
    if row is None or row.key_id != opened.key_id:
        raise VaultShut
    expires_at = now + timedelta(hours=home.settings.policy.vault_invitation_hours)
    add_holder(
        db, home.escrow, opened, invitation.holder, invitation.public, kind="invitation", staff_id=staff_id,
        vault_key_id=row.id, made_by=made_by, now=now, expires_at=expires_at,
    )  # fmt: skip
    actor = "cli" if made_by is None else actor_of(made_by)
    record_event(db, EventTag.VAULT_INVITED, actor=actor, now=now, subject="staff", subject_id=staff_id)
    text = f"{staff_by_id(db, staff_id).name} was invited to open the vault."
    tell_managers_and_heads(db, "vault_invited", text, now, key=f"{staff_id}:{now}", but=made_by)


def remove_holder(home: Home, actor: Staff, staff_id: int, *, now: datetime) -> None:
    """Take somebody's way into the vault. Conflict for the last one: then only the recovery sheets would open it."""
    with write(home.db) as db:
        permissions.check_can_manage_vault(staff_by_id(db, actor.id))
        end_holders_of(db, staff_id, actor=actor_of(actor.id), now=now)
        text = f"{staff_by_id(db, staff_id).name} cannot open the vault any more."
        tell_managers_and_heads(
            db, "vault_removed", text, now, key=f"{staff_id}:{now}", but=actor.id, also=frozenset({staff_id})
        )


def end_holders_of(db: Database, staff_id: int, *, actor: str, now: datetime, leaving: bool = False) -> bool:
    """End somebody's ways in; true where there were any. Inside `write()`; raises Conflict for the last, NotFound."""
    mine = [row for row in store.current_holders(db) if row.staff_id == staff_id]
    others = [row for row in store.current_holders(db) if row.staff_id != staff_id and row.kind == "manager"]
    if not mine:
        if leaving:
            return False
        raise NotFound("This person has no way into the vault.", "Look at the list again.")
    if not others and not leaving and any(row.kind == "manager" for row in mine):
        raise Conflict("Nobody could open the vault any more.", "Let another network manager in first.")
    for row in mine:
        _end(db, row, now)
    store.end_openings(db, now, staff_id=staff_id)
    record_event(db, EventTag.VAULT_REMOVED, actor=actor, now=now, subject="staff", subject_id=staff_id)
    if not others:
        tell_managers_and_heads(db, "vault_nobody", NOBODY, now, key=f"{staff_id}:{now}")
    return True


def add_holder(
    db: Database,
    escrow: Escrow,
    opened: OpenVault,
    holder: Holder,
    public: bytes,
    *,
    kind: str,
    staff_id: int,
    vault_key_id: int,
    made_by: int | None,
    now: datetime,
    expires_at: datetime | None = None,
) -> int:
    """A way in, its private half sealed to `public`, which is the holder's own. Inside `write()`."""
    holder_id = store.insert_holder(
        db, kind=kind, staff_id=staff_id, salt=holder.salt, cost=holder.cost, vault_key_id=vault_key_id,
        made_by=made_by, now=now, expires_at=expires_at,
    )  # fmt: skip
    store.keep_holder(
        db, holder_id,
        # sealed, so that whoever has the database alone cannot try passphrases against it
        sealed_public=escrow.seal(public, account="vault", field="public", version=holder_id),
        wrapped=opened.wrapped_for(escrow, public, holder_id),
        vault_key_id=vault_key_id,
    )  # fmt: skip
    return holder_id


def keep_recovery_set(
    db: Database, escrow: Escrow, opened: OpenVault, recovery: Recovery, *, actor: str, now: datetime
) -> int:
    """A new recovery set in place of the one before. Inside `write()`."""
    proof = recovery_proof(escrow, recovery.public)
    sealed = opened.recovery_of(escrow, recovery.public, proof)
    set_id = store.insert_recovery(
        db, public_key=recovery.public, proof=proof, check_value=recovery.check_value, sealed=sealed, now=now
    )
    record_event(db, EventTag.RECOVERY_MADE, actor=actor, now=now, subject="vault", subject_id=set_id)
    return set_id


# --------------------------------------------------------------------------------------------------- shared


def _insert_key(db: Database, escrow: Escrow, opened: OpenVault, now: datetime) -> int:
    public = opened.public.public
    return store.insert_vault_key(db, key_id=opened.key_id, public_key=public, proof=escrow.proof_of(public), now=now)


def check_still_held(db: Database, held: store.HolderRow) -> None:
    """It was not ended since it was read: a passphrase takes a moment to be stretched. Raises VaultShut."""
    current = store.holder_of(db, held.staff_id, held.kind)
    if current is None or current.id != held.id:
        raise VaultShut("Your way into the vault was ended a moment ago.", "Ask another network manager.")


def _end(db: Database, row: store.HolderRow | None, now: datetime) -> None:
    if row is not None:
        store.end_holder(db, row.id, now)


def tell_managers_and_heads(
    db: Database,
    kind: str,
    text: str,
    now: datetime,
    *,
    key: str,
    but: int | None = None,
    also: frozenset[int] = frozenset(),
) -> None:
    """Everybody who answers for the vault, once for each `key`, but whoever did it. Inside `write()`."""
    told = {staff.id for role in (Role.NETWORK_MANAGER, Role.HEAD) for staff in staff_with_role(db, role)} | also
    for staff_id in sorted(told - {but}):
        notify(db, staff_id=staff_id, kind=kind, text=text, dedupe_key=f"{kind}:{key}", now=now)
