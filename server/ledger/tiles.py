"""Decides how the log comes into files: tiles and bundles beside the store, each written whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from server.core.errors import DomainError
from server.verify import tiles
from server.verify.handover import FILE as HANDOVERS
from server.verify.tiles import HEIGHT, WIDTH, Tiles
from server.verify.tree import Refused, leaf_hash, root

PUT_BACK: Final = "put-back"


class TileFolder:
    """C2SP tlog-tiles in a folder. Everything in it can be made again from the leaves in the store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, path: str) -> bytes:
        """A file's content; a part of a tile also when there is only the whole one. Raises KeyError."""
        return tiles.part_of(self._read, path)

    def _read(self, path: str) -> bytes:
        try:
            return (self._folder / path).read_bytes()
        except OSError as error:
            raise KeyError(path) from error

    def tree(self, size: int) -> Tiles:
        """The hashes of the first `size` leaves."""
        return Tiles(size, self.fetch)

    def grow(self, old: int, leaves: Sequence[bytes]) -> None:
        """Add leaves after the first `old`; doing it again changes nothing.

        Raises DomainError disk_full; Refused when earlier tiles are missing or damaged.
        """
        size = old + len(leaves)
        self._grow_bundles(old, leaves)
        hashes = [leaf_hash(one) for one in leaves]
        level, begin = 0, old
        while hashes or (size >> (HEIGHT * level)):
            self._grow_level(level, begin, hashes, size)
            full_before, full_now = begin // WIDTH, (begin + len(hashes)) // WIDTH
            hashes = [self._whole(level, index) for index in range(full_before, full_now)]
            level, begin = level + 1, full_before

    def say(self, checkpoint: str, handovers: Sequence[str] = ()) -> None:
        """Publish a signed note: from now on this is the log; with the handovers of its keys, if there were any."""
        if handovers:
            self._write(HANDOVERS, json.dumps(handovers).encode())
        self._write(tiles.CHECKPOINT, checkpoint.encode())

    def parts_fit(self) -> bool:
        """Whether each part of a tile, also of earlier sizes, is the beginning of the widest."""
        for folder in self._folder.rglob("*.p"):
            parts = sorted((one for one in folder.iterdir() if one.name.isdecimal()), key=lambda one: int(one.name))
            if not all(parts[-1].read_bytes().startswith(one.read_bytes()) for one in parts):
                return False
        return True

    @property
    def put_back(self) -> bool:
        """Whether the store was put back from a backup, and nobody has said yet that there is nothing newer."""
        return (self._folder / PUT_BACK).exists()

    def was_put_back(self) -> None:
        """Say so, after a restore."""
        self._write(PUT_BACK, b"")

    def found_newest(self) -> None:
        """There is nothing newer."""
        (self._folder / PUT_BACK).unlink(missing_ok=True)

    def said(self) -> str | None:
        """The note that was published last."""
        try:
            return self.fetch(tiles.CHECKPOINT).decode()
        except (KeyError, UnicodeDecodeError):
            return None

    def _grow_level(self, level: int, begin: int, hashes: Sequence[bytes], size: int) -> None:
        """Hashes begin.. of a level: the tile that they begin in is written anew with what stood in it."""
        first = begin // WIDTH
        kept = self._partial(level, first, begin % WIDTH)
        raw = kept + b"".join(hashes)
        for at in range(0, len(raw), WIDTH * 32):
            index, body = first + at // (WIDTH * 32), raw[at : at + WIDTH * 32]
            self._write(tiles.path(level, index, len(body) // 32), body)

    def _partial(self, level: int, index: int, width: int) -> bytes:
        if not width:
            return b""
        name = tiles.path(level, index, width)
        try:
            raw = self.fetch(name)
        except KeyError as error:
            raise Refused(f"{name} is missing") from error
        if len(raw) != width * 32:
            raise Refused(f"{name} has another size")
        return raw

    def _grow_bundles(self, old: int, leaves: Sequence[bytes]) -> None:
        first, inside = divmod(old, WIDTH)
        kept: list[bytes] = []
        if inside:
            name = tiles.path("entries", first, inside)
            try:
                kept = tiles.entries(self.fetch(name), inside)
            except KeyError as error:
                raise Refused(f"{name} is missing") from error
        rest = [*kept, *leaves]
        for at in range(0, len(rest), WIDTH):
            part = rest[at : at + WIDTH]
            self._write(tiles.path("entries", first + at // WIDTH, len(part)), tiles.bundle(part))

    def _whole(self, level: int, index: int) -> bytes:
        raw = self.fetch(tiles.path(level, index))
        return root(raw[at : at + 32] for at in range(0, len(raw), 32))

    def _write(self, name: str, body: bytes) -> None:
        path = self._folder / name
        try:
            if path.is_file() and path.read_bytes() == body:
                return
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
            shutil.rmtree(path.with_name(f"{path.name}.p"), ignore_errors=True)  # its parts are in it
        except OSError as error:
            raise DomainError("disk_full", reason=error.strerror or str(error)) from error
