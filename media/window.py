"""Decides which parts each reader of a rendition gets: from a keyframe on, in order; one too slow gets the newest.

A reader that does not keep up holds up nobody: what waits for it is thrown away, and it begins again at a keyframe.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from media.fmp4 import Part

#: what waits for one reader, three seconds of it
MOST_WAITING = 15
#: whoever comes in begins at the last keyframe if that is no older, else at the next one, which is asked for
YOUNG_PARTS = 6


class Reader:
    """One who takes parts as they come. `at_once` may take one before it waits: True when it did."""

    def __init__(self, ask_keyframe: Callable[[], None], most: int = MOST_WAITING) -> None:
        self.skipped = 0
        self.at_once: Callable[[Part], bool] = _later
        self._most = most
        self._ask_keyframe = ask_keyframe
        self._waiting: deque[Part] = deque()
        self._news = asyncio.Event()
        self._needs_key = True
        self._closed = False

    def give(self, part: Part) -> None:
        if self._closed:
            return
        if len(self._waiting) >= self._most:
            self._waiting.clear()
            self._needs_key = True
            self.skipped += 1
        if self._needs_key and not part.key:
            self._ask_keyframe()
            return
        self._needs_key = False
        if not self._waiting and self.at_once(part):
            return
        self._waiting.append(part)
        self._news.set()

    async def next(self) -> Part | None:
        """The next part; None at the end."""
        while not self._waiting and not self._closed:
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft() if self._waiting else None

    def finish(self) -> None:
        """The end, after what waits."""
        self._closed = True
        self._news.set()

    def close(self) -> None:
        """The end, at once."""
        self._waiting.clear()
        self.finish()


class Window:
    """The parts of one rendition since its last keyframe, if that is young, and its readers."""

    def __init__(self, ask_keyframe: Callable[[], None]) -> None:
        self.readers: set[Reader] = set()
        self._ask_keyframe = ask_keyframe
        self._young: list[Part] = []

    def add(self, part: Part) -> None:
        if part.key:
            self._young.clear()
        if part.key or 0 < len(self._young) <= YOUNG_PARTS:
            self._young.append(part)
        for reader in self.readers:
            reader.give(part)

    def join(self, most: int = MOST_WAITING) -> Reader:
        reader = Reader(self._ask_keyframe, most)
        self.readers.add(reader)
        if 0 < len(self._young) <= YOUNG_PARTS:
            for part in self._young:
                reader.give(part)
        else:
            self._ask_keyframe()
        return reader

    def leave(self, reader: Reader) -> None:
        """No part comes any more; what waits may still be taken."""
        reader.finish()
        self.readers.discard(reader)


def _later(_part: Part) -> bool:
    return False
