"""The wheel, in an empty environment with nothing but the locked dependencies: it makes a school and opens a page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from running import free_port, open_when_ready, running
from source import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The bin folder of an environment that has the locked dependencies and the wheel, and no part of this checkout."""
    venv = tmp_path_factory.mktemp("empty") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", str(venv))
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin/python"), "--quiet", "--disable-pip-version-check"]
    pip += ["install", "--no-compile"]
    by_hash = [*pip, "--require-hashes", "--no-build-isolation", "--use-pep517"]
    run(*by_hash, "-r", str(ROOT / "requirements-build.lock"))
    run(*by_hash, "-r", str(ROOT / "requirements.lock"))
    run(*pip, "--no-deps", str(wheel))
    yield venv / "bin"


def run(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_carries_its_templates_its_configuration_and_no_test(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (("templates", "_templates"), ("config", "_config")):
        wanted = {
            f"socialgov/{inside}/{path.relative_to(ROOT / folder)}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file()
        }
        assert wanted <= names
    assert "socialgov/web/static" in {str(Path(name).parent) for name in names}
    assert not [name for name in names if name.startswith("tests/") or "/tests/" in name]


def test_an_installed_wheel_makes_a_school_and_opens_its_first_page(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("only for this test, and long enough\n", encoding="utf-8")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "COLUMNS": "200"}
    said = run(
        *(str(installed / "socialgov"), "init", str(tmp_path / "school"), "--name", "Wheel School"),
        *("--domain", "wheel.example", "--manager-name", "Quill Kettleby", "--manager-email", "q@wheel.example"),
        *("--base-url", f"http://localhost:{port}", "--keys", "cryptfile"),
        *("--passphrase-file", str(passphrase)),
        cwd=tmp_path,
        env=env,
    )
    match = re.search(r"/signin/[\w-]+", said)
    assert match, said
    serve = [str(installed / "socialgov"), "serve", "--home", str(tmp_path / "school"), "--port", str(port)]
    with running(serve, cwd=tmp_path, env=env):
        page = open_when_ready(f"http://localhost:{port}{match[0]}")
        assert page.status_code == 200
        assert "Quill Kettleby" in page.text
        style = re.search(r'href="(/static/[^"]+\.css[^"]*)"', page.text)
        assert style
        assert httpx.get(f"http://localhost:{port}{style[1]}", trust_env=False).status_code == 200
