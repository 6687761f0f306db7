"""请人看一看: who sees what, and that each line names its trainee, its lesson and why."""

from pathlib import Path

from server.attendance.challenges import records
from server.attendance.challenges.pace import Said
from tests.attendance.test_views import _get
from tests.school import School, school


async def say(served: School, who: str, *delays: int, taken: bool = True) -> None:
    now = served.clock.ms()
    async with served.house.store.database.write() as connection:
        for number, delay in enumerate(delays, 1):
            said = Said(served.ids[who], now + 60_000 * number, number, delay, taken)
            await records.add_answer(connection, served.lesson_id, said)


async def test_those_who_oversee_a_class_see_what_a_person_should_look_at(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        await say(served, "jia", 12, taken=False)
        await say(served, "yi", 2_000)
        for who in ("staff", "admin", "regulator"):
            (one,) = (await _get(served, who, "challenges/notable"))["notable"]
            assert (one["trainee"]["name"], one["trainee"]["seat"]) == ("名jia", 1)
            assert one["lesson"]["id"] == served.lesson_id
            assert (one["why"], one["times"], one["least_ms"], one["others"]) == ("too_fast", 1, 12, [])
        assert (await _get(served, "abroad", "challenges/notable"))["notable"] == []


async def test_three_in_step_are_named_with_one_another(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        await served.house.training.enrol(served.class_id, served.ids["stranger"])
        for who in ("jia", "yi", "stranger"):
            await say(served, who, 2_000, 9_000, 3_000)
        found = (await _get(served, "staff", "challenges/notable"))["notable"]
        assert {(one["trainee"]["name"], one["why"], one["times"]) for one in found} == {
            ("名jia", "in_step", 3),
            ("名yi", "in_step", 3),
            ("名stranger", "in_step", 3),
        }
        (jia,) = (one for one in found if one["trainee"]["name"] == "名jia")
        assert {other["name"] for other in jia["others"]} == {"名yi", "名stranger"}
