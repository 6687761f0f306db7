"""The log over HTTP: what anybody may read, and nothing beside it."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from server.ledger.rules import SEAL_AFTER_MS
from server.verify.notes import check_log, read_checkpoint, read_note
from tests.school import school


async def test_the_running_house_publishes_its_log(tmp_path: Path) -> None:
    async with school(tmp_path) as served, ClientSession() as http:
        ledger = served.house.log
        await ledger.round()
        served.clock.advance(60_000 + SEAL_AFTER_MS)
        await ledger.round()
        async with http.get(f"{served.url}/log/checkpoint") as answer:
            assert (answer.status, answer.content_type) == (200, "text/plain")
            note = read_note(await answer.text())
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
