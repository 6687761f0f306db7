"""Order within a lesson: whatever several clients send at once, everybody is told its phases in the order of `seq`;
every event is acknowledged, and those that do something in the order in which they were sent.
"""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.wire.world import Line, world

WISHES = (
    "lesson:break",
    "lesson:resume",
    "lesson:media",
    "lesson:start",
    "beat",
    "nothing",
    "lesson:break",
    "lesson:resume",
)
EACH = 30


async def _send(line: Line, lesson_id: str, wishes: list[str]) -> None:
    """All at once, waiting for nothing."""
    for number, event in enumerate(wishes):
        await line.socket.send_str(f"42{number}{json.dumps([event, {'lesson_id': lesson_id}])}")


async def _heard(line: Line, answers: int) -> tuple[list[int], list[dict[str, Any]]]:
    """The numbers of its acknowledgements and the phases it was told, in the order they came."""
    acknowledged: list[int] = []
    phases: list[dict[str, Any]] = []
    while len(acknowledged) < answers:
        said = await line.socket.receive_str(timeout=20)
        if said == "2":
            await line.socket.send_str("3")
        elif said.startswith("43"):
            number, _, answer = said[2:].partition("[")
            acknowledged.append(int(number))
            assert "ok" in json.loads(f"[{answer}")[0]
        elif said.startswith('42["lesson:phase"'):
            phases.append(json.loads(said[2:])[1])
    return acknowledged, phases


@pytest.mark.parametrize("seed", range(3))
async def test_everybody_hears_the_lesson_in_its_order(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with world(tmp_path) as here:
        lesson_id = here.names["lesson_id"]
        join = {"lesson_id": lesson_id, "device": "desktop", "page": "page-order"}
        async with here.line("teacher") as one, here.line("teacher") as two, here.line("jia") as trainee:
            for line in (one, two, trainee):
                assert (await line.call("lesson:join", join))["ok"]
            assert (await one.call("lesson:start", {"lesson_id": lesson_id}))["ok"]
            lines = (one, two, trainee)
            wishes = [[chance.choice(WISHES) for _ in range(EACH)] for _ in lines]
            await asyncio.gather(*(_send(line, lesson_id, sent) for line, sent in zip(lines, wishes, strict=True)))
            heard = await asyncio.gather(*(_heard(line, EACH) for line in lines))
            # what was told before the last answer of each; the rest is on its way
            for sent, (acknowledged, phases) in zip(wishes, heard, strict=True):
                assert sorted(acknowledged) == list(range(EACH))
                known = [number for number in acknowledged if sent[number] != "nothing"]  # its refusal waits for none
                assert known == sorted(known)
                told = [phase["seq"] for phase in phases]
                assert told == list(range(told[0], told[0] + len(told))), "in order, none left out, none twice"
            last = max(phases[-1]["seq"] for _, phases in heard)
            assert last > 6, "the transcript moved the lesson"
        async with here.line("teacher") as late:
            joined = await late.call("lesson:join", join)
        assert joined["phase"]["seq"] >= last
