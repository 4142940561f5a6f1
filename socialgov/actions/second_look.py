"""The second pair of eyes: a colleague looks at a post before it goes out, where the school asks for it (MED506)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.actions.notices import notify
from socialgov.actions.own_cause import writers_of
from socialgov.actions.post_changes import own_post, record_post, refuse_unless_open
from socialgov.errors import Conflict, InvalidInput
from socialgov.models import PostState
from socialgov.permissions import check_can_second_check
from socialgov.store import posts as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Post, Staff


def submit_post(home: Home, actor: Staff, post_id: int, *, now: datetime) -> Post:
    """Hand the post to a second checker, where the school asks for one (MED506).

    Every other rule must hold first: nobody should look at what cannot go out. Raises GateRefused with those that do
    not.
    """
    post = own_post(home, actor, post_id)
    if not home.settings.policy.second_checker:
        raise Conflict("This school asks for no second checker.", "Publish the post.")
    if post.state is not PostState.DRAFT:
        raise Conflict("This post is not a draft any more.", "Open it again to see where it stands.")
    refuse_unless_open(home, actor, post, now, before_second_look=True)
    with write(home.db) as db:
        guarded_update(
            db,
            "post",
            post_id,
            {"state": PostState.WAITING, "version": post.version + 1},
            where={"state": PostState.DRAFT, "version": post.version},
        )
        record_post(db, EventTag.POST_SUBMITTED, actor, post, now)
        account = account_by_id(db, post.account_id)
        for staff_id in {account.owner_id, account.deputy_id} - {actor.id}:
            notify(
                db,
                staff_id=staff_id,
                kind="post_waits",
                text=f"A post on {account.handle or account.handle_wished} waits for a second look.",
                dedupe_key=f"post-waits:{post_id}:{post.version}",
                now=now,
                account_id=account.id,
            )
    return store.post_by_id(home.db, post_id)


def second_check(home: Home, actor: Staff, post_id: int, approved: bool, reason: str = "", *, now: datetime) -> Post:
    """A colleague has looked at the post and says yes, or no with a reason (MED506)."""
    post = store.post_by_id(home.db, post_id)
    check_can_second_check(actor, writers_of(home.db, post))
    reason = " ".join(reason.split())
    if not approved and not reason:
        raise InvalidInput("Say why it should not go out.", {"reason": "Give the reason, so that it can be mended."})
    if len(reason) > 500:
        raise InvalidInput("The reason is too long.", {"reason": "Use 500 characters or fewer."})
    if post.state is not PostState.WAITING or post.checked_by is not None:
        raise Conflict("This post does not wait for a second look.", "Open it again to see where it stands.")
    with write(home.db) as db:
        guarded_update(
            db,
            "post",
            post_id,
            {
                "state": PostState.WAITING if approved else PostState.REFUSED,
                "checked_by": actor.id,
                "checked_at": now,
                "check_reason": reason or None,
                "version": post.version + 1,
            },
            where={"state": PostState.WAITING, "version": post.version},
        )
        record_post(db, EventTag.POST_CHECKED, actor, post, now, data={"approved": approved})
        account = account_by_id(db, post.account_id)
        verdict = "can be published" if approved else "should not go out as it is"
        notify(
            db,
            staff_id=post.author_id,
            kind="post_checked",
            text=f"A colleague looked at your post on {account.handle or account.handle_wished}: it {verdict}.",
            dedupe_key=f"post-checked:{post_id}:{post.version}",
            now=now,
            account_id=account.id,
        )
    return store.post_by_id(home.db, post_id)
