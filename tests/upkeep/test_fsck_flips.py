"""Every column of every table that is evidence, and every file of the log: whatever is changed is found, at its place.

`make test` changes one bit of each value and of each 61st byte of the files; `make long` every bit of all of them.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from server.app import House, build, open_store
from server.attendance.challenges import records as challenges
from server.attendance.challenges.rules import Event
from server.attendance.corrections import records as corrections
from server.attendance.corrections.records import Appeal, Correction, Said
from server.attendance.corrections.rules import Line, Measure, Verdict
from server.attendance.pages import records as pages
from server.core.clock import ManualClock, iso
from server.core.database import Database, metadata
from server.ledger import records as ledger
from server.ledger.rules import MINUTE_MS, SEAL_AFTER_MS
from server.oversight import records_retention as retention
from server.oversight.records import add_view
from server.oversight.records_retention import Deletion
from server.oversight.rules import Outcome
from server.training.rules import ChallengeRule
from server.upkeep.fsck import SOURCES, faults
from server.verify.signatures import Signed
from server.verify.vouched import Outcome as Challenged
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
BITS_OF_TEXT: Final = 7
EACH_BYTE: Final = 61


async def lived(served: School) -> None:
    """Two minutes of a lesson, an appeal, corrections, an objection, a look; somebody wants it deleted too early."""
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
        assert (await desk.call("lesson:end"))["ok"]
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
        signature = Signed(jia, 1, 1, b"l" * 32, b"g" * 64)
        await pages.add_signatures(connection, served.lesson_id, slot, [signature])
        early = Deletion("0d" * 8, served.class_id, served.class_id, Outcome.EARLY, 1, 2 * begun, served.clock.ms())
        await retention.add(connection, early)
        await retention.add_done(connection, early, served.clock.ms())
        await add_view(connection, "0c" * 8, served.ids["regulator"], served.clock.ms(), "strips", served.lesson_id)
    await _seal(served, 2 * SEAL_AFTER_MS)


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
        """What one line at least must hold."""
        at = {source.table.name: source.at for source in SOURCES}.get(table)
        if at:
            minute = row[at] if at == "slot" else row[at] // MINUTE_MS
            return (iso(minute * MINUTE_MS), "row_missing", table)
        if table in ("ledger_leaf", "ledger_group"):
            return (iso((self.genesis + row["idx"]) * MINUTE_MS),)
        if table == "ledger_checkpoint":
            return ("checkpoint_false",)
        if table == "minute_journal":
            return (iso(row["slot"] * MINUTE_MS), "journal_changed")
        return ("✗",)


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
            yield Attacked(house, raw, genesis)
    finally:
        house.accounts.close()
        await store.database.close()


def flipped(value: Any, big: bool) -> Iterator[Any]:
    """A value with each of its bits changed, one at a time."""
    if isinstance(value, int):
        yield from (value ^ (1 << bit) for bit in range(63 if big else 31))
    elif isinstance(value, bytes):
        for at in range(8 * len(value)):
            yield value[: at // 8] + bytes([value[at // 8] ^ 1 << at % 8]) + value[at // 8 + 1 :]
    elif isinstance(value, str):
        for at in range(BITS_OF_TEXT * len(value)):
            changed = chr(ord(value[at // BITS_OF_TEXT]) ^ 1 << at % BITS_OF_TEXT)
            yield value[: at // BITS_OF_TEXT] + changed + value[at // BITS_OF_TEXT + 1 :]


async def flip_all(store: Attacked, thorough: bool) -> int:
    """How many changes were tried; each must be found at its place."""
    count = 0
    for name in TABLES:
        table = metadata.tables[name]
        for row in store.rows(name):
            key = {each.name: row[each.name] for each in table.primary_key}
            for column in (each.name for each in table.c if (name, each.name) not in FREE):
                big = type(table.c[column].type).__name__ == "BigInteger"
                every = list(flipped(row[column], big))
                for value in every if thorough else every[count % max(len(every), 1) :][:1]:
                    if not store.put(name, key, column, value):
                        continue
                    lines = await store.found()
                    place = store.place(name, row)
                    assert any(all(part in line for part in place) for line in lines), (name, column, value, lines)
                    now = {**key, column: value} if column in key else key
                    assert store.put(name, now, column, row[column])
                    count += 1
    assert await store.found() == []
    return count


async def flip_files(store: Attacked, folder: Path, thorough: bool) -> int:
    count = 0
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        raw = path.read_bytes()
        for at in range(8 * len(raw)) if thorough else range(0, 8 * len(raw), 8 * EACH_BYTE + 1):
            path.write_bytes(raw[: at // 8] + bytes([raw[at // 8] ^ 1 << at % 8]) + raw[at // 8 + 1 :])
            assert any("files_changed" in line for line in await store.found()), (path.name, at)
            count += 1
        path.write_bytes(raw)
    assert await store.found() == []
    return count


@pytest.mark.timeout(300)
async def test_a_small_store_with_a_bit_changed_anywhere(tmp_path: Path) -> None:
    async with attacked(tmp_path) as store:
        assert await store.found() == []
        assert [name for name in TABLES if not store.rows(name)] == [], "each has a row to be changed"
        assert await flip_all(store, thorough=False) > 200
        assert await flip_files(store, tmp_path / "log", thorough=False) > 3


@pytest.mark.long
@pytest.mark.timeout(7_200)
async def test_a_small_store_with_every_bit_changed(tmp_path: Path) -> None:
    async with attacked(tmp_path) as store:
        tried = await flip_all(store, thorough=True) + await flip_files(store, tmp_path / "log", thorough=True)
        print(f"{tried} changes, all found at their places")


async def test_a_trainee_who_gets_another_name_or_number(tmp_path: Path) -> None:
    """Whoever takes over somebody's hours: the name of an account is no row that was told, its digest was."""
    async with attacked(tmp_path) as store:
        seated = store.raw.execute(
            "SELECT person_id, name, id_number_masked FROM enrolment JOIN person ON id = person_id"
        )
        for person_id, name, masked in seated.fetchall():
            for column, value, changed in (("name", name, "别人"), ("id_number_masked", masked, "110***********0000")):
                assert store.put("person", {"id": person_id}, column, changed)
                assert any("identity_changed" in line and person_id in line for line in await store.found()), column
                assert store.put("person", {"id": person_id}, column, value)
        assert await store.found() == []


async def test_rows_that_are_deleted_inserted_or_swapped(tmp_path: Path) -> None:
    async with attacked(tmp_path) as store:
        for name in TABLES:
            rows = store.rows(name)
            # an earlier signature may be missing: not every minute is signed by itself
            for row in rows[-1:] if name == "ledger_checkpoint" else rows:
                store.remove(name, row)
                if name != "ledger_head":
                    assert await store.found(), ("deleted", name, row)
                store.write(name, row)
            if name not in ("ledger_head", "ledger_key", "ledger_checkpoint", "platform"):
                other = another(name, rows[-1])
                store.write(name, other)
                assert await store.found(), ("inserted", name)
                store.remove(name, other)
            await swap(store, name, rows)
        assert await store.found() == []


def another(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row like this one that the database would take."""
    if name == "scheme":
        return {**row, "id": "x/1", "name": "x", "version": 1}
    last = [each.name for each in metadata.tables[name].primary_key][-1]
    unique = {"name": "又一所", "number": 99, "seat": 99, "code": "X", "token": "x"}
    other = {**row, **{one: unique[one] for one in unique.keys() & row.keys()}}
    return {**other, last: [*flipped(row[last], False)][-1]}


async def swap(store: Attacked, name: str, rows: list[dict[str, Any]]) -> None:
    """Two rows that differ change places. Within a minute the order of entries says nothing."""
    keys = {each.name for each in metadata.tables[name].primary_key}
    free = [one for one in rows[0] if one not in keys and (name, one) not in FREE]
    told = "slot" if name == "ledger_entry" else free[0] if free else ""
    one, two = next(((one, two) for one in rows for two in rows if told and one[told] != two[told]), ({}, {}))
    if not one:
        return
    swapped = [{**mine, **{each: theirs[each] for each in free}} for mine, theirs in ((one, two), (two, one))]
    for before, after in (((one, two), swapped), (swapped, (one, two))):
        for row in before:
            store.remove(name, row)
        for row in after:
            store.write(name, row)
        if after is swapped:
            assert await store.found(), ("swapped", name)


async def test_every_table_that_keeps_what_was_written_is_looked_at(store_url: str) -> None:
    database = Database(store_url)
    async with database.read() as connection:
        query = "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_delete'"
        kept = {name for (name,) in await connection.exec_driver_sql(query)}
    await database.close()
    assert kept <= set(TABLES)
