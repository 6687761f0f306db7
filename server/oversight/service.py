"""Use-cases of a regulator: look, and have it written down before it is answered."""

from server.core.actor import Actor
from server.core.clock import Clock
from server.core.database import Database
from server.oversight import records


class Oversight:
    """Keeps the record of views."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    async def record_view(self, actor: Actor, page: str, object_id: str, view_id: str) -> None:
        """Write down that this regulator looks at `object_id` (a lesson, class or area; empty: everything in scope)."""
        async with self.database.write() as connection:
            await records.add_view(connection, view_id, actor.person_id, self.clock.ms(), page, object_id)

    async def looks(self, object_id: str) -> list[int]:
        """When regulators looked at a lesson, in ledger milliseconds; whoever asks checks that it is over."""
        async with self.database.read() as connection:
            return await records.times_of(connection, object_id)
