"""What was acknowledged is on disk: batches, torn and damaged lines, a full disk, a new file while lines come in."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from server.attendance.spool import Spool
from server.core.errors import DomainError
from server.core.tasks import Tasks
from tests.attendance.limits import no_file_beyond

Line = dict[str, Any]


@pytest_asyncio.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    tasks = Tasks()
    made = Spool(tmp_path, tasks)
    made.begin([])
    yield made
    await tasks.close()
    made.close()


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def again(folder: Path) -> list[Line]:
    """What the next process reads."""
    return Spool(folder, Tasks()).read()


def watch_fsync(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes each fsync after it was done."""
    order: list[str] = []
    sync = os.fsync

    def watched(file: int) -> None:
        sync(file)
        order.append("synced")

    monkeypatch.setattr(os, "fsync", watched)
    return order


async def caller(stored: Awaitable[None]) -> None:
    """Waits for a line, as whoever takes a beat does."""
    await stored


async def append(spool: Spool, *numbers: int) -> None:
    await asyncio.gather(*(spool.append({"n": number}) for number in numbers))


async def test_an_appended_line_is_on_disk(spool: Spool, tmp_path: Path) -> None:
    await spool.append({"n": 1})
    await append(spool, 2, 3)
    assert again(tmp_path) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert spool.size == files(tmp_path)[0].stat().st_size


async def test_lines_that_wait_together_share_one_fsync(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = watch_fsync(monkeypatch)
    await append(spool, *range(100))
    assert 1 <= len(syncs) <= 2
    assert len(again(tmp_path)) == 100


async def test_append_returns_only_after_fsync(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    order = watch_fsync(monkeypatch)
    await spool.append({"n": 1}, lambda: order.append("then"))
    order.append("returned")
    assert order == ["synced", "then", "returned"]


async def test_a_torn_last_line_was_never_acknowledged(spool: Spool, tmp_path: Path) -> None:
    await append(spool, 1, 2)
    path = files(tmp_path)[0]
    whole = path.read_bytes()
    for cut in range(1, 12):
        path.write_bytes(whole[:-cut])
        assert again(tmp_path) == [{"n": 1}]


@pytest.mark.parametrize(("line", "number"), [(b"zzz", 1), (b"00000000 {}", 2), (b"", 1), (b"\xff\xfe", 2)])
async def test_damage_before_it_is_named(spool: Spool, tmp_path: Path, line: bytes, number: int) -> None:
    await append(spool, 1)
    await append(spool, 2)
    path = files(tmp_path)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number - 1] = line + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(DomainError) as caught:
        again(tmp_path)
    assert (caught.value.code, caught.value.data) == ("spool_damaged", {"file": path.name, "line": number})


async def test_every_flipped_bit_is_found_or_belongs_to_a_torn_line(spool: Spool, tmp_path: Path) -> None:
    await append(spool, 1)
    await append(spool, 2)
    path = files(tmp_path)[0]
    whole = path.read_bytes()
    for bit in range(len(whole) * 8):
        raw = bytearray(whole)
        raw[bit // 8] ^= 1 << bit % 8
        path.write_bytes(raw)
        if bit // 8 == len(whole) - 1:
            assert again(tmp_path) == [{"n": 1}], "only the end of the last line may be lost"
        else:
            with pytest.raises(DomainError):
                again(tmp_path)


async def test_a_full_disk_refuses_the_line_and_the_next_one_works(spool: Spool, tmp_path: Path) -> None:
    await append(spool, 1)
    then: list[int] = []
    with no_file_beyond(spool.size + 5):  # half a line fits
        for _ in range(2):
            with pytest.raises(DomainError) as caught:
                await spool.append({"n": 2}, lambda: then.append(2))
            assert caught.value.code == "disk_full"
    assert then == []
    await append(spool, 3)
    assert again(tmp_path) == [{"n": 1}, {"n": 3}]


async def test_a_new_file_holds_what_is_needed_and_the_old_ones_go(spool: Spool, tmp_path: Path) -> None:
    await append(spool, 1, 2)
    spool.begin([{"n": 2}])
    await append(spool, 3)
    assert again(tmp_path) == [{"n": 2}, {"n": 3}]
    assert len(files(tmp_path)) == 1


async def test_a_new_file_that_does_not_fit_leaves_the_old_one_in_use(spool: Spool, tmp_path: Path) -> None:
    await append(spool, 1)
    with no_file_beyond(5), pytest.raises(DomainError) as caught:
        spool.begin([{"n": 1}])
    assert caught.value.code == "disk_full"
    spool.begin_soon(lambda: [{"n": 1}])
    with no_file_beyond(5):
        await asyncio.sleep(0.01)
    await append(spool, 2)
    assert again(tmp_path) == [{"n": 1}, {"n": 2}]
    spool.begin([])
    assert again(tmp_path) == []


async def test_beginning_anew_under_load_never_forgets_a_line_that_was_stored(spool: Spool, tmp_path: Path) -> None:
    """The lines of the new file are what `then` told us: a line that is stored but not yet told must not be lost."""
    known: list[Line] = []
    acknowledged: list[int] = []

    async def client(first: int) -> None:
        for number in range(first, first + 20):
            await spool.append({"n": number}, partial(known.append, {"n": number}))
            acknowledged.append(number)
            on_disk = {one["n"] for one in again(tmp_path)}
            assert set(acknowledged) <= on_disk
            spool.begin_soon(lambda: list(known))

    await asyncio.gather(*(client(first) for first in (0, 100, 200)))
    assert sorted(one["n"] for one in again(tmp_path)) == sorted(acknowledged)
    assert len(files(tmp_path)) == 1


async def test_a_cancelled_caller_waits_until_it_is_known(spool: Spool, tmp_path: Path) -> None:
    then: list[int] = []
    task = asyncio.ensure_future(caller(spool.append({"n": 1}, lambda: then.append(1))))
    other = asyncio.ensure_future(caller(spool.append({"n": 2}, lambda: then.append(2))))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert then == [1, 2]
    await asyncio.wait_for(other, 10)
    assert again(tmp_path) == [{"n": 1}, {"n": 2}]


async def test_a_caller_that_is_cancelled_as_it_is_told_waits_for_nothing_more(spool: Spool, tmp_path: Path) -> None:
    def stop() -> None:
        task.cancel()

    task = asyncio.ensure_future(caller(spool.append({"n": 1}, stop)))
    await asyncio.wait([task], timeout=10)
    assert task.cancelled()
    assert again(tmp_path) == [{"n": 1}]


async def test_stopping_leaves_nobody_waiting(tmp_path: Path) -> None:
    tasks = Tasks()
    spool = Spool(tmp_path, tasks)
    spool.begin([])
    outcomes = [asyncio.ensure_future(spool.append({"n": number})) for number in range(5)]
    await asyncio.sleep(0)
    await tasks.close()
    results = await asyncio.wait_for(asyncio.gather(*outcomes, return_exceptions=True), 10)
    spool.close()
    stored = {one["n"] for one in again(tmp_path)}
    for number, result in enumerate(results):
        assert (number in stored) if result is None else isinstance(result, DomainError)
    with pytest.raises(DomainError) as caught:
        await spool.append({"n": 9})
    assert caught.value.code == "closing"
