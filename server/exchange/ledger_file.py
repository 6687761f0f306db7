"""Decides how a ledger becomes a file that an office program shows and never executes: .xlsx or .csv."""

import csv
import io
from typing import Final

import xlsxwriter

from server.exchange.ledger import Ledger, Value

#: what makes an office program take a cell of a .csv for a formula, full width as well
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MOMENT_WIDTH: Final = 19
PLAIN_WIDTH: Final = 12
#: a second bar: cells are written by kind, and even a careless `write` would take nothing for a formula or a link
AS_TEXT: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_xlsx(ledger: Ledger) -> bytes:
    """One sheet: the head, the columns, the rows; numbers as numbers, everything else as text."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, AS_TEXT)
    words = ledger.words
    sheet = book.add_worksheet(words.sheet)
    plain, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
    whole, total = book.add_format({"num_format": "0"}), book.add_format({"bold": True, "num_format": "0", "top": 1})
    title = book.add_format({"bold": True, "font_size": 14, "font_color": "#b42318" if ledger.demo else "#000000"})
    for at, line in enumerate(ledger.head):
        sheet.write_string(at, 0, line, title if at == 0 else plain)
    moments, top = {*words.before[-2:], *words.seconds[:2]}, len(ledger.head)
    for at, name in enumerate(words.columns):
        sheet.write_string(top, at, name, bold)
        sheet.set_column(at, at, words.wide.get(name, MOMENT_WIDTH if name in moments else PLAIN_WIDTH))
    for number, row in enumerate(ledger.rows, start=top + 1):
        text, figure = (bold, total) if words.total in row else (plain, whole)
        for at, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, at, value, figure)
            else:
                sheet.write_string(number, at, value, text)
    sheet.freeze_panes(top + 1, 0)
    sheet.set_landscape()
    sheet.repeat_rows(top)
    sheet.fit_to_pages(1, 0)
    sheet.set_header(f"&C{words.title} {words.demo_mark if ledger.demo else ''}")
    book.close()
    return buffer.getvalue()


def write_csv(ledger: Ledger) -> bytes:
    """The same lines; UTF-8 with BOM. A text that could be a formula gets an apostrophe before it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows([harmless(line)] for line in ledger.head)
    writer.writerow(ledger.words.columns)
    writer.writerows([harmless(value) for value in row] for row in ledger.rows)
    return ("\ufeff" + buffer.getvalue()).encode()


def harmless(value: Value) -> Value:
    """A value of a .csv that no office program takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
