"""The tables of lesson events (append-only; a lesson's state is always what its events make) and of stream keys."""

from dataclasses import asdict, dataclass, field
from typing import Final

from sqlalchemy import BigInteger, Integer, String, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.database import ERASE, RETAIN, column, metadata
from server.ledger.facts import tell
from server.ledger.sources import Source
from server.live.acts import records as acts
from server.live.lesson import Event, Kind
from server.verify.formats import ENDED
from server.verify.formats import Kind as RecordKind

lesson_event: Final = Table(
    "lesson_event",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("seq", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("at_ms", BigInteger, RETAIN),
    column("kind", String(32), RETAIN),
    column("actor_id", String(16), RETAIN),
    column("since_ms", BigInteger, RETAIN),
)

#: at most one a lesson; the key itself is stored nowhere
stream_key: Final = Table(
    "stream_key",
    metadata,
    column("lesson_id", String(16), RETAIN, primary_key=True),
    column("digest", String(64), ERASE),
    column("session_id", String(16), ERASE),
    column("made_ms", BigInteger, RETAIN),
)

APPEND_ONLY: Final = ("lesson_event",)
SOURCES: Final = (
    Source(lesson_event, RecordKind.LESSON_EVENT, "at_ms", (0, ENDED), older=True),
    *acts.SOURCES,
)


@dataclass(frozen=True, slots=True)
class StreamKey:
    """A lesson's key for a program that publishes: its digest, the login that made it, when."""

    lesson_id: str
    digest: str = field(repr=False)
    session_id: str
    made_ms: int


async def put_key(connection: AsyncConnection, key: StreamKey) -> None:
    """The lesson's key from now on, instead of another."""
    await drop_key(connection, key.lesson_id)
    await connection.execute(stream_key.insert().values(asdict(key)))


async def drop_key(connection: AsyncConnection, lesson_id: str) -> None:
    await connection.execute(delete(stream_key).where(stream_key.c.lesson_id == lesson_id))


async def key_of(connection: AsyncConnection, lesson_id: str) -> StreamKey | None:
    row = (await connection.execute(select(stream_key).where(stream_key.c.lesson_id == lesson_id))).mappings().first()
    return StreamKey(**row) if row else None


async def add_event(connection: AsyncConnection, lesson_id: str, event: Event) -> None:
    """Write an event; the primary key refuses a second one with the same number. The last one says how many acts
    there were, so that none of the last can be left out unnoticed.
    """
    values = {"lesson_id": lesson_id, **asdict(event)}
    await connection.execute(lesson_event.insert().values(values))
    about: dict[str, int] = {"seq": event.seq}
    if event.kind is Kind.ENDED:
        about |= {"mode": ENDED, "credit_ms": await acts.count(connection, lesson_id)}
    await tell(connection, RecordKind.LESSON_EVENT, event.at_ms, values, group_id=lesson_id, **about)


async def events_of(connection: AsyncConnection, lesson_id: str) -> list[Event]:
    """A lesson's events in order."""
    query = select(lesson_event).where(lesson_event.c.lesson_id == lesson_id).order_by(lesson_event.c.seq)
    rows = (await connection.execute(query)).mappings()
    return [Event(row["seq"], row["at_ms"], Kind(row["kind"]), row["actor_id"], row["since_ms"]) for row in rows]
