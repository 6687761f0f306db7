"""Decides who goes next where one thing happens at a time: first come, first served; who finds it free goes on at once.

asyncio.Lock can be taken in a coroutine only, which is a tenth of what a beat costs when nobody else is there.
"""

import asyncio
from collections import deque


class Turns:
    """Taken by one at a time, who hands it to the one that has waited longest."""

    __slots__ = ("__weakref__", "_taken", "_waiting")

    def __init__(self) -> None:
        self._taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Have it now, if nobody has it."""
        if self._taken:
            return False
        self._taken = True
        return True

    async def wait(self) -> None:
        """Have it once all who came before are done."""
        if self.take():
            return
        ours = asyncio.get_running_loop().create_future()
        self._waiting.append(ours)
        try:
            await ours
        except asyncio.CancelledError:
            if not ours.cancelled():
                self.done()  # it was handed to us already
            raise

    def done(self) -> None:
        """Hand it on."""
        while self._waiting:
            next_one = self._waiting.popleft()
            if not next_one.cancelled():
                next_one.set_result(None)
                return
        self._taken = False

    async def __aenter__(self) -> None:
        await self.wait()

    async def __aexit__(self, *_: object) -> None:
        self.done()
