"""Acts in the evidence: a log, or a package of it, in which one is missing, stands twice or was moved is named by step.

`steps.json` is read by web/src/verify/steps.test.ts too; `python -m tests.verify.test_steps` makes it anew.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from server.attendance.views import Evidence
from server.core.database import Database, sqlite_url
from server.ledger.rules import SEAL_AFTER_MS
from server.verify.bundle import Bundle, read
from server.verify.bundle import write as written
from server.verify.check import check
from server.verify.formats import ENDED, RECORD_BYTES, Kind, Record
from server.verify.program import _told
from server.verify.steps import Steps
from server.verify.words import chinese, english
from tests.ledger.world import GENESIS, LESSON, OTHER, World
from tests.verify.evidence import LESSONS, SmallClass

BOTH_STORES = False
VECTORS = Path(__file__).parent / "steps.json"
#: code, minute after GENESIS (None: of none), lesson, seat, step
Found = tuple[str, int | None, int, int, int]
HONEST = ((1, 0), (2, 0), (3, 1), (4, 2))
LAST = 3


@dataclass(frozen=True)
class Case:
    """What the log was told of a lesson of three minutes, what was done to the package, and what is found."""

    name: str
    steps: Sequence[tuple[int, int]] = HONEST
    by_end: int = 4
    after: Sequence[tuple[int, int]] = ()
    of: str = LESSON
    spoil: Callable[[Bundle], Bundle] = lambda bundle: bundle
    found: Sequence[Found] = ()


def at_act(bundle: Bundle, step: int, spoil: Callable[[bytes, int], bytes]) -> Bundle:
    """The package in which the records of the group with this act are others: those, and where it stands among them."""
    leaves = []
    for leaf in bundle.leaves:
        groups = []
        for part in leaf.groups:
            rows = [part.records[at : at + RECORD_BYTES] for at in range(0, len(part.records), RECORD_BYTES)]
            mine = [at for at, raw in enumerate(rows) if raw[0] == Kind.LESSON_ACT and raw[6:10] == step.to_bytes(4)]
            groups.append(replace(part, records=spoil(part.records, mine[0] * RECORD_BYTES)) if mine else part)
        leaves.append(replace(leaf, groups=tuple(groups)))
    return replace(bundle, leaves=tuple(leaves))


def changed(bundle: Bundle) -> Bundle:
    """Another digest: another text was written."""
    return at_act(bundle, 2, lambda raw, at: raw[: at + 50] + bytes([raw[at + 50] ^ 1]) + raw[at + 51 :])


def swapped(bundle: Bundle) -> Bundle:
    """The first two acts, which lie behind each other, change their numbers."""

    def swap(raw: bytes, at: int) -> bytes:
        first, second = raw[at : at + RECORD_BYTES], raw[at + RECORD_BYTES : at + 2 * RECORD_BYTES]
        both = first[:6] + second[6:10] + first[10:] + second[:6] + first[6:10] + second[10:]
        return raw[:at] + both + raw[at + 2 * RECORD_BYTES :]

    return at_act(bundle, 1, swap)


def deleted(bundle: Bundle) -> Bundle:
    """A record, its salt, hint and text are taken out."""
    leaves = []
    for leaf in bundle.leaves:
        groups = []
        for part in leaf.groups:
            at = part.records[::RECORD_BYTES].find(bytes([Kind.LESSON_ACT]))
            if at >= 0 and leaf.index == 1:
                records = part.records[: at * RECORD_BYTES] + part.records[(at + 1) * RECORD_BYTES :]
                salts, hints = (
                    raw[: at * size] + raw[(at + 1) * size :] for raw, size in ((part.salts, 16), (part.hints, 8))
                )
                groups.append(replace(part, records=records, salts=salts, hints=hints, evidence=part.evidence[:-2]))
            else:
                groups.append(part)
        leaves.append(replace(leaf, groups=tuple(groups)))
    return replace(bundle, leaves=tuple(leaves))


def without_the_last_minute(bundle: Bundle) -> Bundle:
    """The minute in which the lesson ended, and what else was said in it, are left out."""
    return replace(bundle, leaves=tuple(one for one in bundle.leaves if one.index < LAST))


def missing(step: int) -> Found:
    return ("step_missing", None, 3, -1, step)


CASES = (
    Case("an honest lesson"),
    Case("a lesson in which nothing happened", (), 0),
    Case("from before ends said how many", by_end=0),
    Case("late answers", after=((5, 3), (6, 4))),
    Case("the log was never told of one", ((1, 0), (2, 0), (4, 2)), found=[missing(3)]),
    Case("nor of the first two", ((3, 1), (4, 2)), found=[missing(1)]),
    Case("two holes", ((1, 0), (3, 1), (4, 1), (7, 2)), 7, found=[missing(2), missing(5)]),
    Case("none of the last before the end", ((1, 0), (2, 0)), found=[missing(3)]),
    Case("none at all", (), found=[missing(1)]),
    Case("a late answer is missing", after=((6, 4),), found=[missing(5)]),
    Case("one stands twice", (*HONEST, (3, 1)), found=[("step_doubled", 1, 3, -1, 3)]),
    Case("one stands twice, later", (*HONEST, (1, 2)), found=[("step_doubled", 2, 3, -1, 1)]),
    Case("two were told in each other's place", ((1, 0), (2, 1), (3, 0), (4, 2)), found=[("step_moved", 0, 3, -1, 3)]),
    Case(
        "one was told late, the rest behind it",
        ((1, 2), (2, 0), (3, 1), (4, 2)),
        found=[("step_moved", 0, 3, -1, 2), ("step_moved", 1, 3, -1, 3)],
    ),
    Case("of another lesson", of=OTHER, found=[("minute_wrong", at, 3, 17, -1) for at in (0, 1, 2)]),
    Case("one was changed", spoil=changed, found=[("record_changed", 0, 3, 17, -1)]),
    Case(
        "two change places in the package",
        spoil=swapped,
        found=[("record_changed", 0, 3, 17, -1)],
    ),
    Case("one is deleted from the package", spoil=deleted, found=[("records_changed", 1, 3, -1, -1), missing(3)]),
)
SAID = {"step_missing": "缺失", "step_doubled": "记了两次", "step_moved": "所在的分钟早于前面的步骤"}


async def made(small: SmallClass, case: Case) -> Bundle:
    await small.enrol()
    await small.act(*case.steps, *case.after, of=case.of)
    await small.end(LESSON, GENESIS + LAST, case.by_end)
    await small.end(OTHER, GENESIS + LAST)
    await small.attend()
    small.world.to(5, SEAL_AFTER_MS)
    await small.world.ledger.round()
    return case.spoil(await small.bundle())


def found(bundle: Bundle) -> list[Found]:
    return [
        (one.code, one.slot - GENESIS if one.slot >= 0 else None, one.lesson, one.seat, one.step)
        for one in check(bundle).findings
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_wrong_with_acts_is_named(small: SmallClass, case: Case) -> None:
    bundle = await made(small, case)
    assert found(bundle) == list(case.found)
    steps = len({step for step, _ in (*case.steps, *case.after)}) - (case.spoil is deleted)
    assert check(bundle).steps == ({3: steps} if steps else {})


async def test_a_package_without_its_end_says_so(small: SmallClass) -> None:
    """What came last can be left out together with the end: then it is an unended lesson."""
    bundle = await made(small, Case("", ((1, 0), (2, 0), (3, 1), (4, 3)), spoil=without_the_last_minute))
    assert (found(bundle), check(bundle).unended, check(bundle).steps) == ([], (3, 4), {3: 3})


async def test_a_minute_with_acts_alone_that_is_left_out_is_a_hole(small: SmallClass) -> None:
    """After the end there are no minutes of trainees that would be missed."""
    bundle = await made(small, Case("late answers", after=((5, 4), (6, 5))))
    hidden = replace(bundle, leaves=tuple(one for one in bundle.leaves if one.index != 4))
    assert (found(bundle), found(hidden)) == ([], [missing(5)])


def test_of_a_lesson_of_which_something_was_deleted_nobody_can_tell_what_is_missing() -> None:
    name, other = bytes.fromhex(LESSON), bytes.fromhex(OTHER)
    said = Steps()
    for lesson in (name, other):
        said.take(lesson, Record(Kind.LESSON_ACT, GENESIS, 2, resource=lesson))
        said.take(lesson, Record(Kind.LESSON_EVENT, GENESIS, 9, mode=ENDED, credit_ms=3))
    assert sorted(said.wrong({name})) == [("step_missing", -1, other, 1), ("step_missing", -1, other, 3)]
    assert said.counts({name}) == {other: 1}


def test_the_end_that_says_most_counts() -> None:
    said = Steps()
    for acts in (3, 1):
        said.take(b"l" * 8, Record(Kind.LESSON_EVENT, GENESIS, mode=ENDED, credit_ms=acts))
    assert list(said.wrong(())) == [("step_missing", -1, b"l" * 8, 1)]


async def test_words_name_lesson_and_step(small: SmallClass) -> None:
    report = check(await made(small, Case("", ((1, 0), (2, 0), (2, 1), (4, 1), (5, 0)))))
    assert [chinese(one) for one in report.findings] == [
        "第 3 课次 2026-08-29 18:40 互动记录 第 5 步 所在的分钟早于前面的步骤",
        "第 3 课次 2026-08-29 18:41 互动记录 第 2 步 记了两次",
        "第 3 课次 互动记录 第 3 步 缺失",
    ]
    assert english(report.findings[2]) == "lesson 3, act 3: is missing"
    assert "  互动记录 · acts: 第 3 课次 · lesson 3, 4 步 · steps" in list(_told(report))


async def test_acts_of_a_lesson_that_is_not_in_the_package_are_no_business_of_it(small: SmallClass) -> None:
    await small.act((2, 0), lesson_id=OTHER, of=OTHER)
    await made(small, CASES[0])
    assert check(await small.bundle({LESSON: LESSONS[LESSON]})).findings == ()


def told(case: Case, bundle: Bundle) -> dict[str, Any]:
    report = check(bundle)
    findings = [[one.code, one.slot, one.lesson, one.seat, one.step] for one in report.findings]
    steps = [list(one) for one in report.steps.items()]
    return {"name": case.name, "findings": findings, "steps": steps, "bundle": written(bundle).decode()}


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text(encoding="utf-8")), ids=lambda case: case["name"])
def test_the_cases_that_both_verifiers_are_held_to(case: dict[str, Any]) -> None:
    report = check(read(case["bundle"].encode()))
    findings = [[one.code, one.slot, one.lesson, one.seat, one.step] for one in report.findings]
    assert findings == case["findings"]
    assert [list(one) for one in report.steps.items()] == case["steps"]


def test_every_case_is_among_them() -> None:
    kept = {case["name"]: case["findings"] for case in json.loads(VECTORS.read_text(encoding="utf-8"))}
    assert kept == {
        case.name: [[code, -1 if at is None else GENESIS + at, *rest] for code, at, *rest in case.found]
        for case in CASES
    }, "python -m tests.verify.test_steps"


async def _all() -> list[dict[str, Any]]:
    cases = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            database = Database(sqlite_url(Path(folder) / "keshi.db"))
            await database.migrate()
            world = World(database, Path(folder) / "log")
            await world.ledger.round()
            cases.append(told(case, await made(SmallClass(world, Evidence({}, {})), case)))
            await database.close()
    return cases


if __name__ == "__main__":
    VECTORS.write_text(f"{json.dumps(asyncio.run(_all()), ensure_ascii=False, indent=1)}\n", encoding="utf-8")
