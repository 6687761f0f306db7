"""Decides how a trainee's minutes are shown and summed: cells of a strip, totals of a lesson. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from server.attendance.challenges.counting import Challenged, Tally
from server.attendance.corrections.rules import Key
from server.attendance.intervals import Intervals, total
from server.attendance.minutes import MINUTE_MS, MinuteRecord, Reason, SealedMinute
from server.verify.hours import Attended, Cut, Excess, LessonSettled, opened_ms
from server.verify.minutes import CLOSED, CREDITED, NOTHING_ODD, Summary
from server.verify.vouched import Vouched, between

NOTHING: Final[Mapping[Key, int]] = MappingProxyType({})


class RecordState(StrEnum):
    """The three states of evidence (the last one good or bad), in every interface and file."""

    RECORDED = "recorded"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ReasonMs:
    """Milliseconds not credited for one reason."""

    code: str
    ms: int


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of a minute, in milliseconds from its beginning: credited, closed (not open), or a reason's code."""

    state: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Detail:
    """Where a minute went, and what was odd about it: beats that were refused, time by which the page's clock lagged
    or ran ahead and that was not credited.
    """

    spells: list[Spell]
    refused: int
    lagged_ms: int
    surplus_ms: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One minute of one trainee: `open_ms` = `credit_ms` + the reasons, always. `slot` is the unix minute.

    `corrected_ms`: so much counts since it was corrected; None where it never was, and `credit_ms` counts, but for what
    challenges left pending (`pending_ms`) and what they voided (`refused`). `cut`: what the scheme takes of what counts
    then, beyond the day's cap or in a stretch too short. `detail` is None of a minute that was spent
    in one way, with nothing odd, and of what was sealed before there were any. `grade`: for how much of it
    media delivered, 0 (none that is known) to 3; it takes nothing from anybody.
    """

    slot: int
    open_ms: int
    credit_ms: int
    reasons: list[ReasonMs]
    sealed: bool
    corrected_ms: int | None = None
    pending_ms: int = 0
    refused: list[ReasonMs] = field(default_factory=list)
    detail: Detail | None = None
    cut: list[ReasonMs] = field(default_factory=list)
    grade: int = 0

    @property
    def vouched_ms(self) -> int:
        """What counts while nothing is corrected."""
        return self.credit_ms - self.pending_ms - sum(one.ms for one in self.refused)

    @property
    def counted_ms(self) -> int:
        """What counts but for what the scheme takes."""
        return self.vouched_ms if self.corrected_ms is None else self.corrected_ms

    @property
    def confirmed_ms(self) -> int:
        """What counts."""
        return self.counted_ms - sum(one.ms for one in self.cut)


@dataclass(frozen=True, slots=True)
class Totals:
    """A trainee's lesson. `state` is the least final of its minutes: recorded, pending, confirmed or refused.

    `credit_ms` was recorded; `corrected_ms` is what corrections gave more, or less when it is negative; `pending_ms`
    waits for a challenge, `refused` was voided by one, `cut` was taken by the scheme. `complete` and `late` (迟到)
    as the scheme says, None where it does not, or not yet.
    """

    open_ms: int
    credit_ms: int
    corrected_ms: int
    pending_ms: int
    confirmed_ms: int
    reasons: list[ReasonMs]
    refused: list[ReasonMs]
    state: RecordState
    cut: list[ReasonMs] = field(default_factory=list)
    complete: bool | None = None
    late: bool | None = None


#: what a scheme makes of a trainee's lesson: minute by minute, and altogether
Settles = Callable[[str], tuple[Mapping[int, Cut], LessonSettled]]


class LessonMinutes:
    """All that is known of a lesson: per slot what was delivered, who has a record, and whether it is sealed.

    `corrected` is what counts of the minutes that were corrected, by trainee and slot; `challenged` what happened where
    trainees are challenged; `settles` is the scheme's, where it says more than how long a class hour is (hours.py).
    """

    settles: Settles | None = None

    def __init__(
        self,
        sealed: Iterable[SealedMinute],
        fresh: Iterable[SealedMinute],
        corrected: Mapping[Key, int] = NOTHING,
        challenged: Challenged | None = None,
    ) -> None:
        self._corrected = corrected
        self._challenged = challenged
        self._minutes = [(one, _by_person(one), True) for one in sealed]
        self._minutes += [(one, _by_person(one), False) for one in fresh]
        self.all_sealed = all(sealed for _, _, sealed in self._minutes)

    @property
    def slots(self) -> list[int]:
        """The known minutes in order."""
        return [minute.slot for minute, _, _ in self._minutes]

    @property
    def delivered_ms(self) -> int:
        """How long the lesson was open."""
        return sum(minute.delivered_ms for minute, _, _ in self._minutes)

    @property
    def credit_ms(self) -> int:
        """What all trainees have together."""
        return sum(record.credit_ms for minute, _, _ in self._minutes for record in minute.records)

    def cells(self, person_id: str) -> list[Cell]:
        """One trainee's cells in order; a minute without a record was spent elsewhere."""
        cells = self.uncut(person_id)
        found = self.settles(person_id)[0] if self.settles is not None else {}
        return [_cut(cell, found[cell.slot]) if cell.slot in found else cell for cell in cells]

    def totals(self, person_id: str) -> Totals:
        """The sum of one trainee's cells, and what the scheme says of them."""
        totals = totals_of(self.cells(person_id))
        if self.settles is None:
            return totals
        settled = self.settles(person_id)[1]
        return replace(totals, complete=settled.complete if self.all_sealed else None, late=settled.late)

    def attended(self, number: int, person_id: str) -> Attended:
        """One trainee's sealed minutes as the scheme is asked of them; the lesson has this number."""
        counted = {cell.slot: cell.counted_ms for cell in self.uncut(person_id) if cell.sealed}
        opened = opened_ms({minute.slot: minute.delivered_ms for minute, _, _ in self._minutes})
        mine = ((minute.slot, own[person_id].credited) for minute, own, _ in self._minutes if person_id in own)
        first = next((slot * MINUTE_MS + spans[0][0] for slot, spans in mine if spans), None)
        return Attended(number, counted, self.delivered_ms, opened, first)

    def uncut(self, person_id: str) -> list[Cell]:
        """One trainee's cells before the scheme takes anything of them."""
        cells = [
            cell_of(
                minute.slot,
                mine.get(person_id) or absent(person_id, minute.delivered_ms),
                sealed,
                self._corrected.get((person_id, minute.slot)),
            )
            for minute, mine, sealed in self._minutes
        ]
        if self._challenged is None:
            return cells
        kept = {minute.slot: mine[person_id] for minute, mine, _ in self._minutes if person_id in mine}
        vouched = self._challenged.of(person_id, recorded(kept.items()))
        return [judged(cell, vouched) for cell in cells]

    def settled(self, person_id: str) -> bool:
        """Whether what counts of a trainee's sealed minutes is final, but for corrections."""
        return self._challenged is None or self._challenged.settled(person_id)

    def tally(self, person_id: str) -> Tally:
        """How often a trainee was asked."""
        return Tally() if self._challenged is None else self._challenged.tally(person_id)


def _by_person(minute: SealedMinute) -> dict[str, MinuteRecord]:
    return {record.person_id: record for record in minute.records}


def absent(person_id: str, delivered_ms: int) -> MinuteRecord:
    """The minute of somebody who held no lease in it."""
    return MinuteRecord(person_id, (), ((Reason.ABSENT, delivered_ms),) if delivered_ms else ())


def cell_of(slot: int, record: MinuteRecord, sealed: bool, corrected_ms: int | None = None) -> Cell:
    """A record as a cell."""
    reasons = [ReasonMs(reason.code, ms) for reason, ms in record.reasons]
    summary = record.summary
    return Cell(
        slot,
        record.delivered_ms,
        record.credit_ms,
        reasons,
        sealed,
        corrected_ms,
        detail=_detail(summary),
        grade=summary.seen.grade if summary else 0,
    )


def _detail(summary: Summary | None) -> Detail | None:
    if summary is None or (len(summary.spells) < 2 and summary.odd == NOTHING_ODD):
        return None
    starts = (0, *(end for _, end in summary.spells))
    spells = [Spell(_word(state), start, end) for start, (state, end) in zip(starts, summary.spells, strict=False)]
    return Detail(spells, *summary.odd)


def _word(state: int) -> str:
    if state == CREDITED:
        return "credited"
    return "closed" if state == CLOSED else Reason(state).code


def recorded(minutes: Iterable[tuple[int, MinuteRecord]]) -> Intervals:
    """The recorded ledger milliseconds of a trainee's minutes by slot."""
    return tuple(
        (slot * MINUTE_MS + start, slot * MINUTE_MS + end)
        for slot, one in sorted(minutes)
        for start, end in one.credited
    )


def judged(cell: Cell, vouched: Vouched) -> Cell:
    """A cell with what challenges made of it."""
    start, end = cell.slot * MINUTE_MS, (cell.slot + 1) * MINUTE_MS
    refused = [(why.code, total(between(spans, start, end))) for why, spans in sorted(vouched.refused.items())]
    listed = [ReasonMs(code, ms) for code, ms in refused if ms]
    return replace(cell, pending_ms=total(between(vouched.pending, start, end)), refused=listed)


def _cut(cell: Cell, cut: Cut) -> Cell:
    parts = ((Excess.DAILY_CAP, cut.capped_ms), (Excess.TOO_SHORT, cut.short_ms))
    return replace(cell, cut=[ReasonMs(why, ms) for why, ms in parts if ms])


def totals_of(cells: Iterable[Cell]) -> Totals:
    """The sum of cells. Under a scheme without challenges a sealed minute is confirmed at once."""
    kept = list(cells)
    confirmed = sum(cell.confirmed_ms for cell in kept if cell.sealed)
    pending = sum(cell.pending_ms for cell in kept if cell.corrected_ms is None)
    refused = _summed(reason for cell in kept for reason in cell.refused)
    cut = _summed(reason for cell in kept for reason in cell.cut)
    return Totals(
        open_ms=sum(cell.open_ms for cell in kept),
        credit_ms=sum(cell.credit_ms for cell in kept),
        corrected_ms=sum(cell.counted_ms - cell.vouched_ms for cell in kept),
        pending_ms=pending,
        confirmed_ms=confirmed,
        reasons=_summed(reason for cell in kept for reason in cell.reasons),
        refused=refused,
        state=_state(kept, confirmed, pending, bool(refused or cut)),
        cut=cut,
    )


def _state(cells: list[Cell], confirmed_ms: int, pending_ms: int, refused: bool) -> RecordState:
    """The least final of the cells; a lesson is refused as a whole where challenges or scheme left nothing of it."""
    if not cells or not all(cell.sealed for cell in cells):
        return RecordState.RECORDED
    if pending_ms:
        return RecordState.PENDING
    return RecordState.REFUSED if refused and not confirmed_ms else RecordState.CONFIRMED


def _summed(reasons: Iterable[ReasonMs]) -> list[ReasonMs]:
    sums: dict[str, int] = {}
    for reason in reasons:
        sums[reason.code] = sums.get(reason.code, 0) + reason.ms
    return [ReasonMs(code, ms) for code, ms in sorted(sums.items())]


def uncounted(minutes: Iterable[SealedMinute], challenged: Challenged | None) -> dict[str, int]:
    """Recorded milliseconds that challenges left pending or voided, by trainee."""
    if challenged is None:
        return {}
    kept: dict[str, list[tuple[int, MinuteRecord]]] = {}
    for minute in minutes:
        for one in minute.records:
            kept.setdefault(one.person_id, []).append((minute.slot, one))
    found: dict[str, int] = {}
    for person_id, mine in kept.items():
        spans = recorded(mine)
        found[person_id] = total(spans) - total(challenged.of(person_id, spans).confirmed)
    return found
