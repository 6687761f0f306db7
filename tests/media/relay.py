"""A lossy UDP relay before the media port: what a bad network does, the same way each time.

It loses, it delays, and it may come from another port from one packet to the next, as a phone that changes its network.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any

Address = tuple[str | Any, int]
Drop = Callable[[int, bytes], bool]
#: seconds that a datagram takes, by when it comes
Delay = Callable[[float], float]


def every(count: int) -> Drop:
    """Lose every `count`-th SRTP packet that is not RTCP; checks and handshakes pass."""

    def drop(number: int, datagram: bytes) -> bool:
        media = 128 <= datagram[0] < 192 and not 192 <= datagram[1] <= 223
        return media and number % count == 0

    return drop


def some(share: float, seed: int = 1) -> Drop:
    """Lose this share of whatever comes, checks, handshakes and reports too, by chance that is the same each time."""
    chance = random.Random(seed)
    return lambda _number, _datagram: chance.random() < share


def jittery(most: float, every_s: float = 0.2, seed: int = 1) -> Delay:
    """A queue somewhere on the way: each `every_s` another delay, between nothing and `most` seconds."""
    chance = random.Random(seed)
    now = [0.0, -every_s]

    def delay(at: float) -> float:
        if at - now[1] >= every_s:
            now[:] = [chance.uniform(0, most), at]
        return now[0]

    return delay


class _Upstream(asyncio.DatagramProtocol):
    """The relay's own address for one client."""

    def __init__(self, back: Callable[[bytes], None]) -> None:
        self._back = back

    def datagram_received(self, data: bytes, _addr: Address) -> None:
        self._back(data)


class Relay(asyncio.DatagramProtocol):
    """Clients talk to `port`, the relay to the server; `drop` and `delay` decide on each datagram in both directions.

    Order is kept: what is overtaken waits.
    """

    def __init__(self, server: tuple[str, int], drop: Drop, delay: Delay | None = None) -> None:
        self.lost = 0
        self.port = 0
        self._server, self._drop, self._delay = server, drop, delay
        self._number = 0
        self._up: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}
        self._down: asyncio.DatagramTransport | None = None
        self._due: dict[str, float] = {}

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._down, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        self.port = self._down.get_extra_info("sockname")[1]

    def move(self) -> None:
        """Come from other ports from now on; what is still sent to those before is lost."""
        for up in self._up.values():
            up.add_done_callback(lambda opened: opened.result().close())
        self._up = {}

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if addr not in self._up:
            self._up[addr] = asyncio.ensure_future(self._open(addr))
        self._up[addr].add_done_callback(lambda up: self._pass("up", data, up.result()))

    async def _open(self, client: Address) -> asyncio.DatagramTransport:
        def back(data: bytes) -> None:
            if self._down is not None:
                self._pass("down", data, self._down, client)

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Upstream(back), remote_addr=self._server)
        return transport

    def _pass(self, way: str, data: bytes, line: asyncio.DatagramTransport, to: Address | None = None) -> None:
        self._number += 1
        if self._drop(self._number, data):
            self.lost += 1
        elif self._delay is None:
            _send(line, data, to)
        else:
            loop = asyncio.get_running_loop()
            due = self._due[way] = max(self._due.get(way, 0.0), loop.time() + self._delay(loop.time()))
            loop.call_at(due, _send, line, data, to)

    def close(self) -> None:
        self.move()
        if self._down is not None:
            self._down.close()


def _send(line: asyncio.DatagramTransport, data: bytes, to: Address | None) -> None:
    if not line.is_closing():
        line.sendto(data, to)
