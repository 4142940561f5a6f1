"""Questions about posts, their photos, who is in them, and what of them must come down."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialgov.errors import NotFound
from socialgov.models import Media, Person, Post, PostState, Use
from socialgov.store.connect import insert
from socialgov.store.rows import all_of, dicts, load, one_of, scalar, to_column

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

ONLINE = (PostState.PUBLISHING, PostState.PUBLISHED)  # what may be seen by others


@dataclass(frozen=True, slots=True)
class Depiction:
    """One person whom a post shows (`in_text` False) or names (`in_text` True)."""

    post_id: int
    person: Person
    use: Use
    in_text: bool


def post_by_id(db: Database, post_id: int) -> Post:
    """The post. Raises NotFound."""
    post = one_of(db, Post, "select * from post where id = ?", (post_id,))
    if post is None:
        raise NotFound("There is no such post.", "Open the account's posts again.")
    return post


def posts_of(db: Database, account_id: int, limit: int = 100) -> list[Post]:
    """The account's posts, newest first; those thrown away are left out."""
    return all_of(
        db,
        Post,
        "select * from post where account_id = ? and state != 'discarded' order by id desc limit ?",
        (account_id, limit),
    )


def posts_waiting_for_check(db: Database) -> list[Post]:
    """Posts that wait for a second checker, oldest first (MED506)."""
    return all_of(db, Post, "select * from post where state = 'waiting' and checked_by is null order by id")


def posts_to_take_down(db: Database, account_id: int | None = None) -> list[Post]:
    """Posts that a permission no longer covers, the most urgent first; of one account or of all (MED513)."""
    return all_of(
        db,
        Post,
        "select * from post where take_down_by_at is not null and state in ('publishing', 'published')"
        " and (?1 is null or account_id = ?1) order by take_down_by_at, id",
        (account_id,),
    )


def posts_being_published(db: Database, before: datetime) -> list[Post]:
    """Posts that were claimed for publishing before that moment and have no outcome."""
    return all_of(
        db, Post, "select * from post where state = 'publishing' and publishing_at < ? order by id", (before,)
    )


def posts_held_back(db: Database, now: datetime) -> list[Post]:
    """Posts that are to be tried once more by now, because the platform was not done with their pictures."""
    return all_of(
        db,
        Post,
        "select * from post where again_at <= ? and state in ('draft', 'waiting') order by id",
        (now,),
    )


def posts_showing(db: Database, person_ids: Collection[int]) -> list[Post]:
    """Posts online that show or name one of these people."""
    return all_of(
        db,
        Post,
        "select * from post where state in ('publishing', 'published') and id in"
        " (select post_id from depiction where person_id in (select value from json_each(?))) order by id",
        (json.dumps(sorted(person_ids)),),
    )


def insert_post(db: Database, values: Mapping[str, Any]) -> int:
    return insert(db, "post", values)


# ---------------------------------------------------------------------------------------------------- photos


def media_of(db: Database, post_id: int) -> list[Media]:
    """The post's photos in the order they were added."""
    return all_of(db, Media, "select * from media where post_id = ? order by id", (post_id,))


def media_by_id(db: Database, media_id: int) -> Media:
    """The photo. Raises NotFound."""
    media = one_of(db, Media, "select * from media where id = ?", (media_id,))
    if media is None:
        raise NotFound("There is no such photo.", "Open the post again.")
    return media


def first_media(db: Database, post_ids: Collection[int]) -> dict[int, Media]:
    """The first photo of each of these posts that has one."""
    rows = dicts(
        db,
        "select * from media where id in (select min(id) from media"
        " where post_id in (select value from json_each(?)) group by post_id)",
        (json.dumps(list(post_ids)),),
    )
    return {row["post_id"]: load(Media, row) for row in rows}


def insert_media(db: Database, values: Mapping[str, Any]) -> int:
    return insert(db, "media", values)


def delete_media(db: Database, media_id: int) -> None:
    db.execute("delete from media where id = ?", (media_id,))


# ---------------------------------------------------------------------------------------------------- who is in it


def depictions_of(db: Database, post_ids: Collection[int]) -> list[Depiction]:
    """Who is shown or named in these posts, by name."""
    rows = dicts(
        db,
        "select p.*, d.post_id, d.use, d.in_text from depiction d join person p on p.id = d.person_id"
        " where d.post_id in (select value from json_each(?)) order by p.last_name, p.first_name, p.id, d.in_text",
        (json.dumps(list(post_ids)),),
    )
    return [Depiction(row["post_id"], load(Person, row), Use(row["use"]), bool(row["in_text"])) for row in rows]


def replace_depictions(db: Database, post_id: int, shown: Iterable[int], named: Iterable[int], added_by: int) -> None:
    """Exactly these people are in the picture (`shown`) and in the text (`named`)."""
    db.execute("delete from depiction where post_id = ?", (post_id,))
    for use, in_text, person_ids in ((Use.PHOTO, 0, shown), (Use.NAME, 1, named)):
        for person_id in sorted(set(person_ids)):
            db.execute(
                "insert into depiction (post_id, person_id, use, in_text, added_by) values (?, ?, ?, ?, ?)",
                (post_id, person_id, use.value, in_text, added_by),
            )


# ---------------------------------------------------------------------------------------------------- on the platform


def remote_ids_seen(db: Database, account_id: int) -> set[str]:
    """The lasting ids of every post that was ever seen on the account or published by us."""
    rows = dicts(
        db,
        "select remote_id from seen_post where account_id = ?1"
        " union select remote_id from post where account_id = ?1 and remote_id is not null",
        (account_id,),
    )
    return {row["remote_id"] for row in rows}


def own_posts_since(db: Database, account_id: int, since: datetime) -> int:
    """How many posts more of ours there are than at that moment: those published less those taken down."""
    return int(
        scalar(
            db,
            "select coalesce(sum((published_at >= ?2) - (coalesce(removed_at, '') >= ?2)), 0) from post"
            " where account_id = ?1 and published_at is not null",
            (account_id, since),
        )
    )


def note_own_post(db: Database, account_id: int, remote_id: str, post_id: int, now: datetime) -> None:
    """This post on the platform is ours: it passed the gate (MED512)."""
    db.execute(
        "insert into seen_post (account_id, remote_id, first_seen_at, post_id) values (?, ?, ?, ?)"
        " on conflict do update set post_id = excluded.post_id",
        (account_id, remote_id, to_column(now), post_id),
    )
