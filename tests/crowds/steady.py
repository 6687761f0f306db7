"""A page that does not give up: when its socket is gone it comes back at another server, and says again what was not
acknowledged, as ours does.
"""

import asyncio
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.crowds.room import Answer, Page, Told, connect

#: what passes by itself; socket.io's client waits about so long before it comes back
PASSING = {"owner_changing", "store_unavailable", "closing"}
#: the server does not know the page any more: it joins again, and continues its lease
STRANGE = {"beat_refused", "not_joined"}
AGAIN_S = (0.5, 1.5)
GIVE_UP_S = 60.0


@dataclass
class Way:
    """Where pages find servers, and what they show there."""

    urls: list[str]
    origin: str
    told: Told


@dataclass
class Steady(Page):
    """`lost`: how often its socket went."""

    way: Way = field(kw_only=True)
    token: str = field(kw_only=True)
    places: Iterator[str] = field(init=False)
    said: dict[tuple[int, int], float] = field(default_factory=dict)
    returned: asyncio.Lock = field(default_factory=asyncio.Lock)
    lost: int = 0

    def __post_init__(self) -> None:
        self.places = itertools.cycle(self.way.urls)

    async def call(self, event: str, **fields: Any) -> Answer:
        """Until it is answered."""
        async with asyncio.timeout(GIVE_UP_S):
            while True:
                try:
                    answer = await self.line.call(event, lesson_id=self.lesson_id, **fields)
                except OSError:
                    await self._come_back()
                    continue
                if not answer["ok"] and answer["code"] in STRANGE and event not in ("lesson:join", "beat"):
                    await self._rejoin()
                elif answer["ok"] or answer["code"] not in PASSING:
                    return answer
                await asyncio.sleep(random.uniform(*AGAIN_S))

    async def say(self, text: str) -> bool:
        """A line whose answer was lost is only said again where it does not stand already."""
        async with asyncio.timeout(GIVE_UP_S):
            while not await self._said(text):
                await asyncio.sleep(random.uniform(*AGAIN_S))
                await self.catch_up()
                if any(f'"{text}"' in view for (activity, _), view in self.known.items() if activity == "chat"):
                    break
        return True

    async def _said(self, text: str) -> bool:
        try:
            answer = await self.line.call("chat:say", lesson_id=self.lesson_id, text=text)
        except OSError:
            return False
        assert answer["ok"] or answer["code"] in PASSING | STRANGE, answer
        return bool(answer["ok"])

    async def beat(self, mono: float) -> None:
        """The time since the last beat that was acknowledged; one whose answer was lost is asked for by a new join."""
        while True:
            lease = self.lease
            self.said.setdefault((lease["epoch"], lease["seq"] + 1), mono)
            answer = await self.call(
                "beat",
                epoch=lease["epoch"],
                seq=lease["seq"] + 1,
                nonce=lease["nonce"],
                mono=mono,
                spans=[[self._since, mono]],
            )
            if answer["ok"]:
                assert answer["credit_ms"] >= self.credit_ms, "what was acknowledged is gone"
                lease["seq"], lease["nonce"] = answer["seq"], answer["nonce"]
                self._since, self.credit_ms = self.said[lease["epoch"], answer["seq"]], answer["credit_ms"]
                return
            assert answer["code"] in STRANGE, answer
            await self._rejoin()

    async def _come_back(self) -> None:
        async with self.returned:
            while self.line.closed:
                await asyncio.sleep(random.uniform(*AGAIN_S))
                try:
                    line = await connect(next(self.places), self.token, self.way.told, self.way.origin)
                except OSError:
                    continue
                line.heard, line.acks_ms = self.line.heard, self.line.acks_ms
                self.line, self.lost = line, self.lost + 1
                await self._rejoin()

    async def _rejoin(self) -> None:
        if not self.lease:
            return  # it had not joined yet
        asked = {"device": "phone", "page": self.name, "mono": self._since, "resume": self.lease["resume"]}
        try:
            joined = await self.line.call("lesson:join", lesson_id=self.lesson_id, **asked)
        except OSError:
            return
        if joined["ok"]:
            assert joined["lease"]["epoch"] == self.lease["epoch"], "it is the same page"
            self.lease = joined["lease"]
            self._since = self.said.get((self.lease["epoch"], self.lease["seq"]), self._since)
        else:
            assert joined["code"] in PASSING, joined
