"""The servers that tests start are real, theirs alone, and never outlive them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
from redis import Redis

from tests.servers import Postgres, RedisServer

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import sys, time
from tests.servers import Postgres, RedisServer
with Postgres() as postgres, RedisServer() as redis:
    print(postgres._process.pid, redis._process.pid, flush=True)
    time.sleep(60)
"""


async def test_each_test_has_an_empty_database(postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    found = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert found == 0


async def test_what_was_committed_survives_a_crash_of_the_server(postgres: str, postgres_server: Postgres) -> None:
    name = postgres.rpartition("/")[2]
    postgres_server.run(name, "CREATE TABLE note (text varchar)", "INSERT INTO note VALUES ('kept')")
    postgres_server.stop()
    postgres_server.start()
    connection = await asyncpg.connect(postgres)
    assert await connection.fetchval("SELECT text FROM note") == "kept"
    await connection.close()


def test_redis_starts_empty_and_again(redis_server: str, redis_process: RedisServer) -> None:
    with Redis.from_url(redis_server) as client:
        assert client.dbsize() == 0
        client.set("a", "b")
    redis_process.stop()
    redis_process.start()
    with Redis.from_url(redis_server) as client:
        assert client.dbsize() == 0


def test_servers_end_when_the_tests_are_killed() -> None:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KESHI_TEST_")}
    tests = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, cwd=ROOT, env=ours)
    assert tests.stdout is not None
    servers = [int(number) for number in tests.stdout.readline().split()]
    assert len(servers) == 2
    tests.send_signal(signal.SIGKILL)
    tests.wait()
    until = time.monotonic() + 20
    while any(map(_runs, servers)):
        assert time.monotonic() < until
        time.sleep(0.05)
    tests.stdout.close()


def _runs(pid: int) -> bool:
    """Whether the process is there and not only waits to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
