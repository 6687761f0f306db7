"""What a lesson's page gets: lease, media token, cells, rosters; and what it is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCPeerConnection

from server.core.clock import ManualClock, SystemClock
from tests.school import PASSWORD, Page, School, school

JOIN = {"device": "desktop", "page": "page-one", "resume": None, "password": None}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


async def _beat(page: Page, lease: dict[str, Any], mono: float, spans: list[list[float]]) -> dict[str, Any]:
    answer = await page.call(
        "beat", epoch=lease["epoch"], seq=lease["seq"] + 1, nonce=lease["nonce"], mono=mono, spans=spans
    )
    if answer["ok"]:
        lease.update(seq=answer["seq"], nonce=answer["nonce"])
    return answer


async def test_a_trainee_gets_a_lease_a_watching_token_and_their_own_cells_only(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        await teacher.call("lesson:start")
        joined = await trainee.join()
    assert set(joined["lease"]) == {"epoch", "resume", "seq", "nonce", "attention"}
    assert joined["media"]["whip"] is None
    assert joined["roster"] == []
    assert joined["totals"]["credit_ms"] == 0


async def test_the_instructor_may_publish_and_sees_the_whole_roster(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("staff") as staff:
        joined = await teacher.join()
        watching = await staff.join()
    assert joined["media"]["whip"] == f"/media/whip/{served.lesson_id}"
    assert [row["name"] for row in joined["roster"]] == ["名jia", "名yi"]
    assert joined["lease"] is None
    assert watching["media"]["whip"] is None
    assert len(watching["roster"]) == 2


async def test_a_token_only_opens_what_it_was_given_for(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        await teacher.call("lesson:start")
        token = (await trainee.join())["media"]["token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        async with trainee.session.post(f"/media/whip/{served.lesson_id}", data="v=0\r\n", headers=headers) as answer:
            assert answer.status in (401, 403)


async def test_a_fresh_token_needs_the_lease(served: School) -> None:
    async with served.page("jia") as trainee, served.page("yi") as outside:
        await trainee.join()
        assert (await trainee.call("lesson:media"))["media"]["room"] == served.lesson_id
        assert (await outside.call("lesson:media"))["code"] == "not_joined"


async def test_changed_rows_are_pushed_to_the_desk_and_to_nobody_else(served: School) -> None:
    push = next(job.work for one in served.house.capabilities for job in one.jobs if job.name == "live.roster")
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        await teacher.call("lesson:start")
        lease = (await trainee.join())["lease"]
        await push()
        served.clock.advance(10_000)
        assert (await _beat(trainee, lease, 10_000, [[0, 10_000]]))["credit_ms"] == 10_000
        await push()
        await teacher.call("lesson:media")
        rows = [row for roster in teacher.heard("lesson:roster") for row in roster["rows"]]
        assert rows[-1]["credit_ms"] == 10_000
        assert (rows[-1]["present"], rows[-1]["visible"]) == (True, True)
        assert trainee.heard("lesson:roster") == []


async def test_a_second_device_is_refused_then_takes_over_and_the_first_is_told(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as first, served.page("jia") as second:
        await teacher.join()
        await teacher.call("lesson:start")
        lease = (await first.join())["lease"]
        refused = await second.join(device="phone", page="page-two")
        assert (refused["ok"], refused["code"], refused["data"]["device"]) == (False, "lease_held", "desktop")
        wrong = await second.join(device="phone", page="page-two", password="not the password")
        assert wrong["code"] == "password_wrong"
        assert (await second.join(device="phone", page="page-two", password=PASSWORD))["ok"]
        served.clock.advance(10_000)
        late = await _beat(first, lease, 10_000, [[0, 10_000]])
        assert (late["ok"], late["code"], late["data"]["device"]) == (False, "lease_lost", "phone")
        (told,) = first.heard("lease:lost")
        assert (told["reason"], told["device"]) == ("taken_over", "phone")


async def test_a_reload_keeps_the_attendance_and_a_living_page_is_not_robbed(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as page:
        await teacher.join()
        await teacher.call("lesson:start")
        lease = (await page.join())["lease"]
        served.clock.advance(10_000)
        await _beat(page, lease, 10_000, [[0, 10_000]])
        async with served.page("jia") as copied:
            assert (await copied.join(page="page-copy", resume=lease["resume"]))["code"] == "lease_held"
        await page.client.disconnect()
        async with served.page("jia") as reloaded:
            again = await reloaded.join(page="page-reloaded", resume=lease["resume"])
            assert again["ok"]
            assert again["totals"]["credit_ms"] == 10_000


async def test_who_was_cut_off_before_the_end_still_tells_their_last_seconds(served: School) -> None:
    async with served.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
        async with served.page("jia") as page:
            lease = (await page.join(mono=0))["lease"]
        served.clock.advance(30_000)
        await teacher.call("lesson:end")
        served.clock.advance(10_000)
        async with served.page("jia") as page, served.page("yi") as late:
            back = await page.join(resume=lease["resume"])
            assert (back["ok"], back["phase"]["state"]) == (True, "ended")
            told = await _beat(page, back["lease"], 40_000, [[0, 40_000]])
            assert (told["ok"], told["credit_ms"]) == (True, 30_000)
            assert (await late.join())["code"] == "lesson_ended"


async def test_signing_out_ends_the_lease_and_the_socket(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as page:
        await teacher.join()
        await teacher.call("lesson:start")
        await page.join()
        async with page.session.post("/api/v1/logout", json={}) as answer:
            assert answer.status == 200
        await asyncio.wait_for(page.client.wait(), 5)
    assert served.house.register.holders == {}


async def test_an_instructor_who_is_gone_before_the_answer_is_not_present(served: School) -> None:
    for at in range(20):  # it hangs up sooner or later on the way through the join
        async with served.page("teacher") as teacher:
            await teacher.client.emit("lesson:join", {"lesson_id": served.lesson_id, **JOIN})
            await asyncio.sleep(0.001 * at)
    async with served.page("teacher") as teacher:
        await teacher.join()
        assert (await teacher.call("lesson:start"))["phase"]["instructor_present"]
    running = await served.house.live.running(served.lesson_id)
    async with asyncio.timeout(5):
        while running.controls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not running.instructor_present


async def _watch(page: Page, lesson_id: str, media: dict[str, Any]) -> int:
    """Ask for the picture; the session waits for our packets, which never come."""
    connection = RTCPeerConnection()
    connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    headers = {"Authorization": f"Bearer {media['token']}", "Content-Type": "application/sdp"}
    offer = connection.localDescription.sdp
    await connection.close()
    async with page.session.post(f"/media/whep/{lesson_id}", data=offer, headers=headers) as answer:
        return answer.status


async def test_media_ends_with_the_login_also_without_a_socket(tmp_path: Path) -> None:
    async with (
        school(tmp_path, ManualClock(SystemClock().ms())) as served,
        served.page("teacher") as teacher,
        served.page("staff") as staff,
        served.page("jia") as trainee,
    ):
        await teacher.join()
        await teacher.call("lesson:start")
        for page in (staff, trainee):
            assert await _watch(page, served.lesson_id, (await page.join())["media"]) == 201
        sessions = served.sessions
        assert len(sessions) == 2
        for left, page in ((1, staff), (0, trainee)):
            await page.client.disconnect()
            async with page.session.post("/api/v1/logout", json={}) as answer:
                assert answer.status == 200
            assert len(sessions) == left


async def test_a_take_over_ends_media_whose_page_hung_up(tmp_path: Path) -> None:
    async with (
        school(tmp_path, ManualClock(SystemClock().ms())) as served,
        served.page("teacher") as teacher,
        served.page("jia") as first,
        served.page("jia") as second,
    ):
        await teacher.join()
        await teacher.call("lesson:start")
        assert await _watch(first, served.lesson_id, (await first.join())["media"]) == 201
        await first.client.disconnect()
        assert (await second.join(device="phone", page="page-two", password=PASSWORD))["ok"]
        assert len(served.sessions) == 0


async def test_a_regulator_watches_silently_and_on_record(served: School) -> None:
    async with served.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
        before = len(teacher.told)
        async with served.page("regulator") as regulator:
            assert (await regulator.join())["view_id"]
        await teacher.call("lesson:media")
        assert len(teacher.told) == before


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"device": "fridge"}, "device"),
        ({"page": "short"}, "page"),
        ({"page": "x" * 65}, "page"),
        ({"resume": "x" * 65}, "resume"),
        ({"password": "x" * 129}, "password"),
        ({"more": 1}, "more"),
    ],
)
async def test_malformed_joins_name_the_field(served: School, arguments: dict[str, Any], field: str) -> None:
    async with served.page("jia") as page:
        answer = await page.join(**arguments)
    assert (answer["code"], answer["data"]["field"]) == ("bad_request", field)


@pytest.mark.parametrize("mono", [-1, float("nan"), float("inf"), 2**53 + 2])
async def test_impossible_clocks_are_refused(served: School, mono: float) -> None:
    async with served.page("jia") as page:
        lease = (await page.join())["lease"]
        answer = await _beat(page, lease, mono, [])
    assert answer["code"] in ("beat_refused", "bad_request")


async def test_a_page_that_did_not_hear_the_answer_to_its_join_asks_again_over_the_same_line(served: School) -> None:
    async with served.page("jia") as page:
        first = (await page.join())["lease"]
        again = (await page.join())["lease"]
        assert again["epoch"] == first["epoch"] + 1
        assert page.heard("lease:probe") == []
        beat = {"epoch": again["epoch"], "seq": 1, "nonce": again["nonce"], "mono": 1_000, "spans": []}
        assert (await page.call("beat", **beat))["ok"]
