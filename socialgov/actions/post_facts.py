"""What is known about a post, gathered for the rules, and what the rules make of it (MED501 to MED511)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov import rules
from socialgov.models import PersonKind
from socialgov.names import NamesFound, names_in_text
from socialgov.rules.facts import PostFacts, Shown
from socialgov.store import posts as store
from socialgov.store.accounts import account_by_id
from socialgov.store.people import audience_of, current_people, grants_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Finding, Post

SECOND_LOOK = "MED506"  # the rule that a post waiting for its second checker cannot hold yet


def check_post(home: Home, post_id: int, now: datetime) -> list[Finding]:
    """The answer of every publishing rule for the post as it stands. Reads only."""
    return evaluate(home, home.db, store.post_by_id(home.db, post_id), now)


def evaluate(home: Home, db: Database, post: Post, now: datetime) -> list[Finding]:
    """`check_post` on a post already read, inside a transaction too."""
    return rules.evaluate_post(post_facts(home, db, post, now))


def blocking(findings: list[Finding], *, before_second_look: bool = False) -> list[Finding]:
    """What keeps the post from going out; `before_second_look` leaves out the second checker's own rule."""
    return [
        finding for finding in rules.blocking(findings) if not (before_second_look and finding.rule_id == SECOND_LOOK)
    ]


def post_facts(home: Home, db: Database, post: Post, now: datetime) -> PostFacts:
    """Everything the rules read about a post."""
    shown = store.depictions_of(db, [post.id])
    grants = grants_of(db, {one.person.id for one in shown})
    listed = {one.person.id for one in shown if one.in_text}
    found = names_found(db, post)
    return PostFacts(
        post=post,
        account=account_by_id(db, post.account_id),
        policy=home.settings.policy,
        now=now,
        today=home.today(now),
        media=tuple(store.media_of(db, post.id)),
        shown=tuple(
            Shown(one.person.id, one.person.kind, one.person.name, one.use, one.in_text, grants[one.person.id])
            for one in shown
        ),
        people_in_picture=post.people_in_picture,
        names_in_text_not_listed=tuple(one.name for one in found.certain if one.id not in listed),
    )


def names_found(db: Database, post: Post) -> NamesFound:
    """Which pupils the words name: any pupil of the school by full name, the audience's own by first name (a hint)."""
    words = " ".join([post.text, *(photo.alt for photo in store.media_of(db, post.id))])
    if not words.strip():
        return NamesFound()
    audience = [one for one in audience_of(db, post.account_id) if one.kind is PersonKind.PUPIL]
    return names_in_text(words, current_people(db, PersonKind.PUPIL), audience)
