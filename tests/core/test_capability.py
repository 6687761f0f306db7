"""What a capability hands to the composition root works as it is."""

from pathlib import Path

from server import accounts
from server.core.clock import ManualClock
from server.core.database import Database, sqlite_url
from server.core.shared import InProcess
from server.core.tasks import Tasks
from server.core.vault import KEY_BYTES, Vault


async def test_a_built_capability_serves_and_works(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "keshi.db"))
    await database.migrate()
    clock = ManualClock(0)
    counters = InProcess(clock, Tasks())
    built = accounts.build(database=database, clock=clock, vault=Vault(bytes(KEY_BYTES)), counters=counters, demo=False)
    assert built.declarations.routes
    assert len({job.name for job in built.jobs}) == len(built.jobs) > 0
    for job in built.jobs:
        assert job.seconds > 0
        await job.work()
    built.service.close()
    await database.close()
