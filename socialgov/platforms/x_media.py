"""Pictures on X: v2's chunked upload, which tweepy does not have, through its client's own `request`.

X forgets a picture that no post names within a day: every step may be repeated, and a lost answer is no doubt.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from socialgov.models import Capability
from socialgov.platforms.base import PlatformError
from socialgov.platforms.x_answers import Unreadable, at, number_of

if TYPE_CHECKING:
    from socialgov.platforms.base import Picture
    from socialgov.platforms.x_client import XClient

UPLOAD = "/2/media/upload"
PICTURE_BYTES = 5_000_000  # X's limit for an image
CHUNK_BYTES = 1_000_000
ALT_SIGNS = 1_000  # the longest alternative text that X takes
MOST_LOOKS = 10
LONGEST_WAIT = 5  # seconds between two looks, whatever X proposes


def upload(client: XClient, picture: Picture, *, wait: Callable[[float], None]) -> str:
    """The id of an uploaded picture with its alternative text. `wait` takes seconds. Raises PlatformError."""
    if len(picture.content) > PICTURE_BYTES:
        raise PlatformError("This picture is too large for the platform.", permanent=True, mend="Use a smaller one.")
    begun = {"media_type": picture.mime, "total_bytes": len(picture.content), "media_category": "tweet_image"}
    number = number_of(_post(client, f"{UPLOAD}/initialize", begun).get("data"))
    for index, chunk in enumerate(_chunks(picture.content)):
        part = {"media": base64.b64encode(chunk).decode(), "segment_index": index}
        _post(client, f"{UPLOAD}/{number}/append", part)
    _until_ready(client, number, _post(client, f"{UPLOAD}/{number}/finalize"), wait)
    if picture.alt:
        alt = {"id": number, "metadata": {"alt_text": {"text": picture.alt[:ALT_SIGNS]}}}
        _post(client, "/2/media/metadata", alt)
    return number


def _until_ready(client: XClient, number: str, body: dict[str, Any], wait: Callable[[float], None]) -> None:
    """An image is mostly ready at once; then the answer says nothing about processing."""
    params = {"command": "STATUS", "media_id": number}
    for _ in range(MOST_LOOKS):
        processing = at(body, "data", "processing_info")
        state = at(processing, "state")
        if processing is None or state == "succeeded":
            return
        if state == "failed":
            raise PlatformError("The platform does not take this picture.", permanent=True, mend="Use another one.")
        if state not in ("pending", "in_progress"):
            raise Unreadable
        seconds = at(processing, "check_after_secs")
        wait(min(max(seconds, 0), LONGEST_WAIT) if isinstance(seconds, int | float) else 1)
        body = client.ask(
            "media", lambda tweepy: tweepy.request("GET", UPLOAD, params=params), serves=Capability.PUBLISH
        )
    raise PlatformError(
        "The platform is not done with a picture yet.", permanent=False, mend="It is tried again later."
    )


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
