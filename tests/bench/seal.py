"""CPU per sealed trainee-minute, from the judged minute to the signed leaf, beside one signature per record.

Both take turns in the same run on the same disk; CPU time is this whole process's, threads and kernel included, which
looks for garbage as a server does.
"""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from server.attendance import records as journal
from server.attendance.evidence import minute_records
from server.attendance.minutes import Reason, SealedMinute, told
from server.core.database import Database
from server.core.garbage import look_seldom
from server.ledger import records as ledger
from server.ledger.rules import MINUTE_MS, SEAL_AFTER_MS, split
from server.verify.minutes import CREDITED, Summary, write
from tests.collected import as_before
from tests.ledger.world import GENESIS, LESSON, World
from tests.servers import Postgres
from tests.stores import postgres_template, sqlite_copy, sqlite_template

TRAINEES = 5_000
ROUNDS = 6  # a minute holds one record more: the lesson's own
NAIVE = 500
EPOCH = 1


def minute_of(slot: int) -> SealedMinute:
    """A minute in which a few were away for a moment."""
    people = []
    for number in range(TRAINEES):
        whole = number % 20
        spells = (
            ((CREDITED, MINUTE_MS),) if whole else ((CREDITED, 20_000), (Reason.HIDDEN, 26_000), (CREDITED, MINUTE_MS))
        )
        people.append(told(f"{number:016x}", write(Summary(EPOCH, spells))))
    return SealedMinute(slot, MINUTE_MS, tuple(people))


async def seal(world: World, minute: SealedMinute) -> None:
    """What a server does once a minute for a lesson of 5,000."""
    async with world.database.write() as connection:
        await journal.add_minute(connection, LESSON, minute, world.clock.ms())
        await ledger.append_packed(connection, minute.slot, LESSON, minute_records(LESSON, minute))
    await world.ledger.round()


def sign_each(minute: SealedMinute, key: Ed25519PrivateKey) -> None:
    """What a server does that signs each record by itself."""
    for record in split(minute_records(LESSON, minute))[:NAIVE]:
        key.sign(record)


async def over_postgres(url: str, folder: Path) -> list[dict[str, Any]]:
    """The same minute over PostgreSQL, on this machine."""
    world = World(Database(url), folder / "log")
    await world.ledger.round()
    wall = []
    for number in range(ROUNDS):
        minute = minute_of(GENESIS + number)
        world.to(number, SEAL_AFTER_MS)
        since = time.perf_counter()
        await seal(world, minute)
        wall.append((time.perf_counter() - since) * 1e3)
    if [leaf.n_records for leaf in await world.leaves()] != [TRAINEES + 1] * ROUNDS:
        raise RuntimeError("what was measured was not sealed")
    await world.database.close()
    return [{"name": "seal.5000_trainees_postgres_ms", "value": median(wall), "unit": "ms"}]


async def measure(folder: Path, template: Path) -> list[dict[str, Any]]:
    with sqlite_copy(template, folder) as url:
        world = World(Database(url), folder / "log")
        await world.ledger.round()
        ours, theirs, wall, key = [], [], [], Ed25519PrivateKey.generate()
        for number in range(ROUNDS):
            minute = minute_of(GENESIS + number)
            world.to(number, SEAL_AFTER_MS)
            before, since = time.process_time(), time.perf_counter()
            await seal(world, minute)
            ours.append((time.process_time() - before) / TRAINEES * 1e6)
            wall.append((time.perf_counter() - since) * 1e3)
            before = time.process_time()
            sign_each(minute, key)
            theirs.append((time.process_time() - before) / NAIVE * 1e6)
        leaves = await world.leaves()
        if [leaf.n_records for leaf in leaves] != [TRAINEES + 1] * ROUNDS:
            raise RuntimeError("what was measured was not sealed")
        stored = await sizes(world.database)
        await world.database.close()
    us, naive_us = median(ours), median(theirs)
    peer = f"one Ed25519 signature per record: {naive_us:.0f} us"
    return [
        {"name": "seal.us_per_minute", "value": us, "unit": "us", "peer": peer, "ratio": naive_us / us},
        {"name": "seal.5000_trainees_ms", "value": median(wall), "unit": "ms"},
        {"name": "ledger.bytes_per_minute", "value": stored / ROUNDS / TRAINEES, "unit": "B"},
    ]


async def sizes(database: Database) -> int:
    """The bytes of all rows that a minute leaves, the keys (once a lesson) apart."""
    query = (
        "SELECT (SELECT sum(length(records)) FROM minute_journal) + (SELECT sum(length(records)) FROM ledger_entry)"
        " + (SELECT sum(length(leaf)) FROM ledger_leaf) + (SELECT sum(length(packed)) FROM ledger_group)"
    )
    async with database.read() as connection:
        return int((await connection.execute(text(query))).scalar_one())


def run() -> list[dict[str, Any]]:
    """seal.us_per_minute, seal.5000_trainees_ms, seal.5000_trainees_postgres_ms, ledger.bytes_per_minute."""
    with tempfile.TemporaryDirectory(prefix="keshi-bench-") as name:
        folder = Path(name)
        template = sqlite_template(folder)
        with as_before(), Postgres() as server:
            url = server.url(server.create(postgres_template(server)))
            look_seldom()
            return uvloop.run(measure(folder, template)) + uvloop.run(over_postgres(url, folder / "postgres"))
