"""Any order of deeds, by anybody who may: each makes the step it is named for, or changes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from factories import NOW, make_home
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from walk import ALL_HOLD, Cast, cast_of, form_of, put_on_record, standing_form

from socialgov.actions import accounts
from socialgov.actions.closing import start_closing
from socialgov.actions.credentials import current_credential, deposit, record_login_test
from socialgov.actions.extensions import ask_extension, decide_extension
from socialgov.actions.findings import gate
from socialgov.errors import SocialgovError
from socialgov.home import Home
from socialgov.lifecycle import TRANSITIONS, due_transition
from socialgov.models import Account, AccountState, CredentialKind, Fact, Role
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import closing_of
from socialgov.store.events import events_of_account, verify_chain
from socialgov.store.rows import dicts
from socialgov.store.waivers import open_extension

S = AccountState
REACHED = (S.APPROVED, S.LIVE, S.SUSPENDED)
CAST = ("owner", "deputy", "manager", "head")
who = st.sampled_from(CAST)
_numbers = count(1)


class Lives(RuleBasedStateMachine):
    """One account at a time in a school that all examples share (its log is checked at the end of each)."""

    home: Home
    cast: Cast

    @initialize(standing=st.booleans(), found=st.booleans(), stage=st.sampled_from([S.REQUESTED, *REACHED]))
    def begin(self, standing: bool, found: bool, stage: AccountState) -> None:
        """A request that nobody decided on, or one that has come further: what lies behind the gate is met as often."""
        self.number, self.now = next(_numbers), NOW
        form = (standing_form if standing else form_of)(self.cast, handle_wished=f"account{self.number}")
        if found:
            account = accounts.register_found(self.home, self.cast.owner, form, handle=form.handle_wished, now=self.now)
        else:
            account = accounts.request_account(self.home, self.cast.owner, form, now=self.now)
        self.id, self.form, self.state = account.id, form, account.state
        if stage is not S.REQUESTED:
            self.approve("manager")
        if stage in (S.LIVE, S.SUSPENDED):
            self.walk_on()
        if stage is S.SUSPENDED:
            self.suspend("manager")
        assert self.state is stage

    def account(self) -> Account:
        return account_by_id(self.home.db, self.id)

    def row(self) -> dict[str, Any]:
        return next(iter(dicts(self.home.db, "select * from account where id = ?", (self.id,))))

    def attempt(self, to: AccountState | None, deed: Callable[[], object]) -> bool:
        """Do it. Either it worked, and the account is in state `to` (None: as before); or not a column changed."""
        before, chain = self.row(), len(self.state_events())
        try:
            deed()
        except SocialgovError as error:
            assert error.message
            assert self.row() == before
            assert len(self.state_events()) == chain
            return False
        after = self.account()
        assert after.state is (to or self.state)
        if to is not None:
            assert to in TRANSITIONS[self.state]
            assert len(self.state_events()) == chain + 1
        self.state = after.state
        return True

    def state_events(self) -> list[str]:
        events = events_of_account(self.home.db, self.id, limit=10_000)
        return [event.tag for event in events if event.tag.startswith("account:state:")]

    # ---- the request

    @rule(by=who, purpose=st.sampled_from(["Families follow us", "", "Something else"]))
    def amend(self, by: str, purpose: str) -> None:
        form = type(self.form)(**{**{n: getattr(self.form, n) for n in self.form.__slots__}, "purpose": purpose})
        self.attempt(None, lambda: accounts.amend_request(self.home, self.one(by), self.id, form, now=self.now))

    @rule(by=who)
    def return_it(self, by: str) -> None:
        self.attempt(None, lambda: accounts.return_request(self.home, self.one(by), self.id, "Why?", now=self.now))

    @rule(by=who)
    def approve(self, by: str) -> None:
        waiting = self.account().returned_at is None
        done = self.attempt(S.APPROVED, lambda: accounts.approve(self.home, self.one(by), self.id, now=self.now))
        assert not done or (waiting and by in ("manager", "head"))

    @rule(by=who, sure=st.integers(0, 4))
    def decline(self, by: str, sure: int) -> None:
        if sure == 0:
            self.attempt(S.DECLINED, lambda: accounts.decline(self.home, self.one(by), self.id, "No.", now=self.now))

    @rule(by=who, sure=st.integers(0, 4))
    def withdraw(self, by: str, sure: int) -> None:
        if sure == 0:
            self.attempt(S.WITHDRAWN, lambda: accounts.withdraw(self.home, self.one(by), self.id, now=self.now))

    # ---- to the gate

    @rule(by=who)
    def set_up(self, by: str) -> None:
        handle, email = self.form.handle_wished, "trips@school.example"
        self.attempt(
            None,
            lambda: accounts.record_setup(
                self.home, self.one(by), self.id, handle=handle, school_email=email, now=self.now
            ),
        )

    @rule(by=who, number=st.integers(0, 3))
    def deposit(self, by: str, number: int) -> None:
        secret = f"Zq{number}!{self.number}-{'perky' * (number + 1)}-Lantern{number}"
        self.attempt(
            None,
            lambda: deposit(
                self.home, self.one(by), self.id, username="name", secret=secret, email="trips@school.example",
                now=self.now,
            ),
        )  # fmt: skip

    @rule(by=who, works=st.booleans())
    def try_login(self, by: str, works: bool) -> None:
        self.attempt(None, lambda: record_login_test(self.home, self.one(by), self.id, works, now=self.now))

    @rule()
    def see_all_in_order(self) -> None:
        for fact, value in ALL_HOLD.items():
            put_on_record(self.home, self.account(), fact, value, now=self.now)

    @rule(fact=st.sampled_from([Fact.PRIVATE, Fact.RECOVERY_WITH_SCHOOL]))
    def see_something_wrong(self, fact: Fact) -> None:
        put_on_record(self.home, self.account(), fact, False, now=self.now)

    @rule(by=who)
    def go_live(self, by: str) -> None:
        if self.attempt(S.LIVE, lambda: accounts.go_live(self.home, self.one(by), self.id, now=self.now)):
            self.must_pass()

    def walk_on(self) -> None:
        """From the approval through the gate in one stride."""
        self.set_up("owner")
        self.see_all_in_order()
        self.deposit("owner", 3)
        self.try_login("manager", True)
        self.go_live("owner")

    # ---- alive

    @rule(by=who)
    def suspend(self, by: str) -> None:
        self.attempt(S.SUSPENDED, lambda: accounts.suspend(self.home, self.one(by), self.id, "Odd.", now=self.now))

    @rule(by=who)
    def resume(self, by: str) -> None:
        if self.attempt(S.LIVE, lambda: accounts.resume(self.home, self.one(by), self.id, now=self.now)):
            self.must_pass()

    @rule(by=who, days=st.integers(-2, 40))
    def ask_for_longer(self, by: str, days: int) -> None:
        until = (self.account().ends_on or NOW.date()) + timedelta(days=days)
        self.attempt(None, lambda: ask_extension(self.home, self.one(by), self.id, until, "Longer.", now=self.now))

    @rule(by=who, granted=st.booleans())
    def answer_longer(self, by: str, granted: bool) -> None:
        asked = open_extension(self.home.db, self.id)
        if asked is not None:
            self.attempt(
                None, lambda: decide_extension(self.home, self.one(by), asked.id, granted, "Because.", now=self.now)
            )

    @rule(by=who)
    def confirm(self, by: str) -> None:
        self.attempt(None, lambda: accounts.confirm_needed(self.home, self.one(by), self.id, now=self.now))

    @rule(by=who, owner=who, deputy=who)
    def hand_over(self, by: str, owner: str, deputy: str) -> None:
        self.attempt(
            None,
            lambda: accounts.hand_over(
                self.home, self.one(by), self.id, owner_id=self.one(owner).id, deputy_id=self.one(deputy).id,
                now=self.now,
            ),
        )  # fmt: skip

    @rule(by=who, sure=st.integers(0, 4))
    def close(self, by: str, sure: int) -> None:
        if sure == 0:
            self.attempt(S.CLOSING, lambda: start_closing(self.home, self.one(by), self.id, "Done.", now=self.now))

    @rule(hours=st.integers(1, 24 * 9), looked=st.booleans())
    def time_passes(self, hours: int, looked: bool) -> None:
        self.now += timedelta(hours=hours)
        if looked:
            self.see_all_in_order()

    # ---- always

    @invariant()
    def its_row_makes_sense(self) -> None:
        account, db = self.account(), self.home.db
        assert account.state is self.state
        assert account.owner_id != account.deputy_id
        assert account.returned_at is None or account.state in (S.REQUESTED, S.DECLINED, S.WITHDRAWN)
        assert (account.suspended_at is not None) >= (account.state is S.SUSPENDED)
        if account.state in (S.LIVE, S.SUSPENDED):
            assert account.live_at is not None
            assert account.decided_by not in (None, account.requested_by)
            assert current_credential(db, self.id, CredentialKind.PASSWORD) is not None
        assert (closing_of(db, self.id) is not None) == (account.state in (S.CLOSING, S.CLOSED))
        tasks = accounts.task_list(self.home, account, self.now)
        assert bool(tasks) == (account.state in (S.REQUESTED, S.APPROVED, S.SUSPENDED))

    def teardown(self) -> None:
        assert verify_chain(self.home.db).whole

    def must_pass(self) -> None:
        """It is live: then every gate rule held, and its time had come and was not over."""
        account = self.account()
        assert all(finding.passes for finding in gate(self.home, self.id, self.now))
        assert account.starts_on <= self.home.today(self.now)
        assert due_transition(account, self.now, self.home.settings.zone, self.home.settings.policy) is None

    def one(self, name: str) -> Any:
        return getattr(self.cast, name)


def test_any_order_of_deeds_keeps_the_lifecycle(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Lives.home = make_home(Path(folder))
        Lives.cast = cast_of(Lives.home)
        assert Lives.cast.head.has(Role.HEAD)
        machine = Lives.TestCase()
        machine.settings = settings(
            max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        )
        machine.runTest()
