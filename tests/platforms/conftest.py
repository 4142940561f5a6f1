"""A simulated network served over real HTTP on a free port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from networks import Clock, Sandbox, served

from socialgov.sandbox import create_sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    clock = Clock()
    app = create_sandbox(tmp_path / "sandbox.db", clock)
    with served(app) as url:
        yield Sandbox(app.extensions["network"], clock, url)
