"""Reminders before an account's end (LIF602, LIF605) and before a standing account must be confirmed (LIF604).

Each reminder day of the policy is told once for each end: whoever asks for a longer life is reminded anew before that.
When several days went by unlooked (the machine was off), only the nearest reminder is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from socialgov.actions.closing_steps import keepers_to_tell
from socialgov.lifecycle import confirmation_due_at
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import accounts_confirmed_before, accounts_ending_between, notices_given
from socialgov.store.connect import write

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account


@dataclass(frozen=True, slots=True)
class Reminder:
    """One account, one thing that comes, and how it is told."""

    account: Account
    key: str
    text: str


def due_reminders(home: Home, now: datetime) -> list[Reminder]:
    """Reminders not given yet, over all accounts, in three queries whatever their number."""
    wanted = [*_ends(home, now), *_confirmations(home, now)]
    keys = [f"{reminder.key}:{keeper}" for reminder in wanted for keeper in _keepers(reminder.account)]
    given = notices_given(home.db, keys)
    return [r for r in wanted if not any(f"{r.key}:{keeper}" in given for keeper in _keepers(r.account))]


def remind(home: Home, reminder: Reminder, *, now: datetime) -> bool:
    """Tell the keepers, once; False where the account went on since the reminder was due."""
    with write(home.db) as db:
        account = account_by_id(db, reminder.account.id)
        if account.version != reminder.account.version:
            return False
        keepers_to_tell(db, account, reminder.key, reminder.text, now=now, kind="reminder")
    return True


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


def _name(account: Account) -> str:
    return account.handle or account.handle_wished


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
