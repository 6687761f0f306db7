"""How many files a lesson takes, and how much of one trainee: at the edge, and one beyond it."""

import pytest

from server.core.errors import DomainError
from server.core.files.kinds import FileKind
from server.live.files import rules
from server.live.files.rules import FILE_BYTES, KINDS, LessonFile, Use, check_room


def file(number: int, size: int, by: str) -> LessonFile:
    return LessonFile("l" * 16, f"{number:016x}", number, "d" * 64, "a.pdf", size, FileKind.PDF, Use.CHAT, "", by, 0)


def full(known: list[LessonFile], by: str, size: int, teaches: bool) -> bool:
    try:
        check_room(known, by, size, teaches)
    except DomainError as error:
        return error.code == "files_full"
    return False


@pytest.mark.parametrize("teaches", [True, False])
def test_a_lesson_takes_so_many_bytes_of_all(teaches: bool) -> None:
    known = [file(1, rules.LESSON_BYTES - 10, "somebody")]
    assert not full(known, "jia", 10, teaches)
    assert full(known, "jia", 11, teaches)


@pytest.mark.parametrize("teaches", [True, False])
def test_a_lesson_takes_so_many_files_of_all(teaches: bool) -> None:
    known = [file(number, 1, "somebody") for number in range(rules.LESSON_FILES)]
    assert not full(known[1:], "jia", 1, teaches)
    assert full(known, "jia", 1, teaches)


def test_a_trainee_has_a_share_and_who_teaches_has_not() -> None:
    many = [file(number, 1, "jia") for number in range(rules.TRAINEE_FILES)]
    assert not full(many[1:], "jia", 1, False)
    assert full(many, "jia", 1, False)
    large = [file(1, rules.TRAINEE_BYTES - 10, "jia")]
    assert not full(large, "jia", 10, False)
    assert full(large, "jia", 11, False)
    assert not full([*many, *large], "jia", 11, True)
    assert not full([*many, *large], "yi", 11, False)


def test_each_use_has_its_kinds_and_a_limit() -> None:
    assert FILE_BYTES == {Use.SLIDES: 50 << 20, Use.CHAT: 20 << 20}
    assert FileKind.TEXT not in KINDS[Use.SLIDES]
    assert KINDS.keys() == set(Use)
