"""The table of who looked at what of challenges a person should look at: append-only, and the log is told of it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import BigInteger, Integer, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.attendance.challenges.pace import Why
from server.attendance.corrections.records import keep_text, texts_of
from server.core.database import RETAIN, column, metadata
from server.ledger.facts import tell
from server.ledger.sources import Source
from server.verify.formats import Kind

#: `number` counts the looks of a lesson; `times` and `others` are what there was to look at
challenge_look: Final = Table(
    "challenge_look",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("number", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("person_id", String(16), RETAIN),
    column("why", String(16), RETAIN),
    column("times", Integer, RETAIN),
    column("others", Integer, RETAIN),
    column("by_id", String(16), RETAIN),
    column("text_digest", String(64), RETAIN),
    column("at_ms", BigInteger, RETAIN),
    sqlite_with_rowid=False,
)

APPEND_ONLY: Final = ("challenge_look",)
SOURCES: Final = (Source(challenge_look, Kind.CHALLENGE_LOOK, "at_ms"),)


@dataclass(frozen=True, slots=True)
class Look:
    """`by_id` looked at a line about `person_id`, of so many `times` and with so many `others`, and found `text`."""

    lesson_id: str
    number: int
    person_id: str
    why: Why
    times: int
    others: int
    by_id: str
    text: str
    at_ms: int


async def add_look(connection: AsyncConnection, new: Look) -> None:
    """Write it, and tell the log: subject who looked, resource whom it is about."""
    row = {**asdict(new), "why": new.why.value, "text_digest": await keep_text(connection, new.text)}
    del row["text"]
    await connection.execute(challenge_look.insert().values(row))
    about = {"subject": new.by_id, "resource": new.person_id, "seq": new.number, "credit_ms": new.times}
    await tell(connection, Kind.CHALLENGE_LOOK, new.at_ms, row, group_id=new.lesson_id, **about)


async def looks_of(connection: AsyncConnection, lesson_ids: Iterable[str]) -> dict[str, list[Look]]:
    """The looks of these lessons, by lesson, in order; a text that was erased is empty."""
    query = select(challenge_look).where(challenge_look.c.lesson_id.in_(sorted(lesson_ids)))
    rows = (await connection.execute(query.order_by(challenge_look.c.number))).mappings().all()
    texts = await texts_of(connection, {row["text_digest"] for row in rows})
    found: dict[str, list[Look]] = {}
    for row in rows:
        own = {name: row[name] for name in row if name not in ("text_digest", "why")}
        look = Look(**own, why=Why(row["why"]), text=texts.get(row["text_digest"], ""))
        found.setdefault(look.lesson_id, []).append(look)
    return found
