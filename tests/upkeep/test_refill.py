"""The whole remedy: an old backup signs nothing, a witness's copy brings minutes back, and the history goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.__main__ import main
from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.core.signing import FileSigner
from server.ledger.api import serve_log
from server.ledger.keys import LogKeys, keys_in
from server.ledger.rules import SEAL_AFTER_MS
from server.ledger.tiles import TileFolder
from server.upkeep.refill import bring_back, open_successor
from server.upkeep.restore import restore
from server.verify.log import check_log_files
from server.verify.notes import read_checkpoint, read_note
from server.verify.program import log_at
from server.witness.api import witnessing
from server.witness.keeper import keep_up
from server.witness.memory import Memory
from server.witness.service import Witness
from tests.school import NOON_MS, School, school
from tests.upkeep.test_backup import PASSPHRASE, back, config_of

MINUTE_MS = 60_000


@asynccontextmanager
async def county(folder: Path, keys: LogKeys, now: Callable[[], int]) -> AsyncIterator[tuple[str, str]]:
    """A witness that shows its copy of the log; its address and key."""
    own = Witness("county", FileSigner(bytes(32)), keys.keys, Memory(folder / "seen"), lambda: now() // 1000)
    async with witnessing(own, "127.0.0.1", 0, lambda app: serve_log(app, TileFolder(folder / "copy"))) as url:
        yield url, str(own.key)


async def sealed(served: School, minutes: int) -> None:
    for _ in range(minutes):
        served.clock.advance(MINUTE_MS)
        await served.house.log.round()


async def disaster(folder: Path) -> str:
    """Minutes that are witnessed and kept, a backup in the middle, and then only that; the last note."""
    keys = keys_in(folder / "data" / "keys")
    clock = ManualClock(NOON_MS)
    async with county(folder, keys, clock.ms) as (url, key):
        groups = {"ledger": {"witnesses": [{"url": url, "key": key}]}}
        async with school(folder / "data", clock, groups=groups) as served:
            clock.advance(SEAL_AFTER_MS)
            await sealed(served, 4)
            await back(folder / "data", folder / "b.tar")
            await sealed(served, 3)
            note = Memory(folder / "seen").note(keys.key.name) or ""
            fetch = log_at(f"{served.url}/log")
            assert fetch
            assert await asyncio.to_thread(keep_up, note, fetch, TileFolder(folder / "copy"))
    await restore(
        config_of(folder / "again"), folder / "b.tar", folder / "b.tar.keys", PASSPHRASE, ManualClock(NOON_MS)
    )
    return note


@asynccontextmanager
async def again(folder: Path) -> AsyncIterator[tuple[School, str]]:
    """The service over what was restored, an hour later, and the witness's address."""
    clock = ManualClock(NOON_MS + 60 * MINUTE_MS)
    async with county(folder, keys_in(folder / "again" / "keys"), clock.ms) as (url, key):
        groups = {"ledger": {"witnesses": [{"url": url, "key": key}]}}
        async with school(folder / "again", clock, groups=groups) as served:
            yield served, url


async def test_backup_restore_refusal_refill_and_on(tmp_path: Path) -> None:
    note = await disaster(tmp_path)
    size = read_checkpoint(read_note(note).text).size
    async with again(tmp_path) as (served, url):
        with pytest.raises(DomainError) as refused:
            await served.house.log.round()
        assert refused.value.code == "ledger_behind_witness"
        assert await served.house.log.problem() == "ledger_behind_witness"
    clock = ManualClock(NOON_MS + 60 * MINUTE_MS)
    async with county(tmp_path, keys_in(tmp_path / "again" / "keys"), clock.ms) as (url, _):
        work = bring_back(config_of(tmp_path / "again"), f"{url}/log", clock)
        count = await asyncio.to_thread(asyncio.run, work)  # it reads as a program of its own does
    assert count > 0
    async with again(tmp_path) as (served, _):
        await sealed(served, 3)
        assert await served.house.log.problem() is None
        report = check_log_files(served.house.log.files.fetch, [served.house.log.key], note)
        assert report.size > size


async def test_without_a_copy_a_successor_says_what_was_seen(tmp_path: Path) -> None:
    note = await disaster(tmp_path)
    seen = tmp_path / "seen.note"
    seen.write_text(note)
    config, clock = config_of(tmp_path / "again"), ManualClock(NOON_MS)
    old = keys_in(tmp_path / "again" / "keys").key
    after = await open_successor(config, seen, clock)
    assert after.name == f"{old.name}/2"
    async with again(tmp_path) as (served, _):
        await sealed(served, 3)
        assert (await served.house.log.problem(), served.house.log.key) == (None, after)
        report = check_log_files(served.house.log.files.fetch, [old])
        assert [str(one.last) for one in report.handovers] == [read_note(note).text]


async def test_a_copy_or_a_note_of_another_log_is_refused(tmp_path: Path) -> None:
    async with school(tmp_path / "data") as served:
        await sealed(served, 5)
        note = served.house.log.files.said() or ""
    config, clock = config_of(tmp_path / "data"), ManualClock(NOON_MS)
    seen = tmp_path / "seen.note"
    for text, code in (
        (note, "nothing_lost"),
        (note.replace("keshi/", "keshj/"), "copy_refused"),
        ("", "copy_refused"),
    ):
        seen.write_text(text)
        with pytest.raises(DomainError) as refused:
            await open_successor(config, seen, clock)
        assert refused.value.code == code
    for where in ("nowhere", str(tmp_path)):
        with pytest.raises(DomainError) as refused:
            await bring_back(config, where, clock)
        assert refused.value.code == "copy_refused"
    assert await bring_back(config, str(tmp_path / "data" / "log"), clock) == 0


def test_as_a_person_types_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(disaster(tmp_path))
    data = ["--data", str(tmp_path / "again")]
    assert main(["refill", *data]) == 2
    assert "--successor" in capsys.readouterr().err
    assert main(["refill", str(tmp_path / "copy"), *data]) == 0
    assert "补回 3 分钟" in capsys.readouterr().out
    assert main(["fsck", *data]) == 0
    capsys.readouterr()
    assert main(["key", *data]) == 0
    old = capsys.readouterr().out
    assert main(["key", "rotate", *data]) == 0
    now, retired = capsys.readouterr().out.splitlines()
    assert retired.startswith("#"), "a remark, which nobody trusts"
    assert (retired.split()[-1], now.split("+")[0]) == (old.strip(), old.split("+")[0])
    assert main(["fsck", *data]) == 0
