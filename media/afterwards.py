"""Decides when what was recorded as VP8 is encoded: after the lesson, or after a start that finds it undone.

One file at a time, by a program of its own (encode.py) at the lowest priority, so that a picture that hurts FFmpeg
hurts nobody else. What does not work is tried so many times by a process; a disk without room is waited for.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from media import encoded
from media.encode import BUSY, DONE, FULL, WRITTEN
from media.recorder import ROOM_NAME
from media.tape import FOLDERS, IVF, RESERVE_BYTES, folder_of
from media.tasks import Tasks

#: where this package lies
ROOT = Path(__file__).resolve().parent.parent
PROGRAM = (sys.executable, "-P", "-m", "media.encode")
TRIES = 3
RETRY_SECONDS = 60.0
#: what is told: of one that could not be made, of one for which there is no room
ENCODE_FAILED, DISK_FULL = "encode_failed", "disk_full"


@dataclass(frozen=True, slots=True, order=True)
class Work:
    """One file of VP8 of a room; `rendition` is what it belongs to."""

    room: str
    rendition: str
    number: int


class Afterwards:
    """Encodes below `folder` what no room of `busy` is. All calls on one loop."""

    def __init__(
        self, folder: Path, busy: Callable[[], Collection[str]], counts: Counter[str], reserve: int = RESERVE_BYTES
    ) -> None:
        self.waiting = 0
        """Files that are not encoded yet."""
        self._folder, self._busy, self._counts, self._reserve = folder, busy, counts, reserve
        self._tried: Counter[Work] = Counter()
        self._tasks = Tasks()
        self._news = asyncio.Event()

    def start(self) -> None:
        self._tasks.spawn(self._run(), "afterwards")

    async def stop(self) -> None:
        """What is being made is given up; the next start begins it anew."""
        await self._tasks.close()

    def look(self) -> None:
        """There may be something to do."""
        self._news.set()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            later = True
            with suppress(OSError):  # no memory for another program, say: later
                later = await self._all()
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS if later else None):
                    await self._news.wait()

    async def _all(self) -> bool:
        """Everything that can be done now, one after the other; whether some of it may work later."""
        later = False
        found = await asyncio.to_thread(self._find)
        self.waiting = len(found)
        for work in found:
            if work.room in self._busy() or self._tried[work] >= TRIES:
                continue
            code = await self._encode(work)
            self.waiting -= code == DONE
            later = later or (code != DONE and self._tried[work] < TRIES)
            if code == BUSY:
                break
        return later

    def _find(self) -> list[Work]:
        found = []
        for rendition in ("picture", "screen"):
            for path in self._folder.glob(f"*/{FOLDERS[f'{rendition}_vp8']}/*{IVF}"):
                room = path.relative_to(self._folder).parts[0]
                if ROOM_NAME.fullmatch(room) and path.stem.isdecimal():
                    found.append(Work(room, rendition, int(path.stem)))
        return sorted(found)

    async def _encode(self, work: Work) -> int:
        folder = folder_of(self._folder / work.room, work.rendition)
        encoded.forget(folder, work.number, encoded.PROGRESS)
        said = (str(self._folder), work.room, work.rendition, str(work.number), str(self._reserve), str(os.getpid()))
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        process = await asyncio.create_subprocess_exec(*PROGRAM, *said, env={**os.environ, "PYTHONPATH": paths})
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code == FULL:
            encoded.say(folder, work.number, encoded.TROUBLE, DISK_FULL)
        elif code not in (DONE, BUSY, WRITTEN):
            self._tried[work] += 1
            if self._tried[work] == TRIES:
                self._counts[ENCODE_FAILED] += 1
                encoded.say(folder, work.number, encoded.TROUBLE, ENCODE_FAILED)
        return code
