"""A post and its photos, before and after it is out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from socialgov.models.words import PostState


@dataclass(frozen=True, slots=True)
class Post:
    id: int
    account_id: int
    author_id: int
    state: PostState
    text: str
    created_at: datetime
    permanence_confirmed_at: datetime | None
    school_equipment: bool
    own_work: bool
    credit: str | None
    nobody_identifiable: bool
    checked_by: int | None
    checked_at: datetime | None
    check_reason: str | None
    publishing_at: datetime | None
    published_at: datetime | None
    remote_id: str | None
    removed_at: datetime | None
    version: int
    people_in_picture: int | None = None  # as stated by the author (MED505)
    link: str | None = None  # where a person posted it by hand
    evidence_id: int | None = None  # the screenshot of that, a sealed blob
    take_down_by_at: datetime | None = None  # a permission no longer covers it (MED513)
    handed_over: bool = False  # while PUBLISHING: a person posts it, not the machine
    again_by: int | None = None  # held back by the platform's work on a picture: for whom it is tried once more
    again_at: datetime | None = None  # and when


@dataclass(frozen=True, slots=True)
class Media:
    """A photo of a post as kept: cleaned of place, device and author (MED510), sealed as blob `blob_id`."""

    id: int
    post_id: int
    blob_id: int
    mime: str
    width: int
    height: int
    alt: str
    cleaned: bool
