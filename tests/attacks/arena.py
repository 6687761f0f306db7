"""A lesson that is being taught, a clock moved by hand, and clients that say what they like through the public door.

Wall time moves only by `Arena.pass_time`; what a client claims is its own affair.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.attendance.sealer import Sealer
from tests.school import Page, School, school

BEAT_MS = 10_000


@dataclass
class Client:
    """A page with a lease, and how its clock runs; it does not keep to any rule by itself."""

    page: Page
    lease: dict[str, Any] = field(default_factory=dict)
    mono: int = 0

    async def join(self, **more: Any) -> dict[str, Any]:
        answer = await self.page.join(mono=self.mono, **more)
        self.lease = dict(answer.get("lease") or self.lease)
        return answer

    async def beat(self, spans: list[list[int]] | None = None, **other: Any) -> dict[str, Any]:
        """Claim to have been in front since the last acknowledged beat, or whatever `spans` and `other` say."""
        beat = {
            "epoch": self.lease["epoch"],
            "seq": self.lease["seq"] + 1,
            "nonce": self.lease["nonce"],
            "mono": self.mono,
            "spans": spans if spans is not None else [[0, self.mono]],
            **other,
        }
        answer = await self.page.call("beat", **beat)
        if answer["ok"]:
            self.lease |= {"seq": answer["seq"], "nonce": answer["nonce"]}
        return answer


@dataclass
class Arena:
    """The running lesson. `wall_ms` is how long it has been open."""

    school: School
    desk: Page
    wall_ms: int = 0

    def pass_time(self, ms: int) -> None:
        self.school.clock.advance(ms)
        self.wall_ms += ms

    async def ledger(self, who: str) -> dict[int, int]:
        """Somebody's sealed milliseconds by unix minute, once the lesson has ended; none is longer than a minute."""
        await self.desk.call("lesson:end")
        self.school.clock.advance(200_000)
        await Sealer(self.school.house.register).round()
        presence = next(one.service for one in self.school.house.capabilities if hasattr(one.service, "views"))
        known = await presence.views.evidence([self.school.lesson_id])
        found = {slot: ms for (_, person, slot), ms in known.credit_ms.items() if person == self.school.ids[who]}
        assert all(0 <= ms <= 60_000 for ms in found.values())
        return found

    async def earned(self, who: str) -> int:
        return sum((await self.ledger(who)).values())


@asynccontextmanager
async def arena(folder: Path) -> AsyncIterator[Arena]:
    """A lesson that has begun."""
    async with school(folder) as served, served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        yield Arena(served, desk)
