"""People, permissions and photos: the ground on which audiences, followers and posts are tested."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import count
from typing import Any

from closing_school import live_account
from factories import NOW
from PIL import Image

from socialgov.home import Home
from socialgov.models import Account, Answer, Person, PersonKind, Staff, Use
from socialgov.store import people as store
from socialgov.store.connect import write

_numbers = count(1)


def person(home: Home, kind: PersonKind, first: str, last: str, **more: Any) -> Person:
    values = {
        "kind": kind,
        "ref": f"{kind.value}-{next(_numbers)}",
        "first_name": first,
        "last_name": last,
        "email": None,
        "born_on": date(2011, 5, 4) if kind is PersonKind.PUPIL else None,
        "year_group": "9",
        "form": "9B",
        **more,
    }
    with write(home.db) as db:
        return store.person_by_id(db, store.save_person(db, values))


def pupil(home: Home, first: str = "Ann", last: str = "Lee", **more: Any) -> Person:
    return person(home, PersonKind.PUPIL, first, last, **more)


def carer(home: Home, first: str, last: str, *, of: Iterable[Person], **more: Any) -> Person:
    one = person(home, PersonKind.CARER, first, last, **more)
    with write(home.db) as db:
        for child in of:
            store.save_carer_link(db, one.id, child.id, "mother")
    return one


def permit(
    home: Home,
    about: Person,
    *,
    by: Person | None = None,
    use: Use = Use.PHOTO,
    answer: Answer = Answer.GRANTED,
    on: date = date(2026, 9, 1),
    account: Account | None = None,
    until: date | None = None,
) -> int:
    with write(home.db) as db:
        return store.insert_grant(
            db,
            {
                "person_id": about.id,
                "use": use,
                "account_id": account.id if account else None,
                "answer": answer,
                "given_by": by.id if by else None,
                "given_on": on,
                "valid_until_on": until,
                "basis": "consent",
                "recorded_at": NOW - timedelta(days=60),
            },
        )


def trip(home: Home, owner: Staff, deputy: Staff | None = None, **changes: Any) -> Account:
    """A live trip account that still has a month to go."""
    values = {"ends_on": date(2026, 12, 20), "platform": "instagram", **changes}
    return live_account(home, owner=owner, deputy=deputy, **values)


def photo(width: int = 320, height: int = 240, fmt: str = "JPEG", **save: Any) -> bytes:
    """A small picture that is not one colour."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    out = io.BytesIO()
    image.save(out, fmt, **save)
    return out.getvalue()
