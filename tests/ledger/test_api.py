"""The log over HTTP: what anybody may read, and nothing beside it."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from server.ledger.rules import SEAL_AFTER_MS
from server.verify.notes import check_log, decode, read_checkpoint, read_key, read_note
from server.verify.tree import check_consistency
from tests.school import school


async def test_the_running_house_publishes_its_log(tmp_path: Path) -> None:
    async with school(tmp_path) as served, ClientSession() as http:
        ledger = served.house.log
        await ledger.round()
        async with http.get(f"{served.url}/log/latest") as answer:
            assert (answer.status, await answer.text()) == (200, "")  # it only begins
        served.clock.advance(60_000 + SEAL_AFTER_MS)
        await ledger.round()
        async with http.get(f"{served.url}/log/checkpoint") as answer:
            assert (answer.status, answer.content_type) == (200, "text/plain")
            note = read_note(await answer.text())
        async with http.get(f"{served.url}/log/latest") as answer:
            assert await answer.text() == str(note)
        assert check_log(note, [ledger.key]) == [ledger.key]
        size = read_checkpoint(note.text).size
        assert size >= 1
        async with http.get(f"{served.url}/log/tile/0/000.p/{size}") as answer:
            assert (answer.status, len(await answer.read())) == (200, 32 * size)
            assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0/001",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/../checkpoint",
        "%2e%2e/keshi.db",
        "..%2fkeshi.db",
    ],
)
async def test_nothing_else_is_there(tmp_path: Path, path: str) -> None:
    async with school(tmp_path) as served, ClientSession() as http, http.get(f"{served.url}/log/{path}") as answer:
        assert answer.status == 404


async def test_a_page_that_kept_a_checkpoint_is_proven_that_the_log_goes_on(tmp_path: Path) -> None:
    async with school(tmp_path) as served, ClientSession() as http:
        ledger = served.house.log
        seen = []
        for _ in range(4):
            await ledger.round()
            served.clock.advance(2 * 60_000 + SEAL_AFTER_MS)
            await ledger.round()
            async with http.get(f"{served.url}/log/checkpoint") as answer:
                seen.append(read_checkpoint(read_note(await answer.text()).text))
        async with http.get(f"{served.url}/log/keys") as answer:
            assert [read_key(line) for line in (await answer.text()).splitlines()] == [ledger.key]
        newest = seen[-1]
        for one in seen:
            async with http.get(f"{served.url}/log/consistency/{one.size}-{newest.size}") as answer:
                assert (answer.status, answer.content_type) == (200, "text/plain")
                proof = [decode(line) for line in (await answer.text()).splitlines()]
            check_consistency(one.size, newest.size, proof, one.root, newest.root)
        for growth in (f"1-{newest.size + 1}", "2-1", "0-1", "1", "a-b", f"{newest.size + 1}-{newest.size}"):
            async with http.get(f"{served.url}/log/consistency/{growth}") as answer:
                assert answer.status == 404, growth
