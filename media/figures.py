"""Decides what is counted of media for whoever watches over the service: sums over rooms, never a room or a peer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from media.admission import Admission
from media.audience import Audience
from media.grants import is_check
from media.room import Room

Told = TypeVar("Told", "Figures", Audience)
WAYS = ("peers", "small", "parts", "voices")


@dataclass(frozen=True, slots=True)
class Figures:
    """Some rooms together, packets since each was opened; `refused` is of the whole plane since its start, by name.

    `unrecorded`: rooms that should be recorded and of which nothing is written now. `unencoded`: files of
    recordings whose pictures are still to be encoded, of the whole plane. `ways`: viewers by how they watch,
    `small` those of the peers that are held at the small camera. `uplink_bps` is what viewers take of `limit_bps`
    (0: no limit), and `cpu` the share of a CPU used, both of the whole plane.
    """

    viewers: int = 0
    packets_in: int = 0
    packets_out: int = 0
    resent: int = 0
    unrecorded: int = 0
    unencoded: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    ways: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(WAYS, 0))
    uplink_bps: int = 0
    limit_bps: int = 0
    cpu: float = 0.0


def figures(
    rooms: Iterable[Room],
    counts: Mapping[str, int],
    troubled: Collection[str] = (),
    watched: Collection[Audience] = (),
    admission: Admission | None = None,
    unencoded: int = 0,
) -> Figures:
    """Of these rooms now, but for those in which lines are tried. `troubled`: names of those not being recorded.

    `watched`: who watches each.
    """
    rooms = [room for room in rooms if not is_check(room.name)]
    ways = {name: sum(getattr(each, name) for each in watched) for name in WAYS}
    return Figures(
        viewers=sum(len(room.fan_out.viewers) + len(room.followers) for room in rooms),
        packets_in=sum(room.packets_in for room in rooms),
        packets_out=sum(room.fan_out.sent for room in rooms),
        resent=sum(room.fan_out.resent for room in rooms),
        unrecorded=sum(room.name in troubled for room in rooms),
        unencoded=unencoded,
        refused=dict(counts),
        ways=ways,
        uplink_bps=round(admission.used) if admission else 0,
        limit_bps=round(admission.limit or 0) if admission else 0,
        cpu=admission.busy.share if admission else 0.0,
    )


def read_figures(said: Mapping[str, Any]) -> Figures:
    """What another process told; one of another version may know fewer, or more. Raises ValueError."""
    return _read(Figures, said)


def read_audience(said: Mapping[str, Any]) -> Audience:
    """The same of a room's audience."""
    return _read(Audience, said)


def _read(kind: type[Told], said: Mapping[str, Any]) -> Told:
    try:
        return kind(**{each.name: said[each.name] for each in fields(kind) if each.name in said})
    except TypeError as error:
        raise ValueError("not what is told of media") from error
