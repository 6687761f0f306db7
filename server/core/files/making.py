"""Decides when pages of kept files are made, what there is of them, and what is said of those that cannot be.

What is made lies below a folder by the file's digest; it can always be made again, so it is in no backup. One file at a
time in each process, each in a program of its own (pages.py). Who asks for pages that are not all there has them made:
after a restart, a restore or a killed program it goes on so by itself.
"""

import asyncio
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.core.files.kinds import FileKind
from server.core.files.rules import BUSY, DONE, FULL, LOCKED, SIZES, TOO_LONG, WIDTHS
from server.core.files.store import DIGEST, FileStore
from server.core.tasks import Tasks

ROOT: Final = Path(__file__).resolve().parents[3]
PROGRAM: Final = (sys.executable, "-P", "-m", "server.core.files.pages")
#: what can be made into pages
PAGED: Final = (FileKind.PDF, FileKind.PNG, FileKind.JPEG, FileKind.WEBP)
TROUBLE: Final = "trouble"
#: a file that ends its program is tried once more: the kernel may have needed the memory
TRIES: Final = 2
ALL_SECONDS: Final = 3_600.0
RETRY_SECONDS: Final = 30.0
#: who asks for a page waits so long for it, and looks so often
WAIT_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.2
TROUBLES: Final = {TOO_LONG: "slides_too_long", LOCKED: "slides_locked"}
DAMAGED: Final = "slides_damaged"


@dataclass(frozen=True, slots=True)
class Pages:
    """What there is of a file: width and height of each page in tenths of a point (none before they are known), how
    many are `made`, and why no more will be."""

    sizes: list[tuple[int, int]]
    made: int
    trouble: str | None

    @property
    def over(self) -> bool:
        """Nothing will be added."""
        return self.trouble is not None or 0 < len(self.sizes) == self.made


class PageMaker:
    """Makes pages below `folder` of what `files` keeps."""

    def __init__(self, files: FileStore, folder: Path, tasks: Tasks, program: tuple[str, ...] = PROGRAM) -> None:
        self._files, self._folder, self._tasks, self._program = files, folder, tasks, program
        self._wanted: dict[str, FileKind] = {}
        self._tried: Counter[str] = Counter()
        self._busy: asyncio.Task[None] | None = None

    def want(self, digest: str, kind: FileKind) -> None:
        """Have them made, unless they are."""
        self._wanted.setdefault(digest, kind)
        if self._busy is None or self._busy.done():
            self._busy = self._tasks.spawn("files.pages", self._work())

    def try_again(self, digest: str) -> None:
        """Somebody gave the file once more: forget what went wrong with it."""
        self._tried.pop(digest, None)
        (self._folder / digest / TROUBLE).unlink(missing_ok=True)

    def pages(self, digest: str) -> Pages:
        """What there is of a file. Reads the disk."""
        folder = self._folder / digest
        sizes: list[tuple[int, int]] = []
        trouble = None
        with suppress(OSError, ValueError):
            sizes = [(width, height) for width, height in json.loads((folder / SIZES).read_bytes())]
        with suppress(OSError):
            trouble = (folder / TROUBLE).read_text()
        made = sum(1 for one in folder.glob("[0-9]*.txt")) if sizes else 0
        return Pages(sizes, min(made, len(sizes)), trouble)

    async def picture(self, digest: str, number: int, width: int) -> Path | None:
        """A page in one of WIDTHS; of one that is being made as soon as it is there."""
        path = self._folder / digest / f"{number}.{width}.webp"
        return path if width in WIDTHS and await self._there(digest, number, path) else None

    async def text(self, digest: str, number: int) -> str | None:
        """What can be read on a page."""
        path = self._folder / digest / f"{number}.txt"
        if not await self._there(digest, number, path):
            return None
        return await asyncio.to_thread(path.read_text)

    def sweep(self, known: Collection[str]) -> None:
        """Take away the pages of files that are kept no longer."""
        for one in list(self._folder.iterdir()) if self._folder.is_dir() else ():
            if DIGEST.fullmatch(one.name) and one.name not in known:
                shutil.rmtree(one, ignore_errors=True)

    async def _there(self, digest: str, number: int, path: Path) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS):
                while not await asyncio.to_thread(path.exists):
                    found = await asyncio.to_thread(self.pages, digest)
                    if found.over or (found.sizes and number > len(found.sizes)):
                        return False
                    await asyncio.sleep(LOOK_SECONDS)
                return True
        return False

    async def _work(self) -> None:
        while self._wanted:
            digest, kind = next(iter(self._wanted.items()))
            try:
                if not (await asyncio.to_thread(self.pages, digest)).over:
                    await self._make(digest, kind)
            finally:
                self._wanted.pop(digest, None)

    async def _make(self, digest: str, kind: FileKind) -> None:
        said = (str(self._files.path(digest)), kind.value, str(self._folder / digest), str(os.getpid()))
        while self._tried[digest] < TRIES:
            code = await self._run(said)
            if code == DONE:
                return
            if code in (BUSY, FULL):  # another process makes them; or there is no room now
                await asyncio.sleep(RETRY_SECONDS)
                return
            self._tried[digest] += 1 if code not in TROUBLES else TRIES
            if self._tried[digest] >= TRIES:
                await asyncio.to_thread(self.say, digest, TROUBLES.get(code, DAMAGED))

    async def _run(self, said: tuple[str, ...]) -> int:
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": paths}
        process = await asyncio.create_subprocess_exec(*self._program, *said, env=environment)
        try:
            async with asyncio.timeout(ALL_SECONDS):
                return await process.wait()
        except TimeoutError:
            return -1
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def say(self, digest: str, trouble: str) -> None:
        """Keep why no more can be made of a file."""
        with suppress(OSError):
            (self._folder / digest).mkdir(parents=True, exist_ok=True, mode=0o700)
            (self._folder / digest / TROUBLE).write_text(trouble)
