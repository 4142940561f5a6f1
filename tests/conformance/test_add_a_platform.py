"""docs/how-to/add-a-platform.md says what works: its adapter is the one of the suite, and its table is one we read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from socialgov import platforms
from socialgov.models import Capability
from socialgov.platforms.file import read_platforms
from socialgov.tomlfile import read_toml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-platform.md").read_text()


def code(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_adapter_that_is_shown_is_the_one_that_is_tested() -> None:
    assert code("python") == [(ROOT / "tests" / "conformance" / "smallest.py").read_text()]


def test_its_table_is_read_and_its_adapter_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(platforms.ADAPTERS, "blog", ("smallest", "BlogPlatform"))
    (table,) = code("toml")
    path, chosen = tmp_path / "platforms.toml", tmp_path / "school.toml"
    path.write_text(table)
    chosen.write_text("")
    (info,) = read_platforms(path, read_toml(chosen), tmp_path).values()
    assert platforms.capabilities(info) == {Capability.READ_PROFILE, Capability.READ_POSTS}


def test_every_file_that_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:socialgov|tests|config)/[\w/.-]+)`", PAGE))
    assert named and [name for name in named if not (ROOT / name).exists()] == []


def test_it_counts_the_strange_answers() -> None:
    from faulty import FAULTS

    assert f"{len(FAULTS)} strange answers" in PAGE
