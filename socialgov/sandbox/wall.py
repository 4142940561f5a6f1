"""What accounts of the simulated network post, share, answer and like."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from socialgov.sandbox.network import TEXT_LENGTH, Member, Network, NetworkError, Shot, check_pictures


@dataclass(frozen=True, slots=True)
class Entry:
    """A post, a share of one (`share_of`), or an answer to one (`reply_to`, written by `reply_to_account`)."""

    id: int
    account_id: str
    text: str
    posted_at: datetime
    reply_to: int | None
    reply_to_account: str | None
    share_of: int | None
    pictures: tuple[tuple[int, str], ...]  # position and alternative text
    likes: int


_ENTRY = """
select post.id, post.account_id, post.text, post.posted_at, post.reply_to, post.share_of,
  (select account_id from post as target where target.id = post.reply_to) as reply_to_account,
  (select count(*) from liked where liked.post_id = post.id) as likes
from post
"""


class Wall:
    def __init__(self, network: Network) -> None:
        self.network = network

    def publish(
        self,
        member: Member,
        text: str,
        pictures: Sequence[Shot] = (),
        *,
        key: str = "",
        reply_to: int | None = None,
        share_of: int | None = None,
    ) -> int:
        """Put a post out and return its number; the same `key` of the same account is the same post."""
        if not member.active:
            raise NetworkError("deactivated", "This account is deactivated.", 403)
        if len(text) > TEXT_LENGTH:
            raise NetworkError("too_long", f"A post has at most {TEXT_LENGTH} characters.")
        shots = check_pictures(pictures)
        if not text.strip() and not shots and share_of is None:
            raise NetworkError("empty", "Write something, or choose a picture.")
        key = key or secrets.token_hex(8)
        with self.network.writing() as db:
            known = db.execute("select id from post where account_id = ? and key = ?", (member.id, key)).fetchone()
            if known:
                return int(known["id"])
            made = db.execute(
                "insert into post(account_id, key, text, posted_at, reply_to, share_of) values (?,?,?,?,?,?)",
                (member.id, key, text, self.network.now_text(), reply_to, share_of),
            )
            number = int(made.lastrowid or 0)
            rows = [(number, place, shot.content, shot.mime, shot.alt) for place, shot in enumerate(shots)]
            db.executemany("insert into picture values (?,?,?,?,?)", rows)
        return number

    def remove(self, member: Member, number: int) -> None:
        """Take one's own post down; already gone is success."""
        with self.network.writing() as db:
            db.execute("delete from post where id = ? and account_id = ?", (number, member.id))

    def entry(self, number: int) -> Entry:
        with self.network.reading() as db:
            row = db.execute(f"{_ENTRY} where post.id = ?", (number,)).fetchone()
            if row is None:
                raise NetworkError("no_post", "There is no such post.", 404)
            return _entry(db, row)

    def entries(self, owner: Member, *, before: int | None = None, limit: int = 50) -> list[Entry]:
        """Newest first; `before` is the number of the last one of the page before."""
        with self.network.reading() as db:
            rows = db.execute(
                f"{_ENTRY} where post.account_id = ? and (? is null or post.id < ?) order by post.id desc limit ?",
                (owner.id, before, before, limit),
            ).fetchall()
            return [_entry(db, row) for row in rows]

    def shot(self, number: int, position: int) -> Shot:
        with self.network.reading() as db:
            row = db.execute(
                "select content, mime, alt from picture where post_id = ? and position = ?", (number, position)
            ).fetchone()
            if row is None:
                raise NetworkError("no_picture", "There is no such picture.", 404)
            return Shot(row["content"], row["mime"], row["alt"])

    def like(self, member: Member, number: int) -> None:
        with self.network.writing() as db:
            db.execute("insert or ignore into liked values (?,?,?)", (member.id, number, self.network.now_text()))

    def unlike(self, member: Member, number: int) -> None:
        with self.network.writing() as db:
            db.execute("delete from liked where account_id = ? and post_id = ?", (member.id, number))

    def likes(self, member: Member) -> list[int]:
        with self.network.reading() as db:
            rows = db.execute("select post_id from liked where account_id = ? order by at, post_id", (member.id,))
            return [int(row["post_id"]) for row in rows]


def _entry(db: sqlite3.Connection, row: sqlite3.Row) -> Entry:
    pictures = db.execute("select position, alt from picture where post_id = ? order by position", (row["id"],))
    values = dict(row) | {
        "posted_at": datetime.fromisoformat(row["posted_at"]),
        "pictures": tuple((picture["position"], picture["alt"]) for picture in pictures),
    }
    return Entry(**values)
