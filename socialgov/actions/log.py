"""Is the log whole? The chain is recomputed, and compared with signed checkpoints that left the house (OVS802, OVS803).

The chain alone notices a changed or missing line, not a tail that was cut off or written anew: whoever can write to
the database can do that. A checkpoint is signed with the school's key, which is not in the database, and mailed to
somebody who does not run this machine. Their copy decides.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from socialgov.actions.mail import queue_mail
from socialgov.errors import InvalidInput
from socialgov.escrow import verify_signature
from socialgov.models import Role, Staff
from socialgov.permissions import check_can_view_log
from socialgov.store import record_event, write
from socialgov.store.checkpoints import (
    Checkpoint,
    add_checkpoint,
    checkpoints,
    newest_checkpoint,
    newest_event,
    news_since,
)
from socialgov.store.events import EventTag, actor_of, hash_at, verify_chain
from socialgov.store.rows import moment_text
from socialgov.store.staff import staff_with_role

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.home import Home

MARK = "socialgov-checkpoint"


@dataclass(frozen=True, slots=True)
class LogReport:
    """`count` events were read, `checkpoints` compared; `fault` is the first thing wrong in words, None: whole."""

    count: int
    head: str
    checkpoints: int
    newest_at: str | None
    fault: str | None

    @property
    def whole(self) -> bool:
        return self.fault is None


def verify_log(home: Home, mailed: str | None = None) -> LogReport:
    """Recompute the chain and compare it with every checkpoint; with `mailed`, the text of a mailed one, too.

    Raises InvalidInput when `mailed` holds no checkpoint.
    """
    db = home.db
    outside = None if mailed is None else read_checkpoint(mailed)
    chain, known = verify_chain(db), checkpoints(db)
    compared = [*known, *([outside] if outside else [])]
    fault = chain.fault
    for checkpoint in compared:
        fault = fault or _fault(home, db, checkpoint)
    return LogReport(chain.count, chain.head, len(compared), known[-1].at if known else None, fault)


def audit_log(
    home: Home, actor: Staff | None, *, now: datetime, mailed: str | None = None, by: str = "cli"
) -> LogReport:
    """`verify_log`, and an event that somebody looked and what came out (OVS802, OVS806).

    `actor` None is the command line, or the job named by `by`.
    """
    if actor is not None:
        check_can_view_log(actor)
    report = verify_log(home, mailed)
    with write(home.db) as db:
        record_event(
            db,
            EventTag.LOG_VERIFIED,
            actor=by if actor is None else actor_of(actor.id),
            now=now,
            subject="log",
            data={"count": report.count, "whole": report.whole},
        )
    return report


def sign_checkpoint(home: Home, *, now: datetime) -> Checkpoint | None:
    """Sign where the log stands and queue the mail that carries it out; None when nothing happened since the last."""
    with write(home.db) as db:
        last, newest = newest_checkpoint(db), newest_event(db)
        if newest is None or (last is not None and not news_since(db, last.seq)):
            return None
        seq, head = newest
        at, key_id = moment_text(now), home.escrow.identity
        message = _message(home.settings.school_id, seq, head, at, key_id)
        checkpoint = Checkpoint(seq, head, at, key_id, home.escrow.sign(message))
        checkpoint_id = add_checkpoint(db, checkpoint)
        record_event(
            db,
            EventTag.CHECKPOINT_SIGNED,
            actor="job:checkpoint",
            now=now,
            subject="checkpoint",
            subject_id=checkpoint_id,
            data={"seq": seq, "head": head},
        )
        for address in _recipients(home, db):
            queue_mail(
                db,
                to=address,
                subject=f"The log of {home.settings.school_name} on {home.today(now).isoformat()}",
                body=checkpoint_text(home, checkpoint),
                dedupe_key=f"checkpoint:{checkpoint_id}:{address}",
                now=now,
            )
        return checkpoint


def checkpoint_text(home: Home, checkpoint: Checkpoint) -> str:
    """A checkpoint as mailed: what it is for, and the lines for `socialgov audit verify --checkpoint FILE`."""
    return (
        f"On {checkpoint.at} the log had {checkpoint.seq} events.\n"
        "Please keep this message. If the log is ever in doubt, it proves whether the events up to then are the same.\n"
        "To compare, save it as a file and run: socialgov audit verify --checkpoint FILE\n\n"
        f"{MARK} {json.dumps(asdict(checkpoint), sort_keys=True, indent=0)}\n"
        f"public key {home.escrow.public_key()}\n"
    )


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a mailed message, saved as text or as a whole mail, quoted or wrapped. Raises InvalidInput."""
    plain = re.sub(r"(?m)^[> ]+", "", _mail_body(text))
    found = re.search(rf"{MARK}\s*(\{{.*?\}})", plain, re.DOTALL)
    try:
        checkpoint = Checkpoint(**json.loads(found[1].replace("\n", ""))) if found else None
    except (ValueError, TypeError, RecursionError):
        checkpoint = None
    if checkpoint is None or not _is_checkpoint(checkpoint):
        raise InvalidInput(
            "This file holds no checkpoint.", mend=f"Save the whole message: it has a line that begins with {MARK}."
        )
    return checkpoint


def _mail_body(text: str) -> str:
    """The text of a saved mail with its transport encoding undone; any other text as it is."""
    from email import message_from_string, policy

    message = message_from_string(text, policy=policy.default)
    body = message.get_body(("plain",)) if message.keys() else None
    return text if body is None else body.get_content()


def _is_checkpoint(checkpoint: Checkpoint) -> bool:
    words = (checkpoint.head, checkpoint.at, checkpoint.key_id, checkpoint.signature)
    return type(checkpoint.seq) is int and checkpoint.seq < 2**63 and all(isinstance(word, str) for word in words)


def _fault(home: Home, db: Database, checkpoint: Checkpoint) -> str | None:
    """What is wrong between the log and one checkpoint, in words.

    The signature decides. The key's id only tells which fault it is: signatures come from the root and outlive every
    rotation of the school's key, whose id earlier versions wrote down.
    """
    message = _message(home.settings.school_id, checkpoint.seq, checkpoint.head, checkpoint.at, checkpoint.key_id)
    if not verify_signature(message, checkpoint.signature, home.escrow.public_key()):
        if checkpoint.key_id not in (home.escrow.identity, home.escrow.key_id):
            return f"the checkpoint of {checkpoint.at} was signed with another key"
        return f"the checkpoint of {checkpoint.at} was not signed by this school"
    stands = hash_at(db, checkpoint.seq)
    if stands is None:
        return f"the log was cut off: on {checkpoint.at} it had {checkpoint.seq} events"
    if stands != checkpoint.head:
        return f"events up to {checkpoint.seq} were written anew after {checkpoint.at}"
    return None


def _message(school_id: str, seq: int, head: str, at: str, key_id: str) -> bytes:
    return json.dumps(["socialgov checkpoint", school_id, seq, head, at, key_id]).encode()


def _recipients(home: Home, db: Database) -> list[str]:
    """The address the school configured, else its heads, else its contact."""
    if home.settings.checkpoint_to:
        return [home.settings.checkpoint_to]
    return [head.email for head in staff_with_role(db, Role.HEAD)] or [home.settings.contact]


def record_refusal(home: Home, staff: Staff, page: str, account_id: int | None, *, now: datetime) -> None:
    """Somebody who is signed in asked for what is not theirs (ASVS 16.3.2). `page` is the route's name, no input.

    The account stands in the event's data and not beside it, so that nobody can push its own history out of sight.
    """
    with write(home.db) as db:
        record_event(
            db, EventTag.ACCESS_REFUSED, actor=actor_of(staff.id), now=now, subject="staff", subject_id=staff.id,
            data={"page": page, "account": account_id},
        )  # fmt: skip
