"""Every column of every table that is evidence, and every file of the log: whatever is changed is found, at its place.

`make test` changes one bit of each value and of each 61st byte of the files; `make long` every bit of all of them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pytest

from server.core.database import Database, metadata
from tests.upkeep.attacked import FREE, TABLES, Attacked, attacked

BITS_OF_TEXT: Final = 7
EACH_BYTE: Final = 61
#: how many tests share all bits
SHARDS: Final = 8


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


@dataclass(frozen=True)
class Change:
    """A value of a row, and what stands there instead."""

    table: str
    row: dict[str, Any]
    column: str
    value: Any


def changes(store: Attacked) -> Iterator[list[Change]]:
    """For each value that is evidence, every change of one bit."""
    for name in TABLES:
        table = metadata.tables[name]
        for row in store.rows(name):
            for column in (each.name for each in table.c if (name, each.name) not in FREE):
                big = type(table.c[column].type).__name__ == "BigInteger"
                yield [Change(name, row, column, value) for value in flipped(row[column], big)]


async def flip(store: Attacked, chosen: Iterable[Change]) -> int:
    """How many changes were tried; each must be found at its place."""
    count = 0
    for one in chosen:
        key = {each.name: one.row[each.name] for each in metadata.tables[one.table].primary_key}
        if not store.put(one.table, key, one.column, one.value):
            continue
        assert await store.names(one.table, one.row), (one, await store.found())
        now = {**key, one.column: one.value} if one.column in key else key
        assert store.put(one.table, now, one.column, one.row[one.column])
        count += 1
    assert await store.found() == []
    return count


async def flip_files(store: Attacked, folder: Path, chosen: Callable[[int], range]) -> int:
    """The same for the bits of each file, of so many those that are chosen."""
    count = 0
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        raw = path.read_bytes()
        for at in chosen(8 * len(raw)):
            path.write_bytes(raw[: at // 8] + bytes([raw[at // 8] ^ 1 << at % 8]) + raw[at // 8 + 1 :])
            assert await store.says(("files_changed",), "log"), (path.name, at)
            count += 1
        path.write_bytes(raw)
    assert await store.found() == []
    return count


@pytest.mark.timeout(300)
async def test_a_small_store_with_a_bit_changed_anywhere(tmp_path: Path) -> None:
    async with attacked(tmp_path) as store:
        assert await store.found() == []
        assert [name for name in TABLES if not store.rows(name)] == [], "each has a row to be changed"
        some = [each[at % len(each)] for at, each in enumerate(changes(store)) if each]
        assert await flip(store, some) > 200
        assert await flip_files(store, tmp_path / "log", lambda bits: range(0, bits, 8 * EACH_BYTE + 1)) > 3


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_small_store_with_every_bit_changed(tmp_path: Path, shard: int) -> None:
    async with attacked(tmp_path) as store:
        every = (change for each in changes(store) for change in each)
        tried = await flip(store, islice(every, shard, None, SHARDS))
        tried += await flip_files(store, tmp_path / "log", lambda bits: range(shard, bits, SHARDS))
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
                found = await store.found()
                assert found if name == "ledger_checkpoint" else await store.names(name, row), ("deleted", row, found)
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
    """Two rows that differ change places. Within a minute the order of entries says nothing.

    A scheme's id is made of its name, so the database itself lets no two change places.
    """
    if name == "scheme":
        return
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
