"""Answers are kept where they change, told where something newly breaks, and gathered in few statements."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import walk
from factories import NOW, staff, vault_of

from socialgov.actions import accounts, waivers
from socialgov.actions.findings import current_findings, evaluate_account, facts_of, gate
from socialgov.actions.log import audit_log
from socialgov.actions.notices import open_notices
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import Account, AccountKind, Enforcement, Fact, Finding, Role, RuleChoice
from socialgov.rules import ACCOUNT_RULES, blocking
from socialgov.rules.base import LaterRule
from socialgov.store.accounts import account_by_id
from socialgov.store.checkpoints import checkpoints
from socialgov.store.connect import insert, write
from socialgov.store.events import EventTag, events_page
from socialgov.store.findings import findings_of
from socialgov.store.rows import moment

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def account(home: Home, cast: walk.Cast) -> Account:
    """A live account about which everything is in order, asked once."""
    live = walk.live(home, cast)
    evaluate_account(home, live.id, now=NOW)
    return account_by_id(home.db, live.id)


def answers(findings: list[Finding]) -> dict[str, bool | None]:
    return {one.rule_id: one.answer for one in findings}


def changes(home: Home) -> list[Any]:
    return [
        event.data for event in events_page(home.db, before=None, tag=EventTag.FINDING_CHANGED, actor=None, limit=500)
    ]


def told(home: Home, staff_id: int, kind: str) -> list[str]:
    return [one.text for one in open_notices(home.db, staff_id) if one.kind == kind]


def look(home: Home, account: Account, fact: Fact, value: Any, hours: int = 0) -> list[Finding]:
    """The platform shows something else, and the rules are asked."""
    now = LATER + timedelta(hours=hours)
    walk.put_on_record(home, account, fact, value, now=now)
    return evaluate_account(home, account.id, now=now)


# ---------------------------------------------------------------------------------------------------- keeping


def test_every_rule_that_this_version_answers_is_kept(home: Home, account: Account) -> None:
    kept = {one.rule_id for one in findings_of(home.db, account.id)}
    assert kept == {rule.id for rule in ACCOUNT_RULES if not isinstance(rule, LaterRule)}
    shown = [one.rule_id for one in current_findings(home, account, NOW)]
    assert shown == [rule.id for rule in ACCOUNT_RULES]


def test_a_kept_finding_is_the_one_that_was_given(home: Home, account: Account) -> None:
    given = {one.rule_id: one for one in evaluate_account(home, account.id, now=LATER)}
    for kept in findings_of(home.db, account.id):
        assert kept == given[kept.rule_id]


def test_an_event_is_written_only_when_an_answer_changes(home: Home, account: Account) -> None:
    before = len(changes(home))
    evaluate_account(home, account.id, now=LATER)
    assert len(changes(home)) == before
    look(home, account, Fact.LIKES, 2)
    look(home, account, Fact.LIKES, 3, hours=1)
    assert changes(home)[0] == {"INT402": [True, False]}
    assert len(changes(home)) == before + 1
    [kept] = [one for one in findings_of(home.db, account.id) if one.rule_id == "INT402"]
    assert kept.because == "3 likes seen."


def test_since_when_moves_only_with_the_answer(home: Home, account: Account) -> None:
    look(home, account, Fact.LIKES, 2)
    look(home, account, Fact.LIKES, 3, hours=5)
    rows = home.db.execute("select rule_id, since_at from finding where account_id = ?", (account.id,))
    since = {rule_id: moment(at) for rule_id, at in rows}
    assert since["INT402"] == LATER
    assert since["INT401"] <= NOW


def test_a_rule_that_is_not_asked_any_more_is_forgotten(home: Home, account: Account) -> None:
    home.db.execute("update account set state = 'closed' where id = ?", [account.id])
    evaluate_account(home, account.id, now=LATER)
    assert "ACC103" not in {one.rule_id for one in findings_of(home.db, account.id)}


def test_nothing_is_kept_when_the_transaction_around_it_fails(home: Home, account: Account) -> None:
    before = findings_of(home.db, account.id)
    walk.put_on_record(home, account, Fact.LIKES, 9, now=LATER)
    with pytest.raises(ZeroDivisionError), write(home.db):
        evaluate_account(home, account.id, now=LATER)
        _ = 1 / 0
    assert findings_of(home.db, account.id) == before


def test_observations_from_before_the_account_was_set_up_do_not_count(home: Home, account: Account) -> None:
    home.db.execute(
        "update account set set_up_at = ? where id = ?", [LATER.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), account.id]
    )
    facts = facts_of(home, account_by_id(home.db, account.id), LATER)
    assert facts.observations == {}


# ---------------------------------------------------------------------------------------------------- telling


def test_owner_and_network_manager_hear_when_a_watched_rule_newly_breaks(
    home: Home, cast: walk.Cast, account: Account
) -> None:
    look(home, account, Fact.PRIVATE, False)
    for person in (cast.owner.id, cast.manager.id):
        [text] = told(home, person, "rule_broken")
        assert "ACC103" in text and "It is public" in text
    assert told(home, cast.deputy.id, "rule_broken") == []
    look(home, account, Fact.PRIVATE, False, hours=3)
    assert len(told(home, cast.owner.id, "rule_broken")) == 1


def test_a_rule_that_breaks_again_is_told_again(home: Home, cast: walk.Cast, account: Account) -> None:
    for hour, private in enumerate([False, True, False]):
        look(home, account, Fact.PRIVATE, private, hours=hour)
    assert len(told(home, cast.owner.id, "rule_broken")) == 2


def test_several_that_break_at_once_make_one_notice(home: Home, cast: walk.Cast, account: Account) -> None:
    walk.put_on_record(home, account, Fact.LIKES, 1, now=LATER)
    walk.put_on_record(home, account, Fact.OUTSIDE_POSTS, 1, now=LATER)
    evaluate_account(home, account.id, now=LATER)
    [text] = told(home, cast.owner.id, "rule_broken")
    assert "INT402" in text and "MED512" in text


def test_what_is_late_for_the_whole_school_is_told_to_the_network_manager_alone_and_once_a_day(
    home: Home, cast: walk.Cast, account: Account
) -> None:
    other = walk.live(home, cast, form=walk.form_of(cast, handle_wished="another_trip"))
    run_once(home, NOW)
    late = NOW + timedelta(days=4)
    for one in (account, other):
        assert answers(evaluate_account(home, one.id, now=late))["DAT001"] is False
    assert not any("DAT001" in text for text in told(home, cast.owner.id, "rule_broken"))
    assert len([text for text in told(home, cast.manager.id, "school_rule") if "DAT001" in text]) == 1


def test_what_the_head_excepted_is_not_told_until_the_exception_ends(
    home: Home, cast: walk.Cast, account: Account
) -> None:
    [waiver] = waivers.grant_waiver(home, cast.head, account.id, ["ACC103"], "A festival", None, now=NOW)
    look(home, account, Fact.PRIVATE, False)
    assert told(home, cast.owner.id, "rule_broken") == []
    waivers.end_waiver(home, cast.head, waiver.id, now=LATER + timedelta(hours=1))
    evaluate_account(home, account.id, now=LATER + timedelta(hours=2))
    assert len(told(home, cast.owner.id, "rule_broken")) == 1


def test_what_the_school_only_advises_is_told_to_nobody(home: Home, cast: walk.Cast, account: Account) -> None:
    advised = RuleChoice({AccountKind.TRIP: Enforcement.ADVISED}, "the governors", None)
    policy = replace(home.settings.policy, rules={"INT402": advised})
    school = replace(home, settings=replace(home.settings, policy=policy))
    look(school, account, Fact.LIKES, 1)
    assert told(home, cast.owner.id, "rule_broken") == []


def test_while_an_account_is_being_set_up_nobody_is_told(home: Home, cast: walk.Cast) -> None:
    account = walk.set_up(home, cast, walk.approved(home, cast))
    look(home, account, Fact.PRIVATE, False)
    assert told(home, cast.owner.id, "rule_broken") == []


def test_what_was_out_of_order_before_it_went_live_is_told_when_it_does(home: Home, cast: walk.Cast) -> None:
    ready = walk.ready(home, cast)
    walk.put_on_record(home, ready, Fact.LIKES, 1, now=NOW)
    evaluate_account(home, ready.id, now=NOW)
    assert told(home, cast.owner.id, "rule_broken") == []
    accounts.go_live(home, cast.owner, ready.id, now=LATER)
    [text] = told(home, cast.owner.id, "rule_broken")
    assert "INT402" in text


def test_the_owner_hears_when_what_was_known_has_become_too_old(home: Home, cast: walk.Cast, account: Account) -> None:
    evaluate_account(home, account.id, now=NOW + timedelta(days=4))
    [text] = told(home, cast.owner.id, "look_again")
    assert "ACC103" in text and "look again" in text
    assert told(home, cast.manager.id, "look_again") == []


# ---------------------------------------------------------------------------------------------------- the gate


def test_the_gate_asks_afresh_and_writes_nothing(home: Home, cast: walk.Cast) -> None:
    ready = walk.ready(home, cast)
    before = len(changes(home))
    assert blocking(gate(home, ready.id, NOW)) == []
    walk.put_on_record(home, ready, Fact.PRIVATE, False, now=LATER)
    assert [one.rule_id for one in blocking(gate(home, ready.id, LATER))] == ["ACC103"]
    assert len(changes(home)) == before


def test_an_account_that_nobody_has_set_up_gets_through_no_gate(home: Home, cast: walk.Cast) -> None:
    account = walk.approved(home, cast)
    shut = {one.rule_id for one in blocking(gate(home, account.id, NOW))}
    assert {"ACC101", "ACC103", "SEC201", "SEC205", "AUD305"} <= shut


# ---------------------------------------------------------------------------------------------------- own records


def test_a_look_without_its_line_in_the_log_is_found(home: Home, cast: walk.Cast, account: Account) -> None:
    from socialgov.actions.credentials import reveal

    reveal(home, cast.manager, vault_of(home), account.id, "A parent asks", now=NOW)
    assert answers(evaluate_account(home, account.id, now=NOW))["SEC207"] is True
    credential = facts_of(home, account, NOW).credential
    assert credential is not None
    with write(home.db) as db:
        insert(db, "reveal", {"credential_id": credential.id, "staff_id": cast.head.id, "reason": "?", "at": NOW})
    found = {one.rule_id: one for one in evaluate_account(home, account.id, now=NOW)}
    assert found["SEC207"].answer is False and found["SEC207"].because.startswith("1 look at the password")


def test_that_the_log_is_whole_is_known_only_from_a_recent_check(home: Home, account: Account) -> None:
    assert answers(current_findings(home, account, NOW))["OVS802"] is None
    audit_log(home, None, now=NOW)
    assert answers(current_findings(home, account, NOW))["OVS802"] is True
    assert answers(current_findings(home, account, NOW + timedelta(days=4)))["OVS802"] is None


def test_the_daily_job_checks_the_log_and_signs_none_that_is_damaged(home: Home, account: Account) -> None:
    run_once(home, NOW)
    assert answers(current_findings(home, account, NOW))["OVS802"] is True
    signed = len(checkpoints(home.db))
    home.db.execute("drop trigger event_no_update")
    home.db.execute("update event set actor = 'staff:99' where seq = 5")
    report = run_once(home, NOW + timedelta(days=1))
    [trouble] = [job.trouble for job in report.jobs if job.name == "checkpoint"]
    assert "event 5 was changed" in trouble[0]
    assert len(checkpoints(home.db)) == signed
    found = answers(current_findings(home, account, NOW + timedelta(days=400)))
    assert (found["OVS802"], found["OVS806"]) == (False, False)


def test_a_leaver_who_knew_the_password_shows_at_once(home: Home, cast: walk.Cast, account: Account) -> None:
    home.db.execute("update account set owner_id = ? where id = ?", [staff(home, Role.TEACHER).id, account.id])
    home.db.execute("update staff set left_at = ? where id = ?", ["2026-11-23T09:00:00.000000Z", cast.owner.id])
    found = answers(evaluate_account(home, account.id, now=LATER))
    assert (found["SEC204"], found["PPL704"], found["ACC105"]) == (False, False, True)


def test_more_followers_than_the_list_has_are_strangers(home: Home, account: Account) -> None:
    found = {one.rule_id: one for one in look(home, account, Fact.FOLLOWERS, 3)}
    assert found["AUD301"].answer is False and "3 more" in found["AUD301"].because
    with write(home.db) as db:
        for name in ("a", "b", "c"):
            insert(
                db,
                "follower",
                {
                    "account_id": account.id,
                    "remote_id": name,
                    "handle": name,
                    "display_name": name,
                    "first_seen_at": LATER,
                    "last_seen_at": LATER,
                },
            )
    facts = facts_of(home, account, LATER)
    assert facts.followers_not_on_record == 0 and facts.followers.oldest_unchecked_at == LATER


# ---------------------------------------------------------------------------------------------------- speed


def test_facts_take_few_statements_however_long_the_history(home: Home, account: Account) -> None:
    for hour in range(40):
        walk.put_on_record(home, account, Fact.LIKES, hour, now=NOW + timedelta(hours=hour))
    account = account_by_id(home.db, account.id)
    seen: list[str] = []
    home.db.conn.set_trace_callback(seen.append)
    facts_of(home, account, LATER)
    home.db.conn.set_trace_callback(None)
    assert len(seen) <= 14, seen


def test_an_evaluation_without_news_writes_little(home: Home, account: Account) -> None:
    evaluate_account(home, account.id, now=LATER)
    seen: list[str] = []
    home.db.conn.set_trace_callback(seen.append)
    evaluate_account(home, account.id, now=LATER + timedelta(hours=1))
    home.db.conn.set_trace_callback(None)
    writes = [sql for sql in seen if sql.lstrip().lower().startswith(("insert", "update", "delete"))]
    assert len(writes) == 1 and "evaluated_at" in writes[0]
