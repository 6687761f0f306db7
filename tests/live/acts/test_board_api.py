"""What moves over the board reaches everybody and is kept nowhere; who may not draw moves nothing; there is a limit."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.core.database import metadata
from server.live.acts import board_api
from tests.core.files.waiting import until
from tests.school import Page, School, school

PIECE: dict[str, Any] = {"deck": "", "page": 1, "tool": "pen", "colour": "red", "width": 20, "begins": True}
POINTER: dict[str, Any] = {**PIECE, "tool": "pointer", "points": [5, 6], "begins": False}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as opened:
        yield opened


async def begin(desk: Page, trainee: Page) -> None:
    await desk.join()
    assert (await desk.call("lesson:start"))["ok"]
    await trainee.join()
    assert (await desk.call("board:show", deck="", page=1))["ok"]


async def rows(served: School) -> int:
    async with served.house.store.database.read() as connection:
        return len((await connection.execute(metadata.tables["lesson_act"].select())).all())


async def test_what_moves_is_seen_by_all_and_kept_nowhere(served: School) -> None:
    async with served.page("teacher") as desk, served.page("jia") as trainee:
        await begin(desk, trainee)
        before = await rows(served)
        assert await desk.call("board:move", **PIECE, points=[1, 2, 3, 4]) == {"ok": True, "told": True}
        assert (await desk.call("board:move", **POINTER))["told"]
        await until(lambda: len(trainee.heard("board:moving")) == 2 == len(desk.heard("board:moving")), 20)
        piece, pointer = trainee.heard("board:moving")
        assert (piece["tool"], piece["points"], piece["by"]) == ("pen", [1, 2, 3, 4], served.ids["teacher"])
        assert (pointer["tool"], pointer["points"]) == ("pointer", [5, 6])
        assert await rows(served) == before


async def test_who_may_not_draw_moves_nothing(served: School) -> None:
    async with served.page("teacher") as desk, served.page("jia") as trainee:
        await begin(desk, trainee)
        assert (await trainee.call("board:move", **POINTER))["code"] == "switched_off"
        assert (await trainee.call("board:draw", **_stroke()))["code"] == "switched_off"
        assert (await desk.call("order:switch", what="drawing", on=True, person_id=served.ids["jia"]))["ok"]
        assert (await trainee.call("board:move", **POINTER))["told"]
        assert (await trainee.call("board:draw", **_stroke()))["ok"]
        assert (await trainee.call("board:show", deck="", page=2))["code"] == "forbidden"
        assert (await trainee.call("board:clear"))["code"] == "forbidden"
        assert (await desk.call("board:move", **PIECE, points=[1]))["code"] == "bad_request"


def _stroke() -> dict[str, Any]:
    return {"deck": "", "page": 1, "shape": "line", "colour": "blue", "width": 20, "points": [0, 0, 9, 9]}


async def test_a_stroke_reaches_who_is_there_and_who_comes_late(served: School) -> None:
    async with served.page("teacher") as desk, served.page("jia") as trainee, served.page("yi") as late:
        await begin(desk, trainee)
        seq = (await desk.call("board:draw", **_stroke()))["seq"]
        await until(lambda: any(one["seq"] >= seq for one in trainee.heard("lesson:acts")), 20)
        pushed = {one["id"]: one for news in trainee.heard("lesson:acts") for one in news["changes"]["board"]}
        await late.join()
        everything = (await late.call("lesson:since", seq=0))["changes"]["board"]
        assert {one["id"]: one for one in everything} == pushed
        assert pushed[str(seq)]["points"] == [0, 0, 9, 9]


async def test_there_is_so_much_a_second(served: School, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(board_api, "elapsed_ms", lambda: now[0])
    moves = board_api.Moves(None, None)  # type: ignore[arg-type]
    assert sum(moves._may("l jia", board_api.PERSON_PER_SECOND) for _ in range(50)) == board_api.AT_ONCE
    now[0] += 1_000
    assert sum(moves._may("l jia", board_api.PERSON_PER_SECOND) for _ in range(50)) == board_api.PERSON_PER_SECOND
    now[0] += board_api.FORGET_MS + 1
    assert moves._may("l yi", board_api.PERSON_PER_SECOND)
    assert set(moves._buckets) == {"l yi"}, "who went is forgotten"
    async with served.page("teacher") as desk, served.page("jia") as trainee:
        await begin(desk, trainee)
        told = [(await desk.call("board:move", **POINTER))["told"] for _ in range(12)]
        assert told == [True] * 10 + [False] * 2
