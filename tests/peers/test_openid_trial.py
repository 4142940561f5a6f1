"""`socialgov signin-service` against the real provider: right, and with one thing wrong at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from factories import make_home
from mailbox_sink import free_port
from openid_school import GoingClock, openid_home
from real_openid import SECRET, RealProvider

from socialgov.cli import main

pytestmark = pytest.mark.peer


def tried(folder: Path, issuer: str, secret: str = SECRET, **choices: object) -> Result:
    home = openid_home(folder, issuer, secret, base_url="http://localhost:5000", clock=GoingClock(), **choices)
    return CliRunner().invoke(main, ["signin-service", "--home", str(home.path)])


def test_a_service_that_is_set_up_right_is_said_to_be(tmp_path: Path, provider: RealProvider) -> None:
    result = tried(tmp_path, provider.issuer)
    assert result.exit_code == 0, result.output
    assert "http://localhost:5000/signin/openid/callback" in result.output
    assert "It takes client_id and the client's secret." in result.output
    assert SECRET not in result.output


def test_a_wrong_secret_is_told(tmp_path: Path, provider: RealProvider) -> None:
    result = tried(tmp_path, provider.issuer, "guessed")
    assert result.exit_code == 1
    assert "It refuses client_id or the client's secret." in result.output


def test_an_address_that_differs_by_a_slash_is_told(tmp_path: Path, provider: RealProvider) -> None:
    result = tried(tmp_path, provider.issuer + "/")
    assert result.exit_code == 1
    assert "It calls itself something else" in result.output


def test_a_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = tried(tmp_path, f"http://localhost:{free_port()}")
    assert result.exit_code == 1
    assert "It does not answer" in result.output


def test_a_school_without_a_service_reads_how_to_name_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["signin-service", "--home", str(make_home(tmp_path).path)])
    assert result.exit_code == 1
    assert "[signin.openid]" in result.output
