"""Decides whether lessons stand where their events put them: state, begin and end are a read model of these; and
whether their acts are all there.
"""

from collections.abc import AsyncIterator

from server.core.database import Database
from server.live.acts.records import with_holes
from server.live.lesson import rebuild
from server.live.records import events_of
from server.training.records import states_as_stored


async def misplaced(database: Database) -> AsyncIterator[str]:
    """The ids of lessons whose row says another state, begin or end than their events make."""
    async with database.read() as connection:
        for lesson_id, *said in await states_as_stored(connection):
            try:
                made = rebuild(await events_of(connection, lesson_id))
            except ValueError:  # an event of no kind that there is
                yield lesson_id
                continue
            if said != [made.state.value, made.started_ms, made.ended_ms]:
                yield lesson_id


async def torn(database: Database) -> AsyncIterator[str]:
    """The ids of lessons of whose acts one is missing."""
    async with database.read() as connection:
        async for lesson_id in with_holes(connection):
            yield lesson_id
