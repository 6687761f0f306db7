"""A log that was put back seals nothing until witnesses were heard; its minutes come back, or a successor begins."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.core.signing import LOG_FILE
from server.ledger import records
from server.ledger.audit import audit
from server.ledger.handing import continues, refill
from server.ledger.keys import LogKeys, keys_in, rotate, succeed
from server.ledger.rules import MINUTE_MS, split
from server.ledger.service import Ledger
from server.ledger.tiles import TileFolder
from server.ledger.witnesses import SILENCE_MS, Known, Witnesses
from server.verify.formats import OPENED, REFILLED, Kind, LeafFlag, Record, read_record
from server.verify.handover import GROUP
from server.verify.log import check_log_files
from server.verify.notes import read_checkpoint, read_note
from server.verify.tree import Refused
from server.witness.keeper import keep_up
from tests.ledger.test_witnesses import Stage, put_back, stored
from tests.ledger.world import GENESIS, World, minute

BOTH_STORES = True

BACKED_UP, LOST = 2, 5


class Drill:
    """A log of LOST minutes, all of them witnessed and kept, and its store as it was after BACKED_UP minutes."""

    def __init__(self, stage: Stage, county: Known, folder: Path) -> None:
        self.stage, self.county = stage, county
        self.keys, self.copy = folder / "keys", TileFolder(folder / "copy")
        self.again = TileFolder(folder / "again")
        self.keys.mkdir()
        (self.keys / LOG_FILE).write_bytes(bytes(32))

    async def disaster(self) -> None:
        """Five minutes, then a backup of the second is all that there is."""
        stage, log = self.stage, self.stage.log(self.county)
        await log.round()
        for slot in range(LOST):
            await stage.world.say(slot, [minute(GENESIS + slot, 1)])
            await stage.seal(log, slot)
            if slot + 1 == BACKED_UP:
                copy = await stored(stage)
        assert keep_up(stage.world.folder.said() or "", stage.world.folder.fetch, self.copy)
        stage.world.clock = ManualClock((GENESIS + LOST + 3) * MINUTE_MS)
        await put_back(stage, copy)
        self.again.was_put_back()

    def log(self, *known: Known) -> Ledger:
        """The service over the store that was put back."""
        world, kept = self.stage.world, keys_in(self.keys)
        asked = Witnesses(known or [self.county], world.clock, lambda: self.stage.elapsed_ms)
        return Ledger(world.database, world.clock, self.again, kept.signer, asked, kept.notes)

    async def refused(self) -> str:
        """With what word nothing is sealed."""
        log = self.log()
        with pytest.raises(DomainError) as refused:
            await log.round()
        assert await log.problem() == refused.value.code
        return refused.value.code

    async def said(self) -> list[Record]:
        """What the log says of itself."""
        async with self.stage.world.database.read() as connection:
            entries = await records.said_of(connection, GROUP.hex())
        return [read_record(raw) for entry in entries for raw in split(entry.records)]

    async def faults(self) -> list[str]:
        """What does not fit."""
        database = self.stage.world.database
        return [one.code async for one in audit(database, self.again, keys_in(self.keys).keys)]


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Stage:
    return Stage(world, tmp_path)


@pytest.fixture
async def drill(stage: Stage, tmp_path: Path) -> AsyncIterator[Drill]:
    async with stage.witness() as county:
        yield Drill(stage, county, tmp_path)


async def test_what_was_put_back_is_refilled_and_goes_on_on_the_same_history(drill: Drill) -> None:
    await drill.disaster()
    seen = drill.copy.said()
    world = drill.stage.world
    assert await drill.refused() == "ledger_behind_witness"
    assert len(await world.leaves()) == BACKED_UP, "nothing was sealed in place of what was lost"
    keys = LogKeys(world.signer)
    assert await refill(world.database, keys, drill.copy.fetch, world.clock.ms()) == LOST - BACKED_UP
    assert await refill(world.database, keys, drill.copy.fetch, world.clock.ms()) == 0
    log = drill.log()
    await drill.stage.seal(log, LOST + 3)
    assert (await log.problem(), drill.again.put_back) == (None, False)
    report = check_log_files(drill.again.fetch, [log.key], seen)
    assert report.size == LOST + 4, "one history: what the copy showed is its beginning"
    (one,) = await drill.said()
    assert (one.kind, one.mode, one.seq, one.credit_ms) == (Kind.SUCCESSOR, REFILLED, BACKED_UP, LOST - BACKED_UP)
    assert await drill.faults() == []


async def test_only_leaves_that_the_log_says_were_refilled_may_be_bare(drill: Drill) -> None:
    await drill.disaster()
    world = drill.stage.world
    await refill(world.database, LogKeys(world.signer), drill.copy.fetch, world.clock.ms())
    await drill.stage.seal(drill.log(), LOST + 3)
    async with world.database.write() as connection:
        await connection.execute(records.group.delete().where(records.group.c.idx == 1))
    assert "leaf_changed" in await drill.faults()


async def test_a_put_back_store_without_an_answer_waits_five_minutes(drill: Drill, stage: Stage) -> None:
    await drill.disaster()
    gone = Known("http://127.0.0.1:9", drill.county.key)
    log = drill.log(gone)
    await log.round()
    assert len(await stage.world.leaves()) == BACKED_UP
    stage.elapsed_ms = SILENCE_MS + 1
    await log.round()
    assert len(await stage.world.leaves()) > BACKED_UP


@pytest.mark.parametrize("forgery", ["leaf", "key", "shorter"])
async def test_a_copy_that_is_not_this_log_brings_nothing_back(drill: Drill, forgery: str) -> None:
    await drill.disaster()
    world = drill.stage.world
    signer = world.signer if forgery != "key" else World(world.database, Path(), b"k" * 32).signer

    def fetch(name: str) -> bytes:
        raw = bytearray(drill.copy.fetch(name))
        if forgery == "leaf" and "entries" in name:
            raw[-1] ^= 1
        if forgery == "shorter" and "entries" in name:
            del raw[-1]
        return bytes(raw)

    with pytest.raises(Refused):
        await refill(world.database, LogKeys(signer), fetch, world.clock.ms())
    assert len(await world.leaves()) == BACKED_UP


async def test_a_store_without_a_log_is_filled_from_its_first_minute(drill: Drill, stage: Stage) -> None:
    await drill.disaster()
    await put_back(stage, {table: [] for table in await stored(stage)})
    world = stage.world
    assert await refill(world.database, LogKeys(world.signer), drill.copy.fetch, world.clock.ms()) == LOST
    assert [leaf.slot for leaf in await world.leaves()] == [GENESIS + slot for slot in range(LOST)]


async def test_where_there_is_no_copy_a_successor_begins_with_what_was_seen(drill: Drill, stage: Stage) -> None:
    await drill.disaster()
    seen = drill.copy.said() or ""
    old = drill.log().key
    last = read_checkpoint(read_note(seen).text)
    assert not await continues(stage.world.database, last)
    after = succeed(drill.keys, seen)
    async with stage.witness("city", *after.keys) as city:
        log = drill.log(city)
        await stage.seal(log, LOST + 3)
        assert await log.problem() is None
        (one,) = await drill.said()
        assert (one.kind, one.mode) == (Kind.SUCCESSOR, OPENED)
        leaves = await stage.world.leaves()
        assert [bool(leaf.n_records) for leaf in leaves[:4]] == [True, True, True, False], "in its first leaf"
        assert leaves[3].flags & LeafFlag.GAP
        for key, signers in ((old, ()), (after.key, (after.key,))):
            report = check_log_files(drill.again.fetch, [key])
            assert (report.signers, [each.last for each in report.handovers]) == (signers, [last])
        assert [key.key.name for key in check_log_files(drill.again.fetch, [city.key]).witnesses] == ["city"]
        assert await drill.faults() == []


async def test_a_changed_key_is_told_and_signs_from_then_on(drill: Drill, stage: Stage) -> None:
    log = drill.log()
    await log.round()
    await stage.seal(log, 0)
    after = rotate(drill.keys, drill.again.said() or "")
    async with stage.witness("city", *after.keys) as city:
        for slot in (1, 2):
            log = drill.log(city)
            await stage.seal(log, slot)
        (one,) = await drill.said()
        assert (one.kind, one.evidence) == (Kind.KEY_ROTATION, sha256(after.notes[-1].encode()).digest())
        assert check_log_files(drill.again.fetch, [after.keys[0]], drill.again.said()).signers == (after.key,)
        assert await drill.faults() == []
