"""A live account with people, posts and photos around it, as rows: the ground that closings and jobs are tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from factories import NOW, staff

from socialgov.actions.blobs import save_blob
from socialgov.actions.credentials import deposit
from socialgov.home import Home
from socialgov.models import Account, AccountKind, AccountState, PlatformInfo, Staff
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import insert, write
from socialgov.store.rows import dicts, scalar

PASSWORD = "Kestrel-72-lantern!"
ENDS_ON = date(2026, 11, 22)  # the day before NOW: its time is over


def live_account(home: Home, *, owner: Staff | None = None, deputy: Staff | None = None, **changes: Any) -> Account:
    """A trip account on `platform` (sandbox when not said) in the state given (live), whose end day was yesterday."""
    owner, deputy = owner or staff(home), deputy or staff(home)
    values: dict[str, Any] = {
        "platform": "sandbox",
        "kind": AccountKind.TRIP,
        "state": AccountState.LIVE,
        "handle_wished": "lakes2026",
        "handle": "lakes2026",
        "purpose": "A week in the hills",
        "audience": "Year 6 and their carers",
        "owner_id": owner.id,
        "deputy_id": deputy.id,
        "requested_by": owner.id,
        "requested_at": NOW - timedelta(days=60),
        "starts_on": date(2026, 10, 1),
        "ends_on": ENDS_ON,
        "live_at": NOW - timedelta(days=30),
        "check_due_at": NOW + timedelta(days=1),
        **changes,
    }
    with write(home.db) as db:
        return account_by_id(db, insert(db, "account", values))


def deposited(home: Home, account: Account) -> None:
    """The account's password in escrow."""
    actor = owner_of(home, account)
    deposit(
        home,
        actor,
        account.id,
        username=account.handle or "",
        secret=PASSWORD,
        email="trips@school.example",
        now=NOW - timedelta(days=30),
    )


def owner_of(home: Home, account: Account) -> Staff:
    from socialgov.store.staff import staff_by_id

    return staff_by_id(home.db, account.owner_id)


def people_around(home: Home, account: Account) -> list[int]:
    """Followers, an audience, a grant for this account, and a post and a draft that show a child; the blobs' ids."""
    old = NOW - timedelta(days=20)
    blobs = [
        save_blob(home, b"a photo of the lake", mime="image/jpeg", purpose="photo", account_id=account.id,
                  made_by=account.owner_id, now=old),
        save_blob(home, b"a screenshot of followers", mime="image/png", purpose="screenshot", account_id=account.id,
                  made_by=account.owner_id, now=old),
    ]  # fmt: skip
    with write(home.db) as db:
        number = scalar(db, "select count(*) from person")
        child, carer = (
            insert(
                db, "person", {"kind": kind, "ref": f"{kind}{number}", "first_name": first, "last_name": "Placeholder"}
            )
            for kind, first in (("pupil", "Robin"), ("carer", "Sam"))
        )
        for person in (child, carer):
            row = {"account_id": account.id, "person_id": person, "added_at": old}
            insert(db, "audience_member", row)
        insert(db, "follower", {
            "account_id": account.id, "remote_id": "f1", "handle": "sam_p", "display_name": "Sam Placeholder",
            "first_seen_at": old, "last_seen_at": old, "decision": "accepted", "person_id": carer})  # fmt: skip
        insert(db, "grant_of", {
            "person_id": child, "use": "photo", "account_id": account.id, "answer": "granted", "given_by": carer,
            "given_on": old.date(), "basis": "consent", "recorded_at": old})  # fmt: skip
        for state, remote in (("published", "9001"), ("draft", None)):
            post = insert(db, "post", {
                "account_id": account.id, "author_id": account.owner_id, "state": state, "text": "Robin at the lake",
                "created_at": old, "published_at": old if remote else None, "remote_id": remote})  # fmt: skip
            insert(db, "depiction", {"post_id": post, "person_id": child, "use": "photo"})
            if remote:
                insert(db, "media", {
                    "post_id": post, "blob_id": blobs[0], "mime": "image/jpeg", "width": 4, "height": 3, "alt": "Robin",
                    "cleaned": True})  # fmt: skip
    return blobs


def with_platform(home: Home, info: PlatformInfo, **policy: Any) -> Home:
    """The same school, with one platform (and thresholds of the policy) put in place of the configured ones."""
    platforms: Mapping[str, PlatformInfo] = MappingProxyType({**home.settings.platforms, info.key: info})
    settings = replace(home.settings, platforms=platforms, policy=replace(home.settings.policy, **policy))
    return Home(home.path, settings, home.escrow, home.clock)


def with_mail(home: Home, **mail: Any) -> Home:
    settings = replace(home.settings, mail=replace(home.settings.mail, **mail))
    return Home(home.path, settings, home.escrow, home.clock)


def events(home: Home, tag: str, account_id: int | None = None) -> list[dict[str, Any]]:
    """The log's lines of one tag, oldest first."""
    where = "" if account_id is None else f" and account_id = {account_id}"
    return list(dicts(home.db, f"select * from event where tag = ?{where} order by seq", (tag,)))


def crowd_of_accounts(home: Home, *, due: int, others: int) -> None:
    """Copies of account 1: `due` of them with its end day, the others far from theirs."""
    (row,) = dicts(home.db, "select * from account where id = 1")
    names = [name for name in row if name != "id"]
    marks = ", ".join("?" for _ in names)
    with write(home.db) as db:
        db.conn.executemany(
            f"insert into account ({', '.join(names)}) values ({marks})",
            [
                [{**row, **({} if number < due else {"ends_on": "2027-03-01"})}[name] for name in names]
                for number in range(due + others)
            ],
        )
