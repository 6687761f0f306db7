"""A file is kept whole or not at all: torn, cancelled, too large, of no kind, or when the disk is full."""

import asyncio
import errno
import hashlib
import os
import shutil
from collections import namedtuple
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.core.errors import DomainError
from server.core.files import store as stores
from server.core.files.kinds import FileKind
from server.core.files.store import FileStore
from tests.core.files.documents import in_pieces, pdf, picture

PDF = pdf(["one"])
DIGEST = hashlib.sha256(PDF).hexdigest()
KINDS = frozenset({FileKind.PDF})
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files", reserve_bytes=0)


def left(store: FileStore) -> list[str]:
    return sorted(one.name for one in store.folder.iterdir()) if store.folder.exists() else []


async def refused(store: FileStore, content: bytes, most: int = 1 << 20) -> str:
    with pytest.raises(DomainError) as error:
        await store.take(in_pieces(content), most, KINDS)
    assert left(store) == []
    return error.value.code


async def test_a_file_is_kept_under_its_digest_and_read_back(store: FileStore) -> None:
    kept = await store.take(in_pieces(PDF), len(PDF), KINDS)
    assert (kept.digest, kept.size, kept.kind) == (DIGEST, len(PDF), FileKind.PDF)
    assert store.path(DIGEST).read_bytes() == PDF
    assert store.path(DIGEST).stat().st_mode & 0o077 == 0
    assert left(store) == store.digests() == [DIGEST]
    assert await store.take(in_pieces(PDF, 7), len(PDF), KINDS) == kept, "the same again is the same file"


async def test_the_limit_is_a_limit(store: FileStore) -> None:
    assert await refused(store, PDF, len(PDF) - 1) == "file_too_large"
    assert (await store.take(in_pieces(PDF), len(PDF), KINDS)).digest == DIGEST


async def test_nothing_and_what_is_not_asked_for_is_refused(store: FileStore) -> None:
    assert await refused(store, b"") == "file_empty"
    assert await refused(store, picture()) == "file_kind_refused"
    assert await refused(store, b"\x7fELF") == "file_kind_refused"
    assert await refused(store, PDF[:-40]) == "file_damaged"


async def test_a_torn_body_leaves_nothing(store: FileStore) -> None:
    async def torn() -> AsyncIterator[bytes]:
        yield PDF[:100]
        assert len(left(store)) == 1
        raise DomainError("bad_request", problem="torn")

    with pytest.raises(DomainError, match="bad_request"):
        await store.take(torn(), 1 << 20, KINDS)
    assert left(store) == []


async def test_whoever_cancels_leaves_nothing(store: FileStore) -> None:
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield PDF[:100]
        begun.set()
        await asyncio.sleep(60)

    async with asyncio.TaskGroup() as group:
        taking = group.create_task(store.take(slow(), 1 << 20, KINDS))
        await begun.wait()
        taking.cancel()
    assert taking.cancelled()
    assert left(store) == []


async def test_a_disk_that_fills_up_refuses_and_keeps_nothing(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert await refused(store, PDF) == "disk_full"
    monkeypatch.undo()
    monkeypatch.setattr(stores._Taken, "add", full)
    assert await refused(store, PDF) == "disk_full"


async def test_the_reserve_of_the_disk_is_asked_before_and_while_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, free = FileStore(tmp_path / "files", reserve_bytes=1000), [1000, 1000 + len(PDF) - 1]
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(0, 0, free.pop(0)))
    monkeypatch.setattr(stores, "ASK_BYTES", 16)
    assert await refused(store, PDF) == "disk_full"
    free[:] = [999]
    assert await refused(store, PDF) == "disk_full"
    free[:] = [1000, 1000 + len(PDF)]
    assert (await store.take(in_pieces(PDF), 1 << 20, KINDS)).digest == DIGEST


async def test_another_fault_is_no_full_disk(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="broken"):
        await store.take(in_pieces(PDF), 1 << 20, KINDS)
    assert left(store) == []


async def test_it_is_synced_before_it_has_its_name(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    real = os.fsync

    def note(handle: int) -> None:
        seen.append(left(store))
        real(handle)

    monkeypatch.setattr(os, "fsync", note)
    await store.take(in_pieces(PDF), 1 << 20, KINDS)
    assert [[name.startswith(".coming-") for name in names] for names in seen] == [[True], [False]], "file, folder"


async def test_what_is_missing_or_changed_is_named(store: FileStore) -> None:
    assert store.fault(DIGEST, len(PDF)) == "missing"
    await store.take(in_pieces(PDF), 1 << 20, KINDS)
    assert store.fault(DIGEST, len(PDF)) is None
    assert store.fault(DIGEST, len(PDF) + 1) == "changed"
    raw = bytearray(PDF)
    raw[50] ^= 1
    store.path(DIGEST).write_bytes(raw)
    assert store.fault(DIGEST, len(PDF)) == "changed"


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_digest_is_a_name(store: FileStore, name: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        store.path(name)


def aged(path: Path, seconds: float) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


async def test_what_nobody_refers_to_goes_once_it_is_old(store: FileStore) -> None:
    assert store.sweep(set()) == []
    await store.take(in_pieces(PDF), 1 << 20, KINDS)
    other = (await store.take(in_pieces(pdf(["two"])), 1 << 20, KINDS)).digest
    (store.folder / ".coming-0123").write_bytes(b"torn")
    (store.folder / "README").write_bytes(b"somebody's")
    assert store.sweep(set()) == [], "somebody may be about to write the row"
    for name in left(store):
        aged(store.folder / name, stores.GRACE_S + 5)
    assert store.sweep({other}) == [DIGEST]
    assert left(store) == sorted(["README", other])


async def test_what_comes_again_is_new_again(store: FileStore) -> None:
    await store.take(in_pieces(PDF), 1 << 20, KINDS)
    aged(store.path(DIGEST), stores.GRACE_S + 5)
    await store.take(in_pieces(PDF), 1 << 20, KINDS)
    assert store.sweep(set()) == []
