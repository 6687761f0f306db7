"""Decides when minutes become final: 90 s after they end, all that are due in one transaction; shrinks the spool."""

import asyncio
from contextlib import ExitStack
from typing import Final

from server.attendance import records
from server.attendance.book import LessonBook, Witnessed, nobody_saw
from server.attendance.evidence import minute_records
from server.attendance.lease import SILENCE_MS, End
from server.attendance.minutes import SEAL_AFTER_MS, SealedMinute
from server.attendance.register import SPOOL_BYTES, Register
from server.ledger import records as ledger

ROUND_S: Final = 1.0
#: how exactly an outage is known afterwards
ALIVE_EVERY_MS: Final = 5_000


class Sealer:
    """The job that turns books into journal rows."""

    def __init__(self, register: Register, witnessed: Witnessed = nobody_saw) -> None:
        self._register = register
        self._witnessed = witnessed
        self._alive_ms = 0
        self._one_at_a_time = asyncio.Lock()

    async def round(self) -> None:
        """One round; whatever fails is tried again in the next one, nothing is dropped before it is stored.

        A step that fails does not stop the others; its error is raised at the end. Rounds never overlap.
        """
        async with self._one_at_a_time:
            await self._register.awake()  # else minutes that we slept through would be sealed as everybody's own
            await self._round()

    async def _round(self) -> None:
        failed: Exception | None = None
        for step in (self._end_silent_leases, self._seal, self._close_finished, self._drop_idle, self._keep_spool):
            try:
                await step()
            except Exception as error:  # noqa: BLE001  told below
                failed = failed or error
        if failed is not None:
            raise failed

    async def _seal(self) -> None:
        now = self._register.clock.ms()
        with ExitStack() as frozen:
            due: list[tuple[str, LessonBook, list[SealedMinute]]] = []
            for lesson_id, book in self._register.books.items():
                if slots := book.due(now):
                    frozen.enter_context(book.frozen(slots))
                    judged = [book.judge_slot(slot, now, witnessed=self._witnessed) for slot in slots]
                    due.append((lesson_id, book, judged))
            if not due:
                return
            stored: list[tuple[LessonBook, SealedMinute]] = []
            async with self._register.database.write(*(f"lesson:{lesson_id}" for lesson_id, _, _ in due)) as connection:
                ours = await self._register.owners.fence(connection, [lesson_id for lesson_id, _, _ in due])
                for lesson_id, book, minutes in due:
                    if lesson_id not in ours:
                        continue
                    before = await records.sealed_minutes(connection, lesson_id, minutes[0].slot)
                    stored += [(book, minute) for minute in before]  # written, but we were cut off before we knew
                    for minute in minutes[len(before) :]:
                        await records.add_minute(connection, lesson_id, minute, now)
                        await ledger.append_packed(
                            connection, minute.slot, lesson_id, minute_records(lesson_id, minute)
                        )
                        stored.append((book, minute))
            for book, minute in stored:
                book.sealed(minute)

    async def _end_silent_leases(self) -> None:
        now = self._register.clock.ms()
        for holder in list(self._register.holders.values()):
            if not holder.silent(now):
                continue
            async with self._register.lock(holder.person_id):
                if self._register.holders.get(holder.person_id) is holder and holder.silent(now):
                    await self._register.end_lease(holder, End.SILENT, holder.seen_ms + SILENCE_MS)

    async def _close_finished(self) -> None:
        over = [(lesson_id, book) for lesson_id, book in self._register.books.items() if book.finished()]
        told = await asyncio.gather(*(self._over(*one) for one in over), return_exceptions=True)
        finished = [lesson_id for (lesson_id, _), failed in zip(over, told, strict=True) if failed is None]
        for holder in list(self._register.holders.values()):
            if holder.lesson_id in finished:
                async with self._register.lock(holder.person_id):
                    if self._register.holders.get(holder.person_id) is holder:
                        await self._register.end_lease(holder, End.LESSON_OVER, self._register.clock.ms())
        for lesson_id in finished:
            self._register.books.pop(lesson_id, None)
        for failed in told:
            if failed is not None:
                raise failed

    async def _over(self, lesson_id: str, book: LessonBook) -> None:
        for told in self._register.on_lesson_over:
            await told(lesson_id, book)

    async def _drop_idle(self) -> None:
        """A lesson that has not begun keeps no past, and no book when nobody waits for it."""
        held = {holder.lesson_id for holder in self._register.holders.values()}
        long_ago = self._register.clock.ms() - SEAL_AFTER_MS
        for lesson_id, book in list(self._register.books.items()):
            if book.first_slot is None and not self._register.loading:
                book.forget_before(long_ago)
                if lesson_id not in held:
                    del self._register.books[lesson_id]

    async def _keep_spool(self) -> None:
        now, spool = self._register.clock.ms(), self._register.spool
        if spool.grown > max(SPOOL_BYTES, spool.size // 2):
            self._register.shrink_spool()
        if now - self._alive_ms >= ALIVE_EVERY_MS and self._register.books:
            await spool.append(self._register.alive_line())
            self._alive_ms = now
