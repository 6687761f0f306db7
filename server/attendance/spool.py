"""Decides when a beat is kept: when its line is on disk. Append-only files, one fsync for all lines that wait together.

A line is `crc32 space json`. A torn last line was never acknowledged and is dropped; damage before it is an error that
names the line.
"""

import asyncio
import os
import threading
import zlib
from binascii import hexlify
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from server.core.errors import DomainError
from server.core.tasks import Tasks

log = structlog.get_logger("attendance.spool")

SUFFIX: Final = ".spool"


class _Known(asyncio.Future[None]):
    """What becomes of a batch. Whoever is cancelled while they wait for it hears of that once it is known, not before:
    their line may count, and the others wait for the same.
    """

    def cancel(self, msg: Any = None) -> bool:
        del msg
        return False


@dataclass(slots=True)
class _Batch:
    """Lines that go to the disk together, and what becomes true when they are there."""

    known: _Known
    lines: list[bytes] = field(default_factory=list)
    then: list[tuple[Callable[..., None], tuple[Any, ...]]] = field(default_factory=list)

    def tell(self, error: DomainError | None) -> None:
        """Say how it went, once everything that follows from the stored lines is true."""
        if error is not None:
            self.known.set_exception(error)
            return
        for then, about in self.then:
            then(*about)
        self.known.set_result(None)


class Spool:
    """The journal of what was acknowledged but not yet sealed."""

    def __init__(self, folder: Path, tasks: Tasks) -> None:
        self._folder = folder
        self._tasks = tasks
        self._file: int | None = None
        self._size = self._begun_size = 0
        self._torn = False
        self._next: _Batch | None = None
        self._flushing = False
        self._turn: Callable[[], list[dict[str, Any]]] | None = None
        self._disk = threading.Lock()  # nobody closes a file that a thread is writing to

    def read(self) -> list[dict[str, Any]]:
        """All lines of all files in order. Raises DomainError spool_damaged (data: file, line)."""
        return [line for path in self._files() for line in _read(path)]

    def begin(self, lines: list[dict[str, Any]]) -> None:
        """Start a new file with `lines` (all that is still needed), then forget the old files.

        Raises DomainError disk_full; then everything is as before.
        """
        old, previous = self._files(), self._file
        number = max((int(path.stem) for path in old), default=0) + 1
        body = b"".join(_line(line) for line in lines)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = _create(self._folder / f"{number:08d}{SUFFIX}", body)
        except OSError as error:
            raise _full(error) from error
        with self._disk:
            self._file, self._size, self._begun_size, self._torn = file, len(body), len(body), False
            if previous is not None:
                os.close(previous)
        for one in old:
            one.unlink()

    def begin_soon(self, lines: Callable[[], list[dict[str, Any]]]) -> None:
        """Like `begin`, when no line is on its way; `lines` is asked then, so that it knows all that was stored.

        If the disk refuses, the old file stays in use.
        """
        self._turn = lines
        self._wake()

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self._folder

    @property
    def size(self) -> int:
        """Bytes in the current file."""
        return self._size

    @property
    def grown(self) -> int:
        """Bytes in the current file since it was begun."""
        return self._size - self._begun_size

    def append(self, line: dict[str, Any], then: Callable[..., None] | None = None, *about: Any) -> Awaitable[None]:
        """Have a line written; what is returned ends when it is on disk. All lines that wait together share it.

        Raises DomainError disk_full (data.reason), closing; then the line does not count. `then(*about)` is called
        once, exactly if the line is on disk, before anything else can happen in between; also when who waits is
        cancelled, of which they hear when all this is known.
        """
        if self._file is None:
            raise DomainError("closing")
        written = _line(line)
        batch = self._next
        if batch is None:
            batch = self._next = _Batch(_Known(loop=asyncio.get_running_loop()))
            self._wake()
        batch.lines.append(written)
        if then is not None:
            batch.then.append((then, about))
        return batch.known

    def _wake(self) -> None:
        if not self._flushing:
            self._flushing = True
            # its own task: a caller that goes away must not stop the rest
            self._tasks.spawn("spool", self._drain()).add_done_callback(self._drained)

    async def _drain(self) -> None:
        while self._next or self._turn:
            if self._turn is not None:
                turn, self._turn = self._turn, None
                try:
                    self.begin(turn())
                except DomainError as error:
                    log.warning("spool_not_begun_anew", **error.data)
            elif self._next is not None:
                batch, self._next = self._next, None
                await self._flush(batch)

    def _drained(self, task: asyncio.Task[None]) -> None:
        """Whatever ended the drain, nobody waits for ever."""
        self._flushing = False
        if task.cancelled() or task.exception() is not None:
            batch, self._next, self._turn = self._next, None, None
            if batch is not None:
                batch.tell(DomainError("closing"))
        elif self._next or self._turn:
            self._wake()

    async def _flush(self, batch: _Batch) -> None:
        body = b"".join(batch.lines)
        storing = asyncio.get_running_loop().run_in_executor(None, self._store, body)
        try:
            await asyncio.shield(storing)
        except OSError as error:
            batch.tell(_full(error))
        except asyncio.CancelledError:  # the thread goes on: only it knows what is on disk
            await asyncio.wait([storing])
            trouble = storing.exception()
            batch.tell(_full(trouble) if isinstance(trouble, OSError) else None)
            raise
        else:
            batch.tell(None)

    def _store(self, body: bytes) -> None:
        with self._disk:
            if self._file is None:
                raise OSError("the spool is closed")
            if self._torn:  # half a line must not stand before the next one
                os.ftruncate(self._file, self._size)
            self._torn = True
            _write(self._file, body)
            self._torn = False
            self._size += len(body)

    def close(self) -> None:
        """Close the current file; it is read again at the next start."""
        with self._disk:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}"))


def _full(error: OSError) -> DomainError:
    return DomainError("disk_full", reason=error.strerror or str(error))


def _create(path: Path, body: bytes) -> int:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        _write(file, body)
        _sync_folder(path.parent)
    except OSError:
        os.close(file)
        path.unlink(missing_ok=True)
        raise
    return file


def _write(file: int, body: bytes) -> None:
    view = memoryview(body)
    while view:
        view = view[os.write(file, view) :]
    os.fsync(file)


def _line(values: dict[str, Any]) -> bytes:
    body = orjson.dumps(values)
    return hexlify(zlib.crc32(body).to_bytes(4)) + b" " + body + b"\n"


def _read(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    whole, _, _torn = raw.rpartition(b"\n")
    lines: list[dict[str, Any]] = []
    for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
        checksum, _, body = line.partition(b" ")
        try:
            if checksum != b"%08x" % zlib.crc32(body):
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
