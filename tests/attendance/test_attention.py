"""Focus and idle time: taken off where the scheme asks for them, with their reason, and nowhere else."""

from pathlib import Path

import pytest

from server.attendance.attention import attended, kept, more
from server.attendance.credit import MOST_SPANS, Anchor, Attended, Beat, credit
from server.attendance.intervals import Intervals
from server.attendance.minutes import Lost, Reason
from server.attendance.records import sealed_minutes
from server.core.errors import DomainError
from server.training.rules import AttentionRule
from tests.attendance.page_key import PageKey
from tests.attendance.seats import joined, minutes, refused
from tests.attendance.world import T0, World, person_id

FOCUS, IDLE, BOTH = AttentionRule(True, None), AttentionRule(False, 60_000), AttentionRule(True, 60_000)
ANCHOR = Anchor(0, "n", 1_000_000, 990_000, 10_000)
RECEIVED = 1_010_000


def worth(
    rule: AttentionRule, focused: Intervals, active: Intervals, received_ms: int = RECEIVED
) -> tuple[Intervals, Lost]:
    """Of ten seconds in front, the page's clock from 10,000 to 20,000."""
    beat = Beat(1, "n", 20_000, ((10_000, 20_000),), "", Attended(focused, active))
    front = credit(ANCHOR, beat, received_ms, "next").front
    return attended(rule, ANCHOR, beat, received_ms, 0, front)


def at(*spans: tuple[int, int]) -> Intervals:
    return tuple((1_000_000 + start, 1_000_000 + end) for start, end in spans)


WHOLE, HALF, LATE = ((10_000, 20_000),), ((10_000, 15_000),), ((14_000, 20_000),)


def test_what_is_asked_is_taken_off_and_named() -> None:
    assert worth(BOTH, WHOLE, WHOLE) == (at((0, 10_000)), ())
    assert worth(BOTH, ((0, 99_000),), WHOLE) == (at((0, 10_000)), ())
    assert worth(FOCUS, HALF, ()) == (at((0, 5_000)), ((Reason.BLURRED, at((5_000, 10_000))),))
    assert worth(IDLE, (), HALF) == (at((0, 5_000)), ((Reason.IDLE, at((5_000, 10_000))),))


def test_a_millisecond_has_one_reason_and_focus_comes_first() -> None:
    front, lost = worth(BOTH, HALF, LATE)
    assert front == at((4_000, 5_000))
    assert lost == ((Reason.BLURRED, at((5_000, 10_000))), (Reason.IDLE, at((0, 4_000))))


def test_a_clock_that_runs_ahead_stretches_no_attention() -> None:
    front, lost = worth(FOCUS, LATE, (), RECEIVED - 5_000)  # ten seconds of its clock in five of ours
    assert front == at((4_000, 5_000))
    assert lost == ((Reason.BLURRED, at((0, 4_000))),)


def test_too_many_spans_are_refused_as_everywhere() -> None:
    with pytest.raises(DomainError, match="beat_refused"):
        worth(FOCUS, tuple((10_000 + n, 10_001 + n) for n in range(MOST_SPANS + 1)), ())


def test_what_was_lost_is_kept_together_and_cut_to_a_time() -> None:
    lost = more(((Reason.IDLE, ((0, 10),)),), ((Reason.IDLE, ((10, 20),)), (Reason.BLURRED, ((30, 40),))))
    assert lost == ((Reason.IDLE, ((0, 20),)), (Reason.BLURRED, ((30, 40),)))
    assert kept(lost, 5, 30) == ((Reason.IDLE, ((5, 20),)),)


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
