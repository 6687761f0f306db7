"""Who sits where, and which lesson a class has under which number, as the log is told of it.

A trainee's name stands in the log as a digest salted under their key of the class (verify.identity); whoever destroys
that key leaves nothing to guess by. The name itself stands in `person` alone.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select, true

from server.accounts.records import person
from server.ledger.facts import fact
from server.ledger.records import Connection, append, keys_of, make_keys, said_of
from server.ledger.rules import MINUTE_MS, split
from server.training.records_tables import enrolment, lesson, training_class
from server.verify import identity
from server.verify.formats import Kind, Record, read_record

#: what the log is not told of a lesson: events say it
STATES = frozenset({"state", "started_ms", "ended_ms"})


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody's seat, and how files name them."""

    class_id: str
    person_id: str
    seat: int
    name: str
    id_number: str


async def tell_seats(connection: Connection, class_id: str, person_ids: Collection[str], now_ms: int) -> None:
    """Tell the log who these enrolled trainees are. The caller has the store to itself: keys are made here."""
    seated = [one async for one in _seated(connection, enrolment.c.class_id == class_id) if one.person_id in person_ids]
    keys = await keys_of(connection, class_id)
    keys |= await make_keys(connection, class_id, {one.person_id for one in seated} - keys.keys())
    await append(connection, now_ms // MINUTE_MS, class_id, [_record(one, keys, now_ms) for one in seated])


async def tell_lessons(connection: Connection, class_id: str, rows: Iterable[Mapping[str, Any]], now_ms: int) -> None:
    """Tell the log of planned lessons: which class, which number."""
    facts = [
        fact(
            Kind.LESSON,
            now_ms,
            {name: value for name, value in row.items() if name not in STATES},
            resource=row["id"],
            seq=row["number"],
        )
        for row in rows
    ]
    await append(connection, now_ms // MINUTE_MS, class_id, facts)


async def tell_untold(connection: Connection, now_ms: int) -> None:
    """Tell of seats and lessons that were there before the log heard of such."""
    for (class_id,) in (await connection.execute(select(training_class.c.id))).all():
        told = await _told(connection, class_id)
        seats = {one.person_id async for one in _seated(connection, enrolment.c.class_id == class_id)}
        await tell_seats(connection, class_id, seats - {one.subject.hex() for one in told if _is_seat(one)}, now_ms)
        rows = (await connection.execute(select(lesson).where(lesson.c.class_id == class_id))).mappings().all()
        known = {one.resource.hex() for one in told if one.kind == Kind.LESSON}
        await tell_lessons(connection, class_id, [dict(row) for row in rows if row["id"] not in known], now_ms)


async def salts(connection: Connection, class_id: str) -> dict[str, bytes]:
    """By trainee, the salts of what the log says of the seats of a class."""
    return {one: identity.salt(key) for one, key in (await keys_of(connection, class_id)).items()}


async def untrue(connection: Connection) -> AsyncIterator[Seated]:
    """Seats whose trainee has another name, number or seat now than the log was told, or of whom it was not told.

    Each start tells of all seats and makes their keys, and retention takes both in one: a seat without a key is untold.
    """
    classes: dict[str, tuple[dict[str, bytes], set[tuple[str, int, bytes]]]] = {}
    async for one in _seated(connection, true()):
        if one.class_id not in classes:
            told = {(each.subject.hex(), each.seq, each.evidence) for each in await _told(connection, one.class_id)}
            classes[one.class_id] = (await keys_of(connection, one.class_id), told)
        keys, told = classes[one.class_id]
        if one.person_id not in keys or (one.person_id, one.seat, _digest(one, keys)) not in told:
            yield one


async def _seated(connection: Connection, where: ColumnElement[bool]) -> AsyncIterator[Seated]:
    columns = (*(enrolment.c[name] for name in ("class_id", "person_id", "seat")), person.c.name)
    query = select(*columns, person.c.id_number_masked).where(where)
    query = query.outerjoin(person, person.c.id == enrolment.c.person_id)  # a database without keys may lack the person
    for row in (await connection.execute(query.order_by(enrolment.c.class_id, enrolment.c.seat))).mappings().all():
        yield Seated(row["class_id"], row["person_id"], row["seat"], row["name"] or "", row["id_number_masked"] or "")


async def _told(connection: Connection, class_id: str) -> list[Record]:
    return [read_record(raw) for entry in await said_of(connection, class_id) for raw in split(entry.records)]


def _record(one: Seated, keys: Mapping[str, bytes], now_ms: int) -> Record:
    subject, evidence = bytes.fromhex(one.person_id), _digest(one, keys)
    return Record(Kind.IDENTITY, now_ms // MINUTE_MS, seq=one.seat, subject=subject, evidence=evidence)


def _digest(one: Seated, keys: Mapping[str, bytes]) -> bytes:
    return identity.digest(identity.salt(keys[one.person_id]), one.name, one.id_number)


def _is_seat(one: Record) -> bool:
    return one.kind == Kind.IDENTITY
