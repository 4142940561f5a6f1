"""`socialgov platforms` and `socialgov platforms probe`: what they print, what they cost, how they end."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from factories import ESCROW, NOW, account_at, make_home
from walk import cast_of, form_of, live

from socialgov import home as home_module
from socialgov.actions.probing import account_named, probe_account
from socialgov.actions.spending import pause_for_payment
from socialgov.cli import main
from socialgov.errors import InvalidInput, NotFound
from socialgov.home import Home
from socialgov.models import AccountState


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
    assert "X (x): People look. A machine could, once the school has registered socialgov there" in text
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
