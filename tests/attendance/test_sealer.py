"""Sealing: 90 s after the minute, once, whatever fails in between; and what the rounds clean up."""

import asyncio
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.attendance import records
from server.attendance.lease import SILENCE_MS
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS, Reason, SealedMinute
from server.attendance.register import SPOOL_BYTES
from server.attendance.sealer import ALIVE_EVERY_MS
from server.attendance.timeline import Phase, Transition
from server.attendance.views import Views
from server.core.errors import DomainError
from server.training.rules import Lesson, LessonState, Scheme, SubjectKind
from server.training.service import Training
from tests.attendance.limits import no_file_beyond
from tests.attendance.world import LESSON, T0, Page, World, person_id, trainee

BOTH_STORES = True

ME = person_id(1)


async def joined(world: World, number: int = 1) -> Page:
    page = Page(world, trainee(number))
    page.show()
    await page.join()
    return page


async def attend(world: World, page: Page, ms: int) -> None:
    for _ in range(ms // 10_000):
        world.clock.advance(10_000)
        await page.beat()


async def stored(world: World) -> list[int]:
    async with world.database.read() as connection:
        return [minute.slot - T0 // MINUTE_MS for minute in await records.sealed_minutes(connection, LESSON)]


async def test_a_minute_is_sealed_ninety_seconds_after_it_ends(world: World) -> None:
    page = await joined(world)
    await attend(world, page, MINUTE_MS)
    world.clock.advance(SEAL_AFTER_MS - 1)
    await world.sealer.round()
    assert await stored(world) == []
    world.clock.advance(1)
    await world.sealer.round()
    assert await stored(world) == [0]
    assert await world.sealed() == {ME: ((T0, T0 + MINUTE_MS),)}


async def test_the_journal_itself_refuses_a_second_minute_and_any_change(world: World) -> None:
    page = await joined(world)
    await attend(world, page, MINUTE_MS)
    await world.seal_all()
    minute = (await world.book()).judge_slot(T0 // MINUTE_MS, world.now())
    for statement in ("UPDATE minute_journal SET credit_ms_total = 1", "DELETE FROM minute_journal"):
        with pytest.raises(IntegrityError, match="append_only"):
            async with world.database.write() as connection:
                await connection.exec_driver_sql(statement)
    with pytest.raises(IntegrityError):
        async with world.database.write() as connection:
            await records.add_minute(connection, LESSON, minute, world.now())


async def test_a_minute_that_was_stored_unheard_stays_as_it_is(world: World) -> None:
    """Cut off between commit and memory: the stored minute wins, sealing goes on after it."""
    page = await joined(world)
    await attend(world, page, MINUTE_MS)
    book = await world.book()
    early = book.judge_slot(T0 // MINUTE_MS, world.now())
    async with world.database.write() as connection:
        await records.add_minute(connection, LESSON, early, world.now())
    await world.seal_all()
    assert await stored(world) == [0, 1, 2]
    assert book.person(ME).sealed_credit_ms == MINUTE_MS


async def test_a_full_disk_refuses_beats_and_loses_nothing_acknowledged(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 20_000)
    world.clock.advance(10_000)
    with no_file_beyond(world.register.spool.size + 7), pytest.raises(DomainError) as caught:
        await page.beat()
    assert caught.value.code == "disk_full"
    world.clock.advance(10_000)
    await page.beat()  # said again, with a fresh clock, once there is room
    await world.crash()
    await world.seal_all()
    assert await world.sealed() == {ME: ((T0, T0 + 40_000),)}


async def test_two_rounds_at_once_seal_and_count_once(world: World) -> None:
    page = await joined(world)
    await attend(world, page, MINUTE_MS)
    world.clock.advance(SEAL_AFTER_MS)
    book = await world.book()
    minute = book.judge_slot(T0 // MINUTE_MS, world.now())
    await asyncio.gather(world.sealer.round(), world.sealer.round())
    assert await stored(world) == [0]
    assert book.person(ME).sealed_credit_ms == MINUTE_MS
    book.sealed(minute)
    assert book.person(ME).sealed_credit_ms == MINUTE_MS


class OneLesson:
    """The plan of one lesson, under a scheme that says of class hours only how long they are."""

    async def lesson_and_class(self, lesson_id: str) -> tuple[Lesson, Any]:
        scheme = Scheme("plain/1", "plain", 1, "规则", '{"class_hour_ms": 2700000}', T0)
        ends_ms = T0 + 60 * MINUTE_MS
        lesson = Lesson(
            lesson_id, "c1", 1, "第一课", SubjectKind.THEORY, T0, ends_ms, "dd" * 8, LessonState.LIVE, T0, None
        )
        return lesson, SimpleNamespace(scheme=scheme)


async def test_who_looks_while_a_minute_is_sealed_sees_every_minute_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await joined(world)
    await attend(world, page, 5 * MINUTE_MS)
    read = records.sealed_minutes
    rounds = [world.sealer.round]

    async def read_slowly(
        connection: AsyncConnection, lesson_id: str, since_slot: int = 0, only: Collection[str] | None = None
    ) -> list[SealedMinute]:
        """Between the reading of the journal and the look into the book, the sealer comes by."""
        found = await read(connection, lesson_id, since_slot, only)
        while rounds and since_slot == 0:
            await rounds.pop()()
        return found

    monkeypatch.setattr(records, "sealed_minutes", read_slowly)
    known = await Views(world.register, cast(Training, OneLesson())).minutes(LESSON)
    assert known.slots == [T0 // MINUTE_MS + number for number in range(6)]
    assert sum(cell.credit_ms for cell in known.cells(ME)) == 5 * MINUTE_MS


async def test_a_beat_that_arrives_while_its_minute_is_stored_changes_nothing(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 30_000)
    world.clock.advance(30_000)
    late = page.take()
    world.clock.advance(SEAL_AFTER_MS)
    await asyncio.gather(world.sealer.round(), page.deliver(late))
    await world.seal_all()
    sealed = (await world.sealed())[ME]
    assert sealed in (((T0, T0 + 30_000),), ((T0, T0 + 60_000),))
    assert (await world.book()).person(ME).sealed_credit_ms == sum(end - start for start, end in sealed)


async def test_a_silent_page_loses_its_lease_after_a_minute(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 10_000)
    await page.drop()
    world.clock.advance(SILENCE_MS)
    await world.sealer.round()
    assert ME in world.register.holders
    world.clock.advance(1)
    await world.sealer.round()
    assert ME not in world.register.holders
    assert await world.held(ME) == ((T0, T0 + 10_000 + SILENCE_MS),)


async def test_a_finished_lesson_leaves_memory_and_ends_its_leases(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 30_000)
    await world.end()
    await world.seal_all()
    assert (world.register.books, world.register.holders) == ({}, {})
    async with world.database.read() as connection:
        (row,) = await records.leases_of_lesson(connection, LESSON)
    assert row.ended_ms is not None


async def test_a_lesson_that_never_starts_leaves_memory_when_nobody_waits(world: World) -> None:
    await world.set_timeline(())
    page = await joined(world)
    await attend(world, page, 5 * MINUTE_MS)
    await world.sealer.round()
    assert LESSON in world.register.books
    await page.drop()
    world.clock.advance(SILENCE_MS + 1)
    await world.sealer.round()
    assert (world.register.books, world.register.holders) == ({}, {})


async def test_who_waited_in_front_of_the_door_is_credited_from_the_start(world: World) -> None:
    await world.set_timeline(())
    page = await joined(world)
    await attend(world, page, 30_000)
    await world.sealer.round()
    await world.set_timeline([Transition(world.now(), Phase.OPEN)])
    await attend(world, page, 30_000)
    await world.seal_all()
    assert await world.sealed() == {ME: ((T0 + 30_000, T0 + 60_000),)}


async def test_one_failing_step_does_not_stop_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await joined(world)
    await attend(world, page, MINUTE_MS)
    await page.drop()
    world.clock.advance(SEAL_AFTER_MS)

    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(world.register, "end_lease", broken)
    with pytest.raises(RuntimeError, match="broken"):
        await world.sealer.round()
    assert await stored(world) == [0]


async def test_signs_of_life_are_written_while_a_lesson_is_in_hand(world: World) -> None:
    await joined(world)
    for _ in range(3):
        world.clock.advance(ALIVE_EVERY_MS)
        await world.sealer.round()
    await world.crash()
    assert world.register.last_alive_ms == T0 + 3 * ALIVE_EVERY_MS


async def test_a_lesson_nobody_attended_is_still_sealed_after_a_crash(world: World) -> None:
    await world.sealer.round()
    left = world.register.spool.read()
    assert any(LESSON in line.get("lessons", ()) for line in left)


async def test_the_spool_shrinks_to_what_is_unsealed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.attendance.sealer.SPOOL_BYTES", 2_000)
    assert SPOOL_BYTES == 8 * 1024 * 1024
    page = await joined(world)
    for _ in range(60):
        await attend(world, page, 10_000)
        await world.sealer.round()
    await asyncio.sleep(0.01)
    assert world.register.spool.size < 6_000
    assert len(list(Path(world.folder / "spool").glob("*.spool"))) == 1
    await world.crash()
    await page.join()
    await attend(world, page, 10_000)
    await world.seal_all()
    assert await world.sealed() == {ME: ((T0, T0 + 610_000),)}


async def test_the_rest_of_a_held_minute_has_its_reason(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 30_000)
    page.hide()
    await attend(world, page, 10_000)
    await page.drop()
    await world.seal_all()
    async with world.database.read() as connection:
        first, second, *_ = await records.sealed_minutes(connection, LESSON)
    assert first.records[0].reasons == ((Reason.HIDDEN, 10_000), (Reason.DISCONNECTED, 20_000))
    assert second.records[0].reasons == ((Reason.DISCONNECTED, 40_000), (Reason.ABSENT, 20_000))
