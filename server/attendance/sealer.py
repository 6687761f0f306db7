"""Decides when minutes become final: 90 s after they end, all that are due in one transaction; shrinks the spool."""

from typing import Final

import structlog

from server.attendance import records
from server.attendance.lease import SILENCE_MS, End
from server.attendance.minutes import SealedMinute
from server.attendance.register import SPOOL_BYTES, Register

log = structlog.get_logger("attendance.sealer")

ROUND_S: Final = 1.0
#: how exactly an outage is known afterwards
ALIVE_EVERY_MS: Final = 5_000


class Sealer:
    """The job that turns books into journal rows."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._alive_ms = 0

    async def round(self) -> None:
        """One round; whatever fails is tried again in the next one, nothing is dropped before it is stored."""
        await self._end_silent_leases()
        await self._seal()
        await self._close_finished()
        await self._keep_spool()

    async def _seal(self) -> None:
        now = self._register.clock.ms()
        due: list[tuple[str, SealedMinute]] = []
        for lesson_id, book in self._register.books.items():
            due += [(lesson_id, book.judge_slot(slot, now)) for slot in book.due(now)]
        if not due:
            return
        async with self._register.database.write() as connection:
            for lesson_id, minute in due:
                await records.add_minute(connection, lesson_id, minute, now)
        for lesson_id, minute in due:
            self._register.books[lesson_id].sealed(minute)

    async def _end_silent_leases(self) -> None:
        now = self._register.clock.ms()
        for holder in list(self._register.holders.values()):
            if holder.connection or now - holder.seen_ms <= SILENCE_MS:
                continue
            async with self._register.lock(holder.person_id):
                if self._register.holders.get(holder.person_id) is holder and not holder.connection:
                    await self._register.end_lease(holder, End.SILENT, holder.seen_ms + SILENCE_MS)

    async def _close_finished(self) -> None:
        finished = [lesson_id for lesson_id, book in self._register.books.items() if book.finished()]
        for holder in list(self._register.holders.values()):
            if holder.lesson_id in finished:
                async with self._register.lock(holder.person_id):
                    if self._register.holders.get(holder.person_id) is holder:
                        await self._register.end_lease(holder, End.LESSON_OVER, self._register.clock.ms())
        for lesson_id in finished:
            del self._register.books[lesson_id]

    async def _keep_spool(self) -> None:
        now, spool = self._register.clock.ms(), self._register.spool
        if spool.size > SPOOL_BYTES and not spool.busy:
            self._register.settle_spool()
        if now - self._alive_ms >= ALIVE_EVERY_MS and self._register.books:
            self._alive_ms = now
            await spool.append({"alive": now})
