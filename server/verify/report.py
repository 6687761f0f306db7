"""Decides what is said of evidence that was looked at: what does not hold and where, and what it proves. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.verify.corrections import Change
from server.verify.deleted import Deleted
from server.verify.handover import Handover
from server.verify.hours import Rules
from server.verify.notes import Cosigned, Key
from server.verify.settlements import Settlement


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that does not hold: where first (unix minute, lesson number, seat; -1: not of one), then the code.

    `settlement`: the number of the settlement that is meant, where one is; `step`: that of an act in its lesson.
    """

    slot: int
    lesson: int
    seat: int
    code: str
    settlement: int = -1
    step: int = -1


@dataclass(frozen=True, slots=True)
class Report:
    """`findings` in the order of time, what is of no minute last; `signers` and `witnesses` are those of the given keys
    that signed.
    """

    findings: tuple[Finding, ...]
    signers: tuple[Key, ...]
    witnesses: tuple[Cosigned, ...]
    size: int
    n_minutes: int
    n_records: int
    #: minutes that nobody sealed in time, that were dated by a wrong clock, that no given witness saw in time
    gaps: tuple[int, ...]
    clock_wrong: tuple[int, ...]
    unwitnessed: tuple[int, ...]
    #: lessons whose last record is not followed by their end: it goes on, or its last minutes were left out
    unended: tuple[int, ...]
    #: proven milliseconds by lesson number and seat, and the lessons of which there is evidence
    credit_ms: Mapping[tuple[int, int], int]
    lessons: frozenset[int]
    #: corrections in order of time, and what they come to by lesson number and seat
    changes: tuple[Change, ...] = ()
    corrected_ms: Mapping[tuple[int, int], int] = field(default_factory=dict)
    #: minutes that none of the witnesses whom the reader named has seen at all
    n_unseen: int = 0
    #: how many receipts were held against it
    receipts: int = 0
    #: how the log came to its present key and name
    handovers: tuple[Handover, ...] = ()
    #: recorded milliseconds that challenges left pending or voided, by lesson number and seat
    uncounted_ms: Mapping[tuple[int, int], int] = field(default_factory=dict)
    #: the scheme under which hours were counted (None: nobody told or showed it, and they were not), and what it took
    rules: Rules | None = None
    cut_ms: Mapping[tuple[int, int], int] = field(default_factory=dict)
    #: minutes of trainees with credit, and how many of them their own page signed (signatures.py)
    n_credited: int = 0
    n_signed: int = 0
    #: challenges that came later than their seed says because nothing could be stored
    n_delayed: int = 0
    #: what the log was not told of in time: seats, lessons by number; and of how many trainees the name was held to it
    untold: tuple[int, ...] = ()
    unnumbered: tuple[int, ...] = ()
    n_named: int = 0
    #: what was deleted after its time
    deleted: tuple[Deleted, ...] = ()
    #: settlements that follow from the evidence, in order of number and seat; and the numbers of those that rest on
    #: lessons which this evidence does not show
    settled: tuple[Settlement, ...] = ()
    unchecked: tuple[int, ...] = ()
    #: how many acts (互动记录) there are of each lesson with any, by its number
    steps: Mapping[int, int] = field(default_factory=dict)

    @property
    def consistent(self) -> bool:
        """Whether nothing contradicts anything."""
        return not self.findings

    @property
    def authentic(self) -> bool:
        """Whether it is consistent, signed by a log that the reader knows, and seen by a witness, if one is named."""
        return self.consistent and bool(self.signers) and not self.n_unseen
