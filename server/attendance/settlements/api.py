"""Declares settlements; over REST."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from server.attendance.settlements.records import Settled
from server.attendance.settlements.service import Settlements
from server.core.actor import OVERSEERS, Role
from server.core.clock import iso
from server.core.wire.declaration import UNSEEN, Call, Declarations, Route
from server.training.service import Training
from server.training.views import SchemeRef, scheme_ref

DESK: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR})
SETTLE_CODES: Final = (
    *("scheme_unknown", "settlement_empty", "lesson_not_sealed", "appeals_open"),
    *UNSEEN,
)


@dataclass(frozen=True, slots=True)
class SettleRequest:
    """`scheme`: the id of a published scheme (its name and version, default/1); None: that of the class."""

    class_id: str
    scheme: str | None = None


@dataclass(frozen=True, slots=True)
class SettledClass:
    class_id: str


@dataclass(frozen=True, slots=True)
class SettlementRef:
    number: int


@dataclass(frozen=True, slots=True)
class SettledLesson:
    """What a settlement made of a trainee's lesson. `complete` and `late` are None where the scheme does not say."""

    number: int
    open_ms: int
    confirmed_ms: int
    capped_ms: int
    short_ms: int
    complete: bool | None
    late: bool | None


@dataclass(frozen=True, slots=True)
class SettledHours:
    """A trainee's class as it was settled: class hours and what is left over of the sum."""

    class_hours: int
    remainder_ms: int
    confirmed_ms: int
    capped_ms: int
    short_ms: int
    lessons: list[SettledLesson]


@dataclass(frozen=True, slots=True)
class SettledRow:
    person_id: str
    seat: int
    name: str
    hours: SettledHours


@dataclass(frozen=True, slots=True)
class SettlementView:
    """One settlement of a class, by seat."""

    number: int
    at: str
    scheme: SchemeRef
    ordered_by: str
    rows: list[SettledRow]


@dataclass(frozen=True, slots=True)
class SettlementsOfClass:
    """The last one first. `view_id` is set for a regulator: the look was recorded."""

    settlements: list[SettlementView]
    view_id: str | None


@dataclass(frozen=True, slots=True)
class OwnSettlement:
    """What was settled last of one's own class."""

    number: int
    at: str
    scheme: SchemeRef
    hours: SettledHours


class Api:
    """The functions behind the declarations."""

    def __init__(self, settlements: Settlements, training: Training) -> None:
        self._settlements, self._training = settlements, training

    async def settle(self, call: Call, request: SettleRequest) -> SettlementRef:
        """Settle a class."""
        return SettlementRef(await self._settlements.settle(call.who, request.class_id, request.scheme))

    async def of_class(self, call: Call, request: SettledClass) -> SettlementsOfClass:
        """How a class was settled."""
        found = await self._settlements.of_class(call.who, request.class_id)
        seats = {one.person_id: (one.seat, one.name) for one in await self._training.roster(request.class_id)}
        schemes = {one: await self._scheme(one) for one in {each.scheme for each in found}}
        names = await self._settlements.names({one.ordered_by for one in found})
        shown = []
        for number, rows in groupby(found, key=lambda one: one.number):
            kept = list(rows)
            head, who = kept[0], names.get(kept[0].ordered_by, "")
            shown.append(SettlementView(number, iso(head.at_ms), schemes[head.scheme], who, _rows(kept, seats)))
        return SettlementsOfClass(shown, call.view_id)

    async def own(self, class_id: str, person_id: str) -> OwnSettlement | None:
        """What was settled last of a trainee's class."""
        found = await self._settlements.own(class_id, person_id)
        if found is None:
            return None
        return OwnSettlement(found.number, iso(found.at_ms), await self._scheme(found.scheme), _hours(found))

    async def _scheme(self, scheme_id: str) -> SchemeRef:
        return scheme_ref(await self._training.published(scheme_id))

    def declarations(self) -> Declarations:
        """What settlements serve."""
        path = "/api/v1/classes/{class_id}/settlements"
        settle = Route("POST", path, DESK, SettleRequest, SettlementRef, self.settle, codes=SETTLE_CODES)
        return Declarations(
            routes=[
                settle,
                Route("GET", path, OVERSEERS, SettledClass, SettlementsOfClass, self.of_class, codes=UNSEEN),
            ]
        )


def _rows(settled: Iterable[Settled], seats: dict[str, tuple[int, str]]) -> list[SettledRow]:
    found = [SettledRow(one.person_id, *seats.get(one.person_id, (0, "")), _hours(one)) for one in settled]
    return sorted(found, key=lambda one: (one.seat, one.person_id))


def _hours(one: Settled) -> SettledHours:
    told = ("number", "open_ms", "confirmed_ms", "capped_ms", "short_ms", "complete", "late")
    lessons = [SettledLesson(**{name: lesson[name] for name in told}) for lesson in one.lessons]
    sums = (one.class_hours, one.remainder_ms, one.confirmed_ms, one.capped_ms, one.short_ms)
    return SettledHours(*sums, sorted(lessons, key=lambda each: each.number))
