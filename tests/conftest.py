"""Fixtures for every test: the passphrase of key files, and one fresh school a test that asks for it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from factories import PASSPHRASE, make_home, manager_of, staff
from walk import Cast, cast_of

from socialgov.escrow import PASSPHRASE_FILE_VARIABLE, PASSPHRASE_VARIABLE
from socialgov.home import Home
from socialgov.models import Role, Staff

pytest_plugins = (
    "plugin_quick_routes", "plugin_quick_fingerprints", "plugin_not_run", "plugin_browser", "plugin_bluesky",
    "plugin_mastodon",
)  # fmt: skip

MEMORY, ROOM = Path("/dev/shm"), 4_000_000_000

if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    # thousands of small schools, each write of which waits for the disk: in memory the suite takes a fifth less
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started in the background of a script, where Ctrl-C is ignored: programs that tests start must not inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> str:
    """Key files of tests open with this; nothing of the machine's own is used."""
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    monkeypatch.delenv(PASSPHRASE_FILE_VARIABLE, raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return PASSPHRASE


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new school."""
    return make_home(tmp_path)


@pytest.fixture
def manager(home: Home) -> Staff:
    return manager_of(home)


@pytest.fixture
def cast(home: Home) -> Cast:
    """Owner, deputy, network manager and head of a story."""
    return cast_of(home)


@pytest.fixture
def head(home: Home) -> Staff:
    return staff(home, Role.HEAD)


@pytest.fixture
def teacher(home: Home) -> Staff:
    return staff(home, Role.TEACHER)
