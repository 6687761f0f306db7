"""Tables of appeals and corrections, all append-only, and how the log is told of them."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Integer, LargeBinary, String, Table, and_, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.attendance.corrections.rules import TEXT_MOST, Key, Line, Measure, Standing, Verdict, pack, standing, unpack
from server.attendance.minutes import MINUTE_MS, slot_of
from server.attendance.records import minute_journal
from server.core.database import ERASE, RETAIN, column, metadata
from server.core.errors import DomainError
from server.ledger.facts import digest, id_of, tell
from server.ledger.records import append
from server.ledger.sources import Source
from server.verify.formats import ASKED, CHANGED, DECIDED, OBJECTED, PROPOSED, Kind, Record

appeal: Final = Table(
    "appeal",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("lesson_id", String(16), RETAIN, index=True),
    column("person_id", String(16), RETAIN),
    column("first_slot", Integer, RETAIN),
    column("last_slot", Integer, RETAIN),
    column("text_digest", String(64), RETAIN),
    column("at_ms", BigInteger, RETAIN),
)

appeal_answer: Final = Table(
    "appeal_answer",
    metadata,
    column("appeal_id", String(16), RETAIN, primary_key=True),
    column("person_id", String(16), RETAIN),
    column("text_digest", String(64), RETAIN),
    column("at_ms", BigInteger, RETAIN),
)

correction: Final = Table(
    "correction",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("lesson_id", String(16), RETAIN, index=True),
    column("person_id", String(16), RETAIN),
    column("measure", String(16), RETAIN),
    column("text_digest", String(64), RETAIN),
    column("appeal_id", String(16), RETAIN),
    column("reverses", String(16), RETAIN),
    column("lines", LargeBinary, RETAIN),
    column("at_ms", BigInteger, RETAIN),
)

correction_verdict: Final = Table(
    "correction_verdict",
    metadata,
    column("correction_id", String(16), RETAIN, primary_key=True),
    column("person_id", String(16), RETAIN),
    column("verdict", String(16), RETAIN),
    column("text_digest", String(64), RETAIN),
    column("at_ms", BigInteger, RETAIN),
)

correction_objection: Final = Table(
    "correction_objection",
    metadata,
    column("correction_id", String(16), RETAIN, primary_key=True),
    column("person_id", String(16), RETAIN),
    column("text_digest", String(64), RETAIN),
    column("at_ms", BigInteger, RETAIN),
)

#: what people wrote, apart: it may name somebody, so that it can be erased; its digest stands where nothing can be
remark: Final = Table(
    "remark",
    metadata,
    column("digest", String(64), RETAIN, primary_key=True),
    column("salt", String(32), ERASE),
    column("text", String(TEXT_MOST), ERASE),
)

correction_entry: Final = Table(
    "correction_entry",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("seq", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("correction_id", String(16), RETAIN),
    column("lines", LargeBinary, RETAIN),
    column("at_ms", BigInteger, RETAIN),
)

APPEND_ONLY: Final = (
    "appeal",
    "appeal_answer",
    "correction",
    "correction_verdict",
    "correction_objection",
    "correction_entry",
)
#: what the log was told of besides what counts since
SOURCES: Final = (
    Source(appeal, Kind.APPEAL, "at_ms", (ASKED,)),
    Source(appeal_answer, Kind.APPEAL, "at_ms", (DECIDED,)),
    Source(correction, Kind.CORRECTION, "at_ms", (PROPOSED,)),
    Source(correction_verdict, Kind.CORRECTION, "at_ms", (DECIDED,)),
    Source(correction_objection, Kind.CORRECTION, "at_ms", (OBJECTED,)),
)
Connection: TypeAlias = AsyncConnection
Texts: TypeAlias = Mapping[str, str]
TEXT: Final = "text_digest"
SALT_BYTES: Final = 16
CHUNK: Final = 500
EVER: Final = 2**62
#: a list shows at most so many, newest first
LIST_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Said:
    """Who decided something, when and why."""

    person_id: str
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Appeal:
    """What a trainee asks about minutes of a lesson, and the answer once it is refused."""

    id: str
    lesson_id: str
    person_id: str
    first_slot: int
    last_slot: int
    text: str
    at_ms: int
    answer: Said | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A proposal, and what the second person and a regulator said. `person_id` is who proposes it."""

    id: str
    lesson_id: str
    person_id: str
    measure: Measure
    text: str
    appeal_id: str
    reverses: str
    lines: tuple[Line, ...]
    at_ms: int
    verdict: Verdict | None = None
    decided: Said | None = None
    objection: Said | None = None

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        return standing(self.verdict, self.objection is not None)


async def add_appeal(connection: AsyncConnection, new: Appeal) -> None:
    """Write what a trainee asks."""
    values = {each.name: getattr(new, each.name) for each in appeal.c if each.name != TEXT}
    values[TEXT] = await keep_text(connection, new.text)
    await connection.execute(appeal.insert().values(values))
    about = {"subject": new.person_id, "resource": new.id, "seq": _number(new.id), "mode": ASKED}
    await tell(connection, Kind.APPEAL, new.at_ms, values, group_id=new.lesson_id, **about)


async def add_answer(connection: AsyncConnection, asked: Appeal, said: Said) -> None:
    """Write that an appeal is refused. Raises DomainError appeal_answered."""
    values = {"appeal_id": asked.id, **await _row(connection, said)}
    await _once(connection, appeal_answer, values, "appeal_answered")
    about = {"subject": said.person_id, "resource": asked.id, "seq": _number(asked.id), "mode": DECIDED}
    await tell(connection, Kind.APPEAL, said.at_ms, values, group_id=asked.lesson_id, **about)


async def add_correction(connection: AsyncConnection, new: Correction) -> None:
    """Write a proposal."""
    values = {each.name: getattr(new, each.name) for each in correction.c if each.name not in ("lines", TEXT)}
    values[TEXT] = await keep_text(connection, new.text)
    await connection.execute(correction.insert().values(**values, lines=pack(new.lines)))
    shown = {**values, "lines": pack(new.lines).hex()}
    await _tell(connection, new, PROPOSED, new.person_id, new.at_ms, shown)


async def add_verdict(connection: AsyncConnection, of: Correction, verdict: Verdict, said: Said) -> None:
    """Write the second person's decision. Raises DomainError correction_decided."""
    values = {"correction_id": of.id, **await _row(connection, said), "verdict": verdict}
    await _once(connection, correction_verdict, values, "correction_decided")
    await _tell(connection, of, DECIDED, said.person_id, said.at_ms, values)


async def add_objection(connection: AsyncConnection, of: Correction, said: Said) -> None:
    """Write a regulator's objection. Raises DomainError correction_decided."""
    values = {"correction_id": of.id, **await _row(connection, said)}
    await _once(connection, correction_objection, values, "correction_decided")
    await _tell(connection, of, OBJECTED, said.person_id, said.at_ms, values)


async def add_entry(connection: AsyncConnection, of: Correction, lines: tuple[Line, ...], at_ms: int) -> None:
    """Apply lines: from now on they count. Raises DomainError correction_stale when something else came between."""
    seq, just_changed = await _last_entries(connection, of.lesson_id, slot_of(at_ms) * MINUTE_MS)
    if just_changed & {line.key for line in lines}:  # the log has room for one change of a minute within a minute
        raise DomainError("correction_stale", why="just_changed")
    values = {"lesson_id": of.lesson_id, "seq": seq + 1, "correction_id": of.id, "lines": pack(lines), "at_ms": at_ms}
    await _once(connection, correction_entry, values, "correction_stale")
    await append(connection, slot_of(at_ms), of.lesson_id, _changes(values))


def _changes(entry: Mapping[str, Any]) -> list[Record]:
    """What the log is told of an entry: a record of each line."""
    proof = digest({**entry, "lines": entry["lines"].hex()})
    return [
        Record(
            kind=Kind.CORRECTION,
            slot=slot_of(entry["at_ms"]),
            seq=line.slot,
            subject=id_of(line.person_id),
            session=id_of(entry["correction_id"]),
            resource=id_of(entry["lesson_id"]),
            mode=CHANGED,
            credit_ms=line.after_ms,
            flags=line.before_ms,
            evidence=proof,
        )
        for line in unpack(entry["lines"])
    ]


async def changes_of(connection: AsyncConnection, lesson_id: str) -> tuple[list[bytes], int]:
    """What the log must say was changed in a lesson, and how many rows say nothing that it could have been told."""
    query = select(correction_entry).where(correction_entry.c.lesson_id == lesson_id)
    found: list[bytes] = []
    damaged = 0
    for row in (await connection.execute(query)).mappings():
        try:
            found += [record.pack() for record in _changes(dict(row))]
        except (ValueError, struct.error):
            damaged += 1
    return found, damaged


async def lessons_with_entries(connection: AsyncConnection) -> list[str]:
    """The lessons in which something was corrected."""
    rows = await connection.execute(select(correction_entry.c.lesson_id).distinct())
    return [row[0] for row in rows]


async def entries_of(connection: AsyncConnection, lesson_id: str, before_ms: int = EVER) -> list[tuple[Line, ...]]:
    """What was applied in a lesson before that moment, in order."""
    mine = and_(correction_entry.c.lesson_id == lesson_id, correction_entry.c.at_ms < before_ms)
    rows = await connection.execute(select(correction_entry.c.lines).where(mine).order_by(correction_entry.c.seq))
    return [unpack(row[0]) for row in rows]


async def appeals(connection: AsyncConnection, where: ColumnElement[bool]) -> list[Appeal]:
    """Appeals, newest first, at most LIST_MOST."""
    query = select(*_named("a", appeal), *_named("n", appeal_answer))
    query = query.select_from(appeal.outerjoin(appeal_answer, appeal_answer.c.appeal_id == appeal.c.id)).where(where)
    query = query.order_by(appeal.c.at_ms.desc(), appeal.c.id).limit(LIST_MOST)
    rows = (await connection.execute(query)).mappings().all()
    texts = await texts_of(connection, (row[f"{of}_{TEXT}"] for row in rows for of in ("a", "n")))
    return [Appeal(**_own(row, "a", appeal, texts), answer=_said(row, "n", "appeal_id", texts)) for row in rows]


async def corrections(connection: AsyncConnection, where: ColumnElement[bool]) -> list[Correction]:
    """Corrections, newest first, at most LIST_MOST."""
    query = select(
        *_named("c", correction), *_named("v", correction_verdict), *_named("o", correction_objection)
    ).select_from(
        correction.outerjoin(correction_verdict, correction_verdict.c.correction_id == correction.c.id).outerjoin(
            correction_objection, correction_objection.c.correction_id == correction.c.id
        )
    )
    query = query.where(where).order_by(correction.c.at_ms.desc(), correction.c.id).limit(LIST_MOST)
    rows = (await connection.execute(query)).mappings().all()
    texts = await texts_of(connection, (row[f"{of}_{TEXT}"] for row in rows for of in ("c", "v", "o")))
    return [_correction(row, texts) for row in rows]


def of_lessons(table: Table, lesson_ids: Iterable[str]) -> ColumnElement[bool]:
    """What is about these lessons."""
    return table.c.lesson_id.in_(sorted(lesson_ids))


def is_appeal(appeal_id: str) -> ColumnElement[bool]:
    """The appeal of this id."""
    return appeal.c.id == appeal_id


def asked_by(lesson_id: str, person_id: str) -> ColumnElement[bool]:
    """Somebody's appeals in a lesson."""
    return and_(appeal.c.lesson_id == lesson_id, appeal.c.person_id == person_id)


def is_correction(correction_id: str) -> ColumnElement[bool]:
    """The correction of this id."""
    return correction.c.id == correction_id


def answers(appeal_ids: Iterable[str]) -> ColumnElement[bool]:
    """Corrections that were proposed for these appeals."""
    return correction.c.appeal_id.in_(sorted(appeal_ids))


async def credit_by_lesson(connection: AsyncConnection, lesson_ids: Iterable[str]) -> dict[str, int]:
    """What was recorded in each lesson, of everybody together."""
    query = select(minute_journal.c.lesson_id, func.sum(minute_journal.c.credit_ms_total))
    query = query.where(of_lessons(minute_journal, lesson_ids)).group_by(minute_journal.c.lesson_id)
    return {row[0]: int(row[1]) for row in await connection.execute(query)}


async def _last_entries(connection: AsyncConnection, lesson_id: str, since_ms: int) -> tuple[int, set[Key]]:
    """The newest number, and the minutes that were changed since then."""
    query = select(correction_entry).where(correction_entry.c.lesson_id == lesson_id)
    rows = (await connection.execute(query.order_by(correction_entry.c.seq))).mappings().all()
    changed = {line.key for row in rows if row["at_ms"] >= since_ms for line in unpack(row["lines"])}
    return (rows[-1]["seq"] if rows else 0), changed


async def _once(connection: AsyncConnection, table: Table, values: Mapping[str, Any], code: str) -> None:
    try:
        await connection.execute(table.insert().values(values))
    except IntegrityError as error:
        raise DomainError(code) from error


async def _tell(
    connection: AsyncConnection, of: Correction, mode: int, person_id: str, at_ms: int, row: Mapping[str, Any]
) -> None:
    about = {"subject": person_id, "resource": of.id, "seq": _number(of.id), "mode": mode}
    await tell(connection, Kind.CORRECTION, at_ms, row, group_id=of.lesson_id, **about)


def _number(item_id: str) -> int:
    """Tells facts of one person in one minute apart."""
    return int(item_id[:8], 16)


def _named(prefix: str, table: Table) -> list[Any]:
    return [each.label(f"{prefix}_{each.name}") for each in table.c]


def _own(row: Any, prefix: str, table: Table, texts: Texts) -> dict[str, Any]:
    own = {each.name: row[f"{prefix}_{each.name}"] for each in table.c if each.name != TEXT}
    return {**own, "text": texts.get(row[f"{prefix}_{TEXT}"], "")}


def _said(row: Any, prefix: str, key: str, texts: Texts) -> Said | None:
    if row[f"{prefix}_{key}"] is None:
        return None
    return Said(row[f"{prefix}_person_id"], texts.get(row[f"{prefix}_{TEXT}"], ""), row[f"{prefix}_at_ms"])


def _correction(row: Any, texts: Texts) -> Correction:
    own = _own(row, "c", correction, texts)
    verdict = row["v_verdict"]
    return Correction(
        **{**own, "measure": Measure(own["measure"]), "lines": unpack(own["lines"])},
        verdict=Verdict(verdict) if verdict else None,
        decided=_said(row, "v", "correction_id", texts),
        objection=_said(row, "o", "correction_id", texts),
    )


async def _row(connection: AsyncConnection, said: Said) -> dict[str, Any]:
    return {"person_id": said.person_id, TEXT: await keep_text(connection, said.text), "at_ms": said.at_ms}


async def keep_text(connection: AsyncConnection, text: str) -> str:
    """Write a text apart; returns the digest that stands for it. The salt keeps short texts from being guessed."""
    salt = token_hex(SALT_BYTES)
    mark = _mark(salt, text)
    await connection.execute(remark.insert().values(digest=mark, salt=salt, text=text))
    return mark


async def texts_of(connection: AsyncConnection, digests: Iterable[str | None]) -> Texts:
    """The texts by their digests; one that was erased or changed is not among them."""
    marks = sorted({mark for mark in digests if mark})
    found: dict[str, str] = {}
    for start in range(0, len(marks), CHUNK):
        query = select(remark).where(remark.c.digest.in_(marks[start : start + CHUNK]))
        for row in (await connection.execute(query)).mappings():
            if _mark(row["salt"], row["text"]) == row["digest"]:
                found[row["digest"]] = row["text"]
    return found


def _mark(salt: str, text: str) -> str:
    return sha256(f"{salt}{text}".encode()).hexdigest()
