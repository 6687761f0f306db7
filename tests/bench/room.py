"""What a line to a whole room costs the server, beside Node's own Socket.IO server under the same crowd in this run.

Both are up all the while, each with a crowd of its own in another process; they are spoken to in turns, and only the
CPU time of the server's process counts. Where npm's `socket.io` is missing (`make bench` fetches it) it is left out.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from tests.node import node

HERE = Path(__file__).parent
PEER = HERE / "node"
PEOPLE = int(os.environ.get("KESHI_BENCH_ROOM", "2000"))
ROUNDS = 5
LINES, PER_SECOND = 100, 10.0
OURS = [sys.executable, "-m", "tests.bench._room_server"]
CROWD = [sys.executable, "-m", "tests.bench._room_crowd"]


class Room:
    """A server with a crowd in it."""

    def __init__(self, server: psutil.Process, crowd: Process, kib: float) -> None:
        self._server, self._crowd = server, crowd
        self.kib = kib
        self.us: list[float] = []
        self.acks_ms: list[float] = []

    async def talk(self) -> None:
        """One round: CPU microseconds of the server for each line and receiver, and how long answers took."""
        before = self._cpu_seconds()
        told = await _asked(self._crowd, f"{LINES} {PER_SECOND}")
        expected = LINES * PEOPLE
        if told["heard"] != expected or len(told["acks_ms"]) != LINES:
            raise RuntimeError(f"{told['heard']} of {expected} lines came, {len(told['acks_ms'])} answers")
        self.us.append((self._cpu_seconds() - before) * 1e6 / expected)
        self.acks_ms += told["acks_ms"]

    def _cpu_seconds(self) -> float:
        times = self._server.cpu_times()
        return float(times.user + times.system)


async def _asked(crowd: Process, line: str) -> dict[str, Any]:
    assert crowd.stdin is not None
    assert crowd.stdout is not None
    crowd.stdin.write(line.encode() + b"\n")
    found: dict[str, Any] = json.loads(await crowd.stdout.readline())
    return found


@asynccontextmanager
async def room(command: list[str]) -> AsyncIterator[Room]:
    """The server, and its crowd once all of it is in."""
    async with _process(command) as server:
        assert server.stdout is not None
        port = (await server.stdout.readline()).decode().strip()
        watched = psutil.Process(server.pid)
        before = watched.memory_info().rss
        async with _process([*CROWD, port, str(PEOPLE)]) as crowd:
            assert crowd.stdout is not None
            if await crowd.stdout.readline() != b"in\n":
                raise RuntimeError("the crowd did not get in")
            yield Room(watched, crowd, (watched.memory_info().rss - before) / 1_024 / PEOPLE)


@asynccontextmanager
async def _process(command: list[str]) -> AsyncIterator[Process]:
    started = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, cwd=HERE.parents[1], limit=1 << 24
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


def p99(values: list[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]


async def run() -> list[dict[str, Any]]:
    """Three figures, the last two of ours alone; with Node's beside them where it is."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(room(OURS))
        there = (PEER / "node_modules").is_dir()
        peer = await stack.enter_async_context(room([node(), str(PEER / "server.mjs")])) if there else None
        for _ in range(ROUNDS):
            for each in filter(None, (ours, peer)):
                await each.talk()
    us = median(ours.us)
    figures: list[dict[str, Any]] = [
        {"name": "chat.us", "value": us, "unit": f"us a line and receiver, {PEOPLE} people"},
        {"name": "room.ack_p99_ms", "value": p99(ours.acks_ms), "unit": "ms"},
        {"name": "room.kib_per_connection", "value": ours.kib, "unit": "KiB"},
    ]
    if peer is not None:
        theirs = median(peer.us)
        told = {"chat.us": (theirs, "us"), "room.ack_p99_ms": (p99(peer.acks_ms), "ms")}
        told["room.kib_per_connection"] = (peer.kib, "KiB")
        for figure in figures:
            value, unit = told[figure["name"]]
            figure |= {"peer": f"Node's socket.io {value:.3g} {unit}", "ratio": value / figure["value"]}
        pairs = [mine / other for mine, other in zip(ours.us, peer.us, strict=True)]
        figures.append({"name": "chat.vs_node", "value": median(pairs), "unit": "of Node's"})
    return figures
