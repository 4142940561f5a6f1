"""When the school asks for other passwords than before, those on deposit are asked again, without opening one (SEC202).

What is known of each is what was kept when it came in (rules/strength.py). Where that is not enough to tell, nobody
claims that it is: the owner is asked to deposit anew.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from socialgov.actions.findings import evaluate_account
from socialgov.actions.notices import notify
from socialgov.errors import Conflict
from socialgov.models import CredentialKind, Enforcement
from socialgov.rules.strength import judged
from socialgov.store import rechecks as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential
from socialgov.store.events import EventTag, record_event
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Credential, Policy
    from socialgov.rules.strength import Judgement

LOG = logging.getLogger(__name__)
ACTOR = "job:recheck"
STRONG, WEAK, UNKNOWN = "strong", "weak", "not known"


def recheck_deposits(home: Home, now: datetime) -> Counter[str] | None:
    """Measure every deposit by the policy as it is; how many are strong, weak, not known. None: it did not change.

    Each account is a transaction of its own, and a bad one never stops the rest. That all were measured is noted last:
    after a crash, or Conflict when some could not be, they are measured again, which changes nothing and tells nobody
    twice.
    """
    numbers = _numbers(home.settings.policy)
    before = store.measured_by(home.db)
    if before == numbers:
        return None
    counts = Counter({STRONG: 0, WEAK: 0, UNKNOWN: 0})
    failed = []
    for account_id in store.accounts_with_password(home.db):
        try:
            counts.update(_recheck(home, account_id, numbers, now))
        except Exception as error:
            # the text of an unexpected error may quote what was in hand, so only its kind is told
            LOG.error("the deposit of account %d could not be measured (%s)", account_id, type(error).__name__)
            failed.append(account_id)
    if failed:
        raise Conflict(f"{len(failed)} of the deposits could not be measured.", "They are tried again.")
    with write(home.db) as db:
        store.set_measured_by(db, numbers)
        if before is not None or counts[WEAK] or counts[UNKNOWN]:
            record_event(
                db, EventTag.CREDENTIAL_RECHECKED, actor=ACTOR, now=now, subject="credential", data=dict(counts)
            )
    return counts


def _numbers(policy: Policy) -> str:
    """What SEC202 is measured by, as one line."""
    signs = " ".join(sorted(policy.password_signs))
    return f"length {policy.password_min_length}, strength {policy.password_min_strength}, signs {signs}"


def _recheck(home: Home, account_id: int, numbers: str, now: datetime) -> list[str]:
    with write(home.db) as db:
        account = account_by_id(db, account_id)
        kept = current_credential(db, account_id, CredentialKind.PASSWORD)
        if kept is None:
            return []
        found = judged(kept, home.settings.policy)
        if found.problems != kept.problems:
            store.keep_problems(db, kept, found.problems)
        evaluate_account(home, account_id, now=now, actor=ACTOR)
        outcome = WEAK if found.problems else UNKNOWN if found.unknown else STRONG
        if outcome != STRONG and home.settings.policy.enforcement("SEC202", account.kind) is Enforcement.ENFORCED:
            _tell(db, account, kept, found, numbers, now)
    return [outcome]


def _tell(db: Database, account: Account, kept: Credential, found: Judgement, numbers: str, now: datetime) -> None:
    """The owner, or the deputy of one who has left: each deposit once for each change of the policy."""
    told = account.owner_id if staff_by_id(db, account.owner_id).current else account.deputy_id
    why = " ".join(found.problems) or found.unknown
    notify(
        db, staff_id=told, kind="password_policy", now=now, account_id=account.id,
        dedupe_key=f"password_policy:{kept.id}:{numbers}",
        text=f"Deposit a new password for the account {account.name}. The one that is deposited was measured by what"
        f" the school asks for now. {why}",
    )  # fmt: skip
