"""A lossy UDP relay before the media port: what a bad network does, the same way each time."""

import asyncio
from collections.abc import Callable
from typing import Any

Address = tuple[str | Any, int]
Drop = Callable[[int, bytes], bool]


def every(count: int) -> Drop:
    """Lose every `count`-th SRTP packet that is not RTCP; checks and handshakes pass."""

    def drop(number: int, datagram: bytes) -> bool:
        media = 128 <= datagram[0] < 192 and not 192 <= datagram[1] <= 223
        return media and number % count == 0

    return drop


class _Upstream(asyncio.DatagramProtocol):
    """The relay's own address for one client."""

    def __init__(self, back: Callable[[bytes], None]) -> None:
        self._back = back

    def datagram_received(self, data: bytes, _addr: Address) -> None:
        self._back(data)


class Relay(asyncio.DatagramProtocol):
    """Clients talk to `port`, the relay to the server; `drop` decides on each datagram in both directions."""

    def __init__(self, server: tuple[str, int], drop: Drop) -> None:
        self.lost = 0
        self.port = 0
        self._server, self._drop = server, drop
        self._number = 0
        self._up: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}
        self._down: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._down, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        self.port = self._down.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if addr not in self._up:
            self._up[addr] = asyncio.ensure_future(self._open(addr))
        self._up[addr].add_done_callback(lambda up: self._pass(data, up.result().sendto))

    async def _open(self, client: Address) -> asyncio.DatagramTransport:
        def back(data: bytes) -> None:
            if self._down is not None:
                down = self._down
                self._pass(data, lambda passed: down.sendto(passed, client))

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Upstream(back), remote_addr=self._server)
        return transport

    def _pass(self, data: bytes, send: Callable[[bytes], None]) -> None:
        self._number += 1
        if self._drop(self._number, data):
            self.lost += 1
        else:
            send(data)

    def close(self) -> None:
        for up in self._up.values():
            up.result().close()
        if self._down is not None:
            self._down.close()
