"""serve and scheduler as real processes: they come up, answer, and end cleanly when told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import PASSPHRASE, make_home

from socialgov.home import Home


@pytest.fixture(scope="module")
def served_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIALGOV_PASSPHRASE", PASSPHRASE)
        return make_home(tmp_path_factory.mktemp("served"), real_key=True)


@pytest.fixture
def start(served_home: Home) -> Iterator[object]:
    started = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "socialgov", *words, "--home", str(served_home.path)]
        environment = {**os.environ, "SOCIALGOV_PASSPHRASE": PASSPHRASE, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answer(port: int) -> int:
    """The status of the first page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/signin", timeout=60) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def test_serve_answers_and_ends_when_told(start) -> None:
    port = free_port()
    process = start("serve", "--port", str(port))
    assert f"http://127.0.0.1:{port}" in process.stdout.readline()  # said once it listens
    assert answer(port) < 500
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert process.returncode == 0


def test_serve_says_in_one_line_that_its_port_is_taken(start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("serve", "--port", str(taken.getsockname()[1]))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.startswith("Error: Nothing can listen on 127.0.0.1:")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_the_scheduler_makes_its_first_pass_and_ends_when_told(start, served_home: Home, told: signal.Signals) -> None:
    served_home.db.execute("delete from job_run")  # so that every job is due
    process = start("scheduler")
    end = time.monotonic() + 60
    while not served_home.db.execute("select count(*) from job_run where finished_at is not null").fetchone()[0]:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(told)
    output, errors = process.communicate(timeout=60)
    assert "Looking after Test School" in output
    assert "Traceback" not in errors
    assert process.returncode == 0


def test_a_command_whose_reader_has_gone_ends_quietly(served_home: Home, tmp_path: Path) -> None:
    environment = {**os.environ, "SOCIALGOV_PASSPHRASE": PASSPHRASE}
    line = f"{sys.executable} -m socialgov status --home {served_home.path} | true"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment, check=False)
    assert "Traceback" not in done.stderr
