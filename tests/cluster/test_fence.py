"""An owner that was frozen and replaced: it acknowledges nothing, writes nothing, and its pages move."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from server.attendance.lease import SILENCE_MS
from tests.cluster.storm import FROZEN_S, Storm, check_acknowledged
from tests.cluster.town import Town

#: in this time a process that believes to be the owner has tried to write
TRIES_S = 5
SLACK_S = 1
pytestmark = pytest.mark.timeout(300)


@asynccontextmanager
async def unrenewed(town: Town, node: str) -> AsyncIterator[None]:
    """While the block runs a process cannot renew its row: what it believes of itself stays as it was."""
    connection = await asyncpg.connect(town.values["store"]["database"])
    try:
        async with connection.transaction():
            await connection.execute("SELECT id FROM node WHERE id = $1 FOR UPDATE", node)
            yield
    finally:
        await connection.close()


async def test_what_wakes_and_believes_to_be_the_owner_writes_nothing(town: Town) -> None:
    async with town.page("teacher", "b") as teacher, town.page("jia", "a") as jia, town.page("yi", "b") as yi:
        assert (await jia.join())["ok"]
        assert await town.owner() == "a"
        storm = Storm(town, teacher, (jia, yi))
        await storm.begin()
        assert (await jia.beat())["ok"]
        await jia.client.disconnect()  # so that a believes it silent when it wakes
        await asyncio.sleep(0.5)
        town.servers["a"].signal(signal.SIGSTOP)
        frozen = time.monotonic()  # what a holds to be the last of jia is before
        stop = asyncio.Event()
        living = [asyncio.ensure_future(one.live_on(stop, "b")) for one in (jia, yi)]
        await storm.again(FROZEN_S)
        assert await town.owner() == "b"
        await asyncio.sleep(SILENCE_MS / 1000 + SLACK_S - (time.monotonic() - frozen))
        query = f"SELECT node_id FROM lesson_owner WHERE lesson_id = '{town.lesson_id}'"
        new = (await town.rows(query))[0][0]
        (old,) = [row[0] for row in await town.rows("SELECT id FROM node") if row[0] != new]
        async with unrenewed(town, old):
            before = await written(town)
            town.servers["a"].signal(signal.SIGCONT)
            await asyncio.sleep(TRIES_S)
            assert await written(town) == before
        assert "owner_changing" in town.servers["a"].printed()  # it did try
        await storm.calm(stop, living)
        assert not {"lease_lost", "lesson_ended"} & set(jia.codes + yi.codes)
        await check_acknowledged(town, teacher, (jia, yi))
        assert (await town.rows(query))[0][0] == new


async def written(town: Town) -> list[int]:
    """How many ends of leases and events of lessons there are."""
    tables = ("lease", "lease_end", "lesson_event")
    return [(await town.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in tables]


async def test_the_pages_of_a_frozen_owner_move_and_it_acknowledges_nothing_when_it_wakes(town: Town) -> None:
    async with town.page("teacher", "a") as teacher, town.page("jia", "a") as jia:
        storm = Storm(town, teacher, (jia,))
        await storm.begin()
        assert await town.owner() == "a"
        assert (await jia.beat())["ok"]
        held, old = dict(jia.lease), jia.client
        town.servers["a"].signal(signal.SIGSTOP)
        stop = asyncio.Event()
        living = [asyncio.ensure_future(jia.live_on(stop, "b"))]
        late = asyncio.ensure_future(old.call("beat", late_beat(town, held), timeout=FROZEN_S))
        await storm.again(FROZEN_S)  # at b, once the page has seen that its socket is dead
        assert await town.owner() == "b"
        town.servers["a"].signal(signal.SIGCONT)
        done, _ = await asyncio.wait([late], timeout=TRIES_S)
        if done and late.exception() is None:
            assert not late.result()["ok"]
        late.cancel()
        await storm.again(FROZEN_S)
        await storm.calm(stop, living)
        await check_acknowledged(town, jia, (jia,))


def late_beat(town: Town, held: dict[str, object]) -> dict[str, object]:
    """A beat that was sent when its process was frozen already."""
    words = {name: held[name] for name in ("epoch", "nonce")}
    return {"lesson_id": town.lesson_id, "seq": 2, "mono": 0.0, "spans": [], **words}
