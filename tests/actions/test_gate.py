"""From approved to live and back: set-up, gate, task list, suspend, resume."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from factories import DOMAIN, NOW, staff
from walk import (
    Cast,
    approved,
    deposited,
    form_of,
    live,
    put_on_record,
    ready,
    requested,
    set_up,
    tags,
)

from socialgov import platforms
from socialgov.actions import accounts
from socialgov.actions.waivers import PUBLIC_ACCOUNT_RULES, grant_waiver
from socialgov.errors import Conflict, GateRefused, InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, Capability, Fact, PlatformInfo, Role, When
from socialgov.platforms import Platform, PlatformError, Profile
from socialgov.rules import CATALOGUE
from socialgov.store.accounts import account_by_id
from socialgov.store.outbox import notices_of

S = AccountState


def refusals(home: Home, cast: Cast, account_id: int) -> set[str]:
    with pytest.raises(GateRefused) as caught:
        accounts.go_live(home, cast.owner, account_id, now=NOW)
    return {finding.rule_id for finding in caught.value.findings}


# --------------------------------------------------------------------------------------------------- setting up


def test_the_set_up_is_recorded(home: Home, cast: Cast) -> None:
    account = set_up(home, cast, approved(home, cast))
    assert (account.handle, account.school_email) == ("geography.field.trip", f"trips@{DOMAIN}")
    assert account.set_up_at == NOW
    assert tags(home, account)[-1] == "account:setup:recorded"


@pytest.mark.parametrize(
    ("handle", "email", "field"),
    [
        ("", f"trips@{DOMAIN}", "handle"),
        ("a b", f"trips@{DOMAIN}", "handle"),
        ("field.trip", "", "school_email"),
        ("field.trip", "somebody", "school_email"),
        ("field.trip", "me@home.example", "school_email"),
        ("field.trip", f"me@not-{DOMAIN}", "school_email"),
    ],
)
def test_only_a_school_address_and_a_possible_handle_are_taken(
    home: Home, cast: Cast, handle: str, email: str, field: str
) -> None:
    account = approved(home, cast)
    with pytest.raises(InvalidInput) as caught:
        accounts.record_setup(home, cast.owner, account.id, handle=handle, school_email=email, now=NOW)
    assert list(caught.value.fields) == [field]


def test_a_set_up_is_recorded_only_in_front_of_the_gate(home: Home, cast: Cast) -> None:
    for account in (requested(home, cast), live(home, cast, form=form_of(cast, handle_wished="other.trip"))):
        with pytest.raises(WrongState):
            set_up(home, cast, account)


def test_another_handle_makes_old_evidence_worthless(home: Home, cast: Cast) -> None:
    account, later = ready(home, cast), NOW + timedelta(hours=1)
    accounts.record_setup(
        home, cast.owner, account.id, handle="another.account", school_email=f"trips@{DOMAIN}", now=later
    )
    with pytest.raises(GateRefused) as caught:
        accounts.go_live(home, cast.owner, account.id, now=later)
    assert {"ACC102", "ACC103"} <= {finding.rule_id for finding in caught.value.findings}


def test_the_same_handle_again_keeps_the_evidence(home: Home, cast: Cast) -> None:
    account, later = ready(home, cast), NOW + timedelta(hours=1)
    assert set_up(home, cast, account, now=later).set_up_at == NOW


class Readable(Platform):
    """A platform that can be read, whose answer the test decides."""

    capabilities = frozenset({Capability.READ_PROFILE})
    answer: str | Exception = "remote-1"

    def profile(self) -> Profile:
        assert self.remote_id is None
        if isinstance(self.answer, Exception):
            raise self.answer
        return Profile(self.answer, self.handle or "", "", "", None)


@pytest.fixture
def readable(monkeypatch: pytest.MonkeyPatch) -> type[Readable]:
    def chosen(info: PlatformInfo) -> type[Platform]:
        return Readable

    monkeypatch.setattr(platforms, "adapter_class", chosen)
    monkeypatch.setattr(Readable, "answer", "remote-1")
    return Readable


def test_the_lasting_id_is_kept_where_the_platform_tells(home: Home, cast: Cast, readable: type[Readable]) -> None:
    assert set_up(home, cast, approved(home, cast)).remote_id == "remote-1"


def test_two_accounts_are_never_the_same_on_the_platform(home: Home, cast: Cast, readable: type[Readable]) -> None:
    set_up(home, cast, approved(home, cast))
    other = approved(home, cast, form=form_of(cast, handle_wished="renamed"))
    with pytest.raises(InvalidInput) as caught:
        set_up(home, cast, other)
    assert "handle" in caught.value.fields


def test_a_handle_that_nobody_has_is_a_fault_and_a_silent_platform_is_not(
    home: Home, cast: Cast, readable: type[Readable]
) -> None:
    account = approved(home, cast)
    readable.answer = PlatformError("There is no such profile.", permanent=True)
    with pytest.raises(InvalidInput) as caught:
        set_up(home, cast, account)
    assert "handle" in caught.value.fields
    readable.answer = PlatformError("It does not answer.", permanent=False)
    with pytest.raises(PlatformError):
        set_up(home, cast, account)
    assert account_by_id(home.db, account.id).handle is None


# --------------------------------------------------------------------------------------------------- the gate


def test_the_gate_opens_when_every_rule_holds(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    assert (account.state, account.live_at, account.check_due_at) == (S.LIVE, NOW, NOW)
    assert tags(home, account)[-1] == "account:state:live"


def test_nothing_on_record_passes_nothing_and_the_refusal_is(home: Home, cast: Cast) -> None:
    account = approved(home, cast)
    gate_rules = {rule.id for rule in CATALOGUE.values() if When.GATE in rule.when}
    assert refusals(home, cast, account.id) == gate_rules - {"ACC104"}
    assert account_by_id(home.db, account.id).state is S.APPROVED
    assert tags(home, account)[-1] == "account:gate:refused"


@pytest.mark.parametrize(
    ("fact", "value", "rule_id"),
    [
        (Fact.PRIVATE, False, "ACC103"),
        (Fact.LOGO, "unsure", "ACC102"),
        (Fact.LOGO, "different", "ACC102"),
        (Fact.SETUP_EMAIL, "me@home.example", "ACC101"),
        (Fact.PROFILE_TEXT, "My holidays", "ACC106"),
        (Fact.RECOVERY_WITH_SCHOOL, False, "SEC206"),
        (Fact.LOGIN_WORKS, False, "SEC205"),
    ],
)
def test_one_rule_that_does_not_hold_keeps_it_shut(
    home: Home, cast: Cast, fact: Fact, value: object, rule_id: str
) -> None:
    account = ready(home, cast)
    put_on_record(home, account, fact, value)
    assert refusals(home, cast, account.id) == {rule_id}


def test_evidence_that_is_too_old_keeps_it_shut(home: Home, cast: Cast) -> None:
    account = ready(home, cast)
    later = NOW + timedelta(days=home.settings.policy.observation_days, hours=1)
    with pytest.raises(GateRefused) as caught:
        accounts.go_live(home, cast.owner, account.id, now=later)
    assert {f.rule_id for f in caught.value.findings} >= {"ACC102", "ACC103"}
    assert all(f.answer is None for f in caught.value.findings)


def test_a_new_deposit_makes_the_login_unknown_again(home: Home, cast: Cast) -> None:
    account, later = ready(home, cast), NOW + timedelta(minutes=5)
    deposited(home, cast, account, secret="Ueb9!perky-Lantern-07", now=later)
    with pytest.raises(GateRefused) as caught:
        accounts.go_live(home, cast.owner, account.id, now=later)
    assert [f.rule_id for f in caught.value.findings] == ["SEC205"]


def test_a_public_platform_goes_live_by_the_heads_exception_alone(home: Home, cast: Cast) -> None:
    account = ready(home, cast)
    put_on_record(home, account, Fact.PRIVATE, False)
    assert refusals(home, cast, account.id) == {"ACC103"}
    grant_waiver(home, cast.head, account.id, PUBLIC_ACCOUNT_RULES, "Open to families abroad.", None, now=NOW)
    assert accounts.go_live(home, cast.owner, account.id, now=NOW).state is S.LIVE


def test_it_does_not_go_live_before_the_first_day_nor_after_the_last(home: Home, cast: Cast) -> None:
    account = ready(home, cast, form=form_of(cast, starts_on=date(2026, 11, 24)))
    with pytest.raises(Conflict, match="24 November 2026"):
        accounts.go_live(home, cast.owner, account.id, now=NOW)
    with pytest.raises(Conflict, match="over"):
        accounts.go_live(home, cast.owner, account.id, now=NOW + timedelta(days=20))


def test_only_keepers_and_the_manager_open_the_gate(home: Home, cast: Cast) -> None:
    account = ready(home, cast)
    for other in (staff(home, Role.TEACHER), cast.head):
        with pytest.raises(NotPermitted):
            accounts.go_live(home, other, account.id, now=NOW)


# --------------------------------------------------------------------------------------------------- tasks


def test_the_task_list_says_what_is_missing_and_whose_it_is(home: Home, cast: Cast) -> None:
    account = approved(home, cast)
    tasks = {task.key: task for task in accounts.task_list(home, account, NOW)}
    assert (next(iter(tasks)), list(tasks)[-1]) == ("set_up", "go_live")
    assert tasks["set_up"].done is False
    assert tasks["private"].done is None
    assert tasks["platform"].done is True
    assert tasks["deposit"].done is False
    assert tasks["login_test"].who == "Network manager"
    account = ready(home, cast, form=form_of(cast, handle_wished="second.trip"))
    assert [t.key for t in accounts.task_list(home, account, NOW) if not t.done] == ["go_live"]


def test_every_gate_rule_is_a_task_and_every_obstacle_is_open(home: Home, cast: Cast) -> None:
    account = approved(home, cast)
    open_tasks = [task for task in accounts.task_list(home, account, NOW) if not task.done]
    assert len(open_tasks) == len(refusals(home, cast, account.id)) + 2  # set it up, and go live


def test_a_platform_without_private_accounts_needs_the_head(home: Home, cast: Cast) -> None:
    account = approved(home, cast, form=form_of(cast, platform="bluesky", handle_wished="trip.bsky.social"))
    task = next(task for task in accounts.task_list(home, account, NOW) if task.key == "private")
    assert (task.who, task.href_endpoint, task.done) == ("Head", "lifetime.waive", True)


def test_a_waiting_request_has_one_task_and_a_live_account_none(home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    assert [t.key for t in accounts.task_list(home, account, NOW)] == ["decide"]
    account = accounts.return_request(home, cast.manager, account.id, "Say more.", now=NOW)
    assert [t.key for t in accounts.task_list(home, account, NOW)] == ["amend"]
    assert accounts.task_list(home, replace(account, state=S.LIVE), NOW) == []


# --------------------------------------------------------------------------------------------------- suspend, resume


def test_suspending_stops_at_once_and_tells_everybody(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    suspended = accounts.suspend(home, cast.deputy, account.id, "A stranger posts there.", now=NOW)
    assert (suspended.state, suspended.suspend_reason) == (S.SUSPENDED, "A stranger posts there.")
    for told in (cast.owner, cast.manager, cast.head):
        assert "account_suspended" in [n.kind for n in notices_of(home.db, told.id)]
    assert "account_suspended" not in [n.kind for n in notices_of(home.db, cast.deputy.id)]
    assert tags(home, account)[-1] == "account:state:suspended"


def test_suspending_needs_a_reason_and_a_live_account(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    with pytest.raises(InvalidInput):
        accounts.suspend(home, cast.owner, account.id, "", now=NOW)
    accounts.suspend(home, cast.owner, account.id, "Odd.", now=NOW)
    with pytest.raises(WrongState):
        accounts.suspend(home, cast.owner, account.id, "Odd again.", now=NOW)


def test_an_account_goes_on_only_through_the_gate(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    accounts.suspend(home, cast.owner, account.id, "It was public.", now=NOW)
    put_on_record(home, account, Fact.PRIVATE, False)
    with pytest.raises(NotPermitted):
        accounts.resume(home, cast.owner, account.id, now=NOW)
    with pytest.raises(GateRefused):
        accounts.resume(home, cast.head, account.id, now=NOW)
    assert tags(home, account)[-1] == "account:gate:refused"
    put_on_record(home, account, Fact.PRIVATE, True)
    resumed = accounts.resume(home, cast.head, account.id, now=NOW)
    assert (resumed.state, resumed.suspend_reason, resumed.live_at) == (S.LIVE, None, account.live_at)


def test_a_suspended_account_whose_time_is_over_does_not_go_on(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    accounts.suspend(home, cast.owner, account.id, "Odd.", now=NOW)
    with pytest.raises(Conflict, match="over"):
        accounts.resume(home, cast.head, account.id, now=NOW + timedelta(days=15))
