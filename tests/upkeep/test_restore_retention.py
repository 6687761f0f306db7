"""What was lawfully deleted does not stay back for good, whenever the backup that is restored was taken."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.settings import Config
from server.upkeep.backup import back_up
from server.upkeep.refill import bring_back
from server.upkeep.restore import Restored, restore
from tests.oversight.test_retention import KNOWN, PERSONAL, Old, beside, config_of, old, over
from tests.servers import Postgres
from tests.upkeep.test_backup import PASSPHRASE

BOTH_STORES = True
pytestmark = [pytest.mark.usefixtures("short"), pytest.mark.timeout(300)]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five years are some hours here."""
    monkeypatch.setattr("server.oversight.rules.KEPT_YEARS", 0)
    monkeypatch.setattr("server.ledger.erasing.KEPT_MINUTES", 60)
    monkeypatch.setattr("server.verify.deleted.KEPT_MINUTES", 60)


@pytest.fixture
def another_url(store_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty store of the same kind, to be filled."""
    if store_kind == "sqlite":
        yield "sqlite:"
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    name = server.create()
    try:
        yield server.url(name)
    finally:
        server.drop(name)


@dataclass(frozen=True)
class Disaster:
    """A class was deleted; what is left is a backup from the `moment`, and the log as it was published."""

    folder: Path
    one: Old
    url: str

    @property
    def config(self) -> Config:
        return config_of(self.folder / "again", self.url)

    @property
    def file(self) -> Path:
        return self.folder / "b.tar"

    async def back(self, config: Config) -> None:
        await back_up(config, self.file, self.folder / "b.keys", PASSPHRASE, self.one.clock)

    async def restored(self) -> Restored:
        return await restore(self.config, self.file, self.folder / "b.keys", PASSPHRASE, self.one.clock)

    @asynccontextmanager
    async def again(self) -> AsyncIterator[Old]:
        one = self.one
        async with beside(self.config, one.clock, one.home.id, one.lesson_id) as found:
            yield found


@asynccontextmanager
async def disaster(folder: Path, url: str, another: str, moment: str) -> AsyncIterator[Disaster]:
    async with old(folder / "data", url) as one:
        done, config = Disaster(folder, one, another), config_of(folder / "data", url)
        await one.house.log.round()
        if moment == "before":
            await done.back(config)
        await over(one)
        if moment == "ordered":
            await done.back(config)
        await one.sealed()
        if moment == "sealed":
            await done.back(config)
        await one.house.retention.round()
        await one.sealed()
        if moment == "done":
            await done.back(config)
        assert await left(one) == []
        yield done


async def left(one: Old) -> list[str]:
    """Which tables still know something of trainees."""
    return [table for table in PERSONAL if await one.count(table)]


async def settled(one: Old) -> None:
    """What the service does by itself within minutes."""
    for _ in range(2):
        await one.sealed()
        await one.house.retention.round()
    await one.sealed()


@pytest.mark.parametrize("refilled", [False, True])
async def test_a_backup_from_before_the_order_says_what_is_to_be_ordered_again(
    tmp_path: Path, store_url: str, another_url: str, refilled: bool
) -> None:
    async with disaster(tmp_path, store_url, another_url, "before") as done:
        assert (await done.restored()).over == [done.one.home.code]
        if refilled:
            assert await bring_back(done.config, str(tmp_path / "data" / "log"), done.one.clock)
        async with done.again() as one:
            await settled(one)
            assert await left(one) == list(PERSONAL), "nobody ordered it in what is there"
            assert await one.found() == [], "and with their keys: nothing accuses an honest operator"
            count = await one.house.retention.order(one.home)
            await settled(one)
            assert await left(one) == []
            assert await one.found() == []
            report = await one.report()
            assert {found.code for found in report.findings} <= KNOWN
            assert sum(each.records for each in report.deleted) == count


@pytest.mark.parametrize(("moment", "refilled"), [("ordered", True), ("sealed", False)])
async def test_an_order_in_the_backup_is_carried_out_again(
    tmp_path: Path, store_url: str, another_url: str, moment: str, refilled: bool
) -> None:
    async with disaster(tmp_path, store_url, another_url, moment) as done:
        assert (await done.restored()).over == []
        if refilled:
            assert await bring_back(done.config, str(tmp_path / "data" / "log"), done.one.clock)
        async with done.again() as one:
            assert await left(one) == list(PERSONAL)
            await settled(one)
            assert await left(one) == []
            assert await one.found() == []
            report = await one.report()
            assert {found.code for found in report.findings} <= KNOWN
            assert [each.lesson for each in report.deleted] == [-1, 1]


@pytest.mark.parametrize("refilled", [False, True])
async def test_what_was_deleted_before_the_backup_stays_deleted(
    tmp_path: Path, store_url: str, another_url: str, refilled: bool
) -> None:
    async with disaster(tmp_path, store_url, another_url, "done") as done:
        if refilled:
            await done.one.sealed()
        assert (await done.restored()).over == []
        if refilled:
            assert await bring_back(done.config, str(tmp_path / "data" / "log"), done.one.clock)
        async with done.again() as one:
            await settled(one)
            assert await left(one) == []
            assert await one.found() == []
            report = await one.report()
            assert {found.code for found in report.findings} <= KNOWN
            assert [each.lesson for each in report.deleted] == [-1, 1]
