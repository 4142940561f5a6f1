"""Reminders before an account's end (LIF602, LIF605), before a standing account must be confirmed (LIF604), of
passwords that must be changed (SEC204), and of signing in where a platform wants that: first the keepers, then the
network managers, then the heads.

Those who open the vault hear of it the day before an account ends that cannot be disabled without it, and the heads
when a closing has waited for it for a day (LIF602).

Each reminder day of the policy is told once for each end: whoever asks for a longer life is reminded anew before that.
When several days went by unlooked (the machine was off), only the nearest reminder is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from socialgov.actions.closing_steps import OPEN_AND, keepers_to_tell
from socialgov.actions.notices import notify
from socialgov.actions.rotation_progress import rotation_progress
from socialgov.actions.sign_ins import SIGN_IN_NOTICE, sign_ins_due
from socialgov.lifecycle import Lateness, confirmation_due_at, rotation_lateness
from socialgov.models import Capability, Role
from socialgov.platforms import needs_password
from socialgov.rules.secrets import ROTATION_WORDS
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import (
    accounts_confirmed_before,
    accounts_ending_between,
    accounts_waiting_for_vault,
    notices_given,
)
from socialgov.store.connect import write
from socialgov.store.rotations import open_rotations
from socialgov.store.staff import staff_with_role

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, Rotation


# whom it is told besides the keepers
_TOLD = {
    Lateness.HALF: (),
    Lateness.SOON: (Role.NETWORK_MANAGER,),
    Lateness.LATE: (Role.NETWORK_MANAGER, Role.HEAD),
}
VAULT_WAIT = timedelta(days=1)
SIGN_IN_SOON = timedelta(days=7)
_ENDING = frozenset({Capability.DEACTIVATE, Capability.REVOKE_ACCESS, Capability.CHANGE_PASSWORD})


@dataclass(frozen=True, slots=True)
class Reminder:
    """One account, one thing that comes, and how it is told: to the account's keepers, and to all who have `roles`.

    Not to the `keepers` where they can do nothing about it.
    """

    account: Account
    key: str
    text: str
    roles: tuple[Role, ...] = ()
    kind: str = "reminder"
    keepers: bool = True


def due_reminders(home: Home, now: datetime) -> list[Reminder]:
    """Reminders not given yet, over all accounts, in a few queries whatever their number."""
    wanted = [
        *_ends(home, now),
        *_confirmations(home, now),
        *_rotations(home, now),
        *_vault_tomorrow(home, now),
        *_vault_waited_for(home, now),
        *_sign_ins(home, now),
    ]
    told = {reminder.key: _told(home, reminder) for reminder in wanted}
    given = notices_given(home.db, [f"{key}:{staff_id}" for key, staff in told.items() for staff_id in staff])
    return [r for r in wanted if not any(f"{r.key}:{staff_id}" in given for staff_id in told[r.key])]


def remind(home: Home, reminder: Reminder, *, now: datetime) -> bool:
    """Tell whom it concerns, once; False where the account went on since the reminder was due."""
    with write(home.db) as db:
        account = account_by_id(db, reminder.account.id)
        if account.version != reminder.account.version:
            return False
        if reminder.keepers:
            keepers_to_tell(db, account, reminder.key, reminder.text, now=now, kind=reminder.kind)
        for staff_id in _of_roles(home, reminder):
            notify(
                db, staff_id=staff_id, kind=reminder.kind, text=reminder.text, dedupe_key=reminder.key, now=now,
                account_id=account.id,
            )  # fmt: skip
    return True


def _told(home: Home, reminder: Reminder) -> list[int]:
    return [*(_keepers(reminder.account) if reminder.keepers else ()), *_of_roles(home, reminder)]


def _of_roles(home: Home, reminder: Reminder) -> list[int]:
    return sorted({staff.id for role in reminder.roles for staff in staff_with_role(home.db, role)})


def _vault_tomorrow(home: Home, now: datetime) -> Iterator[Reminder]:
    """LIF602: where only the account's password disables it, somebody must open the vault on the day after its end."""
    tomorrow = home.today(now) + timedelta(days=1)
    for account in accounts_ending_between(home.db, home.today(now), tomorrow):
        info = home.settings.platforms[account.platform]
        if account.handle is None or not needs_password(info).intersection(_ENDING):
            continue
        text = (
            f"The account {_name(account)} on {info.name} ends on {_day(account.ends_on)}. After that day open the"
            " vault on the closing page, then socialgov disables it: no machine can do that without you."
        )
        key = f"vault-ends:{account.id}:{account.ends_on}"
        yield Reminder(account, key, text, (Role.NETWORK_MANAGER,), "vault_needed", keepers=False)


def _vault_waited_for(home: Home, now: datetime) -> Iterator[Reminder]:
    for account, step in accounts_waiting_for_vault(home.db, now - VAULT_WAIT):
        text = (
            f"The closing of {_name(account)} has waited for a network manager for more than a day. Ask one of them to"
            f" open the vault; then socialgov {OPEN_AND.get(step.name, 'goes on')} (LIF602)."
        )
        yield Reminder(account, f"vault-waits:{step.id}", text, (Role.HEAD,), "vault_needed", keepers=False)


def _keepers(account: Account) -> tuple[int, ...]:
    return tuple(dict.fromkeys((account.owner_id, account.deputy_id)))


def _nearest(days_left: int, reminder_days: tuple[int, ...]) -> int | None:
    """The smallest reminder day that is not over yet: 7 for 5 days left of (28, 14, 7, 1)."""
    return min((day for day in reminder_days if days_left <= day), default=None)


def _ends(home: Home, now: datetime) -> Iterator[Reminder]:
    today, days = home.today(now), home.settings.policy.reminder_days
    last = today + timedelta(days=max(days, default=0))
    for account in accounts_ending_between(home.db, today, last):
        assert account.ends_on is not None  # the query asks for it
        day = _nearest((account.ends_on - today).days, days)
        if day is not None:
            text = (
                f"The account {_name(account)} ends on {_day(account.ends_on)}."
                " It is closed and then deleted after that day. If it is needed longer, ask for that before."
            )
            yield Reminder(account, f"ends:{account.id}:{account.ends_on}:{day}", text)


def _confirmations(home: Home, now: datetime) -> Iterator[Reminder]:
    policy = home.settings.policy
    earliest = max(policy.reminder_days, default=0)
    since = now - timedelta(days=policy.confirmation_days) + timedelta(days=earliest)
    for account in accounts_confirmed_before(home.db, since):
        due = confirmation_due_at(account, policy)
        if due is None:
            continue
        day = _nearest((due - now).days, policy.reminder_days)
        closes = home.today(due + timedelta(days=earliest))
        text = (
            f"Is the account {_name(account)} still needed? Confirm it by {_day(home.today(due))}."
            f" Without an answer it is closed on {_day(closes)}."
        )
        yield Reminder(account, f"confirm:{account.id}:{home.today(due)}:{day}", text)


def _rotations(home: Home, now: datetime) -> Iterator[Reminder]:
    """Half way, in the last quarter, and each day from the last on; its start was told when it began."""
    for rotation, account in open_rotations(home.db):
        late = rotation_lateness(rotation, now)
        if late is Lateness.EARLY:
            continue
        text = _rotation_words(home, rotation, account, late, now)
        step = f"{late}:{home.today(now)}" if late is Lateness.LATE else late
        kind = "rotation_late" if late is Lateness.LATE else "rotation"
        yield Reminder(account, f"rotation:{rotation.id}:{step}", text, _TOLD[late], kind)


def _rotation_words(home: Home, rotation: Rotation, account: Account, late: Lateness, now: datetime) -> str:
    by, why = _day(home.today(rotation.due_at)), ROTATION_WORDS[rotation.reason]
    progress = rotation_progress(home, account, now)
    if progress is not None and progress.only_the_rest:
        return (
            f"The new password of the account {_name(account)} works, but people who left still know what else lets"
            f" somebody in, as recovery codes. That is to be deposited anew by {by}: its page says what."
        )
    if late is Lateness.LATE:
        return f"The password of the account {_name(account)} is overdue: it had to be changed by {by}, because {why}."
    return f"The password of the account {_name(account)} must be changed by {by}. It is due because {why}."


def _sign_ins(home: Home, now: datetime) -> Iterator[Reminder]:
    """A week before the platform wants somebody to sign in, then each week that it is late; managers from then on."""
    today = home.today(now)
    for account, due in sign_ins_due(home, now + SIGN_IN_SOON):
        days_left, by = (home.today(due) - today).days, _day(home.today(due))
        info = home.settings.platforms[account.platform]
        late = days_left < 0
        step = f"late{-days_left // 7}" if late else "soon"
        text = (
            f"{info.name} wants somebody to sign in to the account {_name(account)} by {by}. It may take accounts away"
            f" into which nobody signs in for {info.login_every_days} days. Sign in there, then say so on its page."
        )
        roles = (Role.NETWORK_MANAGER,) if late else ()
        yield Reminder(account, f"sign-in:{account.id}:{home.today(due)}:{step}", text, roles, SIGN_IN_NOTICE)


def _name(account: Account) -> str:
    return account.handle or account.handle_wished


def _day(day: date | None) -> str:
    return f"{day.day} {day:%B %Y}" if day else "its day"
