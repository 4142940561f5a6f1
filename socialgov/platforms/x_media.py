"""Pictures on X: v2's chunked upload, which tweepy does not have, through its client's own `request`.

X forgets a picture that no post names within a day: every step may be repeated, and a lost answer is no doubt.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from socialgov.models import Capability
from socialgov.platforms.base import NotReady, PlatformError
from socialgov.platforms.x_answers import Unreadable, at, number_of

if TYPE_CHECKING:
    from socialgov.platforms.base import Picture
    from socialgov.platforms.x_client import XClient

UPLOAD = "/2/media/upload"
PICTURE_BYTES = 5_000_000  # X's limit for an image
CHUNK_BYTES = 1_000_000
LONGEST_WAIT = 3_600  # seconds, whatever X proposes
ALT_SIGNS = 1_000  # the longest alternative text that X takes


class Upload:
    """One picture that was sent, and is worked on by X until `finish` says its id. Making it raises PlatformError."""

    def __init__(self, client: XClient, picture: Picture) -> None:
        if len(picture.content) > PICTURE_BYTES:
            raise PlatformError(
                "This picture is too large for the platform.", permanent=True, mend="Use a smaller one."
            )
        self._client, self._alt = client, picture.alt[:ALT_SIGNS]
        begun = {"media_type": picture.mime, "total_bytes": len(picture.content), "media_category": "tweet_image"}
        self.number = number_of(_post(client, f"{UPLOAD}/initialize", begun).get("data"))
        for index, chunk in enumerate(_chunks(picture.content)):
            part = {"media": base64.b64encode(chunk).decode(), "segment_index": index}
            _post(client, f"{UPLOAD}/{self.number}/append", part)
        self._told: dict[str, Any] | None = _post(client, f"{UPLOAD}/{self.number}/finalize")
        self._finished = False

    def finish(self) -> str:
        """The id of the picture, with its alternative text. Raises NotReady while X works on it.

        An image is mostly ready at once; then the answer to the last piece says nothing about processing.
        """
        if self._finished:
            return self.number
        told, self._told = self._told or self._look(), None
        if (seconds := _still_working(told)) is not None:
            raise NotReady(self._client.name, seconds)
        if self._alt:
            alt = {"id": self.number, "metadata": {"alt_text": {"text": self._alt}}}
            _post(self._client, "/2/media/metadata", alt)
        self._finished = True
        return self.number

    def _look(self) -> dict[str, Any]:
        params = {"command": "STATUS", "media_id": self.number}
        return self._client.ask("media", lambda x: x.request("GET", UPLOAD, params=params), serves=Capability.PUBLISH)


def _still_working(told: dict[str, Any]) -> float | None:
    """In how many seconds X wants to be asked again; None when it is done."""
    processing = at(told, "data", "processing_info")
    state = at(processing, "state")
    if processing is None or state == "succeeded":
        return None
    if state == "failed":
        raise PlatformError("The platform does not take this picture.", permanent=True, mend="Use another one.")
    if state not in ("pending", "in_progress"):
        raise Unreadable
    seconds = at(processing, "check_after_secs")
    return float(min(seconds, LONGEST_WAIT)) if isinstance(seconds, int | float) else 1.0


def _post(client: XClient, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return client.ask(
        "media",
        lambda tweepy: tweepy.request("POST", path, json=body),
        serves=Capability.PUBLISH,
        repeatable=True,
    )


def _chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]
