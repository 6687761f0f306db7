"""Decides what there is of a recording: files, their parts by absolute time, and the holes between them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

#: files of which the pictures were encoded afterwards have numbers from here on
ENCODED = 500_000


@dataclass(frozen=True, slots=True)
class Span:
    """Parts that follow each other in a file. `at`: seconds since 1970; `start` and `size` in bytes."""

    at: float
    seconds: float
    key: bool
    start: int
    size: int

    @property
    def ends(self) -> float:
        return self.at + self.seconds


@dataclass(slots=True)
class Take:
    """One file: an init segment of `init` bytes, then parts."""

    number: int
    codecs: str
    width: int
    height: int
    init: int
    parts: list[Span] = field(default_factory=list)
    again: bool = False
    """What recorded before it was stopped, or died."""

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts)


@dataclass(frozen=True, slots=True)
class Hole:
    """Nothing was written between two moments (seconds since 1970); `why` as in tape.py."""

    begins: float
    ends: float
    why: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What there is of a room, in order."""

    takes: list[Take]
    holes: list[Hole]

    @property
    def seconds(self) -> float:
        return sum(take.seconds for take in self.takes)


@dataclass(frozen=True, slots=True)
class Instead:
    """A stretch of the file `take`, in bytes, that an encoded file has as well."""

    take: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """A file with pictures that were encoded afterwards, and what it stands for."""

    take: Take
    instead: list[Instead]


def with_encoded(takes: Iterable[Take], encoded: Iterable[Encoded]) -> list[Take]:
    """All by time, where an encoded file is not what it stands for."""
    encoded = list(encoded)
    gone = [each for one in encoded for each in one.instead]
    kept = [piece for take in takes for piece in _without(take, gone)]
    return sorted([*kept, *(each.take for each in encoded)], key=lambda take: take.parts[0].at)


def _without(take: Take, gone: Iterable[Instead]) -> Iterator[Take]:
    """The file in as many pieces as are left of it."""
    stretches = [each for each in gone if each.take == take.number]
    piece: list[Span] = []
    for part in take.parts:
        if not any(each.start <= part.start < each.end for each in stretches):
            piece.append(part)
        elif piece:
            yield replace(take, parts=piece)
            piece = []
    if piece:
        yield replace(take, parts=piece)
