"""What is left of deleted records counts only where the log ordered it, after all of their time.

`deleted.json` is read by web/src/verify/deleted.test.ts too; `python -m tests.verify.test_deleted` makes it anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from server.core.signing import FileSigner
from server.ledger.keys import LogKeys
from server.ledger.rules import Entry, hash_of, make_minute, place_of, split, subject_of
from server.verify.bundle import FORMAT, Bundle, Claim, GroupPart, LeafPart, LessonName, Seat, behind_lengths, read
from server.verify.bundle import write as written
from server.verify.check import check
from server.verify.deleted import Deleted, Erased
from server.verify.formats import (
    EARLY,
    ENDED,
    KEPT_MINUTES,
    NO_ID,
    ORDERED,
    Kind,
    Record,
    erased,
    hash_of_erased,
    is_erased,
    minute_tail,
    pack_minutes,
    read_record,
    record_hash,
    salt_of,
)
from server.verify.minutes import CREDITED, SUMMARY, Summary, write
from server.verify.notes import Checkpoint, Key, Note, sign
from server.verify.tree import Node, leaf_hash, node_hash, prove_inclusion, range_hash

LESSON, OTHER = b"l" * 8, b"o" * 8
SLOT = 29_000_000


def given(records: int, at: int, count: int, mode: int = ORDERED) -> Erased:
    """So many erased minutes of SLOT, and an order."""
    found = Erased()
    for seq in range(records):
        found.take(LESSON, SLOT, Record(Kind.ERASED, SLOT, seq=seq, mode=Kind.MINUTE))
    found.take(LESSON, at, Record(Kind.DELETION, at, mode=mode, credit_ms=count))
    return found


def test_an_order_after_five_years_covers_what_it_names() -> None:
    found = given(2, SLOT + KEPT_MINUTES, 2)
    assert list(found.wrong()) == []
    assert list(found.done()) == [(SLOT + KEPT_MINUTES, LESSON, 2)]
    assert found.minutes == {(LESSON, SLOT): 2}


def test_a_minute_too_early() -> None:
    assert list(given(2, SLOT + KEPT_MINUTES - 1, 2).wrong()) == [(SLOT, LESSON)]


def test_more_than_was_ordered() -> None:
    assert list(given(3, SLOT + KEPT_MINUTES, 2).wrong()) == [(SLOT, LESSON)]


def test_more_than_was_ordered_is_named_at_the_first_minute_of_which_something_is_gone() -> None:
    found = given(1, SLOT + KEPT_MINUTES, 1)
    found.take(LESSON, SLOT - 1, Record(Kind.ERASED, SLOT - 1))
    assert list(found.wrong()) == [(SLOT - 1, LESSON)]


@pytest.mark.parametrize("others", [(-1, 1), (1, -1)])
def test_an_order_in_time_does_not_mend_one_that_came_too_early(others: tuple[int, int]) -> None:
    found = Erased()
    for at in others:
        found.take(LESSON, SLOT + KEPT_MINUTES + at, Record(Kind.DELETION, SLOT, mode=ORDERED, credit_ms=1))
    found.take(LESSON, SLOT, Record(Kind.ERASED, SLOT))
    assert list(found.wrong()) == [(SLOT, LESSON)]


def test_what_was_refused_orders_nothing() -> None:
    assert list(given(1, SLOT + KEPT_MINUTES, 1, EARLY).wrong()) == [(SLOT, LESSON)]


def test_the_order_of_another_lesson() -> None:
    found = given(1, SLOT + KEPT_MINUTES, 1)
    found.take(OTHER, SLOT, Record(Kind.ERASED, SLOT))
    assert list(found.wrong()) == [(SLOT, OTHER)]


def test_what_stays_of_a_record_is_its_hash_and_no_word_of_whom_it_was() -> None:
    packed = Record(Kind.MINUTE, SLOT, subject=b"s" * 8, session=b"e" * 8, resource=LESSON, credit_ms=60_000).pack()
    hashed = record_hash(b"n" * 16, packed)
    left = erased(packed, 7, hashed)
    assert (is_erased(left), is_erased(packed), hash_of_erased(left), len(left)) == (True, False, hashed, len(packed))
    assert read_record(left) == Record(Kind.ERASED, SLOT, seq=7, mode=Kind.MINUTE, evidence=hashed)


@dataclass(frozen=True)
class Case:
    """A log of five years in which two trainees' minute is erased, or none; and what is found."""

    name: str
    #: how many minutes after the erased one its deletion was ordered, of how many records
    ordered: int
    count: int
    #: which of the three records of the minute are erased, and whether a hash among them was changed
    gone: tuple[int, ...]
    changed: bool = False
    found: tuple[str, ...] = ()


CASES = (
    Case("nothing is deleted", KEPT_MINUTES, 0, ()),
    Case("both", KEPT_MINUTES, 2, (0, 1)),
    Case("one", KEPT_MINUTES, 1, (1,)),
    Case("a minute too early", KEPT_MINUTES - 1, 2, (0, 1), found=("records_erased",)),
    Case("more than was ordered", KEPT_MINUTES, 1, (0, 1), found=("records_erased",)),
    Case("never ordered", -1, 0, (0,), found=("records_erased",)),
    Case("with another hash", KEPT_MINUTES, 2, (0, 1), True, ("record_changed",)),
)


def made(case: Case) -> tuple[Bundle, Key]:
    """The evidence of such a log; every other minute of it is empty."""
    keys = {one.hex(): one * 4 for one in (b"s" * 8, b"t" * 8, NO_ID)}
    text = write(Summary(0, ((CREDITED, 60_000),)))
    tail = minute_tail(NO_ID, LESSON, 1, 60_000, SUMMARY, sha256(text).digest())
    own = Record(Kind.LESSON_MINUTE, SLOT, seq=2, resource=LESSON, mode=1, credit_ms=60_000)
    ended = Record(Kind.LESSON_EVENT, SLOT, mode=ENDED)
    spent = pack_minutes(SLOT, [(b"s" * 8, tail), (b"t" * 8, tail)]) + own.pack() + ended.pack()
    order = Record(Kind.DELETION, SLOT + case.ordered, mode=ORDERED, credit_ms=case.count).pack()
    said = {0: spent} | ({case.ordered: order} if case.ordered > 0 else {})
    minutes, size = {}, KEPT_MINUTES + 1
    for idx, raw in said.items():
        entry = Entry("e", SLOT + idx, LESSON.hex(), raw)
        minutes[idx] = make_minute(SLOT + idx, [entry], {LESSON.hex(): keys}, bytes(32), 0, None)
    node = sparse({idx: one.leaf.pack() for idx, one in minutes.items()})
    signer = LogKeys(FileSigner(bytes(32)), ())
    note = str(Checkpoint(signer.key.name, size, range_hash(node, 0, size)))
    leaves = []
    for idx, one in minutes.items():
        ordered = sorted((raw for raw in split(said[idx])), key=place_of)
        group = one.groups[0]
        left = [
            erased(raw, at, hash_of(keys[subject_of(raw)], raw)) if idx == 0 and at in case.gone else raw
            for at, raw in enumerate(ordered)
        ]
        if case.changed:
            left[0] = left[0][:41] + bytes(32)
        salts = [bytes(16) if is_erased(raw) else salt_of(keys[subject_of(raw)], raw) for raw in left]
        shown = [text if raw[0] == Kind.MINUTE else b"" for raw in left]
        part = GroupPart(0, group.group.pack(), (), b"".join(left), b"".join(salts), group.hints, behind_lengths(shown))
        leaves.append(LeafPart(idx, one.leaf.pack(), tuple(prove_inclusion(node, idx, size)), (part,)))
    kept = [one for at, one in enumerate(("73" * 8, "74" * 8)) if at not in case.gone]
    signed = str(Note(note, (sign(note, signer.key.name, signer.signer),)))
    claims = tuple(Claim(LESSON.hex(), one, 60_000) for one in kept)
    names = (LessonName(LESSON.hex(), 1),), (Seat("73" * 8, 1), Seat("74" * 8, 2))
    return Bundle(FORMAT, SLOT, signed, *names, claims, tuple(leaves)), signer.key


def sparse(leaves: Mapping[int, bytes]) -> Node:
    """A tree in which all leaves but these are the same."""
    same = [leaf_hash(b"an empty minute")]
    for _ in range(KEPT_MINUTES.bit_length()):
        same.append(node_hash(same[-1], same[-1]))

    def node(level: int, index: int) -> bytes:
        if not any(index == idx >> level for idx in leaves):
            return same[level]
        if level == 0:
            return leaf_hash(leaves[index])
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def told(case: Case) -> dict[str, Any]:
    bundle, key = made(case)
    deleted = [[one.lesson, one.records] for one in check(bundle, [key]).deleted]
    found = {"found": case.found, "deleted": deleted}
    return {"name": case.name, "trust": str(key), **found, "evidence": written(bundle).decode()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_five_years(case: Case) -> None:
    bundle, key = made(case)
    report = check(read(written(bundle)), [key])
    assert tuple(one.code for one in report.findings) == case.found
    good = bool(case.gone) and not case.found
    expected = (Deleted(SLOT + KEPT_MINUTES, 1, len(case.gone)),) if good else ()
    assert report.deleted == expected or case.found
    assert report.n_records == (5 if case.ordered > 0 else 4)
    assert len(report.credit_ms) == 2 - len(case.gone)
    assert report.unended == ()


def test_the_page_reads_the_same_cases() -> None:
    kept = json.loads((Path(__file__).parent / "deleted.json").read_text())
    assert kept == json.loads(json.dumps([told(case) for case in CASES])), "python -m tests.verify.test_deleted"


if __name__ == "__main__":
    (Path(__file__).parent / "deleted.json").write_text(f"{json.dumps([told(case) for case in CASES], indent=1)}\n")
