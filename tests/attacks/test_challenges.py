"""Attacks on prompt challenges, by real socket clients against a real house; an honest twin sits beside each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from server.attendance.challenges import pace
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from tests.attacks.arena import BEAT_MS, Client
from tests.attendance.challenges.test_page import SCHEME, ask
from tests.attendance.test_views import _get, _seal
from tests.school import Page, School, school

#: everybody who was here so long was asked
ASKED_MS: Final = 130_000
READ_MS: Final = 3_000
#: of a script that hopes for an earlier second
TRIES: Final = 3


class Sitter(Client):
    """A page that claims to be in front all the time. `way`: what it does with a question: `read`s and answers it,
    answers `at_once` and then no more, or `hide`s it.
    """

    def __init__(self, page: Page, way: str = "read") -> None:
        super().__init__(page)
        self.way, self.seen = way, 0
        page.client.on("challenge:state", self.told)

    def told(self, payload: dict[str, Any]) -> bool:
        self.page.told.append(("challenge:state", payload))
        return self.way != "hide"

    @property
    def asked(self) -> bool:
        """Whether there is a question that it has not dealt with."""
        heard = self.page.heard("challenge:state")
        return bool(heard) and heard[-1]["state"] == "asked" and heard[-1]["number"] > self.seen

    async def answer(self) -> dict[str, Any]:
        """What anybody, or any script, answers who reads what was sent."""
        state = self.page.heard("challenge:state")[-1]
        said = sum_or_code(state["prompt"])
        return await self.page.call("challenge:answer", epoch=self.lease["epoch"], number=state["number"], answer=said)

    async def hasten(self, served: School) -> int:
        """Answers before anybody can have read it, again and again; how much time that took."""
        for _ in range(TRIES):
            refused = await self.answer()
            assert (refused["ok"], refused["code"]) == (False, "challenge_too_fast")
            served.clock.advance(pace.TOO_FAST_MS - 1)
        return TRIES * (pace.TOO_FAST_MS - 1)


def sum_or_code(prompt: dict[str, Any]) -> str:
    if prompt["kind"] == "code":
        return str(prompt["text"])
    first, _, second = prompt["text"].partition(" + ")
    return str(int(first) + int(second))


@asynccontextmanager
async def room(folder: Path) -> AsyncIterator[tuple[School, Page]]:
    async with school(folder, scheme=SCHEME, prompts=True) as served, served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        yield served, desk


async def attend(served: School, ms: int, *sitters: Sitter) -> None:
    """Everybody beats every ten seconds, and does with a question what is their way."""
    spent = 0
    for _ in range(ms // BEAT_MS):
        served.clock.advance(BEAT_MS - spent)
        for one in sitters:
            one.mono += BEAT_MS
            assert (await one.beat())["ok"]
        await ask(served)
        await asyncio.gather(*served.house.challenges.showing.values(), return_exceptions=True)
        asked, spent = [one for one in sitters if one.asked], 0
        for one in (each for each in asked if each.way == "at_once"):
            spent += await one.hasten(served)
        readers = [each for each in asked if each.way == "read"]
        if readers:
            served.clock.advance(READ_MS - spent)
            spent = READ_MS
        for one in readers:
            assert (await one.answer())["state"] == "clear"
        for one in asked:
            one.seen = one.page.heard("challenge:state")[-1]["number"]


async def confirmed(served: School, desk: Page) -> dict[str, tuple[int, int]]:
    """By login what counts and what was recorded, once all is sealed."""
    await desk.call("lesson:end")
    await ask(served)
    served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
    await _seal(served)
    rows = (await _get(served, "staff", f"lessons/{served.lesson_id}/strips"))["rows"]
    by_id = {row["person_id"]: (row["totals"]["confirmed_ms"], row["totals"]["credit_ms"]) for row in rows}
    return {who: by_id[served.ids[who]] for who in ("jia", "yi")}


async def listed(served: School, who: str = "staff") -> list[tuple[str, str]]:
    found = (await _get(served, who, "challenges/notable"))["notable"]
    return [(one["trainee"]["person_id"], one["why"]) for one in found]


async def test_whoever_drops_the_challenge_channel_earns_nothing_and_is_listed(tmp_path: Path) -> None:
    async with room(tmp_path) as (served, desk), served.page("jia") as one, served.page("yi") as other:
        deaf, honest = Sitter(one, "hide"), Sitter(other)
        for sitter in (deaf, honest):
            await sitter.join()
        await attend(served, 2 * ASKED_MS, deaf, honest)
        counts = await confirmed(served, desk)
        assert counts["jia"][0] == 0 < counts["jia"][1], "it never passed anything"
        assert counts["yi"][0] > 0
        for who in ("staff", "regulator"):
            assert await listed(served, who) == [(served.ids["jia"], "not_shown")]


async def test_whoever_answers_in_no_time_earns_nothing_by_it_and_is_listed(tmp_path: Path) -> None:
    async with room(tmp_path) as (served, desk), served.page("jia") as one, served.page("yi") as other:
        script, honest = Sitter(one, "at_once"), Sitter(other)
        for sitter in (script, honest):
            await sitter.join()
        await attend(served, 2 * ASKED_MS, script, honest)
        counts = await confirmed(served, desk)
        assert counts["jia"][0] == 0 < counts["yi"][0]
        assert await listed(served) == [(served.ids["jia"], "too_fast")]


async def test_a_script_that_answers_for_three_in_step_is_listed_and_earns_as_its_twin(tmp_path: Path) -> None:
    async with room(tmp_path) as (served, desk), served.page("jia") as one, served.page("yi") as two:
        await served.house.training.enrol(served.class_id, served.ids["stranger"])
        async with served.page("stranger") as three:
            sitters = [Sitter(page) for page in (one, two, three)]
            for sitter in sitters:
                await sitter.join()
            await attend(served, 2 * ASKED_MS, *sitters)
            assert await listed(served) == [], "not yet again and again"
            await attend(served, (pace.STEP_TIMES - 1) * ASKED_MS, *sitters)
            counts = await confirmed(served, desk)
        assert 0 < counts["jia"][0] <= counts["jia"][1]
        assert abs(counts["jia"][0] - counts["yi"][0]) <= ASKED_MS, "no more than who answers alone"
        logins = ("jia", "yi", "stranger")
        assert sorted(await listed(served)) == sorted((served.ids[who], "in_step") for who in logins)
