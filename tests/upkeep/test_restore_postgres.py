"""Backup and restore of a house whose records are in PostgreSQL: tables, spools of all processes, keys."""

from pathlib import Path

import pytest

from server.app import open_store
from server.core.clock import ManualClock
from server.core.cluster.folders import bury, folders, lives
from server.core.errors import DomainError
from server.settings import Config
from server.upkeep import records
from server.upkeep.backup import back_up
from server.upkeep.restore import restore
from tests.school import NOON_MS, school
from tests.servers import Postgres
from tests.upkeep.test_backup import LINE, PASSPHRASE

CLOCK = ManualClock(NOON_MS)
NODE_A, NODE_B = "a" * 16, "b" * 16


def _config(folder: Path, url: str | None) -> Config:
    return Config.model_validate({"server": {"data": str(folder)}, "store": {"database": url} if url else {}})


async def _institutions(config: Config) -> int:
    store = open_store(config, CLOCK)
    async with store.database.read() as connection:
        count: int = (await connection.exec_driver_sql("SELECT count(*) FROM institution")).scalar_one()
    await store.shared.close()
    await store.tasks.close()
    await store.database.close()
    return count


async def _filled(config: Config) -> None:
    """Some records, and the spools of two processes."""
    store = open_store(config, CLOCK)
    await store.database.migrate()
    async with store.database.write() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO institution (id, name, area, created_ms) VALUES ('a', '校', '1', 1)"
        )
    await store.shared.close()
    await store.tasks.close()
    await store.database.close()
    for node in (NODE_A, NODE_B):
        (config.server.data / "nodes" / node).mkdir(parents=True)
        (config.server.data / "nodes" / node / "00000001.spool").write_bytes(LINE)


@pytest.mark.timeout(120)
async def test_tables_spools_and_keys_come_back(postgres: str, postgres_server: Postgres, tmp_path: Path) -> None:
    config = _config(tmp_path / "data", postgres)
    await _filled(config)
    out, keys = tmp_path / "b.tar", tmp_path / "b.tar.keys"
    manifest = await back_up(config, out, keys, PASSPHRASE, CLOCK)
    assert manifest.store == "postgresql"
    assert {
        f"nodes/{NODE_A}/00000001.spool",
        f"nodes/{NODE_B}/00000001.spool",
        "tables/person",
    } <= manifest.files.keys()
    with pytest.raises(DomainError, match="database_not_empty"):
        await restore(_config(tmp_path / "again", postgres), out, keys, PASSPHRASE, CLOCK)
    with pytest.raises(DomainError, match="other_store"):
        await restore(_config(tmp_path / "again", None), out, keys, PASSPHRASE, CLOCK)
    name = postgres_server.create()
    try:
        again = _config(tmp_path / "again", postgres_server.url(name))
        done = await restore(again, out, keys, PASSPHRASE, CLOCK)
        assert done.known_until_ms == 1
        assert await _institutions(again) == 1
        (node_a, node_b) = folders(tmp_path / "again" / "nodes").values()
        assert not lives(node_a)
        assert bury(node_b), "whoever has taken over what is in it can remove it"
        for path in ("keys/vault.key", f"nodes/{NODE_A}/00000001.spool"):
            assert (tmp_path / "again" / path).read_bytes() == (tmp_path / "data" / path).read_bytes()
    finally:
        postgres_server.drop(name)


async def test_a_sqlite_backup_is_not_poured_into_postgres(postgres: str, tmp_path: Path) -> None:
    async with school(tmp_path / "data"):
        pass
    config = _config(tmp_path / "data", None)
    await back_up(config, tmp_path / "b.tar", tmp_path / "k", PASSPHRASE, CLOCK)
    into = _config(tmp_path / "again", postgres)
    with pytest.raises(DomainError, match="other_store"):
        await restore(into, tmp_path / "b.tar", tmp_path / "k", PASSPHRASE, CLOCK)
    store = open_store(into, CLOCK)
    assert (await records.revision_of(store.database))[0] == ""
    await store.database.close()
