"""Scripted seconds, the plan through a pipe, and the transcript."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from server.core.clock import ManualClock
from server.demo.stage import Part, Plan, Stage, read_plan

PART = Part("steady", "演示·甲", "trainee01", "secret")
START_MS = 1_795_400_000_000


def plan(folder: Path, tempo: float = 0.01) -> Plan:
    return Plan("http://127.0.0.1:1", "l", PART, (PART, PART), str(folder / "t.log"), tempo)


def test_a_plan_comes_through_the_pipe_as_it_was(tmp_path: Path) -> None:
    assert read_plan(json.loads(json.dumps(asdict(plan(tmp_path))))) == plan(tmp_path)


async def test_nothing_begins_before_the_curtain_and_seconds_are_scripted(tmp_path: Path) -> None:
    stage = Stage(plan(tmp_path), ManualClock(START_MS))
    loop = asyncio.get_running_loop()
    waiting = asyncio.gather(stage.until(20))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    stage.begin()
    started = loop.time()
    await waiting
    assert 0.19 <= loop.time() - started < 5
    await stage.until(1)  # long past


def test_the_transcript_says_when_who_and_what(tmp_path: Path) -> None:
    stage = Stage(plan(tmp_path), ManualClock(START_MS))
    stage.say(PART, "进入课堂")
    stage.say(PART, "下课")
    lines = (tmp_path / "t.log").read_text().splitlines()
    assert lines[0] == "2026-11-23T02:13:20.000Z 演示·甲 进入课堂"
    assert len(lines) == 2
