"""Changing a password: due when compromised, when somebody who knew it left or gave the account up, and on schedule.

An account has one open rotation, and whatever comes on top joins it (SEC204). Nothing finishes it but a deposit of
another secret and a person's word that it works (SEC205), in `note_login_test`: no page and no job ends it otherwise.
Nor does it end while somebody who left knows anything else that is in force, as recovery codes: `note_new_part`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from socialgov import permissions
from socialgov.actions.findings import evaluate_account
from socialgov.actions.giving_up_keys import end_given_up_key, give_up_key
from socialgov.actions.notices import answered, notify
from socialgov.actions.request_checks import checked_reason
from socialgov.actions.rotation_progress import manager_said_so
from socialgov.actions.unsealing import record
from socialgov.lifecycle import WrongState, check_transition, rotation_due_at
from socialgov.models import AccountState, CredentialKind, Role, RotationReason
from socialgov.rules.secrets import ROTATION_WORDS
from socialgov.store import rotations as store
from socialgov.store.accounts import account_by_id, accounts_of_keeper, change_account
from socialgov.store.connect import write
from socialgov.store.credentials import accounts_known_to, current_credential, knowers, known_to_leavers
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.rows import moment_text
from socialgov.store.staff import staff_by_id, staff_with_role

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Credential, Rotation, Staff

JOB = "job:rotations"
R, S = RotationReason, AccountState
GRAVITY = {reason: place for place, reason in enumerate(RotationReason)}
# where there can be a password of the account on a platform
STATES = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED, S.CLOSING})
NOTICES = ("rotation", "rotation_late", "account_compromised")


# --------------------------------------------------------------------------------------------------- beginning


def start_rotation(home: Home, actor: Staff, account_id: int, detail: str, *, now: datetime) -> Rotation:
    """A keeper or the network manager wants the password changed, and says why."""
    detail = checked_reason(detail)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_rotate(actor, account)
        _need_on_platform(account)
        rotation = begin(home, db, account, R.ASKED, actor=actor_of(actor.id), now=now, detail=detail)
        evaluate_account(home, account_id, now=now, actor=actor_of(actor.id))
    return rotation


def begin(
    home: Home,
    db: Database,
    account: Account,
    reason: RotationReason,
    *,
    actor: str,
    now: datetime,
    detail: str = "",
    leaver_id: int | None = None,
    tell: bool = True,
) -> Rotation:
    """Begin a rotation, or let the open one take the reason up. Inside `write()`; the caller asks the rules again.

    Whatever is deposited at this moment must give way, unless nothing speaks against it: somebody who left cannot know
    what was deposited after their last look.
    """
    found = store.open_rotation(db, account.id)
    held = current_credential(db, account.id, CredentialKind.PASSWORD)
    due_at = rotation_due_at(reason, now, home.settings.policy, secret_at=held.secret_at if held else None)
    newest = store.newest_password_id(db, account.id)
    if found is None:
        values = {"account_id": account.id, "reason": reason, "detail": detail, "started_at": now, "due_at": due_at}
        by = {"started_by": _staff_id(actor), "leaver_id": leaver_id, "old_credential_id": newest}
        rotation_id = store.insert_rotation(db, {**values, **by})
    else:
        words = {"reason": reason, "detail": detail, "started_by": _staff_id(actor)}
        rotation_id, changes = found.id, _joined(db, found, words, due_at, leaver_id, newest)
        if not changes:
            return found
        store.change_rotation(db, found, changes)
    data = {"reason": reason.value, "joined": found is not None}
    record_event(
        db, EventTag.ROTATION_STARTED, actor=actor, now=now, subject="rotation", subject_id=rotation_id,
        account_id=account.id, data=data,
    )  # fmt: skip
    rotation = store.open_rotation(db, account.id)
    assert rotation is not None  # it was written a moment ago in this transaction
    if tell:
        _tell_of_start(home, db, account, rotation, reason, actor, now)
    return rotation


def _joined(
    db: Database, found: Rotation, words: dict[str, Any], due_at: datetime, leaver_id: int | None, newest: int | None
) -> dict[str, Any]:
    """What a further reason changes about an open rotation: the gravest reason stands, the earliest moment counts."""
    reason: RotationReason = words["reason"]
    changes = words.copy() if GRAVITY[reason] < GRAVITY[found.reason] else {}
    if due_at < found.due_at:
        changes["due_at"] = due_at
    if leaver_id is not None and found.leaver_id is None:
        changes["leaver_id"] = leaver_id
    tainted = reason in (R.COMPROMISED, R.ASKED, R.HANDED_OVER)
    if leaver_id is not None:
        tainted = leaver_id in knowers(db, found.account_id)
    if tainted and newest != found.old_credential_id:
        changes["old_credential_id"] = newest
    return changes


def begin_for_leaver(home: Home, db: Database, staff_id: int, *, actor: str, now: datetime) -> list[int]:
    """Begin for every account whose secrets somebody who left has seen, or which they kept: who keeps an account may
    be signed in to it on a device of their own. Inside `write()`; the ids of the accounts. Done twice, nothing is new.
    """
    left_at = staff_by_id(db, staff_id).left_at or now
    kept = {account.id for account in accounts_of_keeper(db, staff_id) if staff_id in _keepers(account)}
    known = {one for one in accounts_known_to(db, staff_id) if staff_id in knowers(db, one)}
    begun = []
    for account_id in sorted(kept | known):
        account = account_by_id(db, account_id)
        held = current_credential(db, account_id, CredentialKind.PASSWORD)
        from_before = held is not None and (held.secret_at or held.deposited_at) <= left_at
        if account.state in STATES and (from_before or account_id in known):
            begin(home, db, account, R.LEFT, actor=actor, now=now, leaver_id=staff_id)
            begun.append(account_id)
    return begun


def begin_after_hand_over(
    home: Home, db: Database, account: Account, gone: set[int], *, actor: str, now: datetime
) -> None:
    """Begin where a keeper who was replaced knows a secret and does not need it any more. Inside `write()`.

    A network manager may look at every account, so nothing is changed for one who gives an account up.
    """
    managers = {staff.id for staff in staff_with_role(db, Role.NETWORK_MANAGER)}
    if account.state in STATES and knowers(db, account.id) & (gone - managers):
        begin(home, db, account, R.HANDED_OVER, actor=actor, now=now)


def passwords_to_rotate(home: Home, now: datetime) -> list[int]:
    """Accounts whose password is about to be too old, from the earliest reminder day on (SEC204).

    None where the school changes passwords on no schedule.
    """
    policy = home.settings.policy
    if not policy.password_max_age_days:
        return []
    age = timedelta(days=policy.password_max_age_days - max(policy.reminder_days, default=0))
    return store.accounts_to_rotate(home.db, now - age)


def begin_scheduled(home: Home, account_id: int, *, now: datetime) -> bool:
    """Begin for a password that is about to be too old; False where something is open already."""
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        if account.state not in STATES or store.open_rotation(db, account_id) is not None:
            return False
        begin(home, db, account, R.SCHEDULE, actor=JOB, now=now)
        evaluate_account(home, account_id, now=now, actor=JOB)
    return True


# --------------------------------------------------------------------------------------------------- compromised


def report_compromised(home: Home, actor: Staff, account_id: int, reason: str, *, now: datetime) -> Account:
    """Somebody has the password who must not (SEC204): stop the account, have it changed, tell who must know.

    One transaction. The product's own key goes too, since it was made with that password: it is ended on the platform
    where that can be asked, and the next deposit makes another (actions/machine_tokens.py). The gate stays shut until
    the rotation is finished.
    """
    reason = checked_reason(reason)
    who = actor_of(actor.id)
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        permissions.check_can_report_compromised(actor, account)
        _need_on_platform(account)
        held = current_credential(db, account_id, CredentialKind.PASSWORD)
        record(db, EventTag.CREDENTIAL_COMPROMISED, account, who, now, held.id if held else None)
        if account.state is S.LIVE:
            check_transition(account.state, S.SUSPENDED)
            account = change_account(
                db, account, {"state": S.SUSPENDED, "suspended_at": now, "suspend_reason": f"Compromised: {reason}"},
                tag=EventTag.ACCOUNT_SUSPENDED, actor=who, now=now,
            )  # fmt: skip
        give_up_key(home, db, account, actor=who, now=now)
        begin(home, db, account, R.COMPROMISED, actor=who, now=now, detail=reason, tell=False)
        _tell_of_compromise(home, db, account, actor, now)
        evaluate_account(home, account_id, now=now, actor=who)
    end_given_up_key(home, account_id, now=now)
    return account_by_id(home.db, account_id)


# --------------------------------------------------------------------------------------------------- finishing


def note_login_test(
    home: Home, db: Database, account: Account, credential: Credential, *, actor: str, now: datetime
) -> bool:
    """The network manager signed in with this deposit. Finishes the open rotation if it is another secret than before,
    and nobody who left knows what else is in force: with a recovery code they would set the next password themselves.

    True where what was superseded may be destroyed now. Where the rotation stays open the earlier deposits are kept:
    without their fingerprints nobody could tell old from new. Call inside `write()`.
    """
    rotation = store.open_rotation(db, account.id)
    if rotation is None:
        return True
    if not store.has_given_way(db, rotation, credential.id) or known_to_leavers(db, account.id):
        return False
    store.change_rotation(db, rotation, {"new_credential_id": credential.id, "finished_at": now})
    record_event(
        db, EventTag.ROTATION_FINISHED, actor=actor, now=now, subject="rotation", subject_id=rotation.id,
        account_id=account.id, data={"reason": rotation.reason.value, "credential": credential.id},
    )  # fmt: skip
    for kind in NOTICES:
        answered(db, account.id, kind, now)
    return True


def note_new_part(home: Home, db: Database, account: Account, *, actor: str, now: datetime) -> bool:
    """Something besides the password was deposited anew: perhaps the last thing that an open rotation waited for.

    True where it is finished by that, and what was superseded may be destroyed. Call inside `write()`.
    """
    held = current_credential(db, account.id, CredentialKind.PASSWORD)
    if held is None or store.open_rotation(db, account.id) is None or not manager_said_so(db, held):
        return False
    return note_login_test(home, db, account, held, actor=actor, now=now)


# --------------------------------------------------------------------------------------------------- telling


def _need_on_platform(account: Account) -> None:
    there = account.state in STATES or (account.state is S.REQUESTED and account.found_unregistered)
    if not there:
        raise WrongState(
            f"This account is {account.state.value}, so there is no password to change.",
            "A password is changed from the approval of an account until it is closed.",
        )


def _keepers(account: Account) -> set[int]:
    return {account.owner_id, account.deputy_id}


def _staff_id(actor: str) -> int | None:
    source, _, number = actor.partition(":")
    return int(number) if source == "staff" else None


def _with_role(db: Database, *roles: Role) -> set[int]:
    return {staff.id for role in roles for staff in staff_with_role(db, role)}


def _tell_of_start(
    home: Home, db: Database, account: Account, rotation: Rotation, reason: RotationReason, actor: str, now: datetime
) -> None:
    """Keepers and network managers, but not whoever asked for just this."""
    by = home.today(rotation.due_at)
    text = (
        f"The password of the account {account.name} must be changed by {by.day} {by:%B %Y}."
        f" It is due because {ROTATION_WORDS[reason]}."
    )
    key = f"rotation:{rotation.id}:{reason.value}:{moment_text(now)}"
    knows = {_staff_id(actor)} if reason is R.ASKED else set()
    for staff_id in sorted((_keepers(account) | _with_role(db, Role.NETWORK_MANAGER)) - knows):
        notify(db, staff_id=staff_id, kind="rotation", text=text, now=now, account_id=account.id, dedupe_key=key)


def _tell_of_compromise(home: Home, db: Database, account: Account, actor: Staff, now: datetime) -> None:
    """The other keeper, network managers, heads and the safeguarding lead: at once, each once a report."""
    platform = home.settings.platforms[account.platform].name
    text = (
        f"The account {account.name} on {platform} is compromised: somebody may be in it who must not."
        f" {staff_by_id(db, actor.id).name} reported it, nothing is posted from here any more, and the password must be"
        " changed at once. Look at what was posted there, and tell families if they may have been written to."
    )
    key = f"account_compromised:{account.id}:{moment_text(now)}"
    roles = (Role.NETWORK_MANAGER, Role.HEAD, Role.SAFEGUARDING_LEAD)
    for staff_id in sorted((_keepers(account) | _with_role(db, *roles)) - {actor.id}):
        notify(
            db, staff_id=staff_id, kind="account_compromised", text=text, now=now, account_id=account.id, dedupe_key=key
        )
