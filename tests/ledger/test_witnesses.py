"""A log and its witnesses, over HTTP: what they sign is published; what they contradict is neither kept nor shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.core.signing import FileSigner
from server.ledger import records
from server.ledger.rules import MINUTE_MS, SEAL_AFTER_MS
from server.ledger.service import Ledger
from server.ledger.tiles import TileFolder
from server.ledger.witnesses import CLOCK_MS, SILENCE_MS, Known, Witnesses, later_by
from server.verify.notes import Key, check_witnesses, read_checkpoint, read_note
from server.witness.api import witnessing
from server.witness.memory import Memory
from server.witness.service import Witness
from tests.ledger.world import GENESIS, World, minute

BOTH_STORES = True
ALL = (
    records.entry,
    records.pending,
    records.key,
    records.leaf,
    records.group,
    records.sealed,
    records.checkpoint,
    records.head,
)
Rows = dict[str, list[dict[str, Any]]]


class Stage:
    """A log that asks witnesses; `elapsed_ms` is the clock of their silence."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.elapsed_ms = 0.0
        self.ahead_ms = 0

    @asynccontextmanager
    async def witness(self, name: str = "county", *logs: Key) -> AsyncIterator[Known]:
        seconds = lambda: (self.world.clock.ms() + self.ahead_ms) // 1000  # noqa: E731
        signer = FileSigner(name.encode().ljust(32, b"."))
        own = Witness(name, signer, logs or [self.world.ledger.key], Memory(self.folder / name), seconds)
        async with witnessing(own, "127.0.0.1", 0) as url:
            yield Known(url, own.key)

    def log(self, *known: Known, tiles: Path | None = None) -> Ledger:
        asked = Witnesses(known, self.world.clock, lambda: self.elapsed_ms)
        files = TileFolder(tiles) if tiles else self.world.folder
        return Ledger(self.world.database, self.world.clock, files, self.world.signer, asked)

    async def seal(self, log: Ledger, slot: int) -> None:
        self.world.to(slot, SEAL_AFTER_MS)
        await log.round()

    def seen_by(self, *known: Known) -> tuple[int, set[str]]:
        """Up to where the published note goes, and who signed it."""
        said = self.world.folder.said()
        if said is None:
            return 0, set()
        note = read_note(said)
        seen = check_witnesses(note, [one.key for one in known])
        return read_checkpoint(note.text).size, {one.key.name for one in seen}


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Stage:
    return Stage(world, tmp_path)


async def test_every_published_note_is_signed_by_every_witness_that_answers(stage: Stage) -> None:
    async with stage.witness() as county, stage.witness("city") as city:
        log = stage.log(county, city)
        await log.round()
        for slot in range(3):
            await stage.seal(log, slot)
            assert stage.seen_by(county, city) == (slot + 1, {"county", "city"})
        assert await log.witnesses.problem() is None
        async with stage.world.database.read() as connection:
            kept = {size: note async for size, note in records.checkpoints(connection)}
        assert kept[3] == stage.world.folder.said()


async def test_a_restarted_log_learns_from_the_witness_how_far_it_knows_it(stage: Stage) -> None:
    async with stage.witness() as county:
        log = stage.log(county)
        await log.round()
        await stage.seal(log, 0)
        await stage.seal(stage.log(county), 4)
        assert stage.seen_by(county) == (5, {"county"})


async def test_a_silent_witness_is_waited_for_at_the_beginning_only(stage: Stage) -> None:
    async with stage.witness() as county:
        pass  # it is gone
    log = stage.log(county)
    await log.round()
    await stage.seal(log, 0)
    assert (stage.seen_by(county), len(await stage.world.leaves())) == ((0, set()), 1)  # sealed, not yet signed
    assert await log.problem() is None
    stage.elapsed_ms = SILENCE_MS
    await log.round()
    assert (stage.seen_by(county)[0], await log.witnesses.problem()) == (0, None)
    stage.elapsed_ms = SILENCE_MS + 1
    await log.round()
    assert (stage.seen_by(county), await log.witnesses.problem()) == ((1, set()), "silent")
    await stage.seal(log, 1)
    assert stage.seen_by(county) == (2, set())


async def test_a_witness_that_comes_back_signs_all_that_it_missed(stage: Stage) -> None:
    async with stage.witness() as county:
        log = stage.log(county)
        await log.round()
        await stage.seal(log, 0)
    stage.elapsed_ms = SILENCE_MS + 1
    await stage.seal(log, 1)
    assert (stage.seen_by(county), await log.witnesses.problem()) == ((2, set()), "silent")
    async with stage.witness() as back:
        log = stage.log(back)
        await stage.seal(log, 2)
        assert (stage.seen_by(back), await log.witnesses.problem()) == ((3, {"county"}), None)


async def test_a_store_that_was_put_back_signs_nothing_below_its_witness(stage: Stage, tmp_path: Path) -> None:
    async with stage.witness() as county:
        log = stage.log(county)
        await log.round()
        await stage.seal(log, 1)
        copy = await stored(stage)
        await stage.seal(log, 3)
        # the whole host comes back from a copy of the second minute: store, tiles, clock and all
        stage.world.clock = ManualClock(GENESIS * MINUTE_MS)
        back = stage.log(county, tiles=tmp_path / "empty")
        await put_back(stage, copy)
        with pytest.raises(DomainError) as refused:
            await stage.seal(back, 2)
        assert refused.value.code == "ledger_behind_witness"
        assert (await back.problem(), TileFolder(tmp_path / "empty").said()) == ("ledger_behind_witness", None)
        async with stage.world.database.read() as connection:
            assert [size async for size, _ in records.checkpoints(connection)] == [2]


async def test_another_history_of_the_same_length_or_longer_is_not_signed(stage: Stage, tmp_path: Path) -> None:
    async with stage.witness() as county:
        log = stage.log(county)
        await log.round()
        await stage.seal(log, 0)
        copy = await stored(stage)
        await stage.seal(log, 1)
        await put_back(stage, copy)
        await stage.world.say(1, [minute(GENESIS + 1, 9)])  # a minute that nobody spent
        for slot in (1, 4):
            forged = stage.log(county, tiles=tmp_path / "forged")
            with pytest.raises(DomainError) as refused:
                await stage.seal(forged, slot)
            assert refused.value.code == "ledger_forked"
        async with stage.world.database.read() as connection:
            assert [size async for size, _ in records.checkpoints(connection)] == [1]


async def test_a_witness_that_does_not_know_the_log_is_named(stage: Stage) -> None:
    async with stage.witness() as county:
        stranger = Ledger(
            stage.world.database,
            stage.world.clock,
            stage.world.folder,
            FileSigner(b"s" * 32),
            Witnesses([county], stage.world.clock, lambda: stage.elapsed_ms),
        )
        await stranger.round()
        await stage.seal(stranger, 0)
        assert (stage.seen_by(county)[0], await stranger.witnesses.problem()) == (0, "refuses")


async def test_a_signature_of_somebody_else_is_not_taken(stage: Stage) -> None:
    async with stage.witness() as county, stage.witness("city") as city:
        log = stage.log(Known(county.url, city.key))
        await log.round()
        await stage.seal(log, 0)
        stage.elapsed_ms = SILENCE_MS + 1
        await log.round()
        assert (stage.seen_by(county, city), await log.witnesses.problem()) == ((1, set()), "silent")


@pytest.mark.parametrize(("ahead_ms", "word"), [(CLOCK_MS, None), (CLOCK_MS + 1000, "clock_differs")])
async def test_a_clock_that_differs_from_the_witness_is_said(stage: Stage, ahead_ms: int, word: str | None) -> None:
    stage.ahead_ms = ahead_ms
    async with stage.witness() as county:
        log = stage.log(county)
        await log.round()
        stage.world.to(0, SEAL_AFTER_MS)
        stage.world.clock.advance(-stage.world.clock.ms() % 1000)
        await log.round()
        assert await log.witnesses.problem() == word


async def stored(stage: Stage) -> Rows:
    """The log's tables as they are."""
    async with stage.world.database.read() as connection:
        return {
            table.name: [dict(row) for row in (await connection.execute(table.select())).mappings()] for table in ALL
        }


async def put_back(stage: Stage, copy: Rows) -> None:
    """What no honest program does: make the store again what it was."""
    async with stage.world.database.write() as connection:
        await _unguarded(connection)
        for table in ALL:
            await connection.execute(table.delete())
            if copy[table.name]:
                await connection.execute(table.insert(), copy[table.name])


async def _unguarded(connection: records.Connection) -> None:
    names = [name for name in records.APPEND_ONLY if name.startswith("ledger_")]
    if connection.dialect.name == "sqlite":
        for name in names:
            for verb in ("update", "delete", "replace"):
                await connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}_no_{verb}")
    else:
        for name in names:
            await connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")


@pytest.mark.parametrize(
    ("at_s", "sent_ms", "received_ms", "later_ms"),
    [
        (10, 10_000, 10_000, 0),
        (10, 10_999, 11_500, 0),  # it may have shown 10.999
        (10, 8_000, 10_000, 0),
        (10, 7_000, 9_900, 100),
        (10, 11_250, 11_500, -250),
        (10, 11_000, 11_001, 0),
    ],
)
def test_a_second_that_both_may_have_shown_is_no_difference(
    at_s: int, sent_ms: int, received_ms: int, later_ms: int
) -> None:
    assert later_by(at_s, sent_ms, received_ms) == later_ms


async def test_the_witnesses_time_is_told_and_forgotten_when_they_are_silent(stage: Stage) -> None:
    heard: list[float | None] = []
    stage.ahead_ms = 40_000
    async with stage.witness() as county:
        asked = Witnesses([county], stage.world.clock, lambda: stage.elapsed_ms, heard.append)
        log = Ledger(stage.world.database, stage.world.clock, stage.world.folder, stage.world.signer, asked)
        await log.round()
        await stage.seal(log, 0)
    stage.elapsed_ms = SILENCE_MS + 1
    await stage.seal(log, 1)
    assert heard == [40_000, None]
