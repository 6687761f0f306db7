"""Whatever happens at two servers at once, one page of an account earns: its credited time lies nowhere twice (I8)."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest
from aiohttp import ClientError
from redis import Redis
from socketio.exceptions import SocketIOError

from server.attendance.intervals import Interval
from server.attendance.minutes import MINUTE_MS, unpack
from tests.cluster.storm import SEALED_S
from tests.cluster.test_accounts import open_leases, until
from tests.cluster.town import Page, Town
from tests.school import PASSWORD
from tests.servers import RedisServer

#: two servers, one of them killed, until all is quiet again
CALM_S = 40.0
BEATS = 4
pytestmark = pytest.mark.timeout(600)


@asynccontextmanager
async def two_lessons(town: Town) -> AsyncIterator[tuple[Page, Page]]:
    """A live lesson at each server, and the same trainee on a device at each of them, in none yet."""
    async with (
        town.page("teacher", "a") as first,
        town.page("teacher", "b") as second,
        town.page("jia", "a") as one,
        town.page("jia", "b") as two,
    ):
        second.lesson_id = two.lesson_id = town.other_id
        two.name = "page-two"
        for teacher in (first, second):
            assert (await teacher.join())["ok"]
            assert (await teacher.call("lesson:start"))["ok"]
        assert (await town.owner(town.lesson_id), await town.owner(town.other_id)) == ("a", "b")
        yield one, two
        for teacher in (first, second):
            await ended(town, teacher)


async def ended(town: Town, teacher: Page) -> None:
    """The lesson ends, at whichever server lives."""
    until_s = time.monotonic() + CALM_S
    while True:
        assert time.monotonic() < until_s
        with suppress(SocketIOError, ClientError, OSError):
            if not teacher.client.connected:
                await teacher.connect(town.servers["b"].url)
            answer = await teacher.or_lost(teacher.call("lesson:end"))
            if answer["ok"] or answer["code"] == "lesson_ended":
                return
        await asyncio.sleep(0.5)


async def earns(page: Page) -> bool:
    """Whether the page is acknowledged; it says several beats, as it would."""
    if not page.lease:
        return False
    with suppress(SocketIOError):
        for _ in range(BEATS):
            if not (await page.beat())["ok"]:
                return False
            await asyncio.sleep(0.2)
        return True
    return False


async def one_earns(town: Town, pages: tuple[Page, ...]) -> Page:
    """Of all these pages one is acknowledged, and it holds the only lease."""
    found = [page for page, does in zip(pages, await asyncio.gather(*map(earns, pages)), strict=True) if does]
    assert len(found) == 1, [page.codes[-3:] for page in pages]
    assert await open_leases(town, "jia") == [found[0].lease["epoch"]]
    return found[0]


async def leave(page: Page) -> None:
    assert (await page.call("lesson:leave", epoch=page.lease["epoch"]))["ok"]
    page.lease = {}


async def at_once(town: Town, one: Page, two: Page) -> None:
    """Both devices ask in one moment: one is let in, the other is told in words by whom it is held."""
    for page in (one, two):
        page.lease = {}
    answers = await asyncio.gather(one.join(), two.join())
    refused = [answer for answer in answers if not answer["ok"]]
    assert len(refused) == 1, answers
    assert refused[0]["code"] in ("lease_held", "lease_lost")
    await leave(await one_earns(town, (one, two)))


async def taken_over(town: Town, old: Page, new: Page) -> None:
    """By password, while the old page beats: it is told at once by what device, and earns nothing more."""
    old.lease, new.lease = {}, {}
    assert (await old.join())["ok"]
    beating = asyncio.ensure_future(earns(old))
    assert (await new.join(password=PASSWORD))["ok"]
    await until(lambda: old.heard("lease:lost"))
    await beating
    assert (old.heard("lease:lost")[-1]["reason"], old.heard("lease:lost")[-1]["device"]) == ("taken_over", "desktop")
    assert await one_earns(town, (old, new)) is new


@asynccontextmanager
async def copied(page: Page, url: str, name: str) -> AsyncIterator[Page]:
    """The same browser once more: its cookies and what it keeps, in another page (Duplicate Tab, a copied profile)."""
    made = Page(page.town, page.who, lesson_id=page.lesson_id, name=name)
    made.session, made.lease = page.session, dict(page.lease)
    await made.connect(url)
    try:
        yield made
    finally:
        await made.client.disconnect()
        await made.hang_up()


async def duplicated(town: Town, page: Page) -> None:
    """A copy is a second device: while the first page answers it is refused, at either server."""
    page.lease = {}
    assert (await page.join())["ok"]
    for server in town.servers.values():
        async with copied(page, server.url, "page-copied") as copy:
            answers = await asyncio.gather(copy.join(), page.beat())
            assert (answers[0]["code"], answers[1]["ok"]) == ("lease_held", True)
            copy.lease = dict(page.lease)
            assert await one_earns(town, (copy, page)) is page
    await leave(page)


async def impersonated(town: Town, page: Page) -> None:
    """A copy that knows page id, resume and nonce as well is the page coming back: the lease moves, and one earns."""
    page.lease = {}
    assert (await page.join())["ok"]
    for server in town.servers.values():
        async with copied(page, server.url, page.name) as copy:
            copy.acked_mono, copy.credit_ms = page.acked_mono, page.credit_ms
            answers = await asyncio.gather(copy.join(), page.beat())
            assert answers[0]["ok"], answers
            assert copy.lease["epoch"] == page.lease["epoch"]
            assert await one_earns(town, (copy, page)) is copy
            assert page.codes[-1] in ("lease_lost", "beat_refused")
            page.acked_mono = copy.acked_mono
        assert (await page.join())["ok"]
    await leave(page)


async def leases(town: Town) -> list[Interval]:
    """When the account held one, as the database has it."""
    query = "SELECT granted_ms, ended_ms FROM lease LEFT JOIN lease_end USING (person_id, epoch) "
    rows = await town.rows(f"{query} WHERE person_id = '{town.ids['jia']}' ORDER BY epoch")
    return [(granted_ms, ended_ms or 1 << 60) for granted_ms, ended_ms in rows]


async def credited(town: Town) -> list[Interval]:
    """The account's credited time of both lessons, once all of it is sealed."""
    until_s = time.monotonic() + SEALED_S
    while True:
        assert time.monotonic() < until_s
        last = {row["id"]: row["ended_ms"] for row in await town.rows("SELECT id, ended_ms FROM lesson")}
        rows = await town.rows("SELECT lesson_id, slot, records FROM minute_journal")
        sealed = {one: max((row["slot"] for row in rows if row["lesson_id"] == one), default=0) for one in last}
        if all(sealed[one] >= (last[one] - 1) // MINUTE_MS for one in (town.lesson_id, town.other_id)):
            break
        await asyncio.sleep(1)
    return sorted(
        (row["slot"] * MINUTE_MS + start, row["slot"] * MINUTE_MS + end)
        for row in rows
        for record in unpack(row["records"])
        if record.person_id == town.ids["jia"]
        for start, end in record.credited
    )


def check_disjoint(spans: list[Interval]) -> None:
    for before, after in pairwise(spans):
        assert before[1] <= after[0], "two at once"


@pytest.mark.parametrize(
    ("blocked_s", "sealed"), [(3, False), pytest.param(30, True, marks=pytest.mark.long)], ids=["quick", "long"]
)
async def test_of_two_pages_one_earns(town: Town, redis_process: RedisServer, blocked_s: int, sealed: bool) -> None:
    redis = Redis.from_url(redis_process.url, socket_timeout=2 * blocked_s)
    async with two_lessons(town) as (one, two):
        for _ in range(3):
            await at_once(town, one, two)
        await duplicated(town, one)
        await impersonated(town, one)
        redis_process.empty()
        await at_once(town, one, two)
        await taken_over(town, one, two)
        await leave(two)
        redis.client_pause(blocked_s * 1000)
        began = time.monotonic()
        await at_once(town, one, two)
        await taken_over(town, two, one)
        await asyncio.to_thread(redis.flushall)  # answered once the pause is over
        assert time.monotonic() - began > blocked_s - 1
        assert await one_earns(town, (one, two)) is one
        await killed_between(town, one, two)
    redis.close()
    check_disjoint(await leases(town))
    if sealed:
        spans = await credited(town)
        check_disjoint(spans)
        print(f"credited in {len(spans)} parts of two lessons, {sum(b - a for a, b in spans)} ms, nowhere twice")


async def killed_between(town: Town, old: Page, new: Page) -> None:
    """The old page's server dies while the new one takes over; afterwards there is one holder, whichever it is."""
    asked = asyncio.ensure_future(new.join(password=PASSWORD))
    await asyncio.sleep(0.02)
    town.servers["a"].kill()
    with suppress(SocketIOError):
        await asked
    stop = asyncio.Event()
    living = [asyncio.ensure_future(page.live_on(stop, "b")) for page in (old, new) if page.lease]
    began, until_s = time.monotonic(), time.monotonic() + CALM_S
    while not any(page.acked_at and page.acked_at[-1] > began for page in (old, new)):
        assert time.monotonic() < until_s, [page.codes[-5:] for page in (old, new)]
        await asyncio.sleep(0.2)
    stop.set()
    await asyncio.gather(*living)
    await one_earns(town, (old, new))
