"""Decides how a line is tried before a lesson: in rooms where nothing is taught, by whoever is signed in, now and then.

One room is everybody's: one connects to it and measures. An instructor also gets one of their own for two minutes, to
send a picture and see it come back.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from server.core.actor import EVERYONE, Actor, Role
from server.core.clock import elapsed_ms
from server.core.errors import DomainError
from server.core.wire.declaration import Call, Declarations, Nothing, Route
from server.core.wire.gate import Bucket
from server.live.api import MediaAccess, access
from server.live.service import Live

#: media knows by this beginning that nothing is taught there
COMMON: Final = "check"
CHECKS_AT_ONCE: Final = 6
CHECKS_PER_SECOND: Final = 6 / 600
MOST_REMEMBERED: Final = 10_000
OWN_ROOMS: Final = 8
OWN_MS: Final = 120_000


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """Where to try the line: `common` to connect and to measure, `send` to publish and `back` to see it come back."""

    common: MediaAccess
    send: MediaAccess | None
    back: MediaAccess | None


class Checks:
    """Opens the rooms and closes them again."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._tries: OrderedDict[str, Bucket] = OrderedDict()
        self._own: dict[str, float] = {}

    async def begin(self, call: Call, _request: Nothing) -> CheckAnswer:
        """Begin to try the own line. Raises DomainError too_many_tries, check_busy, media_unavailable."""
        actor = call.who
        self._spend(actor.person_id)
        await self._open(COMMON)
        common = self._access(actor, COMMON, publish=False)
        if actor.role is not Role.INSTRUCTOR:
            return CheckAnswer(common, None, None)
        room = await self._open_own(actor)
        return CheckAnswer(common, self._access(actor, room, publish=True), self._access(actor, room, publish=False))

    async def round(self) -> None:
        """Close the rooms whose time is over."""
        for room, until in list(self._own.items()):
            if elapsed_ms() > until:
                del self._own[room]
                await self._live.media.close_room(room)

    def _spend(self, person_id: str) -> None:
        bucket = self._tries.pop(person_id, None) or Bucket(elapsed_ms(), CHECKS_AT_ONCE, CHECKS_PER_SECOND)
        self._tries[person_id] = bucket
        while len(self._tries) > MOST_REMEMBERED:
            self._tries.popitem(last=False)
        bucket.take(elapsed_ms())

    async def _open_own(self, actor: Actor) -> str:
        await self.round()
        room = f"{COMMON}-{actor.person_id}"
        if room not in self._own and len(self._own) >= OWN_ROOMS:
            first = min(self._own.values())
            raise DomainError("check_busy", retry_after_s=max(1, round((first - elapsed_ms()) / 1000)))
        self._own[room] = elapsed_ms() + OWN_MS
        await self._open(room)
        return room

    async def _open(self, room: str) -> None:
        try:
            await self._live.media.open_room(room)
        except Exception as error:  # whatever media says, a check says only that there are none
            raise DomainError("media_unavailable") from error

    def _access(self, actor: Actor, room: str, publish: bool) -> MediaAccess:
        token = self._live.token(actor, room, f"{actor.person_id}.check", publish)
        return access(self._live, room, token, publish)

    def declarations(self) -> Declarations:
        """What is served of it."""
        codes = ("too_many_tries", "check_busy", "media_unavailable")
        return Declarations(
            [Route("POST", "/api/v1/check", EVERYONE, Nothing, CheckAnswer, self.begin, observed=False, codes=codes)]
        )
