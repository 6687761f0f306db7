"""Files as offices make them are read; bombs and broken ones are refused before they cost anything."""

import io
import zipfile

import openpyxl
import pytest

from server.core.errors import DomainError
from server.exchange import sheets
from server.exchange.rules import HEADER_ROWS, ROWS_MAXIMUM
from tests.exchange.office import csv_bytes, saved, xlsx

ROWS = [["姓名", "身份证号"], ["演示·甲", "110101199003070417"]]
LINES = [(1, ROWS[0]), (2, ROWS[1])]


def refusal(filename: str, content: bytes) -> tuple[str, object]:
    with pytest.raises(DomainError) as refused:
        sheets.read(filename, content)
    return refused.value.code, refused.value.data.get("reason")


def rezipped(content: bytes, name: str, change: bytes) -> bytes:
    """An .xlsx with one part replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change if part.filename == name else old.read(part))
    return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_csv_in_the_encodings_of_offices(encoding: str) -> None:
    assert sheets.read("花名册.CSV", csv_bytes(*ROWS, encoding=encoding)) == [LINES]


def test_xlsx() -> None:
    assert sheets.read("花名册.XLSX", xlsx(*ROWS)) == [LINES]


def test_rows_keep_their_numbers_and_numbers_their_kind() -> None:
    content = xlsx([None], ["a"], [], [" b ", 1, 2.5, True, None])
    assert sheets.read("x.xlsx", content) == [[(2, ["a"]), (4, ["b", 1, 2.5, "True"])]]


def test_hidden_sheets_are_not_read() -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.append(["secret"])
    first.sheet_state = "hidden"
    book.create_sheet("shown").append(["shown"])
    assert sheets.read("x.xlsx", saved(book)) == [[(1, ["shown"])]]


@pytest.mark.parametrize("filename", ["x.xls", "x.txt", "x", "", "x.xlsx.exe", "x.ods"])
def test_other_kinds_of_files(filename: str) -> None:
    assert refusal(filename, xlsx(*ROWS))[0] == "unsupported_file"


WHOLE = ("[Content_Types].xml", "xl/_rels/workbook.xml.rels", "docProps/core.xml", "xl/workbook.xml", "xl/styles.xml")


@pytest.mark.parametrize(
    ("part", "limit"),
    [
        *((part, sheets.WHOLE_MAXIMUM_BYTES) for part in (*WHOLE, "xl/theme/theme2.xml", "docProps/custom.rels")),
        ("xl/worksheets/sheet1.xml", sheets.PART_MAXIMUM_BYTES),
        ("xl/media/image1.bmp", sheets.PART_MAXIMUM_BYTES),
    ],
)
def test_no_part_is_large_least_of_all_what_is_read_whole(part: str, limit: int) -> None:
    def padded(to: int) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(xlsx(*ROWS))) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
            for name in {*old.namelist(), part}:
                content = old.read(name) if name in old.namelist() else b"<a/>"
                new.writestr(name, content.ljust(to) if name == part else content)
        return buffer.getvalue()

    assert sheets.read("x.xlsx", padded(limit)) == [LINES]
    assert refusal("x.xlsx", padded(limit + 1))[0] == "too_large"


def test_no_other_part_poses_as_the_workbook() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx(*ROWS))) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            moved = old.read(name).replace(b"/xl/workbook.xml", b"/xl/worksheets/book.xml")
            folder, _, last = name.replace("_rels/workbook", "worksheets/_rels/book").rpartition("/")
            new.writestr("xl/worksheets/book.xml" if last == "workbook.xml" else f"{folder}/{last}".strip("/"), moved)
    assert refusal("x.xlsx", buffer.getvalue()) == ("roster_unreadable", "damaged")


@pytest.mark.parametrize(
    ("filename", "content", "reason"),
    [
        ("x.xlsx", b"", "not_xlsx"),
        ("x.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 100, "not_xlsx"),  # an old .xls, renamed
        ("x.xlsx", xlsx(*ROWS)[:-300], "not_xlsx"),
        ("x.csv", b"\xff\xfe\x00\x01", "encoding"),
        ("x.csv", b"a,b\0c", "encoding"),
        ("x.csv", b"a" * 200_000, "damaged"),
    ],
)
def test_files_that_are_not_what_they_say(filename: str, content: bytes, reason: str) -> None:
    assert refusal(filename, content) == ("roster_unreadable", reason)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row r='1'><c t='s'><v>99</v></c></row>"),
        ("xl/workbook.xml", b"not xml"),
        ("[Content_Types].xml", b"<x/>"),
    ],
)
def test_a_zip_with_nonsense_inside(part: str, change: bytes) -> None:
    assert refusal("x.xlsx", rezipped(xlsx(*ROWS), part, change)) == ("roster_unreadable", "damaged")


def test_a_zip_of_something_else() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("readme.txt", "hello")
    assert refusal("x.xlsx", buffer.getvalue()) == ("roster_unreadable", "damaged")


def test_entities_that_grow_are_not_unfolded() -> None:
    rounds = "".join(f'<!ENTITY a{at} "{f"&a{at - 1};" * 10}">' for at in range(1, 10))
    sheet = '<worksheet><sheetData><row><c t="str"><v>&a9;</v></c></row></sheetData></worksheet>'
    bomb = f'<!DOCTYPE x [<!ENTITY a0 "boom">{rounds}]>{sheet}'
    content = rezipped(xlsx(*ROWS), "xl/worksheets/sheet1.xml", bomb.encode())
    assert refusal("x.xlsx", content) == ("roster_unreadable", "damaged")


def test_what_unpacks_to_too_much_is_not_unpacked() -> None:
    def padded(to: int) -> bytes:
        buffer = io.BytesIO(xlsx(*ROWS))
        with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as made:
            made.writestr("pad", b"0" * sheets.PART_MAXIMUM_BYTES)
            made.writestr("rest", b"0" * (to - sum(part.file_size for part in made.infolist())))
        return buffer.getvalue()

    most = padded(sheets.UNPACKED_MAXIMUM_BYTES)
    assert len(most) < 100_000
    assert sheets.read("x.xlsx", most) == [LINES]
    assert refusal("x.xlsx", padded(sheets.UNPACKED_MAXIMUM_BYTES + 1))[0] == "too_large"


def test_a_zip_of_too_many_parts() -> None:
    def parts(count: int) -> bytes:
        buffer = io.BytesIO(xlsx(*ROWS))
        with zipfile.ZipFile(buffer, "a") as made:
            for at in range(count - len(made.infolist())):
                made.writestr(f"x{at}", "")
        return buffer.getvalue()

    assert sheets.read("x.xlsx", parts(sheets.PARTS_MAXIMUM)) == [LINES]
    assert refusal("x.xlsx", parts(sheets.PARTS_MAXIMUM + 1))[0] == "too_large"


def test_a_row_far_down_and_a_cell_far_right_cost_nothing() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(ROWS[0])
    sheet["XFD1"] = "far"
    sheet["A1048576"] = "deep"
    (lines,) = sheets.read("x.xlsx", saved(book))
    assert [number for number, _cells in lines] == [1]
    assert len(lines[0][1]) <= sheets.COLUMNS_MAXIMUM


@pytest.mark.parametrize("make", [csv_bytes, xlsx])
def test_so_many_lines_and_not_one_more(make: object) -> None:
    filename = "x.csv" if make is csv_bytes else "x.xlsx"
    most = ROWS_MAXIMUM + HEADER_ROWS
    (lines,) = sheets.read(filename, make(*[["a", "b"]] * most))  # type: ignore[operator]
    assert len(lines) == most
    assert refusal(filename, make(*[["a", "b"]] * (most + 1)))[0] == "roster_too_long"  # type: ignore[operator]


def test_a_long_cell_is_cut() -> None:
    ((_number, cells),) = sheets.read("x.csv", csv_bytes(["a" * (sheets.CELL_MAXIMUM + 1)]))[0]
    assert cells == ["a" * sheets.CELL_MAXIMUM]
