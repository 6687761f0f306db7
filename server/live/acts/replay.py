"""Decides what a replay shows of a lesson's acts: whose views changed, moment by moment, as the pages were told. Pure.

The same `apply` makes it that made the lesson. What was taken back later is not shown to trainees as it was before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import orjson

from server.live.acts.port import Act, Activity, Name

#: acts within so long are shown together, when the last of them has happened: a player looks no more often
TOGETHER_MS: Final = 250


@dataclass(frozen=True, slots=True)
class Moment:
    """What has changed by act `seq`: views by activity, as JSON of what they were at that moment."""

    at_ms: int
    seq: int
    changes: Mapping[str, list[Any]]


def moments(activities: Sequence[Activity[Any]], acts: Sequence[Act], *, desk: bool, name: Name) -> Iterator[Moment]:
    """All of a lesson, in order; `desk`: as those who oversee see it."""
    known = {one.name: one for one in activities}
    states = {one.name: one.start() for one in activities}
    gone = {} if desk else _withdrawn(activities, acts)
    told: dict[tuple[str, str], bytes] = {}
    for _, some in groupby(acts, lambda act: act.at_ms // TOGETHER_MS):
        together = list(some)
        last, changed = together[-1], dict[tuple[str, str], None]()
        for act in together:
            for key in known[act.activity].apply(states[act.activity], act):
                changed.pop((act.activity, key), None)
                changed[act.activity, key] = None
        changes: dict[str, list[Any]] = {one.name: [] for one in activities}
        for activity, key in changed:
            if gone.get((activity, key), 0) > last.seq:
                continue
            view = known[activity].view(states[activity], key, desk, name)
            said = b"" if view is None else orjson.dumps(view)
            if said and told.get((activity, key)) != said:  # a page turned back to is known
                changes[activity].append(orjson.Fragment(said))
                told[activity, key] = said
        if any(changes.values()):
            yield Moment(last.at_ms, last.seq, changes)


def _withdrawn(activities: Iterable[Activity[Any]], acts: Iterable[Act]) -> dict[tuple[str, str], int]:
    """What was taken back in the end, and with which act it changed last."""
    known = {one.name: one for one in activities}
    states = {name: one.start() for name, one in known.items()}
    last: dict[tuple[str, str], int] = {}
    for act in acts:
        for key in known[act.activity].apply(states[act.activity], act):
            last[act.activity, key] = act.seq
    return {(name, key): seq for (name, key), seq in last.items() if known[name].withdrawn(states[name], key)}
