"""The witness over HTTP: statuses, types and sizes of tlog-witness."""

from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from server.witness.api import application
from server.witness.rules import REQUEST_BYTES
from tests.witness.world import Log, witness


async def test_over_http(tmp_path: Path) -> None:
    log = Log()
    county = witness(tmp_path, log)
    async with TestClient(TestServer(application(county))) as client:
        async with client.post("/add-checkpoint", data=log.ask(0, 3)) as answer:
            assert (answer.status, (await answer.text())[:9]) == (200, "\u2014 county ")
        async with client.post("/add-checkpoint", data=log.ask(0, 5)) as answer:
            assert (answer.status, await answer.text(), answer.content_type) == (409, "3\n", "text/x.tlog.size")
        async with client.post("/add-checkpoint", data=b"old") as answer:
            assert answer.status == 400
        async with client.post("/add-checkpoint", data=bytes(REQUEST_BYTES + 1)) as answer:
            assert answer.status == 413
        async with client.get("/") as answer:
            told = await answer.text()
            assert told.startswith(f"{county.key}\n")
            assert log.note(3) in told
        async with client.get("/add-checkpoint") as answer:
            assert answer.status == 405
