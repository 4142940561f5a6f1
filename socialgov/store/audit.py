"""The audit of the logins: one query a page over all accounts that are there, and no sealed column in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from socialgov.models import AccountState, CredentialKind, RotationReason, Source
from socialgov.store.credentials import LOOK_THAT_TELLS
from socialgov.store.paging import Page, read_page
from socialgov.store.rows import moment, moment_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlite_utils import Database

# the inventory of what has, or should have, a login: a request has none unless the account was found on a platform
_THERE = "(a.state in ('approved', 'live', 'suspended', 'closing') or a.state = 'requested' and a.found_unregistered)"

# what stands in the way of each account, by rules that were asked when it was last checked, and by what is open now;
# `finding_trouble` holds only those few of all findings
_STANDING = """
    with trouble as (
      select account_id, sum(answer is not null) as broken, sum(answer is null) as unknown
      from finding indexed by finding_trouble
      where enforcement = 'enforced' and waived_by is null and answer is not 1
        and rule_id in (select value from json_each(:rules)) group by account_id),
    due as (select account_id, reason, due_at from rotation where finished_at is null),
    stranger as (
      select d.account_id, count(*) as number from delegate d left join staff s on s.id = d.staff_id
      where d.ended_at is null and (s.id is null or s.left_at is not null) group by d.account_id),
    standing as (
      select a.id, count(*) over () as total, due.reason, due.due_at, coalesce(stranger.number, 0) as strangers,
        coalesce(trouble.broken, 0) as broken, coalesce(trouble.unknown, 0) as unknown,
        case when due.due_at <= :now or due.reason = 'compromised' then 0 when trouble.broken > 0 then 1
          when due.due_at is not null then 2 when trouble.unknown > 0 or stranger.number > 0 then 3 else 4
        end as urgency
      from account a left join trouble on trouble.account_id = a.id left join due on due.account_id = a.id
        left join stranger on stranger.account_id = a.id
      where {tests}
      order by urgency, due.due_at is null, due.due_at, broken desc, unknown desc, a.id limit :size offset :skip)"""

_PAGE = """
    select a.id, a.platform, a.state, coalesce(a.handle, a.handle_wished) as handle, owner.name as owner,
      deputy.name as deputy, a.checked_at, standing.*, c.secret_at, c.deposited_at, c.deposited_by,
      exists (select 1 from credential_fingerprint mine
        join credential_fingerprint theirs on theirs.fingerprint = mine.fingerprint
        join credential other on other.id = theirs.credential_id
        where mine.credential_id = c.id and other.account_id <> a.id and other.superseded_at is null) as reused,
      (select json_group_array(kind) from (select kind from credential k where k.account_id = a.id
        and k.superseded_at is null and k.destroyed_at is null order by k.id)) as kinds,
      (select json_array(value = 'true', observed_at, source) from observation where account_id = a.id
        and fact = 'login_works' order by observed_at desc, id desc limit 1) as tried,
      (select json_group_array(distinct reveal.staff_id) from credential held
        join credential same on same.account_id = a.id and same.kind = held.kind and same.secret_at = held.secret_at
        join reveal on reveal.credential_id = same.id and {tells}
        where held.account_id = a.id and held.superseded_at is null and held.destroyed_at is null) as seen_by,
      (select json_group_array(json_array(rule_id, answer, because, waived_by is not null or enforcement <> 'enforced'))
        from finding where account_id = a.id and rule_id in (select value from json_each(:rules))) as findings,
      (select count(*) from delegate where account_id = a.id and ended_at is null) as delegates,
      (select deposited_at from credential where account_id = a.id and kind = 'api_token'
        and superseded_at is null and destroyed_at is null) as key_since,
      (select json_array(value = 'true', observed_at) from observation where account_id = a.id
        and fact = 'our_access' order by observed_at desc, id desc limit 1) as access
    from standing join account a on a.id = standing.id join staff owner on owner.id = a.owner_id
      join staff deputy on deputy.id = a.deputy_id
      left join credential c on c.account_id = a.id and c.kind = 'password' and c.superseded_at is null
        and c.destroyed_at is null
    order by standing.urgency, standing.due_at is null, standing.due_at, standing.broken desc, standing.unknown desc,
      a.id"""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the audit shows. None: every platform."""

    needing_only: bool = False
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule said when the account was last checked. `passes`: it holds, or the school lets it pass."""

    rule_id: str
    answer: bool | None
    because: str
    passes: bool


@dataclass(frozen=True, slots=True)
class AuditRow:
    """How one account's login stands. Names and moments only: nothing sealed is read for it."""

    id: int
    platform: str
    state: AccountState
    handle: str
    owner: str
    deputy: str
    checked_at: datetime | None
    kinds: tuple[CredentialKind, ...]
    secret_at: datetime | None
    deposited_at: datetime | None
    deposited_by: int | None
    reused: bool
    tried_at: datetime | None
    worked: bool | None
    tried_by: Source | None
    seen_by: tuple[int, ...]
    answers: Mapping[str, Answer]
    delegates: int
    strangers: int
    key_since: datetime | None
    key_refused: bool
    rotation: RotationReason | None
    due_at: datetime | None
    urgency: int


def audit_page(
    db: Database, wanted: AuditFilter, rules: Collection[str], *, now: datetime, page: int = 1, size: int = 50
) -> Page[AuditRow]:
    """A page of the audit by the answers of these `rules`, the most urgent account first.

    The inner select finds the page's ids alone.
    """
    tests, params = [_THERE], dict[str, Any]()
    if wanted.platform:
        tests.append("a.platform = :platform")
        params["platform"] = wanted.platform
    if wanted.needing_only:
        tests.append(
            "(trouble.account_id is not null or due.account_id is not null or stranger.account_id is not null)"
        )
    sql = _STANDING.replace("{tests}", " and ".join(tests)) + _PAGE.replace("{tells}", LOOK_THAT_TELLS)
    params |= {"rules": json.dumps(sorted(rules)), "now": moment_text(now)}
    return read_page(db, sql, params, _row, page=page, size=size)


def _row(row: Mapping[str, Any]) -> AuditRow:
    worked, tried_at, source = json.loads(row["tried"]) if row["tried"] else (None, None, None)
    access, seen_at = json.loads(row["access"]) if row["access"] else (1, "")
    answers = {
        rule_id: Answer(rule_id, None if answer is None else bool(answer), because, answer == 1 or bool(let_pass))
        for rule_id, answer, because, let_pass in json.loads(row["findings"])
    }
    return AuditRow(
        **{name: row[name] for name in ("id", "platform", "handle", "owner", "deputy", "deposited_by")},
        **{name: row[name] for name in ("delegates", "strangers", "urgency")},
        **{name: _at(row[name]) for name in ("checked_at", "secret_at", "deposited_at", "key_since", "due_at")},
        state=AccountState(row["state"]),
        kinds=tuple(CredentialKind(kind) for kind in json.loads(row["kinds"])),
        reused=bool(row["reused"]),
        tried_at=_at(tried_at),
        worked=None if worked is None else bool(worked),
        tried_by=Source(source) if source else None,
        seen_by=tuple(json.loads(row["seen_by"])),
        answers=answers,
        key_refused=bool(row["key_since"]) and not access and seen_at >= row["key_since"],
        rotation=RotationReason(row["reason"]) if row["reason"] else None,
    )


def _at(text: str | None) -> datetime | None:
    return moment(text) if text else None
