"""Plain words for where a post stands, and the list of what its author still has to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import flash, url_for

from socialgov.actions.post_facts import SECOND_LOOK
from socialgov.models import PostState
from socialgov.web.words import answer_words

if TYPE_CHECKING:
    from socialgov.models import Account, Finding, Media, Post

STATE_WORDS = {
    PostState.DRAFT: ("Draft", "blue"),
    PostState.WAITING: ("Second look", "yellow"),
    PostState.REFUSED: ("Sent back", "red"),
    PostState.PUBLISHING: ("Going out", "teal"),
    PostState.PUBLISHED: ("Published", "green"),
    PostState.REMOVED: ("Taken down", "grey"),
    PostState.DISCARDED: ("Thrown away", "grey"),
}
_TO_DO = ("To do", "blue")
# the rules that each step of the wizard answers
_WHO = frozenset({"MED501", "MED502", "MED503", "MED504", "MED505"})
_WORD = frozenset({"MED507", "MED508", "MED509"})


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the task list of a draft, as the macro `task_list` takes it."""

    title: str
    href: str
    done: bool
    hint: str = ""


def answer_of(post: Post, finding: Finding) -> tuple[str, str]:
    """The finding's answer as (words, colour). That no colleague has looked yet is a step to come, and no fault."""
    if finding.rule_id == SECOND_LOOK and not finding.passes and post.state is not PostState.REFUSED:
        return _TO_DO
    return answer_words(finding)


def tasks_of(account: Account, post: Post, photos: Sequence[Media], missing: Sequence[Finding]) -> list[Step]:
    """What the author does, in order, and what of it is done."""
    open_rules = {finding.rule_id for finding in missing}

    def href(endpoint: str) -> str:
        return url_for(endpoint, account_id=account.id, post_id=post.id)

    counted = f"{len(photos)} photo{'s' if len(photos) != 1 else ''}" if photos else "A post may go out without one"
    return [
        Step("What it says", href("posts.edit"), bool(post.text)),
        Step("Photo", href("posts.photo"), bool(photos), counted),
        Step("Who is in it", href("depictions.who"), not open_rules & _WHO and _said_who(post, photos)),
        Step("Your confirmation", href("posts.confirm"), not open_rules & _WORD),
    ]


def _said_who(post: Post, photos: Sequence[Media]) -> bool:
    return not photos or post.nobody_identifiable or post.people_in_picture is not None


def say_what_fell(before: Post, after: Post) -> None:
    """A change takes the author's confirmation and a colleague's look back: say so, or it looks like a fault."""
    if before.permanence_confirmed_at is not None and after.permanence_confirmed_at is None:
        look = " and have a colleague look again" if before.checked_by is not None else ""
        flash(f"The post has changed, so confirm it once more{look}.", "info")
