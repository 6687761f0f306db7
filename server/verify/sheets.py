"""Decides whether the 学时台账 in a package says what the evidence proves. Pure.

What is read of each row (exchange/ledger.py lays them out): seat, name, ID number, lesson, and credited, corrected
and confirmed seconds; of the sum over lessons also its class hours, counted from the last column, for reasons grow.
"""

import csv
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from html import unescape
from math import copysign
from typing import Final

from server.verify.hours import MINUTE_MS, Rules, divided

#: behind these stand what is confirmed, its state and the scheme
COMPUTED, LEFT_OVER, HOURS = -5, -4, -3
SEAT, NAME, ID_NUMBER, LESSON, SECONDS, CORRECTED, CONFIRMED = 0, 4, 5, 6, 14, 15, 16
#: the seat of a row that has none
NOBODY: Final = -1
#: the columns that say a time
_TIMES: Final = {b"O", b"P", b"Q"}
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
#: a cell with something in it, of whatever column, and the number where it is one
_ANY: Final = re.compile(
    rb'<c r="([A-Z]{1,3})\d{1,7}"([^<>]{0,200})>(?:<f[^<]*</f>)?<(?:v>(?:(-?\d{1,9})(?:\.0*)?<)?|is>)'
)
#: a number in the columns A, G, O, P or Q of a sheet of an .xlsx; no pattern reads far beyond where it began, so that a
#: file of many beginnings without an end takes no longer than another
_CELL: Final = re.compile(
    rb'<c r="(A|G|O|P|Q)(\d{1,7})"(?![^<>]{0,200}\bt=")[^<>]{0,200}>(?:<f[^<]*</f>)?<v>(-?\d{1,9})(?:\.0*)?</v>'
)


#: a text in the columns E or F: the number of a shared one, or the text itself
_TEXT: Final = re.compile(
    rb'<c r="(E|F)(\d{1,7})"[^<>]{0,200}\bt="(?:s"[^<>]{0,200}>\s*<v>(\d{1,9})</v>|'
    rb'inlineStr"[^<>]{0,200}>\s*<is>([^<]*(?:<(?!/?is>)[^<]*)*)</is>)'
)
_SHARED: Final = re.compile(r"<si\s*/>|<si>([^<]*(?:<(?!/?si>)[^<]*)*)</si>")
#: how a text is pronounced is none of it
_SPOKEN: Final = re.compile(r"<rPh\b[^<]*(?:<(?!/?rPh\b)[^<]*)*</rPh>")
_PART: Final = re.compile(r"<t(?:\s[^<>]*)?>([^<]*)</t>")
#: what stands before a text that an office program would take for a formula
_GUARD: Final = re.compile("\\A'(?=[=+\\-@\t\r\n＝＋－＠])")


@dataclass(frozen=True, slots=True)
class Row:
    """A trainee's lesson in a sheet, or the sum of all of them (`lesson` None).

    `seconds` None: it has not begun. `corrected` may be negative.
    """

    seat: int
    lesson: int | None
    seconds: int | None
    corrected: int | None = None
    confirmed: int | None = None
    name: str = ""
    id_number: str = ""
    #: of a sum: class hours of what was recorded, the minutes left over of it, class hours of what counts
    hours: tuple[int | None, ...] = ()


def csv_rows(text: str) -> list[Row]:
    """The rows of a .csv that are of a trainee, and those that say a time of nobody."""
    lines = [line for line in csv.reader(text.splitlines(keepends=True)) if len(line) > CONFIRMED]
    rows = [_row(line) for line in lines]
    return [row for row in rows if row.seat != NOBODY or _says_time(row)]


def _row(line: Sequence[str]) -> Row:
    lesson, seconds, corrected, confirmed = (_number(line[at]) for at in (LESSON, SECONDS, CORRECTED, CONFIRMED))
    name, id_number = (_GUARD.sub("", line[at]) for at in (NAME, ID_NUMBER))
    until = max((at for at, cell in enumerate(line, 1) if cell), default=0)
    hours = () if lesson is not None else _hours([_number(cell) for cell in line[:until]])
    seat = _number(line[SEAT])
    return Row(NOBODY if seat is None else seat, lesson, seconds, corrected, confirmed, name, id_number, hours)


def sheet_rows(xml: bytes, shared: Sequence[str]) -> list[Row]:
    """The same of a sheet of an .xlsx; `shared` are the texts of its book (shared_texts)."""
    rows: dict[bytes, dict[bytes, int]] = {}
    for column, row, value in _CELL.findall(xml):
        rows.setdefault(row, {})[column] = int(value)
    texts: dict[bytes, dict[bytes, str]] = {}
    for column, row, at, inline in _TEXT.findall(xml):
        known = shared[int(at)] if at and int(at) < len(shared) else _plain(inline.decode(errors="replace"))
        texts.setdefault(row, {})[column] = known
    found, sums = [], _sums(xml, {number for number, cells in rows.items() if b"G" not in cells})
    for number, cells in rows.items():
        if cells.keys() & _TIMES or b"A" in cells:
            lesson, seconds, corrected, confirmed = (cells.get(column) for column in (b"G", b"O", b"P", b"Q"))
            name, id_number = (texts.get(number, {}).get(column, "") for column in (b"E", b"F"))
            hours = sums.get(number, ())
            found.append(Row(cells.get(b"A", NOBODY), lesson, seconds, corrected, confirmed, name, id_number, hours))
    return found


def _sums(xml: bytes, numbers: Container[bytes]) -> dict[bytes, tuple[int | None, ...]]:
    """The hours of these rows of a sheet."""
    found = {}
    for part in xml.split(b"<row ")[1:]:
        number = re.match(rb'[^>]*\br="(\d+)"', part)
        if number is not None and number[1] in numbers:
            cells = {_place(column): _figure(how, value) for column, how, value in _ANY.findall(part)}
            found[number[1]] = _hours([cells.get(at) for at in range(1, max(cells, default=0) + 1)])
    return found


def _place(column: bytes) -> int:
    """A is 1, Z is 26, AA is 27."""
    return reduce(lambda place, letter: place * 26 + letter - 64, column, 0)


def _figure(how: bytes, value: bytes) -> int | None:
    return int(value) if value and b"t=" not in how else None


def _hours(cells: Sequence[int | None]) -> tuple[int | None, ...]:
    """The three of a row's cells, of which the last is not empty."""
    return tuple(cells[at] if len(cells) >= -at else None for at in (COMPUTED, LEFT_OVER, HOURS))


def shared_texts(xml: str) -> list[str]:
    """The texts that the sheets of a book share."""
    return [_plain(inside) for inside in _SHARED.findall(xml)]


def _plain(xml: str) -> str:
    """The text of a cell, however it is set."""
    return unescape("".join(_PART.findall(_SPOKEN.sub("", xml))))


def _number(cell: str) -> int | None:
    return int(cell) if _NUMBER.fullmatch(cell) else None


def _says_time(row: Row) -> bool:
    return (row.seconds, row.corrected, row.confirmed) != (None, None, None)


#: what a row says of a lesson without evidence
NOTHING: Final = (0, 0, 0)


def differing(
    rows: Iterable[Row],
    credit_ms: Mapping[tuple[int, int], int],
    corrected_ms: Mapping[tuple[int, int], int],
    uncounted_ms: Mapping[tuple[int, int], int],
    lessons: Iterable[int],
    rules: Rules | None = None,
) -> list[Row]:
    """Rows that say something else than what is proven by lesson and seat, that say it twice, and that are missing.

    Of a lesson without evidence a row may say no time. A sum is of all rows of its seat; where one of them is of a
    lesson without evidence it is that one that is named. Class hours are held against `rules`, where they are known.
    """
    proven, known = partial(_proven, credit_ms, corrected_ms, uncounted_ms), set(lessons)
    left = {pair for pair, ms in (*credit_ms.items(), *corrected_ms.items()) if abs(ms) >= 1000}
    of_seat: dict[int, set[int]] = {}
    found, sums, unproven = list[Row](), dict[int, Row](), set[int]()
    for row in rows:
        numbers = of_seat.setdefault(row.seat, set())
        if row.lesson is None:
            found += [row] if sums.setdefault(row.seat, row) is not row else []
            continue
        pair = (row.lesson, row.seat)
        if row.lesson not in known and _said(row) != NOTHING:
            unproven.add(row.seat)
        if row.lesson in numbers or not _holds(row, None, *(proven([pair]) if row.lesson in known else NOTHING)):
            found.append(row)
        numbers.add(row.lesson)
        left.discard(pair)
    for seat, row in sums.items():
        if seat not in unproven and not _holds(row, rules, *proven([(number, seat) for number in of_seat[seat]])):
            found.append(row)
    return found + [Row(seat, lesson, None) for lesson, seat in sorted(left)]


def _proven(
    credit_ms: Mapping[tuple[int, int], int],
    corrected_ms: Mapping[tuple[int, int], int],
    uncounted_ms: Mapping[tuple[int, int], int],
    pairs: Iterable[tuple[int, int]],
) -> tuple[int, int, int]:
    """What is proven of these lessons and seats together: recorded, changed by corrections, and what counts."""
    some = list(pairs)
    credit, change, left = (sum(each.get(one, 0) for one in some) for each in (credit_ms, corrected_ms, uncounted_ms))
    return credit, change, credit - left + change


def _said(row: Row) -> tuple[int, int, int]:
    return row.seconds or 0, row.corrected or 0, row.confirmed or 0


def _holds(row: Row, rules: Rules | None, credit_ms: int, change_ms: int, counts_ms: int) -> bool:
    """Whether a row says these sums: whole seconds, and of all lessons class hours under these rules."""
    sums = _said(row) == (credit_ms // 1000, _towards_nothing(change_ms), counts_ms // 1000)
    if rules is None or not sums:
        return sums
    computed, left_ms = divided(rules, credit_ms)
    return row.hours == (computed, left_ms // MINUTE_MS, divided(rules, max(0, counts_ms))[0])


def _towards_nothing(ms: int) -> int:
    return int(copysign(abs(ms) // 1000, ms))
