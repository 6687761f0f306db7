"""Decides who asks: an actor is a signed-in person as every capability sees them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """The five roles. A person has exactly one."""

    TRAINEE = "trainee"
    INSTRUCTOR = "instructor"
    STAFF = "staff"
    REGULATOR = "regulator"
    ADMINISTRATOR = "administrator"


EVERYONE: Final = frozenset(Role)
#: who may look at a class as a whole
OVERSEERS: Final = frozenset({Role.INSTRUCTOR, Role.STAFF, Role.REGULATOR, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person.

    `session_id` names the login (not its secret); `institution_id` is set for trainees, instructors and staff;
    `area` (six digits, see `covers`) for regulators.
    """

    person_id: str
    role: Role
    session_id: str
    institution_id: str | None = None
    area: str | None = None


def covers(area: str | None, other: str) -> bool:
    """Whether a regulator's area contains another: codes are 2+2+2 digits, `00` pairs at the end mean "all below".

    covers("371500", "371525") is True; covers("371525", "371500") is False.
    """
    if not area:
        return False
    stem = area
    while len(stem) > 2 and stem.endswith("00"):
        stem = stem[:-2]
    return other.startswith(stem)


def sees(actor: Actor, institution_id: str, area: str) -> bool:
    """Whether the actor's scope contains an object of this institution and area (R13): the one rule for everybody."""
    match actor.role:
        case Role.ADMINISTRATOR:
            return True
        case Role.REGULATOR:
            return covers(actor.area, area)
        case _:
            return actor.institution_id == institution_id
