"""Rows as records: the digest, ids that are none, and that each capability says what it writes."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select

from server.ledger import records
from server.ledger.facts import PLATFORM, digest, fact, group_named, id_of
from server.ledger.rules import SEAL_AFTER_MS, split
from server.oversight.records import add_view, regulator_view
from server.training.records_tables import enrolment, institution, scheme
from server.verify.formats import NO_HASH, NO_ID, Kind, Record, read_leaf, read_record
from tests.school import School, school


def test_the_digest_of_a_row() -> None:
    assert digest({"b": 1, "a": "课"}) == hashlib.sha256('{"a":"课","b":1}'.encode()).digest()
    assert digest({"a": "课", "b": 1}) == digest({"b": 1, "a": "课"}) != digest({"b": 2, "a": "课"})


@pytest.mark.parametrize(
    ("text", "raw"), [("00000000000000ff", bytes(7) + b"\xff"), ("", NO_ID), ("370000", NO_ID), ("x" * 16, NO_ID)]
)
def test_ids(text: str, raw: bytes) -> None:
    assert id_of(text) == raw


def test_a_fact_is_of_its_minute() -> None:
    made = fact(Kind.LEASE, 119_999, {}, subject="00000000000000ff", session=3, seq=3)
    assert (made.slot, made.seq, made.session, made.subject) == (1, 3, bytes(7) + b"\x03", bytes(7) + b"\xff")


async def said(served: School) -> list[tuple[str, Record]]:
    async with served.house.store.database.read() as connection:
        entries = await records.waiting(connection, 1 << 30)
    return [(entry.group_id, read_record(raw)) for entry in entries for raw in split(entry.records)]


async def test_a_school_says_what_it_is_made_of(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        told = await said(served)
        async with served.house.store.database.read() as connection:
            seats = [dict(row) for row in (await connection.execute(select(enrolment))).mappings()]
            homes = [dict(row) for row in (await connection.execute(select(institution))).mappings()]
    enrolled = {(group, one.evidence) for group, one in told if one.kind == Kind.ENROLMENT}
    assert enrolled == {(row["class_id"], digest(row)) for row in seats} != set()
    founded = {(group, one.evidence) for group, one in told if one.kind == Kind.INSTITUTION}
    assert founded == {(row["id"], digest(row)) for row in homes} != set()
    assert [group for group, one in told if one.kind == Kind.TRAINING_CLASS] == [served.class_id]


async def test_platform_and_schemes_are_said_once_and_the_first_leaf_stands_for_the_scheme(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        training, clock = served.house.training, served.clock
        await training.tell_what_stands()
        told = await said(served)
        async with served.house.store.database.read() as connection:
            rows = (await connection.execute(select(scheme).order_by(scheme.c.published_ms))).mappings()
            published = [dict(row) for row in rows]
        rules = [(group, one.evidence) for group, one in told if one.kind == Kind.SCHEME]
        assert sorted(rules) == sorted((group_named(row["id"]), digest(row)) for row in published)
        await served.house.log.round()
        clock.advance(60_000 + SEAL_AFTER_MS)
        await served.house.log.round()
        async with served.house.store.database.read() as connection:
            (leaf,) = [read_leaf(raw) for raw in await records.leaves(connection, 0, 1)]
        known = NO_HASH
        for _, evidence in sorted(rules):
            known = hashlib.sha256(known + evidence).digest()
        assert leaf.scheme_hash == known


async def test_every_change_of_the_platform_is_said(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        for number in ("鲁-1", "鲁-2", "鲁-1"):
            await served.house.training.set_platform("某平台", number)
        await served.house.training.tell_what_stands()
        told = [one.evidence for _, one in await said(served) if one.kind == Kind.PLATFORM]
    by_number = {
        number: digest({"operator": "某平台", "record_number": number, "demo": False}) for number in ("鲁-1", "鲁-2")
    }
    assert [told.count(by_number["鲁-1"]), told.count(by_number["鲁-2"])] == [2, 1]


async def test_a_regulators_look_is_said(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        async with served.house.store.database.write() as connection:
            await add_view(connection, "0" * 16, served.ids["regulator"], served.clock.ms(), "strips", served.lesson_id)
            (row,) = (await connection.execute(select(regulator_view))).mappings()
        ((group, look),) = [one for one in await said(served) if one[1].kind == Kind.REGULATOR_VIEW]
    assert (group, look.evidence) == (PLATFORM, digest(dict(row)))
    assert (look.subject.hex(), look.resource.hex()) == (served.ids["regulator"], served.lesson_id)
