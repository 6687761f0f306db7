"""A lesson in which viewers come and go and the publisher comes back: nothing is left over and every packet has a fate.

A server in a process of its own, real ICE and DTLS-SRTP viewers in this one. At length: half an hour, 300 viewers.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest

from media import clock
from tests.bench._live_stand import Stand, stand
from tests.media.clients import h264_pictures

PATIENCE_SECONDS = 30
REPUBLISH_EVERY = 20
#: what was counted, and did not leave because of it
NAMED = ("viewer_away", "seal_refused", "send_dropped")
MOST_GROWN_MIB = 12


@pytest.fixture
async def server() -> AsyncIterator[Stand]:
    async with stand("ours") as found:
        yield found


async def settled(server: Stand) -> dict[str, object]:
    """What the server counts, once nothing is on its way any more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        former = None
        while (found := (await server.figures(), server.packets)) != former:
            former = found
            await asyncio.sleep(0.5)
    return found[0]


def resources(server: Stand, figures: dict[str, object]) -> tuple[object, ...]:
    """What a lesson must give back: tasks, sessions, open files."""
    return figures["tasks"], figures["sessions"], figures["viewers"], server.process.num_fds()


def memory_mib(server: Stand) -> float:
    return float(server.process.memory_info().rss) / (1 << 20)


async def churn(
    server: Stand, viewers: int, seconds: float, pause: float, shown: list[bytes] | None
) -> tuple[float, int]:
    """Let the oldest viewers leave and new ones join, and the publisher come back now and then.

    What the memory grew by, in MiB, after a third of the time; how many came and went.
    """
    await server.join(viewers)
    teacher = await server.teach(shown)
    began, early = clock.monotonic(), 0.0
    for turn in count(1):
        await asyncio.sleep(pause)
        await server.leave(2)
        await server.join(2)
        if turn % REPUBLISH_EVERY == REPUBLISH_EVERY // 2:
            await teacher.close()
            teacher = await server.teach(shown)
        passed = clock.monotonic() - began
        if passed > seconds / 3 and not early:
            early = memory_mib(server)
        if passed > seconds:
            break
    await teacher.close()
    return memory_mib(server) - early, 2 * turn


async def soak(server: Stand, viewers: int, seconds: float, pause: float, shown: list[bytes] | None = None) -> None:
    await server.join(2)  # whatever is loaded once is loaded
    await server.leave()
    before = resources(server, await settled(server))
    grown, turns = await churn(server, viewers, seconds, pause, shown)
    assert server.keeping is not None
    server.keeping.cancel()  # nobody asks for anything again
    told = await settled(server)
    arrived, lost = server.packets, sum(each.overrun() for each in server.receivers) + server.gone_lost
    await server.leave()
    print(f"{viewers} viewers, {turns} came and went, {arrived} packets, {lost} overran a viewer, {grown:+.1f} MiB")
    assert_each_packet_has_a_fate(told, arrived + lost)
    assert sum(each.refused for each in server.receivers) == 0
    assert arrived > viewers * seconds * 20
    assert resources(server, await settled(server)) == before
    assert grown < MOST_GROWN_MIB


def assert_each_packet_has_a_fate(told: dict[str, object], arrived: int) -> None:
    """Packets in, once for each viewer there was, are packets out and named drops; what went out arrived."""
    sent, resent, offered, cached = (int(str(told[name])) for name in ("sent", "resent", "offered", "cached"))
    withheld, counts = told["withheld"], told["counts"]
    assert isinstance(withheld, dict)
    assert isinstance(counts, dict)
    assert offered + cached == sent + sum(withheld.values())
    assert arrived == sent + resent - sum(counts.get(name, 0) for name in NAMED)


async def test_nothing_is_left_over_and_every_packet_has_a_fate(server: Stand) -> None:
    await soak(server, viewers=10, seconds=12, pause=0.5)


@pytest.mark.long
@pytest.mark.timeout(3_000)
async def test_half_an_hour_of_300_viewers(server: Stand) -> None:
    """With small pictures, 80 packets a second a viewer: whoever counts them has one core as well."""
    small = h264_pictures(90, 30, (160, 120), 100)
    await soak(server, viewers=300, seconds=1_800, pause=2, shown=small)
