"""Every end of a lease, and of a login, ends its media and the worth of its tokens."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCPeerConnection

from server.attendance.lease import SILENCE_MS
from server.attendance.sealer import Sealer
from tests.school import PASSWORD, Page, School, school

Ending = Callable[[School, Page, Page, dict[str, Any]], Awaitable[None]]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running, running.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
        yield running


async def _watch(page: Page, token: str) -> tuple[int, str]:
    """Ask for the picture; its packets never come."""
    connection = RTCPeerConnection()
    connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    await connection.close()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    async with page.session.post(f"/media/whep/{page.school.lesson_id}", data=offer, headers=headers) as answer:
        return answer.status, "" if answer.status == 201 else (await answer.json())["code"]


async def _left(_served: School, page: Page, _other: Page, lease: dict[str, Any]) -> None:
    assert (await page.call("lesson:leave", epoch=lease["epoch"]))["ok"]


async def _silent(served: School, page: Page, _other: Page, _lease: dict[str, Any]) -> None:
    await _hang_up(served, page)
    served.clock.advance(SILENCE_MS + 1)
    await Sealer(served.house.register).round()


async def _resumed(served: School, page: Page, other: Page, lease: dict[str, Any]) -> None:
    await _hang_up(served, page)
    assert (await other.join(page="page-two", resume=lease["resume"]))["ok"]


async def _taken_over(_served: School, _page: Page, other: Page, _lease: dict[str, Any]) -> None:
    assert (await other.join(device="phone", page="page-two", password=PASSWORD))["ok"]


async def _signed_out(_served: School, page: Page, _other: Page, _lease: dict[str, Any]) -> None:
    async with page.session.post("/api/v1/logout", json={}) as answer:
        assert answer.status == 200


async def _hang_up(served: School, page: Page) -> None:
    await page.client.disconnect()
    while served.house.register.holders[served.ids["jia"]].connection:
        await page.client.sleep(0.01)


@pytest.mark.parametrize("ending", [_left, _silent, _resumed, _taken_over, _signed_out])
async def test_the_end_of_a_lease_is_the_end_of_its_media(served: School, ending: Ending) -> None:
    async with served.page("jia") as page, served.page("jia") as other:
        joined = await page.join()
        old = joined["media"]["token"]
        assert await _watch(page, old) == (201, "")
        served.clock.advance(1)
        await ending(served, page, other, joined["lease"])
        assert [one.grant.peer for one in served.sessions.values()] == []
        assert await _watch(page, old) == (401, "token_revoked")
        served.clock.advance(1)
        again = await other.join(page="page-two", password=PASSWORD)
        assert await _watch(other, again["media"]["token"]) == (201, "")


async def test_who_signs_out_and_in_again_is_let_in_by_the_new_token_only(served: School) -> None:
    async with served.page("staff") as page:
        old = (await page.join())["media"]["token"]
        served.clock.advance(1)
        await _signed_out(served, page, page, {})
        assert await _watch(page, old) == (401, "token_revoked")
    served.clock.advance(1)
    async with served.page("staff") as page:
        assert await _watch(page, (await page.join())["media"]["token"]) == (201, "")
        assert await _watch(page, old) == (401, "token_revoked")
