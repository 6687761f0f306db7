"""A restore: everybody and everything is there again, what came after is named and marked, a refusal leaves nothing."""

from pathlib import Path

import pytest

from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS, Reason
from server.core.clock import ManualClock, SystemClock
from server.core.errors import DomainError
from server.core.timekeeper import FILE, TimeKeeper, reached_ms
from server.upkeep.archive import read
from server.upkeep.restore import Restored, restore
from tests.core.machine import HOUR_S, NOON_NS, SECOND_NS, FakeMachine
from tests.school import NOON_MS, School, plan, school
from tests.upkeep.test_backup import PASSPHRASE, back, config_of

LATER_MS = NOON_MS + 40 * MINUTE_MS


async def _backed_up(folder: Path) -> School:
    """A lesson that was running for two minutes, another one planned half an hour later; then all is destroyed."""
    async with school(folder / "data") as served, served.page("teacher") as desk, served.page("jia") as page:
        await plan(served.house, served.class_id, served.ids["teacher"], 2, NOON_MS + 30 * MINUTE_MS)
        await plan(served.house, served.class_id, served.ids["teacher"], 3, NOON_MS + 300 * MINUTE_MS)
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        lease = (await page.join(mono=0))["lease"]
        served.clock.advance(30_000)
        beat = {"epoch": lease["epoch"], "seq": 1, "nonce": lease["nonce"], "mono": 30_000, "spans": [[0, 30_000]]}
        assert (await page.call("beat", **beat))["ok"]
        await back(folder / "data", folder / "b.tar")
        return served


async def _restore(folder: Path, to: str = "again", passphrase: str = PASSPHRASE) -> Restored:
    keys = folder / "b.tar.keys"
    return await restore(config_of(folder / to), folder / "b.tar", keys, passphrase, ManualClock(LATER_MS))


async def test_what_came_after_is_named_and_marked_as_our_fault(tmp_path: Path) -> None:
    before = await _backed_up(tmp_path)
    done = await _restore(tmp_path)
    assert [one.number for one in done.running] == [1]
    assert [one.number for one in done.planned] == [2]
    assert NOON_MS <= done.known_until_ms <= NOON_MS + 30_000
    clock = ManualClock(LATER_MS)
    async with school(tmp_path / "again", clock) as served, served.page("teacher") as desk, served.page("jia") as page:
        assert served.ids == before.ids
        await desk.join()
        await page.join()
        clock.advance(MINUTE_MS + SEAL_AFTER_MS)
        for job in (job for one in served.house.capabilities for job in one.jobs if "seal" in job.name):
            await job.work()
        async with served.http("staff") as office, office.get(f"/api/v1/lessons/{served.lesson_id}/strips") as answer:
            rows = (await answer.json())["rows"]
        (mine,) = (row for row in rows if row["person_id"] == served.ids["jia"])
        assert mine["cells"][0]["credit_ms"] == 30_000, "the acknowledged beat is there"
        faults = [cell for cell in mine["cells"] for one in cell["reasons"] if one["code"] == Reason.SERVER_FAULT.code]
        assert len(faults) >= 38


async def test_a_restored_house_never_starts_before_the_last_moment_in_its_backup(tmp_path: Path) -> None:
    """Also where the ledger was an hour ahead of the machine that it comes to."""
    ahead = FakeMachine(NOON_NS + HOUR_S * SECOND_NS)
    async with school(tmp_path / "data"):
        TimeKeeper(SystemClock(ahead), tmp_path / "data" / FILE, ()).remember()
        await back(tmp_path / "data", tmp_path / "b.tar")
    done = await _restore(tmp_path)
    assert done.manifest.ledger_ms == ahead.true_ms
    keeper = TimeKeeper(SystemClock(FakeMachine()), tmp_path / "again" / FILE, ())
    await keeper.begin()
    assert keeper.clock.ms() == ahead.true_ms


async def test_without_a_clock_the_spools_say_how_far_time_was(tmp_path: Path) -> None:
    await _backed_up(tmp_path)
    done = await _restore(tmp_path)
    assert (done.manifest.ledger_ms, reached_ms(tmp_path / "again" / FILE)) == (0, done.known_until_ms)


@pytest.mark.parametrize("name", ["keshi.db", "file"])
async def test_a_folder_with_anything_in_it_is_never_touched(tmp_path: Path, name: str) -> None:
    await _backed_up(tmp_path)
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / name).write_text("mine")
    with pytest.raises(DomainError, match="data_folder_used"):
        await _restore(tmp_path)
    assert [(one.name, one.read_text()) for one in (tmp_path / "again").iterdir()] == [(name, "mine")]


async def _refused(folder: Path, passphrase: str = PASSPHRASE) -> DomainError:
    """The refusal; nothing but the empty lock is left."""
    with pytest.raises(DomainError) as refused:
        await _restore(folder, passphrase=passphrase)
    assert [one.name for one in (folder / "again").iterdir()] == ["lock"]
    return refused.value


async def test_refusals_leave_nothing_and_a_good_restore_still_works_after_them(tmp_path: Path) -> None:
    await _backed_up(tmp_path)
    file, keys = tmp_path / "b.tar", tmp_path / "b.tar.keys"
    whole, sealed = file.read_bytes(), keys.read_bytes()
    assert (await _refused(tmp_path, "another passphrase")).code == "passphrase_wrong"
    file.write_bytes(whole.replace(b"CREATE TABLE person", b"CREATE TABLE Person", 1))
    error = await _refused(tmp_path)
    assert (error.code, error.data["file"]) == ("backup_damaged", "keshi.db")
    file.write_bytes(whole)
    keys.unlink()
    assert (await _refused(tmp_path)).data["file"] == "b.tar.keys"
    async with school(tmp_path / "other"):
        pass
    await back(tmp_path / "other", tmp_path / "c.tar")
    keys.write_bytes((tmp_path / "c.tar.keys").read_bytes())
    assert (await _refused(tmp_path)).code == "keys_of_another"
    keys.write_bytes(sealed)
    assert (await _restore(tmp_path)).manifest == read(file, tmp_path / "listed")
    for path in (tmp_path / "again").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
