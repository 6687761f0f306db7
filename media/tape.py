"""Decides how the parts of a lesson become files as they come, and what is lost when process, power or disk fail.

A folder a room: `0001.mp4`, ... (`.ivf` of VP8), each an init segment and the parts behind it, playable alone, also
when its end is torn; and `index.jsonl`, a line a part by absolute time. Each part is handed to the system at once,
before its line: a killed process loses only what it has not packed yet. Both files are synced every SYNC_SECONDS,
because a sync a part would wear out small disks and hold up the evidence: so much a power cut may take. After a hole of
any kind, and with each new init segment, a new file begins. The first of a process whose former one was stopped or
killed says so (`again`): from the last part of that one on nothing was recorded. A file being written is locked, so
that whoever encodes it leaves it alone. Writes wait: a thread calls this, never a loop.
"""

import errno
import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from media import ivf
from media.fmp4 import Init, Part
from media.tap import SCREEN

INDEX = "index.jsonl"
SYNC_SECONDS = 5.0
RETRY_SECONDS = 5.0
#: a recording leaves so much of the disk to the evidence
RESERVE_BYTES = 2 << 30
RESERVE_FILES = 10_000
#: files by what they are, and where those of a rendition lie below the room's folder
MP4, IVF = ".mp4", ivf.SUFFIX
FOLDERS = {SCREEN: SCREEN, "picture_vp8": "vp8", "screen_vp8": f"{SCREEN}/vp8"}
SLOW = "slow"
STOPPED = "stopped"


class Tape:
    """One room's recording. It raises nothing: what cannot be written is a hole, and so is told."""

    def __init__(self, folder: Path, reserve: int = RESERVE_BYTES, suffix: str = MP4) -> None:
        self.hole: str | None = None
        """Why nothing is written now: `slow`, or the name of a system error; None when all is well."""
        self._folder, self._reserve, self._suffix = folder, reserve, suffix
        self._file: BinaryIO | None = None
        self._init: Init | None = None
        self._number = 0
        self._size = 0
        self._until: float | None = None
        self._seen = 0.0
        self._retry_at = 0.0
        self._synced_at = 0.0

    def add(self, part: Part, at: float, now: float, *, missed: bool) -> None:
        """Write a part that began at `at` (seconds since 1970). `missed`: some before it were thrown away."""
        self._seen = round(at + part.seconds, 3)
        if missed:
            self._stop(SLOW, now)
        if self.hole is not None and not (part.key and now >= self._retry_at):
            return
        try:
            if self._file is None or self._init is not part.init:
                self._begin(part.init, at)
            self._append(part, at)
            if now - self._synced_at >= SYNC_SECONDS:
                self._synced_at = now
                self._sync()
        except OSError as error:
            self._stop(errno.errorcode.get(error.errno or errno.EIO, "EIO"), now + RETRY_SECONDS)

    def close(self) -> None:
        """The room ended."""
        with suppress(OSError):
            self._sync()
            if self.hole is not None and self._folder.is_dir():
                self._say({"hole": self.hole, "from": self._until or self._seen, "to": self._seen})
        self._drop()

    def _begin(self, init: Init, at: float) -> None:
        self._drop()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check_room_left()
        earlier = [] if self._number else taken(self._folder, self._suffix)
        again = {"again": True} if earlier else {}
        self._number = max([self._number, *earlier]) + 1
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
        opened = os.open(self._folder / take_name(self._number, self._suffix), flags, 0o600)
        self._file, self._init, self._size = os.fdopen(opened, "wb", buffering=0), init, 0
        fcntl.flock(opened, fcntl.LOCK_EX)
        _write(self._file, init.data)
        said = {"codecs": init.codecs, "width": init.width, "height": init.height, "init": len(init.data)}
        if self.hole is not None:
            self._say({"hole": self.hole, "from": self._until or at, "to": at})
        self._say({"take": self._number, **said, **again})
        self._size, self.hole = len(init.data), None

    def _append(self, part: Part, at: float) -> None:
        if self._file is None:
            return
        _write(self._file, part.data)
        line = {"at": round(at, 3), "s": round(part.seconds, 4), "key": part.key, "start": self._size}
        self._say({**line, "size": len(part.data)})
        self._size += len(part.data)
        self._until = round(at + part.seconds, 3)

    def _say(self, line: dict[str, object]) -> None:
        """Each line begins with the end of the one before, so a torn one spoils no other."""
        opened = os.open(self._folder / INDEX, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        with os.fdopen(opened, "wb", buffering=0) as index:
            _write(index, b"\n" + json.dumps(line).encode())

    def _sync(self) -> None:
        if self._file is None:
            return
        os.fdatasync(self._file.fileno())
        for name, flags in ((INDEX, os.O_WRONLY), ("", os.O_RDONLY)):
            opened = os.open(self._folder / name, flags)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)
        self._check_room_left()

    def _check_room_left(self) -> None:
        left = os.statvfs(self._folder)
        few = left.f_files > 0 and left.f_favail < min(RESERVE_FILES, left.f_files // 10)
        if few or left.f_bavail * left.f_frsize < self._reserve:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _stop(self, why: str, retry_at: float) -> None:
        self.hole = self.hole or why
        self._retry_at = retry_at
        self._drop()

    def _drop(self) -> None:
        """Leave the file as it is, without what was written of a part by half."""
        file, self._file, self._init = self._file, None, None
        if file is not None:
            with suppress(OSError):
                os.ftruncate(file.fileno(), self._size)
            with suppress(OSError):
                file.close()


def folder_of(folder: Path, rendition: str) -> Path:
    """Where a rendition of a room is, whose own folder is `folder`: the others below what everybody has."""
    return folder / FOLDERS.get(rendition, "")


def suffix_of(rendition: str) -> str:
    """What its files are."""
    return IVF if rendition.endswith("_vp8") else MP4


def take_name(number: int, suffix: str = MP4) -> str:
    return f"{number:04}{suffix}"


def taken(folder: Path, suffix: str = MP4) -> list[int]:
    """The numbers of the files that are there."""
    return [int(path.stem) for path in folder.glob(f"*{suffix}") if path.stem.isdecimal()]


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
