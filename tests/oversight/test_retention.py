"""What was kept long enough is deleted once the log has said so; nothing before, nothing else, and every root stays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.app import House, build, open_store
from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.oversight.records_retention import Deletion, add
from server.oversight.rules import Outcome, keep_until_ms
from server.settings import Config
from server.training.records import TrainingClass
from server.upkeep.fsck import faults
from server.verify import bundle
from server.verify.check import check
from server.verify.report import Report
from tests.school import school
from tests.upkeep.attacked import lived

BOTH_STORES = True
#: the class's last day, 2026-12-31 09:00 UTC; in Shanghai it ends seven hours later
LAST_DAY_MS = 1_798_707_600_000
MIDNIGHT_MS = LAST_DAY_MS + 7 * 3_600_000
SHORT = 60
#: the lesson's seed is written after it
KNOWN = {"seed_wrong"}
PERSONAL = (
    *("lease", "lease_end", "minute_journal", "page_key", "page_signature", "challenge_event", "appeal"),
    *("appeal_answer", "correction", "correction_verdict", "correction_objection", "correction_entry", "remark"),
    *("enrolment", "settlement", "lesson_act", "lesson_file", "challenge_answer", "challenge_look"),
)


@dataclass(frozen=True)
class Old:
    """A store with a lesson of a class that is over; nobody serves it."""

    house: House
    clock: ManualClock
    home: TrainingClass
    lesson_id: str

    async def rows(self, statement: str) -> list[tuple[object, ...]]:
        async with self.house.store.database.read() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]

    async def write(self, statement: str) -> None:
        async with self.house.store.database.write() as connection:
            await connection.execute(text(statement))

    async def count(self, table: str) -> int:
        ((count,),) = await self.rows(f"SELECT count(*) FROM {table}")
        assert isinstance(count, int)
        return count

    async def sealed(self) -> None:
        """Let what was said be sealed and signed."""
        self.clock.advance(300_000)
        await self.house.log.round()

    async def found(self) -> list[str]:
        return [line async for line in faults(self.house)]

    async def report(self) -> Report:
        made = await self.house.exchange.proof(self.lesson_id)
        return check(bundle.read(made.content), self.house.log.keys)

    async def refused(self, statement: str) -> bool:
        """Whether the database refuses it."""
        try:
            await self.write(statement)
        except DBAPIError as error:
            return "append_only" in str(error)
        return False


@asynccontextmanager
async def old(folder: Path, url: str) -> AsyncIterator[Old]:
    groups, clock = store_of(url), ManualClock(LAST_DAY_MS)
    async with school(folder, clock, groups=groups) as served:
        await served.house.log.round()
        await lived(served)
        class_id, lesson_id = served.class_id, served.lesson_id
    async with beside(config_of(folder, url), clock, class_id, lesson_id) as one:
        yield one


def store_of(url: str) -> dict[str, dict[str, str]]:
    """The settings of a store."""
    return {} if url.startswith("sqlite") else {"store": {"database": url}}


def config_of(folder: Path, url: str) -> Config:
    return Config.model_validate(
        {"server": {"data": str(folder), "port": 0}, "media": {"udp_port": 0}, **store_of(url)}
    )


@asynccontextmanager
async def beside(config: Config, clock: ManualClock, class_id: str, lesson_id: str) -> AsyncIterator[Old]:
    """What is in a data folder, as the command line has it."""
    store = open_store(config, clock)
    house = build(config, store, "http://127.0.0.1", frozenset(), demo=False)
    try:
        yield Old(house, clock, await house.training.training_class(class_id), lesson_id)
    finally:
        house.accounts.close()
        await store.database.close()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five years have 2.6 million minutes, each a leaf: here they are some hours. Tests of rules have all of them."""
    monkeypatch.setattr("server.oversight.rules.KEPT_YEARS", 0)
    monkeypatch.setattr("server.ledger.erasing.KEPT_MINUTES", SHORT)
    monkeypatch.setattr("server.verify.deleted.KEPT_MINUTES", SHORT)


def unsigned(*_: object) -> None:
    raise OSError("no signature")


async def over(one: Old) -> int:
    """To the moment at which the class's time is over; how many records are ordered to go."""
    one.clock.advance(MIDNIGHT_MS - one.clock.ms())
    await one.house.log.round()
    return await one.house.retention.order(one.home)


@pytest.mark.usefixtures("short")
async def test_everything_about_trainees_goes_and_every_root_stays(tmp_path: Path, store_url: str) -> None:
    async with old(tmp_path, store_url) as one:
        assert [table for table in PERSONAL if not await one.count(table)] == [], "each has a row to be deleted"
        before, groups = await one.report(), await one.rows("SELECT idx, group_id, packed FROM ledger_group")
        count = await over(one)
        await one.house.retention.round()
        assert await one.count("minute_journal"), "nothing goes before the order is sealed"
        await one.sealed()
        await one.house.retention.round()

        assert [table for table in PERSONAL if await one.count(table)] == []
        keys = await one.rows("SELECT subject FROM ledger_key")
        trainees = await one.rows("SELECT id FROM person WHERE role = 'trainee'")
        assert not set(keys) & set(trainees)
        held = b"".join(bytes(row[0]) for row in await one.rows("SELECT records FROM ledger_entry"))  # type: ignore[call-overload]
        assert [who for (who,) in trainees if bytes.fromhex(str(who)) in held] == []
        assert await one.found() == []
        kept = await one.rows("SELECT idx, group_id, packed FROM ledger_group")
        assert set(groups) <= set(kept)
        after = await one.report()
        assert {found.code for found in after.findings} <= KNOWN
        assert after.signers
        assert (after.n_records, after.credit_ms) == (before.n_records + 2, {}), "the orders of lesson and class"
        left = await one.house.retention.kept(one.home)
        assert (left.n_records, left.ordered) == (0, count)
        assert [each.lesson for each in after.deleted] == [-1, 1], "who was in the class, and the lesson"
        assert sum(each.records for each in after.deleted) == count
        package = await one.house.exchange.proof(one.lesson_id)
        assert package.content


@pytest.mark.usefixtures("short")
async def test_an_order_that_the_log_was_not_told_deletes_nothing_and_stops_nobody(
    tmp_path: Path, store_url: str
) -> None:
    """A row by hand, under the id of something else that is sealed and signed; honest orders are carried out."""
    async with old(tmp_path, store_url) as one:
        sealed = "SELECT entry_id FROM ledger_sealed JOIN ledger_entry ON id = entry_id WHERE idx = 0 ORDER BY entry_id"
        ((borrowed,), *_) = await one.rows(f"{sealed} LIMIT 1")
        columns = "id, class_id, group_id, outcome, n_records, keep_until_ms, at_ms"
        about = f"'{borrowed}', '{one.home.id}', '{one.lesson_id}'"
        await one.write(f"INSERT INTO deletion ({columns}) VALUES ({about}, 'ordered', 20, 0, 0)")
        with pytest.raises(DomainError, match="retention_differs") as refused:
            await one.house.retention.round()
        assert refused.value.data == {"ordered": 20, "found": 0}
        assert await one.count("minute_journal")
        assert [line for line in await one.found() if f"row_untold  deletion {borrowed}" in line]


async def test_an_order_that_was_told_too_early_deletes_nothing(tmp_path: Path, store_url: str) -> None:
    """Who writes to the store alone can have an order sealed, but not bring its time nearer."""
    async with old(tmp_path, store_url) as one:
        early = Deletion("0f" * 8, one.home.id, one.lesson_id, Outcome.ORDERED, 20, 0, one.clock.ms())
        async with one.house.store.database.write() as connection:
            await add(connection, early)
        await one.sealed()
        with pytest.raises(DomainError, match="retention_early"):
            await one.house.retention.round()
        assert await one.count("minute_journal")


@pytest.mark.usefixtures("short")
async def test_one_order_that_fails_does_not_stop_the_others(tmp_path: Path, store_url: str) -> None:
    async with old(tmp_path, store_url) as one:
        await over(one)
        wrong = Deletion("00" * 8, one.home.id, "0e" * 8, Outcome.ORDERED, 7, 0, one.clock.ms())
        async with one.house.store.database.write() as connection:
            await add(connection, wrong)
        await one.sealed()
        with pytest.raises(DomainError, match="retention_differs"):
            await one.house.retention.round()
        assert await one.count("minute_journal") == 0


@pytest.mark.usefixtures("short")
async def test_the_door_is_open_between_the_sealed_order_and_the_deed_for_this_lesson_alone(
    tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with old(tmp_path, store_url) as one:
        deletes = [f"DELETE FROM {table}" for table in PERSONAL if table not in ("remark", "enrolment")]
        changes = "UPDATE ledger_entry SET records = records"
        assert [each for each in (*deletes, changes) if not await one.refused(each)] == []
        await over(one)
        assert [each for each in (*deletes, changes) if not await one.refused(each)] == [], "ordered, not sealed"
        with monkeypatch.context() as broken:
            broken.setattr("server.ledger.service.sign", unsigned)
            with pytest.raises(OSError, match="no signature"):
                await one.sealed()
        assert await one.rows("SELECT 1 FROM deletion JOIN ledger_sealed ON entry_id = id"), "it is in a leaf"
        assert [each for each in (*deletes, changes) if not await one.refused(each)] == [], "sealed, not signed"
        await one.sealed()
        assert await one.refused(changes), "the entries of other groups"
        mine = f"{changes} WHERE group_id = '{one.lesson_id}'"
        assert await one.refused(f"UPDATE ledger_entry SET slot = slot + 1 WHERE group_id = '{one.lesson_id}'")
        assert await one.refused(f"UPDATE ledger_entry SET records = '' WHERE group_id = '{one.lesson_id}'")
        assert await one.refused(f"DELETE FROM ledger_entry WHERE group_id = '{one.lesson_id}'")
        assert not await one.refused(mine)
        await one.house.retention.round()
        assert await one.refused(mine), "done"


async def test_what_is_not_over_is_refused_and_the_log_is_told(tmp_path: Path, store_url: str) -> None:
    until = keep_until_ms("2026-12-31", LAST_DAY_MS)
    async with old(tmp_path, store_url) as one:
        early = await one.rows("SELECT outcome FROM deletion")
        assert early == [("early",)], "somebody tried at once"
        one.clock.advance(until - 1 - one.clock.ms())
        with pytest.raises(DomainError, match="retention_early"):
            await one.house.retention.order(one.home)
        assert await one.rows("SELECT outcome FROM deletion") == [("early",), ("early",)]
        assert await one.count("minute_journal")


async def test_nothing_is_ordered_before_all_that_was_said_is_sealed(tmp_path: Path, store_url: str) -> None:
    async with old(tmp_path, store_url) as one:
        with pytest.raises(DomainError, match="retention_early"):
            await one.house.retention.order(one.home)
        with pytest.raises(DomainError, match="lesson_not_sealed"):
            await one.house.retention.order(one.home)


async def test_five_years_after_the_last_day_it_may_be_ordered_once(tmp_path: Path, store_url: str) -> None:
    async with old(tmp_path, store_url) as one:
        one.clock.advance(keep_until_ms("2026-12-31", LAST_DAY_MS) - one.clock.ms())
        assert await one.house.retention.order(one.home)
        one.clock.advance(1)
        with pytest.raises(DomainError, match="lesson_not_sealed"):
            await one.house.retention.order(one.home)
        refused = "INSERT INTO deletion VALUES ('0d', 'a', 'b', 'ordered', 1, 2, 1)"
        with pytest.raises(DBAPIError, match="ck_deletion_kept"):
            await one.write(refused)


async def test_a_deletion_before_its_time_is_named_by_both_verifiers(
    tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as shorter:
        shorter.setattr("server.oversight.rules.KEPT_YEARS", 0)
        async with old(tmp_path, store_url) as one:
            await over(one)
            await one.sealed()
            await one.house.retention.round()
            lines = await one.found()
            assert [line for line in lines if "records_erased" in line], lines
            report = await one.report()
            assert {found.code for found in report.findings} - KNOWN == {"records_erased"}
            assert not report.consistent
