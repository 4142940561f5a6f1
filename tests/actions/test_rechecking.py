"""A policy that changes is asked of what is deposited already, and no deposit is opened for it (SEC202)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from factories import DOMAIN, NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_facts import CREDENTIAL, POLICY
from sqlite_utils import Database
from walk import Cast, live, standing_form

from socialgov import passwords
from socialgov.actions import rechecking, unsealing
from socialgov.actions.credentials import deposit
from socialgov.actions.rechecking import recheck_deposits
from socialgov.actions.staff import staff_leaves
from socialgov.config import RANGES
from socialgov.errors import Conflict
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import Account, AccountKind, CredentialKind, Enforcement, RuleChoice
from socialgov.rules.strength import LENGTHS, judged, length_kept
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential
from socialgov.store.events import events_page
from socialgov.store.findings import findings_of
from socialgov.store.migrations import migrations
from socialgov.store.outbox import notices_of
from socialgov.store.rows import moment_text

STRONG = {"strong": 1, "weak": 0, "not known": 0}
SECRET = "vQ7!mQ2x-Tolpud"  # 15 characters: the next step that is kept is 14


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    account = live(home, cast)
    deposit(home, cast.owner, account.id, username="x", secret=SECRET, email=f"trips@{DOMAIN}", now=NOW)
    return account


def asking(home: Home, **numbers: Any) -> Home:
    """The same school with another policy, as after a restart."""
    policy = replace(home.settings.policy, **numbers)
    return Home(home.path, replace(home.settings, policy=policy), home.escrow, home.clock)


def strong(home: Home, account: Account) -> tuple[bool | None, str]:
    (found,) = [one for one in findings_of(home.db, account.id) if one.rule_id == "SEC202"]
    return found.answer, found.because


def told(home: Home, staff_id: int) -> list[str]:
    return [one.text for one in notices_of(home.db, staff_id) if one.kind == "password_policy"]


def rechecks(home: Home) -> list[dict[str, Any]]:
    tag = "credential:policy:rechecked"
    return [dict(one.data) for one in events_page(home.db, before=None, tag=tag, actor=None, limit=50)]


def forget_measures(home: Home) -> None:
    """A deposit of the version before, which kept how strong it is and nothing of what it is made of."""
    with write(home.db) as db:
        db.execute("update credential set length_at_least = null, signs = null, one_word = null")


def test_what_is_measured_at_the_deposit_is_a_step_of_length_and_the_kinds_of_sign(
    home: Home, account: Account
) -> None:
    kept = current_credential(home.db, account.id, CredentialKind.PASSWORD)
    assert kept is not None
    assert (kept.length_at_least, kept.signs, kept.one_word) == (14, ("letters", "numbers", "symbols"), False)


def test_a_longer_minimum_breaks_the_rule_and_the_owner_is_told_once(home: Home, cast: Cast, account: Account) -> None:
    assert recheck_deposits(home, NOW) == STRONG
    stricter = asking(home, password_min_length=24)
    assert recheck_deposits(stricter, NOW) == {"strong": 0, "weak": 1, "not known": 0}
    assert strong(home, account) == (False, "It is too short. The school asks for 24 characters or more.")
    (said,) = told(home, cast.owner.id)
    assert "24 characters" in said
    assert rechecks(home) == [{"strong": 0, "weak": 1, "not known": 0}]
    assert recheck_deposits(stricter, NOW + timedelta(hours=1)) is None
    assert told(home, cast.owner.id) == [said]


def test_a_minimum_between_two_steps_is_not_known_and_that_is_no_pass(home: Home, cast: Cast, account: Account) -> None:
    counts = recheck_deposits(asking(home, password_min_length=15), NOW)
    assert counts == {"strong": 0, "weak": 0, "not known": 1}
    assert strong(home, account)[0] is None
    assert "may be too short" in told(home, cast.owner.id)[0]


def test_more_strength_than_it_has_breaks_the_rule(home: Home, account: Account) -> None:
    with write(home.db) as db:
        db.execute("update credential set strength = 3")
    recheck_deposits(asking(home, password_min_strength=4), NOW)
    assert strong(home, account) == (False, "It is too easy to guess. Make it longer.")


def test_a_school_that_asks_for_less_than_before_finds_it_in_order_again(
    home: Home, cast: Cast, account: Account
) -> None:
    recheck_deposits(asking(home, password_min_length=32), NOW)
    assert strong(home, account)[0] is False
    recheck_deposits(home, NOW)
    kept = current_credential(home.db, account.id, CredentialKind.PASSWORD)
    assert kept is not None
    assert kept.problems == ()
    assert strong(home, account)[0] is True


def test_a_deposit_of_the_version_before_is_not_known_until_it_is_deposited_again(
    home: Home, cast: Cast, account: Account
) -> None:
    forget_measures(home)
    assert recheck_deposits(home, NOW) == {"strong": 0, "weak": 0, "not known": 1}
    answer, because = strong(home, account)
    assert answer is None
    assert "what it is made of was not" in because
    assert len(told(home, cast.owner.id)) == 1
    assert len(rechecks(home)) == 1
    deposit(home, cast.owner, account.id, username="x", secret=SECRET, email=f"trips@{DOMAIN}", now=NOW)
    assert strong(home, account)[0] is True


def test_a_database_of_the_version_before_is_brought_up_to_date_and_claims_nothing_it_does_not_know(
    tmp_path: Path,
) -> None:
    conn = sqlite3.connect(tmp_path / "school.db", isolation_level=None)
    old = Database(conn)
    migrations.apply(old, stop_before="m0006_vault")
    old.execute(
        "insert into credential (id, account_id, kind, username, email, sealed, fingerprint, strength, problems,"
        " deposited_by, deposited_at, secret_at) values (1, 7, 'password', 'x', null, x'00', 'f', 4, '[]', null, ?, ?)",
        [moment_text(NOW)] * 2,
    )
    migrations.apply(old)
    kept = current_credential(old, 7, CredentialKind.PASSWORD)
    assert kept is not None
    assert (kept.length_at_least, kept.signs, kept.one_word, kept.codes, kept.struck) == (None, None, None, None, ())
    assert judged(kept, POLICY).unknown


def test_a_school_that_only_advises_troubles_nobody(home: Home, cast: Cast, account: Account) -> None:
    advised = RuleChoice(dict.fromkeys(AccountKind, Enforcement.ADVISED), "The governors", None)
    recheck_deposits(asking(home, password_min_length=24, rules={"SEC202": advised}), NOW)
    assert strong(home, account)[0] is False
    assert told(home, cast.owner.id) == []


def test_the_deputy_of_an_owner_who_left_is_told(home: Home, cast: Cast, account: Account) -> None:
    staff_leaves(home, cast.manager, cast.owner.id, now=NOW)
    recheck_deposits(asking(home, password_min_length=24), NOW)
    assert len(told(home, cast.deputy.id)) == 1


def test_a_crash_on_the_way_measures_again_and_tells_nobody_twice(
    home: Home, cast: Cast, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from socialgov.store import rechecks as store

    live(home, cast, form=standing_form(cast))
    stricter = asking(home, password_min_length=64)
    monkeypatch.setattr(store, "set_measured_by", lambda *_: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        recheck_deposits(stricter, NOW)
    monkeypatch.undo()
    assert recheck_deposits(stricter, NOW) == {"strong": 0, "weak": 2, "not known": 0}
    assert len(told(home, cast.owner.id)) == 2
    assert len(rechecks(home)) == 1


def test_a_bad_account_never_stops_the_rest_and_is_tried_again(
    home: Home, cast: Cast, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, real = live(home, cast, form=standing_form(cast)), rechecking.evaluate_account

    def fails_for_one(home: Home, account_id: int, **kwargs: Any) -> Any:
        if account_id == account.id:
            raise ValueError("a secret that must not be told")
        return real(home, account_id, **kwargs)

    monkeypatch.setattr(rechecking, "evaluate_account", fails_for_one)
    stricter = asking(home, password_min_length=64)
    with pytest.raises(Conflict) as caught:
        recheck_deposits(stricter, NOW)
    assert "secret" not in str(caught.value)
    assert strong(home, other)[0] is False
    monkeypatch.undo()
    assert recheck_deposits(stricter, NOW) == {"strong": 0, "weak": 2, "not known": 0}
    assert strong(home, account)[0] is False


def test_the_job_does_it_at_the_first_pass_after_a_change_and_opens_nothing(
    home: Home, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(unsealing, "unseal", lambda *args: opened.append(args))
    reports = [run_once(one, NOW) for one in (home, home, asking(home, password_min_length=24))]
    assert [next(job.done for job in one.jobs if job.name == "recheck deposits") for one in reports] == [1, 0, 1]
    assert strong(home, account)[0] is False
    assert opened == []


# --------------------------------------------------------------------------------------------------- the measure

lengths = st.integers(*RANGES["password_min_length"])
signs = st.sets(st.sampled_from(("letters", "numbers", "symbols"))).map(tuple)


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=90), lengths, lengths, signs)
def test_what_was_kept_never_passes_a_password_that_the_policy_refuses(
    secret: str, then: int, now: int, wanted: tuple[str, ...]
) -> None:
    kept = replace(
        CREDENTIAL, length_at_least=length_kept(len(secret), then), signs=passwords.signs_in(secret), strength=4
    )
    found = judged(kept, replace(POLICY, password_min_length=now, password_signs=wanted, password_min_strength=0))
    holds = len(secret) >= now and set(wanted) <= set(passwords.signs_in(secret))
    if found.problems:
        assert not holds
    elif not found.unknown:
        assert holds
    if now == then and holds:  # what was taken by the policy of its own day is never in doubt by that
        assert found.unknown == ""


@given(st.integers(0, 300), lengths)
def test_only_a_step_of_the_length_is_kept(length: int, policy: int) -> None:
    kept = length_kept(length, policy)
    assert kept in (0, policy, *LENGTHS)
    assert kept <= length
