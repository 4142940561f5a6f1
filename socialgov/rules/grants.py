"""Permission to publish. Pure, and it fails closed: what is not recorded is not permitted (MED501-MED504).

Each giver (a parent, a carer, the child) speaks for themself. A refusal or a withdrawal of any one of them wins over
every grant of the others, and counts at once, whatever its date. Only the same giver takes it back, by a later grant
that is in force on the day; one that was meant for a single account is taken back only by a grant for that account.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from socialgov.models import Answer, Grant, PersonKind, Use
from socialgov.rules.base import day_words


class Coverage(NamedTuple):
    """Whether a use is permitted, and one sentence why."""

    permitted: bool
    reason: str


def covers(
    grants: Iterable[Grant],
    person_id: int,
    use: Use,
    account_id: int,
    day: date,
    *,
    kind: PersonKind = PersonKind.PUPIL,
) -> Coverage:
    """May `person_id` be shown in this `use` on this account on `day`?

    A pupil needs the grant of a parent or carer (`given_by` unknown counts as one: the school's form says so); their
    own grant alone is not enough. An adult's own grant is. Order of `grants` does not matter.
    """
    about = [
        grant
        for grant in grants
        if grant.person_id == person_id and grant.use is use and grant.account_id in (None, account_id)
    ]
    yes = [grant for grant in about if grant.answer is Answer.GRANTED and _in_force(grant, day)]
    no = [grant for grant in about if grant.answer is not Answer.GRANTED]
    for refusal in no:
        if not any(_takes_back(grant, refusal) for grant in yes):
            return Coverage(False, _refused(refusal))
    if kind is PersonKind.PUPIL:
        yes = [grant for grant in yes if grant.given_by != person_id]
    if yes:
        return Coverage(True, "It is permitted for this account today.")
    return Coverage(False, _nothing_covers(about, use, day))


def _in_force(grant: Grant, day: date) -> bool:
    return grant.given_on <= day and (grant.valid_until_on is None or day <= grant.valid_until_on)


def _takes_back(grant: Grant, refusal: Grant) -> bool:
    """The same giver changed their mind later, for a scope at least as narrow as that of the refusal."""
    return (
        grant.given_by == refusal.given_by
        and refusal.account_id in (None, grant.account_id)
        and (grant.given_on, grant.recorded_at) > (refusal.given_on, refusal.recorded_at)
    )


def _refused(refusal: Grant) -> str:
    if refusal.given_by == refusal.person_id:
        who = "They themselves"
    else:
        who = "A parent or carer"
    verb = "withdrew permission" if refusal.answer is Answer.WITHDRAWN else "refused"
    return f"{who} {verb} on {day_words(refusal.given_on)}, and that wins."


def _nothing_covers(about: list[Grant], use: Use, day: date) -> str:
    granted = [grant for grant in about if grant.answer is Answer.GRANTED]
    lapsed = [grant.valid_until_on for grant in granted if grant.valid_until_on and grant.valid_until_on < day]
    if lapsed:
        return f"The permission ended on {day_words(max(lapsed))}."
    if granted and any(_in_force(grant, day) for grant in granted):
        return "A pupil's own word is not enough: a parent or carer must permit it too."
    if granted:
        return f"The permission starts on {day_words(min(grant.given_on for grant in granted))}."
    return f"Nobody has recorded a permission ({use.value}) that covers this account."
