"""What every committed file holds to: no place of one machine, no registry, nothing left undone; locks agree."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections import Counter
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest
from source import ROOT

import socialgov

TEXT = {".py", ".md", ".toml", ".html", ".css", ".js", ".json", ".lock", ".txt", ".cfg", ".template", ""}
# written in two halves, so that this file does not find itself
REGISTRIES = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "yarnpkg" + ".com"]
PLACES = ["/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/", "/Us" + "ers/", "/opt/py" + "pi", "/tmp/se" + "tup"]
UNDONE = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error"]


@cache
def committed() -> tuple[Path, ...]:
    """Every file under version control, and those about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout, so which files are the project's is not known")
    paths = (ROOT / name for name in done.stdout.splitlines())
    return tuple(path for path in paths if path.is_file() and path.suffix in TEXT)


def places_of(words: list[str], *, but_in: tuple[str, ...] = ()) -> list[str]:
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(word)}" for word in words))
    found = []
    for path in committed():
        name = str(path.relative_to(ROOT))
        if name.startswith(but_in) if but_in else False:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{name}:{number} {line.strip()[:80]}")
    return found


def test_no_package_registry_is_named() -> None:
    assert places_of(REGISTRIES) == []


def test_no_place_of_one_machine_is_named() -> None:
    assert places_of(PLACES) == []


def test_nothing_is_left_undone() -> None:
    assert places_of(UNDONE) == []


def test_the_locks_agree_with_each_other() -> None:
    pins = {
        name: _pins(ROOT / name) for name in ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")
    }
    dev = pins["requirements-dev.lock"]
    for name, found in pins.items():
        wrong = {package for package, version in found.items() if dev.get(package) != version}
        assert not wrong, f"{name} pins other versions than requirements-dev.lock: {wrong}; run `make lock`"


def test_the_locks_hold_every_dependency_that_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {_plain(line) for line in project["project"]["dependencies"]}
    assert declared <= set(_pins(ROOT / "requirements.lock")), "run `make lock`"
    for name, group in project["dependency-groups"].items():
        own = ROOT / f"requirements-{name}.lock"  # what needs an environment of its own, and what builds the package
        lock = own if own.is_file() else ROOT / "requirements-dev.lock"
        wanted = {_plain(line) for line in group if isinstance(line, str)}
        assert wanted <= set(_pins(lock)), f"{lock.name}: run `make lock`"


def test_every_locked_package_has_a_hash() -> None:
    for path in ROOT.glob("requirements*.lock"):
        blocks = re.split(r"\n(?=\S)", path.read_text(encoding="utf-8"))
        bare = [block.split("\n")[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
        assert bare == []


def test_every_dependency_is_justified() -> None:
    text = (ROOT / "docs/decisions/0002-dependencies.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [re.split(r"[<>=!\[; ]", line)[0] for line in project["project"]["dependencies"]]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_changelog_tells_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == socialgov.__version__
    assert re.search(rf"^## {re.escape(socialgov.__version__)} ", text, re.MULTILINE)


def test_the_installing_page_speaks_of_versions_that_there_are() -> None:
    text = (ROOT / "docs/installing.md").read_text(encoding="utf-8")
    (wheel,) = re.findall(r"dist/(\S+\.whl)", text)
    assert fnmatch(f"socialgov-{socialgov.__version__}-py3-none-any.whl", wheel)
    told = re.findall(r"(?m)^## (\S+) ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert set(re.findall(r"\(socialgov (\d[\w.]*)\)", text)) == {told[-1]}, "only the first one had no vault"


def _pins(path: Path) -> dict[str, str]:
    return {
        _plain(match[1]): match[2]
        for match in re.finditer(r"(?m)^([A-Za-z0-9._-]+)==(\S+)", path.read_text(encoding="utf-8"))
    }


def _plain(requirement: str) -> str:
    """A package's name as the locks write it."""
    return re.sub(r"[._]", "-", re.split(r"[<>=!\[; ]", requirement)[0].lower())


def test_each_test_file_has_a_name_of_its_own() -> None:
    """pytest imports test files by their bare name, so of two with one name only one would run."""
    names = Counter(path.name for path in committed() if path.name.startswith("test_") and path.suffix == ".py")
    assert [name for name, count in names.items() if count > 1] == []
