"""The simulated network's own SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
create table if not exists account (
  id text primary key, name text unique collate nocase, email text not null, password text not null,
  display_name text not null, text text not null, picture blob, picture_mime text, private integer not null,
  outsider integer not null, sessions integer not null default 0, created_at text not null, deactivated_at text,
  deleted_at text) strict;
create table if not exists token (
  hash text primary key, account_id text not null references account, made_at text not null) strict;
create table if not exists app_password (
  account_id text not null references account, name text not null, hash text not null unique, made_at text not null,
  primary key (account_id, name)) strict;
create table if not exists app_session (
  token_hash text primary key references token on delete cascade, account_id text not null, name text not null,
  foreign key (account_id, name) references app_password on delete cascade) strict;
create table if not exists follow (
  follower_id text not null references account, account_id text not null references account,
  accepted integer not null, at text not null, primary key (follower_id, account_id)) strict;
create index if not exists follow_account on follow(account_id);
create table if not exists post (
  id integer primary key autoincrement, account_id text not null references account, key text not null,
  text text not null, posted_at text not null, reply_to integer, share_of integer,
  unique (account_id, key)) strict;
create table if not exists picture (
  post_id integer not null references post on delete cascade, position integer not null, content blob not null,
  mime text not null, alt text not null, primary key (post_id, position)) strict;
create table if not exists liked (
  account_id text not null references account, post_id integer not null references post on delete cascade,
  at text not null, primary key (account_id, post_id)) strict;
create table if not exists meta (key text primary key, value text not null) strict;
"""


class Tables:
    """Opens the file anew for each piece of work: simple, and quick enough for a simulated network."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.write() as db:
            for statement in SCHEMA.split(";"):
                db.execute(statement)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("pragma foreign_keys=on")
            db.execute("pragma journal_mode=wal")
            db.execute("pragma synchronous=off")  # nothing here is real: a power cut may cost it its last lines
            yield db
        finally:
            db.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        with self.read() as db:
            db.execute("begin immediate")
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.execute("commit")
