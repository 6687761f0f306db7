"""What the log is told of a minute, and that it is told when the minute is sealed."""

import hashlib

from server.attendance.evidence import LIVE, minute_records
from server.attendance.minutes import MinuteRecord, Reason, SealedMinute, pack, text_of, told
from server.ledger import records as ledger
from server.ledger.rules import split
from server.verify.formats import Kind, read_record
from server.verify.minutes import CREDITED, PLAIN, SUMMARY, Summary, write
from tests.attendance.test_sealer import attend, joined
from tests.attendance.world import LESSON, T0, World, person_id

BOTH_STORES = True


def test_a_record_for_each_trainee() -> None:
    minutes = [
        MinuteRecord(person_id(1), ((0, 40_000),), ((Reason.HIDDEN, 20_000),)),
        MinuteRecord(person_id(2), (), ((Reason.ABSENT, 60_000),)),
    ]
    said = split(minute_records(LESSON, SealedMinute(77, 60_000, tuple(minutes))))
    lesson, first, second = map(read_record, said)
    assert (lesson.kind, lesson.slot, lesson.seq, lesson.credit_ms) == (Kind.LESSON_MINUTE, 77, 2, 60_000)
    assert (first.kind, first.slot, first.mode, first.credit_ms) == (Kind.MINUTE, 77, LIVE, 40_000)
    assert (first.subject.hex(), first.resource.hex()) == (person_id(1), LESSON)
    assert first.evidence == hashlib.sha256(pack(minutes[:1])).digest() != second.evidence
    assert second.credit_ms == 0


def test_everybody_is_told_of_by_their_own_summary_also_where_others_have_the_same() -> None:
    whole, half = ((CREDITED, 60_000),), ((Reason.HIDDEN, 30_000), (CREDITED, 60_000))
    summaries = [Summary(1, whole), Summary(1, half), Summary(1, whole), Summary(2, whole), Summary(1, half)]
    minutes = [told(person_id(number), write(one)) for number, one in enumerate(summaries)]
    minutes.append(MinuteRecord(person_id(9), ((0, 60_000),), ()))
    _, *said = map(read_record, split(minute_records(LESSON, SealedMinute(77, 60_000, tuple(minutes)))))
    assert [one.subject.hex() for one in said] == [one.person_id for one in minutes]
    assert [one.credit_ms for one in said] == [60_000, 30_000, 60_000, 60_000, 30_000, 60_000]
    assert [int.from_bytes(one.session) for one in said] == [1, 1, 1, 2, 1, 0]
    assert [one.flags for one in said] == [SUMMARY] * 5 + [PLAIN]
    assert [one.evidence for one in said] == [hashlib.sha256(text_of(one)).digest() for one in minutes]


def test_a_minute_that_nobody_spent_is_told_as_well() -> None:
    (raw,) = split(minute_records(LESSON, SealedMinute(77, 30_000, ())))
    assert (read_record(raw).kind, read_record(raw).seq, read_record(raw).credit_ms) == (Kind.LESSON_MINUTE, 0, 30_000)


async def test_sealing_tells_the_log_in_the_same_transaction(world: World) -> None:
    page = await joined(world)
    await attend(world, page, 60_000)
    world.clock.advance(90_000)
    await world.sealer.round()
    async with world.database.read() as connection:
        said = await ledger.waiting(connection, 1 << 30)
    (entry,) = [one for one in said if one.records[0] == Kind.LESSON_MINUTE]
    assert (entry.slot, entry.group_id) == (T0 // 60_000, LESSON)
    _lesson, raw = split(entry.records)
    assert (read_record(raw).subject.hex(), read_record(raw).credit_ms) == (person_id(1), 60_000)
