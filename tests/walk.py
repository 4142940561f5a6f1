"""Accounts walked through the real actions, one step a function. The sandbox's name, but nothing on a network:
what a platform would show is put on record by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from factories import DOMAIN, NOW, manager_of, staff

from socialgov.actions import accounts, credentials
from socialgov.actions.public_accounts import allow_public_account
from socialgov.home import Home
from socialgov.models import (
    Account,
    AccountKind,
    AccountRequest,
    Fact,
    LogoMatch,
    Presence,
    PublicAllowance,
    Role,
    Source,
    Staff,
)
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.events import Event, events_of_account
from socialgov.store.observations import insert_observation

PLATFORM = "instagram"
SECRET = "kV9#mQ2x-Tolpuddle-61"
ALL_HOLD: Mapping[Fact, Any] = {
    Fact.PRESENCE: Presence.LIVE,
    Fact.PRIVATE: True,
    Fact.PROFILE_TEXT: f"Official account of Test School. Contact office@{DOMAIN}.",
    Fact.LOGO: LogoMatch.MATCH,
    Fact.SETUP_EMAIL: f"trips@{DOMAIN}",
    Fact.RECOVERY_WITH_SCHOOL: True,
    Fact.FOLLOWERS: 0,
    Fact.FOLLOWS: 0,
    Fact.LIKES: 0,
    Fact.SHARES: 0,
    Fact.CONVERSATIONS: 0,
    Fact.OUTSIDE_POSTS: 0,
}


@dataclass(frozen=True)
class Cast:
    """Who plays in a story: owner and deputy are teachers, the manager approves, the head excepts."""

    owner: Staff
    deputy: Staff
    manager: Staff
    head: Staff


def cast_of(home: Home) -> Cast:
    return Cast(staff(home, Role.TEACHER), staff(home, Role.TEACHER), manager_of(home), staff(home, Role.HEAD))


def form_of(cast: Cast, **changes: Any) -> AccountRequest:
    """A trip of two weeks that may be asked for at NOW."""
    values: dict[str, Any] = {
        "platform": PLATFORM,
        "kind": AccountKind.TRIP,
        "handle_wished": "geography.field.trip",
        "purpose": "Let families follow the geography field trip",
        "audience": "Parents and carers of the pupils on the trip",
        "owner_id": cast.owner.id,
        "deputy_id": cast.deputy.id,
        "starts_on": date(2026, 11, 23),
        "ends_on": date(2026, 12, 7),
        "review_on": None,
    }
    return AccountRequest(**{**values, **changes})


def standing_form(cast: Cast, **changes: Any) -> AccountRequest:
    values = {"kind": AccountKind.STANDING, "ends_on": None, "review_on": date(2027, 7, 1), **changes}
    return form_of(cast, **{"handle_wished": "drama.club", **values})


def requested(home: Home, cast: Cast, *, now: datetime = NOW, form: AccountRequest | None = None) -> Account:
    """Where the platform has no private accounts, the head has allowed it first."""
    form = form or form_of(cast)
    if not home.settings.platforms[form.platform].can_be_private:
        allowed(home, cast, form.platform, now=now)
    return accounts.request_account(home, cast.owner, form, now=now)


def allowed(home: Home, cast: Cast, platform: str, *, now: datetime = NOW, **changes: Any) -> PublicAllowance:
    """The head lets the owner ask for one account on `platform` that everybody can see."""
    values = {"staff_id": cast.owner.id, "purpose": "News for the neighbourhood.", "reason": "No child is shown."}
    return allow_public_account(home, cast.head, platform=platform, now=now, **{**values, **changes})


def approved(home: Home, cast: Cast, *, now: datetime = NOW, form: AccountRequest | None = None) -> Account:
    account = requested(home, cast, now=now, form=form)
    return accounts.approve(home, cast.manager, account.id, now=now)


def set_up(home: Home, cast: Cast, account: Account, *, now: datetime = NOW) -> Account:
    return accounts.record_setup(
        home, cast.owner, account.id, handle=account.handle_wished, school_email=f"trips@{DOMAIN}", now=now
    )


def observed(home: Home, account: Account, *, now: datetime = NOW, **changes: Any) -> None:
    """What the platform shows goes on record, all in order unless `changes` says otherwise (by the fact's value)."""
    for fact, value in {**ALL_HOLD, **{Fact(name): value for name, value in changes.items()}}.items():
        put_on_record(home, account, fact, value, now=now)


def put_on_record(home: Home, account: Account, fact: Fact, value: Any, *, now: datetime = NOW) -> None:
    with write(home.db) as db:
        insert_observation(
            db, account_id=account.id, fact=fact, value=value, source=Source.API, observed_by=None, evidence_id=None,
            note=None, now=now,
        )  # fmt: skip


def deposited(home: Home, cast: Cast, account: Account, *, secret: str = SECRET, now: datetime = NOW) -> None:
    credentials.deposit(
        home, cast.owner, account.id, username=account.name, secret=secret, email=f"trips@{DOMAIN}", now=now
    )


def ready(home: Home, cast: Cast, *, now: datetime = NOW, form: AccountRequest | None = None) -> Account:
    """Approved, and every check of the gate holds."""
    account = set_up(home, cast, approved(home, cast, now=now, form=form), now=now)
    observed(home, account, now=now)
    deposited(home, cast, account, secret=f"{SECRET}{account.id}-{account.handle_wished[::-1]}", now=now)
    credentials.record_login_test(home, cast.manager, account.id, True, now=now)
    return account_by_id(home.db, account.id)


def live(home: Home, cast: Cast, *, now: datetime = NOW, form: AccountRequest | None = None) -> Account:
    return accounts.go_live(home, cast.owner, ready(home, cast, now=now, form=form).id, now=now)


def tags(home: Home, account: Account) -> list[str]:
    """The account's events, oldest first, without the rules' answers that follow from them."""
    found: list[Event] = events_of_account(home.db, account.id)
    return [event.tag for event in reversed(found) if event.tag != "account:finding:changed"]
