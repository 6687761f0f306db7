"""A school whose files come in and go out, and the files themselves."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import openpyxl

from server import exchange
from server.attendance.hours import Earned
from server.attendance.settlements.service import Shown
from server.attendance.views import Evidence, LessonResult
from server.core.errors import DomainError
from server.core.wire.declaration import Declarations
from server.exchange.evidence import Log
from server.exchange.service import Exchange
from server.ledger.proofs import Proofs
from server.live.acts.polls_api import KeptPolls
from server.pages import CHECKER, PAGES
from server.training.rules import Lesson
from server.verify.notes import Key, Kind
from tests.training.school import School, open_school

URL = "https://ke.example.cn"


@dataclass
class KnownResults:
    """A fake of attendance: results and hours as a test sets them."""

    found: list[LessonResult] = field(default_factory=list)
    summed: dict[str, Earned] = field(default_factory=dict)
    known: Evidence = field(default_factory=lambda: Evidence({}, {}))

    async def results(self, class_id: str) -> Sequence[LessonResult]:
        return self.found

    async def hours(self, class_id: str) -> Mapping[str, Earned]:
        return self.summed

    async def own_records(self, lesson_id: str, person_id: str) -> list[bytes]:
        return []

    async def evidence(self, lesson_ids: Iterable[str]) -> Evidence:
        return self.known

    async def shown(self, lesson_ids: Iterable[str]) -> Sequence[bytes]:
        return []


class NothingSettled:
    """A fake of settlements: there are none."""

    async def shown(self, class_id: str) -> Shown:
        return Shown((), ())


class NoLog:
    """A log that shows nothing yet."""

    key = Key("keshi/none", Kind.LOG, bytes(32))

    async def vouch(self, group_id: str, text: str) -> str:
        raise DomainError("lesson_not_sealed")

    async def proofs(
        self, group_ids: Iterable[str], evidence: Mapping[bytes, bytes], partly: Iterable[str] = ()
    ) -> Proofs:
        raise DomainError("lesson_not_sealed")


@dataclass
class Office:
    school: School
    exchange: Exchange
    declarations: Declarations
    results: KnownResults


class NothingAsked:
    """Polls of a lesson in which there were none."""

    async def of(self, lesson: Lesson) -> KeptPolls:
        return KeptPolls([], [], None)


@asynccontextmanager
async def open_office(url: str, log: Log | None = None) -> AsyncIterator[Office]:
    """The school of the tests of training, with its doors and those of exchange."""
    async with open_school(url) as school:
        results = KnownResults()
        built = exchange.build(
            accounts=school.store.accounts,
            training=school.training,
            attendance=results,
            settlements=NothingSettled(),
            log=log or NoLog(),
            clock=school.store.clock,
            url=URL,
            checker=PAGES / CHECKER,
            polls=NothingAsked(),
        )
        joined = Declarations()
        for declarations in (school.store.declarations, school.declarations, built.declarations):
            joined.add(declarations)
        yield Office(school, built.service, joined, results)


def xlsx(*rows: Sequence[Any], title: str = "Sheet", before: Sequence[Sequence[Any]] | None = None) -> bytes:
    """An .xlsx of these rows; `before` is a sheet in front of it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if before is not None:
        for line in before:
            sheet.append(list(line))
        sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(list(row))
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    """A book as bytes."""
    buffer = io.BytesIO()
    book.save(buffer)
    book.close()
    return buffer.getvalue()


def csv_bytes(*rows: Sequence[Any], encoding: str = "utf-8-sig") -> bytes:
    """A .csv of these rows."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode(encoding)


def cells(content: bytes) -> list[list[Any]]:
    """The first sheet of an .xlsx, read back."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    book.close()
    return found
