"""Breaking the glass: two persons, a waiting time, everybody told, everything logged."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from factories import NOW, VAULT_PASSPHRASE, make_home, manager_of, sheets_of, staff, vault_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from walk import SECRET, Cast, approved, cast_of, deposited, live

from socialgov.actions import break_glass as glass
from socialgov.actions.looking import look
from socialgov.actions.sessions import Visitor, open_session, start_session
from socialgov.actions.staff import set_roles, staff_leaves
from socialgov.actions.stepup import mark_strong
from socialgov.actions.vault import open_vault, opened_vault, opening_of
from socialgov.actions.vault_passphrase import join
from socialgov.errors import (
    Conflict,
    InvalidInput,
    NotPermitted,
    SocialgovError,
    StepUpNeeded,
    Throttled,
    VaultShut,
)
from socialgov.escrow import Recovery
from socialgov.escrow.shares import split_secret
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import Account, GlassState, Role, Staff
from socialgov.permissions import can_agree_glass, can_ask_glass, can_stop_glass
from socialgov.store.break_glass import all_glass, open_glass
from socialgov.store.connect import write
from socialgov.store.events import events_page, verify_chain
from socialgov.store.looks import reveals_of
from socialgov.store.outbox import notices_of
from socialgov.store.staff import staff_by_id
from socialgov.store.vault import holder_of, openings_of_now

WHY = "The network manager is in hospital and an account must come down."
OWN = "bramble otter plywood sunrise mitten quarry"
WAIT, OPEN = timedelta(hours=24), timedelta(hours=4)
LATER = NOW + WAIT


@pytest.fixture
def lead(home: Home) -> Staff:
    return staff(home, Role.SAFEGUARDING_LEAD)


def session_for(home: Home, person: Staff, now: datetime = NOW, *, strong: bool = True) -> str:
    with write(home.db) as db:
        token = start_session(db, home, person.id, method="link", visitor=Visitor(), now=now)
        session = open_session(home, token, now=now)
        assert session is not None
        if strong:
            mark_strong(db, session.id, "passkey", now)
    return token


def asked(home: Home, head: Staff, now: datetime = NOW) -> int:
    return glass.ask(home, head, session_for(home, head, now), WHY, now=now)


def agreed(home: Home, head: Staff, second: Staff, now: datetime = NOW) -> int:
    glass_id = asked(home, head, now)
    glass.agree(home, second, session_for(home, second, now), glass_id, now=now)
    return glass_id


def broken(home: Home, head: Staff, second: Staff) -> tuple[int, str, str]:
    """(its id, the head's session, the token of the opening): the waiting time is over and the sheets were typed in."""
    glass_id = agreed(home, head, second)
    session = session_for(home, head, LATER)
    token = glass.open_with_sheets(home, head, session, glass_id, sheets_of(home)[1:], now=LATER)
    return glass_id, session, token


def with_deposit(home: Home, cast: Cast) -> Account:
    account = approved(home, cast)
    deposited(home, cast, account)
    return account


def tags(home: Home, prefix: str) -> list[str]:
    return [event.tag for event in reversed(events_page(home.db, before=None, tag=prefix, actor=None, limit=500))]


def told(home: Home, person: Staff) -> list[str]:
    return [one.kind for one in reversed(notices_of(home.db, person.id)) if one.kind.startswith("glass")]


def test_the_head_and_a_second_person_open_the_vault_after_the_waiting_time(
    home: Home, cast: Cast, lead: Staff
) -> None:
    account = with_deposit(home, cast)
    glass_id, session, token = broken(home, cast.head, lead)
    vault = opened_vault(home, session, token, now=LATER)
    seen = look(home, cast.head, vault, account.id, "The account must come down.", now=LATER, glass=glass_id)
    assert seen.secret == SECRET
    assert reveals_of(home.db, account.id)[0].break_glass_id == glass_id
    assert "who broke the glass" in next(
        n.text for n in notices_of(home.db, cast.owner.id) if n.kind == "password_seen"
    )
    assert tags(home, "vault:glass") == ["vault:glass:asked", "vault:glass:approved", "vault:glass:broken"]
    assert tags(home, "vault:recovery")[-1] == "vault:recovery:used"
    assert tags(home, "vault:door") == ["vault:door:opened"]


def test_everybody_concerned_is_told_at_each_stage_once(home: Home, cast: Cast, lead: Staff) -> None:
    live(home, cast)
    governor, teacher = staff(home, Role.GOVERNOR), staff(home)
    glass_id, session, _ = broken(home, cast.head, lead)
    glass.open_with_sheets(home, cast.head, session, glass_id, sheets_of(home)[:2], now=LATER)
    glass.stop(home, cast.manager, glass_id, "I am back and can open it.", now=LATER)
    for person in (cast.manager, cast.head, lead, governor, cast.owner):
        assert told(home, person) == ["glass_asked", "glass_agreed", "glass_broken", "glass_stopped"], person.name
    assert told(home, teacher) == []
    mailed = [row["to_address"] for row in home.db.query("select * from outbox where subject like '%break the glass%'")]
    assert set(mailed) == {p.email for p in (cast.manager, cast.head, lead, governor, cast.owner)}


@pytest.mark.parametrize("role", list(Role))
def test_who_asks_who_agrees_and_who_stops(home: Home, role: Role) -> None:
    person = staff(home, role)
    assert can_ask_glass(person) is (role is Role.HEAD)
    assert can_agree_glass(person) is (role in (Role.HEAD, Role.SAFEGUARDING_LEAD, Role.GOVERNOR))
    assert can_stop_glass(person) is (role in (Role.HEAD, Role.NETWORK_MANAGER))
    assert not can_agree_glass(person, person.id)


def test_nobody_agrees_with_themselves_in_whatever_second_role(home: Home, manager: Staff) -> None:
    both = staff(home, Role.HEAD, Role.SAFEGUARDING_LEAD, Role.GOVERNOR)
    glass_id = asked(home, both)
    with pytest.raises(NotPermitted, match="somebody else"):
        glass.agree(home, both, session_for(home, both), glass_id, now=NOW)
    other = staff(home, Role.HEAD)
    glass.agree(home, other, session_for(home, other), glass_id, now=NOW)
    with pytest.raises(NotPermitted, match="who asked"):  # and who agreed does not open
        glass.open_with_sheets(home, other, session_for(home, other, LATER), glass_id, sheets_of(home)[:2], now=LATER)


@pytest.mark.asvs("7.5.1")
def test_each_step_asks_once_more_who_it_is(home: Home, cast: Cast, lead: Staff) -> None:
    with pytest.raises(StepUpNeeded):
        glass.ask(home, cast.head, session_for(home, cast.head, strong=False), WHY, now=NOW)
    glass_id = asked(home, cast.head)
    with pytest.raises(StepUpNeeded):
        glass.agree(home, lead, session_for(home, lead, strong=False), glass_id, now=NOW)
    glass.agree(home, lead, session_for(home, lead), glass_id, now=NOW)
    weak = session_for(home, cast.head, LATER, strong=False)
    with pytest.raises(StepUpNeeded):
        glass.open_with_sheets(home, cast.head, weak, glass_id, sheets_of(home)[:2], now=LATER)


def test_the_sheets_open_nothing_before_the_waiting_time_and_nothing_after_the_open_hours(
    home: Home, cast: Cast, lead: Staff
) -> None:
    glass_id = agreed(home, cast.head, lead)
    second = timedelta(seconds=1)
    for now in (NOW, LATER - second, LATER + OPEN, LATER + OPEN + WAIT):
        with pytest.raises(Conflict):
            glass.open_with_sheets(
                home, cast.head, session_for(home, cast.head, now), glass_id, sheets_of(home)[:2], now=now
            )
    late = LATER + OPEN - second
    session = session_for(home, cast.head, late)
    token = glass.open_with_sheets(home, cast.head, session, glass_id, sheets_of(home)[:2], now=late)
    assert opened_vault(home, session, token, now=late)
    with pytest.raises(VaultShut):  # the five minutes end with the open hours
        opened_vault(home, session, token, now=LATER + OPEN)


def test_a_network_manager_or_head_stops_it_at_any_stage(home: Home, cast: Cast, lead: Staff) -> None:
    account, other = with_deposit(home, cast), staff(home, Role.HEAD)
    for stopper, stage in ((cast.manager, asked), (other, agreed)):
        glass_id = stage(home, cast.head, lead) if stage is agreed else asked(home, cast.head)
        with pytest.raises(InvalidInput):
            glass.stop(home, stopper, glass_id, " ", now=NOW)
        glass.stop(home, stopper, glass_id, "There is no need for it.", now=NOW)
        assert all_glass(home.db)[0].state(NOW) is GlassState.STOPPED
        with pytest.raises(Conflict):
            glass.agree(home, lead, session_for(home, lead), glass_id, now=NOW)
    glass_id, session, token = broken(home, cast.head, lead)
    vault = opened_vault(home, session, token, now=LATER)
    with pytest.raises(NotPermitted):
        glass.stop(home, lead, glass_id, "I changed my mind.", now=LATER)
    glass.stop(home, cast.manager, glass_id, "I am back.", now=LATER)
    with pytest.raises(VaultShut):
        opened_vault(home, session, token, now=LATER)
    with pytest.raises(NotPermitted):  # and a request that had it in hand shows nothing any more
        look(home, cast.head, vault, account.id, "The account must come down.", now=LATER, glass=glass_id)
    assert reveals_of(home.db, account.id) == []


def test_one_is_under_way_at_a_time(home: Home, cast: Cast, lead: Staff) -> None:
    asked(home, cast.head)
    other = staff(home, Role.HEAD)
    with pytest.raises(Conflict, match="already"):
        asked(home, other)
    week = NOW + timedelta(days=glass.DAYS_TO_AGREE)
    assert glass.under_way(home, now=week) is None
    with pytest.raises(Conflict):  # nobody agreed within a week: it is over
        glass.agree(home, lead, session_for(home, lead, week), 1, now=week)
    assert asked(home, other, week) == 2


def test_wrong_sheets_are_logged_counted_and_never_kept(
    home: Home, cast: Cast, lead: Staff, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    glass_id = agreed(home, cast.head, lead)
    foreign, mine = tuple(split_secret(Recovery.new().secret)), sheets_of(home)
    misread = mine[0].replace(mine[0].split()[20], mine[0].split()[21], 1)
    tries: list[tuple[str, str]] = [
        (mine[0], mine[0]), (mine[0], foreign[1]), (foreign[0], foreign[1]), (mine[0], ""), (misread, mine[1]),
        (" ".join(mine[0].split()[:-1]), mine[1]), ("x" * 5000, mine[1]),
    ]  # fmt: skip
    for sheets in tries:
        with pytest.raises(InvalidInput) as caught:
            glass.open_with_sheets(home, cast.head, session_for(home, cast.head, LATER), glass_id, sheets, now=LATER)
        assert set(caught.value.fields) <= {"sheet_1", "sheet_2"}
        assert mine[1].split()[15] not in str(caught.value) + str(caught.value.fields)
    assert tags(home, "vault:door") == ["vault:door:refused"] * len(tries)
    for _ in range(home.settings.policy.signin_tries - len(tries)):
        with pytest.raises(InvalidInput):
            glass.open_with_sheets(home, cast.head, session_for(home, cast.head, LATER), glass_id, tries[0], now=LATER)
    with pytest.raises(Throttled):  # then not even the right ones are looked at
        glass.open_with_sheets(home, cast.head, session_for(home, cast.head, LATER), glass_id, mine[:2], now=LATER)
    soon = LATER + timedelta(minutes=home.settings.policy.signin_tries_minutes)
    session = session_for(home, cast.head, soon)
    token = glass.open_with_sheets(home, cast.head, session, glass_id, mine[:2], now=soon)
    assert opened_vault(home, session, token, now=soon)
    stored = "\n".join(home.db.iterdump()) + caplog.text
    for sheet in (*mine, *foreign):
        assert " ".join(sheet.split()[5:8]) not in stored


def test_somebody_new_is_let_in_and_opens_the_vault_from_then_on(home: Home, cast: Cast, lead: Staff) -> None:
    account, new = with_deposit(home, cast), staff(home, Role.TEACHER)
    glass_id, session, token = broken(home, cast.head, lead)
    vault = opened_vault(home, session, token, now=LATER)
    code = glass.name_manager(home, cast.head, vault, glass_id, new.id, now=LATER)
    new = staff_by_id(home.db, new.id)
    assert new.has(Role.NETWORK_MANAGER)
    assert new.has(Role.TEACHER)
    join(home, new, code, OWN, now=LATER)
    theirs = session_for(home, new, LATER)
    opened = opened_vault(home, theirs, open_vault(home, new, theirs, OWN, now=LATER), now=LATER)
    assert look(home, new, opened, account.id, "The account must come down.", now=LATER).secret == SECRET


def test_a_manager_who_forgot_their_passphrase_gets_a_new_code(home: Home, cast: Cast, lead: Staff) -> None:
    glass_id, session, token = broken(home, cast.head, lead)
    vault = opened_vault(home, session, token, now=LATER)
    code = glass.name_manager(home, cast.head, vault, glass_id, cast.manager.id, now=LATER)
    assert holder_of(home.db, cast.manager.id, "manager") is None
    join(home, cast.manager, code, OWN, now=LATER)
    theirs = session_for(home, cast.manager, LATER)
    with pytest.raises(InvalidInput):
        open_vault(home, cast.manager, theirs, VAULT_PASSPHRASE, now=LATER)
    assert open_vault(home, cast.manager, theirs, OWN, now=LATER)


def test_without_a_broken_glass_of_their_own_a_head_names_nobody(home: Home, cast: Cast, lead: Staff) -> None:
    other, vault, new = staff(home, Role.HEAD), vault_of(home), staff(home)
    with pytest.raises(Conflict):
        glass.name_manager(home, cast.head, vault, 1, new.id, now=NOW)
    glass_id, _, _ = broken(home, cast.head, lead)
    for actor in (other, lead, cast.manager):
        with pytest.raises(NotPermitted):
            glass.name_manager(home, actor, vault, glass_id, new.id, now=LATER)
    assert not staff_by_id(home.db, new.id).has(Role.NETWORK_MANAGER)


def test_it_takes_two_who_still_have_their_roles(home: Home, cast: Cast, lead: Staff) -> None:
    glass_id = agreed(home, cast.head, lead)
    staff_leaves(home, cast.manager, lead.id, now=NOW)
    with pytest.raises(NotPermitted, match="second person"):
        glass.open_with_sheets(
            home, cast.head, session_for(home, cast.head, LATER), glass_id, sheets_of(home)[:2], now=LATER
        )


def test_a_glass_that_somebody_else_broke_shows_nothing(home: Home, cast: Cast, lead: Staff) -> None:
    account, other, vault = with_deposit(home, cast), staff(home, Role.HEAD), vault_of(home)
    glass_id, _, _ = broken(home, cast.head, lead)
    for actor in (other, lead, cast.manager):
        with pytest.raises(NotPermitted):
            look(home, actor, vault, account.id, "The account must come down.", now=LATER, glass=glass_id)
    assert reveals_of(home.db, account.id) == []


def test_a_head_who_is_head_no_more_finds_the_vault_shut(home: Home, cast: Cast, lead: Staff) -> None:
    account = with_deposit(home, cast)
    glass_id, session, token = broken(home, cast.head, lead)
    vault = opened_vault(home, session, token, now=LATER)
    set_roles(home, cast.manager, cast.head.id, {Role.TEACHER}, now=LATER)
    with pytest.raises(VaultShut):
        opened_vault(home, session, token, now=LATER)
    with pytest.raises(NotPermitted):
        now_teacher = staff_by_id(home.db, cast.head.id)
        look(home, now_teacher, vault, account.id, "The account must come down.", now=LATER, glass=glass_id)


def test_the_scheduler_ends_what_is_over(home: Home, cast: Cast, lead: Staff) -> None:
    glass_id, session, _ = broken(home, cast.head, lead)
    run_once(home, LATER)
    assert open_glass(home.db) is not None
    assert opening_of(home, session, now=LATER)
    run_once(home, LATER + OPEN)
    assert open_glass(home.db) is None
    assert all_glass(home.db)[0].id == glass_id
    assert tags(home, "vault:glass")[-1] == "vault:glass:ended"
    assert home.db.execute("select count(*) from vault_opening where sealed is not null").fetchone()[0] == 0
    run_once(home, LATER + OPEN + timedelta(minutes=1))
    assert tags(home, "vault:glass").count("vault:glass:ended") == 1


# --------------------------------------------------------------------------------------------------- any order

WHO = ("head", "other_head", "lead", "governor", "manager", "teacher")
person = st.sampled_from(WHO)


class Glasses(RuleBasedStateMachine):
    """Anybody tries anything at any time; a model of five states says what may have come of it."""

    home: Home
    people: dict[str, Staff]
    deposit: Account

    @initialize(stage=st.sampled_from([None, *GlassState, GlassState.OPEN]), by=st.sampled_from(["head", "other_head"]))
    def begin(self, stage: GlassState | None, by: str) -> None:
        """Nothing yet, or as far as `stage`: what lies behind the waiting time is met as often."""
        last = getattr(type(self), "last", NOW)
        self.now = last + timedelta(days=30)  # whatever the example before left is long over
        self.state, self.asked_by, self.agreed_by, self.due = None, "", "", self.now
        self.token: tuple[str, str, datetime] | None = None
        if stage is not None:
            self.ask(by)
        if stage in (GlassState.WAITING, GlassState.OPEN):
            self.agree("governor")
        if stage is GlassState.OPEN:
            self.wait(24 * 60)

    def attempt(self, may: bool, deed: Callable[[], object]) -> bool:
        before = tags(self.home, "vault:glass")
        try:
            deed()
        except SocialgovError:
            assert not may
            assert tags(self.home, "vault:glass") == before
            return False
        assert may
        return True

    def session(self, name: str) -> str:
        return session_for(self.home, self.people[name], self.now)

    @property
    def id(self) -> int:
        newest = all_glass(self.home.db, 1)
        return newest[0].id if newest else 1

    def tick(self) -> None:
        if self.state in (GlassState.ASKED, GlassState.OPEN) and self.now >= self.due:
            self.state = None
        if self.state is GlassState.WAITING and self.now >= self.due:
            self.state, self.due = GlassState.OPEN, self.due + OPEN
            self.tick()

    @rule(by=person)
    def ask(self, by: str) -> None:
        may = self.state is None and by in ("head", "other_head")
        who = self.people[by]
        if self.attempt(may, lambda: glass.ask(self.home, who, self.session(by), WHY, now=self.now)):
            self.state, self.asked_by, self.due = GlassState.ASKED, by, self.now + timedelta(days=7)

    @rule(by=person)
    def agree(self, by: str) -> None:
        may = self.state is GlassState.ASKED and by not in (self.asked_by, "manager", "teacher")
        who = self.people[by]
        if self.attempt(may, lambda: glass.agree(self.home, who, self.session(by), self.id, now=self.now)):
            self.state, self.agreed_by, self.due = GlassState.WAITING, by, self.now + WAIT

    @rule(by=person)
    def stop(self, by: str) -> None:
        may = self.state is not None and by in ("head", "other_head", "manager")
        if self.attempt(may, lambda: glass.stop(self.home, self.people[by], self.id, "No need.", now=self.now)):
            self.state = self.token = None

    @rule(by=person, good=st.booleans())
    def open(self, by: str, good: bool) -> None:
        may = self.state is GlassState.OPEN and by == self.asked_by and good
        session, mine = self.session(by), sheets_of(self.home)
        sheets = mine[:2] if good else (mine[0], mine[0])
        who, got = self.people[by], list[str]()

        def deed() -> None:
            got.append(glass.open_with_sheets(self.home, who, session, self.id, sheets, now=self.now))

        if self.attempt(may, deed):
            self.token = (session, got[0], min(self.now + timedelta(minutes=5), self.due))
            assert self.agreed_by != by

    @rule()
    def open_as_it_should_be(self) -> None:
        """Met far more often than by chance."""
        if self.asked_by:
            self.open(self.asked_by, True)

    @rule(by=person)
    def look(self, by: str) -> None:
        vault, who = vault_of(self.home), self.people[by]
        may = self.state is GlassState.OPEN and by == self.asked_by
        why = "The account must come down."
        self.attempt(may, lambda: look(self.home, who, vault, self.deposit.id, why, now=self.now, glass=self.id))

    @rule(minutes=st.sampled_from([1, 5, 20, 60, 239, 24 * 60, 7 * 24 * 60]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.tick()

    @rule()
    def scheduler(self) -> None:
        glass.end_if_over(self.home, now=self.now)

    @invariant()
    def it_is_open_for_nobody_else_and_no_longer(self) -> None:
        if not hasattr(self, "now"):
            return
        type(self).last = self.now  # type: ignore[attr-defined]
        found = glass.under_way(self.home, now=self.now)
        assert (found.state(self.now) if found else None) is self.state
        there = openings_of_now(self.home.db, self.now)
        in_time = self.token is not None and self.now < self.token[2] and self.state is GlassState.OPEN
        assert len(there) <= 1 or {one.staff_id for one in there} == {self.people[self.asked_by].id}
        if not in_time:
            assert there == []
        elif self.token is not None:
            assert opened_vault(self.home, self.token[0], self.token[1], now=self.now)


def test_in_no_order_is_the_glass_broken_by_one_alone_or_too_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Glasses.home = make_home(Path(folder))
        cast = cast_of(home)
        Glasses.deposit = with_deposit(home, cast)
        Glasses.people = {
            "head": cast.head,
            "other_head": staff(home, Role.HEAD),
            "lead": staff(home, Role.SAFEGUARDING_LEAD),
            "governor": staff(home, Role.GOVERNOR),
            "manager": manager_of(home),
            "teacher": cast.owner,
        }
        machine = Glasses.TestCase()
        machine.settings = settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        )
        machine.runTest()
        assert verify_chain(home.db).whole
