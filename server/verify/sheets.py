"""Decides whether the 学时台账 in a package says what the evidence proves. Pure.

Only numbers are read: seat, lesson, credited, corrected and confirmed seconds of each row (exchange/ledger.py lays
them out).
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

SEAT, LESSON, SECONDS, CORRECTED, CONFIRMED = 0, 6, 14, 15, 16
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
#: a number in the columns A, G, O, P or Q of a sheet of an .xlsx
_CELL: Final = re.compile(rb'<c r="(A|G|O|P|Q)(\d+)"(?![^>]*\bt=")[^>]*>(?:<f[^<]*</f>)?<v>(-?\d{1,9})(?:\.0*)?</v>')


@dataclass(frozen=True, slots=True)
class Row:
    """A trainee's lesson in a sheet; `seconds` None: it has not begun. `corrected` may be negative."""

    seat: int
    lesson: int
    seconds: int | None
    corrected: int | None = None
    confirmed: int | None = None


def csv_rows(text: str) -> list[Row]:
    """The rows of a .csv that are of a trainee and a lesson."""
    lines = [line for line in csv.reader(text.splitlines(keepends=True)) if len(line) > CONFIRMED]
    return [
        Row(int(line[SEAT]), int(line[LESSON]), *(_number(line[at]) for at in (SECONDS, CORRECTED, CONFIRMED)))
        for line in lines
        if _NUMBER.fullmatch(line[SEAT]) and _NUMBER.fullmatch(line[LESSON])
    ]


def sheet_rows(xml: bytes) -> list[Row]:
    """The same of a sheet of an .xlsx."""
    rows: dict[bytes, dict[bytes, int]] = {}
    for column, row, value in _CELL.findall(xml):
        rows.setdefault(row, {})[column] = int(value)
    return [
        Row(row[b"A"], row[b"G"], row.get(b"O"), row.get(b"P"), row.get(b"Q"))
        for row in rows.values()
        if b"A" in row and b"G" in row
    ]


def _number(cell: str) -> int | None:
    return int(cell) if _NUMBER.fullmatch(cell) else None


def differing(
    rows: Iterable[Row],
    credit_ms: Mapping[tuple[int, int], int],
    corrected_ms: Mapping[tuple[int, int], int],
    uncounted_ms: Mapping[tuple[int, int], int],
    lessons: Iterable[int],
) -> list[Row]:
    """Rows that say something else than what is proven by lesson and seat, and rows that are missing.

    Only lessons of which there is evidence count.
    """
    known, both = set(lessons), (*credit_ms.items(), *corrected_ms.items())
    left = {pair for pair, ms in both if abs(ms) >= 1000}
    found = []
    for row in rows:
        if row.lesson not in known:
            continue
        pair = (row.lesson, row.seat)
        credit, change = credit_ms.get(pair, 0), corrected_ms.get(pair, 0)
        proven = credit // 1000, _towards_nothing(change), (credit - uncounted_ms.get(pair, 0) + change) // 1000
        if (row.seconds or 0, row.corrected or 0, row.confirmed or 0) != proven:
            found.append(row)
        left.discard(pair)
    return found + [Row(seat, lesson, None) for lesson, seat in sorted(left)]


def _towards_nothing(ms: int) -> int:
    return abs(ms) // 1000 * (1 if ms > 0 else -1)
