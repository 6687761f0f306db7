"""A crowd of cheap websockets: they read, count lines, answer pings, and speak when they are told to.

python -m tests.bench._room_crowd PORT PEOPLE

Prints "in" once all are connected. Each line of input, "LINES PER_SECOND", lets that many lines be said, each by
another of them, and prints one line of JSON: `{"heard": all lines that all heard, "acks_ms": [...]}`.
"""

import asyncio
import json
import secrets
import sys
import time
from typing import cast

import uvloop

from tests.bench._room_server import ORIGIN

TEXT = "老师好，安全带挂点的位置和作业面的距离，按新规范应当怎样确定？"
MARK = b'42["line"'
PING, PONG = b"\x81\x012", b"3"
ACK = b"430[{"
AT_ONCE = 50
#: at most so long is waited until everybody heard the last line
HEARD_S = 20.0


def masked(data: bytes) -> bytes:
    """A text frame of a client; the mask is zero, which is one as good as another."""
    size = len(data)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0x80 | 126)) + size.to_bytes(2, "big")
    return head + bytes(4) + data


class Person(asyncio.Protocol):
    """One socket: what it hears is looked through for marks, never parsed."""

    def __init__(self) -> None:
        self.heard = 0
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.said_at: float | None = None
        self.acks_ms: list[float] = []
        self._tail = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are of no class of asyncio's
        self.transport.write(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: room.example\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Origin: %s\r\nCookie: keshi_session=%s\r\n\r\n" % (ORIGIN.encode(), secrets.token_hex(8).encode())
        )

    def data_received(self, data: bytes) -> None:
        if not self.entered.done():
            self._enter(data)
            return
        seen = self._tail + data
        self.heard += seen.count(MARK)
        if PING in seen:
            self.transport.write(masked(PONG))
        if self.said_at is not None and ACK in seen:
            self.acks_ms.append((time.perf_counter() - self.said_at) * 1_000)
            self.said_at = None
        # what may be the beginning of a mark stays; a mark itself never does
        self._tail = data[-len(MARK) + 1 :]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.entered.done():
            self.entered.set_exception(exc or ConnectionResetError("refused"))

    def say(self, event: str, payload: object) -> None:
        self.said_at = time.perf_counter()
        self.transport.write(masked(b"420" + json.dumps([event, payload], ensure_ascii=False).encode()))

    def _enter(self, data: bytes) -> None:
        self._tail += data
        if not self._upgraded and b"\r\n\r\n" in self._tail:
            self._upgraded = True
            self.transport.write(masked(b"40"))
        if b'40{"sid"' in self._tail:
            self._tail = b""
            self.entered.set_result(None)


async def connect(port: int, people: int) -> list[Person]:
    """All of them, some at once, each in the room: ours asks for a command, Node's takes whoever connects."""
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def one() -> Person:
        async with gate:
            _, person = await loop.create_connection(Person, "127.0.0.1", port)
            await person.entered
            person.say("enter", {})
            return person

    return list(await asyncio.gather(*(one() for _ in range(people))))


async def talk(crowd: list[Person], lines: int, per_second: float) -> dict[str, object]:
    """Lines at an even pace, each of another person, until all have heard all."""
    for person in crowd:
        person.heard, person.said_at, person.acks_ms = 0, None, []
    began = time.perf_counter()
    for number in range(lines):
        await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
        speaker = crowd[number * 7 % len(crowd)]
        speaker.say(
            "say",
            {"id": number, "at": "2026-11-27T10:00:00.000Z", "person_id": "0" * 16, "name": "演示·甲", "text": TEXT},
        )
    until = time.perf_counter() + HEARD_S
    while not _all_came(crowd, lines) and time.perf_counter() < until:  # noqa: ASYNC110  one look beside 2,000 sockets
        await asyncio.sleep(0.02)
    return {"heard": sum(one.heard for one in crowd), "acks_ms": [took for one in crowd for took in one.acks_ms]}


def _all_came(crowd: list[Person], lines: int) -> bool:
    heard, answers = sum(one.heard for one in crowd), sum(len(one.acks_ms) for one in crowd)
    return heard >= lines * len(crowd) and answers >= lines


async def main(port: int, people: int) -> None:
    crowd = await connect(port, people)
    await asyncio.sleep(1)
    print("in", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        lines, per_second = line.split()
        print(json.dumps(await talk(crowd, int(lines), float(per_second))), flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
