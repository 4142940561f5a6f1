"""The threat model and the security page: the tests they name exist, and so do the pages they lead to."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from source import ROOT

MODEL, PROMISES, ASVS = (ROOT / "docs" / name for name in ("threat-model.md", "security.md", "asvs.md"))
ADVERSARIES = (
    "An outsider",
    "A parent",
    "A pupil with a staff phone",
    "A teacher",
    "A network manager",
    "A thief of the server",
    "A thief of the backup",
    "The hosting firm",
)
VAULT = ROOT / "docs" / "decisions" / "0010-vault.md"
NAMED = [
    found
    for page in (MODEL, VAULT)
    for found in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8"))
]


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_each_test_that_threat_model_and_vault_name_exists(path: str, name: str) -> None:
    assert name in functions_of(ROOT / path)


def test_each_adversary_has_a_chapter_that_shows_tests() -> None:
    chapters = re.split(r"(?m)^## ", MODEL.read_text(encoding="utf-8"))
    for adversary in ADVERSARIES:
        chapter = next(text for text in chapters if text.startswith(adversary))
        assert "::test_" in chapter, adversary
        assert "*Can" in chapter or "**" in chapter, adversary


def test_the_threat_model_ends_with_what_nothing_stops() -> None:
    limits = MODEL.read_text(encoding="utf-8").split("## What nothing here stops")[1]
    for word in ("Root", "by hand", "recovery sheets", "HPKE", "platforms"):
        assert word in limits


@pytest.mark.parametrize("page", [PROMISES], ids=lambda path: path.name)
def test_each_file_of_tests_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", page.read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", [MODEL, PROMISES, ASVS], ids=lambda path: path.name)
def test_every_link_of_the_security_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith("https://")]
    assert [link for link in local if not (page.parent / link).exists()] == []
