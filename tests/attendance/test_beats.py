"""Beats: what is in front is kept once, and no forged, repeated or foreign one earns anything."""

import asyncio

import pytest

from tests.attendance.seats import front_ms, joined, minutes, refused
from tests.attendance.world import LESSON, T0, World, person_id, trainee

BOTH_STORES = True


async def test_a_page_in_front_is_credited_from_grant_to_beat(world: World) -> None:
    page = await joined(world)
    await minutes(world, page, 6)
    assert await front_ms(world) == 60_000


async def test_the_same_beat_again_gets_the_same_answer_and_no_effect(world: World) -> None:
    page = await joined(world)
    world.clock.advance(10_000)
    beat = page.take()
    first = await page.deliver(beat)
    world.clock.advance(10_000)
    assert await page.deliver(beat) == first
    assert await page.deliver(beat._replace(mono=page.mono(), spans=((0, page.mono()),))) == first
    assert await front_ms(world) == 10_000
    page.heard(first)
    await page.beat()
    assert await front_ms(world) == 20_000


async def test_before_the_first_beat_there_is_nothing_to_repeat(world: World) -> None:
    page = await joined(world)
    error = await refused("beat_refused", page.deliver(page.take()._replace(seq=0, nonce="")))
    assert error.data["why"] == "nonce"


@pytest.mark.parametrize(
    ("change", "why"),
    [({"nonce": "guess"}, "nonce"), ({"nonce": ""}, "nonce"), ({"seq": 3}, "seq"), ({"seq": 1}, "seq")],
)
async def test_a_forged_beat_is_refused_and_changes_nothing(world: World, change: dict[str, object], why: str) -> None:
    page = await joined(world)
    await minutes(world, page, 1)
    world.clock.advance(10_000)
    error = await refused("beat_refused", page.deliver(page.take()._replace(**change)))  # type: ignore[arg-type]
    assert error.data["why"] == why
    assert await front_ms(world) == 10_000
    await page.beat()
    assert await front_ms(world) == 20_000


async def test_another_epoch_another_connection_another_person_earn_nothing(world: World) -> None:
    page, other = await joined(world, 1), await joined(world, 2)
    world.clock.advance(10_000)
    beat, service = page.take(), world.attendance
    await refused("lease_lost", service.beat(page.actor, page.connection, LESSON, page.epoch + 1, beat))
    await refused("lease_lost", service.beat(page.actor, other.connection, LESSON, page.epoch, beat))
    await refused("lease_lost", service.beat(page.actor, "", LESSON, page.epoch, beat))
    await refused("lease_lost", service.beat(page.actor, page.connection, "1e55000000000002", page.epoch, beat))
    await refused("lease_lost", service.beat(other.actor, page.connection, LESSON, page.epoch, beat))
    await refused("beat_refused", service.beat(other.actor, other.connection, LESSON, other.epoch, beat))
    await refused("lease_lost", service.beat(trainee(3), page.connection, LESSON, 1, beat))
    assert [await front_ms(world, number) for number in (1, 2)] == [0, 0]


async def test_beats_after_the_end_are_taken_until_the_last_minute_is_sealed(world: World) -> None:
    page = await joined(world)
    world.clock.advance(30_000)
    await world.end()
    await page.beat()
    await world.seal_all()
    assert await world.sealed() == {person_id(1): ((T0, T0 + 30_000),)}
    await refused("lease_lost", page.beat())


async def test_beats_of_many_people_at_once_are_all_kept(world: World) -> None:
    pages = [await joined(world, number) for number in range(1, 30)]
    for _ in range(3):
        world.clock.advance(10_000)
        await asyncio.gather(*(page.beat() for page in pages))
    assert {await front_ms(world, number) for number in range(1, 30)} == {30_000}


async def test_two_beats_of_one_page_at_once_count_once(world: World) -> None:
    page = await joined(world)
    world.clock.advance(10_000)
    beat = page.take()
    first, second = await asyncio.gather(page.deliver(beat), page.deliver(beat))
    assert first == second
    assert await front_ms(world) == 10_000


async def test_a_cancelled_beat_is_either_whole_or_not_at_all(world: World) -> None:
    page = await joined(world)
    world.clock.advance(10_000)
    beat = page.take()
    task = asyncio.ensure_future(page.deliver(beat))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    before = await front_ms(world)
    assert before in (0, 10_000)
    await world.crash()
    assert await front_ms(world) == before
