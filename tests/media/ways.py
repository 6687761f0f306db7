"""Those who watch by each way there is, without a browser; they come back by themselves as the pages' player does.

A page's player runs while the instructor's media is there (`publisher_live` of the lesson's phase) and begins anew
whenever it is again; so do these.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal
from urllib.parse import urljoin

import aiohttp
from aiortc.mediastreams import MediaStreamError
from yarl import URL

from tests.media.clients import Refused, watch

Way = Literal["peer", "parts", "hls", "voice"]
RETRY_S = 0.5
#: as often as a player asks for a playlist
ASK_S = 0.7
PIECE = re.compile(r"^\d+\.mp4\S+$", re.MULTILINE)
TROUBLE = (aiohttp.ClientError, OSError, TimeoutError, MediaStreamError, Refused)


@dataclass
class Watching:
    """One viewer. `token`: asked at each attempt; `live`: whether the page would play now.

    `arrived`: when a picture, a part or a piece came.
    """

    http: aiohttp.ClientSession
    way: Way
    base: str
    room: str
    token: Callable[[], Awaitable[str]]
    live: Callable[[], bool] = lambda: True
    arrived: list[float] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    async def stay(self) -> None:
        """Watch until cancelled, whatever happens."""
        follow = {"peer": self._peer, "parts": self._socket, "voice": self._socket, "hls": self._hls}[self.way]
        while True:
            if self.live():
                once = asyncio.ensure_future(follow(await self.token()))
                try:
                    while not once.done() and self.live():
                        await asyncio.wait([once], timeout=0.05)
                finally:
                    once.cancel()
                    try:
                        await once
                    except TROUBLE as error:
                        self.troubles.append(type(error).__name__)
                    except asyncio.CancelledError:
                        pass
            await asyncio.sleep(RETRY_S if self.live() else 0.05)

    def here(self) -> None:
        self.arrived.append(time.monotonic())

    def gap(self, since: float) -> float:
        """The longest that nothing came for, in seconds, among what came after `since` and the last before it."""
        before = max(at for at in self.arrived if at <= since)
        after = [at for at in self.arrived if at > since]
        return max(b - a for a, b in pairwise([before, *after]))

    async def _peer(self, token: str) -> None:
        client, tracks = await watch(self.http, self.base, self.room, token)
        try:
            await client.connected()
            while True:
                await tracks["video"].recv()
                self.here()
        finally:
            await client.close()

    async def _socket(self, token: str) -> None:
        rendition = "voice" if self.way == "voice" else "picture"
        headers = {"Origin": self.base}
        async with self.http.ws_connect(f"{self.base}/media/live/{self.room}", headers=headers) as socket:
            await socket.send_json({"token": token, "rendition": rendition})
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.here()

    async def _hls(self, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(f"{self.base}/media/hls/{self.room}/picture", headers=headers) as answer:
            answer.raise_for_status()
            place = self.base + answer.headers["Location"]
        seen: set[str] = set()
        while True:
            for piece in PIECE.findall(await self._get(place)):
                if piece not in seen:
                    seen.add(piece)
                    await self._get(urljoin(place, piece))
                    self.here()
            await asyncio.sleep(ASK_S)

    async def _get(self, address: str) -> str:
        async with self.http.get(URL(address, encoded=True)) as answer:
            answer.raise_for_status()
            return (await answer.read()).decode(errors="replace")
