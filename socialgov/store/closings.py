"""Questions about closings, their steps and their certificates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from socialgov.errors import Conflict, NotFound
from socialgov.models import Account, Closing, ClosingStep, Observation, StepDoer, StepName, StepState
from socialgov.store.connect import guarded_update, insert
from socialgov.store.rows import all_of, dicts, moment_text, one_of, scalar, to_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlite_utils import Database

    from socialgov.lifecycle import PlannedStep

LEASE = timedelta(minutes=5)

# The machine's turn has come, and nobody holds it: never claimed, the lease is over, or it lies further ahead than
# any lease can (the clock was moved back).
_DUE = (
    "state = 'waiting' and (not_before_at is null or not_before_at <= ?)"
    " and (claimed_until is null or claimed_until <= ? or claimed_until > ?)"
)


def _due_at(now: datetime) -> tuple[str, str, str]:
    at = moment_text(now)
    return at, at, moment_text(now + LEASE)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of deletion as issued: `body` is the canonical JSON that was signed."""

    id: int
    account_id: int
    issued_at: datetime
    body: str = field(repr=False)
    signature: str
    key_id: str


def accounts_whose_time_may_be_over(db: Database, today: date, confirmed_before: datetime) -> list[Account]:
    """Accounts that can close and whose end day lies before `today`, or that nobody confirmed since.

    A wide net: lifecycle.due_transition decides.
    """
    return all_of(
        db,
        Account,
        "select * from account where state in ('approved', 'live', 'suspended') and ends_on < :today"
        " union select * from account where state in ('live', 'suspended') and kind != 'trip'"
        " and coalesce(confirmed_at, live_at) <= :confirmed order by id",
        {"today": to_column(today), "confirmed": to_column(confirmed_before)},
    )


def accounts_ending_between(db: Database, first: date, last: date) -> list[Account]:
    """Accounts that can close and whose end day lies in `first` to `last`, both included."""
    return all_of(
        db,
        Account,
        "select * from account where state in ('approved', 'live', 'suspended') and ends_on between ? and ?"
        " order by id",
        (first, last),
    )


def accounts_confirmed_before(db: Database, moment: datetime) -> list[Account]:
    """Standing accounts that nobody has confirmed since `moment` (LIF604)."""
    return all_of(
        db,
        Account,
        "select * from account where state in ('live', 'suspended') and kind != 'trip'"
        " and coalesce(confirmed_at, live_at) <= ? order by id",
        (moment,),
    )


def notices_given(db: Database, dedupe_keys: Sequence[str]) -> set[str]:
    """Which of these notices were given already, to anybody: one statement for a whole pass."""
    if not dedupe_keys:
        return set()
    rows = db.execute(
        "select dedupe_key from notice where dedupe_key in (select value from json_each(?))",
        (to_column(list(dedupe_keys)),),
    )
    return {row[0] for row in rows}


# --------------------------------------------------------------------------------------------------- closings


def insert_closing(db: Database, *, account_id: int, reason: str, started_by: int | None, now: datetime) -> int:
    return insert(
        db, "closing", {"account_id": account_id, "reason": reason, "started_at": now, "started_by": started_by}
    )


def insert_plan(db: Database, closing_id: int, plan: Sequence[PlannedStep]) -> None:
    """The steps of the plan, in order, none of them begun."""
    db.conn.executemany(
        "insert into closing_step (closing_id, position, name, doer, state) values (?, ?, ?, ?, ?)",
        [
            (closing_id, position, step.name.value, step.doer.value, StepState.PENDING.value)
            for position, step in enumerate(plan, start=1)
        ],
    )


def closing_by_id(db: Database, closing_id: int) -> Closing:
    """Raises NotFound."""
    closing = one_of(db, Closing, "select * from closing where id = ?", (closing_id,))
    if closing is None:
        raise NotFound("There is no such closing.")
    return closing


def closing_of(db: Database, account_id: int) -> Closing | None:
    """The account's closing, running or finished; None when it was never closed."""
    return one_of(db, Closing, "select * from closing where account_id = ?", (account_id,))


def steps_of(db: Database, closing_id: int) -> list[ClosingStep]:
    """The plan in order."""
    return all_of(db, ClosingStep, "select * from closing_step where closing_id = ? order by position", (closing_id,))


def planned_names(db: Database, closing_id: int) -> frozenset[StepName]:
    """Which steps the plan has."""
    rows = db.execute("select name from closing_step where closing_id = ?", (closing_id,))
    return frozenset(StepName(row[0]) for row in rows)


def step_by_id(db: Database, step_id: int) -> ClosingStep:
    """Raises NotFound."""
    step = one_of(db, ClosingStep, "select * from closing_step where id = ?", (step_id,))
    if step is None:
        raise NotFound("There is no such step.")
    return step


def first_open_step(db: Database, closing_id: int) -> ClosingStep | None:
    """The step whose turn it is; None when all are done."""
    return one_of(
        db,
        ClosingStep,
        "select * from closing_step where closing_id = ? and state != 'done' order by position limit 1",
        (closing_id,),
    )


def due_closings(db: Database, now: datetime) -> list[int]:
    """Closings with a step for the machine whose time has come and that nobody holds, oldest first."""
    rows = db.execute(
        f"select closing_id from closing_step where {_DUE} order by closing_id",  # noqa: S608
        _due_at(now),
    )
    return [row[0] for row in rows]


def tasks_of_keeper(db: Database, staff_id: int) -> list[tuple[ClosingStep, int]]:
    """Closing tasks that wait for this owner or deputy, each with its account's id, oldest first.

    Not those that wait for the vault: they are a network manager's (`accounts_waiting_for_vault`).
    """
    rows = dicts(
        db,
        "select closing_step.*, closing.account_id as account_id from closing_step"
        " join closing on closing.id = closing_step.closing_id join account on account.id = closing.account_id"
        " where closing_step.state = 'task' and ? in (account.owner_id, account.deputy_id)"
        " and json_extract(closing_step.detail, '$.vault') is null"
        " order by closing.started_at, closing_step.id",
        (staff_id,),
    )
    return [(step_by_id(db, row["id"]), row["account_id"]) for row in rows]


# --------------------------------------------------------------------------------------------------- steps


def accounts_waiting_for_vault(db: Database, since: datetime | None = None) -> list[tuple[Account, ClosingStep]]:
    """Closing accounts whose step waits until a network manager opens the vault, since `since` or longer; oldest first.

    Its turn came, and it began to wait, at the step's `not_before_at`.
    """
    steps = all_of(
        db,
        ClosingStep,
        "select * from closing_step where state = 'task' and json_extract(detail, '$.vault') = 1"
        " and (?1 is null or not_before_at <= ?1) order by not_before_at, id",
        (to_column(since),),
    )
    accounts = {account.id: account for account in all_of(db, Account, "select * from account where state = 'closing'")}
    return [(accounts[closing_by_id(db, step.closing_id).account_id], step) for step in steps]


def claim_step(db: Database, step: ClosingStep, now: datetime) -> int | None:
    """Take a machine's step for LEASE; its attempt number, which guards what follows, or None when another holds it."""
    done = db.execute(
        f"update closing_step set claimed_until = ?, attempts = attempts + 1 where id = ? and attempts = ? and {_DUE}",  # noqa: S608
        (moment_text(now + LEASE), step.id, step.attempts, *_due_at(now)),
    )
    return step.attempts + 1 if done.rowcount == 1 else None


def update_step(
    db: Database,
    step_id: int,
    changes: Mapping[str, Any],
    *,
    state: StepState,
    attempts: int | None = None,
    keep_claim: bool = False,
) -> None:
    """Change a step while it is in `state` and, for the machine, while the claim is still its own; else Conflict.

    The claim ends with the change unless `keep_claim`.
    """
    where: dict[str, Any] = {"state": state}
    if attempts is not None:
        where["attempts"] = attempts
    ended = {} if keep_claim else {"claimed_until": None}
    guarded_update(db, "closing_step", step_id, {**ended, **changes}, where=where)


def open_step(
    db: Database, step: ClosingStep, *, state: StepState, doer: StepDoer, not_before_at: datetime | None
) -> None:
    """Give a pending step its turn."""
    update_step(
        db,
        step.id,
        {"state": state, "doer": doer, "not_before_at": not_before_at, "attempts": 0, "last_error": None},
        state=StepState.PENDING,
    )


def posts_being_published(db: Database, account_id: int) -> int:
    """Posts whose fate on the platform is not settled yet."""
    return int(
        scalar(db, "select count(*) from post where account_id = ? and state = 'publishing'", (account_id,)) or 0
    )


def discard_unpublished_posts(db: Database, account_id: int) -> int:
    """Freeze: nothing that waits can be published any more (MED511)."""
    done = db.execute(
        "update post set state = 'discarded', version = version + 1"
        " where account_id = ? and state in ('draft', 'waiting', 'refused')",
        (account_id,),
    )
    return int(done.rowcount)


def mark_posts_removed(db: Database, account_id: int, now: datetime) -> list[int]:
    """Every published post of the account is down; their ids, for the log."""
    ids = [
        row[0]
        for row in db.execute(
            "select id from post where account_id = ? and state = 'published' order by id", [account_id]
        )
    ]
    db.execute(
        "update post set state = 'removed', removed_at = ?, version = version + 1"
        " where account_id = ? and state = 'published'",
        (moment_text(now), account_id),
    )
    return ids


def forget_tokens(db: Database, account_id: int, now: datetime) -> list[int]:
    """The machine's own tokens of an account, destroyed because the platform no longer takes them; their ids."""
    held = "select id from credential where account_id = ? and kind = 'api_token' and sealed is not null order by id"
    ids = [row[0] for row in db.execute(held, (account_id,))]
    for token_id in ids:
        db.execute("delete from credential_fingerprint where credential_id = ?", (token_id,))
        db.execute(
            "update credential set sealed = null, fingerprint = null, destroyed_at = :now,"
            " superseded_at = coalesce(superseded_at, :now) where id = :id",
            {"now": moment_text(now), "id": token_id},
        )
    return ids


# --------------------------------------------------------------------------------------------------- certificates


def insert_certificate(db: Database, *, account_id: int, body: str, signature: str, key_id: str, now: datetime) -> int:
    values = {"account_id": account_id, "issued_at": now, "body": body, "signature": signature, "key_id": key_id}
    return insert(db, "certificate", values)


def certificate_of(db: Database, account_id: int) -> Certificate | None:
    """The account's certificate of deletion; None while it is not closed."""
    return one_of(db, Certificate, "select * from certificate where account_id = ?", (account_id,))


def evidence_hashes(db: Database, closing_id: int) -> dict[int, str]:
    """SHA-256 of the content of each screenshot that a step of this closing rests on, by observation."""
    rows = db.execute(
        "select observation.id, blob.content_sha256 from closing_step"
        " join observation on observation.id = closing_step.observation_id"
        " join blob on blob.id = observation.evidence_id where closing_step.closing_id = ?",
        (closing_id,),
    )
    return {row[0]: row[1] for row in rows}


def step_observations(db: Database, closing_id: int) -> dict[int, Observation]:
    """What was seen for the steps of a closing, by observation."""
    seen = all_of(
        db,
        Observation,
        "select observation.* from closing_step join observation on observation.id = closing_step.observation_id"
        " where closing_step.closing_id = ?",
        (closing_id,),
    )
    return {observation.id: observation for observation in seen}


def finish_closing(db: Database, closing_id: int, now: datetime) -> None:
    guarded_update(db, "closing", closing_id, {"finished_at": now}, where={"finished_at": None})


def close_account_row(db: Database, account: Account, now: datetime) -> None:
    """closing → closed, once."""
    try:
        guarded_update(
            db,
            "account",
            account.id,
            {"state": "closed", "closed_at": now, "check_due_at": None, "version": account.version + 1},
            where={"state": "closing"},
        )
    except Conflict:
        raise Conflict("This account was closed a moment ago.") from None
