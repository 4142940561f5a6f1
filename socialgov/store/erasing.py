"""What is held about people for one account's sake, and how it goes (LIF606)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.store.rows import scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlite_utils import Database

# What is held about people, as the statement that forgets it. Order matters:
# rows that point at others go first. The log and the observations of the closing stay: they hold ids only.
_FORGET: Mapping[str, str] = {
    "depictions": "delete from depiction where post_id in (select id from post where account_id = :account)",
    "photos": "delete from media where post_id in (select id from post where account_id = :account)",
    "seen posts": "delete from seen_post where account_id = :account",
    "followers": "delete from follower where account_id = :account",
    "audience": "delete from audience_member where account_id = :account",
    "permissions for this account alone": "delete from grant_of where account_id = :account",
    "texts of posts": "update post set text = '', credit = null, check_reason = null where account_id = :account"
    " and (text != '' or credit is not null or check_reason is not null)",
    "recovery contacts": "delete from recovery_contact where account_id = :account",
    "delegates": "delete from delegate where account_id = :account",
    "findings about people": "delete from finding where account_id = :account"
    " and (substr(rule_id, 1, 3) in ('AUD', 'INT', 'MED') or rule_id = 'SEC206')",
    "notes on observations": "update observation set note = null where account_id = :account and note is not null"
    " and id not in (select observation_id from closing_step where observation_id is not null)",
    "profile texts": "update observation set value = '\"erased\"' where account_id = :account"
    " and fact = 'profile_text' and value != '\"erased\"'",
}


def forget_people(db: Database, account_id: int) -> dict[str, int]:
    """Erase what was held about people for this account; how many rows of each kind. Twice is harmless."""
    return {what: int(db.execute(sql, {"account": account_id}).rowcount) for what, sql in _FORGET.items()}


def people_still_held(db: Database, account_id: int) -> int:
    """A fresh look: how many rows about people are left for this account."""
    return int(
        scalar(
            db,
            "select (select count(*) from follower where account_id = ?)"
            " + (select count(*) from audience_member where account_id = ?)"
            " + (select count(*) from grant_of where account_id = ?)"
            " + (select count(*) from depiction join post on post.id = post_id where account_id = ?)"
            " + (select count(*) from media join post on post.id = post_id where account_id = ?)"
            " + (select count(*) from recovery_contact where account_id = ?)"
            " + (select count(*) from delegate where account_id = ?)"
            " + (select count(*) from credential where account_id = ? and sealed is not null)",
            (account_id,) * 8,
        )
    )


def blobs_to_erase(db: Database, account_id: int) -> list[int]:
    """Every sealed file of the account but the evidence that it is gone, which the certificate names.

    Those erased before are among them: a crash may have left a file behind its row.
    """
    rows = db.execute(
        "select id from blob where account_id = ? and id not in ("
        " select evidence_id from observation join closing_step on closing_step.observation_id = observation.id"
        " join closing on closing.id = closing_step.closing_id"
        " where closing.account_id = ? and evidence_id is not null) order by id",
        (account_id, account_id),
    )
    return [row[0] for row in rows]


def truncate_wal(db: Database) -> None:
    """Overwrite what was erased in the journal too (secure_delete alone leaves it there). A busy database: later."""
    db.execute("pragma wal_checkpoint(truncate)").fetchone()
