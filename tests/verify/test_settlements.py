"""Settlements in the evidence: each follows from what was known in its minute, under its scheme, or is named."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from server.ledger.facts import group_named
from server.ledger.records import append
from server.ledger.rules import MINUTE_MS, SEAL_AFTER_MS
from server.verify.bundle import Bundle, read
from server.verify.check import check
from server.verify.formats import Kind, Record
from server.verify.hours import Attended, rules_of
from server.verify.program import _told
from server.verify.report import Report
from server.verify.settlements import Settlement, read_text, text_of, worked_out
from server.verify.tree import Refused
from server.verify.words import chinese, english
from tests.ledger.world import GENESIS, LESSON, OTHER
from tests.verify.evidence import HOME, LESSONS, PEOPLE, SmallClass

BOTH_STORES = False
VECTORS = Path(__file__).parent / "settlements.json"
JIA, YI = PEOPLE
PLAIN: dict[str, Any] = {"class_hour_ms": 25_000}
STRICT: dict[str, Any] = {"class_hour_ms": 25_000, "daily_cap_ms": 100_000, "complete_percent": 90, "late_ms": 0}
#: the lessons take the minutes 0 to 2 and end in the third
AT = 6
Said = dict[str, Any]


@pytest.fixture
def small(small: SmallClass) -> SmallClass:
    """Both are in both lessons, half of each minute in each."""
    small.together = True
    return small


def scheme(parameters: dict[str, Any] = PLAIN) -> bytes:
    row = {"id": "ours/1", "name": "ours", "version": 1, "title": "本校", "published_ms": GENESIS * MINUTE_MS}
    return text_of({**row, "parameters": json.dumps(parameters)})


def attended(person: str, lesson: str, changed: dict[int, int] | None = None) -> Attended:
    """What somebody has in a lesson (tests/verify/evidence.py): half minutes, or ones that were hidden for a while."""
    minutes = {GENESIS + at: 30_000 if (GENESIS + at + PEOPLE[person]) % 2 else 20_000 for at in range(3)}
    counts = minutes | {GENESIS + at: ms for at, ms in (changed or {}).items()}
    first_ms = GENESIS * MINUTE_MS + (30_000 if lesson == OTHER else 0)
    return Attended(LESSONS[lesson], counts, 90_000, GENESIS * MINUTE_MS + 30_000, first_ms)


def said(person: str, number: int = 1, at: int = AT, told: bytes = b"", **more: Any) -> Said:
    """An honest text."""
    text = told or scheme()
    changed = more.pop("changed", {})
    lessons = more.pop("lessons", (LESSON, OTHER))
    rules = rules_of(json.loads(json.loads(text)["parameters"]))
    made = worked_out(rules, {one: attended(person, one, changed if one == LESSON else None) for one in lessons})
    about = {"class_id": HOME, "number": number, "person_id": person, "people": 2, "ordered_by": "5f" * 8}
    about |= {"scheme": "ours/1", "scheme_digest": sha256(text).hexdigest(), "at_ms": (GENESIS + at) * MINUTE_MS}
    return {**about, **made, **more}


async def taught(small: SmallClass, *schemes: bytes) -> None:
    """Two lessons of three minutes; who sits where, and the schemes, were told before."""
    await small.enrol()
    async with small.world.database.write() as connection:
        for text in schemes or (scheme(),):
            record = Record(Kind.SCHEME, GENESIS, seq=1, evidence=sha256(text).digest())
            await append(connection, GENESIS, group_named("ours/1"), [record])
            small.shown.append(text)
    await small.attend()
    for one in LESSONS:
        await small.end(one, GENESIS + 3)


async def settle(small: SmallClass, *texts: Said, at: int = AT, show: bool = True) -> None:
    """Tell the log of a settlement in minute GENESIS + `at`, and seal that."""
    records = []
    for one in texts:
        text, number = text_of(one), one["number"]
        who = bytes.fromhex(one["person_id"])
        digest, home = sha256(text).digest(), bytes.fromhex(HOME)
        records.append(Record(Kind.SETTLEMENT, GENESIS + at, number, who, resource=home, evidence=digest))
        small.shown += [text] if show else []
    async with small.world.database.write() as connection:
        await append(connection, GENESIS + at, HOME, records)
    small.world.to(at, SEAL_AFTER_MS)
    await small.world.ledger.round()


async def shown(small: SmallClass, lessons: dict[str, int] = LESSONS) -> Bundle:
    """The package, with the groups of class and scheme."""
    proofs = small.world.ledger.proofs

    async def with_scheme(groups: Iterable[str], texts: Any, partly: Iterable[str] = ()) -> Any:
        return await proofs(groups, texts, partly=[*partly, group_named("ours/1")])

    small.world.ledger.proofs = with_scheme  # type: ignore[method-assign,assignment]
    try:
        return await small.bundle(lessons)
    finally:
        small.world.ledger.proofs = proofs  # type: ignore[method-assign]


def wrong(report: Report) -> list[tuple[str, int, int, int]]:
    """Code, number of the settlement, seat, lesson."""
    return [(one.code, one.settlement, one.seat, one.lesson) for one in report.findings]


async def test_an_honest_settlement_holds_and_is_told(small: SmallClass) -> None:
    await taught(small)
    await settle(small, said(JIA), said(YI))
    report = check(await shown(small))
    assert report.findings == ()
    total = {one: said(one)["confirmed_ms"] for one in PEOPLE}
    assert set(total.values()) == {140_000, 160_000}
    assert report.settled == tuple(
        Settlement(1, seat, GENESIS + AT, "ours/1", total[one] // 25_000, total[one] % 25_000, total[one])
        for one, seat in PEOPLE.items()
    )
    assert "第 1 次结算 · settlement 1: ours/1, 2 人 · trainees, 11 课时 · class hours" in "\n".join(_told(report))


async def test_a_settlement_keeps_what_counted_in_its_minute(small: SmallClass) -> None:
    await taught(small)
    await settle(small, said(JIA), said(YI))
    slot = next(at for at in range(3) if attended(JIA, LESSON).minutes[GENESIS + at] == 20_000)
    await small.correct(JIA, slot, 20_000, 30_000, at=8)
    now = said(JIA, 2, 11, changed={slot: 30_000})
    await settle(small, now, said(YI, 2, 11), at=11)
    report = check(await shown(small))
    assert report.findings == ()
    assert now["confirmed_ms"] - said(JIA)["confirmed_ms"] == 10_000
    await settle(small, said(JIA, 3, 13), said(YI, 3, 13), at=13)
    assert wrong(check(await shown(small))) == [("settlement_wrong", 3, 17, 3)], "as if nothing had been corrected"


async def test_another_scheme_gives_another_result(small: SmallClass) -> None:
    strict = scheme(STRICT)
    await taught(small, strict)
    texts = [said(one, told=strict) for one in PEOPLE]
    assert {one["confirmed_ms"] for one in texts} == {100_000}
    assert {lesson["complete"] for one in texts for lesson in one["lessons"]} == {False}
    assert {lesson["late"] for one in texts for lesson in one["lessons"]} == {False}
    await settle(small, *texts)
    assert check(await shown(small)).findings == ()


FORGED: dict[str, tuple[Callable[[Said], Said], int]] = {
    "an hour more": (lambda one: {**one, "class_hours": one["class_hours"] + 1}, -1),
    "a sum": (lambda one: {**one, "confirmed_ms": one["confirmed_ms"] + 1}, -1),
    "yes for one": (lambda one: {**one, "short_ms": False}, -1),
    "a lesson": (lambda one: {**one, "lessons": [one["lessons"][0], {**one["lessons"][1], "confirmed_ms": 1}]}, 4),
    "complete": (lambda one: {**one, "lessons": [{**one["lessons"][0], "complete": True}, one["lessons"][1]]}, 3),
    "a lesson less": (lambda one: said(JIA, lessons=(OTHER,)), 3),
    "a lesson twice": (lambda one: {**one, "lessons": [*one["lessons"], one["lessons"][1]]}, -1),
    "a lesson of nobody": (
        lambda one: {**one, "lessons": [*one["lessons"], {**one["lessons"][1], "lesson_id": "ff" * 8}]},
        -1,
    ),
    "no lessons": (lambda one: {**one, "lessons": None}, -1),
    "a scheme that was never told": (lambda one: {**one, "scheme_digest": "00" * 32}, -1),
    "another scheme's name": (lambda one: {**one, "scheme": "other/1"}, -1),
    "somebody else": (lambda one: {**one, "class_id": OTHER}, -1),
    "another minute": (lambda one: {**one, "at_ms": one["at_ms"] - MINUTE_MS}, -1),
}


@pytest.mark.parametrize("how", FORGED)
async def test_a_false_settlement_is_named_with_its_number_and_seat(small: SmallClass, how: str) -> None:
    """The operator writes it, tells the log and signs: the minutes do not give it."""
    change, lesson = FORGED[how]
    await taught(small)
    await settle(small, change(said(JIA)), said(YI))
    report = check(await shown(small))
    assert wrong(report) == [("settlement_wrong", 1, 17, lesson)]
    assert "第 1 次结算" in chinese(report.findings[0])
    assert "settlement 1" in english(report.findings[0])


async def test_a_scheme_that_was_told_later_than_it_was_settled_by(small: SmallClass) -> None:
    await taught(small)
    late = scheme(STRICT)
    await settle(small, said(JIA, told=late), said(YI, told=late))
    small.shown.append(late)
    record = Record(Kind.SCHEME, GENESIS + 8, seq=2, evidence=sha256(late).digest())
    async with small.world.database.write() as connection:
        await append(connection, GENESIS + 8, group_named("ours/1"), [record])
    small.world.to(8, SEAL_AFTER_MS)
    await small.world.ledger.round()
    found = wrong(check(await shown(small)))
    assert found[:2] == [("settlement_wrong", 1, seat, -1) for seat in (17, 18)]
    assert [code for code, *_ in found[2:]] == ["scheme_wrong"], "the same version twice"


async def test_a_text_that_is_hidden_changed_or_made_up(small: SmallClass) -> None:
    await taught(small)
    await settle(small, said(JIA), said(YI))
    whole = await shown(small)
    mine = text_of(said(JIA))
    hidden = replace(whole, shown=tuple(one for one in whole.shown if one != mine))
    assert wrong(check(hidden)) == [("settlement_wrong", 1, 17, -1)]
    more = text_of({**said(JIA), "class_hours": 99})
    changed = replace(whole, shown=tuple(more if one == mine else one for one in whole.shown))
    assert sorted(wrong(check(changed))) == [("settlement_unknown", 1, 17, -1), ("settlement_wrong", 1, 17, -1)]
    added = replace(whole, shown=(*whole.shown, text_of(said(JIA, 2))))
    assert wrong(check(added)) == [("settlement_unknown", 2, 17, -1)]


async def test_somebody_or_a_number_that_is_left_out(small: SmallClass) -> None:
    await taught(small)
    await settle(small, {**said(JIA, 2), "people": 1})
    assert wrong(check(await shown(small))) == [("settlement_missing", 2, 18, -1), ("settlement_missing", 1, -1, -1)]


async def test_fewer_trainees_than_were_settled_together(small: SmallClass) -> None:
    await taught(small)
    await settle(small, *({**said(one), "people": 3} for one in PEOPLE))
    assert wrong(check(await shown(small))) == [("settlement_missing", 1, -1, -1)]


async def test_a_class_that_was_settled_while_a_lesson_went_on(small: SmallClass) -> None:
    await taught(small)
    await settle(small, said(JIA, at=2), said(YI, at=2), at=2)
    small.world.to(4, SEAL_AFTER_MS)
    await small.world.ledger.round()
    assert wrong(check(await shown(small))) == [("settlement_wrong", 1, seat, 3) for seat in (17, 18)]


async def test_a_part_of_a_class_says_what_it_cannot_check(small: SmallClass) -> None:
    await taught(small)
    await settle(small, said(JIA), said(YI))
    for key in [one for one in small.known.credit_ms if one[0] == OTHER]:
        del small.known.credit_ms[key]
    report = check(await shown(small, {LESSON: LESSONS[LESSON]}))
    assert (report.findings, report.unchecked, report.settled) == ((), (1,), ())
    assert any("settlements of lessons that this evidence does not show: 1" in line for line in _told(report))


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text(encoding="utf-8")), ids=lambda case: case["name"])
def test_the_cases_that_both_verifiers_are_held_to(case: dict[str, Any]) -> None:
    """web/src/verify/settlements.test.ts reads the same file."""
    report = check(read(case["bundle"].encode()))
    assert [list(one) for one in wrong(report)] == case["findings"]
    sums = [[one.number, one.seat, one.class_hours, one.remainder_ms, one.confirmed_ms] for one in report.settled]
    assert sums == case["settled"]


def test_a_text_is_written_in_one_way_only() -> None:
    one = said(JIA)
    assert read_text(text_of(one)) == one
    for raw in (
        b"",
        b"[]",
        b"{",
        json.dumps(one).encode(),
        text_of(one) + b" ",
        b"\xff",
        b'{"a":1,"a":1}',
        b'{"a":1e2}',
    ):
        with pytest.raises(Refused):
            read_text(raw)
