"""What the tests of real servers share; the Bluesky server itself is in tests/plugin_bluesky.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import real_openid
from networks import INFO
from real_bluesky import RealBluesky
from real_openid import RealProvider

from socialgov.models import PlatformInfo


@pytest.fixture
def info(bluesky: RealBluesky) -> PlatformInfo:
    return replace(
        INFO, key="bluesky", name="Bluesky", adapter="bluesky", can_be_private=False, api_base=bluesky.url,
        directory_base=bluesky.directory, index_base=bluesky.index.url,
    )  # fmt: skip


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    """A real sign-in service."""
    why = real_openid.missing()
    if why:
        pytest.skip(why)
    with real_openid.running(tmp_path_factory.mktemp("openid")) as service:
        yield service
