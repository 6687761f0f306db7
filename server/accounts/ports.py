"""What accounts asks of others: of `core/shared` a few counters, of the floors above who belongs where."""

from dataclasses import dataclass
from typing import Protocol

from server.core.actor import Actor


@dataclass(frozen=True, slots=True)
class InstitutionRef:
    """An institution (承训机构) as shown beside a person or a class; `area` is six digits."""

    id: str
    name: str
    area: str


class Counters(Protocol):
    """Counters that all processes share; `core/shared` has them."""

    async def take(self, key: str, limit: int, window_s: float) -> float:
        """Count one of `limit` in a window: 0 when it was within, else the seconds until the next is."""
        ...

    async def clear(self, key: str) -> None:
        """Forget what was counted."""
        ...


class Places(Protocol):
    """Where people belong."""

    async def institution_of(self, institution_id: str) -> InstitutionRef | None:
        """An institution by id."""
        ...

    async def name_of_scope(self, scope: str) -> str | None:
        """The name of the class whose token an invitation's scope is."""
        ...

    async def scope_for(self, actor: Actor, person_id: str) -> str | None:
        """The token of the newest class that the actor oversees and this person is enrolled in."""
        ...


class Nowhere:
    """Before anything is plugged in: no institutions, no classes."""

    async def institution_of(self, institution_id: str) -> InstitutionRef | None:
        return None

    async def name_of_scope(self, scope: str) -> str | None:
        return None

    async def scope_for(self, actor: Actor, person_id: str) -> str | None:
        return None
