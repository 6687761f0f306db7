"""Decides who may publish into a lesson from elsewhere (OBS): whoever has its stream key, which its instructor makes.

A key is shown once and stored as a digest. There is one a lesson. It is worth nothing once another was made, it was
revoked, the lesson is over, or the login that made it has ended; the media published with it ends then as well.
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from server.core.actor import Actor
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.live import records
from server.live.media_door import STREAM_KEY
from server.live.records import StreamKey
from server.live.service import Live
from server.training.rules import LessonState
from server.training.service import Training

KEY_BYTES: Final = 32
KEY_CHARS: Final = len(STREAM_KEY) + 43


@dataclass(frozen=True, slots=True)
class Stream:
    """What of a lesson's key may be shown: when it was made, and what is wrong with what is published, a code."""

    made_ms: int | None
    trouble: str | None


Announce = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Streams:
    """The stream keys of lessons. `stands`: whether a login has not ended."""

    live: Live
    database: Database
    training: Training
    clock: Clock
    stands: Callable[[str], Awaitable[bool]]
    announce: Announce | None = None
    _troubles: dict[str, str] = field(default_factory=dict)

    async def make(self, actor: Actor, lesson_id: str) -> str:
        """A new key instead of the one before. Raises DomainError forbidden, not_found or lesson_ended."""
        planned = await self.live.instructed(actor, lesson_id)
        if planned.state is LessonState.ENDED:
            raise DomainError("lesson_ended")
        key = STREAM_KEY + secrets.token_urlsafe(KEY_BYTES)
        async with self.database.write(f"stream:{lesson_id}") as connection:
            former = await records.key_of(connection, lesson_id)
            made = StreamKey(lesson_id, _digest(key), actor.session_id, self.clock.ms())
            await records.put_key(connection, made)
        if former is not None:
            await self._cut(lesson_id)
        self.live.bind(actor.session_id, key_peer(lesson_id))
        return key

    async def revoke(self, actor: Actor, lesson_id: str) -> None:
        """End the key and what is published with it. Raises DomainError forbidden or not_found."""
        await self.live.instructed(actor, lesson_id)
        async with self.database.write(f"stream:{lesson_id}") as connection:
            await records.drop_key(connection, lesson_id)
        await self._cut(lesson_id)

    async def look(self, actor: Actor, lesson_id: str) -> Stream:
        """Raises DomainError forbidden or not_found."""
        await self.live.instructed(actor, lesson_id)
        return await self.shown(lesson_id)

    async def shown(self, lesson_id: str) -> Stream:
        """What whoever watches over the lesson may know."""
        found = await self._of(lesson_id)
        return Stream(found.made_ms if found else None, self._troubles.get(lesson_id))

    async def peer(self, lesson_id: str, key: str, opening: bool) -> str | None:
        """The media peer that a key is for; None when it is not the lesson's or, to open a session, of no worth now."""
        if len(key) != KEY_CHARS:
            return None
        found = await self._of(lesson_id)
        if found is None or not hmac.compare_digest(found.digest, _digest(key)):
            return None
        if opening:
            planned = await self.training.lesson(lesson_id)
            if planned.state is LessonState.ENDED or not await self.stands(found.session_id):
                return None
            self.live.bind(found.session_id, key_peer(lesson_id))
        return key_peer(lesson_id)

    async def published(self, lesson_id: str, live: bool) -> None:
        """Media came or went. After our restart it may be there already: it ends with its login all the same."""
        self._troubles.pop(lesson_id, None)
        found = await self._of(lesson_id) if live else None
        if found is not None:
            self.live.bind(found.session_id, key_peer(lesson_id))
            if not await self.stands(found.session_id):
                await self._cut(lesson_id)
        await self._tell(lesson_id)

    async def troubled(self, lesson_id: str, code: str) -> None:
        """Something is wrong with what is published, or it was refused."""
        if self._troubles.get(lesson_id) != code:
            self._troubles[lesson_id] = code
            await self._tell(lesson_id)

    async def _of(self, lesson_id: str) -> StreamKey | None:
        async with self.database.read() as connection:
            return await records.key_of(connection, lesson_id)

    async def _cut(self, lesson_id: str) -> None:
        self._troubles.pop(lesson_id, None)
        await self.live.media.cut(key_peer(lesson_id))

    async def _tell(self, lesson_id: str) -> None:
        if self.announce is not None:
            await self.announce(lesson_id)


def key_peer(lesson_id: str) -> str:
    """The media peer of whatever publishes with a lesson's key."""
    return f"{lesson_id}.key"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
