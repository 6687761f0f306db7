"""What is kept of appeals and corrections: append-only, texts apart, every step told to the log."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from server.attendance.corrections import records
from server.attendance.corrections.records import Appeal, Correction, Said
from server.attendance.corrections.rules import Line, Measure, Verdict
from server.core.database import Database
from server.core.errors import DomainError
from server.ledger import records as ledger
from server.ledger.rules import split
from server.verify.formats import ASKED, CHANGED, DECIDED, OBJECTED, PROPOSED, Kind, Record, read_record

BOTH_STORES = True

LESSON, TRAINEE, STAFF, CHIEF = "01" * 8, "02" * 8, "03" * 8, "04" * 8
NOW_MS = 1_795_424_400_000
SLOT = NOW_MS // 60_000
LINES = (Line(TRAINEE, SLOT - 10, 0, 60_000), Line(TRAINEE, SLOT - 9, 20_000, 60_000))
ASKS = Appeal("05" * 8, LESSON, TRAINEE, SLOT - 10, SLOT - 9, "手机来电", NOW_MS)
MADE = Correction("06" * 8, LESSON, STAFF, Measure.FULL, "讲师证明", ASKS.id, "", LINES, NOW_MS)


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    made = Database(store_url)
    yield made
    await made.close()


async def logged(database: Database) -> list[Record]:
    async with database.read() as connection:
        entries = await ledger.said_of(connection, LESSON)
    return [read_record(raw) for entry in entries for raw in split(entry.records)]


async def test_what_is_written_is_read(database: Database) -> None:
    async with database.write() as connection:
        await records.add_appeal(connection, ASKS)
        await records.add_correction(connection, MADE)
    async with database.read() as connection:
        assert await records.appeals(connection, records.is_appeal(ASKS.id)) == [ASKS]
        assert await records.appeals(connection, records.asked_by(LESSON, STAFF)) == []
        assert await records.corrections(connection, records.is_correction(MADE.id)) == [MADE]
        assert await records.corrections(connection, records.answers([ASKS.id])) == [MADE]
        assert await records.corrections(connection, records.of_lessons(records.correction, ["09" * 8])) == []
    said, no = Said(CHIEF, "已核对", NOW_MS + 5), Said("07" * 8, "无依据", NOW_MS + 90_000)
    async with database.write() as connection:
        await records.add_verdict(connection, MADE, Verdict.APPROVED, said)
        await records.add_objection(connection, MADE, no)
        await records.add_answer(connection, ASKS, said)
    async with database.read() as connection:
        decided = replace(MADE, verdict=Verdict.APPROVED, decided=said, objection=no)
        assert await records.corrections(connection, records.is_correction(MADE.id)) == [decided]
        assert await records.appeals(connection, records.is_appeal(ASKS.id)) == [replace(ASKS, answer=said)]


async def test_the_log_is_told_every_step_and_every_value(database: Database) -> None:
    async with database.write() as connection:
        await records.add_appeal(connection, ASKS)
        await records.add_correction(connection, MADE)
        await records.add_verdict(connection, MADE, Verdict.APPROVED, Said(CHIEF, "已核对", NOW_MS))
        await records.add_entry(connection, MADE, LINES, NOW_MS)
        await records.add_objection(connection, MADE, Said("07" * 8, "无依据", NOW_MS))
    found = await logged(database)
    steps = [(one.kind, one.mode, one.subject.hex()) for one in found if one.mode != CHANGED]
    assert sorted(steps) == [
        (Kind.CORRECTION, PROPOSED, STAFF),
        (Kind.CORRECTION, DECIDED, CHIEF),
        (Kind.CORRECTION, OBJECTED, "07" * 8),
        (Kind.APPEAL, ASKED, TRAINEE),
    ]
    changed = [one for one in found if one.mode == CHANGED]
    assert [(one.subject.hex(), one.seq, one.flags, one.credit_ms, one.session.hex()) for one in changed] == [
        (TRAINEE, SLOT - 10, 0, 60_000, MADE.id),
        (TRAINEE, SLOT - 9, 20_000, 60_000, MADE.id),
    ]
    assert {one.slot for one in found} == {SLOT}
    assert len({(one.kind, one.slot, one.subject, one.seq) for one in found}) == len(found)


async def test_everything_is_decided_once(database: Database) -> None:
    said = Said(CHIEF, "已核对", NOW_MS)
    async with database.write() as connection:
        await records.add_appeal(connection, ASKS)
        await records.add_correction(connection, MADE)
        await records.add_verdict(connection, MADE, Verdict.REFUSED, said)
        await records.add_objection(connection, MADE, said)
        await records.add_answer(connection, ASKS, said)
    with pytest.raises(DomainError, match="correction_decided"):
        async with database.write() as connection:
            await records.add_verdict(connection, MADE, Verdict.APPROVED, said)
    with pytest.raises(DomainError, match="correction_decided"):
        async with database.write() as connection:
            await records.add_objection(connection, MADE, said)
    with pytest.raises(DomainError, match="appeal_answered"):
        async with database.write() as connection:
            await records.add_answer(connection, ASKS, said)


async def test_one_change_of_a_minute_within_a_minute(database: Database) -> None:
    async with database.write() as connection:
        await records.add_entry(connection, MADE, LINES[:1], NOW_MS)
        await records.add_entry(connection, MADE, LINES[1:], NOW_MS + 1)
    with pytest.raises(DomainError, match="correction_stale"):
        async with database.write() as connection:
            await records.add_entry(connection, MADE, LINES[:1], NOW_MS + 59_999)
    async with database.write() as connection:
        await records.add_entry(connection, MADE, LINES[:1], NOW_MS + 60_000)
    async with database.read() as connection:
        assert await records.entries_of(connection, LESSON) == [LINES[:1], LINES[1:], LINES[:1]]


async def test_a_text_can_be_forgotten_and_is_never_shown_changed(database: Database) -> None:
    async with database.write() as connection:
        await records.add_appeal(connection, ASKS)
        row = (await connection.execute(select(records.remark))).mappings().one()
        assert len(row["salt"]) == 32
        await connection.execute(update(records.remark).values(text="改过的话"))
    async with database.read() as connection:
        assert await records.appeals(connection, records.is_appeal(ASKS.id)) == [replace(ASKS, text="")]
    async with database.write() as connection:
        await connection.execute(delete(records.remark))
    async with database.read() as connection:
        assert await records.appeals(connection, records.is_appeal(ASKS.id)) == [replace(ASKS, text="")]
