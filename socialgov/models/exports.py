"""How a platform's own export file is read, and what was read out of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from socialgov.models.words import Fact


@dataclass(frozen=True, slots=True)
class ExportList:
    """Where one list stands in the file (config/platforms.toml, [platforms.x.export.lists.FACT]).

    `files` are patterns (with `*`) that the end of a file's path must match. A place inside is written with dots;
    `*` stands for every element. `at` are the places where the list may be, the first that is there counts; `id`,
    `name` and `time` the places in one entry where its lasting id, its handle and its moment may be. `links` is a
    regular expression with one group, which finds the handle in the address of a link, where the file is a web page.
    `counted` is the place, in the file that tells its own date, where the list's length stands.
    """

    fact: Fact
    files: tuple[str, ...]
    at: tuple[str, ...] = ("",)
    id: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    links: str | None = None
    counted: str | None = None


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A platform's own export file as data. `ask`: what a person does to get it. `about` is the pattern of the file
    that tells of the export itself; `made_at`, `partial`, `owner_id` and `owner_name` are places in it or in `whose`.
    """

    source: str
    looked_up_on: date
    ask: tuple[str, ...]
    lists: Mapping[Fact, ExportList]
    about: str | None = None
    made_at: str | None = None
    partial: str | None = None
    whose: str | None = None
    owner_id: str | None = None
    owner_name: str | None = None
    archive_name: str | None = None  # regular expression with the groups `owner` and `day` for the archive's own name


@dataclass(frozen=True, slots=True)
class ExportEntry:
    """One line of a list: a follower, somebody followed, a like, a post."""

    id: str | None
    name: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ExportRead:
    """An export file that a person handed in: when the platform made it, and how long each list in it was."""

    id: int
    account_id: int
    blob_id: int | None
    made_on: date
    read_at: datetime
    read_by: int
    counts: Mapping[str, Any]
