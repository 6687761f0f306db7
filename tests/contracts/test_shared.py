"""One suite for both adapters of the shared port; then what only Redis can do: go away and come back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from server.core.clock import SystemClock
from server.core.shared import InProcess, OverRedis, Shared
from server.core.shared import over_redis as module
from server.core.tasks import Tasks
from tests.servers import RedisServer

SECRET = b"s" * 32
Make = Callable[[], Shared]


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.close()


@pytest.fixture(params=["in process", "redis"])
async def shared(request: pytest.FixtureRequest, tasks: Tasks) -> AsyncIterator[Shared]:
    made: Shared
    if request.param == "redis":
        made = OverRedis(request.getfixturevalue("redis_server"), SECRET, SystemClock(), tasks)
    else:
        made = InProcess(SystemClock(), tasks)
    yield made
    await made.close()


@pytest.fixture
async def two(redis_server: str, tasks: Tasks) -> AsyncIterator[tuple[OverRedis, OverRedis]]:
    """Two processes, as Redis sees them."""
    pair = OverRedis(redis_server, SECRET, SystemClock(), tasks), OverRedis(redis_server, SECRET, SystemClock(), tasks)
    yield pair
    for each in pair:
        await each.close()


async def until(true: Callable[[], Any]) -> None:
    """Wait for it, not for ever."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  there is nothing else to wait for
            await asyncio.sleep(0.01)


def keep(heard: list[bytes]) -> Callable[[bytes], Any]:
    async def handler(payload: bytes) -> None:
        heard.append(payload)

    return handler


async def test_the_last_try_within_the_limit_is_let_through_and_the_next_one_waits(shared: Shared) -> None:
    assert [await shared.take("key", 3, 60.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    wait = await shared.take("key", 3, 60.0)
    assert 50.0 < wait <= 60.0


async def test_keys_are_counted_apart_and_forgotten_alone(shared: Shared) -> None:
    assert await shared.take("一", 1, 60.0) == await shared.take("二", 1, 60.0) == 0.0
    await shared.clear("一")
    assert await shared.take("一", 1, 60.0) == 0.0
    assert await shared.take("二", 1, 60.0) > 0.0


async def test_after_the_wait_there_is_room_for_one_and_refused_tries_cost_nothing(shared: Shared) -> None:
    assert await shared.take("key", 1, 0.3) == 0.0
    for _ in range(5):
        wait = await shared.take("key", 1, 0.3)
        assert 0.0 < wait <= 0.3
    await asyncio.sleep(wait + 0.01)
    assert await shared.take("key", 1, 0.3) == 0.0


async def test_a_limit_may_change(shared: Shared) -> None:
    for _ in range(5):
        assert await shared.take("key", 5, 60.0) == 0.0
    assert await shared.take("key", 2, 60.0) > 0.0
    assert await shared.take("key", 6, 60.0) == 0.0 or await shared.take("key", 3, 60.0) > 0.0


async def test_a_limit_of_none_is_a_mistake(shared: Shared) -> None:
    with pytest.raises(ValueError, match="limit"):
        await shared.take("key", 0, 1.0)


async def test_all_subscribers_hear_everything_in_order_and_only_their_channel(shared: Shared) -> None:
    first: list[bytes] = []
    second: list[bytes] = []
    other: list[bytes] = []
    await shared.subscribe("lesson", keep(first))
    await shared.subscribe("lesson", keep(second))
    await shared.subscribe("another", keep(other))
    sent = [bytes([number % 256]) * (number % 7) for number in range(500)]
    for payload in sent:
        await shared.publish("lesson", payload)
    await until(lambda: len(first) == len(second) == len(sent))
    assert first == second == sent
    assert other == []
    assert shared.dropped == 0


async def test_a_handler_that_fails_hears_the_next_message(shared: Shared) -> None:
    heard: list[bytes] = []

    async def handler(payload: bytes) -> None:
        heard.append(payload)
        if payload == b"bad":
            raise RuntimeError

    await shared.subscribe("lesson", handler)
    await shared.publish("lesson", b"bad")
    await shared.publish("lesson", b"good")
    await until(lambda: len(heard) == 2)


async def test_who_ended_hears_nothing_more_and_the_others_do(shared: Shared) -> None:
    gone: list[bytes] = []
    stays: list[bytes] = []
    end = await shared.subscribe("lesson", keep(gone))
    await shared.subscribe("lesson", keep(stays))
    await shared.publish("lesson", b"1")
    await until(lambda: gone and stays)
    await end()
    await end()
    await shared.publish("lesson", b"2")
    await until(lambda: len(stays) == 2)
    assert gone == [b"1"]


async def test_a_channel_that_nobody_wanted_any_more_can_be_had_again(shared: Shared) -> None:
    heard: list[bytes] = []
    await (await shared.subscribe("lesson", keep(heard)))()
    await shared.subscribe("lesson", keep(heard))
    await shared.publish("lesson", b"1")
    await until(lambda: heard)


async def test_it_answers(shared: Shared) -> None:
    assert await shared.ping() is None


async def test_two_processes_count_together_and_hear_each_other(two: tuple[OverRedis, OverRedis]) -> None:
    one, other = two
    heard: list[bytes] = []
    await other.subscribe("lesson", keep(heard))
    await one.publish("lesson", b"x")
    await until(lambda: heard)
    taken = await asyncio.gather(*[each.take("key", 5, 60.0) for each in two for _ in range(10)])
    assert sorted(taken)[:6] == [0.0] * 5 + [pytest.approx(60.0, abs=10.0)]


async def test_keys_are_not_stored_as_they_were_typed(two: tuple[OverRedis, OverRedis]) -> None:
    await two[0].take("zhang.san", 5, 60.0)
    keys = await two[0]._client.keys("*")
    assert len(keys) == 1
    assert b"zhang" not in keys[0]
    assert 0 < await two[0]._client.pttl(keys[0]) <= 60_000


async def test_redis_killed_and_back_again(
    two: tuple[OverRedis, OverRedis], redis_process: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.1)
    one, other = two
    heard: list[bytes] = []
    await other.subscribe("lesson", keep(heard))
    assert (one.gaps, other.gaps) == (0, 0)
    redis_process.stop()
    try:
        await one.publish("lesson", b"lost")
        assert one.dropped == 1
        assert await one.ping() == "redis_unreachable"
        assert [await one.take("key", 1, 60.0) > 0.0 for _ in range(2)] == [False, True]  # alone
        assert await other.take("key", 1, 60.0) == 0.0
        await one.clear("key")
        assert await one.take("key", 1, 60.0) == 0.0
        late: list[bytes] = []
        await other.subscribe("late", keep(late))
    finally:
        redis_process.start()

    async def told() -> bool:
        await one.publish("lesson", b"again")
        await one.publish("late", b"too")
        await asyncio.sleep(0.02)
        return bool(heard and late)

    async with asyncio.timeout(20):
        while not await told():
            pass
    assert b"lost" not in heard
    assert one.gaps == 1  # it could not speak
    assert other.gaps >= 2  # it could neither speak nor hear
    assert await one.ping() is None
    assert await one.take("key", 1, 60.0) == 0.0
    assert await other.take("key", 1, 60.0) > 0.0  # together again


async def test_a_handler_too_slow_loses_the_newest_and_it_is_counted(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.core.shared import delivery

    monkeypatch.setattr(delivery, "WAITING_MAXIMUM", 3)
    heard: list[bytes] = []
    release = asyncio.Event()

    async def handler(payload: bytes) -> None:
        heard.append(payload)
        await release.wait()

    await shared.subscribe("lesson", handler)
    await shared.publish("lesson", b"0")
    await until(lambda: heard)
    for number in (b"1", b"2", b"3", b"4", b"5"):
        await shared.publish("lesson", number)
    await until(lambda: shared.dropped == 2)
    release.set()
    await until(lambda: len(heard) == 4)
    assert heard == [b"0", b"1", b"2", b"3"]
