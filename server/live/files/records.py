"""The table of a lesson's files: append-only until retention; the bytes lie in the data folder, by their digest."""

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, String, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.database import ERASE, RETAIN, column, metadata
from server.core.files.kinds import FileKind
from server.ledger.facts import tell
from server.ledger.sources import Source
from server.live.files.rules import LessonFile, Use
from server.verify.formats import Kind

lesson_file: Final = Table(
    "lesson_file",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("file_id", String(16), RETAIN, primary_key=True),
    column("number", Integer, RETAIN),
    column("digest", String(64), ERASE, index=True),
    column("name", String(120), ERASE),
    column("size", BigInteger, ERASE),
    column("kind", String(8), ERASE),
    column("use", String(8), ERASE),
    column("made_of", String(16), ERASE),
    column("by_id", String(16), ERASE),
    column("at_ms", BigInteger, ERASE),
    sqlite_with_rowid=False,
)

APPEND_ONLY: Final = ("lesson_file",)
SOURCES: Final = (Source(lesson_file, Kind.LESSON_FILE, "at_ms"),)


async def add_file(connection: AsyncConnection, new: LessonFile) -> None:
    """Write it, and tell the log, whose record's `seq` is its number."""
    row = {**asdict(new), "kind": new.kind.value, "use": new.use.value}
    await connection.execute(lesson_file.insert().values(row))
    about: dict[str, Any] = {"subject": new.by_id, "resource": new.file_id, "seq": new.number}
    await tell(connection, Kind.LESSON_FILE, new.at_ms, row, group_id=new.lesson_id, **about)


async def files_of(connection: AsyncConnection, lesson_id: str) -> list[LessonFile]:
    """A lesson's files as they came."""
    query = select(lesson_file).where(lesson_file.c.lesson_id == lesson_id).order_by(lesson_file.c.number)
    return [_read(row) for row in (await connection.execute(query)).mappings()]


async def file_of(connection: AsyncConnection, lesson_id: str, file_id: str) -> LessonFile | None:
    """One of them."""
    chosen = (lesson_file.c.lesson_id == lesson_id) & (lesson_file.c.file_id == file_id)
    row = (await connection.execute(select(lesson_file).where(chosen))).mappings().first()
    return _read(row) if row else None


async def all_files(connection: AsyncConnection) -> list[tuple[str, str, str, int]]:
    """Lesson, id, digest and size of every file."""
    table = lesson_file.c
    query = select(table.lesson_id, table.file_id, table.digest, table.size).order_by(table.lesson_id, table.number)
    return [(row[0], row[1], row[2], row[3]) for row in await connection.execute(query)]


async def erase_files(connection: AsyncConnection, lesson_id: str) -> int:
    """Delete the rows of a lesson, how many; the bytes go with the next sweep. Refused before retention ordered it."""
    gone: Any = await connection.execute(delete(lesson_file).where(lesson_file.c.lesson_id == lesson_id))
    count: int = gone.rowcount
    return count


def _read(row: Any) -> LessonFile:
    return LessonFile(**{**row, "kind": FileKind(row["kind"]), "use": Use(row["use"])})
