"""Focus and idle time: taken off where the scheme asks for them, with their reason, and nowhere else."""

from pathlib import Path

from server.attendance.credit import MOST_SPANS, Attended
from server.attendance.intervals import Intervals
from server.attendance.minutes import Reason
from server.attendance.records import sealed_minutes
from server.training.rules import AttentionRule
from tests.attendance.page_key import PageKey
from tests.attendance.seats import joined, minutes, refused
from tests.attendance.world import T0, World, person_id

BOTH = AttentionRule(True, 60_000)


async def asking(folder: Path, template: Path, rule: AttentionRule | None = BOTH) -> World:
    return await World.make(folder / "world", template, attention=rule)


async def sealed(world: World) -> tuple[Intervals, dict[Reason, int]]:
    """What the first trainee has, and why not more, once all is sealed."""
    await world.seal_all()
    reasons: dict[Reason, int] = {}
    book = await world.book()
    async with world.database.read() as connection:
        for minute in await sealed_minutes(connection, book.lesson_id):
            for record in minute.records:
                for reason, ms in record.reasons:
                    reasons[reason] = reasons.get(reason, 0) + ms
    return (await world.sealed()).get(person_id(1), ()), reasons


async def test_a_minute_says_where_it_went(tmp_path: Path, template: Path) -> None:
    world = await asking(tmp_path, template)
    page = await joined(world)
    await minutes(world, page, 2)
    page.focus.turn(False, page.mono())
    await minutes(world, page, 1)
    page.focus.turn(True, page.mono())
    page.active.turn(False, page.mono())
    await minutes(world, page, 2)
    page.hide()
    await minutes(world, page, 1)
    await world.end()
    credited, reasons = await sealed(world)
    assert credited == ((T0, T0 + 20_000),)
    assert reasons == {Reason.BLURRED: 10_000, Reason.IDLE: 20_000, Reason.HIDDEN: 10_000}
    await world.close()


async def test_it_stays_so_when_the_process_dies_and_its_spool_is_begun_anew(tmp_path: Path, template: Path) -> None:
    world = await asking(tmp_path, template)
    page = await joined(world)
    page.focus.turn(False, page.mono())
    await minutes(world, page, 3)
    page.focus.turn(True, page.mono())
    await world.crash()
    await world.crash()  # now from the spool that the one before began
    assert (await world.book()).person(person_id(1)).lost == ((Reason.BLURRED, ((T0, T0 + 30_000),)),)
    await page.join()
    await minutes(world, page, 3)
    await world.end()
    assert await sealed(world) == (((T0 + 30_000, T0 + 60_000),), {Reason.BLURRED: 30_000})
    await world.close()


async def test_a_page_that_was_asked_and_says_nothing_earns_nothing(tmp_path: Path, template: Path) -> None:
    world = await asking(tmp_path, template)
    page = await joined(world)
    world.clock.advance(10_000)
    page.heard(await page.deliver(page.take()._replace(attended=None)))
    person = (await world.book()).person(person_id(1))
    assert (person.front, person.lost) == ((), ((Reason.BLURRED, ((T0, T0 + 10_000),)),))
    assert person.visible, "it is in front all the same"
    await minutes(world, page, 1)
    assert person.front == ((T0 + 10_000, T0 + 20_000),)
    await world.close()


async def test_where_nothing_is_asked_what_a_page_says_of_it_changes_nothing(tmp_path: Path, template: Path) -> None:
    world = await asking(tmp_path, template, None)
    page = await joined(world)
    world.clock.advance(10_000)
    await page.deliver(page.take()._replace(attended=Attended()))
    person = (await world.book()).person(person_id(1))
    assert (person.front, person.lost) == (((T0, T0 + 10_000),), ())
    await world.close()


async def test_what_is_sealed_is_forgotten_and_too_many_spans_are_refused(tmp_path: Path, template: Path) -> None:
    world = await asking(tmp_path, template)
    page = await joined(world)
    page.active.turn(False, page.mono())
    await minutes(world, page, 16)
    assert (await world.book()).person(person_id(1)).lost == ((Reason.IDLE, ((T0, T0 + 160_000),)),)
    await world.sealer.round()
    assert (await world.book()).person(person_id(1)).lost == ((Reason.IDLE, ((T0 + 60_000, T0 + 160_000),)),)
    world.clock.advance(1_000)
    many = tuple((n, n + 1) for n in range(MOST_SPANS + 1))
    error = await refused("beat_refused", page.deliver(page.take()._replace(attended=Attended(many))))
    assert error.data["why"] == "spans"
    await world.close()


async def test_the_page_stands_by_it_with_its_key(tmp_path: Path, template: Path) -> None:
    world = await asking(tmp_path, template)
    page = await joined(world)
    page.key, page.name = PageKey(), "page-001"
    await page.join("right")
    page.focus.turn(False, page.mono())
    await minutes(world, page, 3)
    world.clock.advance(10_000)
    await page.beat(signed=True)
    holder = world.register.holders[person_id(1)]
    assert holder.link == page.link != b""
    await world.close()
