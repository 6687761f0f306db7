"""Decides whose a cookie is. Asked for every beat: known sessions stand in memory, the database is asked once each."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from server.accounts import records
from server.accounts.codes import new_id, new_token
from server.accounts.records import Connection, Person, Session
from server.accounts.rules import SESSION_MS
from server.core.actor import Actor
from server.core.clock import Clock
from server.core.database import Database
from server.core.vault import Vault

PURPOSE: Final = "session"
SessionEnd = Callable[[str], Awaitable[None]]


class Sessions:
    """The logins of everybody. One process owns them: what another process writes is seen when a session expires."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database, self._clock, self._vault = database, clock, vault
        self._known: dict[str, tuple[Actor, int]] = {}
        self._ends = 0
        #: called with the id of each session that ends before or at its time, after the commit
        self.on_end: list[SessionEnd] = []

    async def authenticate(self, token: str) -> Actor | None:
        """Who a token belongs to; None when it never did or no longer does."""
        known = self._known.get(token) or await self._load(token)
        if known is None or self._clock.ms() >= known[1]:
            return None
        return known[0]

    async def _load(self, token: str) -> tuple[Actor, int] | None:
        before = self._ends
        found = await self._read(token)
        if found is None:
            return None
        if before != self._ends:  # a session ended while we read: was it this one?
            return await self._load(token)
        self._known[token] = found
        return found

    async def _read(self, token: str) -> tuple[Actor, int] | None:
        async with self._database.read() as connection:
            found = await records.session_with_person(connection, self._vault.digest(PURPOSE, token))
        if found is None:
            return None
        session, owner = found
        return Actor(owner.id, owner.role, session.id, owner.institution_id, owner.area), session.expires_ms

    async def open(self, connection: Connection, owner: Person) -> str:
        """Sign a person in, within the caller's transaction; returns the token, which is stored nowhere."""
        token, now_ms = new_token(), self._clock.ms()
        session = Session(new_id(), self._vault.digest(PURPOSE, token), owner.id, now_ms, now_ms + SESSION_MS)
        await records.add_session(connection, session)
        return token

    async def end(self, session_id: str) -> None:
        """Sign one login out."""
        async with self._database.write() as connection:
            await records.end_session(connection, session_id)
        await self.announce([session_id])

    async def end_expired(self) -> None:
        """A job: remove what has expired."""
        async with self._database.write() as connection:
            ended = await records.end_expired_sessions(connection, self._clock.ms())
        await self.announce(ended)

    async def announce(self, ended: Iterable[str]) -> None:
        """Forget sessions that were removed, and tell who wants to know. Call it after the commit."""
        gone = set(ended)
        if not gone:
            return
        self._ends += 1
        self._known = {token: entry for token, entry in self._known.items() if entry[0].session_id not in gone}
        for session_id in sorted(gone):
            for tell in self.on_end:
                await tell(session_id)
