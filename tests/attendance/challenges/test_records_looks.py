"""Who looked at a line of 请人看一看, and what they found: for good, and the log is told."""

from pathlib import Path

from server.attendance.challenges.records_looks import looks_of
from server.ledger.records import all_said
from server.ledger.rules import split
from server.verify.formats import Kind, read_record
from tests.attendance.challenges.test_listed import say
from tests.attendance.test_views import _get
from tests.school import School, school


async def look(served: School, who: str, status: int, **more: object) -> str:
    """Say that somebody looked at jia's line; the code of a refusal."""
    body = {"person_id": served.ids["jia"], "why": "too_fast", "times": 1, "text": "问过了，误触", **more}
    path = f"/api/v1/lessons/{served.lesson_id}/notable"
    async with served.http(who) as session, session.post(path, json=body) as answer:
        assert answer.status == status
        return str((await answer.json()).get("code", ""))


async def test_somebody_looks_and_says_what_they_found_for_good(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        await say(served, "jia", 12, taken=False)
        for number, who in enumerate(("yi", "stranger"), 2):
            await say(served, who, *[100] * number, taken=False)
        for who, status in (("teacher", 403), ("regulator", 403), ("jia", 403), ("abroad", 403)):
            await look(served, who, status)
        assert await look(served, "staff", 400, text="  ") == "text_missing"
        assert await look(served, "staff", 409, times=2) == "notable_changed"
        assert await look(served, "staff", 404, why="in_step") == "not_found"
        await look(served, "staff", 200)
        assert await look(served, "admin", 409) == "notable_changed"  # it was looked at already
        found = (await _get(served, "regulator", "challenges/notable"))["notable"]
        assert [(one["trainee"]["name"], one["open"]) for one in found][-1] == (
            "名jia",
            False,
        )  # what is open comes first
        (seen,) = found[-1]["looks"]
        assert (seen["by"], seen["times"], seen["text"]) == ("名staff", 1, "问过了，误触")
        assert all(one["open"] and not one["looks"] for one in found[:-1])
        served.clock.advance(3_600_000)
        await say(served, "jia", 20, taken=False)  # one more: it is open again, and keeps what was found
        found = (await _get(served, "staff", "challenges/notable"))["notable"]
        (again,) = (one for one in found if one["trainee"]["name"] == "名jia")
        assert (again["open"], again["times"], len(again["looks"])) == (True, 2, 1)
        await look(served, "admin", 200, times=2, text="再看一次")
        database = served.house.store.database
        async with database.read() as connection:
            told = [read_record(raw) async for entry in all_said(connection) for raw in split(entry.records)]
            looks = (await looks_of(connection, [served.lesson_id]))[served.lesson_id]
        mine = sorted((one for one in told if one.kind == Kind.CHALLENGE_LOOK), key=lambda one: one.seq)
        assert [(one.seq, one.subject.hex(), one.resource.hex(), one.credit_ms) for one in mine] == [
            (1, served.ids["staff"], served.ids["jia"], 1),
            (2, served.ids["admin"], served.ids["jia"], 2),
        ]
        assert [(one.number, one.text) for one in looks] == [(1, "问过了，误触"), (2, "再看一次")]
