"""A fake platform that takes posts and takes them down again, unless `failing` says otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from recording_platform import READS, RecordingPlatform, Shown

from socialgov import platforms
from socialgov.home import Home
from socialgov.models import Capability
from socialgov.platforms import Picture, PlatformError, RemotePost


class PublishingPlatform(RecordingPlatform):
    """What is put out is shown at once, though `failing["publish"]` may lose the answer to it."""

    capabilities = READS | {Capability.PUBLISH, Capability.DELETE_POST}

    def publish(self, text: str, pictures: Iterable[Picture], *, key: str) -> str:
        self.shown.asked.append("publish")
        error = self.shown.failing.get("publish")
        if error is None or error.outcome_unknown:
            self.shown.posts.append(RemotePost(f"p{len(self.shown.asked)}", text, None))
        if error is not None:
            raise error
        return self.shown.posts[-1].remote_id

    def delete_post(self, remote_id: str) -> None:
        self._answer("posts")
        if "delete_post" in self.shown.failing:
            raise self.shown.failing["delete_post"]
        self.shown.posts[:] = [one for one in self.shown.posts if one.remote_id != remote_id]


def publishing_home(home: Home, monkeypatch: Any, **changes: Any) -> tuple[Home, Shown]:
    """`home` whose Instagram takes posts from a machine and wants no second look, and what is shown there."""
    shown = Shown()
    monkeypatch.setattr(PublishingPlatform, "shown", shown)
    monkeypatch.setitem(platforms.ADAPTERS, "publishing", (__name__, "PublishingPlatform"))
    info = replace(home.settings.platforms["instagram"], adapter="publishing", **changes)
    settings = replace(
        home.settings,
        platforms={**home.settings.platforms, "instagram": info},
        policy=replace(home.settings.policy, second_checker=False),
    )
    return replace(home, settings=settings), shown


def lost() -> PlatformError:
    """It may be out or not."""
    return PlatformError("No answer.", permanent=False, mend="It is tried again later.", outcome_unknown=True)
