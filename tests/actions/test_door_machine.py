"""The door as a machine: whatever people do in whatever order, only those are in who should be, and as strong.

Hypothesis plays two people with their browsers against a small model: which sessions are open, when each was last
used and confirmed, and whether its owner has an app. After each step every token ever given out is tried.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from factories import NOW, make_home, staff
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from socialgov.actions.authenticators import begin_authenticator, confirm_authenticator, confirm_with_code
from socialgov.actions.factors import ways_of
from socialgov.actions.sessions import (
    Visitor,
    end_other_sessions,
    end_own_session,
    end_session,
    open_session,
    session_staff,
)
from socialgov.actions.signin import finish_with_code, make_signin_link, use_signin_link
from socialgov.actions.staff import add_staff, staff_leaves
from socialgov.actions.stepup import need_fresh
from socialgov.actions.ways import remove_factors
from socialgov.errors import SocialgovError, StepUpNeeded
from socialgov.escrow.codes import Seed, code_at
from socialgov.models import Staff

VISITOR = Visitor("192.0.2.7", "Firefox on Windows")
PEOPLE = st.integers(0, 1)


@dataclass
class Known:
    """What the model knows of one session."""

    person: int
    begun: datetime
    seen: datetime
    strong: datetime | None = None


class Door(RuleBasedStateMachine):
    tokens = Bundle("tokens")

    @initialize()
    def open_the_school(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.home = make_home(self.folder)
        self.now = NOW
        self.people: list[Staff] = [staff(self.home), staff(self.home)]
        self.here = [True, True]
        self.seeds: list[Seed | None] = [None, None]
        self.open: dict[str, Known] = {}
        self.dead: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.home.db.conn.close()
            shutil.rmtree(self.folder)

    # ---- what people do

    @rule(target=tokens, who=PEOPLE)
    def come_by_link(self, who: int) -> str:
        """By link, and with a code where they have an app."""
        if not self.here[who]:
            with pytest.raises(SocialgovError):
                make_signin_link(self.home, self.people[who].id, actor="cli", now=self.now)
            return "nobody's"
        link = make_signin_link(self.home, self.people[who].id, actor="cli", now=self.now).rsplit("/", 1)[-1]
        begun = use_signin_link(self.home, link, now=self.now, visitor=VISITOR)
        token, seed = begun.session, self.seeds[who]
        assert (token is None) is (seed is not None)
        if seed is not None:
            self.now += timedelta(seconds=30)  # the code before may be used
            token = finish_with_code(self.home, begun.waiting, self.code(seed), visitor=VISITOR, now=self.now)
        assert token is not None
        self.open[token] = Known(who, self.now, self.now, self.now if seed is not None else None)
        return token

    @rule(target=tokens, token=tokens)
    def add_an_app(self, token: str) -> str:
        known = self.alive(token)
        if known is None or self.seeds[known.person] is not None:
            return token
        fresh = self.lately(known.strong) or self.lately(known.begun)
        try:
            seed = begin_authenticator(self.home, self.people[known.person], token, now=self.now)
        except StepUpNeeded:
            assert not fresh
            return token
        assert fresh
        new = confirm_authenticator(self.home, self.people[known.person], token, self.code(seed), now=self.now)
        self.seeds[known.person] = seed
        return self.renewed(token, new)

    @rule(target=tokens, token=tokens)
    def confirm(self, token: str) -> str:
        known = self.alive(token)
        if known is None or (seed := self.seeds[known.person]) is None:
            return token
        self.now += timedelta(seconds=30)
        if self.alive(token) is None:
            return token
        new = confirm_with_code(self.home, self.people[known.person], token, self.code(seed), now=self.now)
        return self.renewed(token, new)

    @rule(token=consumes(tokens))
    def sign_out(self, token: str) -> None:
        end_session(self.home, token, now=self.now)
        self.ended(token)

    @rule(token=tokens)
    def end_the_others(self, token: str) -> None:
        if (known := self.alive(token)) is not None:
            end_other_sessions(self.home, self.people[known.person], token, now=self.now)
            for other in [one for one, its in self.open.items() if its.person == known.person and one != token]:
                self.ended(other)

    @rule(token=tokens, who=PEOPLE)
    def end_one(self, token: str, who: int) -> None:
        """Somebody ends one session by its number: their own, or in vain another's."""
        session = open_session(self.home, token, now=self.now)
        if session is None:
            return
        with suppress(SocialgovError):
            end_own_session(self.home, self.people[who], session.id, now=self.now)
            assert session.staff_id == self.people[who].id
            self.ended(token)

    @rule(who=PEOPLE)
    def lose_the_device(self, who: int) -> None:
        remove_factors(self.home, None, None, self.people[who].id, now=self.now)
        self.seeds[who] = None
        self.all_ended(who)

    @rule(who=PEOPLE)
    def leave_or_come_back(self, who: int) -> None:
        if self.here[who]:
            staff_leaves(self.home, None, self.people[who].id, now=self.now)
            self.all_ended(who)
            self.seeds[who] = None
        else:
            someone = self.people[who]
            self.people[who] = add_staff(self.home, None, someone.name, someone.email, someone.roles, now=self.now)
        self.here[who] = not self.here[who]

    @rule(minutes=st.sampled_from([1, 4, 5, 20, 28, 31, 300]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # ---- what must be so

    @invariant()
    def only_those_are_in_who_should_be(self) -> None:
        if not hasattr(self, "home"):
            return
        for token in self.dead:
            assert session_staff(self.home, token, now=self.now) is None
        for token in list(self.open):
            known = self.alive(token)
            found = session_staff(self.home, token, now=self.now)
            assert (found is None) is (known is None)
            if known is None:
                continue
            assert found == self.people[known.person]
            known.seen = self.now  # noted at most once a minute, so never later than this
            try:
                need_fresh(self.home, token, now=self.now)
            except StepUpNeeded:
                assert not self.lately(known.strong)
            else:
                assert self.lately(known.strong)

    @invariant()
    def an_app_counts_exactly_while_its_owner_has_it(self) -> None:
        if hasattr(self, "home"):
            for number, person in enumerate(self.people):
                assert (ways_of(self.home.db, person.id).authenticator is None) is (self.seeds[number] is None)

    # ---- the model

    def code(self, seed: Seed) -> str:
        return code_at(seed, self.now)[0]

    def lately(self, moment: datetime | None) -> bool:
        window = timedelta(minutes=self.home.settings.policy.step_up_minutes)
        return moment is not None and self.now - moment < window

    def alive(self, token: str) -> Known | None:
        known, policy = self.open.get(token), self.home.settings.policy
        if known is None:
            return None
        idle = self.now - known.seen > timedelta(minutes=policy.session_idle_minutes)
        return None if idle or self.now - known.begun >= timedelta(hours=policy.session_absolute_hours) else known

    def renewed(self, token: str, new: str) -> str:
        self.open[new] = self.open.pop(token)
        self.open[new].strong = self.now
        self.dead.add(token)
        return new

    def ended(self, token: str) -> None:
        self.open.pop(token, None)
        self.dead.add(token)

    def all_ended(self, who: int) -> None:
        for token in [one for one, its in self.open.items() if its.person == who]:
            self.ended(token)


@pytest.mark.asvs("7.2.4", "7.3.1", "7.3.2", "7.4.1", "7.4.2", "7.5.1")
def test_whatever_people_do_only_those_are_in_who_should_be() -> None:
    run_state_machine_as_test(Door, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))
