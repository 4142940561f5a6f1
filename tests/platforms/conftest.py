"""A simulated network served over real HTTP on a free port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from networks import Clock, Sandbox, served_sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with served_sandbox(tmp_path / "sandbox.db", Clock()) as sandbox:
        yield sandbox
