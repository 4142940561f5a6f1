"""The fixture of tests that need a Mastodon server: one stand-in a test run; each test makes accounts of its own."""

from __future__ import annotations

from collections.abc import Iterator

import mastodon_standin
import pytest
from mastodon_standin import Standin


@pytest.fixture(scope="session")
def mastodon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    why = mastodon_standin.missing()
    if why:
        pytest.skip(why)
    with mastodon_standin.running(tmp_path_factory.mktemp("mastodon")) as server:
        yield server
