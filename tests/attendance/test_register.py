"""A restart changes nothing that was acknowledged, and charges nobody for our absence."""

import orjson

from server.attendance import records
from server.attendance.intervals import total
from server.attendance.lease import SILENCE_MS
from server.attendance.minutes import MINUTE_MS, Reason
from server.attendance.timeline import Phase, Transition
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


async def test_what_was_acknowledged_survives(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 150_000)
    await world.sealer.round()
    before = (await world.book()).credit_ms(ME, world.now())
    for _ in range(3):
        await world.crash()
    assert (await world.book()).credit_ms(ME, world.now()) == before == 150_000


async def test_the_same_page_goes_on_after_a_restart(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 10_000)
    await world.crash()
    world.clock.advance(40_000)
    assert (await page.join()).epoch == 1
    await page.beat()
    await world.seal_all()
    assert await world.sealed() == {ME: ((T0, T0 + 50_000),)}


async def test_an_answer_that_got_lost_in_the_crash_costs_nothing(world: World) -> None:
    page = await joined(world)
    world.clock.advance(10_000)
    await page.deliver(page.take())
    await world.crash()
    world.clock.advance(5_000)
    granted = await page.join()
    assert granted.seq == 1
    await page.beat()
    assert (await world.book()).credit_ms(ME, world.now()) == 15_000


async def test_a_page_that_never_beat_goes_on_after_a_restart(world: World) -> None:
    page = await joined(world)
    await world.crash()
    world.clock.advance(10_000)
    await page.join()
    await page.beat()
    assert (await world.book()).credit_ms(ME, world.now()) == 10_000


async def test_the_clock_a_page_joined_with_survives_a_restart(world: World) -> None:
    """Found beside the twin: without it, a page that hurries gains until its first beat."""
    page = Page(world, trainee(1), rate=2.0)
    await page.join()
    await world.crash()
    await page.join()
    world.clock.advance(5_000)
    page.show()
    world.clock.advance(5_000)
    await page.beat()
    assert (await world.book()).credit_ms(ME, world.now()) <= 5_000


async def test_silence_begins_when_we_are_back(world: World) -> None:
    """Down for ten minutes: everybody who held a lease holds it through the outage, which is a fault of ours."""
    page = await joined(world)
    await attend(world, page, 30_000)
    down_ms = world.now()
    world.clock.advance(10 * MINUTE_MS)
    back_ms = world.now()
    world.transitions += (Transition(down_ms, Phase.FAULT), Transition(back_ms, Phase.OPEN))
    await world.crash()
    await world.sealer.round()
    world.clock.advance(20_000)
    assert (await page.join()).epoch == 1
    await page.beat()
    await attend(world, page, 10_000)
    await page.drop()
    world.clock.advance(SILENCE_MS + 1)
    await world.sealer.round()
    await world.seal_all()
    assert await world.sealed() == {ME: ((T0, down_ms), (back_ms + 20_000, back_ms + 30_000))}
    book = await world.book()
    assert await world.held(ME) == ((T0, back_ms + 30_000 + SILENCE_MS),)
    faults = 0
    async with world.database.read() as connection:
        for minute in await records.sealed_minutes(connection, LESSON):
            faults += sum(ms for one in minute.records for reason, ms in one.reasons if reason is Reason.SERVER_FAULT)
    assert faults == 10 * MINUTE_MS
    assert book.credit_ms(ME, world.now()) == 40_000


async def test_who_does_not_come_back_is_silent_a_minute_later(world: World) -> None:
    await joined(world)
    await world.crash()
    back_ms = world.now()
    world.clock.advance(SILENCE_MS + 1)
    await world.sealer.round()
    assert await world.held(ME) == ((T0, back_ms + SILENCE_MS),)


async def test_a_clock_set_back_by_a_restart_counts_no_millisecond_twice(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 60_000)
    world.clock._ms -= 20_000
    page._from -= 20_000  # the page's own clock went on
    await world.crash()
    await page.join()
    await attend(world, page, 60_000)
    assert (await world.book()).credit_ms(ME, world.now()) == 100_000
    await world.attendance.leave(page.actor, page.connection, LESSON, page.epoch)
    assert total(await world.held(ME)) == 100_000


async def test_a_clock_set_back_far_still_makes_leases_that_follow_each_other(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 60_000)
    world.clock._ms -= 50_000
    await world.crash()
    again = Page(world, page.actor, "page-111")
    await again.join()
    assert await world.held(ME) == ((T0, T0 + 60_000),)
    assert world.register.holders[ME].granted_ms == T0 + 60_000


async def test_lines_of_a_lesson_nobody_loaded_are_kept(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 10_000)
    register = world.register
    world.register.spool.close()
    other = type(register)(world.database, world.clock, world.tasks, world.folder / "spool")
    assert other.read_spool() == {LESSON}
    other.settle_spool()  # nothing was loaded
    other.spool.close()
    await world.start()
    assert (await world.book()).credit_ms(ME, world.now()) == 10_000


async def test_a_lease_of_another_lesson_ends_in_that_lessons_book(world: World) -> None:
    """The account joined elsewhere after a restart: the old lesson's book hears of it."""
    await joined(world)
    world.register.books.clear()
    world.register.holders.clear()
    holder = await world.register.holder(ME)
    assert holder is not None
    assert LESSON in world.register.books
    book = await world.book()
    assert book.person(ME).held_since == T0


async def test_a_line_says_everything_a_restart_needs(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 10_000)
    holder = world.register.holders[ME]
    line = holder.line((), (), holder.anchor, holder.answered_nonce, holder.seen_ms, holder.link)
    line = orjson.loads(orjson.dumps(line))
    await world.crash()
    after = world.register.holders[ME]
    assert line["anchor"] == [
        after.anchor.seq,
        after.anchor.nonce,
        after.anchor.reached_ms,
        after.anchor.offset_ms,
        after.anchor.mono,
        after.anchor.lagging,
    ]
    assert (after.answered_nonce, after.seen_ms) == (holder.answered_nonce, holder.seen_ms)
