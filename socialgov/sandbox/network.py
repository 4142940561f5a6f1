"""What happens on the simulated network, and who may see what. The clock is an argument, so it can be moved.

Private accounts show their posts to accepted followers only. A deactivated account is hidden from everybody and can be
brought back for `reversible_days`; then it and all it posted is deleted, its name is free, and its id is a tombstone.
Followers gained while an account was public stay when it turns private, as on the real ones.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

from socialgov.sandbox.tables import Tables

REVERSIBLE_DAYS = 30
PICTURE_TYPES = ("image/jpeg", "image/png")
PICTURE_BYTES = 5_000_000
TEXT_LENGTH = 500
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,38}[a-z0-9])?")
_HASHING = "scrypt:1024:8:1"  # light on purpose: nothing real is kept here


class NetworkError(Exception):
    """What the network refuses. `word` is for programs, `sentence` for people, `status` for HTTP."""

    def __init__(self, word: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.word, self.sentence, self.status = word, sentence, status


@dataclass(frozen=True, slots=True)
class Member:
    """An account of the simulated network."""

    id: str
    name: str
    email: str
    display_name: str
    text: str
    private: bool
    outsider: bool
    sessions: int
    deactivated_at: datetime | None
    deleted_at: datetime | None
    has_picture: bool

    @property
    def active(self) -> bool:
        return self.deactivated_at is None and self.deleted_at is None


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a post."""

    content: bytes
    mime: str
    alt: str


class Network:
    def __init__(self, path: Path, clock: Callable[[], datetime], *, reversible_days: int = REVERSIBLE_DAYS) -> None:
        self.clock = clock
        self.reversible_days = reversible_days
        self._tables = Tables(path)

    # ---- accounts

    def create_account(
        self,
        name: str,
        password: str = "",
        *,
        email: str = "",
        display_name: str = "",
        text: str = "",
        private: bool = False,
        outsider: bool = False,
    ) -> Member:
        """A new account. An outsider is a visitor's play identity: it has no password and anybody may be it."""
        if not _NAME.fullmatch(name):
            raise NetworkError("bad_name", "A name has 1 to 40 small letters, digits, dots, dashes or underscores.")
        if not outsider and len(password) < 8:
            raise NetworkError("weak_password", "A password has at least 8 characters.")
        hashed = generate_password_hash(password, _HASHING) if password else ""
        member_id = secrets.token_hex(8)
        row = (
            member_id,
            name,
            email,
            hashed,
            display_name or name,
            text[:TEXT_LENGTH],
            private,
            outsider,
            self.now_text(),
        )
        with self.writing() as db:
            try:
                db.execute(
                    "insert into account(id, name, email, password, display_name, text, private, outsider, created_at)"
                    " values (?,?,?,?,?,?,?,?,?)",
                    row,
                )
            except sqlite3.IntegrityError:
                raise NetworkError("name_taken", "That name is taken.", 409) from None
            return self._member(db, member_id)

    def member(self, member_id: str) -> Member:
        """By its lasting id, tombstones included. NetworkError no_account when there never was one."""
        with self.reading() as db:
            return self._member(db, member_id)

    def named(self, name: str) -> Member:
        with self.reading() as db:
            row = db.execute("select id from account where name = ?", (name.strip().removeprefix("@"),)).fetchone()
            return self._member(db, row["id"] if row else "")

    def members(self, *, outsiders: bool) -> list[Member]:
        """Every account that can be visited, by name."""
        with self.reading() as db:
            rows = db.execute(
                "select id from account where outsider = ? and deactivated_at is null and deleted_at is null"
                " order by name",
                (outsiders,),
            ).fetchall()
            return [self._member(db, row["id"]) for row in rows]

    def sign_in(self, name: str, password: str) -> Member:
        """The account, deactivated ones too: their owner can bring them back."""
        with self.reading() as db:
            row = db.execute(
                "select id, password from account where (name = ?1 or (email = ?1 and email <> '')) and outsider = 0"
                " and deleted_at is null",
                (name.strip().removeprefix("@"),),
            ).fetchone()
            if row is None or not check_password_hash(row["password"], password):
                raise NetworkError("wrong_login", "Name or password are wrong.", 401)
            return self._member(db, row["id"])

    def make_token(self, member: Member) -> str:
        token = secrets.token_urlsafe(32)
        with self.writing() as db:
            db.execute("insert into token values (?,?,?)", (hash_of(token), member.id, self.now_text()))
        return token

    def token_member(self, token: str) -> Member | None:
        with self.reading() as db:
            row = db.execute("select account_id from token where hash = ?", (hash_of(token),)).fetchone()
            return self._member(db, row["account_id"]) if row else None

    def end_token(self, token: str) -> None:
        with self.writing() as db:
            db.execute("delete from token where hash = ?", (hash_of(token),))

    def end_all_sessions(self, member: Member) -> None:
        """Every token and every signed-in browser."""
        with self.writing() as db:
            end_sessions(db, member.id)

    def change_profile(
        self,
        member: Member,
        *,
        display_name: str | None = None,
        text: str | None = None,
        email: str | None = None,
        private: bool | None = None,
        picture: Shot | None = None,
    ) -> None:
        """Change what is given, leave the rest."""
        changes = {"display_name": display_name, "text": text, "email": email, "private": private}
        given: dict[str, str | bool | bytes] = {name: value for name, value in changes.items() if value is not None}
        if picture is not None:
            _check_picture(picture)
            given |= {"picture": picture.content, "picture_mime": picture.mime}
        with self.writing() as db:
            for name, value in given.items():  # the names are this function's own
                db.execute(f"update account set {name} = ? where id = ?", (value, member.id))  # noqa: S608

    def change_password(self, member: Member, old: str, new: str) -> None:
        self.sign_in(member.name, old)
        self.set_password(member, new)

    def set_password(self, member: Member, new: str) -> None:
        """A new password for somebody who has shown already that the account is theirs. Every session ends with it."""
        if len(new) < 8:
            raise NetworkError("weak_password", "A password has at least 8 characters.")
        with self.writing() as db:
            hashed = generate_password_hash(new, _HASHING)
            db.execute("update account set password = ? where id = ?", (hashed, member.id))
            end_sessions(db, member.id)

    def deactivate(self, member: Member) -> None:
        """Hidden at once, deleted after `reversible_days`. Doing it again does not start the days anew."""
        with self.writing() as db:
            db.execute(
                "update account set deactivated_at = coalesce(deactivated_at, ?) where id = ?",
                (self.now_text(), member.id),
            )

    def reactivate(self, member: Member) -> None:
        with self.writing() as db:
            db.execute("update account set deactivated_at = null where id = ? and deleted_at is null", (member.id,))

    def picture(self, member: Member) -> Shot | None:
        with self.reading() as db:
            row = db.execute("select picture, picture_mime from account where id = ?", (member.id,)).fetchone()
            return Shot(row["picture"], row["picture_mime"], "") if row and row["picture"] else None

    # ---- seeing

    def can_see(self, viewer: Member | None, owner: Member) -> bool:
        """May `viewer` see what `owner` posts, likes and follows?"""
        if viewer is not None and viewer.id == owner.id:
            return owner.deleted_at is None
        if not owner.active:
            return False
        return not owner.private or (viewer is not None and self.follow_state(viewer, owner) == "accepted")

    def check_can_see(self, viewer: Member | None, owner: Member) -> None:
        if owner.deleted_at is not None:
            raise NetworkError("gone", "This account was deleted.", 410)
        if not owner.active and (viewer is None or viewer.id != owner.id):
            raise NetworkError("deactivated", "This account is deactivated.", 403)
        if not self.can_see(viewer, owner):
            raise NetworkError("private", "Only approved followers see this account's posts.", 403)

    # ---- followers

    def follow(self, follower: Member, owner: Member) -> None:
        """Follow a public account, ask to follow a private one."""
        if follower.id == owner.id:
            raise NetworkError("own_account", "An account cannot follow itself.")
        if not owner.active:
            raise NetworkError("deactivated", "This account is deactivated.", 403)
        with self.writing() as db:
            row = (follower.id, owner.id, not owner.private, self.now_text())
            db.execute("insert or ignore into follow values (?,?,?,?)", row)

    def unfollow(self, follower: Member, owner: Member) -> None:
        """End a follow, or take a request back; the owner removes a follower the same way."""
        with self.writing() as db:
            db.execute("delete from follow where follower_id = ? and account_id = ?", (follower.id, owner.id))

    def accept(self, owner: Member, follower_id: str) -> None:
        with self.writing() as db:
            done = db.execute(
                "update follow set accepted = 1 where follower_id = ? and account_id = ?", (follower_id, owner.id)
            )
            if done.rowcount != 1:
                raise NetworkError("no_follower", "Nobody like that has asked to follow.", 404)

    def follow_state(self, follower: Member, owner: Member) -> str:
        """`accepted`, `waiting` or an empty string."""
        with self.reading() as db:
            row = db.execute(
                "select accepted from follow where follower_id = ? and account_id = ?", (follower.id, owner.id)
            ).fetchone()
        return "" if row is None else ("accepted" if row["accepted"] else "waiting")

    def followers(self, owner: Member) -> list[tuple[Member, bool]]:
        """(follower, accepted) in the order in which they came."""
        with self.reading() as db:
            rows = db.execute(
                "select follower_id, accepted from follow join account on account.id = follower_id"
                " where account_id = ? and deactivated_at is null order by at, follower_id",
                (owner.id,),
            ).fetchall()
            return [(self._member(db, row["follower_id"]), bool(row["accepted"])) for row in rows]

    def follows(self, member: Member) -> list[str]:
        with self.reading() as db:
            rows = db.execute("select account_id from follow where follower_id = ? order by at", (member.id,))
            return [row["account_id"] for row in rows]

    # ---- within

    def now_text(self) -> str:
        return _text(self.clock())

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        self._delete_what_is_due()
        with self._tables.read() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        self._delete_what_is_due()
        with self._tables.write() as db:
            yield db

    def _delete_what_is_due(self) -> None:
        """Whoever looks first after the days are over finds the account gone: no job is needed."""
        before = _text(self.clock() - timedelta(days=self.reversible_days))
        due = "select id from account where deactivated_at <= ? and deleted_at is null"
        with self._tables.read() as db:
            if db.execute(due, (before,)).fetchone() is None:
                return
        with self._tables.write() as db:
            for row in db.execute(due, (before,)).fetchall():
                _erase(db, row["id"], self.now_text())

    def _member(self, db: sqlite3.Connection, member_id: str) -> Member:
        row = db.execute(
            "select id, coalesce(name, '') as name, email, display_name, text, private, outsider, sessions,"
            " deactivated_at, deleted_at, picture is not null as has_picture from account where id = ?",
            (member_id,),
        ).fetchone()
        if row is None:
            raise NetworkError("no_account", "There is no such account.", 404)
        values = dict(row)
        for name in ("private", "outsider", "has_picture"):
            values[name] = bool(values[name])
        for name in ("deactivated_at", "deleted_at"):
            values[name] = datetime.fromisoformat(values[name]) if values[name] else None
        return Member(**values)

    def secret_key(self) -> str:
        """Made once for this file: signs the cookies of its pages."""
        with self._tables.write() as db:
            db.execute("insert or ignore into meta values ('secret_key', ?)", (secrets.token_hex(32),))
            return str(db.execute("select value from meta where key = 'secret_key'").fetchone()["value"])


def check_pictures(pictures: Iterable[Shot]) -> list[Shot]:
    """At most four, each of a type and size that is taken."""
    shots = list(pictures)
    if len(shots) > 4:
        raise NetworkError("too_many_pictures", "A post has at most four pictures.")
    for shot in shots:
        _check_picture(shot)
    return shots


def _check_picture(shot: Shot) -> None:
    if shot.mime not in PICTURE_TYPES or not shot.content or len(shot.content) > PICTURE_BYTES:
        raise NetworkError("bad_picture", "A picture is a JPEG or PNG of at most 5 MB.")


def end_sessions(db: sqlite3.Connection, member_id: str) -> None:
    """Every token and every signed-in browser, inside the caller's transaction."""
    db.execute("delete from token where account_id = ?", (member_id,))
    db.execute("update account set sessions = sessions + 1 where id = ?", (member_id,))


def _erase(db: sqlite3.Connection, member_id: str, now: str) -> None:
    """All of the account but the fact that it once was."""
    for statement in (
        "delete from token where account_id = ?",
        "delete from app_password where account_id = ?",
        "delete from follow where account_id = ?",
        "delete from follow where follower_id = ?",
        "delete from liked where account_id = ?",
        "delete from post where account_id = ?",
    ):
        db.execute(statement, (member_id,))
    db.execute(
        "update account set name = null, email = '', password = '', display_name = '', text = '', picture = null,"
        " picture_mime = null, deleted_at = ? where id = ?",
        (now, member_id),
    )


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _text(moment: datetime) -> str:
    """Fixed width, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
