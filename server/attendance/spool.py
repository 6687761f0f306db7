"""Decides when a beat is kept: when its line is on disk. Append-only files, one fsync for all lines that wait together.

A line is `crc32 space json`. A torn last line was never acknowledged and is dropped; damage before it is an error that
names the line.
"""

import asyncio
import os
import zlib
from pathlib import Path
from typing import Any, Final

import orjson

from server.core.errors import DomainError
from server.core.tasks import Tasks

SUFFIX: Final = ".spool"


class Spool:
    """The journal of what was acknowledged but not yet sealed."""

    def __init__(self, folder: Path, tasks: Tasks) -> None:
        self._folder = folder
        self._tasks = tasks
        self._file: int | None = None
        self._number = 0
        self._size = 0
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flushing = False

    def read(self) -> list[dict[str, Any]]:
        """All lines of all files in order. Raises DomainError spool_damaged (data: file, line)."""
        lines: list[dict[str, Any]] = []
        for path in self._files():
            lines += _read(path)
            self._number = max(self._number, int(path.stem))
        return lines

    def begin(self, lines: list[dict[str, Any]]) -> None:
        """Start a new file with `lines` (all that is still needed), then forget the old files."""
        old, previous = self._files(), self._file
        path = self._folder / f"{self._number + 1:08d}{SUFFIX}"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            body = b"".join(_line(line) for line in lines)
            _write(file, body)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        _sync_folder(self._folder)
        self._number, self._file, self._size = self._number + 1, file, len(body)
        if previous is not None:
            os.close(previous)
        for one in old:
            one.unlink()

    @property
    def size(self) -> int:
        """Bytes in the current file."""
        return self._size

    @property
    def busy(self) -> bool:
        """Whether lines are on their way to the disk."""
        return self._flushing or bool(self._waiting)

    async def append(self, line: dict[str, Any]) -> None:
        """Return when the line is on disk. Raises DomainError disk_full (data.reason); then nothing of it is kept."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((_line(line), done))
        if not self._flushing:
            self._flushing = True
            self._tasks.spawn("spool", self._drain())  # its own task: a caller that goes away must not stop the rest
        await done

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._flush()
        finally:
            self._flushing = False

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            await asyncio.to_thread(self._store, b"".join(line for line, _ in batch))
        except OSError as error:
            for _, done in batch:
                if not done.done():
                    done.set_exception(DomainError("disk_full", reason=error.strerror or "write failed"))
            return
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    def _store(self, body: bytes) -> None:
        if self._file is None:
            raise OSError("the spool is closed")
        try:
            _write(self._file, body)
        except OSError:
            os.ftruncate(self._file, self._size)  # half a line must not stand before the next one
            raise
        self._size += len(body)

    def close(self) -> None:
        """Close the current file; it is read again at the next start."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}"))


def _write(file: int, body: bytes) -> None:
    view = memoryview(body)
    while view:
        view = view[os.write(file, view) :]
    os.fsync(file)


def _line(values: dict[str, Any]) -> bytes:
    body = orjson.dumps(values)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def _read(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    whole, _, _torn = raw.rpartition(b"\n")
    lines: list[dict[str, Any]] = []
    for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
        checksum, _, body = line.partition(b" ")
        try:
            if int(checksum, 16) != zlib.crc32(body):
                raise ValueError
            lines.append(orjson.loads(body))
        except ValueError as error:
            raise DomainError("spool_damaged", file=path.name, line=number) from error
    return lines


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
