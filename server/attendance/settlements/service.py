"""Use-cases of settlements: staff have a class settled, under its own scheme or another that is published.

A settlement is never changed. What is corrected afterwards, or counts otherwise under another scheme, is in the next.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from server.attendance.challenges.records import limit_of, revealed
from server.attendance.corrections.service import Names, lock
from server.attendance.settlements import records
from server.attendance.settlements.counting import lesson_known, settled
from server.attendance.settlements.records import Settled
from server.attendance.views import Views
from server.core.actor import Actor
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.ledger.facts import group_named, text_of
from server.ledger.records import Connection, is_waiting
from server.training.rules import RUNNING, Lesson, LessonState, Scheme
from server.training.service import Training
from server.verify.hours import rules_of


@dataclass(frozen=True, slots=True)
class Shown:
    """What a package shows of a class's settlements: their texts and those of the schemes, and the schemes' groups."""

    texts: tuple[bytes, ...]
    groups: tuple[str, ...]


class Settlements:
    """The one way by which what counts becomes class hours that are kept."""

    def __init__(self, database: Database, clock: Clock, views: Views, training: Training, names: Names) -> None:
        self._database, self._clock, self._views, self._training = database, clock, views, training
        self.names = names

    async def settle(self, actor: Actor, class_id: str, scheme_id: str | None = None) -> int:
        """Settle a class; returns the number of this settlement.

        Raises DomainError not_found; scheme_unknown; settlement_empty (nobody is enrolled, or no lesson took place);
        appeals_open, lesson_not_sealed (also while a correction is on its way to the log; data of both: lessons, their
        numbers).
        """
        home = await self._training.class_for(actor, class_id)
        scheme = home.scheme if scheme_id is None else await self._training.published(scheme_id)
        begun = _begun(await self._training.lessons_of_class(class_id))
        people = [one.person_id for one in await self._training.roster(class_id)]
        async with self._database.read() as connection:
            await _check_decided(connection, begun)
            await self._check_over(connection, begun)
            lessons = [await lesson_known(connection, one.id, one.number) for one in begun]
        lessons = [one for one in lessons if one.sealed]
        if not people or not lessons:
            raise DomainError("settlement_empty")
        made = await asyncio.to_thread(settled, rules_of(json.loads(scheme.parameters)), lessons, people)
        async with self._database.write(f"settlement:{class_id}", *(lock(one.id) for one in begun)) as connection:
            await _check_decided(connection, begun)
            await _check_told(connection, begun)
            about: dict[str, Any] = {"class_id": class_id, "people": len(people), "ordered_by": actor.person_id}
            about |= {"number": await records.newest(connection, class_id) + 1, "at_ms": self._clock.ms()}
            about |= {"scheme": scheme.id, "scheme_digest": _digest(scheme)}
            await records.add(connection, [Settled(person_id=one, **about, **made[one]) for one in people])
        number: int = about["number"]
        return number

    async def of_class(self, actor: Actor, class_id: str) -> list[Settled]:
        """All settlements of a class, the last one first. Raises DomainError not_found."""
        await self._training.class_for(actor, class_id)
        async with self._database.read() as connection:
            return await records.of_class(connection, class_id)

    async def own(self, class_id: str, person_id: str) -> Settled | None:
        """What was settled last of a trainee's class."""
        async with self._database.read() as connection:
            return await records.own(connection, class_id, person_id)

    async def shown(self, class_id: str) -> Shown:
        """What a package shows of a class's settlements."""
        async with self._database.read() as connection:
            texts = await records.shown_of(connection, class_id)
        schemes = {str(json.loads(text)["scheme"]) for text in texts}
        told = [_told(await self._training.published(one)) for one in sorted(schemes)]
        return Shown((*texts, *told), tuple(group_named(one) for one in sorted(schemes)))

    async def _check_over(self, connection: Connection, lessons: Sequence[Lesson]) -> None:
        """Every lesson that began has ended, is sealed, and its seed is shown. Raises DomainError lesson_not_sealed."""
        waiting = [one.number for one in lessons if not await self._is_over(connection, one)]
        if waiting:
            raise DomainError("lesson_not_sealed", lessons=sorted(waiting))
        await _check_told(connection, lessons)

    async def _is_over(self, connection: Connection, lesson: Lesson) -> bool:
        if lesson.state is not LessonState.ENDED or not (await self._views.minutes(lesson.id)).all_sealed:
            return False
        asked = await limit_of(connection, lesson.id) is not None
        return not asked or await revealed(connection, lesson.id) is not None


async def _check_told(connection: Connection, lessons: Sequence[Lesson]) -> None:
    """Nothing of these lessons is on its way to the log: no minute, and nothing that changes what counts.

    So whatever changes it later is of a later minute than the settlement. Raises DomainError lesson_not_sealed.
    """
    waiting = [one.number for one in lessons if await is_waiting(connection, one.id)]
    if waiting:
        raise DomainError("lesson_not_sealed", lessons=sorted(waiting))


async def _check_decided(connection: Connection, lessons: Sequence[Lesson]) -> None:
    """Nobody waits for an answer. Raises DomainError appeals_open."""
    waiting = set(await records.undecided(connection, (one.id for one in lessons)))
    if waiting:
        raise DomainError("appeals_open", lessons=sorted(one.number for one in lessons if one.id in waiting))


def _begun(lessons: Iterable[Lesson]) -> list[Lesson]:
    return [one for one in lessons if one.state in RUNNING or one.started_ms is not None]


def _told(scheme: Scheme) -> bytes:
    """A scheme as the log was told."""
    return text_of(asdict(scheme))


def _digest(scheme: Scheme) -> str:
    return sha256(_told(scheme)).hexdigest()
