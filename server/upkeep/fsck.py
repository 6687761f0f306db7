"""Decides whether what is stored can still be proven: the log against itself, and the journal against the log."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from typing import Final

from server.app import House
from server.attendance import records as attendance
from server.attendance.audit import differences
from server.attendance.challenges import records as challenges
from server.attendance.challenges import records_looks as looks
from server.attendance.corrections import records as corrections
from server.attendance.pages import records as pages
from server.attendance.settlements import records as settlements
from server.attendance.settlements.audit import unproven
from server.core.clock import iso
from server.ledger import audit
from server.ledger.rules import MINUTE_MS
from server.ledger.sources import strays
from server.live import records as live
from server.live.audit import misplaced, torn
from server.live.files import records as lesson_files
from server.oversight import records as oversight
from server.oversight import records_retention as retention
from server.training import records as training
from server.training import records_identities as identities
from server.verify.progress import for_people

#: what each code means, in both languages
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "leaf_missing": ("这一分钟不见了", "this minute is missing"),
    "leaf_added": ("日志没有这一分钟", "the log has no such minute"),
    "leaf_changed": ("这一分钟被改动", "this minute was changed"),
    "group_changed": ("这一分钟里多出、缺少或移动了一组记录", "a group of this minute was added, removed or moved"),
    "records_changed": ("这一组记录被改动", "records of this group were changed"),
    "records_erased": (
        "这一组有记录被删除，日志里没有保存期满的删除指令",
        "records of this group were deleted, and nobody ordered it in the log after their time",
    ),
    "entry_lost": ("有一项记录不在任何一分钟里", "something that was said is in no minute"),
    "entry_doubled": ("有一项记录等待再次封存", "something sealed waits to be sealed again"),
    "head_changed": ("日志的末端与内容不符", "the head of the log does not fit its leaves"),
    "files_changed": ("公布的文件与日志不符", "the published files do not fit the log"),
    "checkpoint_false": ("这一分钟之后的签名不对", "the signature after this minute is false"),
    "row_untold": ("这一行与日志不符，或日志里没有", "the log was not told of this row as it stands"),
    "row_missing": ("日志里记过的一行不见了或被改动", "a row that the log was told of is gone or was changed"),
    "identity_changed": (
        "这个座位上的姓名、证件号或座位与日志不符",
        "name, ID number or seat of this trainee differ from what the log was told",
    ),
    "settlement_wrong": (
        "这一次结算与学员的分钟记录不符",
        "this settlement does not follow from the trainee's minutes",
    ),
    "lesson_misplaced": (
        "这一课的状态、开课或下课时间与课堂事件不符",
        "state, begin or end of this lesson differ from what its events make",
    ),
    "acts_missing": ("这一课的互动记录中间有缺", "acts of this lesson are missing between others"),
    "file_missing": ("课上用过的一个文件不见了", "a file of this lesson is missing"),
    "file_changed": ("课上用过的一个文件被改动", "a file of this lesson was changed"),
    "unreadable": ("读不出来，其余照常核对", "cannot be read; the rest was looked at all the same"),
    "journal_changed": (
        "学员这一分钟或它的更正与日志不符",
        "a trainee's minute, or its correction, does not fit the log",
    ),
}


#: every table whose rows the log is told of, besides minutes
SOURCES: Final = (
    *attendance.SOURCES,
    *challenges.SOURCES,
    *looks.SOURCES,
    *corrections.SOURCES,
    *pages.SOURCES,
    *live.SOURCES,
    *lesson_files.SOURCES,
    *oversight.SOURCES,
    *retention.SOURCES,
    *settlements.SOURCES,
    *training.SOURCES,
)


#: what is looked at, one after the other and each by itself
PARTS: Final = ("log", "minutes", "rows", "seats", "lessons", "settlements", "files")


async def faults(house: House, parts: Collection[str] = PARTS) -> AsyncGenerator[str, None]:
    """Each fault as a line: where, code, words. Nothing personal is in it: a trainee is meant by id."""
    for name in parts:
        try:
            async for line in _WORK[name](house):
                yield line
        except Exception as error:  # noqa: BLE001  whatever was done to it, the rest is looked at
            yield _line("-", "unreadable", f"{name} {type(error).__name__}")


async def _of_the_log(house: House) -> AsyncIterator[str]:
    database, log = house.store.database, house.log
    genesis = await log.genesis()
    async for one in audit.audit(database, log.files, log.keys, for_people()):
        where = _minute(genesis + one.idx) if one.idx is not None else "-"
        yield _line(where, one.code, one.group_id)


async def _of_minutes(house: House) -> AsyncIterator[str]:
    async for found in differences(house.store.database):
        yield _line(_minute(found.slot), "journal_changed", f"{found.lesson_id} {found.person_id}")


async def _of_seats(house: House) -> AsyncIterator[str]:
    async with house.store.database.read() as connection:
        async for one in identities.untrue(connection):
            yield _line("-", "identity_changed", f"{one.class_id} {one.person_id} #{one.seat}")


async def _of_lessons(house: House) -> AsyncIterator[str]:
    async for lesson_id in misplaced(house.store.database):
        yield _line("-", "lesson_misplaced", lesson_id)
    async for lesson_id in torn(house.store.database):
        yield _line("-", "acts_missing", lesson_id)


async def _of_settlements(house: House) -> AsyncIterator[str]:
    async for one in unproven(house.store.database, house.training):
        yield _line("-", "settlement_wrong", f"{one.class_id} {one.number} {one.person_id}")


async def _of_files(house: House) -> AsyncIterator[str]:
    store = house.files.store
    async with house.store.database.read() as connection:
        known = await lesson_files.all_files(connection)
    for lesson_id, file_id, digest, size in known:
        if fault := await asyncio.to_thread(store.fault, digest, size):
            yield _line("-", f"file_{fault}", f"{lesson_id} {file_id}")


async def _of_rows(house: House) -> AsyncIterator[str]:
    async for one in strays(house.store.database, SOURCES):
        if one.slot is None:
            yield _line("-", "row_untold", f"{one.table} {one.row}")
        else:
            yield _line(_minute(one.slot), "row_missing", one.table)


def _minute(slot: int) -> str:
    """When that was; a dash where somebody wrote a minute that no calendar has."""
    try:
        return iso(slot * MINUTE_MS) if slot else "-"
    except (ValueError, OverflowError):
        return "-"


_WORK: Final[Mapping[str, Callable[[House], AsyncIterator[str]]]] = dict(
    zip(PARTS, (_of_the_log, _of_minutes, _of_rows, _of_seats, _of_lessons, _of_settlements, _of_files), strict=True)
)


def _line(where: str, code: str, what: str) -> str:
    chinese, english = WORDS[code]
    return f"✗ {where}  {code}  {what}\n  {chinese} · {english}"
