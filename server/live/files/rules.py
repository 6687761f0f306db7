"""Decides what files a lesson takes, and how many. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.core.errors import DomainError
from server.core.files.kinds import FileKind

_MIB: Final = 1 << 20


class Use(StrEnum):
    """What a file is for: pages to be shown, or something given in the chat."""

    SLIDES = "slides"
    CHAT = "chat"


_PICTURES: Final = frozenset({FileKind.PNG, FileKind.JPEG, FileKind.WEBP})
KINDS: Final[Mapping[Use, frozenset[FileKind]]] = {
    Use.SLIDES: _PICTURES | {FileKind.PDF, FileKind.PPTX},
    Use.CHAT: _PICTURES | {FileKind.PDF, FileKind.PPTX, FileKind.DOCX, FileKind.XLSX, FileKind.TEXT},
}
FILE_BYTES: Final[Mapping[Use, int]] = {Use.SLIDES: 50 * _MIB, Use.CHAT: 20 * _MIB}
#: of one lesson, whoever gave them
LESSON_BYTES: Final = 1024 * _MIB
LESSON_FILES: Final = 500
#: of one trainee in one lesson
TRAINEE_BYTES: Final = 100 * _MIB
TRAINEE_FILES: Final = 30


@dataclass(frozen=True, slots=True)
class LessonFile:
    """A file of a lesson, the `number`th; `digest` is its SHA-256. What was made of another says of which."""

    lesson_id: str
    file_id: str
    number: int
    digest: str
    name: str
    size: int
    kind: FileKind
    use: Use
    made_of: str
    by_id: str
    at_ms: int


def check_room(known: Collection[LessonFile], by_id: str, size: int, teaches: bool) -> None:
    """Whether one more of so many bytes may come. Raises DomainError files_full."""
    _check(known, size, LESSON_FILES, LESSON_BYTES)
    if not teaches:
        _check([one for one in known if one.by_id == by_id], size, TRAINEE_FILES, TRAINEE_BYTES)


def _check(known: Collection[LessonFile], size: int, most_files: int, most_bytes: int) -> None:
    if len(known) >= most_files or sum(one.size for one in known) + size > most_bytes:
        raise DomainError("files_full", files=most_files, bytes=most_bytes)
