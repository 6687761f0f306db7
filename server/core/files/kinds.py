"""Decides what a file is, by its content and never by its name, and what it may be called.

What could run in a browser or an office (HTML, SVG, scripts, macros) is of no kind here, nor are archives.
"""

import io
import unicodedata
import zipfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from server.core.errors import DomainError

#: looked at for what a file begins and ends with
EDGE_BYTES: Final = 4096
#: parts of an office file, and what all of them may come to once unpacked
MOST_PARTS: Final = 5_000
MOST_UNPACKED_BYTES: Final = 1 << 30
#: of the list of its parts; a longer one would take more memory to read than the file has bytes
MOST_LIST_BYTES: Final = 1 << 20
NAME_LETTERS: Final = 120
#: what marks a part of an office file as a program
MACRO: Final = "vbaproject"


class FileKind(StrEnum):
    """What is taken in; the value is also how a name ends."""

    PDF = "pdf"
    PPTX = "pptx"
    DOCX = "docx"
    XLSX = "xlsx"
    PNG = "png"
    JPEG = "jpg"
    WEBP = "webp"
    TEXT = "txt"


_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
#: how each is served
TYPES: Final[Mapping[FileKind, str]] = {
    FileKind.PDF: "application/pdf",
    FileKind.PPTX: f"{_OFFICE}.presentationml.presentation",
    FileKind.DOCX: f"{_OFFICE}.wordprocessingml.document",
    FileKind.XLSX: f"{_OFFICE}.spreadsheetml.sheet",
    FileKind.PNG: "image/png",
    FileKind.JPEG: "image/jpeg",
    FileKind.WEBP: "image/webp",
    FileKind.TEXT: "text/plain",
}
#: the part that each office file has
_MAIN: Final = {
    "ppt/presentation.xml": FileKind.PPTX,
    "word/document.xml": FileKind.DOCX,
    "xl/workbook.xml": FileKind.XLSX,
}
#: what may stand in a text beside letters
_BLANKS: Final = frozenset("\t\n\r\f")


def kind_of(path: Path) -> FileKind:
    """What a whole file is. Raises DomainError file_kind_refused, file_damaged (it ends too early, or contradicts
    itself)."""
    with path.open("rb") as file:
        head = file.read(EDGE_BYTES)
        size = file.seek(0, 2)
        file.seek(max(0, size - EDGE_BYTES))
        tail = file.read()
    if head.startswith(b"%PDF-"):
        return _whole(FileKind.PDF, b"%%EOF" in tail)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _whole(FileKind.PNG, b"IEND" in tail)
    if head.startswith(b"\xff\xd8\xff"):
        return _whole(FileKind.JPEG, b"\xff\xd9" in tail)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _whole(FileKind.WEBP, int.from_bytes(head[4:8], "little") + 8 <= size)
    if head.startswith(b"PK\x03\x04"):
        return _office(path)
    return _text(path)


def named(name: str, kind: FileKind) -> str:
    """A name without folders and without what cannot be seen, which ends as the kind does."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(one for one in unicodedata.normalize("NFC", last) if _is_shown(one)).strip(". ")
    stem, dot, end = seen.rpartition(".")
    same = {kind.value, "jpeg"} if kind is FileKind.JPEG else {kind.value}
    if not dot or end.lower() not in same:
        stem = seen
    return f"{stem.strip('. ')[: NAME_LETTERS - len(kind.value) - 1] or 'file'}.{kind.value}"


def _is_shown(letter: str) -> bool:
    """No control, no mark of direction (which could turn an ending around), no half of a pair."""
    return unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _whole(kind: FileKind, whole: bool) -> FileKind:
    if not whole:
        raise DomainError("file_damaged")
    return kind


def _office(path: Path) -> FileKind:
    """By its list of parts alone: nothing is unpacked."""
    try:
        with _Bounded(path) as file, zipfile.ZipFile(file) as parts:
            found = parts.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise DomainError("file_damaged") from error
    names = {part.filename for part in found}
    kinds = {kind for name, kind in _MAIN.items() if name in names}
    if len(kinds) != 1 or "[Content_Types].xml" not in names or any(MACRO in name.lower() for name in names):
        raise DomainError("file_kind_refused")
    if len(found) > MOST_PARTS or sum(part.file_size for part in found) > MOST_UNPACKED_BYTES:
        raise DomainError("file_damaged")
    return kinds.pop()


class _Bounded(io.FileIO):
    """A file of which nobody reads more at once than MOST_LIST_BYTES."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MOST_LIST_BYTES:
            raise zipfile.BadZipFile("a list without end")
        return super().read(MOST_LIST_BYTES if size is None or size < 0 else size)


def _text(path: Path) -> FileKind:
    """Text as UTF-8 or GB 18030 have it, without anything that no letter is."""
    raw = path.read_bytes()
    for code in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(code)
        except UnicodeDecodeError:
            continue
        if raw and all(one.isprintable() or one in _BLANKS or one.isspace() for one in text):
            return FileKind.TEXT
        break
    raise DomainError("file_kind_refused")
