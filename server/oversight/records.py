"""The table of what regulators looked at: append-only."""

from typing import Final

from sqlalchemy import BigInteger, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.database import RETAIN, column, metadata
from server.ledger.facts import tell
from server.ledger.sources import Source
from server.verify.formats import Kind

regulator_view: Final = Table(
    "regulator_view",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("person_id", String(16), RETAIN),
    column("at_ms", BigInteger, RETAIN),
    column("page", String(64), RETAIN),
    column("object_id", String(16), RETAIN, index=True),
)

APPEND_ONLY: Final = ("regulator_view",)
SOURCES: Final = (Source(regulator_view, Kind.REGULATOR_VIEW, "at_ms", older=True),)
LOOKS_MOST: Final = 500


async def times_of(connection: AsyncConnection, object_id: str) -> list[int]:
    """When regulators looked at an object, oldest first, at most LOOKS_MOST."""
    query = select(regulator_view.c.at_ms).where(regulator_view.c.object_id == object_id)
    rows = await connection.execute(query.order_by(regulator_view.c.at_ms).limit(LOOKS_MOST))
    return [row[0] for row in rows]


async def add_view(
    connection: AsyncConnection, view_id: str, person_id: str, at_ms: int, page: str, object_id: str
) -> None:
    """Write one look."""
    values = {"id": view_id, "person_id": person_id, "at_ms": at_ms, "page": page, "object_id": object_id}
    await connection.execute(regulator_view.insert().values(values))
    await tell(connection, Kind.REGULATOR_VIEW, at_ms, values, subject=person_id, resource=object_id)
