"""What the README and docs/installing.md tell people to type works, and what they show is so."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
import pytest
from factories import PASSPHRASE, make_home
from running import free_port, open_when_ready, running
from source import ROOT

from socialgov.cli import main as command_line
from socialgov.demo.people import invent, people_csv
from socialgov.escrow import PASSPHRASE_VARIABLE
from socialgov.lifecycle import diagram

PAGES = (ROOT / "README.md", ROOT / "docs" / "installing.md", *sorted((ROOT / "docs" / "how-to").glob("*.md")))
REAL_HOME = "/srv/socialgov/school"


def commands(page: Path) -> list[str]:
    """Every line of every fenced `sh` block, without its comment."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


ALL = [command for page in PAGES for command in commands(page)]
OURS = [found[1] for command in ALL if (found := re.search(r"(?:^|/bin/)(socialgov .+)$", command))]


def parse(arguments: list[str]) -> None:
    """Let the command line read `arguments` without doing anything. Raises click.UsageError when it cannot."""
    context: click.Context = command_line.make_context("socialgov", list(arguments))
    group: click.Command = command_line
    rest = list(arguments)
    while isinstance(group, click.Group):
        _, rest, _ = group.make_parser(context).parse_args(rest)  # a group may have options, and a meaning, of its own
        if not rest and group.invoke_without_command:
            return
        name, found, rest = group.resolve_command(context, rest)
        assert found is not None
        group, context = found, click.Context(found, info_name=name, parent=context)
    for parameter in group.params:
        if isinstance(parameter.type, click.Path):
            parameter.type.exists = False  # the files of a real school are not here
    group.make_parser(context).parse_args(rest)


def test_there_are_commands_to_try() -> None:
    assert {"make demo", "make test"} <= set(ALL)
    assert len(OURS) >= 8


@pytest.mark.parametrize("command", OURS)
def test_the_command_line_knows_every_command_that_is_told(command: str) -> None:
    parse(shlex.split(command)[1:])


@pytest.mark.parametrize("unit", sorted((ROOT / "docs/systemd").glob("*.service")), ids=lambda path: path.stem)
def test_the_units_start_commands_that_there_are(unit: Path) -> None:
    started = re.findall(r"(?m)^ExecStart=\S+/socialgov (.+)$", unit.read_text(encoding="utf-8"))
    assert len(started) == 1
    parse(shlex.split(started[0]))


@pytest.mark.parametrize("command", [command for command in ALL if command.startswith("make ")])
def test_make_knows_every_target_that_is_told(command: str) -> None:
    done = subprocess.run([*command.split(), "-n"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_commands_on_a_school_do_what_is_told(tmp_path: Path) -> None:
    home = make_home(tmp_path, real_key=True).path
    (tmp_path / "people.csv").write_bytes(people_csv(invent(date(2026, 11, 22))))
    wanted = [one for one in commands(PAGES[0]) if one.startswith("socialgov ") and " init " not in one]
    assert len(wanted) >= 3
    for command in wanted:
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(command.replace(REAL_HOME, str(home)))],
            cwd=tmp_path,
            env={**os.environ, PASSPHRASE_VARIABLE: PASSPHRASE, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project as it is committed, which borrows this one's environment instead of installing again."""
    if not (ROOT / ".venv" / ".for-demo").exists():
        pytest.skip("the project's .venv was not made by make")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout, so which files are the project's is not known")
    for name in listed.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    yield tmp_path


def test_make_demo_serves_and_prints_links_that_open(copy: Path) -> None:
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("SOCIALGOV_")}
    # -o: the borrowed environment is taken as it is, and above all not made to belong to this copy
    with running(["make", "-o", ".venv/.for-demo", "demo", f"PORT={port}"], cwd=copy, env=env) as process:
        said = process.wait_for("Ctrl-C ends it", seconds=300)
        links = re.findall(rf"http://localhost:{port}/signin/\S+", said)
        assert len(links) == 6
        assert open_when_ready(links[0]).status_code == 200
    assert (copy / "demo-home" / "school" / "school.toml").exists()


def test_the_diagram_is_that_of_the_lifecycle() -> None:
    shown = re.search(r"```mermaid\n(.*?)\n```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    assert shown[1] == diagram(), "python -c 'from socialgov.lifecycle import diagram; print(diagram())'"


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / "docs/decisions").glob("*.md"))], ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith(("http://", "https://"))]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_picture_is_taken_by_the_script() -> None:
    shown = set(re.findall(r"docs/screenshots/(\S+)\.png", PAGES[0].read_text(encoding="utf-8")))
    script = (ROOT / "docs/take_screenshots.py").read_text(encoding="utf-8")
    assert shown
    assert all(f'"{name}"' in script for name in shown)
