"""What accounts asks of the floors above without knowing them; `training` plugs itself in."""

from dataclasses import dataclass
from typing import Protocol

from server.core.actor import Actor


@dataclass(frozen=True, slots=True)
class InstitutionRef:
    """An institution (承训机构) as shown beside a person or a class; `area` is six digits."""

    id: str
    name: str
    area: str


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
