"""A pass over the jobs: what is due happens once, a bad account stops nothing, and two passes at once are harmless."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from closing_school import crowd_of_accounts, deposited, events, live_account
from factories import NOW, staff
from killing import copy_of, killed_at

from socialgov import jobs
from socialgov.actions import closing
from socialgov.actions.staff import staff_leaves
from socialgov.errors import StoreError
from socialgov.home import Home
from socialgov.jobs import JOBS, Job, JobReport, PassReport, run_once
from socialgov.models import AccountKind, AccountState
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import insert, write
from socialgov.store.events import verify_chain
from socialgov.store.findings import findings_of
from socialgov.store.jobs import job_run
from socialgov.store.rows import dicts, scalar


def state(home: Home, account_id: int) -> AccountState:
    return account_by_id(home.db, account_id).state


def job(report: PassReport, name: str) -> JobReport:
    return next(one for one in report.jobs if one.name == name)


def reminders_of(home: Home, account_id: int) -> list[str]:
    rows = dicts(
        home.db, "select dedupe_key from notice where account_id = ? and kind = 'reminder' order by id", [account_id]
    )
    return [row["dedupe_key"].rsplit(":", 1)[0] for row in rows]


def test_an_account_whose_time_is_over_begins_to_close(home: Home) -> None:
    over = live_account(home, platform="instagram")
    today = live_account(home, platform="instagram", ends_on=date(2026, 11, 23))
    report = run_once(home, NOW)
    assert job(report, "close due accounts").done == 1
    assert (state(home, over.id), state(home, today.id)) == (AccountState.CLOSING, AccountState.LIVE)
    assert report.whole


def test_an_end_date_means_the_end_of_that_day_in_the_schools_own_zone(home: Home) -> None:
    account = live_account(home, platform="instagram", ends_on=date(2026, 7, 1))
    run_once(home, NOW.replace(month=7, day=1, hour=22, minute=59))  # 23:59 in London
    assert state(home, account.id) is AccountState.LIVE
    run_once(home, NOW.replace(month=7, day=1, hour=23, minute=0))  # midnight in London
    assert state(home, account.id) is AccountState.CLOSING


def test_after_days_without_a_scheduler_the_first_pass_finds_no_account_late_with_the_erasure(home: Home) -> None:
    account = live_account(home, platform="instagram", ends_on=date(2026, 12, 20))
    run_once(home, NOW)
    run_once(home, NOW + timedelta(days=4))
    answers = {one.rule_id: one.answer for one in findings_of(home.db, account.id)}
    assert (answers["DAT001"], answers["OVS802"]) == (True, True)


def test_a_bad_account_never_stops_the_rest(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = [live_account(home, platform="instagram") for _ in range(3)]
    real = closing.start_closing

    def fails_for_one(home, actor, account_id, reason, **kwargs):
        if account_id == accounts[1].id:
            raise ValueError("a secret that must not be told")
        return real(home, actor, account_id, reason, **kwargs)

    monkeypatch.setattr(closing, "start_closing", fails_for_one)
    report = run_once(home, NOW)
    found = job(report, "close due accounts")
    assert found.done == 2
    assert found.trouble == (f"account {accounts[1].id}: something unexpected happened (ValueError)",)
    assert "secret" not in (job_run(home.db, "close due accounts").error or "")
    monkeypatch.undo()
    run_once(home, NOW)
    assert {state(home, account.id) for account in accounts} == {AccountState.CLOSING}


def test_a_job_that_fails_as_a_whole_stops_no_other_job(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(pass_, tally) -> None:
        raise StoreError("The disk is full.", "Free some space.")

    monkeypatch.setattr(jobs, "JOBS", (Job("broken", jobs.TICK, broken), *JOBS))
    account = live_account(home, platform="instagram")
    report = run_once(home, NOW)
    assert job(report, "broken").outcome == "failed"
    assert not report.whole
    assert state(home, account.id) is AccountState.CLOSING


def test_reminders_come_once_for_each_day_and_again_after_an_extension(home: Home) -> None:
    days = home.settings.policy.reminder_days
    account = live_account(home, platform="instagram", ends_on=date(2026, 11, 23) + timedelta(days=max(days)))
    for day in range(max(days) + 1):
        for hour in (0, 1):
            run_once(home, NOW + timedelta(days=day, hours=hour))
    given = reminders_of(home, account.id)
    assert len(given) == 2 * len(days)  # owner and deputy
    assert len(set(given)) == len(days)


def test_after_a_long_silence_only_the_nearest_reminder_is_given(home: Home) -> None:
    account = live_account(home, platform="instagram", ends_on=date(2026, 11, 23))
    run_once(home, NOW)
    nearest = min(home.settings.policy.reminder_days)
    assert set(reminders_of(home, account.id)) == {f"ends:{account.id}:2026-11-23:{nearest}"}


def test_a_standing_account_is_reminded_of_its_confirmation_and_closed_without_one(home: Home) -> None:
    policy = home.settings.policy
    live_at = NOW - timedelta(days=policy.confirmation_days)
    account = live_account(
        home, platform="instagram", kind=AccountKind.STANDING, ends_on=None, review_on=date(2027, 7, 1), live_at=live_at
    )
    run_once(home, NOW)
    assert reminders_of(home, account.id)
    assert state(home, account.id) is AccountState.LIVE
    run_once(home, NOW + timedelta(days=max(policy.reminder_days)))
    assert state(home, account.id) is AccountState.CLOSING


def test_when_both_keepers_left_the_network_manager_is_told(home: Home, manager) -> None:
    owner, deputy = staff(home), staff(home)
    account = live_account(home, owner=owner, deputy=deputy, platform="instagram")
    for leaver in (owner, deputy):
        staff_leaves(home, None, leaver.id, now=NOW)
    run_once(home, NOW)
    told = {row["staff_id"] for row in dicts(home.db, "select staff_id from notice where account_id = ?", [account.id])}
    assert told == {manager.id}


def test_two_passes_at_once_do_everything_once(home: Home) -> None:
    accounts = [live_account(home, platform="instagram") for _ in range(20)]
    reports: list[PassReport] = []
    gate = threading.Barrier(3)

    def run() -> None:
        own = Home(home.path, home.settings, home.escrow, home.clock)
        gate.wait()
        reports.append(run_once(own, NOW))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(job(report, "close due accounts").done for report in reports) == 20
    assert all(report.whole for report in reports)
    assert len(events(home, "account:state:closing")) == 20
    assert {state(home, account.id) for account in accounts} == {AccountState.CLOSING}
    assert verify_chain(home.db).whole


def test_a_job_in_other_hands_is_left_alone_until_its_lease_is_over(home: Home) -> None:
    account = live_account(home, platform="instagram")
    with write(home.db) as db:
        insert(db, "job_run", {"name": "close due accounts", "claimed_until": NOW + timedelta(minutes=9)})
    assert job(run_once(home, NOW), "close due accounts").outcome == "held"
    assert state(home, account.id) is AccountState.LIVE
    assert job(run_once(home, NOW + timedelta(minutes=9)), "close due accounts").outcome == "done"


def test_a_clock_that_was_moved_back_holds_nothing_up(home: Home) -> None:
    future = NOW + timedelta(days=90)
    with write(home.db) as db:
        insert(db, "job_run", {"name": "remind", "claimed_until": future, "started_at": future})
    account = live_account(home, platform="instagram", ends_on=date(2026, 11, 24))
    report = run_once(home, NOW, due_only=True)
    assert job(report, "remind").outcome == "done"
    assert reminders_of(home, account.id)


def test_a_pass_of_the_scheduler_runs_only_what_is_due(home: Home) -> None:
    first = run_once(home, NOW, due_only=True)
    assert all(one.outcome == "done" for one in first.jobs)
    soon = run_once(home, NOW + timedelta(minutes=1), due_only=True)
    waiting = {one.name for one in soon.jobs if one.outcome == "not due"}
    assert waiting == {"remind", "begin rotations", "end keys", "retention", "checkpoint"}


def test_a_pass_that_is_asked_to_stop_ends_after_the_account_in_hand(home: Home) -> None:
    for _ in range(3):
        live_account(home, platform="instagram")
    stop = threading.Event()
    stop.set()
    assert {one.outcome for one in run_once(home, NOW, stop=stop).jobs} == {"stopped"}
    assert scalar(home.db, "select count(*) from account where state = 'closing'") == 0


def test_two_hundred_due_of_ten_thousand_close_in_one_pass(home: Home) -> None:
    account = live_account(home, platform="instagram")
    crowd_of_accounts(home, due=199, others=9_800)
    report = run_once(home, NOW)
    assert job(report, "close due accounts").done == 200
    assert scalar(home.db, "select count(*) from account where state = 'closing'") == 200
    assert state(home, account.id) is AccountState.CLOSING
    assert verify_chain(home.db).whole


def outcome(home: Home) -> dict[str, object]:
    """Everything a pass leaves behind that people see."""
    return {
        "states": [row[0] for row in home.db.execute("select state from account order by id").fetchall()],
        "steps": [tuple(row) for row in home.db.execute("select closing_id, name, state from closing_step").fetchall()],
        "notices": sorted(row[0] for row in home.db.execute("select dedupe_key from notice").fetchall()),
        "mail": sorted(
            row[0]
            for row in home.db.execute("select dedupe_key from outbox where dedupe_key not like 'check%'").fetchall()
        ),
        "events": sorted(
            tuple(row)
            for row in home.db.execute(
                "select tag, account_id, count(*) from event where account_id is not null group by 1, 2"
            ).fetchall()
        ),
    }


def test_a_pass_killed_at_any_point_is_made_good_by_the_next(home: Home, tmp_path) -> None:
    for number in range(2):
        account = live_account(home, platform="instagram")
        deposited(home, account) if number else None
    live_account(home, platform="instagram", ends_on=date(2026, 11, 24))
    live_account(home, platform="instagram", state=AccountState.APPROVED, handle=None)
    whole = copy_of(home, tmp_path / "whole")
    run_once(whole, NOW)
    run_once(whole, NOW + timedelta(minutes=11))
    home.db.close()
    point, killed = 0, True
    while killed:
        point += 1
        copy = copy_of(Home(home.path, home.settings, home.escrow), tmp_path / f"point{point}")
        killed = killed_at(point, copy, lambda own: run_once(own, NOW))
        run_once(copy, NOW + timedelta(minutes=11))
        assert outcome(copy) == outcome(whole), f"killed at point {point}"
        assert verify_chain(copy.db).whole
        copy.db.close()
    assert point > 20
