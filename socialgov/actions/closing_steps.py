"""How a step of a closing changes hands: it gets its turn, is handed over, is finished. Each inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from socialgov.actions.notices import notify
from socialgov.actions.unsealing import machine_login
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
from socialgov.platforms import Platform, capabilities, connect
from socialgov.store.closings import (
    closing_by_id,
    first_open_step,
    forget_tokens,
    mark_posts_removed,
    open_step,
    planned_names,
    update_step,
)
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.staff import staff_by_id, staff_with_role

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home

JOB = "job:closing"


@dataclass(frozen=True, slots=True)
class Work:
    """One step in hand: everything its doing and its looking need."""

    home: Home = field(repr=False)
    account: Account
    platform: PlatformInfo
    step: ClosingStep
    now: datetime

    @property
    def can(self) -> frozenset[Capability]:
        return capabilities(self.platform)

    def adapter(self, kind: CredentialKind | None = None, *, signed_in: bool = True) -> Platform:
        """A new adapter, so that nothing remembered from before is taken for a fresh look."""
        login = None
        if signed_in:
            purpose = f"closing: {self.step.name.value}"
            login = machine_login(self.home, self.account.id, purpose=purpose, now=self.now, kind=kind)
        return connect(self.platform, self.account, login)


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
    detail = {key: value for key, value in step.detail.items() if key not in ("code", "phase")} | dict(data or {})
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
    asks_code = step.name is StepName.DELETE and Capability.DELETE_BY_MAILED_CODE in capabilities(platform)
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
