"""Use-cases of a lesson's files: taken in, found, made into pages; a presentation becomes a PDF, which is kept as well.

The bytes are kept first and the row is written then: a row always has its file, and a file that lost its row goes with
the next sweep.
"""

import asyncio
import secrets
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import structlog

from server.core.actor import Actor
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.core.files import office
from server.core.files.kinds import FileKind, named
from server.core.files.making import DAMAGED, PageMaker, Pages
from server.core.files.store import FileStore, Stored
from server.core.tasks import Tasks
from server.live.files import records
from server.live.files.rules import FILE_BYTES, KINDS, LessonFile, Use, check_room

log = structlog.get_logger("live.files")

Found = TypeVar("Found")

ID_BYTES: Final = 8
#: files that may be coming at once, of one person and of all trainees
MOST_COMING: Final = 3
MOST_COMING_IN_ALL: Final = 40
READ_BYTES: Final = 1 << 20

#: whether somebody may give a file of this use to a lesson now, and whether they teach it. Raises DomainError
MayGive = Callable[[Actor, str, Use], Awaitable[bool]]


class LessonFiles:
    """The files of all lessons."""

    def __init__(
        self, database: Database, clock: Clock, tasks: Tasks, store: FileStore, maker: PageMaker, may_give: MayGive
    ) -> None:
        self._database, self._clock, self._tasks = database, clock, tasks
        self.store, self._maker, self._may_give = store, maker, may_give
        self._coming: Counter[str] = Counter()
        self._converting: set[str] = set()

    async def take(self, actor: Actor, lesson_id: str, use: Use, name: str, coming: AsyncIterator[bytes]) -> LessonFile:
        """Take a file in. Raises what `may_give` and `FileStore.take` raise, and DomainError files_full,
        too_many_tries, slides_need_pdf."""
        teaches = await self._may_give(actor, lesson_id, use)
        check_room(await self.files(lesson_id), actor.person_id, 0, teaches)
        with self._counted(actor.person_id, teaches):
            stored = await self.store.take(coming, FILE_BYTES[use], KINDS[use])
        if use is Use.SLIDES and stored.kind is FileKind.PPTX and office.installed() is None:
            raise DomainError("slides_need_pdf")
        new = self._new(lesson_id, use, named(name, stored.kind), stored, actor.person_id)
        kept = await self._add(new, teaches)
        if use is Use.SLIDES:
            self._maker.try_again(kept.digest)
            await self.prepare(kept)
        return kept

    async def files(self, lesson_id: str) -> list[LessonFile]:
        """A lesson's files as they came."""
        async with self._database.read() as connection:
            return await records.files_of(connection, lesson_id)

    async def file(self, lesson_id: str, file_id: str) -> LessonFile:
        """One of them. Raises DomainError not_found."""
        async with self._database.read() as connection:
            found = await records.file_of(connection, lesson_id, file_id)
        if found is None:
            raise DomainError("not_found")
        return found

    async def path(self, file: LessonFile) -> Path:
        """Where its bytes are. Raises DomainError file_lost."""
        path = self.store.path(file.digest)
        if not await asyncio.to_thread(path.is_file):
            log.error("file_lost", lesson=file.lesson_id, file=file.file_id)
            raise DomainError("file_lost")
        return path

    async def pages(self, file: LessonFile) -> Pages:
        """What there is of the pages of a file; the others are being made. Of a presentation: what is wrong with it."""
        found = await asyncio.to_thread(self._maker.pages, file.digest)
        if not found.over:
            await self.prepare(file)
        return found

    async def picture(self, file: LessonFile, number: int, width: int) -> Path:
        """A page as a picture. Raises DomainError not_found."""
        await self.pages(file)
        return _there(await self._maker.picture(file.digest, number, width))

    async def text(self, file: LessonFile, number: int) -> str:
        """What can be read on a page. Raises DomainError not_found."""
        await self.pages(file)
        return _there(await self._maker.text(file.digest, number))

    async def prepare(self, file: LessonFile) -> None:
        """Have pages made of a file, or a PDF of a presentation; again and again does no harm."""
        if file.kind is not FileKind.PPTX:
            self._maker.want(file.digest, file.kind)
        elif file.file_id not in self._converting:
            self._converting.add(file.file_id)
            self._tasks.spawn("files.convert", self._convert(file))

    async def sweep(self) -> None:
        """Take away what no lesson has any more."""
        async with self._database.read() as connection:
            known = {digest for _, _, digest, _ in await records.all_files(connection)}
        gone = await asyncio.to_thread(self.store.sweep, known)
        await asyncio.to_thread(self._maker.sweep, known)
        if gone:
            log.info("files_swept", count=len(gone))

    async def _convert(self, file: LessonFile) -> None:
        """Keep the PDF of a presentation beside it, once."""
        try:
            if any(one.made_of == file.file_id for one in await self.files(file.lesson_id)):
                return
            with tempfile.TemporaryDirectory(prefix="keshi-slides-") as scratch:
                made = await office.convert(await self.path(file), Path(scratch))
                stored = await self.store.take(_read(made), FILE_BYTES[Use.SLIDES], {FileKind.PDF})
            name = named(file.name.removesuffix(f".{FileKind.PPTX}"), FileKind.PDF)
            new = self._new(file.lesson_id, Use.SLIDES, name, stored, file.by_id)
            await self.prepare(await self._add(replace(new, made_of=file.file_id), teaches=True))
        except DomainError as error:
            log.warning("slides_not_converted", file=file.file_id, code=error.code)
            self._maker.say(file.digest, DAMAGED)
        finally:
            self._converting.discard(file.file_id)

    async def _add(self, new: LessonFile, teaches: bool) -> LessonFile:
        """Write the row. Raises DomainError files_full."""
        async with self._database.write(f"lesson_file:{new.lesson_id}") as connection:
            known = await records.files_of(connection, new.lesson_id)
            check_room(known, new.by_id, new.size, teaches)
            numbered = replace(new, number=len(known) + 1)
            await records.add_file(connection, numbered)
        return numbered

    def _new(self, lesson_id: str, use: Use, name: str, stored: Stored, by_id: str) -> LessonFile:
        made = (secrets.token_hex(ID_BYTES), 0, stored.digest, name, stored.size, stored.kind, use, "", by_id)
        return LessonFile(lesson_id, *made, self._clock.ms())

    @contextmanager
    def _counted(self, person_id: str, teaches: bool) -> Iterator[None]:
        """Whoever teaches finds a place also while trainees take all of theirs, a byte in half a minute each."""
        full = not teaches and self._coming.total() >= MOST_COMING_IN_ALL
        if self._coming[person_id] >= MOST_COMING or full:
            raise DomainError("too_many_tries", retry_after_s=10)
        self._coming[person_id] += 1
        try:
            yield
        finally:
            self._coming[person_id] -= 1
            if not self._coming[person_id]:
                del self._coming[person_id]


def deck_of(file: LessonFile, files: Collection[LessonFile]) -> LessonFile:
    """What is shown of a file: of a presentation the PDF that was made of it, once it is there."""
    return next((one for one in files if one.made_of == file.file_id), file)


def _there(found: Found | None) -> Found:
    if found is None:
        raise DomainError("not_found")
    return found


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, READ_BYTES):
            yield piece
