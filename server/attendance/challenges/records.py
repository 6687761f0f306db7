"""Tables of challenges, all append-only: a lesson's seed, its revelation, and what happened; the log is told of all."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.attendance.challenges.pace import Said
from server.attendance.challenges.rules import Event
from server.core.database import RETAIN, column, metadata
from server.ledger.facts import digest, id_of, tell
from server.ledger.records import append
from server.ledger.rules import MINUTE_MS
from server.ledger.sources import Source
from server.training.rules import ChallengeRule
from server.verify.formats import COMMITTED, ID_BYTES, REVEALED, Kind, Record
from server.verify.vouched import Outcome

#: encrypted: whoever can read the tables alone cannot tell when somebody will be asked
challenge_seed: Final = Table(
    "challenge_seed",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("sealed", LargeBinary, RETAIN),
    column("limit_s", Integer, RETAIN),
    column("at_ms", BigInteger, RETAIN),
)

challenge_reveal: Final = Table(
    "challenge_reveal",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("seed", LargeBinary, RETAIN),
    column("at_ms", BigInteger, RETAIN),
)

challenge_event: Final = Table(
    "challenge_event",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("person_id", String(16), RETAIN, primary_key=True),
    column("seq", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("at_ms", BigInteger, RETAIN),
    column("outcome", Integer, RETAIN),
    column("number", Integer, RETAIN),
    column("epoch", Integer, RETAIN),
    column("deadline_ms", BigInteger, RETAIN),
    column("credit_ms", BigInteger, RETAIN),
)

#: when each answer came, and how long after its question was sent; `taken` 0: too fast to be one
challenge_answer: Final = Table(
    "challenge_answer",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("person_id", String(16), RETAIN, primary_key=True),
    column("at_ms", BigInteger, RETAIN, primary_key=True, autoincrement=False),
    column("number", Integer, RETAIN),
    column("delay_ms", BigInteger, RETAIN),
    column("taken", Integer, RETAIN),
)

APPEND_ONLY: Final = ("challenge_seed", "challenge_reveal", "challenge_event", "challenge_answer")


async def add_seed(
    connection: AsyncConnection, lesson_id: str, seed: bytes, sealed: bytes, rule: ChallengeRule, at_ms: int
) -> None:
    """Commit to a lesson's seed."""
    values = {"lesson_id": lesson_id, "sealed": sealed, "limit_s": rule.limit_ms // 1000, "at_ms": at_ms}
    await connection.execute(challenge_seed.insert().values(values))
    await _tell_seed(connection, lesson_id, COMMITTED, seed, rule, at_ms)


async def add_reveal(connection: AsyncConnection, lesson_id: str, seed: bytes, rule: ChallengeRule, at_ms: int) -> None:
    """Reveal it."""
    await connection.execute(challenge_reveal.insert().values(lesson_id=lesson_id, seed=seed, at_ms=at_ms))
    await _tell_seed(connection, lesson_id, REVEALED, seed, rule, at_ms)


async def sealed_seed(connection: AsyncConnection, lesson_id: str) -> bytes | None:
    """A lesson's encrypted seed; None where nobody is challenged."""
    query = select(challenge_seed.c.sealed).where(challenge_seed.c.lesson_id == lesson_id)
    return (await connection.execute(query)).scalar_one_or_none()


async def revealed(connection: AsyncConnection, lesson_id: str) -> bytes | None:
    """A lesson's seed once it is known."""
    query = select(challenge_reveal.c.seed).where(challenge_reveal.c.lesson_id == lesson_id)
    return (await connection.execute(query)).scalar_one_or_none()


async def add_event(
    connection: AsyncConnection, lesson_id: str, person_id: str, event: Event, rule: ChallengeRule
) -> None:
    """Write what happened; a number that is taken is refused by the primary key."""
    await connection.execute(challenge_event.insert().values(_row(lesson_id, person_id, event)))
    told = record_of(lesson_id, person_id, event, rule.limit_ms // 1000)
    await append(connection, told.slot, lesson_id, [told])


async def committed(connection: AsyncConnection, lesson_ids: Iterable[str]) -> set[str]:
    """Which of these lessons have a seed."""
    query = select(challenge_seed.c.lesson_id).where(challenge_seed.c.lesson_id.in_(sorted(lesson_ids)))
    return set((await connection.execute(query)).scalars())


async def add_answer(connection: AsyncConnection, lesson_id: str, said: Said) -> None:
    """Write when an answer came."""
    row = {"lesson_id": lesson_id, **asdict(said), "taken": int(said.taken)}
    await connection.execute(challenge_answer.insert().values(row))
    about = {"subject": said.person_id, "resource": lesson_id, "seq": said.number, "mode": row["taken"]}
    await tell(connection, Kind.CHALLENGE_ANSWER, said.at_ms, row, group_id=lesson_id, **about)


async def answers_of(connection: AsyncConnection, lesson_ids: Iterable[str]) -> dict[str, list[Said]]:
    """The answers of these lessons, by lesson, in order."""
    query = select(challenge_answer).where(challenge_answer.c.lesson_id.in_(sorted(lesson_ids)))
    found: dict[str, list[Said]] = {}
    for row in (await connection.execute(query.order_by(challenge_answer.c.at_ms))).mappings():
        own = {each.name: row[each.name] for each in fields(Said)}
        found.setdefault(row["lesson_id"], []).append(Said(**{**own, "taken": bool(row["taken"])}))
    return found


async def events_of(
    connection: AsyncConnection, lesson_id: str, only: Collection[str] | None = None
) -> dict[str, list[Event]]:
    """What happened in a lesson, to some trainees or to all of them, by trainee, in order."""
    query = select(challenge_event).where(challenge_event.c.lesson_id == lesson_id)
    if only is not None:
        query = query.where(challenge_event.c.person_id.in_(only))
    rows = await connection.execute(query.order_by(challenge_event.c.person_id, challenge_event.c.seq))
    found: dict[str, list[Event]] = {}
    for row in rows.mappings():
        own = {each.name: row[each.name] for each in fields(Event)}
        found.setdefault(row["person_id"], []).append(Event(**{**own, "outcome": Outcome(row["outcome"])}))
    return found


async def unshown_of(connection: AsyncConnection, lesson_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """By lesson and trainee, how many challenges a page that attended never showed."""
    mine = challenge_event.c.lesson_id.in_(sorted(lesson_ids))
    query = select(challenge_event.c.lesson_id, challenge_event.c.person_id, func.count())
    query = query.where(mine & (challenge_event.c.outcome == int(Outcome.BLOCKED)))
    found: dict[str, dict[str, int]] = {}
    for row in await connection.execute(query.group_by(challenge_event.c.lesson_id, challenge_event.c.person_id)):
        found.setdefault(row[0], {})[row[1]] = row[2]
    return found


async def told_of(connection: AsyncConnection, lesson_id: str) -> list[Record]:
    """What the log must say happened in a lesson."""
    limit_s = await limit_of(connection, lesson_id) or 0
    found = await events_of(connection, lesson_id)
    return [record_of(lesson_id, who, one, limit_s) for who, events in found.items() for one in events]


async def limit_of(connection: AsyncConnection, lesson_id: str) -> int | None:
    """The limit in seconds that a lesson's seed was committed with; None where nobody is challenged."""
    query = select(challenge_seed.c.limit_s).where(challenge_seed.c.lesson_id == lesson_id)
    return (await connection.execute(query)).scalar_one_or_none()


def record_of(lesson_id: str, person_id: str, event: Event, limit_s: int) -> Record:
    """What the log is told: the outcome is the mode, `credit_ms` the millisecond in the minute, `flags` the limit."""
    return Record(
        kind=Kind.CHALLENGE_OUTCOME,
        slot=event.at_ms // MINUTE_MS,
        seq=event.seq,
        subject=id_of(person_id),
        session=event.epoch.to_bytes(ID_BYTES, "big"),
        resource=id_of(lesson_id),
        mode=event.outcome,
        credit_ms=event.at_ms % MINUTE_MS,
        flags=limit_s,
        evidence=digest(_row(lesson_id, person_id, event)),
    )


def _row(lesson_id: str, person_id: str, event: Event) -> dict[str, Any]:
    return {"lesson_id": lesson_id, "person_id": person_id, **asdict(event), "outcome": int(event.outcome)}


async def _tell_seed(
    connection: AsyncConnection, lesson_id: str, mode: int, seed: bytes, rule: ChallengeRule, at_ms: int
) -> None:
    told = Record(
        kind=Kind.CHALLENGE_SEED,
        slot=at_ms // MINUTE_MS,
        seq=mode,
        resource=id_of(lesson_id),
        mode=mode,
        credit_ms=rule.answer_ms,
        flags=rule.limit_ms // 1000,
        evidence=sha256(seed).digest(),
    )
    await append(connection, told.slot, lesson_id, [told])


def _seed_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["at_ms"] // MINUTE_MS, row["lesson_id"], row["limit_s"]


def _reveal_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["at_ms"] // MINUTE_MS, row["lesson_id"], sha256(row["seed"]).digest()


def _told_of(record: Record) -> tuple[Any, ...]:
    return record.slot, record.resource.hex(), record.flags if record.mode == COMMITTED else record.evidence


#: what the log was told of these tables; a seed that is not revealed yet is encrypted, and known by its lesson
SOURCES: Final = (
    Source(
        challenge_seed,
        Kind.CHALLENGE_SEED,
        "at_ms",
        (COMMITTED,),
        of_row=_seed_of,
        of_record=_told_of,
    ),
    Source(
        challenge_reveal,
        Kind.CHALLENGE_SEED,
        "at_ms",
        (REVEALED,),
        of_row=_reveal_of,
        of_record=_told_of,
    ),
    Source(challenge_event, Kind.CHALLENGE_OUTCOME, "at_ms", tuple(Outcome)),
    Source(challenge_answer, Kind.CHALLENGE_ANSWER, "at_ms", (0, 1)),
)
