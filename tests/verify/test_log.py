"""A whole log as a folder or an address: every file up to the signed root (forgeries: tests/independent)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from server.verify.log import LogReport, check_log_files
from server.verify.program import CHANGED, HOLDS, verify
from server.verify.tree import Refused
from tests.independent.corpus import GENESIS, HONEST, OURS, SIZE, key_of, lay_out, leaf, note_of
from tests.school import School, school


def files(folder: Path, leaves: list[bytes]) -> "dict[str, bytes]":
    lay_out(folder, leaves)
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_what_is_told_of_it(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = check_log_files(files(tmp_path, HONEST).__getitem__, [key_of(OURS)], None, lambda *at: told.append(at))
    last = GENESIS + SIZE - 1
    assert found == LogReport(key_of(OURS).name, (key_of(OURS),), (), SIZE, GENESIS, last, 0)
    assert told == [(256, SIZE), (SIZE, SIZE)]


@pytest.mark.parametrize("before", [1, 255, 256, 257, SIZE])
def test_it_continues_what_was_seen(tmp_path: Path, before: int) -> None:
    check_log_files(files(tmp_path, HONEST).__getitem__, [key_of(OURS)], note_of(HONEST[:before]))


def test_a_leaf_out_of_its_minute(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="leaf 2 is of minute"):
        check_log_files(files(tmp_path, [*HONEST[:2], leaf(GENESIS + 5)]).__getitem__, [])


def test_an_empty_log(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="without leaves"):
        check_log_files({"checkpoint": note_of([]).encode()}.__getitem__, [])
    with pytest.raises(Refused, match="no text"):
        check_log_files({"checkpoint": b"\xff"}.__getitem__, [])


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path / "data") as found:
        yield found


async def test_a_log_by_its_address(served: School, tmp_path: Path) -> None:
    log = served.house.log
    await log.round()
    served.clock.advance(900_000)
    await log.round()
    (tmp_path / "keys").write_text(str(log.key))
    code, lines = await asyncio.to_thread(verify, f"{served.url}/log/", tmp_path / "keys")
    assert code == HOLDS, lines
    async with aiohttp.ClientSession() as http, http.get(f"{served.url}/log/checkpoint") as answer:
        (tmp_path / "seen").write_text((await answer.text()).replace("\n13\n", "\n12\n"))
    code, lines = await asyncio.to_thread(verify, f"{served.url}/log", tmp_path / "keys", tmp_path / "seen")
    assert code == CHANGED, lines
    code, lines = await asyncio.to_thread(verify, f"{served.url}/nothing", tmp_path / "keys")
    assert (code, "checkpoint is missing" in lines[0]) == (CHANGED, True)
