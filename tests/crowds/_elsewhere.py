"""Another process on the same data: ends what it is told to, and exits.

python -m tests.crowds._elsewhere DATABASE_URL logout|everywhere|reset|deactivate|role PERSON_ID
"""

import asyncio
import sys

from server import accounts
from server.accounts.people import Place
from server.accounts.service import Accounts
from server.core.actor import Actor, Role
from server.core.clock import SystemClock
from server.core.database import Database
from server.core.shared import InProcess
from server.core.tasks import Tasks
from server.core.vault import KEY_BYTES, Vault

ROOT = Actor("0" * 16, Role.ADMINISTRATOR, "")


async def act(service: Accounts, what: str, person_id: str) -> None:
    match what:
        case "logout":
            (session,) = await service.sessions.of(person_id)
            await service.logout(session.id)
        case "everywhere":
            await service.sessions.end_all(person_id)
        case "reset":
            await service.reset(person_id)
        case "deactivate":
            await service.deactivate(ROOT, person_id)
        case "role":
            await service.move(ROOT, person_id, Place(Role.INSTRUCTOR, "another school", None))
        case _:
            raise ValueError(what)


async def main(url: str, what: str, person_id: str) -> None:
    clock = SystemClock()
    database = Database(url)
    counters = InProcess(clock, Tasks())
    built = accounts.build(database=database, clock=clock, vault=Vault(bytes(KEY_BYTES)), counters=counters, demo=False)
    await act(built.service, what, person_id)
    built.service.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
