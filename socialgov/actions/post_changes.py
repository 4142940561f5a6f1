"""What every change of a post shares: who may change it, what a change takes back, the gate, and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socialgov.actions.own_cause import writers_of
from socialgov.actions.post_facts import blocking, evaluate
from socialgov.errors import Conflict, GateRefused
from socialgov.models import PostState
from socialgov.permissions import check_can_post, check_can_second_check, check_can_view_posts
from socialgov.store import posts as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag, actor_of, record_event

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Finding, Post, Staff

EDITABLE = frozenset({PostState.DRAFT, PostState.WAITING, PostState.REFUSED})
# what a change of the post's content takes back
_UNCONFIRMED = {
    "permanence_confirmed_at": None,
    "checked_by": None,
    "checked_at": None,
    "check_reason": None,
    "state": PostState.DRAFT,
}


def own_post(home: Home, actor: Staff, post_id: int) -> Post:
    """The post, for a keeper who may still change it."""
    post = store.post_by_id(home.db, post_id)
    check_can_post(actor, account_by_id(home.db, post.account_id))
    if post.state not in EDITABLE:
        raise Conflict("This post is out or gone, so it cannot be changed.", "Open it again to see where it stands.")
    return post


def check_can_see_post(home: Home, actor: Staff, post: Post) -> None:
    """Those who may see the account's posts, and any colleague who may be the second checker until one has looked."""
    writers = writers_of(home.db, post)
    if post.state is PostState.WAITING and post.checked_by is None and actor.id not in writers:
        check_can_second_check(actor, writers)
    else:
        check_can_view_posts(actor, account_by_id(home.db, post.account_id))


def refuse_unless_open(
    home: Home, actor: Staff, post: Post, now: datetime, *, before_second_look: bool = False
) -> list[Finding]:
    """Raise GateRefused, and log it, unless every rule that must hold does. Returns all findings."""
    findings = evaluate(home, home.db, post, now)
    refused = blocking(findings, before_second_look=before_second_look)
    if refused:
        with write(home.db) as db:
            names = [finding.rule_id for finding in refused]
            record_post(db, EventTag.POST_REFUSED, actor, post, now, data={"rules": names})
        raise GateRefused("This post cannot go out yet.", refused, "Put right what each line says, then try again.")
    return findings


def change_post(
    db: Database, actor: Staff, post: Post, changes: dict[str, Any], now: datetime, *, keep_confirmation: bool = False
) -> Post:
    """Change a post, only while nobody else has; its confirmation and second look fall unless they are the change.

    What somebody wanted put out was the post as it was, so the machine does not try it once more.
    """
    if not changes:
        return post
    undone = {"again_by": None, "again_at": None, **({} if keep_confirmation else _UNCONFIRMED)}
    guarded_update(
        db,
        "post",
        post.id,
        {**undone, **changes, "version": post.version + 1},
        where={"state": post.state, "version": post.version},
    )
    changed = store.post_by_id(db, post.id)
    record_post(db, EventTag.POST_CHANGED, actor, changed, now, data={"fields": sorted(changes)})
    return changed


def record_post(
    db: Database, tag: EventTag, actor: Staff | str, post: Post, now: datetime, data: dict[str, Any] | None = None
) -> None:
    """An event about a post, by a member of staff or a job (`job:NAME`)."""
    record_event(
        db,
        tag,
        actor=actor if isinstance(actor, str) else actor_of(actor.id),
        now=now,
        subject="post",
        subject_id=post.id,
        account_id=post.account_id,
        data=data,
    )
