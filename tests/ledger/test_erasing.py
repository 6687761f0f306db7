"""Erased records keep their hash and place; who ordered it in time is asked of the log alone."""

import pytest

from server.ledger import records
from server.ledger.audit import audit
from server.ledger.erasing import arranged, due, erase
from server.ledger.rules import hash_of, place_of
from server.verify.formats import ORDERED, Kind, Record, erased
from tests.ledger.world import GENESIS, LESSON, World, minute

BOTH_STORES = True
SHORT = 5
#: somebody else's door is not tested here: the tables of orders belong to oversight
OPEN = (
    "INSERT INTO deletion VALUES ('{entry}', '{group}', '{group}', 'ordered', 1, 0, 1)",
    "INSERT INTO deletion_done VALUES ('{entry}', 1)",
)


async def taught(world: World, order: int, count: int) -> str:
    """Three trainees in the first minute; in that of `order` the deletion of `count` records; the entry's id."""
    await world.ledger.round()
    await world.say(0, [minute(GENESIS, 2), minute(GENESIS, 1)])
    await world.say(0, [minute(GENESIS, 3), Record(Kind.LESSON_MINUTE, GENESIS, seq=3)])
    said = Record(Kind.DELETION, GENESIS + order, mode=ORDERED, credit_ms=count).pack()
    async with world.database.write() as connection:
        await records.append_packed(connection, GENESIS + order, LESSON, said, entry_id="0e" * 8)
    world.to(order + 1, 95_000)
    await world.ledger.round()
    return "0e" * 8


async def delete(world: World, entry: str, *numbers: int) -> int:
    async with world.database.write() as connection:
        await connection.exec_driver_sql(OPEN[0].format(entry=entry, group=LESSON))
        subjects = {bytes([number]) * 8 for number in numbers}
        return await erase(connection, LESSON, lambda one: one.subject in subjects)


async def found(world: World) -> list[tuple[str, int | None]]:
    return [(one.code, one.idx) async for one in audit(world.database, world.folder, world.ledger.keys)]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.ledger.erasing.KEPT_MINUTES", SHORT)


async def test_one_goes_and_everybody_else_is_proven_as_before(world: World) -> None:
    entry = await taught(world, SHORT, 1)
    published = world.published()
    async with world.database.read() as connection:
        assert (await due(connection, LESSON, lambda one: one.kind == Kind.MINUTE)).count == 3
    assert await delete(world, entry, 2) == 1
    assert await found(world) == []
    assert world.published() == published
    async with world.database.read() as connection:
        keys = await records.keys_of(connection, LESSON)
        left = await due(connection, LESSON, lambda one: one.kind == Kind.MINUTE)
    assert ("02" * 8 in keys, "01" * 8 in keys) == (False, True)
    assert (left.count, left.newest_slot) == (2, GENESIS)
    proofs = await world.ledger.proofs([LESSON], {})
    (first, _) = proofs.leaves
    assert len(first.groups[0].records) == 4 * 73


async def test_again_it_deletes_nothing(world: World) -> None:
    entry = await taught(world, SHORT, 1)
    assert await delete(world, entry, 2) == 1
    async with world.database.write() as connection:
        assert await erase(connection, LESSON, lambda one: one.subject == bytes([2]) * 8) == 0
    assert await found(world) == []


@pytest.mark.parametrize(("order", "count", "gone"), [(SHORT - 1, 1, 1), (SHORT, 2, 1), (SHORT, 1, 2)])
async def test_too_early_too_few_and_too_many_are_found(world: World, order: int, count: int, gone: int) -> None:
    entry = await taught(world, order, count)
    await delete(world, entry, *range(1, gone + 1))
    assert await found(world) == [("records_erased", 0)]


async def test_a_hash_that_was_changed_is_found(world: World) -> None:
    entry = await taught(world, SHORT, 1)
    await delete(world, entry, 2)
    async with world.database.write() as connection:
        for one in await records.said_of(connection, LESSON):
            if one.records[0] == Kind.ERASED:
                changed = one.records[:72] + bytes([one.records[72] ^ 1]) + one.records[73:]
                await records.replace(connection, one.id, changed)
    assert await found(world) == [("records_changed", 0)]


def test_places_are_kept() -> None:
    packed = [minute(GENESIS, number).pack() for number in (1, 2, 3, 4)]
    ordered = sorted(packed, key=place_of)
    left = [erased(ordered[at], at, hash_of(bytes(32), ordered[at])) for at in (0, 2, 3)]
    assert arranged([left[2], ordered[1], left[0], left[1]]) == [left[0], ordered[1], left[1], left[2]]


async def test_a_process_has_no_destroyed_key_at_hand(world: World) -> None:
    entry = await taught(world, SHORT, 1)
    await delete(world, entry, 2)  # as another process does
    world.to(SHORT + 2, 95_000)
    await world.ledger.round()
    await world.say(SHORT + 3, [minute(GENESIS + SHORT + 3, 2)])
    world.to(SHORT + 3, 95_000)
    await world.ledger.round()
    assert await found(world) == [], (
        "what is said of the same trainee later has a key of its own, which the store knows"
    )
