"""`socialgov platforms` and `socialgov platforms probe`: what they print, what they cost, how they end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from connected import Connected, connectable
from factories import ESCROW, NOW, account_at, make_home
from priced_platform import priced_home, with_budget
from walk import cast_of, form_of, live

from socialgov import cli_platforms, cli_run, cli_school
from socialgov import home as home_module
from socialgov.actions.adapters import note_refusal
from socialgov.actions.observing import check_account
from socialgov.actions.probing import account_named, probe_account
from socialgov.actions.spending import pause_for_payment
from socialgov.cli import main
from socialgov.errors import InvalidInput, NotFound
from socialgov.home import Home
from socialgov.models import Account, AccountState, Capability
from socialgov.platforms import NotOffered
from socialgov.store.plans import LeftOut, left_out


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(home_module, "open_escrow", lambda root, settings, in_force: ESCROW)
    monkeypatch.setattr(home_module, "wall_clock", lambda: NOW)
    return make_home(tmp_path)


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, ["platforms", *words])
    assert "Traceback" not in result.output
    return result


def test_it_lists_what_is_approved_or_in_use(home: Home) -> None:
    account_at(home, AccountState.LIVE)
    result = run("--home", str(home.path))
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "Instagram 1 0 free" in text
    assert "X 0 0 no budget set never not switched on" in text
    assert "X: People look. A machine could, once the school has registered socialgov there" in text
    assert "YouTube" not in text
    assert "It can: accept_follower" in result.output


def test_a_pause_is_said_and_makes_the_exit_one(home: Home) -> None:
    pause_for_payment(home, home.settings.platforms["x"], now=NOW)
    result = run("--home", str(home.path))
    assert result.exit_code == 1
    assert "X asked for payment" in result.output


def test_wrong_use_ends_with_two_and_help_teaches(home: Home) -> None:
    assert run("probe").exit_code == 2
    assert "Changes nothing on the platform" in run("probe", "--help").output


def test_an_account_that_people_look_at_has_nothing_to_probe(home: Home) -> None:
    account = account_at(home, AccountState.LIVE)
    path = str(home.path)
    for words in (("--home", path, "probe", str(account.id)), ("probe", account.handle or "", "--home", path)):
        result = run(*words)
        assert result.exit_code == 1
        assert "a person looks" in result.output
        assert "It cost $0.00." in result.output


def test_an_account_is_found_by_number_and_by_handle(home: Home) -> None:
    cast = cast_of(home)
    first = live(home, cast, form=form_of(cast, handle_wished="trip_2026"))
    second = live(home, cast, form=form_of(cast, platform="x", handle_wished="trip_2026"))
    assert account_named(home, str(second.id)).id == second.id
    with pytest.raises(InvalidInput) as caught:
        account_named(home, "@Trip_2026")
    assert f"{first.id} on Instagram, {second.id} on X" in (caught.value.mend or "")
    with pytest.raises(NotFound):
        account_named(home, "nobody")
    assert "Error: " in run("probe", "nobody", "--home", str(home.path)).stderr


def test_an_account_that_is_not_there_yet_cannot_be_probed(home: Home) -> None:
    account = account_at(home, AccountState.REQUESTED)
    with pytest.raises(InvalidInput, match="not on its platform"):
        probe_account(home, account.id, now=NOW)


# ---------------------------------------------------------------------------------------------------- what is connected


@pytest.fixture
def one(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    """A school with a client at X, and the commands working there."""
    with connectable(home, tmp_path) as found:
        for module in (cli_platforms, cli_run, cli_school):
            monkeypatch.setattr(module, "open_home", lambda path: found.home)
        yield found


def words(result: Result) -> str:
    return " ".join(result.output.split())


def test_it_says_which_accounts_are_connected_and_when_each_was_last_read(one: Connected) -> None:
    assert "It could, once an account is connected: " in words(run("--home", "."))
    one.connect()
    before = words(run("--home", "."))
    assert f"{one.account.id} trip_wales X since 2026-11-23 never not yet" in before
    assert "It can: " in before
    check_account(one.home, one.account.id, now=one.now)
    assert f"{one.account.id} trip_wales X since 2026-11-23 2026-11-23 09:00 yes" in words(run("--home", "."))


def test_an_account_that_x_has_shut_us_out_of_says_when_it_was_last_read_and_ends_with_one(one: Connected) -> None:
    one.connect()
    check_account(one.home, one.account.id, now=one.now)
    one.x.doors.revoke_by_user(one.there.id)
    check_account(one.home, one.account.id, now=one.later(days=2), asked=True)
    result = run("--home", ".")
    assert result.exit_code == 1
    assert f"{one.account.id} trip_wales X lost on 2026-11-25 2026-11-23 09:00 not since 2026-11-23 09:00" in words(
        result
    )


def test_what_x_does_not_offer_is_not_among_what_it_can(one: Connected) -> None:
    one.connect()
    note_refusal(one.home, one.account.id, NotOffered("X", Capability.READ_LIKES), now=one.now)
    result = run("--home", ".")
    (can,) = (line for line in result.output.splitlines() if line.startswith("X: A machine looks"))
    assert "read_follows" in can and "read_likes" not in can
    assert "X: Not offered to the school's client: read_likes. People do that" in words(result)


# ---------------------------------------------------------------------------------------------------- not checked


@pytest.fixture
def poor(home: Home, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Account, Account]:
    """Two live accounts, the first wholly read yesterday, and no money left today; the commands work there."""
    cast = cast_of(home)
    account, other = live(home, cast), live(home, cast, form=form_of(cast, handle_wished="other_trip"))
    school, _ = priced_home(home, monkeypatch, 500)
    check_account(school, account.id, now=NOW)
    there = replace(with_budget(school, 1), clock=lambda: NOW + timedelta(days=1))
    for module in (cli_platforms, cli_run, cli_school):
        monkeypatch.setattr(module, "open_home", lambda path: there)
    return there, account, other


def test_a_check_that_could_not_read_everything_never_says_all_in_order(poor: tuple[Home, Account, Account]) -> None:
    _, account, _ = poor
    result = CliRunner().invoke(main, ["check", "--home", "."])
    assert "all in order" not in result.output
    assert f"{account.id} {account.handle} followers 2026-11-23 09:00" in words(result)
    assert f"{account.id} {account.handle} likes 2026-11-23 09:00" in words(result)
    assert "The month's budget for Instagram is used up." in words(result)
    assert "What was not checked gets older" in words(result)


def test_a_check_by_number_tells_of_that_account_alone(poor: tuple[Home, Account, Account]) -> None:
    _, account, other = poor
    result = CliRunner().invoke(main, ["check", "--home", ".", str(other.id)])
    assert f"{other.id} {other.handle} followers never" in words(result)
    assert f"{account.id} {account.handle} followers" not in words(result)


def test_status_says_what_is_not_checked_since_when(poor: tuple[Home, Account, Account]) -> None:
    school, account, _ = poor
    assert "Not checked nothing" in words(CliRunner().invoke(main, ["status", "--home", "."]))
    check_account(school, account.id, now=school.now())
    told = words(CliRunner().invoke(main, ["status", "--home", "."]))
    assert "Not checked not all of one account since 23 November 2026, 09:00" in told


def test_what_was_never_read_is_not_said_to_have_been(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    account = live(home, cast_of(home))
    school, _ = priced_home(home, monkeypatch, 1)
    check_account(school, account.id, now=NOW)
    assert left_out(school.db) == LeftOut(1, 1, None)
    assert left_out(school.db, account.owner_id) == LeftOut(1, 1, None)
    assert left_out(school.db, 0) == LeftOut()
    monkeypatch.setattr(cli_school, "open_home", lambda path: school)
    told = words(CliRunner().invoke(main, ["status", "--home", "."]))
    assert "not all of one account: never until now" in told
