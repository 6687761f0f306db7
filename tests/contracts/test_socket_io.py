"""npm's own socket.io-client against our server, of which it notices nothing: answers, pushes, order, reconnect."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server.core.wire import socket, written
from server.core.wire.fan_out import pushed
from server.core.wire.written import DIRECT_BYTES, MISSED, MOST_WAITING_BYTES
from tests.core.wire_server import TOLD, Greeted, Wire, wire
from tests.node import WEB, node

CLIENT = Path(__file__).with_name("_client.mjs")
PATIENCE_S = 20.0
GROUP = "class"
MANY = 200


class Client:
    """A page, as far as its socket goes."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def do(self, what: str, **how: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **how}).encode() + b"\n")
        await self._process.stdin.drain()

    async def heard(self) -> dict[str, Any]:
        """What happened next."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            found: dict[str, Any] = json.loads(await self._process.stdout.readline())
            return found

    async def until(self, was: str) -> dict[str, Any]:
        while (said := await self.heard())["was"] != was:
            pass
        return said


@pytest.fixture
async def served() -> AsyncIterator[Wire]:
    async with wire() as running:
        yield running


@asynccontextmanager
async def client(served: Wire, token: str = "t-token") -> AsyncIterator[Client]:
    command = [node(), str(CLIENT), str(WEB), served.url, token]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=1 << 24)
    try:
        yield Client(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def inside(served: Wire) -> AsyncIterator[tuple[Client, str]]:
    """A client in the group, and the name of its connection."""
    async with client(served) as page:
        assert await page.heard() == {"was": "connect"}
        (sid,) = served.sockets._connections
        await served.sockets.fan_out.join(sid, GROUP)
        yield page, sid


def _event(text: str) -> dict[str, Any]:
    return {"was": "event", "event": TOLD.event, "by": "", "text": text}


async def test_an_answer_comes_also_when_it_is_a_refusal(served: Wire) -> None:
    async with client(served) as page:
        await page.until("connect")
        await page.do("call", event="greet", payload={"name": "甲"})
        assert (await page.heard())["answer"] == {"ok": True, "text": "甲", "by": "trainee1"}
        await page.do("call", event="greet", payload={"name": "nobody"})
        assert (await page.heard())["answer"] == {"ok": False, "code": "not_found", "data": {"name": "nobody"}}
        await page.do("call", event="nonsense", payload={})
        assert (await page.heard())["answer"]["code"] == "bad_request"


async def test_a_refused_connection_is_told_why(served: Wire) -> None:
    async with client(served, token="stranger") as page:
        assert (await page.heard())["was"] == "connect_error"


@pytest.mark.parametrize("size", [0, 50, 125, 126, 1_000, 65_535, 65_536, 400_000])
async def test_a_push_of_any_size_arrives_whole(served: Wire, size: int) -> None:
    async with inside(served) as (page, sid):
        text = "课" * (size // 3) + "end"
        for to in (GROUP, sid):
            await served.sockets.fan_out.send(to, TOLD, Greeted(text, ""))
            assert await page.heard() == _event(text if len(text) <= 200 else f"{len(text)}{text[-3:]}")


async def test_pushes_come_in_the_order_in_which_they_were_sent(served: Wire) -> None:
    async with inside(served) as (page, sid):
        for number in range(MANY):
            await served.sockets.fan_out.send(GROUP if number % 3 else sid, TOLD, Greeted(str(number), ""))
            await asyncio.sleep(0.001 * (number % 2))
        assert [(await page.heard())["text"] for _ in range(MANY)] == [str(number) for number in range(MANY)]


async def test_answers_and_pushes_keep_their_order(served: Wire) -> None:
    async with inside(served) as (page, _):
        await page.do("burst", event="greet", payload={}, times=30)
        answers = [(await page.heard())["answer"]["text"] for _ in range(30)]
        assert answers == [str(number) for number in range(30)]
        await page.do("call", event="wait", payload={"name": "a"})
        await served.arrived.wait()
        await served.sockets.fan_out.send(GROUP, TOLD, Greeted("before", ""))
        served.go_on.set()
        assert [(await page.heard())["was"] for _ in range(2)] == ["event", "answer"]


async def test_what_we_ask_a_page_is_answered(served: Wire) -> None:
    async with inside(served) as (page, sid):
        asked = asyncio.create_task(served.sockets.fan_out.ask(sid, TOLD, Greeted("there?", ""), 5))
        assert await page.heard() == _event("there?")
        assert await asked


async def test_a_binary_is_refused_and_the_line_stays(served: Wire) -> None:
    async with inside(served) as (page, _):
        await page.do("binary")
        await page.do("call", event="greet", payload={"name": "after"})
        assert (await page.heard())["answer"]["text"] == "after"


async def test_who_only_listens_stays_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "PING_INTERVAL_S", 1)
    monkeypatch.setattr(socket, "PING_TIMEOUT_S", 2)
    async with wire() as served, inside(served) as (page, sid):
        await asyncio.sleep(7)
        await served.sockets.fan_out.send(GROUP, TOLD, Greeted("still there", ""))
        assert await page.heard() == _event("still there")
        assert list(served.sockets._connections) == [sid]


async def test_after_a_cut_line_the_client_is_back_and_in_no_group(served: Wire) -> None:
    async with inside(served) as (page, old):
        await page.do("cut")
        assert (await page.heard())["was"] == "disconnect"
        assert (await page.heard())["was"] == "connect"
        await _until(lambda: served.gone == [old])
        (sid,) = served.sockets._connections
        assert (list(served.sockets.fan_out._lines), served.sockets.fan_out._groups) == ([sid], {})
        await served.sockets.fan_out.send(GROUP, TOLD, Greeted("lost", ""))
        await served.sockets.fan_out.send(old, TOLD, Greeted("lost", ""))
        await served.sockets.fan_out.send(sid, TOLD, Greeted("found", ""))
        assert await page.heard() == _event("found")


async def test_who_reads_nothing_holds_up_nobody_and_is_told_what_happened(
    served: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more than the bound the newest of each push stays, and what was answered; another page gets all of it."""
    monkeypatch.setattr(written, "SEND_SECONDS", 60)  # the machine may be slow as well
    async with inside(served) as (slow, sid), client(served, "r-token") as quick:
        await quick.until("connect")
        (other,) = set(served.sockets._connections) - {sid}
        await served.sockets.fan_out.join(other, GROUP)
        await slow.do("stop")
        await slow.do("call", event="wait", payload={"name": "a"})
        text = "x" * 50_000
        count = 300
        for number in range(count):
            served.sockets.fan_out.say(GROUP, pushed(GROUP, TOLD.event, Greeted(f"{text}{number:04}", "")))
            assert (await quick.heard())["text"] == f"{len(text) + 4}{number:04}"[:-4] + f"{number:04}"[-3:]
        line = served.sockets.fan_out._lines[sid]
        assert 0 < line.waiting_bytes <= MOST_WAITING_BYTES + 2 * len(text)
        served.go_on.set()
        await slow.do("go")
        heard: list[dict[str, Any]] = []
        while not (heard and heard[-1]["was"] == "answer"):
            heard.append(await slow.heard())
        told = [one["text"][-3:] for one in heard if one.get("event") == TOLD.event]
        assert len(told) < count - DIRECT_BYTES // len(text)
        assert told == sorted(told, key=told.index)
        assert told[-1] == f"{count - 1:04}"[-3:]
        assert [one["event"] for one in heard if one.get("event") == MISSED.event] == [MISSED.event]


async def _until(true: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
