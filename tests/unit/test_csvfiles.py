"""Reading CSV: encodings, separators, headers, bad rows by number, and no input that it falls over."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialgov import csvfiles
from socialgov.csvfiles import Column, Problem, parse_day, read_table

COLUMNS = (
    Column("ref", "Reference", ("admission no",), required=True),
    Column("name", "Name", ("surname",), required=True),
    Column("form", "Form", ("reg group",)),
)
TEXT = "Admission No,Surname,Reg Group\n1,Núñez,9B\n2,O’Neill,9C\n"


def cells(content: bytes) -> list[tuple[int, dict[str, str]]]:
    return [(row.number, dict(row.cells)) for row in read_table(content, COLUMNS).rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_a_school_exports_reads_the_same(encoding: str) -> None:
    assert cells(TEXT.encode(encoding)) == [
        (2, {"ref": "1", "name": "Núñez", "form": "9B"}),
        (3, {"ref": "2", "name": "O’Neill", "form": "9C"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_makes_sense_of_the_header(delimiter: str) -> None:
    assert len(cells(TEXT.replace(",", delimiter).encode())) == 2


def test_excels_own_line_about_the_delimiter_is_obeyed() -> None:
    assert cells(("sep=;\r\n" + TEXT.replace(",", ";")).encode())[0][1]["name"] == "Núñez"


def test_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    content = b'Admission No,Surname\n1,Lee\n\n2,"Two\nlines"\n,\n3,\n'
    table = read_table(content, COLUMNS)
    assert [row.number for row in table.rows] == [2, 4]
    assert table.rows[1].cells["name"] == "Two lines"
    assert table.problems == (Problem(6, "Name", "This is empty."),)


def test_a_formula_is_text_like_any_other() -> None:
    (row,) = read_table(b'ref,name\n1,"=HYPERLINK(""x"")"\n', COLUMNS).rows
    assert row.cells["name"] == '=HYPERLINK("x")'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"   \n\n", "empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"%PDF-1.7", "PDF"),
        (b"ref,form\n1,9B\n", "“Name”"),
        (b"ref,name,surname\n1,a,b\n", "Two columns mean “Name”"),
        (b"ref,name\n", "no rows"),
        (b'ref,name\n1,"never closed\n2,b\n', "quotation marks"),
        (b"ref,name\n1,\x00\n", "text file"),
        (b"ref,name\n1," + b"x" * 200_000 + b"\n", "too long"),
        (b"\x81\x8d\x8f", "known encoding"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, said: str) -> None:
    problems = read_table(content, COLUMNS).problems
    assert [problem.row for problem in problems] == [0]
    assert said in problems[0].message


def test_a_row_with_too_many_cells_is_told_by_number() -> None:
    table = read_table(b"ref,name\n1,a\n2,b,c,d\n3,c\n", COLUMNS)
    assert [row.number for row in table.rows] == [2, 4]
    assert table.problems == (Problem(3, "", "This row has 4 cells where the header has 2."),)


def test_there_is_a_limit_to_rows_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"ref,name\n" + b"1,a\n" * 6
    assert read_table(content, COLUMNS, max_rows=6).problems == ()
    assert "more than 5 rows" in read_table(content, COLUMNS, max_rows=5).problems[0].message
    monkeypatch.setattr(csvfiles, "MAX_BYTES", 20)
    assert "larger" in read_table(content, COLUMNS).problems[0].message


@pytest.mark.parametrize(
    "text",
    ["2012-03-01", "01/03/2012", "1/3/2012", "01-03-2012", "01.03.2012", "1 March 2012", "01-Mar-2012",
     "2012-03-01T00:00:00", "01/03/2012 00:00", " 01/03/2012 "],
)  # fmt: skip
def test_a_day_is_read_as_schools_write_it(text: str) -> None:
    assert parse_day(text) == date(2012, 3, 1)


@pytest.mark.parametrize("text", ["", "01/03/12", "03/25/2012", "31/02/2012", "soon", "1/1/0001", "20120301"])
def test_what_is_no_certain_day_is_none(text: str) -> None:
    assert parse_day(text) is None


@given(st.binary(max_size=400))
def test_no_bytes_make_it_fall_over(content: bytes) -> None:
    table = read_table(content, COLUMNS)
    assert table.rows or table.problems


@given(st.binary(max_size=200), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_no_damage_behind_a_good_header_makes_it_fall_over(tail: bytes, encoding: str) -> None:
    table = read_table("ref,name,form\n1,a,b\n".encode(encoding) + tail, COLUMNS)
    assert table.rows or table.problems


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=30)


@given(st.lists(st.tuples(names, names), min_size=1, max_size=8), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, str]], encoding: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("ref", "name"), *rows])
    table = read_table(out.getvalue().encode(encoding), COLUMNS)
    wanted = [tuple(" ".join(csvfiles.unicodedata.normalize("NFC", cell).split()) for cell in row) for row in rows]
    assert [(row.cells["ref"], row.cells["name"]) for row in table.rows] == [row for row in wanted if all(row)]
