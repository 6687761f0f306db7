"""Decides whether lessons stand where their events put them: state, begin and end are a read model of these."""

from collections.abc import AsyncIterator

from server.core.database import Database
from server.live.lesson import rebuild
from server.live.records import events_of
from server.training.records import every_lesson


async def misplaced(database: Database) -> AsyncIterator[str]:
    """The ids of lessons whose row says another state, begin or end than their events make."""
    async with database.read() as connection:
        for one in await every_lesson(connection):
            made = rebuild(await events_of(connection, one.id))
            if (one.state.value, one.started_ms, one.ended_ms) != (made.state.value, made.started_ms, made.ended_ms):
                yield one.id
