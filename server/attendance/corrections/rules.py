"""Decides what a correction may change: which milliseconds of a minute count. What was recorded never changes. Pure.

A correction is lines, each with the value before and after; what is applied stands in entries, in order, and each line
begins where the one before it ended. So a replay gives what counts, and what does not fit is refused (invariant I9).
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.attendance.minutes import MINUTE_MS
from server.core.errors import DomainError

TEXT_MOST: Final = 300
#: open and settled ones of one trainee in one lesson
APPEALS_MOST: Final = 20
_LINE: Final = struct.Struct(">8sIHH")
Key = tuple[str, int]


class Measure(StrEnum):
    """What a correction makes of its minutes."""

    FULL = "full"  # all that was delivered counts
    FAULT = "fault"  # what a fault of ours took counts as well
    NONE = "none"  # nothing counts
    REVERSE = "reverse"  # what an earlier correction changed is as it was


class Verdict(StrEnum):
    """What the second person says."""

    APPROVED = "approved"
    REFUSED = "refused"


class Standing(StrEnum):
    """Where a correction stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    OBJECTED = "objected"


class AppealState(StrEnum):
    """Where an appeal stands."""

    OPEN = "open"
    PROPOSED = "proposed"
    CORRECTED = "corrected"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Minute:
    """A sealed minute of a trainee: what was delivered, what a fault took, and what counts now."""

    person_id: str
    slot: int
    delivered_ms: int
    fault_ms: int
    counted_ms: int


@dataclass(frozen=True, slots=True)
class Line:
    """A minute's milliseconds that count, before and after."""

    person_id: str
    slot: int
    before_ms: int
    after_ms: int

    @property
    def key(self) -> Key:
        """Whose minute it is."""
        return self.person_id, self.slot

    @property
    def change_ms(self) -> int:
        """-60,000 to 60,000."""
        return self.after_ms - self.before_ms


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of a line in double entry: the postings of a line are together 0."""

    account: str
    ms: int


def lines_of(measure: Measure, minutes: Iterable[Minute]) -> tuple[Line, ...]:
    """The lines of a proposal, of those minutes that it changes. Raises DomainError correction_empty."""
    found = []
    for one in minutes:
        after = _after(measure, one)
        if after != one.counted_ms:
            found.append(Line(one.person_id, one.slot, one.counted_ms, after))
    if not found:
        raise DomainError("correction_empty")
    return tuple(sorted(found, key=lambda line: line.key))


def _after(measure: Measure, minute: Minute) -> int:
    match measure:
        case Measure.FULL:
            return minute.delivered_ms
        case Measure.FAULT:
            return min(minute.counted_ms + minute.fault_ms, minute.delivered_ms)
        case Measure.NONE:
            return 0
        case Measure.REVERSE:
            raise DomainError("bad_request", field="measure", problem="an earlier correction is reversed by its id")


def backwards(lines: Iterable[Line]) -> tuple[Line, ...]:
    """What undoes these lines."""
    return tuple(Line(one.person_id, one.slot, one.after_ms, one.before_ms) for one in lines)


def check_fits(lines: Iterable[Line], now: Mapping[Key, int], recorded: Mapping[Key, int]) -> None:
    """Every line begins at what counts now (`now`, else `recorded`, else 0). Raises DomainError correction_stale."""
    for line in lines:
        if now.get(line.key, recorded.get(line.key, 0)) != line.before_ms:
            raise DomainError("correction_stale", slot=line.slot)


def replay(entries: Iterable[Sequence[Line]]) -> dict[Key, int]:
    """What counts of every minute that some entry changed. Raises ValueError where an entry does not fit."""
    now: dict[Key, int] = {}
    for line in (line for entry in entries for line in entry):
        if now.get(line.key, line.before_ms) != line.before_ms:
            raise ValueError(f"an entry of minute {line.slot} begins where the one before it did not end")
        if not (0 <= line.before_ms <= MINUTE_MS and 0 <= line.after_ms <= MINUTE_MS):
            raise ValueError(f"an entry of minute {line.slot} leaves the minute")
        now[line.key] = line.after_ms
    return now


def postings(institution_id: str, lines: Iterable[Line]) -> list[Posting]:
    """Double entry: what a trainee gets, the institution's account of corrections gives."""
    found = []
    for line in lines:
        found += [Posting(line.person_id, line.change_ms), Posting(institution_id, -line.change_ms)]
    return found


def checked_reason(text: str) -> str:
    """Why somebody asks, proposes, decides or objects. Raises DomainError text_missing (data: maximum)."""
    kept = " ".join(text.split())
    if not 0 < len(kept) <= TEXT_MOST:
        raise DomainError("text_missing", maximum=TEXT_MOST)
    return kept


def standing(verdict: Verdict | None, objected: bool) -> Standing:
    """Where a correction stands."""
    if verdict is None:
        return Standing.PROPOSED
    if verdict is Verdict.REFUSED:
        return Standing.REFUSED
    return Standing.OBJECTED if objected else Standing.APPROVED


def appeal_state(answered: bool, corrections: Iterable[Standing]) -> AppealState:
    """Where an appeal stands, by its answer and the corrections that were proposed for it.

    A correction that was objected to did decide it: the objection is about the correction.
    """
    known = set(corrections)
    if known & {Standing.APPROVED, Standing.OBJECTED}:
        return AppealState.CORRECTED
    if answered:
        return AppealState.REFUSED
    return AppealState.PROPOSED if Standing.PROPOSED in known else AppealState.OPEN


def pack(lines: Iterable[Line]) -> bytes:
    """16 bytes a line."""
    return b"".join(_LINE.pack(bytes.fromhex(one.person_id), one.slot, one.before_ms, one.after_ms) for one in lines)


def unpack(packed: bytes) -> tuple[Line, ...]:
    """The lines of `pack`. Raises struct.error."""
    return tuple(Line(person.hex(), slot, before, after) for person, slot, before, after in _LINE.iter_unpack(packed))
