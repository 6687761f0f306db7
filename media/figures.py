"""Decides what is counted of media for whoever watches over the service: sums over rooms, never a room or a peer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from media.grants import is_check
from media.room import Room


@dataclass(frozen=True, slots=True)
class Figures:
    """Some rooms together, packets since each was opened; `refused` is of the whole plane since its start, by name.

    `unrecorded`: rooms that should be recorded and of which nothing is written now.
    """

    viewers: int = 0
    packets_in: int = 0
    packets_out: int = 0
    resent: int = 0
    unrecorded: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


def figures(rooms: Iterable[Room], counts: Mapping[str, int], troubled: Collection[str] = ()) -> Figures:
    """Of these rooms now, but for those in which lines are tried. `troubled`: names of those not being recorded."""
    rooms = [room for room in rooms if not is_check(room.name)]
    return Figures(
        viewers=sum(len(room.fan_out.viewers) + len(room.followers) for room in rooms),
        packets_in=sum(room.packets_in for room in rooms),
        packets_out=sum(room.fan_out.sent for room in rooms),
        resent=sum(room.fan_out.resent for room in rooms),
        unrecorded=sum(room.name in troubled for room in rooms),
        refused=dict(counts),
    )


def read_figures(said: Mapping[str, Any]) -> Figures:
    """What another process told; one of another version may know fewer, or more. Raises ValueError."""
    try:
        return Figures(**{each.name: said[each.name] for each in fields(Figures) if each.name in said})
    except TypeError as error:
        raise ValueError("no figures") from error
