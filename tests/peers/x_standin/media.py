"""Pictures on their way in: announced, sent in pieces, closed, perhaps waited for, described."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, UnidentifiedImageError

from . import problems
from .asking import Ask, only
from .world import Media, User, World

if TYPE_CHECKING:
    from .app import StandIn

Body = dict[str, Any]
LIVES = timedelta(hours=24)
IMAGE_BYTES, PIECE_BYTES, ALT_SIGNS = 5_000_000, 5_000_000, 1000
TYPES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


@dataclass
class Upload:
    """`looks`: how often its state must be asked before it is ready."""

    id: str
    owner_id: str
    mime: str
    total: int
    until: datetime
    pieces: dict[int, bytes] = field(default_factory=dict, repr=False)
    closed: bool = False
    looks: int = 0
    alt: str = ""

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces[number] for number in sorted(self.pieces))


class Uploads:
    """`waits`: how often the state of a picture must be asked; 0, as for most pictures: never."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.waits = 0
        self._uploads: dict[str, Upload] = {}

    def begin(self, owner: User, mime: str, total: int) -> Upload:
        upload = Upload(self.world.new_id(), owner.id, mime, total, self.world.clock() + LIVES)
        self._uploads[upload.id] = upload
        return upload

    def of(self, id: str, owner: User) -> Upload:
        """Raises Problem where it is not this account's, or over."""
        upload = self._uploads.get(id)
        if upload is None or upload.owner_id != owner.id or self.world.clock() >= upload.until:
            raise problems.invalid("id", id, "Your media IDs are invalid.")
        return upload

    def ready(self, id: str, owner: User) -> Media | None:
        upload = self._uploads.get(id)
        late = upload is None or self.world.clock() >= upload.until
        if upload is None or late or upload.owner_id != owner.id or not upload.closed or upload.looks:
            return None
        return Media(upload.id, owner.id, upload.mime, upload.content, upload.alt)

    def used(self, media: Iterable[Media]) -> None:
        """A picture goes into one post."""
        for one in media:
            self._uploads.pop(one.id, None)

    @property
    def left(self) -> list[Upload]:
        """What was sent and is in no post."""
        return list(self._uploads.values())


def initialize(x: StandIn, ask: Ask) -> Body:
    only(ask.body, "", media_type=str, total_bytes=int, media_category=str, shared=bool, additional_owners=list)
    mime, total = ask.body.get("media_type", ""), ask.body.get("total_bytes", 0)
    if mime not in TYPES:
        raise problems.invalid("media_type", mime, "$.media_type: is not a type of picture that is taken here")
    if ask.body.get("media_category") != "tweet_image":
        raise problems.invalid("media_category", str(ask.body.get("media_category")), "$.media_category: is not known")
    if not 0 < total <= IMAGE_BYTES:
        raise problems.invalid("total_bytes", str(total), "File size exceeds 5242880 bytes.")
    upload = x.uploads.begin(ask.owner, mime, total)
    return {"data": {**_shown(upload), "expires_after_secs": int(LIVES.total_seconds())}}


def append(x: StandIn, ask: Ask) -> Body:
    """A piece in base64 (JSON), or as a file of a form. The same piece again replaces itself."""
    upload = _open(x, ask)
    if ask.files:
        if set(ask.files) != {"media"} or set(ask.body) != {"segment_index"} or not ask.body["segment_index"].isdigit():
            raise problems.invalid("media", "", "Missing media field in form")
        number, piece = int(ask.body["segment_index"]), ask.files["media"]
    else:
        only(ask.body, "", media=str, segment_index=int)
        try:
            number, piece = ask.body["segment_index"], base64.b64decode(ask.body["media"], validate=True)
        except (KeyError, binascii.Error):
            raise problems.invalid("media", "", "Missing media field in JSON") from None
    if not 0 <= number <= 999 or not 0 < len(piece) <= PIECE_BYTES:
        raise problems.invalid("segment_index", str(number), "The segment is not within its limits.")
    upload.pieces[number] = piece
    if len(upload.content) > upload.total:
        raise problems.invalid("media", "", "The segments are longer than total_bytes.")
    return {"data": {"expires_at": int(upload.until.timestamp())}}


def finalize(x: StandIn, ask: Ask) -> Body:
    upload = _open(x, ask)
    if ask.body:
        raise problems.invalid("body", "", "This call takes no body.")
    content = upload.content
    if len(content) != upload.total or sorted(upload.pieces) != list(range(len(upload.pieces))):
        raise problems.invalid("media", upload.id, "Segments do not add up to provided total file size.")
    try:
        with Image.open(BytesIO(content), formats=[TYPES[upload.mime]]) as image:
            image.load()
    except (UnidentifiedImageError, OSError):
        raise problems.invalid("media", upload.id, "The file could not be processed.") from None
    upload.closed, upload.looks = True, x.uploads.waits
    return {"data": {**_shown(upload), "size": upload.total, "expires_after_secs": 86400}}


def status(x: StandIn, ask: Ask) -> Body:
    upload = x.uploads.of(ask.query.get("media_id", ""), ask.owner)
    if not upload.closed:
        raise problems.invalid("media_id", upload.id, "The upload was not finalized.")
    upload.looks = max(0, upload.looks - 1)
    state = {} if upload.looks else {"processing_info": {"state": "succeeded", "progress_percent": 100}}
    return {"data": {**_shown(upload), "size": upload.total, **state}}


def metadata(x: StandIn, ask: Ask) -> Body:
    only(ask.body, "", id=str, metadata=dict)
    only(ask.body.get("metadata", {}), "metadata.", alt_text=dict)
    said = ask.body.get("metadata", {}).get("alt_text", {})
    only(said, "metadata.alt_text.", text=str)
    upload = x.uploads.of(ask.body.get("id", ""), ask.owner)
    if not upload.closed or not 0 < len(said.get("text", "")) <= ALT_SIGNS:
        raise problems.invalid("metadata.alt_text.text", "", "$.metadata.alt_text.text: 1 to 1000 characters")
    upload.alt = said["text"]
    return {"data": {"id": upload.id, "associated_metadata": {"alt_text": {"text": upload.alt}}}}


def _open(x: StandIn, ask: Ask) -> Upload:
    upload = x.uploads.of(ask.path["id"], ask.owner)
    if upload.closed:
        raise problems.invalid("id", upload.id, "The upload was finalized already.")
    return upload


def _shown(upload: Upload) -> Body:
    shown: Body = {"id": upload.id, "media_key": f"3_{upload.id}"}
    if upload.looks:
        shown["processing_info"] = {"state": "in_progress", "check_after_secs": 1, "progress_percent": 50}
    return shown
