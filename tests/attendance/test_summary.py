"""A minute's summary from the beat to the journal and the log: spells, the lease, what was odd, what media saw."""

from server.attendance import records
from server.attendance.credit import SURPLUS_MS
from server.attendance.minutes import MINUTE_MS, Reason
from server.attendance.sealer import Sealer
from server.attendance.timeline import Phase, Transition
from server.ledger import records as ledger
from server.ledger.rules import split
from server.verify.formats import Kind, Record, read_record
from server.verify.minutes import CLOSED, CREDITED, NOTHING_ODD, SUMMARY, Odd, Seen, Summary
from tests.attendance.seats import refused
from tests.attendance.test_sealer import attend, joined
from tests.attendance.world import LESSON, PASSWORD, T0, Page, World, person_id, trainee

BOTH_STORES = True

ME = person_id(1)


async def begun(world: World) -> None:
    async with world.database.write() as connection:
        await ledger.begin(connection, "log", T0 // MINUTE_MS)


async def summaries(world: World, person: str = ME) -> list[Summary]:
    async with world.database.read() as connection:
        minutes = await records.sealed_minutes(connection, LESSON)
    found = [one.summary for minute in minutes for one in minute.records if one.person_id == person]
    return [one for one in found if one is not None]


async def told(world: World) -> list[Record]:
    async with world.database.read() as connection:
        said = await ledger.said_of(connection, LESSON)
    found = [read_record(raw) for entry in said for raw in split(entry.records)]
    return sorted((one for one in found if one.kind == Kind.MINUTE), key=lambda one: one.slot)


async def test_a_summary_says_where_the_minute_went(world: World) -> None:
    world.transitions += (Transition(T0 + 40_000, Phase.CLOSED), Transition(T0 + 50_000, Phase.OPEN))
    page = await joined(world)
    await world.book()
    await attend(world, page, 20_000)
    page.hide()
    await attend(world, page, 10_000)
    page.show()
    await attend(world, page, 30_000)
    await world.seal_all()
    first, *_ = await summaries(world)
    assert first.spells == (
        (CREDITED, 20_000), (Reason.HIDDEN, 30_000), (CREDITED, 40_000), (CLOSED, 50_000), (CREDITED, 60_000),
    )  # fmt: skip
    assert (first.epoch, first.odd, first.seen) == (1, NOTHING_ODD, Seen(0, 0))


async def test_a_minute_names_the_newest_lease_that_held_in_it(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 90_000)
    other = Page(world, trainee(1, "another"), "page-001")
    other.show()
    await other.join(PASSWORD)
    await attend(world, other, 30_000)
    await world.seal_all()
    assert [one.epoch for one in await summaries(world)][:3] == [1, 2, 2]
    said = await told(world)
    assert [(one.session, one.flags) for one in said[:3]] == [
        (epoch.to_bytes(8, "big"), SUMMARY) for epoch in (1, 2, 2)
    ]


async def test_a_lease_survives_a_restart_and_one_older_than_the_log_is_not_named(world: World) -> None:
    page = await joined(world)
    await world.crash()
    await page.join()
    await attend(world, page, 60_000)
    await begun(world)
    await world.crash()
    await page.join()
    await attend(world, page, 60_000)
    await world.seal_all()
    assert [one.epoch for one in await summaries(world)][:2] == [1, 1]


async def test_a_lease_that_is_older_than_the_log_is_not_named(world: World) -> None:
    async with world.database.write() as connection:
        await ledger.begin(connection, "log", T0 // MINUTE_MS + 1)
    page = await joined(world)
    await world.crash()
    await page.join()
    await attend(world, page, 60_000)
    await world.seal_all()
    assert [one.session for one in await told(world)][:1] == [bytes(8)]


async def test_refused_beats_are_counted_and_earn_nothing(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 20_000)
    good, page.nonce = page.nonce, "forged"
    await refused("beat_refused", page.deliver(page.take()))
    await refused("beat_refused", page.deliver(page.take()))
    page.nonce = good
    stranger = Page(world, trainee(1), "page-009", connection="other", epoch=1)
    await refused("lease_lost", stranger.deliver(stranger.take()))
    await refused("lease_lost", Page(world, trainee(2), connection="x", epoch=1).beat())
    await attend(world, page, 40_000)
    await world.seal_all()
    (first, *_), second = await summaries(world), await summaries(world, person_id(2))
    assert first.odd == Odd(refused=3)
    assert first.spells == ((CREDITED, 60_000),)
    assert second == [], "who holds no lease is not remembered either"


async def test_a_clock_that_ran_ahead_is_noted_with_what_was_taken_off(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 10_000)
    page.base += 5_000
    await attend(world, page, 50_000)
    await world.seal_all()
    first, *_ = await summaries(world)
    assert first.odd == Odd(surplus_ms=5_000)


async def test_a_little_that_a_better_network_explains_is_not_noted(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 10_000)
    page.base += SURPLUS_MS - 1
    await attend(world, page, 50_000)
    page.base += SURPLUS_MS
    await attend(world, page, 60_000)
    await world.seal_all()
    assert [one.odd for one in await summaries(world)][:2] == [NOTHING_ODD, Odd(surplus_ms=SURPLUS_MS)]


async def test_a_page_that_slept_is_noted_where_it_got_a_new_anchor(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 10_000)
    page.base -= 7_000
    await attend(world, page, 50_000)
    await world.seal_all()
    first, *_ = await summaries(world)
    assert first.odd == Odd(lagged_ms=7_000)


async def test_what_was_odd_survives_a_restart_and_is_not_counted_twice(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 10_000)
    page.base += 5_000
    await attend(world, page, 10_000)
    for _ in range(2):
        await world.crash()
        await page.join()
    world.register.settle_spool()
    await attend(world, page, 40_000)
    await world.seal_all()
    assert [one.odd for one in await summaries(world)][:2] == [Odd(surplus_ms=5_000), NOTHING_ODD]


async def test_what_is_sealed_is_not_noted_any_more(world: World) -> None:
    page = await joined(world)
    await attend(world, page, MINUTE_MS)
    await world.seal_all()
    book = await world.book()
    slot = T0 // MINUTE_MS
    book.note(ME, slot, Odd(refused=1))
    assert book.odd(ME, slot) == NOTHING_ODD
    book.note(ME, slot + 9, Odd(1, 5, 0))
    book.note(ME, slot + 9, Odd(0, 9, 0))
    assert book.odd(ME, slot + 9) == Odd(1, 9, 0), "told twice, it counts once"


async def test_what_media_saw_stands_in_the_summary(world: World) -> None:
    page = await joined(world)
    await attend(world, page, MINUTE_MS)
    asked = []

    def witnessed(lesson_id: str, person: str, slot: int) -> Seen:
        asked.append((lesson_id, person, slot))
        return Seen(tier=2, grade=3)

    world.sealer = Sealer(world.register, witnessed)
    await world.seal_all()
    assert asked[0] == (LESSON, ME, T0 // MINUTE_MS)
    first, *_ = await summaries(world)
    assert first.seen == Seen(tier=2, grade=3)


async def test_a_book_forgets_old_leases_but_the_newest(world: World) -> None:
    page = await joined(world)
    for _ in range(3):
        await world.attendance.leave(page.actor, page.connection, LESSON, page.epoch)
        page.resume = None
        await page.join()
    await attend(world, page, MINUTE_MS)
    await world.seal_all()
    book = await world.book()
    assert [epoch for _, epoch in book.person(ME).leases] == [4]
    first, *_ = await summaries(world)
    assert first.epoch == 4
