"""One account at two servers: one lease, one login; what ends at one ends at the other."""

import asyncio
import json
import time

import pytest

from tests.cluster.town import Page, Town
from tests.school import PASSWORD
from tests.servers import RedisServer

CUT_S = 10.0
pytestmark = pytest.mark.timeout(300)


async def until(true: object, within_s: float = CUT_S) -> None:
    """Wait for something to become true."""
    begun = time.monotonic()
    while not true():  # type: ignore[operator]
        assert time.monotonic() - begun < within_s
        await asyncio.sleep(0.05)


def nodes_in(log: str) -> set[str]:
    """Which processes the lines of a log name; a line that names none counts as ""."""
    return {json.loads(line).get("node", "") for line in log.splitlines() if line.startswith("{")}


async def open_leases(town: Town, who: str) -> list[int]:
    """The epochs of an account's leases that have not ended."""
    query = "SELECT lease.epoch FROM lease LEFT JOIN lease_end USING (person_id, epoch) WHERE ended_ms IS NULL"
    return [row[0] for row in await town.rows(f"{query} AND person_id = '{town.ids[who]}'")]


async def both_own(town: Town, first: Page, second: Page) -> None:
    """Two lessons, one at each server."""
    second.lesson_id = town.other_id
    assert (await first.join())["ok"]
    assert (await second.join())["ok"]
    assert await town.owner(town.lesson_id) != await town.owner(town.other_id)


async def test_a_lease_at_another_server_is_given_up_by_its_rules(town: Town) -> None:
    async with town.page("jia", "a") as old, town.page("yi", "b") as yi, town.page("jia", "b") as new:
        await both_own(town, old, yi)
        new.lesson_id, new.name = town.other_id, "page-two"
        held = await new.join()
        assert (held["code"], held["data"]["device"]) == ("lease_held", "desktop")
        assert (await old.beat())["ok"]
        assert (await new.join(password="wrong"))["code"] == "password_wrong"
        assert (await old.beat())["ok"]
        taken = await new.join(password=PASSWORD)
        assert taken["ok"]
        await until(lambda: old.heard("lease:lost"))
        assert old.heard("lease:lost")[0]["reason"] == "taken_over"
        assert (await old.beat())["code"] == "lease_lost"
        assert (await new.beat())["ok"]
        how = await town.rows("SELECT how FROM lease ORDER BY granted_ms DESC LIMIT 1")
        assert how[0][0] == "take_over"


async def test_of_two_joins_at_once_at_two_servers_one_earns(town: Town) -> None:
    async with town.page("yi", "b") as yi, town.page("teacher", "a") as teacher:
        assert (await teacher.join())["ok"]
        yi.lesson_id = town.other_id
        assert (await yi.join())["ok"]
        async with town.page("jia", "a") as one, town.page("jia", "b") as two:
            two.lesson_id, two.name = town.other_id, "page-two"
            for _ in range(12):
                one.lease, two.lease = {}, {}
                answers = await asyncio.gather(one.join(), two.join())
                won = [page for page, answer in zip((one, two), answers, strict=True) if answer["ok"]]
                lost = [answer["code"] for answer in answers if not answer["ok"]]
                assert len(won) == 1, answers
                assert set(lost) <= {"lease_held", "lease_lost"}
                assert await open_leases(town, "jia") == [won[0].lease["epoch"]]
                assert (await won[0].beat())["ok"]
                assert (await won[0].call("lesson:leave", epoch=won[0].lease["epoch"]))["ok"]


async def test_a_logout_at_one_server_cuts_the_sockets_at_the_other(town: Town) -> None:
    async with town.page("teacher", "a") as teacher, town.page("jia", "b") as jia:
        assert (await teacher.join())["ok"]
        assert (await jia.join())["ok"]
        assert await town.owner() == "a"
        url = town.servers["a"].url
        async with jia.session.post(f"{url}/api/v1/logout", json={}) as answer:
            assert answer.status == 200
        await until(lambda: not jia.client.connected)
        assert await open_leases(town, "jia") == []
    said = {name: nodes_in(server.printed()) for name, server in town.servers.items()}
    rows = await town.rows("SELECT id FROM node")
    assert said["a"] | said["b"] == {row[0] for row in rows}
    assert len(said["a"]) == len(said["b"]) == 1 != len(said["a"] | said["b"])


async def test_who_is_connected_at_another_server_is_seen_and_told(town: Town, redis_process: RedisServer) -> None:
    async with town.page("teacher", "a") as teacher:
        assert (await teacher.join())["ok"]
        async with town.page("jia", "b") as jia:
            assert (await jia.join())["ok"]
            assert (await teacher.call("lesson:start"))["ok"]
            await until(lambda: jia.heard("lesson:phase"))
            await until(lambda: present(teacher, "名jia"))
            redis_process.stop()
            assert (await teacher.call("lesson:break"))["ok"]
            await asyncio.sleep(3)
            assert jia.heard("lesson:phase")[-1]["state"] == "live"
            assert (await jia.beat())["ok"]
            redis_process.start()
            await until(lambda: jia.heard("lesson:phase")[-1]["state"] == "break", 30)
        await until(lambda: not present(teacher, "名jia"))


def present(teacher: Page, name: str) -> bool:
    """As the instructor sees it."""
    rows = [row for roster in teacher.heard("lesson:roster") for row in roster["rows"] if row["name"] == name]
    return bool(rows) and bool(rows[-1]["present"])
