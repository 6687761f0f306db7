"""What a lesson of two servers lives through: its database, nginx, the media worker, one or both servers restarted."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import pytest

from tests.cluster.storm import KILLED_S, WIDE_S, Storm, check_acknowledged
from tests.cluster.town import Town
from tests.servers import Postgres, RedisServer

pytestmark = pytest.mark.timeout(300)


@asynccontextmanager
async def lesson(town: Town, front: str = "") -> AsyncIterator[Storm]:
    """A lesson at a, with one trainee at each server; at the end every acknowledged millisecond is there."""
    async with (
        town.page("teacher", front or "a") as teacher,
        town.page("jia", front or "a") as jia,
        town.page("yi", front or "b") as yi,
    ):
        made = Storm(town, teacher, (jia, yi), random.Random(1))
        await made.begin()
        stop = asyncio.Event()
        living = [asyncio.ensure_future(jia.live_on(stop, "b")), asyncio.ensure_future(yi.live_on(stop, "a"))]
        await made.again(WIDE_S)
        yield made
        await made.calm(stop, living)
        assert not {"lease_lost", "lesson_ended"} & set(jia.codes + yi.codes)
        await check_acknowledged(town, teacher, made.trainees)


async def test_a_database_that_crashes_and_comes_back(town: Town, postgres_server: Postgres) -> None:
    async with lesson(town) as made:
        orders = asyncio.ensure_future(break_again_and_again(made))
        for away_s in (0.2, 3.0):
            postgres_server.stop()
            await asyncio.sleep(away_s)
            postgres_server.start()  # in this thread: the kernel ends it with the one that began it
            await asyncio.sleep(2)
            await made.again(KILLED_S)
        orders.cancel()
        assert await town.owner() == "a"
        await made.command("lesson:resume")
        await made.command("lesson:break")
        assert made.teacher.heard("lesson:phase")[-1]["state"] == "break"


async def break_again_and_again(made: Storm) -> None:
    """So that the database goes in the middle of it."""
    while True:
        await made.command("lesson:break")
        await asyncio.sleep(0.2)
        await made.command("lesson:resume")
        await asyncio.sleep(0.2)


async def test_a_redis_that_crashes_and_comes_back(town: Town, redis_process: RedisServer) -> None:
    async with lesson(town) as made:
        redis_process.stop()
        await made.again(WIDE_S)
        assert await made.command("lesson:break") < WIDE_S
        assert await made.command("lesson:resume") < WIDE_S
        redis_process.start()
        await made.again(WIDE_S)


async def test_an_owner_that_is_told_to_stop_hands_over(town: Town) -> None:
    async with lesson(town) as made:
        server = town.servers["a"]
        server.signal(signal.SIGTERM)
        assert await made.again(KILLED_S) <= WIDE_S
        assert server.process is not None
        assert await asyncio.to_thread(server.process.wait, KILLED_S) == 0
        assert await town.owner() == "b"
        made.teacher.url = town.servers["b"].url
        assert await made.command("lesson:break") <= WIDE_S


async def test_both_killed_at_once_and_both_started(town: Town) -> None:
    async with lesson(town) as made:
        for server in town.servers.values():
            server.kill()
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in town.servers.values()))
        await made.again(KILLED_S)
        await made.command("lesson:break")


async def test_nginx_restarted(town: Town) -> None:
    with ExitStack() as front:
        front.enter_context(town.front())
        async with town.page("teacher") as teacher, town.page("jia") as jia:
            made = Storm(town, teacher, (jia,))
            await made.begin()
            stop = asyncio.Event()
            living = [asyncio.ensure_future(jia.live_on(stop))]
            await made.again(WIDE_S)
            front.close()
            await asyncio.sleep(1)
            front.enter_context(town.front("again"))
            await made.again(WIDE_S)
            await made.calm(stop, living)
            await check_acknowledged(town, jia, (jia,))
