"""The way back in for the only network manager who lost their device, from the server's own command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from factories import ESCROW, make_home, manager_of, staff
from soft_passkey import registered

from socialgov import home as home_module
from socialgov.actions.factors import ways_of
from socialgov.actions.signin import use_signin_link
from socialgov.cli import main
from socialgov.home import Home
from socialgov.models import Role
from socialgov.store.events import EventTag, events_page
from socialgov.store.outbox import notices_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A school whose key opens at once."""
    monkeypatch.setattr(home_module, "open_escrow", lambda *_, **__: ESCROW)
    return make_home(tmp_path)


def run(home: Home, *words: str) -> Result:
    return CliRunner().invoke(main, ["signin-link", *words, "--home", str(home.path)])


def test_a_link_after_removing_the_factors_lets_the_manager_in_alone(home: Home) -> None:
    manager, head = manager_of(home), staff(home, Role.HEAD)
    registered(home, manager)
    link = r"/signin/([\w-]{43})"
    plain = re.search(link, run(home, manager.email).output)
    assert plain is not None
    assert use_signin_link(home, plain[1], now=home_module.wall_clock()).session is None, "the passkey is asked for"
    result = run(home, manager.email, "--remove-factors")
    assert result.exit_code == 0, result.output
    assert "Removed 1 passkey or authenticator app." in result.output
    found = re.search(link, result.output)
    assert found is not None
    assert use_signin_link(home, found[1], now=home_module.wall_clock()).session
    assert not ways_of(home.db, manager.id).some
    assert "were removed, as after a lost device" in notices_of(home.db, head.id)[0].text
    event = events_page(home.db, before=None, tag=EventTag.PASSKEY_REMOVED, actor=None, limit=1)[0]
    assert (event.actor, event.subject_id) == ("cli", manager.id)


def test_it_says_so_when_there_was_nothing_to_remove(home: Home) -> None:
    assert "Removed 0 passkeys or authenticator apps." in run(home, manager_of(home).email, "--remove-factors").output
