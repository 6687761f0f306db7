"""Declares what a replay shows beside the picture: what people did in a lesson, moment by moment."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final

from pydantic import Field

from server.core.actor import EVERYONE, Role
from server.core.clock import iso
from server.core.database import Database
from server.core.wire.declaration import UNSEEN, Call, Declarations, Route
from server.live.acts import records
from server.live.acts.api import Changes
from server.live.acts.order import OUTSIDE, check_inside
from server.live.acts.port import Act, Activity
from server.live.acts.replay import Moment, moments
from server.training.rules import LessonState
from server.training.service import Training

#: so many moments are told at once
MOST_MOMENTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class ReplayActsRequest:
    """`after`: the act up to which the page knows everything; `most`: so many moments."""

    lesson_id: str
    after: Annotated[int, Field(ge=0)] = 0
    most: Annotated[int, Field(ge=1, le=MOST_MOMENTS)] = MOST_MOMENTS


@dataclass(frozen=True, slots=True)
class ReplayMoment:
    """What has changed by act `seq`: each replaces the one with the same `id`."""

    at: str
    seq: int
    changes: Changes


@dataclass(frozen=True, slots=True)
class ReplayActs:
    """Moments in order; `more`: ask again, after the last one's act."""

    lesson_id: str
    moments: list[ReplayMoment]
    more: bool


class ReplayApi:
    """The function behind the declaration: out of the store alone, so that every process can tell it."""

    def __init__(
        self,
        database: Database,
        training: Training,
        activities: Sequence[Activity[Any]],
        names: Callable[[Iterable[str]], Awaitable[Mapping[str, str]]],
    ) -> None:
        self._database, self._training, self._activities, self._names = database, training, activities, names

    async def acts(self, call: Call, request: ReplayActsRequest) -> ReplayActs:
        """Whoever may see the lesson's replay sees this, as they saw it in the lesson."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        async with self._database.read() as connection:
            acts = await records.acts_of(connection, lesson.id)
        if call.who.role is Role.TRAINEE and lesson.state is not LessonState.ENDED:
            check_inside(acts, call.who.person_id)
        names = await self._names({act.actor_id for act in acts if act.actor_id})
        desk, most = call.who.role is not Role.TRAINEE, min(request.most, MOST_MOMENTS)
        found = await asyncio.to_thread(self._page, acts, names, request.after, most, desk)
        told = [ReplayMoment(iso(one.at_ms), one.seq, Changes(**one.changes)) for one in found[:most]]
        return ReplayActs(lesson.id, told, len(found) > most)

    def _page(self, acts: Sequence[Act], names: Mapping[str, str], after: int, most: int, desk: bool) -> list[Moment]:
        """One more than are told."""
        found = moments(self._activities, acts, desk=desk, name=lambda person_id: names.get(person_id, ""))
        return list(islice((one for one in found if one.seq > after), most + 1))

    def declarations(self) -> Declarations:
        """What replays are served."""
        path = "/api/v1/lessons/{lesson_id}/acts"
        return Declarations(
            routes=[Route("GET", path, EVERYONE, ReplayActsRequest, ReplayActs, self.acts, codes=(*UNSEEN, *OUTSIDE))]
        )
