"""Decides how rooms are recorded: a reader like any other, whose parts a thread of its own writes (tape.py).

A slow or full disk holds up this thread and nothing else: so many parts wait for it, then they are thrown away. The
hole is written into the index as soon as it can be, counted, and told as the room's trouble. Where the last keyframe is
old, one is asked for, so that a replay can be entered there. The screen lies in a folder of its own, on the same clock,
and so does what comes as VP8, until it is encoded (afterwards.py).
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from media import clock
from media.broadcast import RENDITIONS, Rendition
from media.broadcasts import Broadcasts
from media.fmp4 import Part
from media.grants import is_check
from media.plane import Plane
from media.room import Room
from media.tape import RESERVE_BYTES, Tape, folder_of, suffix_of
from media.tasks import Tasks
from media.window import Reader

#: twenty seconds may wait for the disk
MOST_WAITING = 100
KEY_SECONDS = 8.0
STOP_SECONDS = 5.0
ROOM_NAME = re.compile(r"[A-Za-z0-9_-]+")
RECORDED: tuple[Rendition, ...] = ("picture", "screen", "picture_vp8", "screen_vp8")
#: its name among the plane's counts
HOLES = "recording_hole"


class Recording:
    """One rendition of a room being recorded; `epoch`: when the time of its parts begins."""

    def __init__(self, room: Room, rendition: Rendition, reader: Reader, tape: Tape, epoch: float) -> None:
        self.room, self.rendition, self.reader = room, rendition, reader
        self._tape, self._epoch = tape, epoch
        self._slot = RENDITIONS[rendition].slot
        self._skipped = 0
        self._keyed = 0.0

    @property
    def troubled(self) -> bool:
        return self._tape.hole is not None or self.reader.skipped > self._skipped

    async def run(self, plane: Plane, disk: ThreadPoolExecutor) -> None:
        """Write until the end."""
        loop = asyncio.get_running_loop()
        while (part := await self.reader.next()) is not None:
            self._keep_keyed(part)
            was_whole, skipped = self._tape.hole is None, self.reader.skipped
            missed = skipped > self._skipped
            at = self._epoch + part.begins + plane.now() - clock.unix()
            await loop.run_in_executor(disk, self._write, part, at, missed)
            self._skipped = skipped
            if missed or (was_whole and self._tape.hole is not None):
                plane.counts[HOLES] += 1
        await loop.run_in_executor(disk, self._tape.close)

    def _write(self, part: Part, at: float, missed: bool) -> None:
        self._tape.add(part, at, clock.monotonic(), missed=missed)

    def _keep_keyed(self, part: Part) -> None:
        if part.key:
            self._keyed = part.begins
        elif part.begins - self._keyed > KEY_SECONDS:
            self.room.ask_keyframe(self._slot)


class Recorder:
    """Records every room of a plane from its opening to its end, each in a folder of its name below `folder`."""

    def __init__(self, plane: Plane, broadcasts: Broadcasts, folder: Path, reserve: int = RESERVE_BYTES) -> None:
        self._plane, self._broadcasts = plane, broadcasts
        self._folder, self._reserve = folder, reserve
        self._disk = ThreadPoolExecutor(1, "recorder")
        self._tasks = Tasks()
        self._running: dict[Room, list[Recording]] = {}
        self._written: Counter[str] = Counter()
        self.on_written: list[Callable[[], None]] = []
        """Called when a rendition of a room is written to its end."""
        plane.on_room.append(self._on_room)

    @property
    def troubled(self) -> frozenset[str]:
        """The rooms of which nothing is written now, although there is something to write."""
        return frozenset(room.name for room, all_of in self._running.items() if any(each.troubled for each in all_of))

    @property
    def busy(self) -> Collection[str]:
        """The rooms that are being written."""
        return self._written.keys()

    async def stop(self) -> None:
        """End all; what waits is written, as far as the disk takes it soon."""
        for room in list(self._running):
            self._end(room)
        await self._tasks.drain(STOP_SECONDS)
        self._disk.shutdown(wait=False, cancel_futures=True)

    def _on_room(self, room: Room, is_open: bool) -> None:
        if not is_open:
            self._end(room)
        elif ROOM_NAME.fullmatch(room.name) and not is_check(room.name):
            self._running[room] = [self._begin(room, rendition) for rendition in RECORDED]

    def _begin(self, room: Room, rendition: Rendition) -> Recording:
        reader = self._broadcasts.join(room, rendition, MOST_WAITING)
        tape = Tape(folder_of(self._folder / room.name, rendition), self._reserve, suffix_of(rendition))
        recording = Recording(room, rendition, reader, tape, self._broadcasts.epoch(room))
        self._tasks.spawn(self._write(recording), "record")
        return recording

    async def _write(self, recording: Recording) -> None:
        name = recording.room.name
        self._written[name] += 1
        try:
            await recording.run(self._plane, self._disk)
        finally:
            self._written -= Counter([name])
            for each in self.on_written:
                each()

    def _end(self, room: Room) -> None:
        for recording in self._running.pop(room, []):
            self._broadcasts.leave(room, recording.rendition, recording.reader)
