"""Groups over two processes: one channel a lesson, heard by who has connections in it, before they are let in."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from server.core.clock import ManualClock, SystemClock
from server.core.cluster.folders import make_folder
from server.core.cluster.member import Member
from server.core.cluster.relay import Relay
from server.core.database import Database, sqlite_url
from server.core.shared import InProcess, OverRedis, Shared
from server.core.tasks import Tasks
from server.core.wire.declaration import Push
from server.core.wire.errands import ClusterFanOut
from server.core.wire.fan_out import SocketFanOut
from server.core.wire.written import TOLD, Message, Written

LESSON, OTHER = "1e55000000000001", "1e55000000000002"
NEWS = Push("news", dict)


class Line:
    """A connection: what was written to it."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def say(self, said: Message) -> None:
        self.got.append(said.data)


class Watched:
    """The shared store as one process uses it: what it hears and how much came. It may be slow to subscribe."""

    def __init__(self, inner: Shared) -> None:
        self._inner = inner
        self.hears: set[str] = set()
        self.came: Counter[str] = Counter()
        self.subscribed = asyncio.Event()
        self.subscribed.set()

    async def publish(self, channel: str, payload: bytes) -> None:
        await self._inner.publish(channel, payload)

    async def subscribe(
        self, channel: str, handler: Callable[[bytes], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        async def heard(payload: bytes) -> None:
            self.came[channel] += 1
            await handler(payload)

        await self.subscribed.wait()
        end = await self._inner.subscribe(channel, heard)
        self.hears.add(channel)

        async def ended() -> None:
            self.hears.discard(channel)
            await end()

        return ended


class Process:
    """One of the processes, as far as groups go."""

    def __init__(self, member: Member, shared: Shared) -> None:
        self.member, self.shared = member, Watched(shared)
        self.local = SocketFanOut(cast(Any, None))
        self.fan_out = ClusterFanOut(self.local, member, self.shared)

    def connection(self, sid: str) -> tuple[str, Line]:
        line = Line()
        self.local.arrived(sid, cast(Written, line))
        return f"{self.member.node}:{sid}", line


@pytest.fixture(params=["in process", "redis"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Process, Process]]:
    tasks, database, made = Tasks(), Database(sqlite_url(tmp_path / "keshi.db")), []
    await database.migrate()
    alone = InProcess(SystemClock(), tasks)
    stores: list[Shared] = [alone]
    for _ in range(2):
        relay = Relay(b"k" * 32)
        shared: Shared = alone
        if request.param == "redis":
            shared = OverRedis(request.getfixturevalue("redis_server"), b"s" * 32, SystemClock(), tasks)
            stores.append(shared)
        member = Member(database, ManualClock(1), make_folder(tmp_path / "nodes"), relay, True)
        process = Process(member, shared)
        await member.enter(await relay.start(member.folder.path / "sock", None))
        made.append(process)
    await asyncio.gather(*(each.member.round() for each in made))
    yield made[0], made[1]
    for one in made:
        await one.member.leave()
        await one.member.relay.close()
        one.member.folder.close()
    for store in stores:
        await store.close()
    await tasks.close()
    await database.close()


async def _news(process: Process, group: str, number: int) -> None:
    await process.fan_out.send(group, NEWS, {"number": number})


def _told(number: int) -> bytes:
    return b'42["news",{"number":%d}]' % number


async def _until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  there is nothing else to wait for
            await asyncio.sleep(0.01)


async def test_a_group_is_reached_at_both_processes_in_order_and_once(pair: tuple[Process, Process]) -> None:
    here, there = pair
    lines = []
    for process in pair:
        connection, line = process.connection("a")
        await here.fan_out.join(connection, f"lesson:{LESSON}")  # the other's by relay
        lines.append(line)
    expected = [_told(number) for number in range(50)]
    for number in range(50):
        await _news(here, f"lesson:{LESSON}", number)
    await _until(lambda: len(lines[1].got) == 50)
    assert [line.got for line in lines] == [expected, expected]
    await _news(there, f"lesson:{LESSON}", 50)
    await _until(lambda: lines[0].got[-1] == _told(50))


async def test_a_process_hears_only_the_lessons_of_its_connections(pair: tuple[Process, Process]) -> None:
    here, there = pair
    connection, line = there.connection("a")
    await there.fan_out.join(connection, f"desk:{LESSON}")
    assert (here.shared.hears, there.shared.hears) == (set(), {f"lesson.{LESSON}"})
    await _news(here, f"lesson:{OTHER}", 1)
    await _news(here, f"learn:{LESSON}", 2)
    await _news(here, f"desk:{LESSON}", 3)
    await _until(lambda: line.got)
    assert line.got == [_told(3)]
    assert there.shared.came == Counter({f"lesson.{LESSON}": 2})


async def test_whoever_is_let_in_misses_nothing_that_is_sent_after_it(pair: tuple[Process, Process]) -> None:
    here, there = pair
    there.shared.subscribed.clear()
    first, line = there.connection("a")
    second, beside = there.connection("b")
    joins = [asyncio.create_task(here.fan_out.join(one, f"learn:{LESSON}")) for one in (first, second)]
    await asyncio.sleep(0.2)
    assert not any(join.done() for join in joins), "let in before the channel is heard"
    there.shared.subscribed.set()
    await asyncio.gather(*joins)
    await _news(here, f"learn:{LESSON}", 1)
    await _until(lambda: line.got and beside.got)
    assert line.got == beside.got == [_told(1)], "two joins at once hear it once"


async def test_a_lesson_that_nobody_is_in_is_heard_no_more_until_somebody_is(pair: tuple[Process, Process]) -> None:
    here, there = pair
    connection, _ = there.connection("a")
    await there.fan_out.join(connection, f"learn:{LESSON}")
    await there.fan_out.tidy()
    assert there.shared.hears == {f"lesson.{LESSON}"}
    there.local.gone("a")
    await there.fan_out.tidy()
    assert there.shared.hears == set()
    again, line = there.connection("b")
    await there.fan_out.join(again, f"learn:{LESSON}")
    await _news(here, f"learn:{LESSON}", 7)
    await _until(lambda: line.got == [_told(7)])


async def test_a_lesson_is_not_given_up_while_somebody_is_being_let_in(pair: tuple[Process, Process]) -> None:
    here, there = pair
    there.shared.subscribed.clear()
    connection, line = there.connection("a")
    joining = asyncio.create_task(there.fan_out.join(connection, f"learn:{LESSON}"))
    await asyncio.sleep(0.01)
    await there.fan_out.tidy()
    there.shared.subscribed.set()
    await joining
    second, _ = there.connection("b")
    await there.fan_out.join(second, f"learn:{LESSON}")
    await there.fan_out.tidy()
    for number in (1, 2):
        await _news(here, f"learn:{LESSON}", number)
    await _until(lambda: line.got[-1:] == [_told(2)])
    assert line.got == [_told(1), _told(2)], "heard once"
    assert there.shared.hears == {f"lesson.{LESSON}"}


async def test_what_may_be_lost_is_said_to_those_in_a_lesson(pair: tuple[Process, Process]) -> None:
    here, _ = pair
    inside, line = here.connection("a")
    _, outside = here.connection("b")
    for group in ("lesson", "desk"):
        await here.fan_out.join(inside, f"{group}:{LESSON}")
    here.fan_out.missed()
    assert (line.got, outside.got) == ([TOLD.data], [])
