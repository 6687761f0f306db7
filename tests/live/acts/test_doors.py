"""Removal and the lobby through real sockets: who is outside earns nothing and hears nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.school import Page, School, school


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


async def heard(page: Page, event: str, count: int = 1) -> list[Any]:
    """Wait until the page was told so often."""
    for _ in range(300):
        if len(page.heard(event)) >= count:
            return page.heard(event)
        await asyncio.sleep(0.01)
    raise AssertionError(f"never told {event}: {page.told}")


async def test_whoever_is_removed_loses_the_lease_and_comes_back_when_readmitted(served: School) -> None:
    jia = served.actor("jia").person_id
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        assert (await trainee.join())["ok"]
        assert (await teacher.call("order:remove", person_id=jia))["ok"]
        (lost,) = await heard(trainee, "lease:lost")
        assert lost["reason"] == "removed"
        assert (await trainee.call("lesson:since", seq=0))["code"] == "not_joined"
        assert (await trainee.call("lesson:media"))["code"] == "not_joined"
        assert (await trainee.join())["code"] == "removed_from_lesson"
        assert (await teacher.call("order:readmit", person_id=jia))["ok"]
        await heard(trainee, "lesson:door")
        assert (await trainee.join())["ok"]


async def test_a_lobby_holds_newcomers_until_admitted_and_lets_those_back_who_were_in(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as jia, served.page("yi") as yi:
        await teacher.join()
        assert (await jia.join())["ok"]
        assert (await teacher.call("order:lobby", on=True))["ok"]
        assert (await jia.join())["ok"]
        assert (await yi.join(page="page-two"))["code"] == "in_lobby"
        assert served.house.register.holders.get(served.actor("yi").person_id) is None
        known = (await teacher.call("lesson:since", seq=0))["changes"]["order"]
        waiting = [one for one in known if one["waiting"]]
        assert [one["id"] for one in waiting] == [served.actor("yi").person_id]
        assert waiting[0]["name"]
        assert (await teacher.call("order:admit", person_id=None))["ok"]
        await heard(yi, "lesson:door")
        assert (await yi.join(page="page-two"))["ok"]


async def test_a_trainee_cannot_change_the_order_and_neither_can_another_instructor(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as trainee, served.page("other") as other:
        await teacher.join()
        await trainee.join()
        for page in (trainee, other):
            refused = "forbidden" if page is trainee else "not_found"
            for event, values in (
                ("order:silence", {"on": True}),
                ("order:lobby", {"on": True}),
                ("order:switch", {"what": "text", "on": False}),
                ("order:remove", {"person_id": served.actor("yi").person_id}),
            ):
                assert (await page.call(event, **values))["code"] == refused
        assert (await teacher.call("lesson:since", seq=0))["seq"] == 0
