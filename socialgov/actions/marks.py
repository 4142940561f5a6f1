"""What moderators of a platform have marked an account with: told when it is new, shown for as long as it stands.

No rule asks about a mark: it is the platform's opinion and may be wrong. But people see it, and it may hide what the
account posts, so its keepers hear of it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov.actions.notices import answered, notify
from socialgov.models import Fact, Role
from socialgov.store.observations import newest_observation
from socialgov.store.rows import moment_text
from socialgov.store.staff import staff_with_role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, PlatformInfo

KIND = "marked"


@dataclass(frozen=True, slots=True)
class Marks:
    """In words, none where nobody has marked it; and when the platform was asked."""

    words: tuple[str, ...]
    observed_at: datetime


def marks_of(home: Home, account: Account) -> Marks | None:
    """As the platform told them last; None where it never did."""
    seen = newest_observation(home.db, account.id, Fact.LABELS)
    if seen is None:
        return None
    return Marks(_words(home.settings.platforms[account.platform], seen.value), seen.observed_at)


def tell_of_marks(home: Home, db: Database, account: Account, marks: Iterable[str] | None, now: datetime) -> None:
    """Owner, deputy and network manager hear of marks that the last look did not bring (None: they were not told now).

    Call inside `write()`, before the new ones are kept. When all are gone, the notices are put away.
    """
    if marks is None:
        return
    there, before = set(marks), newest_observation(db, account.id, Fact.LABELS)
    new = there - set(before.value if before is not None else ())
    if not there:
        answered(db, account.id, KIND, now)
    if not new:
        return
    info = home.settings.platforms[account.platform]
    text = (
        f"Moderators of {info.name} have marked {account.name}: {', '.join(_words(info, new))}. "
        "Others may be warned of it, or not see it at all. Sign in there and read why; object if it is wrong."
    )
    told = {account.owner_id, account.deputy_id, *(one.id for one in staff_with_role(db, Role.NETWORK_MANAGER))}
    for staff_id in sorted(told):
        key = f"{KIND}:{account.id}:{moment_text(now)}"
        notify(db, staff_id=staff_id, kind=KIND, text=text, dedupe_key=key, now=now, account_id=account.id)


def _words(info: PlatformInfo, marks: Iterable[str]) -> tuple[str, ...]:
    """In the words of config/platforms.toml; a mark that it does not know is told as it is, without its signs."""
    return tuple(info.marks.get(mark, mark.lstrip("!").replace("-", " ")) for mark in sorted(marks))
