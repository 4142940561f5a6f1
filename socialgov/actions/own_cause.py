"""Nobody decides in their own cause (ACC107, LIF601, LIF605, MED506), and nobody gets out of it by passing it on.

Permissions see who owns an account now. The log also knows who rewrote a request, handed an account out of their own
hands or changed a post, and those are asked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.errors import NotPermitted
from socialgov.store.events import EventTag, keepers_who_handed_over, staff_who

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.models import Account, Post, Staff


def check_did_not_write_request(db: Database, staff: Staff, account: Account) -> None:
    """ACC107: whoever changed what is asked for does not approve it, whoever asked first."""
    if staff.id in staff_who(db, account.id, EventTag.ACCOUNT_REQUESTED, EventTag.ACCOUNT_AMENDED):
        raise NotPermitted("You wrote or changed this request, so somebody else must decide.", "Ask another approver.")


def check_did_not_hand_over(db: Database, staff: Staff, account: Account) -> None:
    """LIF601, LIF605: whoever handed the account out of their own hands does not judge it from outside."""
    if staff.id in keepers_who_handed_over(db, account.id):
        raise NotPermitted(
            "You kept this account and handed it over yourself, so somebody else must decide.", "Ask another approver."
        )


def writers_of(db: Database, post: Post) -> frozenset[int]:
    """MED506: ids of everybody who wrote the post or changed anything in it."""
    changed = staff_who(db, post.account_id, EventTag.POST_DRAFTED, EventTag.POST_CHANGED, subject_id=post.id)
    return changed | {post.author_id}
