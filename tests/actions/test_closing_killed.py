"""kill -9 at every point of a closing: nothing is lost, and nothing is done twice that shows."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from closing_fakes import arrange, deeds
from closing_school import PASSWORD, deposited, events, live_account, owner_of, people_around, with_platform
from factories import NOW, manager_of, vault_of
from killing import copy_of, killed_at, not_waiting_for_the_disk
from networks import Clock, Sandbox, served

from socialgov.actions.certificates import certificate_of, certificate_text, verify_certificate
from socialgov.actions.closing import advance, complete_task, go_on_with_vault, start_closing
from socialgov.actions.unsealing import machine_login, spare_logins
from socialgov.escrow import OpenVault
from socialgov.home import Home
from socialgov.models import AccountState, StepName, StepState
from socialgov.sandbox import Network, create_sandbox
from socialgov.sandbox.wall import Wall
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import closing_of, first_open_step
from socialgov.store.erasing import people_still_held
from socialgov.store.events import verify_chain
from socialgov.store.rows import dicts, scalar

LATER = NOW + timedelta(days=8)
AFTER_THE_LEASE = timedelta(minutes=6)


def close_it(home: Home, vault: OpenVault, now: datetime = NOW, later: datetime = LATER) -> None:
    """The whole story from wherever it stands: begin, let the machine work, open the vault where it waits for that,
    wait, hand the code over, finish.
    """
    account = account_by_id(home.db, 1)
    if account.state is AccountState.LIVE:
        start_closing(home, None, account.id, "Its end date is over.", now=now)
    closing = closing_of(home.db, account.id)
    assert closing is not None
    for moment in (now, later):
        advance(home, closing.id, now=moment)
        open_the_vault(home, closing.id, vault, moment)
    step = first_open_step(home.db, closing.id)
    if step is not None and step.name is StepName.DELETE and step.detail.get("phase") == "code":
        network = json.loads(Path(home.settings.platforms["sandbox"].api_base or "").read_text())
        code = network["codes"][-1]
        complete_task(home, owner_of(home, account), step.id, now=later, code=code)
        open_the_vault(home, closing.id, vault, later)


def open_the_vault(home: Home, closing_id: int, vault: OpenVault, now: datetime) -> None:
    step = first_open_step(home.db, closing_id)
    if step is not None and step.state is StepState.TASK and step.detail.get("vault"):
        go_on_with_vault(home, manager_of(home), step.id, vault, now=now)


def school_with_account(home: Home, tmp_path: Path) -> Home:
    school = with_platform(home, arrange(tmp_path / "network.json", password=PASSWORD), days_from_end_to_deletion=7)
    account = live_account(school, remote_id="r1")
    deposited(school, account)
    people_around(school, account)
    return school


def with_own_network(school: Home, place: Path) -> Home:
    """A copy of the school with a network of its own."""
    copy = copy_of(school, place)
    info = replace(school.settings.platforms["sandbox"], api_base=str(place.with_suffix(".json")))
    Path(info.api_base or "").write_text(Path(school.settings.platforms["sandbox"].api_base or "").read_text())
    return not_waiting_for_the_disk(with_platform(copy, info))


def assert_closed_once(home: Home, point: int) -> None:
    at = f"killed at point {point}"
    account = account_by_id(home.db, 1)
    assert account.state is AccountState.CLOSED, at
    steps = [json.loads(row["data"])["step"] for row in events(home, "closing:step:done")]
    assert len(steps) == len(set(steps)) == 12 - 1, at
    once = ("account:state:closing", "account:state:closed", "closing:people:erased", "closing:certificate:issued")
    assert [len(events(home, tag)) for tag in once] == [1, 1, 1, 1], at
    assert verify_chain(home.db).whole, at
    assert people_still_held(home.db, account.id) == 0, at
    assert not [path for path in (home.path / "blobs").glob("*/*") if path.is_file()], at
    certificate = certificate_of(home.db, account.id)
    assert certificate is not None and verify_certificate(certificate_text(certificate), home).valid, at
    seen = Counter(row["fact"] for row in dicts(home.db, "select fact from observation"))
    # each once while it closed, and once when the deposit brought the machine its key
    assert seen == {"posts": 1, "login_works": 1 + 1, "our_access": 1 + 1, "presence": 4}, at
    told = scalar(home.db, "select count(*) from notice where text like '%being closed%'")
    assert told == 2, at
    done = Counter(deeds(home.settings.platforms["sandbox"]))
    # a second code makes the first one void; what the machine sealed it cannot open, so it sets another password
    twice_is_harmless = ("mail code", "change password")
    assert all(number == 1 for deed, number in done.items() if deed not in twice_is_harmless), (at, done)


def test_whenever_it_is_killed_the_password_that_holds_is_on_record(home: Home, tmp_path: Path) -> None:
    """Nothing is ever locked out: what the platform takes is the deposit in force or a spare, sealed to the vault."""
    school = school_with_account(home, tmp_path)
    vault = vault_of(school)
    home.db.close()
    point, killed, held = 0, True, set()
    while killed:
        point += 1
        copy = with_own_network(school, tmp_path / f"held{point}")
        killed = killed_at(point, copy, begin_and_advance)
        there = json.loads(Path(copy.settings.platforms["sandbox"].api_base or "").read_text())["password"]
        login = machine_login(
            copy, 1, purpose="test", now=NOW, needs_password=True, vault=vault, actor=manager_of(copy)
        )
        spares = spare_logins(copy, 1, purpose="test", now=NOW, vault=vault, actor=manager_of(copy))
        assert login is not None
        in_force = login.secret == there
        assert in_force or there in [spare.secret for _, spare in spares], f"killed at point {point}"
        held.add(in_force)
        copy.db.close()
    assert held == {True, False}, "before, between and after"


def test_a_closing_killed_at_any_point_ends_as_if_it_had_not_been(home: Home, tmp_path: Path) -> None:
    school = school_with_account(home, tmp_path)
    vault = vault_of(school)
    home.db.close()
    point, killed = 0, True
    while killed:
        point += 1
        copy = with_own_network(school, tmp_path / f"point{point}")
        killed = killed_at(point, copy, lambda school: close_it(school, vault))
        close_it(copy, vault, NOW + AFTER_THE_LEASE, LATER + AFTER_THE_LEASE)
        close_it(copy, vault, NOW + 2 * AFTER_THE_LEASE, LATER + 2 * AFTER_THE_LEASE)
        assert_closed_once(copy, point)
        copy.db.close()
    assert point > 60, "so many points were tried"


@contextmanager
def own_sandbox(school: Home, original: Path, place: Path) -> Iterator[tuple[Home, Sandbox]]:
    """A copy of the school and of the simulated network as it stands, served over HTTP."""
    database = place.with_suffix(".sandbox.db")
    shutil.copy(original, database)  # nobody has it open, so there is no journal beside it
    clock = Clock(NOW)
    app = create_sandbox(database, clock)
    with served(app) as url:
        copy = Sandbox(app.extensions["network"], clock, url)
        own = with_platform(copy_of(school, place), replace(copy.info, key="sandbox"))
        yield not_waiting_for_the_disk(own), copy


def begin_and_advance(home: Home, now: datetime = NOW) -> None:
    account = account_by_id(home.db, 1)
    if account.state is AccountState.LIVE:
        start_closing(home, None, account.id, "Its end date is over.", now=now)
    closing = closing_of(home.db, 1)
    assert closing is not None
    advance(home, closing.id, now=now)


def test_a_closing_over_http_killed_on_the_way_ends_the_same(home: Home, tmp_path: Path) -> None:
    original = tmp_path / "sandbox.db"
    app = create_sandbox(original, Clock(NOW))
    network: Network = app.extensions["network"]
    member = network.create_account("lakes2026", PASSWORD, email="trips@school.example", private=True)
    Wall(network).publish(member, "We climbed a hill", [], key="k1")
    account = live_account(home, remote_id=member.id)
    with served(app) as url:  # the deposit brings the machine a key of its own
        deposited(with_platform(home, replace(Sandbox(network, Clock(NOW), url).info, key="sandbox")), account)
    people_around(home, account)
    point, killed = 1, True
    while killed:
        with own_sandbox(home, original, tmp_path / f"http{point}") as (school, there):
            killed = killed_at(point, school, begin_and_advance)
            begin_and_advance(school, NOW + AFTER_THE_LEASE)
            assert there.network.member(member.id).deactivated_at is not None, f"killed at point {point}"
            there.clock.pass_days(32)
            advance(school, 1, now=NOW + timedelta(days=32))
            assert account_by_id(school.db, 1).state is AccountState.CLOSED, f"killed at point {point}"
            steps = [json.loads(row["data"])["step"] for row in events(school, "closing:step:done")]
            assert len(steps) == len(set(steps)) == 10, f"killed at point {point}"
            assert verify_chain(school.db).whole
            school.db.close()
        point += 5
    assert point > 40
