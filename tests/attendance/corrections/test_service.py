"""A trainee asks, staff propose, somebody else approves, a regulator objects: each step through the real doors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.training.rules import DAY_MS
from tests.attendance.test_views import _attend, _seal
from tests.school import School, school

BOTH_STORES = True


@asynccontextmanager
async def taught(folder: Path) -> AsyncIterator[School]:
    """A lesson of three minutes; jia was hidden in the second, yi never came. All is sealed."""
    async with school(folder) as served:
        async with served.page("teacher") as teacher, served.page("jia") as trainee:
            await teacher.join()
            await teacher.call("lesson:start")
            await _attend(served, trainee, 180, hidden=range(6, 12))
            await teacher.call("lesson:end")
        served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
        await _seal(served)
        yield served


async def ask(served: School, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with served.http(who) as session, session.request(method, f"/api/v1/{path}", json=body) as answer:
        return answer.status, await answer.json()


async def done(served: School, who: str, method: str, path: str, body: Any = None) -> Any:
    status, answer = await ask(served, who, method, path, body)
    assert status == 200, answer
    return answer


async def refused(served: School, who: str, method: str, path: str, body: Any = None) -> str:
    status, answer = await ask(served, who, method, path, body)
    assert status >= 400, answer
    code: str = answer["code"]
    return code


async def strip(served: School, who: str = "jia") -> Any:
    rows = (await done(served, "staff", "GET", f"lessons/{served.lesson_id}/strips"))["rows"]
    return rows[("jia", "yi").index(who)]


def minute(served: School, first: int, last: int | None = None) -> dict[str, int]:
    start = served.slots[0]
    return {"first_slot": start + first, "last_slot": start + (first if last is None else last)}


def proposal(served: School, first: int, last: int | None = None, **more: Any) -> dict[str, Any]:
    plain = {"person_id": served.ids["jia"], "measure": "full", "text": "讲师证明在场", "appeal_id": None}
    return {**plain, **minute(served, first, last), **more}


async def slots_of(served: School) -> list[int]:
    return [cell["slot"] for cell in (await strip(served))["cells"]]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with taught(tmp_path) as one:
        one.slots = await slots_of(one)
        yield one


async def propose(served: School, first: int, last: int | None = None, **more: Any) -> str:
    made = await done(
        served, "staff", "POST", f"lessons/{served.lesson_id}/corrections", proposal(served, first, last, **more)
    )
    return str(made["id"])


async def decide(served: School, correction: str, verdict: str = "approved", who: str = "admin") -> None:
    body = {"verdict": verdict, "text": "已核对回放"}
    await done(served, who, "POST", f"corrections/{correction}/decide", body)


async def test_from_an_appeal_to_a_corrected_minute(served: School) -> None:
    appeals = f"lessons/{served.lesson_id}/appeals"
    asked = await done(served, "jia", "POST", appeals, {**minute(served, 1), "text": "手机来电"})
    assert (asked["state"], asked["answer"]) == ("open", None)
    queue = await done(served, "staff", "GET", "corrections")
    assert [(one["trainee"]["seat"], one["appeal"]["text"]) for one in queue["appeals"]] == [(1, "手机来电")]

    before = await strip(served)
    assert [cell["credit_ms"] for cell in before["cells"]][:3] == [60_000, 0, 60_000]
    correction = await propose(served, 1, appeal_id=asked["id"])
    assert (await strip(served)) == before  # nothing counts before the second person
    assert (await done(served, "jia", "GET", appeals))["appeals"][0]["state"] == "proposed"
    await decide(served, correction)

    after = await strip(served)
    assert [cell["credit_ms"] for cell in after["cells"]] == [cell["credit_ms"] for cell in before["cells"]]
    assert [cell["corrected_ms"] for cell in after["cells"]][:3] == [None, 60_000, None]
    assert (after["totals"]["credit_ms"], after["totals"]["corrected_ms"]) == (120_000, 60_000)
    assert after["totals"]["confirmed_ms"] == 180_000
    (mine,) = (await done(served, "jia", "GET", appeals))["appeals"]
    assert (mine["state"], mine["answer"]) == ("corrected", "已核对回放")
    hours = await done(served, "staff", "GET", f"classes/{served.class_id}/hours")
    sums = {row["person_id"]: row["hours"]["remainder_ms"] for row in hours["rows"]}
    assert sums == {served.ids["jia"]: 180_000, served.ids["yi"]: 0}
    (rate,) = (await done(served, "regulator", "GET", "corrections"))["rates"]
    assert (rate["recorded_ms"], rate["given_ms"], rate["taken_ms"]) == (120_000, 60_000, 0)


async def test_two_different_people_decide(served: School) -> None:
    correction = await propose(served, 1)
    path, body = f"corrections/{correction}/decide", {"verdict": "approved", "text": "好"}
    assert await refused(served, "staff", "POST", path, body) == "second_person_needed"
    for who in ("teacher", "jia", "regulator"):
        assert await refused(served, who, "POST", path, body) == "forbidden"
    await decide(served, correction, "refused")
    assert await refused(served, "admin", "POST", path, body) == "correction_decided"
    assert (await strip(served))["totals"]["corrected_ms"] == 0


async def test_a_whole_class_is_corrected_and_the_correction_undone(served: School) -> None:
    correction = await propose(served, 0, 2, person_id=None)
    (listed,) = (await done(served, "admin", "GET", "corrections"))["corrections"]
    assert (listed["people"], listed["trainee"], listed["minutes"], listed["own"]) == (2, None, 4, False)
    assert (listed["before_ms"], listed["after_ms"]) == (0, 240_000)
    await decide(served, correction)
    assert (await strip(served, "yi"))["totals"]["confirmed_ms"] == 180_000

    served.clock.advance(MINUTE_MS)
    back = await done(served, "staff", "POST", f"corrections/{correction}/reverse", {"text": "误操作"})
    await decide(served, back["id"])
    assert (await strip(served, "yi"))["totals"]["confirmed_ms"] == 0
    assert (await strip(served))["totals"]["confirmed_ms"] == 120_000
    served.clock.advance(MINUTE_MS)
    again = await done(served, "staff", "POST", f"corrections/{correction}/reverse", {"text": "再来一次"})
    body = {"verdict": "approved", "text": "好"}
    assert await refused(served, "admin", "POST", f"corrections/{again['id']}/decide", body) == "correction_stale"
    states = [one["state"] for one in (await done(served, "admin", "GET", "corrections"))["corrections"]]
    assert states == ["proposed", "approved", "approved"]  # what was refused left nothing behind


async def test_minutes_can_be_taken_away(served: School) -> None:
    await decide(served, await propose(served, 0, measure="none", text="替课"))
    cells = (await strip(served))["cells"]
    assert (cells[0]["credit_ms"], cells[0]["corrected_ms"]) == (60_000, 0)
    assert (await strip(served))["totals"]["confirmed_ms"] == 60_000


async def test_what_was_proposed_on_old_values_is_stale(served: School) -> None:
    first, second = await propose(served, 1), await propose(served, 1, measure="full", text="同一分钟")
    await decide(served, first)
    body = {"verdict": "approved", "text": "好"}
    assert await refused(served, "admin", "POST", f"corrections/{second}/decide", body) == "correction_stale"
    served.clock.advance(MINUTE_MS)
    assert await refused(served, "admin", "POST", f"corrections/{second}/decide", body) == "correction_stale"
    await decide(served, second, "refused")


async def test_a_regulator_objects_within_the_window(served: School) -> None:
    correction = await propose(served, 1)
    path = f"corrections/{correction}/object"
    assert await refused(served, "regulator", "POST", path, {"text": "无依据"}) == "correction_not_approved"
    await decide(served, correction)
    assert await refused(served, "abroad", "POST", path, {"text": "无依据"}) == "not_found"
    assert await refused(served, "regulator", "POST", path, {"text": "无依据"}) == "correction_stale"  # within a minute
    served.clock.advance(MINUTE_MS)
    await done(served, "regulator", "POST", path, {"text": "无依据"})
    assert (await strip(served))["totals"]["confirmed_ms"] == 120_000
    (listed,) = (await done(served, "staff", "GET", "corrections"))["corrections"]
    assert (listed["state"], listed["objection"]) == ("objected", "无依据")
    assert await refused(served, "regulator", "POST", path, {"text": "无依据"}) == "correction_not_approved"
    undo = f"corrections/{correction}/reverse"
    assert await refused(served, "staff", "POST", undo, {"text": "再改"}) == "correction_not_approved"


async def test_the_windows_have_ends(served: School) -> None:
    correction = await propose(served, 1)
    await decide(served, correction)
    appeals, body = f"lessons/{served.lesson_id}/appeals", {**minute(served, 1), "text": "手机来电"}
    until = (await done(served, "jia", "GET", appeals))["until"]
    served.clock.advance(DAY_MS - MINUTE_MS - SEAL_AFTER_MS)
    assert (await done(served, "jia", "POST", appeals, body))["state"] == "open"
    served.clock.advance(1)
    status, answer = await ask(served, "jia", "POST", appeals, {**body, **minute(served, 0)})
    assert (status, answer["code"], answer["data"]) == (409, "appeal_too_late", {"until": until})
    served.clock.advance(29 * DAY_MS + MINUTE_MS + SEAL_AFTER_MS - 1)
    served.clock.advance(1)
    path = f"corrections/{correction}/object"
    assert await refused(served, "regulator", "POST", path, {"text": "无依据"}) == "objection_too_late"


async def test_an_appeal_is_refused_with_a_reason_and_may_not_pile_up(served: School) -> None:
    appeals = f"lessons/{served.lesson_id}/appeals"
    asked = await done(served, "jia", "POST", appeals, {**minute(served, 0, 1), "text": "手机来电"})
    again = {**minute(served, 1, 2), "text": "再问"}
    assert await refused(served, "jia", "POST", appeals, again) == "appeal_open"
    path = f"appeals/{asked['id']}/refuse"
    assert await refused(served, "jia", "POST", path, {"text": "不"}) == "forbidden"
    assert await refused(served, "staff", "POST", path, {"text": " "}) == "text_missing"
    await done(served, "staff", "POST", path, {"text": "回放中未见"})
    assert await refused(served, "staff", "POST", path, {"text": "回放中未见"}) == "appeal_answered"
    late = proposal(served, 1, appeal_id=asked["id"])
    assert await refused(served, "staff", "POST", f"lessons/{served.lesson_id}/corrections", late) == "appeal_answered"
    for _ in range(19):
        one = await done(served, "jia", "POST", appeals, again)
        await done(served, "staff", "POST", f"appeals/{one['id']}/refuse", {"text": "同上"})
    assert await refused(served, "jia", "POST", appeals, again) == "appeal_limit"
    listed = (await done(served, "jia", "GET", appeals))["appeals"]
    (first,) = (one for one in listed if one["id"] == asked["id"])
    assert (first["state"], first["answer"]) == ("refused", "回放中未见")


async def test_only_own_sealed_minutes_of_the_lesson(served: School) -> None:
    appeals, correct = f"lessons/{served.lesson_id}/appeals", f"lessons/{served.lesson_id}/corrections"
    assert await refused(served, "jia", "POST", appeals, {**minute(served, 400), "text": "哪里"}) == "not_found"
    assert await refused(served, "stranger", "POST", appeals, {**minute(served, 1), "text": "我"}) == "not_found"
    assert await refused(served, "jia", "POST", appeals, {**minute(served, 1), "text": ""}) == "text_missing"
    for wrong in (
        proposal(served, 1, person_id=served.ids["stranger"]),
        proposal(served, 1, appeal_id="0" * 16),
        proposal(served, 400),
    ):
        assert await refused(served, "staff", "POST", correct, wrong) == "not_found"
    assert await refused(served, "staff", "POST", correct, proposal(served, 0)) == "correction_empty"
    assert await refused(served, "staff", "POST", correct, proposal(served, 1, measure="reverse")) == "bad_request"
    assert (
        await refused(served, "admin", "POST", f"corrections/{'0' * 16}/decide", {"verdict": "approved", "text": "a"})
        == "not_found"
    )


async def test_somebody_elses_appeal_is_not_followed_with_my_minutes(served: School) -> None:
    appeals = f"lessons/{served.lesson_id}/appeals"
    asked = await done(served, "yi", "POST", appeals, {**minute(served, 1), "text": "我也在"})
    wrong = proposal(served, 1, appeal_id=asked["id"])
    assert await refused(served, "staff", "POST", f"lessons/{served.lesson_id}/corrections", wrong) == "not_found"
    assert (await done(served, "jia", "GET", appeals))["appeals"] == []


async def test_minutes_that_are_not_sealed_wait(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        await teacher.call("lesson:start")
        await _attend(served, trainee, 120)
        served.slots = await slots_of(served)
        body = {**minute(served, 0), "text": "手机来电"}
        assert await refused(served, "jia", "POST", f"lessons/{served.lesson_id}/appeals", body) == "minute_not_sealed"
        correct = f"lessons/{served.lesson_id}/corrections"
        assert await refused(served, "staff", "POST", correct, proposal(served, 0)) == "minute_not_sealed"


async def test_an_appeal_is_about_minutes_that_there_are_however_far_it_reaches(served: School) -> None:
    appeals = f"lessons/{served.lesson_id}/appeals"
    wide = {"first_slot": -(10**15), "last_slot": 10**15, "text": "我一直在"}
    asked = await done(served, "jia", "POST", appeals, wide)
    assert (asked["first_slot"], asked["last_slot"]) == (served.slots[0], served.slots[-1])
    reverse = {"first_slot": 10**15, "last_slot": -(10**15), "text": "我一直在"}
    assert await refused(served, "jia", "POST", appeals, reverse) == "not_found"
    assert await refused(served, "staff", "POST", f"lessons/{served.lesson_id}/corrections", proposal(served, 0)) == (
        "correction_empty"
    )
