"""Decides what a viewer's receiver reports say of its line: loss, jitter, round trip (RFC 3550 section 6.4).

Pure. Of several streams the worst counts. What was said long ago says nothing of now.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

#: reports come every second or so; one bad second among ten is not a bad line
WEIGHT = 0.25
FRESH_SECONDS = 12.0
LOSS_UNITS = 256
DELAY_UNITS = 65_536


class Info(Protocol):
    """What a report says of one stream."""

    @property
    def fraction_lost(self) -> int: ...
    @property
    def highest_sequence(self) -> int: ...
    @property
    def jitter(self) -> int: ...
    @property
    def lsr(self) -> int: ...
    @property
    def dlsr(self) -> int: ...


class Stream(Protocol):
    """What is known of the stream that a report is about."""

    clock_rate: int

    @property
    def video(self) -> bool: ...
    def said_at(self, lsr: int) -> float | None: ...


class Reception(NamedTuple):
    """A line now: a part of 1, and milliseconds; None where nothing is known. `picture`: pictures still arrive."""

    loss: float | None = None
    jitter_ms: int | None = None
    round_trip_ms: int | None = None
    picture: bool = False


@dataclass(slots=True)
class _Heard:
    at: float
    loss: float
    jitter: float
    round_trip: float | None
    highest: int
    moved_at: float
    video: bool


class Reports:
    """One viewer's."""

    def __init__(self) -> None:
        self._heard: dict[int, _Heard] = {}

    def take(self, ssrc: int, info: Info, stream: Stream, now: float) -> None:
        """One report of one stream."""
        before = self._heard.get(ssrc)
        loss = info.fraction_lost / LOSS_UNITS
        said = stream.said_at(info.lsr) if info.lsr else None
        trip = None if said is None else max(0.0, now - said - info.dlsr / DELAY_UNITS)
        if before is None:
            heard = _Heard(now, loss, 0.0, None, info.highest_sequence, now, stream.video)
            self._heard[ssrc] = heard
        else:
            heard = before
            heard.loss += (loss - heard.loss) * WEIGHT
            if info.highest_sequence != heard.highest:
                heard.highest, heard.moved_at = info.highest_sequence, now
        heard.at, heard.jitter = now, info.jitter / stream.clock_rate
        heard.round_trip = trip if trip is not None else heard.round_trip

    def now(self, now: float) -> Reception:
        """What they say together."""
        fresh = [each for each in self._heard.values() if now - each.at <= FRESH_SECONDS]
        if not fresh:
            return Reception()
        trips = [each.round_trip for each in fresh if each.round_trip is not None]
        return Reception(
            round(max(each.loss for each in fresh), 4),
            round(max(each.jitter for each in fresh) * 1000),
            round(max(trips) * 1000) if trips else None,
            any(each.video and now - each.moved_at <= FRESH_SECONDS for each in fresh),
        )
