"""What a lesson's page gets: lease, media token, cells, rosters; and what it is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.school import PASSWORD, Page, School, school


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
    assert set(joined["lease"]) == {"epoch", "resume", "seq", "nonce"}
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


async def test_signing_out_ends_the_lease_and_the_socket(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as page:
        await teacher.join()
        await teacher.call("lesson:start")
        await page.join()
        async with page.session.post("/api/v1/logout", json={}) as answer:
            assert answer.status == 200
        await asyncio.wait_for(page.client.wait(), 5)
    assert served.house.register.holders == {}


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
