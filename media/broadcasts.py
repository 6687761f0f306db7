"""Decides which rooms are packed: those that somebody reads, one broadcast each, whoever reads and by whatever door."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from media.broadcast import Broadcast, Rendition
from media.plane import TICK_SECONDS
from media.room import Room
from media.tasks import Tasks, spare
from media.window import MOST_WAITING, Reader


class Broadcasts:
    """The broadcasts of one plane, whose `counts` these are. All calls on its loop."""

    def __init__(self, counts: Counter[str] | None = None) -> None:
        self._counts: Counter[str] = Counter() if counts is None else counts
        self._tasks = Tasks()
        self._running: dict[Room, Broadcast] = {}
        self._threads = ThreadPoolExecutor(1, "aac")
        self._ticking = False

    def join(self, room: Room, rendition: Rendition, most: int = MOST_WAITING) -> Reader:
        """A reader that begins at a keyframe; `leave` it."""
        if room not in self._running:
            self._running[room] = Broadcast(room, self._threads)
        if not self._ticking:
            self._ticking = True
            self._tasks.spawn(self._tick(), "tick")
        return self._running[room].join(rendition, most)

    def leave(self, room: Room, rendition: Rendition, reader: Reader) -> None:
        """Take a reader away; what waits for it may still be taken. Nothing happens the second time."""
        broadcast = self._running.get(room)
        if broadcast is None or not broadcast.has(rendition, reader):
            return
        broadcast.leave(rendition, reader)
        if not broadcast.renditions:
            del self._running[room]

    def epoch(self, room: Room) -> float:
        """When the time of a room's parts begins, in seconds since 1970; somebody must read it."""
        return self._running[room].epoch

    def close(self) -> None:
        """No AAC is made any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _tick(self) -> None:
        while self._running:
            await asyncio.sleep(TICK_SECONDS)
            for broadcast in self._running.values():
                with spare("tick of a broadcast", self._counts):
                    broadcast.tick()
        self._ticking = False
