"""The fixture of tests that need a Bluesky server: one real server a worker; each test makes accounts of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "peers"))

import real_bluesky
from real_bluesky import RealBluesky


@pytest.fixture(scope="session")
def bluesky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBluesky]:
    why = real_bluesky.missing()
    if why:
        pytest.skip(why)
    with real_bluesky.running(tmp_path_factory.mktemp("bluesky")) as server:
        yield server
