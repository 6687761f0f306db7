"""Decides how a file is taken in and kept: under its digest, whole or not at all, and never over the disk's reserve.

Bytes go to a file of their own that nobody knows, are synced, looked at, and only then get their name. Who refers to a
file writes that down afterwards; what nobody refers to goes with the next sweep, after a time in which somebody might
still be about to. So a file that is taken in anew gets a new age.
"""

import asyncio
import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from server.core.errors import DomainError
from server.core.files.kinds import FileKind, kind_of

#: left on the disk for evidence, whatever comes
RESERVE_BYTES: Final = 2 << 30
#: the disk is asked again after so many bytes
ASK_BYTES: Final = 4 << 20
#: written at once
BLOCK_BYTES: Final = 256 << 10
#: what nobody refers to is kept so long
GRACE_S: Final = 3_600.0
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
#: what is still coming
COMING: Final = ".coming-"
FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is kept: SHA-256 in hexadecimal digits, bytes, what it is."""

    digest: str
    size: int
    kind: FileKind


class FileStore:
    """Files below a folder, which several processes may share."""

    def __init__(self, folder: Path, reserve_bytes: int = RESERVE_BYTES) -> None:
        self.folder, self._reserve = folder, reserve_bytes

    async def take(self, chunks: AsyncIterator[bytes], most_bytes: int, kinds: Collection[FileKind]) -> Stored:
        """Keep what comes, to its end. Raises DomainError file_too_large, file_kind_refused, file_damaged, file_empty,
        disk_full, and whatever `chunks` raises; nothing is left of it then, nor when it is cancelled."""
        path = self.folder / f"{COMING}{secrets.token_hex(8)}"
        try:
            taken = await asyncio.to_thread(self._begin, path)
            with taken.file:
                await self._fill(taken, chunks, most_bytes)
            return await asyncio.to_thread(self._keep, path, taken, kinds)
        except OSError as error:
            if error.errno in FULL:
                raise DomainError("disk_full") from error
            raise
        finally:
            path.unlink(missing_ok=True)

    def path(self, digest: str) -> Path:
        """Where a file lies. Raises ValueError for what is no digest."""
        if not DIGEST.fullmatch(digest):
            raise ValueError("no digest")
        return self.folder / digest

    def digests(self) -> list[str]:
        """Everything that is kept."""
        with suppress(FileNotFoundError):
            return sorted(one.name for one in self.folder.iterdir() if DIGEST.fullmatch(one.name))
        return []

    def fault(self, digest: str, size: int) -> Literal["missing", "changed"] | None:
        """What is wrong with a file that should be there."""
        path = self.path(digest)
        try:
            with path.open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == digest
            return None if same and path.stat().st_size == size else "changed"
        except OSError:
            return "missing"

    def sweep(self, known: Collection[str], grace_s: float = GRACE_S) -> list[str]:
        """Take away what nobody refers to, and what ceased to come, once it is old enough; the digests that went."""
        return [one.name for one in self._old(known, grace_s) if _gone(one) and DIGEST.fullmatch(one.name)]

    def _old(self, known: Collection[str], grace_s: float) -> Iterator[Path]:
        if not self.folder.is_dir():
            return
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=COMING) as fresh:
            now = Path(fresh.name).stat().st_mtime  # the file system's own time, as its files have it
        for one in list(self.folder.iterdir()):
            unknown = one.name.startswith(COMING) or (DIGEST.fullmatch(one.name) and one.name not in known)
            with suppress(FileNotFoundError):
                if unknown and now - one.stat().st_mtime > grace_s:
                    yield one

    def _begin(self, path: Path) -> "_Taken":
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._check_room(0)
        return _Taken(path.open("xb"))

    async def _fill(self, taken: "_Taken", chunks: AsyncIterator[bytes], most_bytes: int) -> None:
        block = bytearray()
        async for chunk in chunks:
            block += chunk
            if taken.size + len(block) > most_bytes:
                raise DomainError("file_too_large", limit_mb=most_bytes >> 20)
            if len(block) >= BLOCK_BYTES:
                await asyncio.to_thread(self._write, taken, bytes(block))
                block.clear()
        await asyncio.to_thread(self._write, taken, bytes(block))

    def _write(self, taken: "_Taken", block: bytes) -> None:
        if taken.size // ASK_BYTES != (taken.size + len(block)) // ASK_BYTES:
            self._check_room(len(block))
        taken.add(block)

    def _keep(self, path: Path, taken: "_Taken", kinds: Collection[FileKind]) -> Stored:
        if not taken.size:
            raise DomainError("file_empty")
        kind = kind_of(path)
        if kind not in kinds:
            raise DomainError("file_kind_refused")
        path.chmod(0o600)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        stored = Stored(taken.hash.hexdigest(), taken.size, kind)
        path.replace(self.path(stored.digest))
        _sync(self.folder)
        return stored

    def _check_room(self, more: int) -> None:
        if shutil.disk_usage(self.folder).free - more < self._reserve:
            raise DomainError("disk_full")


class _Taken:
    """A file that is coming."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.size, self.hash = file, 0, hashlib.sha256()

    def add(self, block: bytes) -> None:
        """Write more of it."""
        self.file.write(block)
        self.hash.update(block)
        self.size += len(block)


def _gone(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
