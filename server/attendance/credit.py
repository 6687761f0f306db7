"""Decides what a beat is worth: which ledger milliseconds since the last acknowledged beat the page spent in front.

Pure. The client's clock is only ever used for lengths between its own readings; when those happened is bounded by the
server's receipt times: t = mono + min over the lease of (received - mono), never past the receipt (evidence.md,
invariants I1-I7, I10-I13).
"""

from typing import Final, NamedTuple

from server.attendance.intervals import Interval, Intervals, clip, placed, skip, subtract, total, union
from server.core.errors import DomainError

#: a hole up to this long costs an honest trainee nothing; beyond it nothing is credited
LONGEST_GAP_MS: Final = 60_000
#: a page this far behind for LAGGING_BEATS beats in a row (sleep, a slowed clock) gets a new anchor
LAG_MS: Final = 5_000
LAGGING_BEATS: Final = 3
#: a beat whose clock ran ahead by less is not noted: better networks and drift do that
SURPLUS_MS: Final = 250
MOST_SPANS: Final = 64
#: the largest clock reading a page may send: 2^53, where JSON numbers stop being exact
MOST_MONO: Final = 2**53
#: what a NamedTuple's own constructor does, in half the time
_made: Final = tuple.__new__


class Attended(NamedTuple):
    """In which parts the page had the focus, and in which somebody had moved lately (attention.py), as `Beat.spans`."""

    focused: tuple[Interval, ...] = ()
    active: tuple[Interval, ...] = ()


class Beat(NamedTuple):
    """What a page says: `mono` and `spans` (the parts in front) in milliseconds of its own monotonic clock.

    `signature` is its key's of all beats before this one; pages/service.py looks at it. `attended` is said only where
    the scheme asks for it.
    """

    seq: int
    nonce: str
    mono: int
    spans: tuple[Interval, ...]
    signature: str = ""
    attended: Attended | None = None


class Anchor(NamedTuple):
    """What the server knows of a lease's page.

    `seq` is the last acknowledged beat, `nonce` what the next one must carry, `reached_ms` the ledger time up to which
    everything is settled, `offset_ms` min(received - mono) of the lease once a reading has come (by join or beat).
    """

    seq: int
    nonce: str
    reached_ms: int
    offset_ms: int | None = None
    mono: int = 0
    lagging: int = 0


class Credit(NamedTuple):
    """What a beat changes: the new anchor, and the ledger milliseconds in front and hidden.

    `lagged_ms`: by so much the page was behind when it got a new anchor; `surplus_ms`: by so much less than it said
    it was in front, because its clock ran ahead. 0 within what networks and honest clocks do.
    """

    anchor: Anchor
    front: Intervals
    hidden: Intervals
    lagged_ms: int
    surplus_ms: int


def credit(anchor: Anchor, beat: Beat, received_ms: int, next_nonce: str, ours_ms: int = 0) -> Credit:
    """The worth of the next beat of a lease; for `ours_ms` since the last one nobody could have heard it.

    Raises DomainError beat_refused (data.why).
    """
    seq, nonce, mono, spans, _, _ = beat
    last, expected, reached_ms, offset_ms, before, lagging = anchor
    if nonce != expected or seq != last + 1 or not before <= mono <= MOST_MONO or len(spans) > MOST_SPANS:
        raise DomainError("beat_refused", why=_fault(anchor, beat))
    offset = received_ms - mono
    ahead = offset_ms is not None and offset < offset_ms
    if offset_ms is not None and not ahead:
        offset = offset_ms
    now = mono + offset if mono + offset > reached_ms else reached_ms
    behind_ms = received_ms - now
    lagging = lagging + 1 if behind_ms > LAG_MS else 0
    if lagging >= LAGGING_BEATS:
        after = Anchor(seq, next_nonce, received_ms, received_ms - mono, mono)
    else:
        after, behind_ms = _made(Anchor, (seq, next_nonce, now, offset, mono, lagging)), 0
    if now == reached_ms or now - reached_ms - ours_ms > LONGEST_GAP_MS:
        return Credit(after, (), (), behind_ms, 0)
    surplus_ms = 0
    if ahead:
        spans, surplus_ms = _without_surplus(spans, before, mono, now - reached_ms)
    front = placed(spans, offset, reached_ms, now)
    whole = ((reached_ms, now),)
    hidden = () if front == whole else subtract(whole, front)
    return _made(Credit, (after, front, hidden, behind_ms, surplus_ms if surplus_ms >= SURPLUS_MS else 0))


def _without_surplus(spans: Intervals, before: int, mono: int, passed_ms: int) -> tuple[Intervals, int]:
    """The spans between two readings of a page's clock that shows more time than `passed_ms`, and what was taken off.

    It runs fast, or the beat before was late: the surplus comes off the time in front, a fast clock stretches nothing.
    """
    within = clip(union(spans), before, mono)
    left = skip(within, mono - before - passed_ms)
    return left, total(within) - total(left)


def _fault(anchor: Anchor, beat: Beat) -> str:
    """Why a beat is not the next one of its lease."""
    if beat.nonce != anchor.nonce:
        return "nonce"
    if beat.seq != anchor.seq + 1:
        return "seq"
    return "spans" if anchor.mono <= beat.mono <= MOST_MONO else "clock"
