"""A small store with a row in every table that is evidence, in the hands of somebody with all rights."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.app import House, build, open_store
from server.attendance.challenges import records as challenges
from server.attendance.challenges import records_looks as looks
from server.attendance.challenges.pace import Said as Answered
from server.attendance.challenges.pace import Why
from server.attendance.challenges.records_looks import Look
from server.attendance.challenges.rules import Event
from server.attendance.corrections import records as corrections
from server.attendance.corrections.records import Appeal, Correction, Said
from server.attendance.corrections.rules import Line, Measure, Verdict
from server.attendance.pages import records as pages
from server.core.clock import ManualClock, iso
from server.core.database import metadata
from server.ledger import records as ledger
from server.ledger.rules import MINUTE_MS, SEAL_AFTER_MS
from server.oversight import records_retention as retention
from server.oversight.records import add_view
from server.oversight.records_retention import Deletion
from server.oversight.rules import Outcome
from server.training.rules import ChallengeRule
from server.upkeep.fsck import PARTS, SOURCES, faults
from server.verify.signatures import Signed
from server.verify.vouched import Outcome as Challenged
from tests.live.files.given import give_note
from tests.school import NOON_MS, School, school
from tests.upkeep.test_backup import config_of

#: what nobody can tell from anything else, and why that is no evidence
FREE: Final = {
    ("ledger_head", "id"): "there is one row",
    ("ledger_checkpoint", "signed_ms"): "our clock's word; what counts is in the leaf and in cosignatures",
    ("minute_journal", "sealed_ms"): "our clock's word; what counts is in the leaf",
    ("challenge_seed", "sealed"): "encrypted; the log has the seed's digest, and the revelation is held against it",
    ("challenge_seed", "at_ms"): "within its minute",
    ("challenge_reveal", "at_ms"): "within its minute",
    ("training_class", "token"): "the secret of its QR code; it is not told",
    ("platform", "id"): "there is one row",
    ("platform", "created_ms"): "every change of the rest is told with its time",
}
#: besides rows that are told: the log itself, and minutes and corrections as they stand
OWN: Final = (*ledger.APPEND_ONLY, "ledger_head", "ledger_key", "minute_journal", "correction_entry")
TABLES: Final = (*OWN, *(source.table.name for source in SOURCES))
#: the column with the time of what was told once for all
AT: Final = {source.table.name: source.at for source in SOURCES if source.at}


async def lived(served: School) -> None:
    """Two minutes of a lesson, an appeal, corrections, an objection, a look; somebody wants it deleted too early."""
    begun = await _taught(served)
    await _seal(served, SEAL_AFTER_MS)
    slot, jia, staff = begun // MINUTE_MS, served.ids["jia"], served.ids["staff"]
    asked = Appeal("0a" * 8, served.lesson_id, jia, slot, slot, "我一直在", served.clock.ms())
    said = Said(staff, "核对过", served.clock.ms())
    rule = ChallengeRule(30_000, 30_000)
    one = Correction("0b" * 8, served.lesson_id, staff, Measure.FULL, "讲师证明", "", "", (), served.clock.ms())
    async with served.house.store.database.write() as connection:
        await corrections.add_appeal(connection, asked)
        await corrections.add_answer(connection, asked, said)
        await corrections.add_correction(connection, one)
        await corrections.add_verdict(connection, one, Verdict.APPROVED, said)
        await corrections.add_objection(connection, one, said)
        await corrections.add_entry(connection, one, (Line(jia, slot, 50_000, 60_000),), served.clock.ms())
        await challenges.add_seed(connection, served.lesson_id, b"s" * 32, b"x" * 60, rule, served.clock.ms())
        await challenges.add_reveal(connection, served.lesson_id, b"s" * 32, rule, served.clock.ms())
        passed = Event(1, served.clock.ms(), Challenged.PASSED, 1, 1, served.clock.ms(), 1_000)
        await challenges.add_event(connection, served.lesson_id, jia, passed, rule)
        answered = Answered(jia, served.clock.ms(), 1, 2_000, True)
        await challenges.add_answer(connection, served.lesson_id, answered)
        looked = Look(served.lesson_id, 1, jia, Why.TOO_FAST, 1, 0, staff, "问过本人", served.clock.ms())
        await looks.add_look(connection, looked)
        signature = Signed(jia, 1, 1, b"l" * 32, b"g" * 64)
        await pages.add_signatures(connection, served.lesson_id, slot, [signature])
        early = Deletion("0d" * 8, served.class_id, served.class_id, Outcome.EARLY, 1, 2 * begun, served.clock.ms())
        await retention.add(connection, early)
        await retention.add_done(connection, early, served.clock.ms())
        await add_view(connection, "0c" * 8, served.ids["regulator"], served.clock.ms(), "strips", served.lesson_id)
    await _seal(served, 2 * SEAL_AFTER_MS)
    await served.house.settlements.settle(served.actor("staff"), served.class_id)
    await _seal(served, 2 * SEAL_AFTER_MS)


async def _taught(served: School) -> int:
    """The lesson: a beat, something that people do, its end. When it began."""
    begun = served.clock.ms()
    await served.house.training.set_platform("某平台", "鲁-1")
    async with served.page("teacher") as desk, served.page("jia") as page:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        lease = (await page.join(mono=0))["lease"]
        served.clock.advance(50_000)
        beat = {"epoch": lease["epoch"], "seq": 1, "nonce": lease["nonce"], "mono": 50_000, "spans": [[0, 50_000]]}
        assert (await page.call("beat", **beat))["ok"]
        served.clock.advance(20_000)
        assert (await desk.call("order:silence", on=True))["ok"]
        assert (await desk.call("order:lobby", on=True))["ok"]
        await give_note(served)
        assert (await desk.call("lesson:end"))["ok"]
    return begun


async def _seal(served: School, ms: int) -> None:
    served.clock.advance(ms)
    for job in (job for each in served.house.capabilities for job in each.jobs if "seal" in job.name):
        await job.work()
    await served.house.log.round()


@dataclass(frozen=True)
class Attacked:
    """A store in the hands of somebody with all rights, and the house that is asked what it finds."""

    house: House
    raw: sqlite3.Connection
    genesis: int
    #: by entry
    leaves: dict[str, int]

    async def found(self) -> list[str]:
        return [line async for line in faults(self.house)]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """With the primary key as it is."""
        found = self.raw.execute(f"SELECT * FROM {table}")
        names = [one[0] for one in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def put(self, table: str, key: dict[str, Any], column: str, value: Any) -> bool:
        """Change one value; False where the database cannot hold it."""
        where = " AND ".join(f"{name} IS ?" for name in key)
        try:
            self.raw.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", [value, *key.values()])
        except (sqlite3.IntegrityError, OverflowError):
            return False
        return True

    def remove(self, table: str, row: dict[str, Any]) -> None:
        keys = [each.name for each in metadata.tables[table].primary_key]
        where = " AND ".join(f"{name} = ?" for name in keys)
        self.raw.execute(f"DELETE FROM {table} WHERE {where}", [row[name] for name in keys])

    def write(self, table: str, row: dict[str, Any]) -> None:
        marks = ", ".join("?" * len(row))
        self.raw.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def place(self, table: str, row: dict[str, Any]) -> tuple[str, ...]:
        """What one line at least must hold when this row is changed or gone."""
        if table in AT:
            minute = row[AT[table]] if AT[table] == "slot" else row[AT[table]] // MINUTE_MS
            return (iso(minute * MINUTE_MS), "row_missing", table)
        if table in ("ledger_leaf", "ledger_group", "ledger_entry", "ledger_sealed"):
            return (iso((self.genesis + self.leaf_of(table, row)) * MINUTE_MS),)
        if table == "minute_journal":
            return (iso(row["slot"] * MINUTE_MS), "journal_changed", row["lesson_id"])
        if table == "correction_entry":
            return ("journal_changed", row["lesson_id"])
        if table == "ledger_key":
            return ("records_changed", row["group_id"])
        return ({"ledger_checkpoint": "checkpoint_false", "ledger_head": "✗ -"}.get(table, f" {table}"),)

    def leaf_of(self, table: str, row: dict[str, Any]) -> int:
        """In which leaf it is, as long as nobody changed that."""
        return self.leaves[row["id"]] if table == "ledger_entry" else int(row["idx"])

    async def names(self, table: str, row: dict[str, Any]) -> bool:
        """Whether fsck names the place of this row; what looks at its table is asked first."""
        own = "log" if table.startswith("ledger_") else "rows" if table not in OWN else "minutes"
        return await self.says(self.place(table, row), own)

    async def says(self, place: tuple[str, ...], own: str) -> bool:
        """Whether a line holds all this; the part of fsck that should know is asked first."""
        for parts in ((own,), [one for one in PARTS if one != own]):
            async with aclosing(faults(self.house, parts)) as lines:
                async for line in lines:
                    if all(part in line for part in place):
                        return True
        return False


@asynccontextmanager
async def attacked(folder: Path) -> AsyncIterator[Attacked]:
    async with school(folder, ManualClock(NOON_MS)) as served:
        await served.house.log.round()
        await lived(served)
        genesis = await served.house.log.genesis()
    store = open_store(config_of(folder), ManualClock(NOON_MS))
    house = build(config_of(folder), store, "http://127.0.0.1", frozenset(), demo=False)
    try:
        with closing(sqlite3.connect(folder / "keshi.db", isolation_level=None)) as raw:
            raw.execute("PRAGMA synchronous = OFF")
            for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            leaves = dict(raw.execute("SELECT entry_id, idx FROM ledger_sealed"))
            yield Attacked(house, raw, genesis, leaves)
    finally:
        house.accounts.close()
        await store.database.close()
