"""Use-cases of retention: what is past its time is deleted, after the log was told; what is not is refused, and told.

A class goes as a whole: all of its records are over at the same moment, and nothing is left of one trainee that only
another's row explains.
"""

import secrets
from dataclasses import dataclass
from typing import Final

import structlog

from server.attendance.records_erased import erase_class, erase_lesson
from server.core.clock import Clock, iso
from server.core.database import Database
from server.core.errors import DomainError
from server.ledger.erasing import due, erase
from server.ledger.records import Connection, is_waiting
from server.ledger.rules import MINUTE_MS
from server.live.acts.records import erase as erase_acts
from server.live.files.records import erase_files
from server.oversight import records_retention as records
from server.oversight.records_retention import Deletion
from server.oversight.rules import Outcome, goes, keep_until_ms
from server.training.records import TrainingClass, remove_enrolments
from server.training.service import Training

log = structlog.get_logger("retention")

ROUND_S: Final = 60.0
ID_BYTES: Final = 8
#: whoever orders or deletes something
NAME: Final = "retention"


@dataclass(frozen=True, slots=True)
class Kept:
    """A class: until when its records are kept, how many could go by now, and how many were ordered to."""

    code: str
    keep_until_ms: int
    n_records: int
    ordered: int


class Retention:
    """Deletes what nobody has to keep any more."""

    def __init__(self, database: Database, clock: Clock, training: Training) -> None:
        self._database, self._clock, self._training = database, clock, training

    async def kept(self, home: TrainingClass) -> Kept:
        """How it stands with a class; its records are counted only once its last day is long enough ago."""
        found, until = dict[str, int](), keep_until_ms(home.ends_on, 0)
        async with self._database.read() as connection:
            if self._clock.ms() >= until:
                found, until = await self._due(connection, home)
            ordered = sum(one.n_records for one in await records.orders_of(connection, home.id))
        return Kept(home.code, until, sum(found.values()) if self._clock.ms() >= until else 0, ordered)

    async def order(self, home: TrainingClass) -> int:
        """Have a class's records deleted once the log has sealed that they will be; how many are.

        Raises DomainError retention_early (data: keep_until), which the log is told as well; lesson_not_sealed;
        retention_empty when there is nothing to delete or it was ordered before.
        """
        now = self._clock.ms()
        async with self._database.write() as connection:
            found, until = await self._due(connection, home)
            for group in found:
                if await is_waiting(connection, group):
                    raise DomainError("lesson_not_sealed")
            known = {one.group_id for one in await records.orders_of(connection, home.id)}
            wanted = {group: count for group, count in found.items() if count and group not in known}
            outcome = Outcome.ORDERED if now >= until else Outcome.EARLY
            for group, count in wanted.items() if outcome is Outcome.ORDERED else [(home.id, sum(found.values()))]:
                new = Deletion(secrets.token_hex(ID_BYTES), home.id, group, outcome, count, until, now)
                await records.add(connection, new)
        if outcome is Outcome.EARLY:
            log.warning("deletion refused", class_id=home.id, keep_until_ms=until)
            raise DomainError("retention_early", keep_until=iso(until))
        if not wanted:
            raise DomainError("retention_empty")
        return sum(wanted.values())

    async def round(self) -> None:
        """Delete what was ordered and is sealed and signed: of each lesson at once, or not at all."""
        async with self._database.read() as connection:
            waiting = await records.waiting(connection)
        failed: list[Exception] = []
        for one in waiting:
            try:
                await self._delete(one)
            except Exception as error:  # noqa: BLE001  raised once all others are done: one order must not stop them
                failed.append(error)
        if failed:
            raise failed[0]

    async def _delete(self, order: Deletion) -> None:
        """Raises DomainError retention_differs (also where the log says nothing of this order), retention_early."""
        home = await self._training.training_class(order.class_id)
        async with self._database.write() as connection:
            if order.id not in {one.id for one in await records.waiting(connection)}:
                return  # another process was faster
            if not await records.is_told(connection, order):
                raise DomainError("retention_differs", ordered=order.n_records, found=0)
            newest = (await due(connection, order.group_id, goes)).newest_slot
            if self._clock.ms() < (until := keep_until_ms(home.ends_on, (newest + 1) * MINUTE_MS - 1)):
                raise DomainError("retention_early", keep_until=iso(until))
            rows = await erase_lesson(connection, order.group_id) + await erase_acts(connection, order.group_id)
            rows += await erase_files(connection, order.group_id)
            if order.group_id == order.class_id:
                rows += await erase_class(connection, order.class_id)
                rows += await remove_enrolments(connection, order.class_id)
            count = await erase(connection, order.group_id, goes)
            if count != order.n_records:
                raise DomainError("retention_differs", ordered=order.n_records, found=count)
            await records.add_done(connection, order, self._clock.ms())
        log.info("deleted", group_id=order.group_id, records=count, rows=rows)

    async def _due(self, connection: Connection, home: TrainingClass) -> tuple[dict[str, int], int]:
        """How many records of each group of a class would go, and until when all of them are kept."""
        groups = [*(one.id for one in await self._training.lessons_of_class(home.id)), home.id]
        found, newest = dict[str, int](), 0
        for group in groups:
            one = await due(connection, group, goes)
            found[group], newest = one.count, max(newest, one.newest_slot)
        return found, keep_until_ms(home.ends_on, (newest + 1) * MINUTE_MS - 1)
