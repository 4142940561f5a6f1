"""Several schools in one process: each at its own host name, none reachable through another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from factories import NOW, make_home, manager_of
from werkzeug.test import Client

from socialgov.actions.signin import make_signin_link
from socialgov.errors import ConfigError
from socialgov.home import Home
from socialgov.web.hosts import SchoolsByHost


def school(folder: Path, name: str) -> Home:
    return make_home(folder / name, name=f"{name.title()} School", base_url=f"https://{name}.example")


@pytest.fixture
def two(tmp_path: Path) -> tuple[Home, Home]:
    return school(tmp_path, "north"), school(tmp_path, "south")


def test_each_school_answers_at_its_own_host(two: tuple[Home, Home]) -> None:
    client = Client(SchoolsByHost(two))
    for name in ("north", "south"):
        page = client.get("/signin", base_url=f"https://{name}.example")
        assert page.status_code == 200
        assert f"{name.title()} School" in page.text


@pytest.mark.asvs("8.4.1")
def test_a_host_that_belongs_to_no_school_is_answered_by_none(two: tuple[Home, Home]) -> None:
    client = Client(SchoolsByHost(two))
    for host in ("west.example", "north.example.evil.example", "localhost", "127.0.0.1"):
        answer = client.get("/signin", base_url=f"https://{host}")
        assert answer.status_code == 404
        assert "School" not in answer.text


@pytest.mark.asvs("8.4.1")
def test_a_sign_in_link_of_one_school_opens_nothing_in_the_other(two: tuple[Home, Home]) -> None:
    north, _ = two
    link = make_signin_link(north, manager_of(north).id, actor="cli", now=NOW)
    client = Client(SchoolsByHost(two))
    path = "/signin/" + link.rsplit("/", 1)[1]
    assert "Mo Manager" not in client.get(path, base_url="https://south.example").text
    assert client.get(path, base_url="https://north.example").status_code == 200


def test_two_schools_cannot_have_the_same_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Two schools have the address"):
        SchoolsByHost([school(tmp_path / "a", "north"), school(tmp_path / "b", "north")])
