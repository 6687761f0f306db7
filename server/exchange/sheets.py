"""Decides what may be read as a table: .xlsx or .csv, of bounded size however it was packed; rows of plain cells."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import PurePath
from typing import Final

from openpyxl import load_workbook
from openpyxl.xml.constants import XLSM, XLSX, XLTM, XLTX
from openpyxl.xml.functions import fromstring

from server.core.errors import DomainError
from server.exchange.rules import HEADER_ROWS, ROWS_MAXIMUM, Cell, Line

FILE_MAXIMUM_BYTES: Final = 5 * 1024 * 1024
#: an .xlsx is a zip: what it says it unpacks to (and zipfile reads no further than it says)
UNPACKED_MAXIMUM_BYTES: Final = 20 * 1024 * 1024
#: one part of it: 5,000 rows of 60 short cells fit; a tree of XML takes forty times its size in memory
PART_MAXIMUM_BYTES: Final = 10 * 1024 * 1024
#: these are read row by row, other parts of XML whole: one of the size above would stop everybody for seconds
STREAMED: Final = re.compile(r"xl/(worksheets/[^/]+\.xml|sharedstrings\.xml)")
WHOLE_MAXIMUM_BYTES: Final = 1024 * 1024
WORKBOOK_TYPES: Final = frozenset({XLSM, XLSX, XLTM, XLTX})
CONTENTS: Final = "[Content_Types].xml"
WORKBOOK: Final = "/xl/workbook.xml"
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
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError) as error:
        raise DomainError("roster_unreadable", reason="not_xlsx") from error
    parts = archive.infolist()
    if len(parts) > PARTS_MAXIMUM or sum(part.file_size for part in parts) > UNPACKED_MAXIMUM_BYTES:
        raise DomainError("too_large", limit_bytes=UNPACKED_MAXIMUM_BYTES)
    for part in parts:
        limit = WHOLE_MAXIMUM_BYTES if _read_whole(part.filename.lower()) else PART_MAXIMUM_BYTES
        if part.file_size > limit:
            raise DomainError("too_large", limit_bytes=limit)
    if any(part.flag_bits & 0x1 for part in parts):
        raise DomainError("roster_unreadable", reason="encrypted")
    _check_workbook(archive)


def _read_whole(name: str) -> bool:
    return name.endswith((".xml", ".rels")) and STREAMED.fullmatch(name) is None


def _check_workbook(archive: zipfile.ZipFile) -> None:
    """A file says itself where its workbook is: only where every office program puts it, so that its limit holds."""
    try:
        said = [part for part in fromstring(archive.read(CONTENTS)) if part.get("ContentType") in WORKBOOK_TYPES]
    except Exception as error:  # as damaged as it likes
        raise DomainError("roster_unreadable", reason="damaged") from error
    if any((part.get("PartName") or WORKBOOK).lower() != WORKBOOK for part in said):
        raise DomainError("roster_unreadable", reason="damaged")


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
