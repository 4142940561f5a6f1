"""App passwords of the simulated network: a key of its own for each program, which the account's holder can revoke.

Unlike Bluesky's, an app password may do here all that its holder may, even set a new password without the old one and
deactivate the account, but not make further ones. Platforms differ: what needs the main password is each adapter's to
say (Platform.needs_password).
"""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from socialgov.sandbox.network import Member, Network, NetworkError, end_sessions, hash_of

LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class AppPassword:
    name: str
    made_at: datetime


class Keys:
    def __init__(self, network: Network) -> None:
        self.network = network

    def make(self, member: Member, name: str) -> str:
        """A new app password, shown this once."""
        name = name.strip()
        if not 0 < len(name) <= LONGEST_NAME:
            raise NetworkError("bad_name", f"Name the program in 1 to {LONGEST_NAME} characters.")
        secret = "-".join(secrets.token_hex(4) for _ in range(4))
        with self.network.writing() as db:
            row = (member.id, name, hash_of(secret), self.network.now_text())
            try:
                db.execute("insert into app_password values (?,?,?,?)", row)
            except sqlite3.IntegrityError:
                raise NetworkError("name_taken", "There is an app password of that name.", 409) from None
        return secret

    def of(self, member: Member) -> list[AppPassword]:
        with self.network.reading() as db:
            rows = db.execute("select name, made_at from app_password where account_id = ? order by name", (member.id,))
            return [AppPassword(row["name"], datetime.fromisoformat(row["made_at"])) for row in rows]

    def revoke(self, member: Member, name: str) -> None:
        """It ends, and whoever is signed in with it; revoked already is success."""
        of_it = (member.id, name)
        with self.network.writing() as db:
            db.execute(
                "delete from token where hash in"
                " (select token_hash from app_session where account_id = ? and name = ?)",
                of_it,
            )
            db.execute("delete from app_password where account_id = ? and name = ?", of_it)

    def revoke_all(self, member: Member) -> None:
        """Every app password, every session and every signed-in browser at once."""
        with self.network.writing() as db:
            end_sessions(db, member.id)
            db.execute("delete from app_password where account_id = ?", (member.id,))

    def sign_in(self, name: str, secret: str) -> str:
        """A session's token for an app password. It outlives a changed password, as on Bluesky."""
        token = secrets.token_urlsafe(32)
        with self.network.writing() as db:
            row = db.execute(
                "select account_id, app_password.name from app_password join account on account.id = account_id"
                " where (account.name = ?1 or (email = ?1 and email <> '')) and hash = ?2",
                (name.strip().removeprefix("@"), hash_of(secret)),
            ).fetchone()
            if row is None:
                raise NetworkError("wrong_login", "Name or password are wrong.", 401)
            hashed = hash_of(token)
            db.execute("insert into token values (?,?,?)", (hashed, row["account_id"], self.network.now_text()))
            db.execute("insert into app_session values (?,?,?)", (hashed, row["account_id"], row["name"]))
        return token

    def is_app_session(self, token: str) -> bool:
        """Was this session opened with an app password?"""
        with self.network.reading() as db:
            found = db.execute("select 1 from app_session where token_hash = ?", (hash_of(token),)).fetchone()
            return found is not None
