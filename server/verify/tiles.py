"""Decides how a log lies in files: C2SP tlog-tiles, which any web server and any USB stick can carry. Pure.

https://c2sp.org/tlog-tiles: `checkpoint`, `tile/<level>/<index>[.p/<width>]` with up to 256 hashes each, and
`tile/entries/<index>[.p/<width>]` with the leaves themselves, each behind its length in two bytes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from server.verify.tree import HASH_BYTES, Frontier, Refused, range_hash, root

WIDTH: Final = 256
HEIGHT: Final = 8
CHECKPOINT: Final = "checkpoint"
LENGTH_BYTES: Final = 2
ENTRY_MOST: Final = 2**16 - 1

#: the path of a part of a tile
PARTIAL: Final = re.compile(r"(?P<whole>.+)\.p/(?P<width>[1-9][0-9]{0,2})")

#: the content of a path; raises KeyError when there is none
Fetch = Callable[[str], bytes]


def path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Where a tile lies; `level` is "entries" for a bundle of leaves."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def widths(size: int, level: int) -> Iterator[tuple[int, int]]:
    """The tiles of a level in the tree of `size` leaves: index and width of each."""
    full, rest = divmod(size >> (HEIGHT * level), WIDTH)
    yield from ((index, WIDTH) for index in range(full))
    if rest:
        yield full, rest


def bundle(entries: Sequence[bytes]) -> bytes:
    """A bundle of leaves. Raises Refused for one that is too long."""
    if any(len(one) > ENTRY_MOST for one in entries):
        raise Refused("a leaf is too long")
    return b"".join(len(one).to_bytes(LENGTH_BYTES, "big") + one for one in entries)


def entries(raw: bytes, width: int) -> list[bytes]:
    """The leaves of a bundle, exactly `width`. Raises Refused."""
    found, at = [], 0
    while at < len(raw):
        end = at + LENGTH_BYTES + int.from_bytes(raw[at : at + LENGTH_BYTES], "big")
        if at + LENGTH_BYTES > len(raw) or end > len(raw):
            raise Refused("a bundle of leaves is cut off")
        found.append(raw[at + LENGTH_BYTES : end])
        at = end
    if len(found) != width:
        raise Refused(f"a bundle holds {len(found)} leaves instead of {width}")
    return found


def file_of(fetch: Fetch, name: str) -> bytes:
    """A file that must be there. Raises Refused."""
    try:
        return fetch(name)
    except KeyError as error:
        raise Refused(f"{name} is missing") from error


def leaves_of(fetch: Fetch, begin: int, size: int) -> list[bytes]:
    """The leaves begin..size-1 of a log of `size` leaves. Raises Refused."""
    found: list[bytes] = []
    for index, width in widths(size, 0):
        if index * WIDTH + width > begin:
            found += entries(file_of(fetch, path("entries", index, width)), width)
    return found[begin % WIDTH :]


def part_of(read: Fetch, name: str) -> bytes:
    """A file; where the part of a tile is gone, the beginning of the whole one. Raises KeyError, Refused."""
    try:
        return read(name)
    except KeyError:
        found = PARTIAL.fullmatch(name)
        if found is None:
            raise
    whole, width = read(found["whole"]), int(found["width"])
    return bundle(entries(whole, WIDTH)[:width]) if "/entries/" in name else whole[: width * HASH_BYTES]


def summit(tiles: bytes, rest: bytes) -> tuple[int, bytes]:
    """Size and root of a log, out of the hashes of each whole WIDTH leaves and of the leaves after. Raises Refused."""
    if len(tiles) % HASH_BYTES or len(rest) % HASH_BYTES or len(rest) >= WIDTH * HASH_BYTES:
        raise Refused("the hashes of a log's tiles are cut off")
    above, below = _split(tiles), _split(rest)
    size = len(above) * WIDTH + len(below)

    def node(level: int, index: int) -> bytes:
        if level >= HEIGHT:
            return root(above[index << (level - HEIGHT) : (index + 1) << (level - HEIGHT)])
        begin = (index << level) - len(above) * WIDTH
        return root(below[begin : begin + (1 << level)])

    return size, range_hash(node, 0, size)


def _split(raw: bytes) -> list[bytes]:
    return [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]


class Tiles:
    """The hashes of a log of `size` leaves, out of its tiles; each tile is read once."""

    def __init__(self, size: int, fetch: Fetch) -> None:
        self.size, self._fetch = size, fetch
        self._read: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """The hash of a perfect subtree (tree.Node). Raises Refused when its tile is missing or has another size."""
        tile_level, rest = divmod(level, HEIGHT)
        first = index << rest
        tile_index, at = divmod(first, WIDTH)
        raw = self._tile(tile_level, tile_index)
        frontier = Frontier()
        for number in range(at, at + (1 << rest)):
            hashed = raw[number * HASH_BYTES : (number + 1) * HASH_BYTES]
            if len(hashed) != HASH_BYTES:
                raise Refused(f"{path(tile_level, tile_index)} is too short")
            frontier.add(hashed)
        return frontier.root()

    def _tile(self, level: int, index: int) -> bytes:
        if (level, index) not in self._read:
            width = min(WIDTH, (self.size >> (HEIGHT * level)) - index * WIDTH)
            where = path(level, index, width)
            try:
                raw = self._fetch(where)
            except KeyError as error:
                raise Refused(f"{where} is missing") from error
            if len(raw) != width * HASH_BYTES:
                raise Refused(f"{where} has another size")
            self._read[level, index] = raw
        return self._read[level, index]
