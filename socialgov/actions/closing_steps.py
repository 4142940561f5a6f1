"""How a step of a closing changes hands: it gets its turn, is handed over, is finished. Each inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from socialgov.actions.access import refused
from socialgov.actions.adapters import adapter_of, capabilities_of, is_connected, needs_connection
from socialgov.actions.notices import notify
from socialgov.actions.unsealing import machine_login
from socialgov.errors import VaultShut
from socialgov.lifecycle import step_not_before
from socialgov.models import (
    Account,
    Capability,
    ClosingStep,
    CredentialKind,
    PlatformInfo,
    Role,
    StepDoer,
    StepName,
    StepState,
)
from socialgov.platforms import Platform, needs_password
from socialgov.store.closings import (
    closing_by_id,
    first_open_step,
    forget_tokens,
    mark_posts_removed,
    open_step,
    planned_names,
    update_step,
)
from socialgov.store.connect import write
from socialgov.store.connections import connection_of, end_connection
from socialgov.store.credentials import current_credential
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.staff import staff_by_id, staff_with_role

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Staff

JOB = "job:closing"
# marks in a step's detail
FOR_VAULT = "vault"  # it waits until a network manager opens the vault
KEY_REFUSED = "key_refused"  # the platform did not take our own key, so it goes on with the password
# what the machine does once a network manager has opened the vault, as it reads after "socialgov"
OPEN_AND: Mapping[StepName, str] = {
    StepName.TAKE_CONTENT_DOWN: "takes everything down",
    StepName.CHANGE_PASSWORD: "changes or tries the password",
    StepName.REVOKE_ACCESS: "ends all access",
    StepName.DEACTIVATE: "deactivates it",
    StepName.DELETE: "deletes it",
}
_PASSING = frozenset({"code", "phase", "revoking", FOR_VAULT, KEY_REFUSED})


@dataclass(frozen=True, slots=True)
class Work:
    """One step in hand: everything its doing and its looking need.

    `vault` is there while a network manager, the `actor`, has it open: only then can a step use the password.
    """

    home: Home = field(repr=False)
    account: Account
    platform: PlatformInfo
    step: ClosingStep
    now: datetime
    vault: OpenVault | None = field(default=None, repr=False)
    actor: Staff | None = None

    @property
    def can(self) -> frozenset[Capability]:
        return capabilities_of(self.home, self.account)

    @property
    def purpose(self) -> str:
        return f"closing: {self.step.name.value}"

    def adapter(self, need: Capability) -> Platform:
        """A new adapter for this, so that nothing remembered from before is taken for a fresh look.

        With the product's own key, or with the password where the platform wants that, refused the key, or none was
        made. Raises VaultShut where the password is needed and the vault is not open. With its access where accounts
        are connected, no password being of any use there; LoginRefused where it is not connected any more.
        """
        if needs_connection(self.home, self.account):
            if not is_connected(self.home, self.account):  # nothing is done there with a key that was lent for looking
                raise refused(self.home, self.account)
            return adapter_of(self.home, self.account, now=self.now)
        login = machine_login(
            self.home,
            self.account.id,
            purpose=self.purpose,
            now=self.now,
            needs_password=need in needs_password(self.platform) or bool(self.step.detail.get(KEY_REFUSED)),
            vault=self.vault,
            actor=self.actor,
        )
        if login is None and current_credential(self.home.db, self.account.id, CredentialKind.PASSWORD) is not None:
            raise VaultShut
        return adapter_of(self.home, self.account, login, now=self.now)

    def with_own_key(self) -> Platform | None:
        """A new adapter with the product's own key; None where there is none on record."""
        login = machine_login(self.home, self.account.id, purpose=self.purpose, now=self.now)
        return adapter_of(self.home, self.account, login, now=self.now) if login else None

    def as_outsider(self) -> Platform:
        """A new adapter that is not signed in."""
        return adapter_of(self.home, self.account, now=self.now)


def note(work: Work, **noted: Any) -> Work:
    """Write something down with the step while it is in hand, so that whoever goes on after a crash finds it."""
    detail = {**work.step.detail, **noted}
    with write(work.home.db) as db:
        update_step(
            db, work.step.id, {"detail": detail}, state=StepState.WAITING, attempts=work.step.attempts, keep_claim=True
        )
    return replace(work, step=replace(work.step, detail=detail))


# --------------------------------------------------------------------------------------------------- finishing


def finish_step(
    work: Work,
    db: Database,
    observation_id: int | None,
    *,
    done_by: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Inside the caller's transaction: the step is done, its event is written, and the next one has its turn.

    Guarded by the step's state and attempt number: who lost the claim changes nothing (Conflict).
    """
    step, account, now = work.step, work.account, work.now
    detail = {key: value for key, value in step.detail.items() if key not in _PASSING} | dict(data or {})
    update_step(
        db,
        step.id,
        {
            "state": StepState.DONE,
            "done_at": now,
            "done_by": done_by,
            "observation_id": observation_id,
            "last_error": None,
            "detail": detail,
        },
        state=step.state,
        attempts=step.attempts,
    )
    actor = actor_of(done_by) if done_by else JOB
    said = {"step": step.name, "observation": observation_id, **(data or {})}
    step_event(db, EventTag.CLOSING_STEP_DONE, step, account, now, said, actor=actor)
    _follow(work, db, actor)
    open_next(work.home, db, account, step.closing_id, now=now)


def _follow(work: Work, db: Database, actor: str) -> None:
    """What else becomes true with a step, in its transaction."""
    account, now = work.account, work.now
    if work.step.name is StepName.TAKE_CONTENT_DOWN:
        for post_id in mark_posts_removed(db, account.id, now):
            record_event(
                db,
                EventTag.POST_REMOVED,
                actor=actor,
                now=now,
                subject="post",
                subject_id=post_id,
                account_id=account.id,
            )
    if work.step.name is StepName.REVOKE_ACCESS:
        for credential_id in forget_tokens(db, account.id, now):
            record_event(
                db,
                EventTag.CREDENTIAL_DESTROYED,
                actor=actor,
                now=now,
                subject="credential",
                subject_id=credential_id,
                account_id=account.id,
            )
        _forget_connection(db, account, actor, now)


def _forget_connection(db: Database, account: Account, actor: str, now: datetime) -> None:
    """A connection that the platform had refused already, or that a person ended there: nothing opens with it now."""
    connection = connection_of(db, account.id)
    if connection is None:
        return
    end_connection(db, connection.id, now)
    record_event(
        db, EventTag.CONNECTION_ENDED, actor=actor, now=now, subject="connection", subject_id=connection.id,
        account_id=account.id,
    )  # fmt: skip


def open_next(home: Home, db: Database, account: Account, closing_id: int, *, now: datetime) -> None:
    """Give the first step that is not done its turn, inside the caller's transaction."""
    step = first_open_step(db, closing_id)
    if step is None:
        return
    platform, closing = home.settings.platforms[account.platform], closing_by_id(db, closing_id)
    not_before_at = step_not_before(
        step.name,
        plan=planned_names(db, closing_id),
        account=account,
        platform=platform,
        policy=home.settings.policy,
        zone=home.settings.zone,
        started_at=closing.started_at,
        now=now,
    )
    # where deletion needs a mailed code the plan names a person, but the machine begins: it asks for the code
    asks_code = step.name is StepName.DELETE and Capability.DELETE_BY_MAILED_CODE in capabilities_of(home, account)
    if step.doer is StepDoer.MACHINE or asks_code:
        open_step(db, step, state=StepState.WAITING, doer=StepDoer.MACHINE, not_before_at=not_before_at)
        if not_before_at > now:
            data = {"step": step.name, "for": "time"}
            step_event(db, EventTag.CLOSING_STEP_WAITS, step, account, now, data)
        return
    open_step(db, step, state=StepState.TASK, doer=StepDoer.PERSON, not_before_at=not_before_at)
    step_event(db, EventTag.CLOSING_STEP_WAITS, step, account, now, {"step": step.name, "for": "person"})
    text = f"The closing of {account.handle or account.handle_wished} on {platform.name} needs you. {_task(step.name)}"
    keepers_to_tell(db, account, f"closing-step:{step.id}", text, now=now)


def hand_to_machine(
    db: Database, step: ClosingStep, account: Account, detail: Mapping[str, Any], *, actor: str, now: datetime
) -> None:
    """A person's task goes (back) to the machine, which begins at once. Inside the caller's transaction."""
    changes = {
        "state": StepState.WAITING,
        "doer": StepDoer.MACHINE,
        "not_before_at": now,
        "last_error": None,
        "detail": dict(detail),
    }
    update_step(db, step.id, changes, state=StepState.TASK, attempts=step.attempts)
    step_event(db, EventTag.CLOSING_STEP_WAITS, step, account, now, {"step": step.name, "for": "machine"}, actor=actor)


def managers_to_tell(db: Database, account: Account, key: str, text: str, *, now: datetime) -> None:
    """Every network manager: whoever of them is there opens the vault."""
    for staff in staff_with_role(db, Role.NETWORK_MANAGER):
        notify(db, staff_id=staff.id, kind="vault_needed", text=text, dedupe_key=key, now=now, account_id=account.id)


def keepers_to_tell(
    db: Database, account: Account, key: str, text: str, *, now: datetime, kind: str = "closing"
) -> None:
    """Owner and deputy; where both have left, the network managers."""
    keepers = [staff_by_id(db, staff_id) for staff_id in dict.fromkeys((account.owner_id, account.deputy_id))]
    current = [staff for staff in keepers if staff.current] or staff_with_role(db, Role.NETWORK_MANAGER)
    for staff in current:
        notify(db, staff_id=staff.id, kind=kind, text=text, dedupe_key=key, now=now, account_id=account.id)


def step_event(
    db: Database,
    tag: EventTag,
    step: ClosingStep,
    account: Account,
    now: datetime,
    data: Mapping[str, Any],
    *,
    actor: str = JOB,
) -> None:
    record_event(
        db, tag, actor=actor, now=now, subject="closing_step", subject_id=step.id, account_id=account.id, data=data
    )


def _task(name: StepName) -> str:
    return f"The step is: {name.value.replace('_', ' ')}."
