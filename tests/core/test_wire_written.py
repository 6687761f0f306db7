"""What is said to one connection: at once while little is on its way, else in order, in bounds, and they are told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiohttp import WSMsgType, web

from server.core.tasks import Tasks
from server.core.wire import written
from server.core.wire.written import DIRECT_BYTES, MISSED, MOST_WAITING_BYTES, Message, Written, event, message

KIB = 1_024
TOLD = f'42["{MISSED.event}",{{}}]'.encode()


@dataclass
class Far:
    """Whoever is at the other end: what has been written to them, how much of it they have not taken."""

    got: list[bytes] = field(default_factory=list)
    untaken: int = 0
    closing: bool = False
    aborted: bool = False
    reads: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, frame: bytes) -> None:
        self.got.append(frame[2 if frame[1] < 126 else 4 if frame[1] == 126 else 10 :])

    def get_write_buffer_size(self) -> int:
        return self.untaken

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.aborted = True

    async def send_frame(self, data: bytes, _opcode: WSMsgType) -> None:
        if self.closing:
            raise ConnectionResetError
        self.got.append(data)
        await self.reads.wait()


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.close()
    assert made.failures == 0


async def _line(tasks: Tasks, far: Far) -> Written:
    line = Written(tasks)
    far.reads.set()
    await line.start(cast(web.WebSocketResponse, far), cast(asyncio.Transport, far), "0{}")
    far.reads.clear()
    return line


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _push(number: int, key: str = "class told", size: int = 8 * KIB) -> Message:
    return message(f"{key}{number:03}".encode().ljust(size, b"."), key)


def _numbers(far: Far) -> list[bytes]:
    return [one.rstrip(b".") for one in far.got]


def test_the_library_has_all_that_is_used_of_it() -> None:
    assert written.missing() == []


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_frame_says_how_long_it_is(size: int, head: bytes) -> None:
    assert message(b"x" * size).frame == head + b"x" * size


async def test_nothing_comes_before_the_greeting(tasks: Tasks) -> None:
    far, line = Far(), Written(tasks)
    line.say(message(b"early"))
    far.reads.set()
    await line.start(cast(web.WebSocketResponse, far), cast(asyncio.Transport, far), "0{}")
    line.say(message(b"late"))
    assert far.got == [b"0{}", b"early", b"late"]


async def test_it_is_written_at_once_while_little_is_on_its_way(tasks: Tasks) -> None:
    far = Far()
    line = await _line(tasks, far)
    far.untaken = DIRECT_BYTES - len(_push(1).frame)
    line.say(_push(1))
    assert _numbers(far)[1:] == [b"class told001"]
    await asyncio.wait_for(line.idle(), 1)


async def test_what_waits_is_written_in_order_and_nobody_is_listened_to_meanwhile(tasks: Tasks) -> None:
    far = Far()
    line = await _line(tasks, far)
    far.untaken = DIRECT_BYTES
    line.say(_push(1))
    far.untaken = 0  # what comes now must not overtake it
    line.say(_push(2))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(line.idle(), 0.01)
    line.say(_push(3))
    far.reads.set()
    await asyncio.wait_for(line.idle(), 1)
    line.say(_push(4))
    assert _numbers(far)[1:] == [b"class told00%d" % number for number in (1, 2, 3, 4)]


async def test_of_too_much_the_newest_of_each_push_stays_with_all_answers_and_they_are_told(tasks: Tasks) -> None:
    far = Far(untaken=DIRECT_BYTES)
    line = await _line(tasks, far)
    line.say(message(b"430[]"))  # on its way
    await _turns()
    line.say(_push(0, "desk rows"))
    line.say(message(b"431[]"))
    for number in range(1_000):
        line.say(_push(number))
        assert line.waiting_bytes <= MOST_WAITING_BYTES + DIRECT_BYTES
    far.reads.set()
    far.untaken = 0
    await asyncio.wait_for(line.idle(), 1)
    line.say(message(b"432[]"))
    got = _numbers(far)[1:]
    assert got[:2] == [b"430[]", b"desk rows000"]
    assert got.index(b"431[]") == 2
    assert got.count(TOLD) == 1
    numbers = [int(one[-3:]) for one in got if one.startswith(b"class told")]
    assert numbers == sorted(numbers)
    assert (numbers[-1], got[-1]) == (999, b"432[]")
    assert len(numbers) < MOST_WAITING_BYTES // (8 * KIB) + 2


async def test_answers_alone_are_never_left_out(tasks: Tasks) -> None:
    far = Far(untaken=DIRECT_BYTES)
    line = await _line(tasks, far)
    answers = [message(b"43%d[]" % number + b"." * 64 * KIB) for number in range(10)]
    for answer in answers:
        line.say(answer)
    far.reads.set()
    await asyncio.wait_for(line.idle(), 1)
    assert far.got[1:] == [answer.data for answer in answers]


async def test_who_takes_nothing_in_time_is_hung_up_and_forgotten(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written, "SEND_SECONDS", 0.05)
    far = Far(untaken=DIRECT_BYTES)
    line = await _line(tasks, far)
    line.say(_push(1))
    line.say(_push(2))
    await asyncio.wait_for(line.idle(), 1)
    assert far.aborted
    line.say(_push(3))
    assert (line.waiting_bytes, _numbers(far)[1:]) == (0, [b"class told001"])


@pytest.mark.parametrize("waits", [True, False])
async def test_nothing_is_written_to_who_is_gone(tasks: Tasks, waits: bool) -> None:
    far = Far(untaken=DIRECT_BYTES if waits else 0)
    line = await _line(tasks, far)
    far.closing = True
    line.say(_push(1))
    await _turns()
    line.say(_push(2))
    await asyncio.wait_for(line.idle(), 1)
    assert (line.waiting_bytes, far.got[1:]) == (0, [])


async def test_an_event_is_one_text_of_engine_and_socket_io() -> None:
    payload: dict[str, Any] = {"a": "课"}
    assert event("told", payload).data.decode() == '42["told",{"a":"课"}]'
