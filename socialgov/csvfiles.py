"""CSV as a school's information system exports it, read into rows of text. Pure: bytes in, rows and problems out.
And the other way round: a table for people's spreadsheets (`write_table`).

Takes UTF-8 with or without a byte order mark, UTF-16 and Windows-1252, separated by comma, semicolon, tab or bar, with
headers under many names. A cell is text whatever it looks like: nothing is ever worked out, so `=1+1` stays those four
characters. Rows are numbered as a spreadsheet numbers them, the headers being row 1.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

MAX_BYTES = 10_000_000
MAX_ROWS = 50_000
MAX_CELL = 500
DELIMITERS = ",;\t|"
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or a zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
}
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Problem(NamedTuple):
    """What is wrong with one row. `row` 0 is the file as a whole; `column` is empty where it is the whole row."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column we read: its `name` here, the headers it goes by, and whether every row must fill it."""

    name: str
    title: str
    headers: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: its number in the spreadsheet, and the text of each known column (empty: not filled)."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """What was read. `ignored` are headers that mean nothing here; `present` the columns that the file has."""

    rows: tuple[Row, ...] = ()
    problems: tuple[Problem, ...] = ()
    ignored: tuple[str, ...] = ()
    present: frozenset[str] = field(default_factory=frozenset)
    encoding: str = ""
    delimiter: str = ""


class _Unreadable(Exception):
    """The file as a whole cannot be read; the message says why."""


def read_table(content: bytes, columns: Sequence[Column], *, max_rows: int = MAX_ROWS) -> Table:
    """Read a CSV file. Never raises: what cannot be read is a Problem, with row 0 for the file as a whole."""
    try:
        text, encoding = _decode(content)
        lines, delimiter = _dialect(text, columns)
        records = _records(lines, delimiter, max_rows)
        header_row, header = next(records, (0, []))
        if not header_row:
            raise _Unreadable("The file is empty.")
        places, ignored = _places(header, columns)
    except _Unreadable as error:
        return Table(problems=(Problem(0, "", str(error)),))
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        for number, cells in records:
            row = _row(number, cells, places, len(header), columns)
            if isinstance(row, Row):
                rows.append(row)
            else:
                problems += row
    except _Unreadable as error:
        problems.append(Problem(0, "", str(error)))
    if not rows and not problems:
        problems.append(Problem(0, "", "The file has a header and no rows."))
    return Table(tuple(rows), tuple(problems), ignored, frozenset(places), encoding, delimiter)


# a spreadsheet takes a cell that begins with one of these for a formula, which may fetch things from elsewhere
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file for people's spreadsheets: UTF-8 with its mark, commas, every cell quoted and none a formula.

    A cell that would be taken for a formula gets an apostrophe in front (OWASP, CSV injection).
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(headers)
    writer.writerows([_plain_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _plain_cell(text: str) -> str:
    text = _CONTROLS.sub("", text)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def parse_day(text: str) -> date | None:
    """A day as schools write it: 2012-03-01, 01/03/2012 (day first), 01.03.2012, 1 March 2012, with or without a time.

    None when it is no such day. Two-digit years are refused: 01/03/12 may be 1912.
    """
    bare = re.sub(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?$", "", text.strip())
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y"):
        try:
            day = datetime.strptime(bare, pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
        return day if 1900 <= day.year <= 2100 else None
    return None


def _decode(content: bytes) -> tuple[str, str]:
    if len(content) > MAX_BYTES:
        raise _Unreadable(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    if not content.strip():
        raise _Unreadable("The file is empty.")
    for start, what in _OTHER_FORMATS.items():
        if content.startswith(start):
            raise _Unreadable(f"This is {what}. Open it and save it as CSV (comma separated values).")
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text, encoding
    raise _Unreadable("This is not a text file in a known encoding. Save it as CSV UTF-8 and try again.")


def _encodings(content: bytes) -> tuple[str, ...]:
    """What the file may be written in, the likeliest first."""
    if content.startswith(b"\xef\xbb\xbf"):
        return ("utf-8-sig",)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    head = content[:2000]
    if head[1::2].count(0) > len(head) // 3:  # mostly ASCII in 16 bits, without a byte order mark
        return ("utf-16-le",)
    if head[0::2].count(0) > len(head) // 3:
        return ("utf-16-be",)
    return ("utf-8", "cp1252")


def _dialect(text: str, columns: Sequence[Column]) -> tuple[str, str]:
    """The text from its header on, and the delimiter under which the header means most. Excel's `sep=;` is obeyed."""
    first, _, rest = text.partition("\n")
    if match := re.fullmatch(r"sep=(.)\r?", first.strip("\ufeff"), re.IGNORECASE):
        return rest, match.group(1)
    header = next((line for line in text.splitlines() if line.strip()), "")

    def known(delimiter: str) -> tuple[int, int]:
        names = [cell.strip().strip('"') for cell in header.split(delimiter)]
        return len(_match(names, columns)), len(names)

    return text, max(DELIMITERS, key=known)


def _records(text: str, delimiter: str, max_rows: int) -> Iterator[tuple[int, list[str]]]:
    """Each filled row with its number. Raises _Unreadable where the quotes do not close or there are too many rows."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = filled = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise _Unreadable(
                f"The file cannot be read from row {number + 1} on: a cell is too long, or its quotation marks"
                " do not match."
            ) from None
        number += 1
        if not any(cell.strip() for cell in cells):
            continue
        filled += 1
        if filled > max_rows + 1:
            raise _Unreadable(f"The file has more than {max_rows:,} rows. Split it, or export less.")
        yield number, cells


def _header(text: str) -> str:
    """A header for comparing: `Date of Birth (DOB)` and `date_of_birth_dob` are one."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def _match(header: Sequence[str], columns: Sequence[Column]) -> list[tuple[str, int]]:
    """The (column name, place) pairs that this header has."""
    known = {
        _header(alias): column.name for column in columns for alias in (column.name, column.title, *column.headers)
    }
    return [(known[key], place) for place, text in enumerate(header) if (key := _header(text)) in known]


def _places(header: Sequence[str], columns: Sequence[Column]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each column stands, and the headers that mean nothing here."""
    matched = _match(header, columns)
    places: dict[str, int] = {}
    titles = {column.name: column.title for column in columns}
    for name, place in matched:
        if name in places:
            raise _Unreadable(
                f"Two columns mean “{titles[name]}”: “{_short(header[places[name]])}” and “{_short(header[place])}”."
                " Delete one."
            )
        places[name] = place
    missing = [column for column in columns if column.required and column.name not in places]
    if missing:
        names = ", ".join(f"“{column.title}”" for column in missing)
        raise _Unreadable(f"The first row must name the columns, and these are missing: {names}.")
    taken = set(places.values())
    ignored = tuple(_short(text) for place, text in enumerate(header) if place not in taken and text.strip())
    return places, ignored


def _row(
    number: int, cells: Sequence[str], places: Mapping[str, int], width: int, columns: Sequence[Column]
) -> Row | list[Problem]:
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        return [Problem(number, "", f"This row has {len(cells)} cells where the header has {width}.")]
    titles = {column.name: column.title for column in columns}
    problems: list[Problem] = []
    values: dict[str, str] = {}
    for column in columns:
        place = places.get(column.name)
        raw = cells[place] if place is not None and place < len(cells) else ""
        text = " ".join(unicodedata.normalize("NFC", raw).split())
        if len(text) > MAX_CELL:
            problems.append(Problem(number, titles[column.name], f"This is longer than {MAX_CELL} characters."))
        elif _CONTROLS.search(text):
            problems.append(Problem(number, titles[column.name], "This contains characters that are not text."))
        elif column.required and not text:
            problems.append(Problem(number, titles[column.name], "This is empty."))
        values[column.name] = text
    return problems or Row(number, values)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
