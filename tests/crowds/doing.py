"""What a full lesson does: all storm in and beat, some speak, everybody answers a poll; and what all know then."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import psutil

from tests.crowds.room import Line, Page, Told, each

LINES, PER_SECOND = 100, 20
#: a lesson of 2,000 fills in a minute
JOINS_PER_SECOND = 34
POLL_S = 10.0
BEAT_S = 10.0
#: what everybody is told has come to all by then, or is asked for
HEARD_S = 30.0
CHOICES = ["甲", "乙", "丙"]


def mono() -> float:
    """A page's clock, in milliseconds."""
    return time.monotonic() * 1_000


async def storm(pages: Sequence[Page]) -> None:
    """Everybody comes within a minute, whether those before them are in or not."""

    async def come(at: int, page: Page) -> None:
        await asyncio.sleep(at / JOINS_PER_SECOND)
        await page.join(mono())
        await page.catch_up()

    await asyncio.gather(*(come(at, page) for at, page in enumerate(pages)))


async def beating(pages: Sequence[Page]) -> None:
    """Everybody every ten seconds, one after another, until cancelled."""

    async def one(at: int, page: Page) -> None:
        await asyncio.sleep(BEAT_S * at / len(pages))
        while True:
            await page.beat(mono())
            await asyncio.sleep(BEAT_S)

    await asyncio.gather(*(one(at, page) for at, page in enumerate(pages)))


async def chat(pages: Sequence[Page]) -> int:
    """Lines at an even pace, each of another trainee; how many were taken."""
    begun, saying = time.monotonic(), []
    for number in range(LINES):
        await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
        saying.append(asyncio.create_task(pages[number * 7 % len(pages)].say(f"第 {number} 行")))
    return sum(await asyncio.gather(*saying))


async def poll(teacher: Page, pages: Sequence[Page]) -> int:
    """A poll that all answer within ten seconds; how many answers were taken."""
    question = {"kind": "single", "text": "选哪一个？", "choices": CHOICES}
    opened = await teacher.call("poll:prepare", question=question, open=True)
    assert opened["ok"], opened
    poll_id = (await teacher.call("lesson:since", seq=0))["changes"]["polls"][-1]["poll_id"]

    async def answer(at: int, page: Page) -> bool:
        await asyncio.sleep(POLL_S * at / len(pages))
        answered = await page.call("poll:answer", poll_id=poll_id, choices=[at % len(CHOICES)])
        return bool(answered["ok"] or answered["code"] == "poll_answered")  # before, only the answer was lost

    answered = sum(await asyncio.gather(*(answer(at, page) for at, page in enumerate(pages))))
    for event in ("poll:close", "poll:show"):
        assert (await teacher.call(event, poll_id=poll_id))["ok"]
    return answered


async def check_all_know(pages: Sequence[Page], told: Told, late: Page) -> None:
    """Everybody knows what somebody knows who comes now: every line once, every answer counted."""
    assert min(len(page.line.heard) for page in pages) > 0
    until = time.monotonic() + HEARD_S
    while True:  # the last of it is on its way
        news = [json.loads(text[2:])[1] for text in told.texts]
        await each(list(pages), lambda page: page.learn(news))  # noqa: B023  awaited here
        await late.catch_up()
        if {page.seq for page in pages} == {late.seq}:
            break
        assert time.monotonic() < until, sorted(page.seq - late.seq for page in pages)[:10]
        await asyncio.sleep(0.5)
    assert all(page.known == late.known for page in pages), "views differ"
    lines = [json.loads(view).get("text") for (activity, _), view in late.known.items() if activity == "chat"]
    assert sorted(filter(None, lines)) == sorted(f"第 {number} 行" for number in range(LINES))
    tallies = [json.loads(view)["tally"] for (activity, _), view in late.known.items() if activity == "polls"]
    assert [one["answered"] for one in tallies if one] == [len(pages)]


class Costs:
    """What phases took of servers and of people's patience, printed; docs/long.md keeps it."""

    def __init__(self, *pids: int) -> None:
        self.processes = [psutil.Process(pid) for pid in pids]
        self._cpu = [0.0] * len(pids)

    def tell(self, phase: str, lines: Sequence[Line]) -> None:
        acks = sorted(took for line in lines for took in line.acks_ms)
        for line in lines:
            line.acks_ms.clear()
        p99 = acks[len(acks) * 99 // 100] if acks else 0
        now = [_cpu(one, before) for one, before in zip(self.processes, self._cpu, strict=True)]
        spent = " + ".join(f"{after - before:.1f}" for after, before in zip(now, self._cpu, strict=True))
        rss = " + ".join(f"{_rss(one) / 2**20:.0f}" for one in self.processes)
        self._cpu = now
        print(f"{phase}: {spent} s CPU, {rss} MiB, {len(acks)} answers, p99 {p99:.0f} ms")


def _cpu(process: Any, before: float) -> float:
    try:
        return max(before, float(sum(process.cpu_times()[:2])))
    except psutil.NoSuchProcess:  # killed
        return before


def _rss(process: Any) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
