"""Decides whose a cookie is, and when a login is over.

Asked for every beat: known logins stand in memory, the database is asked once each. What another process or the command
line ends (a logout, a reset, another role, a deactivation) is found by asking the database about all known logins every
RECHECK_S seconds; whoever holds sockets, leases or media of an ended one is told then.
"""

from asyncio import gather
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from server.accounts import records
from server.accounts.codes import new_id, new_token
from server.accounts.records import Connection, Person, Session, Standing
from server.accounts.rules import MINUTE_MS, SESSION_MS, idle_ms
from server.core.actor import Actor
from server.core.clock import Clock
from server.core.database import Database
from server.core.vault import Vault

PURPOSE: Final = "session"
RECHECK_S: Final = 5.0
#: that a login is in use is written down this often
USE_MS: Final = MINUTE_MS
SessionEnd = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class _Known:
    """A login in memory. `idle_until_ms` runs ahead of its row by up to USE_MS."""

    actor: Actor
    expires_ms: int
    idle_until_ms: int
    written_ms: int

    def stands(self, now_ms: int) -> bool:
        return now_ms < self.expires_ms and now_ms < self.idle_until_ms


class Sessions:
    """The logins of everybody, as one process sees them."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database, self._clock, self._vault = database, clock, vault
        self._known: dict[str, _Known] = {}
        self._ends = 0
        #: called with the id of each session that ends before or at its time, after the commit
        self.on_end: list[SessionEnd] = []

    async def authenticate(self, token: str) -> Actor | None:
        """Who a token belongs to; None when it never did or no longer does. Being asked is being used."""
        known = self._known.get(token) or await self._load(token)
        now_ms = self._clock.ms()
        if known is None or not known.stands(now_ms):
            return None
        known.idle_until_ms = now_ms + idle_ms(known.actor.role)
        return known.actor

    async def _load(self, token: str) -> _Known | None:
        before = self._ends
        found = await self._read(token)
        if found is None:
            return None
        if before != self._ends:  # a session ended while we read: was it this one?
            return await self._load(token)
        return self._known.setdefault(token, found)

    async def _read(self, token: str) -> _Known | None:
        async with self._database.read() as connection:
            found = await records.session_with_person(connection, self._vault.digest(PURPOSE, token))
        if found is None or found[1].deactivated_ms is not None:
            return None
        session, owner = found
        actor = Actor(owner.id, owner.role, session.id, owner.institution_id, owner.area)
        return _Known(actor, session.expires_ms, session.idle_until_ms, session.idle_until_ms)

    async def stands(self, session_id: str) -> bool:
        """Whether a login has not ended, as the database says."""
        async with self._database.read() as connection:
            found = await records.standing(connection, [session_id])
        return any(one.deactivated_ms is None and self._clock.ms() < one.idle_until_ms for one in found)

    async def open(self, connection: Connection, owner: Person) -> str:
        """Sign a person in, within the caller's transaction; returns the token, which is stored nowhere."""
        token, now_ms = new_token(), self._clock.ms()
        digest, idle_until_ms = self._vault.digest(PURPOSE, token), now_ms + idle_ms(owner.role)
        session = Session(new_id(), digest, owner.id, now_ms, now_ms + SESSION_MS, idle_until_ms)
        await records.add_session(connection, session)
        return token

    async def of(self, person_id: str) -> list[Session]:
        """A person's logins that stand, newest first."""
        now_ms = self._clock.ms()
        async with self._database.read() as connection:
            found = await records.sessions_of(connection, person_id)
        return [each for each in found if now_ms < min(each.expires_ms, each.idle_until_ms)]

    async def end(self, session_id: str) -> None:
        """Sign one login out."""
        async with self._database.write() as connection:
            await records.end_session(connection, session_id)
        await self.announce([session_id])

    async def end_all(self, person_id: str, keep: str | None = None) -> None:
        """Sign a person out everywhere, but for one login."""
        async with self._database.write() as connection:
            ended = await records.end_sessions_of(connection, person_id, keep)
        await self.announce(ended)

    async def end_expired(self) -> None:
        """A job: remove what has expired or was not used for too long, after writing down what was."""
        await self._write_uses()
        async with self._database.write() as connection:
            ended = await records.end_expired_sessions(connection, self._clock.ms())
        await self.announce(ended)

    async def recheck(self) -> None:
        """A job: end here what has ended elsewhere, and what no longer is as it was when it began."""
        asked = {known.actor.session_id: known for known in self._known.values()}
        async with self._database.read() as connection:
            found = {one.session_id: one for one in await records.standing(connection, list(asked))}
        ended, changed = [], []
        for session_id, known in asked.items():
            now = found.get(session_id)
            if now is None:
                ended.append(session_id)
            elif not _same(known.actor, now):
                changed.append(session_id)
            elif now.idle_until_ms > known.idle_until_ms:  # used at another process
                known.idle_until_ms = now.idle_until_ms
        if changed:
            async with self._database.write() as connection:
                for session_id in changed:
                    await records.end_session(connection, session_id)
        await self.announce([*ended, *changed])

    async def announce(self, ended: Iterable[str]) -> None:
        """Forget sessions that were removed, and tell who wants to know. Call it after the commit."""
        gone = set(ended)
        if not gone:
            return
        self._ends += 1
        self._known = {token: known for token, known in self._known.items() if known.actor.session_id not in gone}
        failed = [error for each in await gather(*map(self._tell, sorted(gone))) for error in each]
        if failed:
            raise failed[0]

    async def _tell(self, session_id: str) -> list[Exception]:
        """In order, for one session; whoever fails keeps nobody else from being told."""
        failed = []
        for tell in self.on_end:
            try:
                await tell(session_id)
            except Exception as error:  # noqa: BLE001  raised once everybody was told
                failed.append(error)
        return failed

    async def _write_uses(self) -> None:
        used = [known for known in self._known.values() if known.idle_until_ms >= known.written_ms + USE_MS]
        uses = {known.actor.session_id: known.idle_until_ms for known in used}
        if not uses:
            return
        async with self._database.write() as connection:
            await records.keep_sessions(connection, uses)
        for known in used:
            known.written_ms = uses[known.actor.session_id]


def _same(actor: Actor, now: Standing) -> bool:
    place = (actor.role, actor.institution_id, actor.area)
    return now.deactivated_ms is None and (now.role, now.institution_id, now.area) == place
