"""Read a platform's own export file: bytes in, lists out. Pure.

The file comes from outside and may be anything. Only the parts that the platform's format names are unpacked, each and
all together up to a limit that counts what really comes out, whatever the archive says about itself. What is not in
the file stays unknown: only a list that is there and empty is a list of nobody.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Any

from socialgov.errors import InvalidInput
from socialgov.models import ExportEntry, ExportFormat, ExportList, Fact
from socialgov.names import unescaped

MB = 1024 * 1024
MOST_PARTS = 50_000  # names in an archive: one with years of pictures has as many
MOST_OF_ONE, MOST_OF_ALL = 8 * MB, 24 * MB  # unpacked, of what is read: as a tree it takes twenty times as much
MOST_ENTRIES = 200_000
MOST_NAME = 200
AGAIN = "Ask the platform for the file once more, and hand it in as it came."
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LISTED = b"PK\x01\x02"  # how each entry of an archive's own list begins
_NUMBERED = re.compile(r"^(?P<head>.*?)(?P<number>\d+)\.(?:json|html)$")


@dataclass(frozen=True, slots=True)
class ExportReading:
    """What was read. `made_on` None: the file does not say. `lists` has what is in the file, `missing` what is not.

    `parts` are the files that were read, by name, without what else is in them: the evidence.
    """

    made_at: datetime | None
    made_on: date | None
    owner_id: str | None
    owner_name: str | None
    lists: Mapping[Fact, tuple[ExportEntry, ...]]
    missing: tuple[Fact, ...]
    parts: Mapping[str, bytes] = field(repr=False)


def read_export(form: ExportFormat, files: Sequence[tuple[str, bytes]]) -> ExportReading:
    """The lists in these uploaded files (name, content): one archive, or files out of it.

    Raises InvalidInput, beside the field `files`, for what cannot be read, is incomplete, or is no such export.
    """
    parts, archived_on = _parts(form, files)
    about, whose = _first(parts, form.about), _first(parts, form.whose)
    if form.partial and _truth(_one(about, form.partial)):
        raise _refuse("This is one part of an export in several.", "Ask the platform for one that is whole.")
    lists = {fact: _entries(how, parts, about) for fact, how in form.lists.items()}
    found = {fact: entries for fact, entries in lists.items() if entries is not None}
    if not found:
        raise _refuse("Nothing in it is a list that this platform's export has.", AGAIN)
    made_at = _moment(_one(about, form.made_at)) if form.made_at else None
    named = _named(form, files)
    if form.about and about is None:
        raise _refuse("It does not say when it was made and whose it is.", f"Hand in {_short(form.about)} too.")
    return ExportReading(
        made_at=made_at,
        made_on=made_at.date() if made_at else named.get("day") or archived_on,
        owner_id=_text(_one(whose, form.owner_id)) if form.owner_id else None,
        owner_name=(_text(_one(whose, form.owner_name)) if form.owner_name else None) or named.get("owner"),
        lists=found,
        missing=tuple(fact for fact, entries in lists.items() if entries is None),
        parts={name: _pruned(form, name, content) for name, content in parts.items()},
    )


# ------------------------------------------------------------------------------------------------------ unpacking


def _parts(form: ExportFormat, files: Sequence[tuple[str, bytes]]) -> tuple[dict[str, bytes], date | None]:
    """The files that the format names, and the newest day that an archive gives for one of them."""
    wanted = [*(pattern for how in form.lists.values() for pattern in how.files), form.about, form.whose]
    patterns = [pattern for pattern in wanted if pattern]
    parts: dict[str, bytes] = {}
    days: list[date] = []
    for name, content in files:
        if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            for inner, day, inside in _unpacked(content, patterns):
                _add(parts, inner, inside)
                days += [day] if day else []
        elif _wanted(name, patterns):
            _add(parts, name, content)
        else:
            raise _refuse(f"“{_short(name)}” is not a file of such an export.", AGAIN)
    if not parts:
        raise _refuse("Nothing in it is a file of such an export.", AGAIN)
    return parts, max(days, default=None)


def _add(parts: dict[str, bytes], name: str, content: bytes) -> None:
    if name in parts:
        raise _refuse(f"“{_short(name)}” is in it twice.", AGAIN)
    if len(content) > MOST_OF_ONE or sum(map(len, parts.values())) + len(content) > MOST_OF_ALL:
        raise _too_large()
    parts[name] = content


def _unpacked(content: bytes, patterns: Sequence[str]) -> Iterator[tuple[str, date | None, bytes]]:
    """The wanted members of an archive. Their claimed size is not believed."""
    left = MOST_OF_ALL
    if content.count(_LISTED) > MOST_PARTS:  # before the list is read: its entries take much more than they took here
        raise _too_large()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                if member.is_dir() or not _wanted(member.filename, patterns):
                    continue
                if member.flag_bits & 1 or member.compress_type not in _PACKED:
                    raise _refuse("The archive is locked or packed in a way that is not read here.", AGAIN)
                with archive.open(member) as file:
                    inside = file.read(min(MOST_OF_ONE, left) + 1)
                if len(inside) > min(MOST_OF_ONE, left):
                    raise _too_large()
                left -= len(inside)
                yield member.filename, _day_of(member), inside
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, OSError):
        raise _refuse("The archive is damaged.", AGAIN) from None


def _day_of(member: zipfile.ZipInfo) -> date | None:
    year, month, day = member.date_time[:3]
    try:
        return date(year, month, day) if year > 1980 else None  # 1980 stands for no date at all
    except ValueError:
        return None


def _wanted(name: str, patterns: Iterable[str]) -> bool:
    """Does the end of the path match? An archive may have a folder of its own around everything."""
    return any(_matches(name, pattern) for pattern in patterns)


def _matches(name: str, pattern: str) -> bool:
    steps, last = name.replace("\\", "/").split("/"), pattern.split("/")
    if len(steps) == 1:  # a file that was taken out of the archive has lost its folders
        return fnmatchcase(steps[0], last[-1])
    return len(steps) >= len(last) and all(
        fnmatchcase(step, part) for step, part in zip(steps[-len(last) :], last, strict=True)
    )


def _named(form: ExportFormat, files: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
    """What the archive's own name tells: `owner` and `day`."""
    found = re.search(form.archive_name, files[0][0]) if form.archive_name and len(files) == 1 else None
    told: dict[str, Any] = found.groupdict() if found else {}
    moment = _moment(told.pop("day", None))
    return {**told, "day": moment.date()} if moment else told


# -------------------------------------------------------------------------------------------------------- reading


def _entries(how: ExportList, parts: Mapping[str, bytes], about: Any) -> tuple[ExportEntry, ...] | None:
    """Every entry of one list, out of all its files; None when it is in none of them."""
    mine = {name: content for name, content in parts.items() if _wanted(name, how.files)}
    _need_all_numbers(mine)
    entries: list[ExportEntry] = []
    there = False
    for name, content in sorted(mine.items()):
        rows = _rows(how, name, content)
        if rows is None:
            continue
        there = True
        entries += [_entry(how, row) for row in rows]
        if len(entries) > MOST_ENTRIES:
            raise _too_large()
    if how.counted and there and (told := _count(about, how.counted)) is not None and told != len(entries):
        raise _refuse("One of its lists is shorter or longer than the file itself says.", AGAIN)
    return tuple(entries) if there else None


def _need_all_numbers(mine: Mapping[str, bytes]) -> None:
    """`followers_2.json` without `followers_1.json` is half a list."""
    numbers: dict[str, set[int]] = {}
    for name in mine:
        if numbered := _NUMBERED.match(name.rsplit("/", 1)[-1]):
            numbers.setdefault(numbered["head"], set()).add(int(numbered["number"][:9]))
    for some in numbers.values():
        if some != set(range(1, len(some) + 1)):
            raise _refuse("A part of one of its lists is missing.", AGAIN)


def _rows(how: ExportList, name: str, content: bytes) -> list[Any] | None:
    """The list's entries in one file, as they stand there. None: the list is not in this file."""
    if name.endswith(".html"):
        return _linked(how, content)
    if name.endswith(".csv"):
        return _table(how, content)
    tree = _tree(name, content)
    for place in how.at:
        found = list(_at(tree, place))
        if len(found) == 1 and isinstance(found[0], list):
            return found[0]
        if len(found) == 1 and found[0] is None and place:
            return []  # TikTok writes null for an empty list
    return None


def _tree(name: str, content: bytes) -> Any:
    """JSON, or the value of the one assignment that a script of X's archive consists of."""
    text = _decoded(content)
    if name.endswith(".js"):
        head, equals, text = text.partition("=")
        if not equals or not re.fullmatch(r"\s*window\.[\w.]+\s*", head):
            raise _refuse(f"“{_short(name)}” is not a file of such an export.", AGAIN)
        text = text.strip().removesuffix(";")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _refuse(f"“{_short(name)}” cannot be read.", AGAIN) from None


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refuse("One of its files is not UTF-8 text.", AGAIN) from None


def _table(how: ExportList, content: bytes) -> list[Any]:
    try:
        rows = list(csv.DictReader(io.StringIO(_decoded(content), newline="")))
    except csv.Error:
        raise _refuse("One of its tables cannot be read.", AGAIN) from None
    head = _decoded(content).lstrip().partition("\n")[0]
    if not any(place in head for place in (*how.id, *how.name)):
        raise _refuse("One of its tables has other columns than expected.", "Ask for the file in English once more.")
    return rows


# links of a page. Python's own parser takes a day over a few megabytes of unclosed tags, and raises over others
_LINK = re.compile(r"<a\s[^<>]*>", re.IGNORECASE)
_HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


def _linked(how: ExportList, content: bytes) -> list[Any] | None:
    if how.links is None:
        return None
    found = [_HREF.search(tag) for tag in _LINK.findall(_decoded(content))]
    links = [unescaped(one[1] or one[2] or "") for one in found if one]
    if not links:
        raise _refuse("One of its pages has no list in it.", "Ask for the file in the format JSON instead.")
    matches = (re.fullmatch(how.links, link[:500]) for link in links)
    return [match[1] for match in matches if match]


def _entry(how: ExportList, row: Any) -> ExportEntry:
    if isinstance(row, str) and how.links is not None:
        return ExportEntry(None, row, None)
    lasting, name = _text(_any(row, how.id)), _text(_any(row, how.name))
    if (how.id or how.name) and lasting is None and name is None:
        raise _refuse("An entry of one of its lists has neither a name nor a number.", AGAIN)
    return ExportEntry(lasting, name, _moment(_any(row, how.time)))


def _pruned(form: ExportFormat, name: str, content: bytes) -> bytes:
    """Only what was read of a file: TikTok's one file has the account's messages in it, which nobody here needs."""
    places = [place for how in form.lists.values() if _wanted(name, how.files) for place in how.at]
    for pattern, some in ((form.about, (form.made_at, form.partial)), (form.whose, (form.owner_id, form.owner_name))):
        places += [place for place in some if place and pattern and _matches(name, pattern)]
    if not name.endswith(".json") or "" in places:
        return content
    tree = _tree(name, content)
    kept: dict[str, Any] = {}
    for place in sorted(places):  # one that stands inside another is there already
        *steps, last = place.split(".")
        for found in _at(tree, place):
            inner: Any = kept
            for step in steps:
                inner = inner.setdefault(step, {}) if isinstance(inner, dict) else None
            if isinstance(inner, dict):
                inner[last] = found
    return json.dumps(kept).encode()


# --------------------------------------------------------------------------------------------------------- places


def _at(tree: Any, place: str) -> Iterator[Any]:
    """What stands at `place`: names and numbers with dots between, `*` for every element of a list."""
    if not place:
        yield tree
        return
    step, _, rest = place.partition(".")
    if step == "*":
        for one in tree if isinstance(tree, list) else ():
            yield from _at(one, rest)
    elif isinstance(tree, dict) and step in tree:
        yield from _at(tree[step], rest)
    elif isinstance(tree, list) and step.isdecimal() and int(step) < len(tree):
        yield from _at(tree[int(step)], rest)


def _one(tree: Any, place: str | None) -> Any:
    return next(_at(tree, place), None) if place is not None else None


def _any(tree: Any, places: Iterable[str]) -> Any:
    return next((found for place in places if (found := _one(tree, place)) not in (None, "")), None)


def _first(parts: Mapping[str, bytes], pattern: str | None) -> Any:
    """The first file of this name as a tree; None where there is none."""
    name = next((name for name in sorted(parts) if pattern and _matches(name, pattern)), None)
    return None if name is None else _tree(name, parts[name])


def _count(about: Any, place: str) -> int | None:
    """How long the file itself says that a list is; it may be the sum of several parts."""
    told = [text for one in _at(about, place) if (text := _text(one)) is not None]
    return sum(map(int, told)) if told and all(re.fullmatch(r"\d{1,9}", text) for text in told) else None


def _text(value: Any) -> str | None:
    """A name or number as one short line; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    if isinstance(value, int) and value.bit_length() > 64:
        return None
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in str(value)).split())
    return text[:MOST_NAME] or None


def _truth(value: Any) -> bool:
    return value is True or value == "true"


def _moment(value: Any) -> datetime | None:
    """Seconds since 1970, a moment in ISO form, or `2026-11-22 09:30:00`, which counts as UTC."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip().removesuffix(" UTC"))
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _short(name: str) -> str:
    name = _text(name.rsplit("/", 1)[-1]) or "a file"
    return name if len(name) <= 60 else f"{name[:57]}…"


def _too_large() -> InvalidInput:
    mend = "Unpack it yourself, and hand in only the files that are named on the page."
    return _refuse("The file is larger than what is read here.", mend)


def _refuse(what: str, mend: str) -> InvalidInput:
    return InvalidInput("The export file was not read.", {"files": f"{what} {mend}"}, mend)


def pack(parts: Mapping[str, bytes]) -> bytes:
    """The files that were read as one archive, for keeping: the same files make the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in sorted(parts.items()):
            member = zipfile.ZipInfo(name.lstrip("/"))
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return out.getvalue()
