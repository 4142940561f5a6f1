"""The closing lines of the tests name what did not run (tests/plugin_not_run.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PLUGIN_FOLDER = Path(__file__).parents[1]
TESTS = """
import pytest

def test_it_runs(): pass

@pytest.fixture
def browser(): pytest.skip("there is no Chromium here")

def test_it_needs_a_browser(browser): pass
"""


def run(tmp_path: Path, *options: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_two.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser: drives a browser\n")
    command = [sys.executable, "-m", "pytest", "-p", "plugin_not_run", "-p", "no:cacheprovider", *options]
    surroundings = {"PYTHONPATH": str(PLUGIN_FOLDER), "PATH": "", **(env or {})}
    return subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False)


def test_a_skipped_test_is_named_with_its_reason(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert "1 not run: there is no Chromium here" in done.stdout
    assert done.returncode == 0


def test_a_choice_on_the_command_line_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "not browser")
    assert "Only what matches 'not browser' was chosen; the rest did not run." in done.stdout


def test_a_full_run_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "test_two.py::test_it_runs")
    assert "Everything ran." in done.stdout


def test_where_everything_must_run_a_skipped_browser_test_fails_the_run(tmp_path: Path) -> None:
    done = run(tmp_path, env={"SOCIALGOV_ALL_MUST_RUN": "1"})
    assert done.returncode == 1
    assert "so that fails this run" in done.stdout


def test_what_a_platform_does_not_do_is_named_but_fails_no_run(tmp_path: Path) -> None:
    (tmp_path / "test_three.py").write_text(
        "import pytest\n\n@pytest.mark.browser\ndef test_it_asks(): pytest.skip('it has no private accounts')\n"
    )
    done = run(tmp_path, "test_three.py", env={"SOCIALGOV_ALL_MUST_RUN": "1"})
    assert "1 not run: it has no private accounts" in done.stdout
    assert done.returncode == 0


def test_workers_report_to_the_same_lines(tmp_path: Path) -> None:
    done = run(tmp_path, "-n", "2")
    assert "1 not run: there is no Chromium here" in done.stdout
