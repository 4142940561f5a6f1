"""The log: hash-chained, append-only by trigger, written in the same transaction as what it tells (OVS802).

An event holds ids only: no secret, no child's name. A chain alone does not notice a tail that was cut off or written
anew; the signed checkpoints do (socialgov/actions/log.py), because they are mailed out of the house.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlite_utils import Database

from socialgov.store.rows import dicts, moment_text, scalar, to_column

GENESIS = "0" * 64


class EventTag(StrEnum):
    """source:subject:action. Every state change and every look at a secret has one."""

    SCHOOL_CREATED = "school:home:created"
    SCHOOL_CLOCK_MOVED = "school:clock:moved"
    SCHOOL_KEY_ROTATED = "school:key:rotated"
    VAULT_MADE = "vault:key:made"
    VAULT_ROTATED = "vault:key:rotated"
    VAULT_INVITED = "vault:manager:invited"
    VAULT_JOINED = "vault:manager:joined"
    VAULT_REMOVED = "vault:manager:removed"
    VAULT_PASSPHRASE_CHANGED = "vault:passphrase:changed"  # noqa: S105
    VAULT_OPENED = "vault:door:opened"
    VAULT_REFUSED = "vault:door:refused"
    VAULT_SHUT = "vault:door:shut"
    GLASS_ASKED = "vault:glass:asked"
    GLASS_APPROVED = "vault:glass:approved"
    GLASS_STOPPED = "vault:glass:stopped"
    GLASS_BROKEN = "vault:glass:broken"
    GLASS_ENDED = "vault:glass:ended"
    RECOVERY_MADE = "vault:recovery:made"
    RECOVERY_DRILLED = "vault:recovery:drilled"
    RECOVERY_USED = "vault:recovery:used"
    STAFF_ADDED = "staff:person:added"
    STAFF_ROLES_CHANGED = "staff:roles:changed"
    STAFF_LEFT = "staff:person:left"
    LEAVER_SECURED = "staff:leaver:secured"
    ACCESS_REFUSED = "staff:access:refused"
    LINK_MADE = "signin:link:made"
    LINK_USED = "signin:link:used"
    LINK_REFUSED = "signin:link:refused"
    SIGNIN_THROTTLED = "signin:door:throttled"
    SESSION_STARTED = "signin:session:started"
    SESSION_ENDED = "signin:session:ended"
    STEP_UP_DONE = "signin:person:confirmed"
    STEP_UP_REFUSED = "signin:person:not_confirmed"
    IDENTITY_LINKED = "signin:identity:linked"
    IDENTITY_REFUSED = "signin:identity:refused"
    IDENTITY_ENDED = "signin:identity:ended"
    PASSKEY_ADDED = "signin:passkey:added"
    PASSKEY_REFUSED = "signin:passkey:refused"
    PASSKEY_REMOVED = "signin:passkey:removed"
    AUTHENTICATOR_ADDED = "signin:authenticator:added"
    AUTHENTICATOR_REFUSED = "signin:authenticator:refused"
    AUTHENTICATOR_REMOVED = "signin:authenticator:removed"
    ACCOUNT_REQUESTED = "account:request:made"
    ACCOUNT_AMENDED = "account:request:amended"
    ACCOUNT_RETURNED = "account:request:returned"
    ACCOUNT_APPROVED = "account:state:approved"
    ACCOUNT_DECLINED = "account:state:declined"
    ACCOUNT_WITHDRAWN = "account:state:withdrawn"
    ACCOUNT_FOUND = "account:unregistered:found"
    ACCOUNT_SET_UP = "account:setup:recorded"
    ACCOUNT_LIVE = "account:state:live"
    ACCOUNT_GATE_REFUSED = "account:gate:refused"
    ACCOUNT_SUSPENDED = "account:state:suspended"
    ACCOUNT_RESUMED = "account:state:resumed"
    ACCOUNT_HANDED_OVER = "account:keepers:changed"
    ACCOUNT_CONFIRMED = "account:need:confirmed"
    ACCOUNT_REVIEWED = "account:need:reviewed"
    ACCOUNT_CHECKED = "account:check:done"
    ACCOUNT_CHECK_FAILED = "account:check:failed"
    ACCOUNT_CLOSING = "account:state:closing"
    ACCOUNT_CLOSED = "account:state:closed"
    FINDING_CHANGED = "account:finding:changed"
    WAIVER_GRANTED = "account:exception:granted"
    WAIVER_ENDED = "account:exception:ended"
    EXTENSION_ASKED = "account:extension:asked"
    EXTENSION_DECIDED = "account:extension:decided"
    FACT_ATTESTED = "account:fact:attested"
    FACT_OBSERVED = "account:fact:observed"
    EVIDENCE_SEEN = "account:evidence:seen"
    CREDENTIAL_DEPOSITED = "credential:secret:deposited"
    CREDENTIAL_REFUSED = "credential:secret:refused"
    CREDENTIAL_REVEALED = "credential:secret:revealed"
    CREDENTIAL_MACHINE_USE = "credential:secret:used_by_machine"
    CREDENTIAL_TESTED = "credential:login:tested"
    TOKEN_FAILED = "credential:token:failed"  # noqa: S105
    TOKEN_ENDED = "credential:token:ended"  # noqa: S105
    CREDENTIAL_DESTROYED = "credential:secret:destroyed"
    CREDENTIAL_COPIED = "credential:secret:copied"
    CREDENTIAL_RECHECKED = "credential:policy:rechecked"
    CREDENTIAL_COMPROMISED = "credential:secret:compromised"
    CREDENTIAL_AUDITED = "credential:audit:exported"
    CREDENTIAL_AUDIT_SEEN = "credential:audit:seen"
    CREDENTIAL_ENDED = "credential:secret:ended"
    RECOVERY_CODE_STRUCK = "credential:code:struck"
    RECOVERY_CONTACTS = "credential:recovery:recorded"
    DELEGATES_RECORDED = "credential:delegates:recorded"
    ROTATION_STARTED = "credential:rotation:started"
    ROTATION_FINISHED = "credential:rotation:finished"
    CONNECTION_BEGUN = "connection:account:begun"
    CONNECTION_MADE = "connection:account:made"
    CONNECTION_REFUSED = "connection:account:refused"
    CONNECTION_LOST = "connection:account:lost"
    CONNECTION_ENDED = "connection:account:ended"
    CAPABILITY_FOUND = "connection:capability:found"
    CAPABILITY_LOST = "connection:capability:lost"
    SERVER_REGISTERED = "connection:server:registered"
    PLATFORM_PAUSED = "connection:platform:paused"
    PLATFORM_RESUMED = "connection:platform:resumed"
    BUDGET_USED_UP = "connection:budget:used_up"
    READS_PLANNED = "connection:reads:planned"
    ACCOUNT_SIGNED_IN = "account:login:kept"
    PUBLIC_ALLOWED = "account:public:allowed"
    PUBLIC_USED = "account:public:used"
    PUBLIC_ENDED = "account:public:ended"
    EXPORT_READ = "account:export:read"
    INTERACTION_UNDONE = "account:interaction:undone"
    PICTURE_SET = "account:picture:set"
    PRIVATE_SET = "account:private:set"
    IMPORT_APPLIED = "people:import:applied"
    GRANT_RECORDED = "people:permission:recorded"
    PERSON_SEEN = "people:person:seen"
    AUDIENCE_CHANGED = "audience:members:changed"
    FOLLOWER_SEEN = "follower:list:read"
    FOLLOWER_ACCEPTED = "follower:check:accepted"
    FOLLOWER_REFUSED = "follower:check:refused"
    FOLLOWER_REMOVED = "follower:list:removed"
    POST_DRAFTED = "post:draft:made"
    POST_CHANGED = "post:draft:changed"
    POST_REFUSED = "post:gate:refused"
    POST_SUBMITTED = "post:check:asked"
    POST_CHECKED = "post:check:decided"
    POST_PUBLISHING = "post:publish:started"
    POST_PUBLISHED = "post:publish:done"
    POST_FAILED = "post:publish:failed"
    POST_REMOVED = "post:publish:removed"
    POST_DISCARDED = "post:draft:discarded"
    POST_TAKE_DOWN = "post:takedown:due"
    MEDIA_SEEN = "post:media:seen"
    CLOSING_STEP_DONE = "closing:step:done"
    CLOSING_STEP_WAITS = "closing:step:waits"
    CLOSING_STEP_FAILED = "closing:step:failed"
    PEOPLE_ERASED = "closing:people:erased"
    CERTIFICATE_ISSUED = "closing:certificate:issued"
    MAIL_QUEUED = "mail:message:queued"
    MAIL_SENT = "mail:message:sent"
    MAIL_FAILED = "mail:message:failed"
    CHECKPOINT_SIGNED = "log:checkpoint:signed"
    LOG_VERIFIED = "log:chain:verified"
    LOG_EXPORTED = "log:chain:exported"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log. `actor` is `staff:ID`, `job:NAME` or `cli`; `subject` is `account`, `post`, …"""

    seq: int
    at: str
    actor: str
    tag: str
    subject: str
    subject_id: int | None
    account_id: int | None
    data: Mapping[str, Any]
    prev_hash: str
    hash: str


def event_hash(
    prev_hash: str,
    seq: int,
    at: str,
    actor: str,
    tag: str,
    subject: str,
    subject_id: int | None,
    account_id: int | None,
    data_text: str,
) -> str:
    """SHA-256 over the previous hash and every column, as canonical JSON so that no two lines read the same."""
    body = json.dumps([prev_hash, seq, at, actor, tag, subject, subject_id, account_id, data_text], ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


def record_event(
    db: Database,
    tag: EventTag,
    *,
    actor: str,
    now: datetime,
    subject: str,
    subject_id: int | None = None,
    account_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> int:
    """Append one event and return its number. Must be called inside `write()`: the event and what it tells are one."""
    if not db.conn.in_transaction:
        raise RuntimeError("an event outside a transaction")
    last = db.execute("select seq, hash from event order by seq desc limit 1").fetchone()
    seq, prev_hash = (last[0] + 1, last[1]) if last else (1, GENESIS)
    at, text = moment_text(now), json.dumps(dict(data or {}), sort_keys=True, ensure_ascii=False)
    digest = event_hash(prev_hash, seq, at, actor, tag.value, subject, subject_id, account_id, text)
    db.execute(
        "insert into event (seq, at, actor, tag, subject, subject_id, account_id, data, prev_hash, hash)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (seq, at, actor, tag.value, subject, subject_id, account_id, text, prev_hash, digest),
    )
    return seq


def actor_of(staff_id: int) -> str:
    return f"staff:{staff_id}"


def events_of_account(
    db: Database, account_id: int, limit: int = 200, *, without: Collection[EventTag] = ()
) -> list[Event]:
    """The newest events about one account, newest first, `without` those of some tags."""
    tail = "where account_id = ? and tag not in (select value from json_each(?)) order by seq desc limit ?"
    return _events(db, tail, (account_id, to_column(sorted(without)), limit))


def staff_who(db: Database, account_id: int, *tags: EventTag, subject_id: int | None = None) -> frozenset[int]:
    """Ids of the staff who did one of these things to the account, or only to its part `subject_id`."""
    marks = ", ".join("?" for _ in tags)
    rows = db.execute(
        f"select distinct substr(actor, 7) from event where account_id = ? and tag in ({marks})"  # noqa: S608
        " and actor like 'staff:%' and (? is null or subject_id = ?)",
        (account_id, *(tag.value for tag in tags), subject_id, subject_id),
    )
    return frozenset(int(row[0]) for row in rows)


def lately(db: Database, tag: EventTag, actor: str, subject_id: int | None, since: datetime) -> bool:
    """Did `actor` do this after `since`? Only the newest 200 events of the tag are asked, however long the log is."""
    found = db.execute(
        "select 1 from (select at, actor, subject_id from event where tag = ? order by seq desc limit 200)"
        " where actor = ? and subject_id is ? and at > ?",
        (tag.value, actor, subject_id, moment_text(since)),
    )
    return found.fetchone() is not None


def keepers_who_handed_over(db: Database, account_id: int) -> frozenset[int]:
    """Ids of the staff who kept the account and handed it over themselves."""
    rows = db.execute(
        "select distinct kept.value from event join json_each(event.data, '$.before') as kept"
        " where account_id = ? and tag = ? and actor = 'staff:' || kept.value",
        (account_id, EventTag.ACCOUNT_HANDED_OVER.value),
    )
    return frozenset(int(row[0]) for row in rows)


def events_page(db: Database, *, before: int | None, tag: str | None, actor: str | None, limit: int) -> list[Event]:
    """A page of the log, newest first, older than event `before`, of one tag prefix or one actor."""
    tests, params = ["1"], []
    if before is not None:
        tests.append("seq < ?")
        params.append(before)
    if tag:
        tests.append("substr(tag, 1, ?) = ?")
        params += [len(tag), tag]
    if actor:
        tests.append("actor = ?")
        params.append(actor)
    return _events(db, f"where {' and '.join(tests)} order by seq desc limit ?", (*params, limit))


def _events(db: Database, tail: str, params: tuple[Any, ...]) -> list[Event]:
    rows = dicts(db, f"select * from event {tail}", params)  # noqa: S608
    return [Event(**{**row, "data": json.loads(row["data"])}) for row in rows]


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What `verify_chain` saw: how many events, the last hash, and the first fault in words (None: whole)."""

    count: int
    head: str
    fault: str | None

    @property
    def whole(self) -> bool:
        return self.fault is None


def verify_chain(db: Database) -> ChainReport:
    """Recompute every hash from the first event on. Reads in one snapshot; 2,000 events take a few milliseconds."""
    prev_hash, count = GENESIS, 0
    for row in _chain(db):
        seq, at, actor, tag, subject, subject_id, account_id, text, stored_prev, stored = row
        count += 1
        if seq != count:
            return ChainReport(count, prev_hash, f"event {count} is missing")
        if stored_prev != prev_hash:
            return ChainReport(count, prev_hash, f"event {seq} does not follow the one before it")
        if stored != event_hash(prev_hash, seq, at, actor, tag, subject, subject_id, account_id, text):
            return ChainReport(count, prev_hash, f"event {seq} was changed")
        prev_hash = stored
    return ChainReport(count, prev_hash, None)


def _chain(db: Database) -> Iterator[tuple[Any, ...]]:
    yield from db.execute(
        "select seq, at, actor, tag, subject, subject_id, account_id, data, prev_hash, hash from event order by seq"
    )


def hash_at(db: Database, seq: int) -> str | None:
    """The hash of event `seq`, for comparing with a checkpoint."""
    return scalar(db, "select hash from event where seq = ?", (seq,))
