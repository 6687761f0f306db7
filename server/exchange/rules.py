"""Decides which rows of a roster (学员花名册) are good, and names each bad one with its reason. Pure.

Stored is what the class needs: 姓名, 身份证号, 联系电话. Other columns of the roster may stand in the file unread.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from server.accounts.id_number import masked, normal
from server.accounts.rules import checked_name, checked_phone
from server.core.errors import DomainError

#: text, or a number as the file has it (an ID number that is a number has lost digits)
Cell: TypeAlias = str | int | float
#: the row's number as the office program shows it, and its cells
Line: TypeAlias = tuple[int, list[Cell]]
#: an ID number in its one spelling, or DomainError id_number_malformed
CheckIdNumber: TypeAlias = Callable[[str], str]

#: data rows, and the rows in which the header is looked for
ROWS_MAXIMUM: Final = 5_000
HEADER_ROWS: Final = 10
VALUE_MAXIMUM: Final = 40
NAME: Final = "姓名"
ID_NUMBER: Final = "身份证号"
PHONE: Final = "联系电话"
CLASS_CODE: Final = "班级编号"
REQUIRED: Final = (NAME, ID_NUMBER)
#: how offices head the columns, after blanks, stars and brackets are taken away
HEADINGS: Final = {
    NAME: ("姓名", "学员姓名", "学生姓名"),
    ID_NUMBER: ("身份证号", "身份证号码", "身份证", "公民身份号码", "公民身份证号码", "证件号码", "证件号"),
    PHONE: ("联系电话", "电话", "手机", "手机号", "手机号码", "联系方式", "电话号码"),
    CLASS_CODE: ("班级编号", "班级编码", "班号", "班级代码"),
}
_HEADING_NOISE: Final = re.compile(r"[\s*:]|\(.*?\)|\[.*?\]")
_SCIENTIFIC: Final = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]+|[0-9]{15,}\.0+")
#: a number of 18 digits typed into a number cell keeps 15: the rest becomes zeros
_LOST_DIGITS: Final = re.compile(r"[0-9]{15}000")
_DOTS: Final = re.compile(r"[\s·•・‧∙.．。]")


class Fault(StrEnum):
    """Why a row was not taken; stable codes, their words stand in the web's catalogue (`row.<code>`)."""

    NAME_MISSING = "name_missing"
    NAME_MALFORMED = "name_malformed"
    NAME_DIFFERS = "name_differs"  # this ID number is known under another name
    ID_NUMBER_MISSING = "id_number_missing"
    ID_NUMBER_MALFORMED = "id_number_malformed"
    ID_NUMBER_AS_NUMBER = "id_number_as_number"  # the office program turned it into a number: digits are lost
    ID_NUMBER_TWICE = "id_number_twice"
    PHONE_MALFORMED = "phone_malformed"
    OTHER_CLASS = "other_class"
    OTHER_ROLE = "other_role"  # this person teaches or works here


@dataclass(frozen=True, slots=True)
class Row:
    """A good row: the trainee it names."""

    number: int
    name: str
    id_number: str = field(repr=False)
    phone: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A bad row: its number in the file, the column, the reason, and the value (an ID number only masked)."""

    row: int
    column: str
    code: Fault
    value: str


class _Bad(Exception):
    def __init__(self, column: str, code: Fault, value: Cell) -> None:
        super().__init__(code)
        self.column, self.code, self.value = column, code, str(value)


def judge(sheets: Sequence[Sequence[Line]], class_code: str, check: CheckIdNumber) -> tuple[list[Row], list[Rejected]]:
    """The good and the bad rows of the first sheet that has a header; one reason for each bad row.

    Raises DomainError roster_columns_missing (data: missing), roster_empty, roster_too_long (data: maximum).
    """
    columns, lines = _headed(sheets)
    if not lines:
        raise DomainError("roster_empty")
    if len(lines) > ROWS_MAXIMUM:
        raise DomainError("roster_too_long", maximum=ROWS_MAXIMUM)
    good: list[Row] = []
    bad: list[Rejected] = []
    seen: set[str] = set()
    for number, cells in lines:
        values = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}
        try:
            row = _row(number, values, class_code, check)
            if row.id_number in seen:
                raise _Bad(ID_NUMBER, Fault.ID_NUMBER_TWICE, row.id_number)
            seen.add(row.id_number)
            good.append(row)
        except _Bad as fault:
            bad.append(rejected(number, fault.column, fault.code, fault.value))
    return good, bad


def rejected(row: int, column: str, code: Fault, value: str) -> Rejected:
    """A bad row with a value that may be shown."""
    shown = masked(normal(value)) if column == ID_NUMBER else value
    return Rejected(row, column, code, shown[:VALUE_MAXIMUM])


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are one name: width, blanks and the many dots of 买买提·艾力 aside."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return _DOTS.sub("", unicodedata.normalize("NFKC", name)).casefold()


def _headed(sheets: Sequence[Sequence[Line]]) -> tuple[dict[str, int], Sequence[Line]]:
    """Where the columns are, and the lines below the header."""
    closest: dict[str, int] = {}
    for lines in sheets:
        for at, (_number, cells) in enumerate(lines[:HEADER_ROWS]):
            columns = _columns(cells)
            if all(name in columns for name in REQUIRED):
                return columns, lines[at + 1 :]
            closest = max(closest, columns, key=len)
    if not any(sheets):
        raise DomainError("roster_empty")
    raise DomainError("roster_columns_missing", missing=[name for name in REQUIRED if name not in closest])


def _columns(cells: Sequence[Cell]) -> dict[str, int]:
    headings = [_HEADING_NOISE.sub("", unicodedata.normalize("NFKC", str(cell))) for cell in cells]
    found: dict[str, int] = {}
    for name, spellings in HEADINGS.items():
        places = [at for at, heading in enumerate(headings) if heading in spellings]
        if places:
            found[name] = places[0]
    return found


def _row(number: int, values: dict[str, Cell], class_code: str, check: CheckIdNumber) -> Row:
    code = _text(values.get(CLASS_CODE, ""))
    if code and unicodedata.normalize("NFC", code) != class_code:
        raise _Bad(CLASS_CODE, Fault.OTHER_CLASS, code)
    return Row(number, _name(values[NAME]), _id_number(values[ID_NUMBER], check), _phone(values.get(PHONE, "")))


def _name(cell: Cell) -> str:
    try:
        return checked_name(_text(cell))
    except DomainError as error:
        code = Fault.NAME_MISSING if error.code == "name_missing" else Fault.NAME_MALFORMED
        raise _Bad(NAME, code, cell) from error


def _id_number(cell: Cell, check: CheckIdNumber) -> str:
    if not isinstance(cell, str):
        raise _Bad(ID_NUMBER, Fault.ID_NUMBER_AS_NUMBER, cell)
    text = normal(_text(cell))
    if not text:
        raise _Bad(ID_NUMBER, Fault.ID_NUMBER_MISSING, "")
    if _SCIENTIFIC.fullmatch(text):
        raise _Bad(ID_NUMBER, Fault.ID_NUMBER_AS_NUMBER, text)
    try:
        return check(text)
    except DomainError as error:
        lost = error.data.get("reason") == "check_digit" and _LOST_DIGITS.fullmatch(text)
        raise _Bad(ID_NUMBER, Fault.ID_NUMBER_AS_NUMBER if lost else Fault.ID_NUMBER_MALFORMED, text) from error


def _phone(cell: Cell) -> str:
    try:
        return checked_phone(_text(cell))
    except DomainError as error:
        raise _Bad(PHONE, Fault.PHONE_MALFORMED, cell) from error


def _text(cell: Cell) -> str:
    """A cell as text: 13800000000.0 is a phone number, and a leading ' marks text in an office program."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip().removeprefix("'")
