"""Decides what a beat of a recorded lesson is worth: the time in front in which something new was played at its pace.

Pure. A page says where it was (`pos0`, what the last acknowledgement said) and where it is (`pos1`), in milliseconds of
the recording. The first millisecond of playing belongs to the first one of the way, and so on: so credit is counted on
the wall's clock (credit.py projects it, and bounds it) and never exceeds what was newly covered, in whatever order.
A recording seen again earns nothing, a place that was dragged to nothing, what was never served to the page nothing.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from server.attendance.attention import attended
from server.attendance.credit import Anchor, Beat, credit
from server.attendance.intervals import Interval, Intervals, clip, intersect, subtract, total, union
from server.attendance.minutes import Lost, Reason
from server.training.rules import AttentionRule

#: nothing faster counts
FASTEST: Final = 1.0
#: two clocks, one of the player and one of the page, agree only so well; the surplus is never credited
SLACK_MS: Final = 500
#: the furthest place a page may name: as `mono`, where JSON numbers stop being exact
MOST_POSITION: Final = 2**53


class Played(NamedTuple):
    """What a page says of its player since the last acknowledged beat: from where to where, how fast, and when."""

    pos0: int
    pos1: int
    rate: float
    #: the parts of the page's monotonic time in which it played, as `Beat.spans` are those in front
    spans: tuple[Interval, ...]


class Stretch(NamedTuple):
    """`ms` of the recording from `position` on were covered by the ledger milliseconds from `at_ms` on."""

    position: int
    at_ms: int
    ms: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of one trainee in one recorded lesson: the acknowledged position, and what earned it."""

    position: int = 0
    stretches: tuple[Stretch, ...] = ()

    @property
    def covered(self) -> Intervals:
        """The milliseconds of the recording that have counted."""
        return union((one.position, one.position + one.ms) for one in self.stretches)

    @property
    def credited(self) -> Intervals:
        """The ledger milliseconds in which they did."""
        return union((one.at_ms, one.at_ms + one.ms) for one in self.stretches)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a beat changes: anchor and progress, and in ledger milliseconds what counts, and why the rest does not."""

    anchor: Anchor
    progress: Progress
    credited: Intervals = ()
    lost: dict[Reason, Intervals] = field(default_factory=dict)


def watch(
    anchor: Anchor,
    beat: Beat,
    played: Played,
    progress: Progress,
    served: Intervals,
    received_ms: int,
    nonce: str,
    rule: AttentionRule | None = None,
) -> Watched:
    """The worth of the next beat. `served`: what of the recording this page has been sent. Raises beat_refused.

    What played without the attention that `rule` asks for is not covered: it can be watched again, and then counts.
    """
    front = credit(anchor, beat, received_ms, nonce)
    there: Intervals = front.front
    dull: Lost = ()
    if rule is not None:
        there, dull = attended(rule, anchor, beat, received_ms, 0, front.front)
    playing = credit(anchor, beat._replace(spans=played.spans), received_ms, nonce).front
    running = intersect(playing, front.front)
    lost = {Reason.HIDDEN: front.hidden, **dict(dull), Reason.NOT_PLAYING: subtract(there, running)}
    after = Progress(_place(played), progress.stretches)
    if not _continues(played, progress, total(running)):
        return Watched(front.anchor, after, (), _some(lost | {Reason.TOO_FAST: intersect(running, there)}))
    way = during(laid(running, played.pos0, max(played.pos1 - played.pos0, 0)), there)
    sent = within(way, served)
    new = without(sent, progress.covered)
    counts, seen = _when(new), _when(sent)
    lost[Reason.REWATCHED] = subtract(seen, counts)
    lost[Reason.TOO_FAST] = subtract(_when(way), seen)
    lost[Reason.NOT_PLAYING] = union(lost[Reason.NOT_PLAYING], subtract(intersect(running, there), _when(way)))
    after = Progress(after.position, _joined(progress.stretches + new))
    return Watched(front.anchor, after, counts, _some(lost))


def uncover(progress: Progress, voided: Intervals) -> Progress:
    """Without what was earned in these ledger milliseconds: those parts of the recording can be made up."""
    parts = (during((one,), subtract(((one.at_ms, one.at_ms + one.ms),), voided)) for one in progress.stretches)
    return Progress(progress.position, tuple(part for kept in parts for part in kept))


def laid(running: Intervals, position: int, ms: int) -> tuple[Stretch, ...]:
    """The first `ms` of playing time beside the recording from `position` on."""
    found: list[Stretch] = []
    for start, end in running:
        part = min(end - start, ms)
        if part > 0:
            found.append(Stretch(position, start, part))
        position, ms = position + part, ms - part
    return tuple(found)


def within(way: tuple[Stretch, ...], places: Intervals) -> tuple[Stretch, ...]:
    """The parts of a way that lie in these places of the recording."""
    return tuple(
        Stretch(start, one.at_ms + start - one.position, end - start)
        for one in way
        for start, end in clip(places, one.position, one.position + one.ms)
    )


def during(way: tuple[Stretch, ...], times: Intervals) -> tuple[Stretch, ...]:
    """The parts of a way that lie in this ledger time."""
    return tuple(
        Stretch(one.position + start - one.at_ms, start, end - start)
        for one in way
        for start, end in clip(times, one.at_ms, one.at_ms + one.ms)
    )


def without(way: tuple[Stretch, ...], places: Intervals) -> tuple[Stretch, ...]:
    """The parts of a way that lie in none of these places."""
    return tuple(
        part for one in way for part in within((one,), subtract(((one.position, one.position + one.ms),), places))
    )


def _joined(way: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """Neighbours that go on from each other, in the recording and in time, as one."""
    found: list[Stretch] = []
    for one in way:
        last = found[-1] if found else None
        if last and (last.position + last.ms, last.at_ms + last.ms) == one[:2]:
            found[-1] = Stretch(last.position, last.at_ms, last.ms + one.ms)
        else:
            found.append(one)
    return tuple(found)


def _continues(played: Played, progress: Progress, running_ms: int) -> bool:
    """Whether the page goes on from where it was, no faster than time."""
    return (
        played.pos0 == progress.position
        and 0 < played.rate <= FASTEST
        and played.pos1 - played.pos0 <= running_ms + SLACK_MS
    )


def _place(played: Played) -> int:
    return min(max(played.pos1, 0), MOST_POSITION)


def _when(way: tuple[Stretch, ...]) -> Intervals:
    return union((one.at_ms, one.at_ms + one.ms) for one in way)


def _some(lost: dict[Reason, Intervals]) -> dict[Reason, Intervals]:
    return {reason: when for reason, when in lost.items() if when}
