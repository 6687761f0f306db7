"""Decides what may be read as a table: .xlsx or .csv, of bounded size however it was packed; rows of plain cells."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import PurePath
from typing import Final

from openpyxl import load_workbook

from server.core.errors import DomainError
from server.exchange.rules import HEADER_ROWS, ROWS_MAXIMUM, Cell, Line

FILE_MAXIMUM_BYTES: Final = 5 * 1024 * 1024
#: an .xlsx is a zip: what it says it unpacks to (and zipfile reads no further than it says)
UNPACKED_MAXIMUM_BYTES: Final = 20 * 1024 * 1024
#: what is read whole before the first row; a stylesheet of the size above would take a minute and gigabytes
PREFACE: Final = frozenset({"xl/workbook.xml", "xl/styles.xml"})
PREFACE_MAXIMUM_BYTES: Final = 1024 * 1024
PARTS_MAXIMUM: Final = 200
SHEETS_MAXIMUM: Final = 10
COLUMNS_MAXIMUM: Final = 60
CELL_MAXIMUM: Final = 500
ENCODINGS: Final = ("utf-8-sig", "gb18030")


def read(filename: str, content: bytes) -> list[list[Line]]:
    """The sheets of a file, each as its lines that are not empty; a .csv is one sheet.

    Raises DomainError unsupported_file (data: allowed), roster_unreadable (data: reason), too_large (data:
    limit_bytes), roster_too_long (data: maximum).
    """
    match PurePath(filename.lower()).suffix:
        case ".xlsx":
            return _read_xlsx(content)
        case ".csv":
            return [_lines(csv.reader(io.StringIO(_decoded(content), newline=""), strict=False))]
        case _:
            raise DomainError("unsupported_file", allowed=[".xlsx", ".csv"])


def _read_xlsx(content: bytes) -> list[list[Line]]:
    _check_zip(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheets = islice((sheet for sheet in book.worksheets if sheet.sheet_state == "visible"), SHEETS_MAXIMUM)
        last = HEADER_ROWS + ROWS_MAXIMUM + 1
        return [_lines(sheet.iter_rows(max_row=last, max_col=COLUMNS_MAXIMUM, values_only=True)) for sheet in sheets]
    except DomainError:
        raise
    except Exception as error:  # a damaged file fails anywhere in zipfile, the XML parser or openpyxl
        raise DomainError("roster_unreadable", reason="damaged") from error


def _check_zip(content: bytes) -> None:
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError) as error:
        raise DomainError("roster_unreadable", reason="not_xlsx") from error
    if len(parts) > PARTS_MAXIMUM or sum(part.file_size for part in parts) > UNPACKED_MAXIMUM_BYTES:
        raise DomainError("too_large", limit_bytes=UNPACKED_MAXIMUM_BYTES)
    if any(part.file_size > PREFACE_MAXIMUM_BYTES for part in parts if part.filename.lower() in PREFACE):
        raise DomainError("too_large", limit_bytes=PREFACE_MAXIMUM_BYTES)
    if any(part.flag_bits & 0x1 for part in parts):
        raise DomainError("roster_unreadable", reason="encrypted")


def _decoded(content: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DomainError("roster_unreadable", reason="encoding")


def _lines(rows: Iterable[Sequence[object]]) -> list[Line]:
    lines: list[Line] = []
    try:
        for number, row in enumerate(rows, start=1):
            cells = [_cell(value) for value in row[:COLUMNS_MAXIMUM]]
            while cells and cells[-1] == "":
                cells.pop()
            if cells:
                lines.append((number, cells))
            if len(lines) > ROWS_MAXIMUM + HEADER_ROWS:
                raise DomainError("roster_too_long", maximum=ROWS_MAXIMUM)
    except csv.Error as error:
        raise DomainError("roster_unreadable", reason="damaged") from error
    return lines


def _cell(value: object) -> Cell:
    """Text without blanks around, numbers as they are; dates and the like as text."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return str(value).strip()[:CELL_MAXIMUM]
