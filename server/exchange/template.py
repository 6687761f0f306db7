"""Decides what an empty roster looks like: the columns that are read, the ID number's cells kept as text."""

import io
from typing import Final

import xlsxwriter

from server.exchange.rules import ID_NUMBER, NAME, PHONE, ROWS_MAXIMUM

COLUMNS: Final = (NAME, ID_NUMBER, PHONE)
NOTES: Final = (
    "填写说明",
    "姓名、身份证号必填；联系电话选填。列的顺序可以变，其他列可以保留，导入时不读取。",
    "身份证号一列已设为文本格式，请不要改成数字，否则末尾几位会丢失。",
    f"一次最多 {ROWS_MAXIMUM} 人。",
    "How to fill it in",
    f"{NAME} (name) and {ID_NUMBER} (ID number) are needed, {PHONE} (phone) is not. Columns may be in any order; "
    "others are left alone.",
    f"The column {ID_NUMBER} is text: as a number it would lose its last digits.",
    f"At most {ROWS_MAXIMUM} people at a time.",
)


def xlsx() -> bytes:
    """An .xlsx with a header and a sheet of notes."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet, notes = book.add_worksheet("学员花名册"), book.add_worksheet("填写说明")
    head, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
    sheet.set_column(0, len(COLUMNS) - 1, 22, text)
    for at, name in enumerate(COLUMNS):
        sheet.write_string(0, at, name, head)
    sheet.freeze_panes(1, 0)
    notes.set_column(0, 0, 80)
    for at, line in enumerate(NOTES):
        notes.write_string(at, 0, line)
    book.close()
    return buffer.getvalue()


def csv() -> bytes:
    """A .csv with a header; UTF-8 with BOM, so that office programs read it rightly."""
    return ("\ufeff" + ",".join(COLUMNS) + "\r\n").encode()
