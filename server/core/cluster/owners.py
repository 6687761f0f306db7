"""Decides who may act for a lesson: the port, and its adapter for a house with a single process.

A lesson's books, holders and events live in one process at a time, its owner. Whoever wants something of a lesson
runs it `at_owner`; whoever writes for it checks the fence in the same transaction.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

#: a transaction that the store gave; only records rooms know what it is
Connection = Any


@dataclass(frozen=True, slots=True)
class Claim:
    """A lesson is ours. `taken`: from a process that is dead, which was last known alive at `alive_ms` (0: unknown).

    `before`: that process, when all that was acknowledged lies in its own folder; empty when older ones are needed too.
    """

    epoch: int = 0
    taken: bool = False
    alive_ms: int = 0
    before: str = ""


@dataclass(frozen=True, slots=True)
class Errand:
    """What is asked of another process: a verb it serves, and how to say it in JSON, which is only done when needed."""

    verb: str
    body: Callable[[], dict[str, Any]]


class Owners(Protocol):
    """Who owns which lesson."""

    def connection(self, sid: str) -> str:
        """The name of one of our connections."""
        ...

    async def claim(self, lesson_id: str) -> Claim:
        """Own a lesson from now on. Raises DomainError owner_changing when another living process does."""
        ...

    async def settled(self, lesson_id: str) -> None:
        """All that earlier owners acknowledged stands in our own spool now."""
        ...

    def left(self) -> list[Path]:
        """The folders of dead processes: what they acknowledged lies in their spools."""
        ...

    def check(self, lesson_id: str, epoch: int | None = None) -> int:
        """The epoch under which we may acknowledge for a lesson now; the same as before when one is given.

        Raises DomainError owner_changing.
        """
        ...

    async def fence(self, connection: Connection, lessons: Collection[str]) -> frozenset[str]:
        """Which of these lessons are ours, surely until this transaction ends."""
        ...

    async def require(self, connection: Connection, lesson_id: str) -> None:
        """The fence for one lesson. Raises DomainError owner_changing."""
        ...

    async def at_owner(
        self, lesson_id: str, here: Callable[[], Awaitable[Any]], errand: Errand, load: bool = True
    ) -> Any:
        """Run `here` when the lesson is ours or nobody's, else have its owner do the errand: JSON either way.

        A lesson of ours is loaded before, if it is not yet; without `load` only one that a dead process left is.
        Waits while an owner is being replaced; after that raises DomainError owner_changing, which may be tried again.
        """
        ...


class Alone:
    """The only process: everything is ours, for ever."""

    def connection(self, sid: str) -> str:
        return sid

    async def claim(self, lesson_id: str) -> Claim:
        del lesson_id
        return Claim()

    async def settled(self, lesson_id: str) -> None:
        del lesson_id

    def left(self) -> list[Path]:
        return []

    def check(self, lesson_id: str, epoch: int | None = None) -> int:
        del lesson_id, epoch
        return 0

    async def fence(self, connection: Connection, lessons: Collection[str]) -> frozenset[str]:
        del connection
        return frozenset(lessons)

    async def require(self, connection: Connection, lesson_id: str) -> None:
        del connection, lesson_id

    async def at_owner(
        self, lesson_id: str, here: Callable[[], Awaitable[Any]], errand: Errand, load: bool = True
    ) -> Any:
        del lesson_id, errand, load
        return await here()
