"""A real store for tests, with accounts on top and a clock moved by hand."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher

from server import accounts
from server.accounts import records
from server.accounts.id_number import DEMO_PREFIX, check_digit
from server.accounts.limits import LimitSettings
from server.accounts.passwords import LANES, MEMORY_KIB, PASSES
from server.accounts.people import NewPerson
from server.accounts.service import Accounts
from server.core.actor import Actor, Role
from server.core.clock import ManualClock
from server.core.database import Database
from server.core.shared import InProcess
from server.core.tasks import Tasks
from server.core.vault import KEY_BYTES, Vault
from server.core.wire.declaration import Declarations
from server.core.wire.rest import Rest, errors_as_json

#: 2026-11-23 09:00 UTC, 17:00 in Asia/Shanghai
NOW_MS = 1_795_424_400_000
PASSWORD = "correct horse"
#: little work, and a crowd that a test can make
LIMITS = LimitSettings(proof_hashes=100, address_per_minute=300, attack_failures=50, waiting_s=30)


def number(index: int) -> str:
    """A fictitious ID number."""
    first = f"{DEMO_PREFIX}19900307{index:03d}"
    return first + check_digit(first)


def solved(challenge: dict[str, Any]) -> str:
    """What a page makes of a challenge."""
    salt, end = challenge["salt"], challenge["challenge"]
    found = next(n for n in range(challenge["maxNumber"] + 1) if sha256(f"{salt}{n}".encode()).hexdigest() == end)
    return base64.b64encode(json.dumps({**challenge, "number": found}).encode()).decode()


@cache
def _hash() -> str:
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES).hash(PASSWORD)


@dataclass
class Store:
    """One test's store."""

    database: Database
    clock: ManualClock
    vault: Vault
    accounts: Accounts
    declarations: Declarations
    limits: LimitSettings
    people: int = 500  # ID numbers below are free for tests

    async def add(self, role: Role, name: str, institution_id: str | None = None, area: str | None = None) -> Actor:
        """Somebody who has set PASSWORD."""
        self.people += 1
        number_or_none = number(self.people) if role is Role.TRAINEE else None
        login = f"{role}-{name}".lower() if role is not Role.TRAINEE else None
        person = await self.accounts.create_person(NewPerson(role, name, login, institution_id, area, number_or_none))
        async with self.database.write() as connection:
            await records.set_password(connection, person.id, _hash())
        return Actor(person.id, role, "no-session", institution_id, area)


@asynccontextmanager
async def open_store(url: str, demo: bool = True, limits: LimitSettings = LIMITS) -> AsyncIterator[Store]:
    """A migrated, empty database with accounts on top."""
    database, clock, vault = Database(url), ManualClock(NOW_MS), Vault(bytes(KEY_BYTES))
    counters = InProcess(clock, Tasks())
    built = accounts.build(database=database, clock=clock, vault=vault, counters=counters, demo=demo, limits=limits)
    try:
        yield Store(database, clock, vault, built.service, built.declarations, limits)
    finally:
        built.service.close()
        await database.close()


async def ask(session: ClientSession, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of one call under /api/v1."""
    async with session.request(method, f"/api/v1/{path}", json=body) as response:
        return response.status, await response.json()


async def sign_in(session: ClientSession, login: str, password: str = PASSWORD) -> None:
    """Sign a browser in."""
    status, answer = await ask(session, "POST", "login", {"login": login, "password": password})
    assert status == 200, answer


@asynccontextmanager
async def browser(store: Store, declarations: Declarations) -> AsyncIterator[ClientSession]:
    """A browser before a real server that serves these declarations."""

    async def observe(_actor: Actor, _page: str, _object_id: str, _view_id: str) -> None:
        return

    app = web.Application(middlewares=[errors_as_json])
    origin = "http://keshi.example"
    Rest(store.accounts.authenticate, observe, frozenset({origin}), 3_600).serve(app, declarations.routes)
    server = TestServer(app)
    await server.start_server()
    jar = CookieJar(unsafe=True)  # or it would keep no cookie of an address
    async with ClientSession(str(server.make_url("/")), headers={"Origin": origin}, cookie_jar=jar) as session:
        yield session
    await server.close()
