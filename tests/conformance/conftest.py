"""The worlds of the conformance suite. A new platform gets one file in worlds/ and one line in WORLDS."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import faulty
import pytest
from school_there import There, school_there
from world import World
from worlds.blog import BlogWorld
from worlds.sandbox import SandboxWorld

from socialgov.home import Home
from socialgov.platforms import wire

sys.path.append(str(Path(__file__).parents[1] / "peers"))


def _bluesky(request: pytest.FixtureRequest, folder: Path) -> World:
    from worlds.bluesky import BlueskyWorld

    return BlueskyWorld(request.getfixturevalue("bluesky"))


def _mastodon(request: pytest.FixtureRequest, folder: Path) -> World:
    from worlds.mastodon import MastodonWorld

    return MastodonWorld(request.getfixturevalue("mastodon"))


def _x(request: pytest.FixtureRequest, folder: Path) -> World:
    from worlds.x import XWorld

    return XWorld(request.param.removeprefix("x, "), folder)


WORLDS: dict[str, Callable[[pytest.FixtureRequest, Path], World]] = {
    "sandbox": lambda request, folder: SandboxWorld.open(folder),
    "bluesky": _bluesky,
    "x, tweet": _x,  # a stand-in, in the older field names and in the newer ones
    "x, post": _x,
    "mastodon": _mastodon,  # a third party's stand-in
    "blog": lambda request, folder: BlogWorld(),  # the smallest adapter
}
# what has to be installed: the closing lines of `make test` say when it is not (tests/plugin_not_run.py)
INSTALLED = {"bluesky": [pytest.mark.peer], "mastodon": [pytest.mark.standin]}


@pytest.fixture(params=[pytest.param(name, marks=INSTALLED.get(name, [])) for name in WORLDS])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Each platform in turn, with a new account of the school's on it."""
    return WORLDS[request.param](request, tmp_path)


@pytest.fixture
def there(home: Home, world: World, monkeypatch: pytest.MonkeyPatch) -> There:
    if type(world).hand_over is World.hand_over:
        pytest.skip(f"{world.info.name} is only looked at")
    return school_there(home, world, monkeypatch)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wire's clock goes on where a body drips, and nowhere else."""
    monkeypatch.setattr(wire, "time", faulty.CLOCK)
