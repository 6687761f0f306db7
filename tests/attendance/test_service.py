"""Joining and leaving: who gets the lease, who keeps it, and what the old page is told."""

import asyncio
from dataclasses import replace

import pytest

from server.attendance import records
from server.attendance.credit import MOST_MONO
from server.attendance.lease import SILENCE_MS, TAKE_OVERS_PER_HOUR, End, How
from tests.attendance.seats import front_ms, joined, minutes, refused
from tests.attendance.world import LESSON, PASSWORD, T0, Page, World, person_id, trainee

BOTH_STORES = True


async def leases(world: World) -> list[records.LeaseRow]:
    async with world.database.read() as connection:
        return await records.leases_of_lesson(connection, LESSON)


async def test_another_device_needs_the_password_and_the_old_page_is_told(world: World) -> None:
    old = await joined(world)
    new = Page(world, trainee(1, "phone-login"), "page-111")
    error = await refused("lease_held", new.join())
    assert error.data["device"] == "desktop"
    await refused("password_wrong", new.join(password="wrong"))
    assert world.told == []
    await new.join(password=PASSWORD, device="phone")
    assert world.told == [(old.connection, End.TAKEN_OVER)]
    await refused("lease_lost", old.beat())
    assert [row.how for row in await leases(world)] == [How.NEW, How.TAKE_OVER]


async def test_three_take_overs_an_hour_then_staff(world: World) -> None:
    await joined(world)
    for number in range(TAKE_OVERS_PER_HOUR):
        world.clock.advance(1_000)
        await Page(world, trainee(1, f"s{number}"), f"page-{number}").join(password=PASSWORD)
    late = Page(world, trainee(1, "late"), "page-late")
    await refused("take_over_limit", late.join(password=PASSWORD))
    world.clock.advance(3_600_000 - 2_000)
    await late.join(password=PASSWORD)


async def test_the_same_page_continues_and_keeps_its_unheard_time(world: World) -> None:
    page = await joined(world)
    await minutes(world, page, 1)
    await page.drop()
    world.clock.advance(45_000)
    granted = await page.join()
    assert granted.epoch == 1
    await page.beat()
    assert await front_ms(world) == 55_000


async def test_a_reload_gets_a_new_lease_without_a_password(world: World) -> None:
    page = await joined(world)
    await minutes(world, page, 1)
    await page.drop()
    again = Page(world, page.actor, "page-111")
    await again.join()
    assert (again.epoch, [row.how for row in await leases(world)]) == (2, [How.NEW, How.RESUME])


async def test_a_reload_before_the_old_connection_is_missed_asks_the_old_page(world: World) -> None:
    page = await joined(world)
    world.alive.discard(page.connection)
    await Page(world, page.actor, "page-111").join()
    assert [row.how for row in await leases(world)] == [How.NEW, How.RESUME]


async def test_a_second_tab_is_a_second_device_while_the_first_answers(world: World) -> None:
    page = await joined(world)
    second = Page(world, page.actor, "page-111", resume=page.resume)
    await refused("lease_held", second.join())
    await page.beat()


async def test_a_tab_that_waited_for_an_answer_does_not_inherit_another_devices_lease(world: World) -> None:
    """While the old page is asked, another device takes over by password and loses its connection."""
    page = await joined(world)
    world.alive.discard(page.connection)
    thief = Page(world, trainee(1, "other"), "page-222")

    async def answers(_connection: str) -> bool:
        await thief.join(password=PASSWORD)
        await thief.drop()
        return False

    world.attendance._ports = replace(world.attendance._ports, answers=answers)
    await refused("lease_held", Page(world, page.actor, "page-111").join())


async def test_who_is_silent_for_too_long_holds_nothing(world: World) -> None:
    page = await joined(world)
    await page.drop()
    other = Page(world, trainee(1, "other"), "page-111")
    world.clock.advance(SILENCE_MS)
    await refused("lease_held", other.join())
    world.clock.advance(1)
    await other.join()
    rows = await leases(world)
    assert [(row.how, row.ended_ms) for row in rows] == [(How.NEW, T0 + SILENCE_MS), (How.NEW, None)]


async def test_a_connection_that_ends_while_it_joins_is_not_connected(world: World) -> None:
    page = Page(world, trainee(1))
    joining = asyncio.ensure_future(page.join())
    await asyncio.sleep(0)
    await page.drop()
    await joining
    assert world.register.holders[person_id(1)].connection == ""


async def test_leaving_ends_the_lease_and_a_second_leave_finds_none(world: World) -> None:
    page = await joined(world)
    await minutes(world, page, 1)
    leave = (page.actor, page.connection, LESSON, page.epoch)
    await world.attendance.leave(*leave)
    await refused("lease_lost", world.attendance.leave(*leave))
    await refused("lease_lost", page.beat())
    assert [row.ended_ms for row in await leases(world)] == [T0 + 10_000]


async def test_a_lease_whose_end_was_written_unheard_can_end_again(world: World) -> None:
    """The task was cut off between commit and memory: the written end stays, and the next join works."""
    page = await joined(world)
    async with world.database.write() as connection:
        await records.add_end(connection, LESSON, person_id(1), 1, End.LEFT, T0)
    world.clock.advance(5_000)
    await world.attendance.leave(page.actor, page.connection, LESSON, page.epoch)
    assert [row.ended_ms for row in await leases(world)] == [T0]
    await Page(world, page.actor, "page-111").join()


async def test_a_lease_that_was_written_unheard_is_found_again(world: World) -> None:
    row = records.LeaseRow(person_id(1), 1, LESSON, "session1", "phone", "page-000", "x", How.NEW, T0)
    async with world.database.write() as connection:
        await records.add_lease(connection, row)
    await refused("lease_held", Page(world, trainee(1, "other")).join())
    await joined(world)
    assert [row.epoch for row in await leases(world)] == [1, 2]


async def test_the_end_of_a_login_ends_its_lease(world: World) -> None:
    page, other = await joined(world, 1), await joined(world, 2)
    await world.attendance.session_ended("session1")
    assert world.told == [(page.connection, End.SIGNED_OUT)]
    await refused("lease_lost", page.beat())
    await other.beat()


async def test_a_page_that_continued_under_a_new_login_survives_the_end_of_the_old_one(world: World) -> None:
    page = await joined(world)
    await page.drop()
    page.actor = trainee(1, "new-login")
    await page.join()
    await world.attendance.session_ended("session1")
    await page.beat()


async def test_a_page_that_continues_while_its_old_login_ends_keeps_its_lease(world: World) -> None:
    page = await joined(world)
    async with world.register.lock(person_id(1)):
        ending = asyncio.ensure_future(world.attendance.session_ended("session1"))
        await asyncio.sleep(0)
        world.register.holders[person_id(1)].session_id = "new-login"
    await ending
    await page.beat()


@pytest.mark.parametrize("mono", [-1, MOST_MONO + 1])
async def test_a_join_with_an_impossible_clock_is_refused(world: World, mono: int) -> None:
    page = Page(world, trainee(1), base=mono)
    await refused("bad_request", page.join())


async def test_a_late_first_beat_costs_nothing(world: World) -> None:
    page = await joined(world)
    world.clock.advance(5_000)
    beat = page.take()
    world.clock.advance(30_000)  # on its way
    page.heard(await page.deliver(beat))
    world.clock.advance(5_000)
    await page.beat()
    assert await front_ms(world) == 40_000


async def test_locks_and_holders_do_not_pile_up(world: World) -> None:
    for number in range(1, 6):
        page = await joined(world, number)
        await world.attendance.leave(page.actor, page.connection, LESSON, page.epoch)
    assert not world.register.holders
    assert not world.register._locks
    assert not world.attendance._joining
