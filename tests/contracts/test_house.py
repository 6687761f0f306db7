"""The whole house over PostgreSQL and Redis, as over SQLite: doors, a lesson, the command line beside it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.school import School, school
from tests.servers import Postgres, RedisServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def served(tmp_path: Path, postgres: str, redis_server: str) -> AsyncIterator[School]:
    async with school(tmp_path, groups={"store": {"database": postgres, "redis": redis_server}}) as made:
        yield made


async def keshi(folder: Path, database: str, *arguments: str) -> tuple[int, str]:
    """Run the command line as a person does; its exit code and all it said."""
    command = [sys.executable, "-m", "server", *arguments, "--data", str(folder)]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, "KESHI_DATABASE": database},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_a_lesson_is_taught_and_attended(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia:
        for answer in (await teacher.join(), await teacher.call("lesson:start"), await jia.join()):
            assert answer["ok"] is True, answer
    assert not (served.house.store.folder / "keshi.db").exists()


async def test_the_command_line_works_beside_the_server(served: School, tmp_path: Path, postgres: str) -> None:
    assert await keshi(tmp_path, postgres, "migrate") == (0, "tables are up to date\n")
    out = tmp_path / "ledger.csv"
    code, said = await keshi(tmp_path, postgres, "export", "C-1", "--out", str(out))
    assert (code, out.exists()) == (0, True), said


async def test_the_stores_fail_and_come_back(
    served: School, postgres_server: Postgres, redis_process: RedisServer
) -> None:
    async with served.http("jia") as browser:
        postgres_server.stop()
        redis_process.stop()
        try:
            async with browser.get("/api/v1/today") as answer:
                refused = await answer.json()
                assert (answer.status, refused["code"]) == (503, "store_unavailable"), refused
            assert await served.house.store.shared.ping() == "redis_unreachable"
        finally:
            postgres_server.start()
            redis_process.start()
        async with browser.get("/api/v1/today") as answer:
            assert answer.status == 200
