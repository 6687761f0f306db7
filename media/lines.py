"""Decides what an instructor may be told of each viewer's line: how it is reached, how fast, and what its reports say.

Bytes and reports only: nothing here knows a person. Rates are of the last five seconds or so; who asks more often gets
the same answer.
"""

from typing import Any, NamedTuple

from media.endpoints import Watcher
from media.plane import Plane, Session
from media.reception import FRESH_SECONDS
from media.room import Room
from media.witness import Source

WINDOW_SECONDS = 4.5


class Line(NamedTuple):
    """One viewer's line. `direct`: by WebRTC, else by parts, of which nothing but the bytes taken is known.

    `loss`: a part of 1; `picture`: pictures arrive; `small`: it gets the small camera for its losses.
    """

    peer: str
    direct: bool
    kbps: int
    loss: float | None
    jitter_ms: int | None
    round_trip_ms: int | None
    picture: bool
    small: bool


class _Taken(NamedTuple):
    """Bytes since a connection began, and when they last grew: whole pieces come seconds apart."""

    total: int
    moved_at: float


class Lines:
    """All of one plane."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._totals: dict[str, tuple[float, dict[object, _Taken]]] = {}
        self._told: dict[str, list[Line]] = {}
        plane.on_room.append(self._on_room)

    def of(self, room: str) -> list[Line]:
        """The lines into a room, one for each peer: the one by which most comes."""
        now = self._plane.clock()
        at, before = self._totals.get(room, (float("-inf"), {}))
        if now - at < WINDOW_SECONDS:
            return self._told[room]
        found: dict[str, Line] = {}
        totals: dict[object, _Taken] = {}
        for source in self._plane.watching():
            if source.room != room:
                continue
            known = before.get(source.key, _Taken(0, float("-inf")))
            grown = source.total - known.total
            taken = totals[source.key] = _Taken(source.total, now if grown else known.moved_at)
            line = _line(source, round(grown * 8 / 1000 / (now - at)), now, now - taken.moved_at <= FRESH_SECONDS)
            if line.peer not in found or found[line.peer].kbps < line.kbps:
                found[line.peer] = line
        self._totals[room], self._told[room] = (now, totals), list(found.values())
        return self._told[room]

    def _on_room(self, room: Room, _is_open: bool) -> None:
        self._totals.pop(room.name, None)
        self._told.pop(room.name, None)


def _line(source: Source, kbps: int, now: float, moves: bool) -> Line:
    if not (isinstance(source.key, Session) and isinstance(source.key.endpoint, Watcher)):
        return Line(source.peer, False, kbps, None, None, None, moves, False)
    viewer = source.key.endpoint.viewer
    heard = viewer.reports.now(now)
    return Line(
        source.peer, True, kbps, heard.loss, heard.jitter_ms, heard.round_trip_ms, heard.picture, viewer.size.small
    )


def read_lines(said: Any) -> dict[str, list[Line]]:
    """What another process told, by room. Raises ValueError."""
    try:
        return {room: [Line(*line) for line in lines] for room, lines in said.items()}
    except (AttributeError, TypeError) as error:
        raise ValueError("no lines") from error
