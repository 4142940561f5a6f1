"""The head's permission for an account that everybody can see, given before anybody asks for it (ACC103).

A platform without private accounts is refused at the request. The head can allow one person one such account on one
platform; asked for under that permission, the account has the head's exceptions from the start, with the head's reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov import permissions
from socialgov.actions.notices import notify
from socialgov.actions.request_checks import LONGEST_TEXT, PRIVATE, must_be_private, text_faults, tidy
from socialgov.errors import Conflict, InvalidInput
from socialgov.models import Role
from socialgov.rules import PUBLIC_ACCOUNT_RULES
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.public_allowances import (
    allowance_by_id,
    allowance_of_account,
    insert_allowance,
    open_allowance,
    unused_allowances,
)
from socialgov.store.staff import current_staff, staff_by_id
from socialgov.store.waivers import active_waivers, insert_waiver

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlite_utils import Database

    from socialgov.config import Settings
    from socialgov.home import Home
    from socialgov.models import Account, PlatformInfo, PublicAllowance, Staff


def public_platforms(settings: Settings) -> list[PlatformInfo]:
    """The approved platforms without private accounts, by name."""
    approved = (info for key, info in settings.platforms.items() if key in settings.approved_platforms)
    return sorted((info for info in approved if not info.can_be_private), key=lambda info: info.name)


def allow_public_account(
    home: Home,
    actor: Staff,
    *,
    platform: str,
    staff_id: int,
    purpose: str,
    reason: str,
    until_on: date | None = None,
    now: datetime,
) -> PublicAllowance:
    """Let one person ask for one account on `platform` that everybody can see, until that day at the latest.

    Raises InvalidInput with the fields at fault.
    """
    permissions.check_can_allow_public(actor)
    purpose, reason = tidy(purpose), tidy(reason)
    with write(home.db) as db:
        faults = text_faults({"purpose": purpose, "reason": reason})
        if platform not in {info.key for info in public_platforms(home.settings)}:
            faults["platform"] = "Choose an approved platform that has no private accounts."
        if staff_id not in {staff.id for staff in current_staff(db)}:
            faults["staff_id"] = "Choose somebody who works here now."
        if until_on is not None and until_on <= home.today(now):
            faults["until_on"] = "The last day must be in the future."
        if faults:
            raise InvalidInput("The account cannot be allowed like this.", faults, "Change what is marked.")
        allowance_id = insert_allowance(
            db, platform=platform, staff_id=staff_id, purpose=purpose, reason=reason, decided_by=actor.id,
            until_on=until_on, now=now,
        )  # fmt: skip
        _record(db, EventTag.PUBLIC_ALLOWED, actor, allowance_id, now, {"platform": platform, "staff": staff_id})
        name = home.settings.platforms[platform].name
        text = f"The head allows you a public account on {name}. Ask for it as for any account."
        _tell(db, actor, staff_id, "public_allowed", text, allowance_id, now)
        return allowance_by_id(db, allowance_id)


def end_allowance(home: Home, actor: Staff, allowance_id: int, *, now: datetime) -> PublicAllowance:
    """Take back a permission that nobody has used. Raises Conflict for one under which an account stands."""
    permissions.check_can_allow_public(actor)
    with write(home.db) as db:
        allowance = allowance_by_id(db, allowance_id)
        if allowance.ended_at is not None:
            raise Conflict("This permission was taken back already.", "Look at the list again.")
        if allowance_id not in unused_allowances(db):
            raise Conflict(
                "An account was asked for under this permission.", "End the exceptions on that account's page instead."
            )
        guarded_update(db, "public_allowance", allowance_id, {"ended_at": now}, where={"ended_at": None})
        _record(db, EventTag.PUBLIC_ENDED, actor, allowance_id, now, {"platform": allowance.platform})
        name = home.settings.platforms[allowance.platform].name
        text = f"The permission for a public account on {name} was taken back."
        _tell(db, actor, allowance.staff_id, "public_ended", text, allowance_id, now)
        return allowance_by_id(db, allowance_id)


def use_allowance(home: Home, db: Database, account: Account, actor: Staff, *, now: datetime) -> None:
    """Record the head's exceptions with a request for an account that everybody can see; call inside `write()`.

    They are those of the permission that asker or owner has, or of the head who asks. A permission for the platform
    that the request named before is given back, and its exceptions end.
    """
    info, today = home.settings.platforms[account.platform], home.today(now)
    before = allowance_of_account(db, account.id)
    if before is not None and before.platform != account.platform:
        guard = {"used_by_account": account.id}
        guarded_update(db, "public_allowance", before.id, {"used_by_account": None}, where=guard)
        _end_exceptions(db, account, actor, today, now)
    if info.can_be_private or not must_be_private(home.settings, account.kind):
        return
    if any(waiver.rule_id == PRIVATE for waiver in active_waivers(db, account.id, today)):
        return
    allowance = open_allowance(db, account.platform, {actor.id, account.owner_id}, today)
    if allowance is not None:
        guard = {"used_by_account": allowance.used_by_account}
        guarded_update(db, "public_allowance", allowance.id, {"used_by_account": account.id}, where=guard)
        ids = _except(db, account, allowance.decided_by, allowance.reason, allowance.until_on, now)
        _record_exceptions(db, EventTag.PUBLIC_USED, account, actor, ids, now, {"allowance": allowance.id})
    elif actor.has(Role.HEAD):
        reason = f"Asked for by the head as a public account: {account.purpose}"[:LONGEST_TEXT]
        ids = _except(db, account, actor.id, reason, None, now)
        _record_exceptions(db, EventTag.WAIVER_GRANTED, account, actor, ids, now, {"until_on": None})


def _except(
    db: Database, account: Account, head_id: int, reason: str, until_on: date | None, now: datetime
) -> dict[int, str]:
    """The exceptions that a public account needs: their ids, with the rule of each."""
    return {
        insert_waiver(
            db, account_id=account.id, rule_id=rule_id, reason=reason, decided_by=head_id, until_on=until_on, now=now
        ): rule_id
        for rule_id in PUBLIC_ACCOUNT_RULES
    }


def _end_exceptions(db: Database, account: Account, actor: Staff, today: date, now: datetime) -> None:
    waivers = active_waivers(db, account.id, today)
    ended = {waiver.id: waiver.rule_id for waiver in waivers if waiver.rule_id in PUBLIC_ACCOUNT_RULES}
    for waiver_id in ended:
        guarded_update(db, "waiver", waiver_id, {"ended_at": now}, where={"ended_at": None})
    if ended:
        _record_exceptions(db, EventTag.WAIVER_ENDED, account, actor, ended, now, {})


def _record_exceptions(
    db: Database,
    tag: EventTag,
    account: Account,
    actor: Staff,
    waivers: dict[int, str],
    now: datetime,
    more: dict[str, object],
) -> None:
    record_event(
        db, tag, actor=actor_of(actor.id), now=now, subject="account", subject_id=account.id, account_id=account.id,
        data={"waivers": list(waivers), "rules": list(waivers.values()), **more},
    )  # fmt: skip


def _record(
    db: Database, tag: EventTag, actor: Staff, allowance_id: int, now: datetime, data: dict[str, object]
) -> None:
    record_event(db, tag, actor=actor_of(actor.id), now=now, subject="allowance", subject_id=allowance_id, data=data)


def _tell(db: Database, actor: Staff, staff_id: int, kind: str, text: str, allowance_id: int, now: datetime) -> None:
    if staff_id != actor.id and staff_by_id(db, staff_id).current:
        notify(db, staff_id=staff_id, kind=kind, text=text, dedupe_key=f"{kind}:{allowance_id}", now=now)
