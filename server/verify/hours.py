"""Decides how time that counts becomes class hours: what a scheme (学时认定规则) cuts off, and how it rounds. Pure.

The server settles by this and the verifier checks by it. A course is summed once, divided once, rounded once, in whole
milliseconds. The notice gives no number but the class hour (R10); every other one is the scheme's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from server.verify.tree import Refused

MINUTE_MS: Final = 60_000
DAY_MS: Final = 24 * 60 * MINUTE_MS
DAY_MINUTES: Final = 24 * 60
#: the day of a minute is that of China Standard Time, UTC+8 all the year
LOCAL_MINUTES: Final = 8 * 60
PERCENT_MAXIMUM: Final = 100


class Rounding(StrEnum):
    """What becomes of the part of a class hour that is left over."""

    DOWN = "down"  # 2,699,999 ms are no class hour
    NEAREST = "nearest"  # half a class hour and more is one


#: how the first default scheme calls rounding down
FLOOR: Final = "floor"


class Excess(StrEnum):
    """Why time that was recorded, verified and corrected does not count all the same; on the wire and in files."""

    DAILY_CAP = "daily_cap"  # 日累计超限
    TOO_SHORT = "too_short"  # 时长过短


class Nonsense(Refused):
    """A parameter that no scheme can have: its name, and what is expected."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


@dataclass(frozen=True, slots=True)
class Rules:
    """What a scheme says of class hours; None: it does not say so, and nothing follows.

    `daily_cap_ms`: so much counts of a local day. `shortest_ms`: a shorter stretch counts nothing. `complete_percent`:
    who has so much of what was delivered completed a lesson. `late_ms`: who is first in front later than this after
    the lesson opened came late, which costs nothing.
    """

    class_hour_ms: int
    rounding: Rounding = Rounding.DOWN
    daily_cap_ms: int | None = None
    shortest_ms: int | None = None
    complete_percent: int | None = None
    late_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Attended:
    """A trainee's lesson of a class: `minutes` says of each unix minute how much counts after challenges and
    corrections; `open_ms` was delivered since `opened_ms`; `first_ms` is when the trainee was first in front.
    """

    number: int
    minutes: Mapping[int, int]
    open_ms: int
    opened_ms: int
    first_ms: int | None


@dataclass(frozen=True, slots=True)
class Cut:
    """What a scheme takes of a minute: what lies beyond the day's cap, and what is in a stretch too short."""

    capped_ms: int
    short_ms: int


@dataclass(frozen=True, slots=True)
class LessonSettled:
    """What a scheme makes of a lesson: what counts, what lies beyond the day's cap, and in stretches too short.

    `complete`, `late`: None where the scheme does not say, or nothing was delivered, or the trainee never came.
    """

    number: int
    confirmed_ms: int
    capped_ms: int
    short_ms: int
    complete: bool | None
    late: bool | None


@dataclass(frozen=True, slots=True)
class Settled:
    """A trainee's class: the sums of its lessons, in class hours with what is left over of the sum."""

    class_hours: int
    remainder_ms: int
    confirmed_ms: int
    capped_ms: int
    short_ms: int
    lessons: tuple[LessonSettled, ...]


def rules_of(parameters: Mapping[str, Any]) -> Rules:
    """What a scheme's parameters say of class hours; others are none of this. Raises Nonsense."""
    unit, rounding = parameters.get("class_hour_ms"), parameters.get("rounding", Rounding.DOWN)
    if unit is None:
        raise Nonsense("class_hour_ms", "milliseconds are expected")
    rounding = Rounding.DOWN if rounding == FLOOR else rounding
    if rounding not in tuple(Rounding):
        raise Nonsense("rounding", "down or nearest")
    return Rules(
        class_hour_ms=_whole("class_hour_ms", unit, 1, DAY_MS),
        rounding=Rounding(rounding),
        daily_cap_ms=_said(parameters, "daily_cap_ms", 1, DAY_MS),
        shortest_ms=_said(parameters, "shortest_ms", 1, DAY_MS),
        complete_percent=_said(parameters, "complete_percent", 1, PERCENT_MAXIMUM),
        late_ms=_said(parameters, "late_ms", 0, DAY_MS),
    )


def _said(parameters: Mapping[str, Any], field: str, least: int, most: int) -> int | None:
    value = parameters.get(field)
    return None if value is None else _whole(field, value, least, most)


def _whole(field: str, value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Nonsense(field, f"a whole number from {least} to {most}")
    return value


def divided(rules: Rules, ms: int) -> tuple[int, int]:
    """Class hours of so much time, and the milliseconds left over; nothing is left over of what was rounded up.

    Raises ValueError for a negative sum.
    """
    if ms < 0:
        raise ValueError("a sum of time is never negative")
    unit = rules.class_hour_ms
    # doubled, for a class hour may have an odd number of milliseconds
    hours = ms // unit if rules.rounding is Rounding.DOWN else (2 * ms + unit) // (2 * unit)
    return hours, max(0, ms - hours * unit)


def settle(rules: Rules, attended: Sequence[Attended]) -> Settled:
    """What counts of a trainee's class, in any order of lessons: first no stretch that is too short, then of each day
    no more than its cap, the earliest first.
    """
    parts = _parts(rules, attended)
    lessons = tuple(_settled(rules, one, sum(kept.values()), sum(counts.values())) for one, kept, counts in parts)
    confirmed_ms = sum(one.confirmed_ms for one in lessons)
    capped_ms, short_ms = sum(one.capped_ms for one in lessons), sum(one.short_ms for one in lessons)
    return Settled(*divided(rules, confirmed_ms), confirmed_ms, capped_ms, short_ms, lessons)


def cuts(rules: Rules, attended: Sequence[Attended]) -> dict[int, dict[int, Cut]]:
    """By number of the lesson and minute what does not count, where something does not."""
    found: dict[int, dict[int, Cut]] = {}
    for one, kept, counts in _parts(rules, attended):
        for slot, ms in one.minutes.items():
            long_ms = kept.get(slot, 0)
            if ms != counts.get(slot, 0):
                found.setdefault(one.number, {})[slot] = Cut(long_ms - counts.get(slot, 0), ms - long_ms)
    return found


_Minutes = Mapping[int, int]


def _parts(rules: Rules, attended: Sequence[Attended]) -> list[tuple[Attended, _Minutes, _Minutes]]:
    """Lessons in order of number, what is in stretches long enough, and what of it counts."""
    in_order = sorted(attended, key=lambda one: one.number)
    kept = [dict(_long_enough(rules.shortest_ms, one.minutes)) for one in in_order]
    return list(zip(in_order, kept, _capped(rules.daily_cap_ms, kept), strict=True))


def _settled(rules: Rules, one: Attended, kept_ms: int, confirmed_ms: int) -> LessonSettled:
    complete = late = None
    if rules.complete_percent is not None and one.open_ms > 0:
        complete = confirmed_ms * PERCENT_MAXIMUM >= rules.complete_percent * one.open_ms
    if rules.late_ms is not None and one.first_ms is not None:
        late = one.first_ms - one.opened_ms > rules.late_ms
    short_ms = sum(one.minutes.values()) - kept_ms
    return LessonSettled(one.number, confirmed_ms, kept_ms - confirmed_ms, short_ms, complete, late)


def _long_enough(shortest_ms: int | None, minutes: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Minutes of stretches that last so long. A stretch is minutes on end in each of which something counts."""
    stretch: list[tuple[int, int]] = []
    for slot, ms in sorted(minutes.items()):
        if stretch and slot != stretch[-1][0] + 1:
            yield from _kept(shortest_ms, stretch)
            stretch = []
        stretch += [(slot, ms)] if ms else []
    yield from _kept(shortest_ms, stretch)


def _kept(shortest_ms: int | None, stretch: list[tuple[int, int]]) -> list[tuple[int, int]]:
    lasts = shortest_ms is None or sum(ms for _, ms in stretch) >= shortest_ms
    return stretch if lasts else []


def _capped(cap_ms: int | None, lessons: Sequence[_Minutes]) -> list[dict[int, int]]:
    """What counts of each lesson's minutes, in order of number, under a cap over all of them."""
    if cap_ms is None:
        return [dict(one) for one in lessons]
    found: list[dict[int, int]] = [{} for _ in lessons]
    left: dict[int, int] = {}
    for slot, at, ms in sorted((slot, at, ms) for at, minutes in enumerate(lessons) for slot, ms in minutes.items()):
        room = left.setdefault(day_of(slot), cap_ms)
        counts = min(ms, room)
        left[day_of(slot)] = room - counts
        found[at][slot] = counts
    return found


def day_of(slot: int) -> int:
    """The local day of a unix minute, counted from 1970-01-01."""
    return (slot + LOCAL_MINUTES) // DAY_MINUTES


def opened_ms(delivered: Mapping[int, int]) -> int:
    """When a lesson opened: so long before the end of the first minute in which anything was delivered. 0: never."""
    first = min((slot for slot, ms in delivered.items() if ms), default=None)
    return 0 if first is None else (first + 1) * MINUTE_MS - delivered[first]
