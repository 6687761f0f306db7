"""A server under load in a process of its own, the viewers in this one, and the CPU time that the server took."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import av
import psutil
from aiortc import RTCCertificate

from media import clock
from media.mux import machine_ips
from tests.bench._live_receiver import Receiver, keep
from tests.media.clients import Client, EncodedAudio, EncodedVideo, encode, opus_packets, publish

PICTURES = 90
ROOM = "lesson"
HERE = Path(__file__).resolve()


@cache
def pictures() -> list[bytes]:
    """Three seconds of a moving test picture, 1280 x 720, 1.05 Mbit/s: with voice 186 packets a second."""
    with av.open("testsrc2=size=1280x720:rate=30", format="lavfi") as source:
        frames = source.decode(video=0)
        return encode([next(frames).reformat(format="yuv420p") for _ in range(PICTURES)], rate=30, kbps=1_050)


@dataclass(frozen=True)
class Load:
    """Packets that arrived at viewers, CPU-seconds of the server, and the seconds all that took."""

    packets: int
    cpu: float
    seconds: float


@dataclass
class Stand:
    """One server process, its publisher and its viewers."""

    base: str
    process: psutil.Process
    http: aiohttp.ClientSession
    ending: AsyncExitStack
    keeping: asyncio.Task[None] | None = None
    joined_cpu_seconds: float = 0.0
    gone_packets: int = 0
    gone_lost: int = 0
    controlling: bool = True
    ip: str = field(default_factory=lambda: machine_ips(with_ipv6=False)[0])
    receivers: list[Receiver] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    async def token(self, kind: str) -> str:
        async with self.http.get(f"{self.base}/token/{kind}") as response:
            return await response.text()

    async def teach(self, shown: list[bytes] | None = None) -> Client:
        """Publish these pictures, or those of 720p."""
        video = shown if shown is not None else await asyncio.to_thread(pictures)
        tracks = EncodedVideo(video, 30), EncodedAudio(opus_packets(50))
        teacher = await publish(self.http, self.base, ROOM, await self.token("publish"), *tracks)
        self.ending.push_async_callback(teacher.close)
        await teacher.connected()
        return teacher

    async def figures(self) -> dict[str, Any]:
        """What our server counts."""
        async with self.http.get(f"{self.base}/figures") as response:
            found: dict[str, Any] = await response.json()
            return found

    async def join(self, count: int) -> None:
        """So many viewers more, one after the other."""
        certificate = RTCCertificate.generateCertificate()
        tokens = [await self.token("watch") for _ in range(count)]
        before = self.cpu_seconds()
        for token in tokens:
            receiver = Receiver(certificate, self.ip, len(self.receivers), self.controlling)
            await receiver.connect(await self.let_in(receiver, token))
            self.receivers.append(receiver)
        self.joined_cpu_seconds = self.cpu_seconds() - before

    async def let_in(self, receiver: Receiver, token: str) -> str:
        """Offer; the server's answer."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        url, offer = f"{self.base}/media/whep/{ROOM}", receiver.description()
        async with self.http.post(url, data=offer, headers=headers) as response:
            text = await response.text()
            assert response.status == 201, text
            receiver.resource, receiver.token = response.headers["Location"], token
        return text

    async def let_go(self, receiver: Receiver) -> None:
        """The server has let go of this viewer when this returns."""
        headers = {"Authorization": f"Bearer {receiver.token}"}
        async with self.http.delete(self.base + receiver.resource, headers=headers) as response:
            assert response.status == 200

    async def leave(self, count: int | None = None) -> None:
        """The first so many of the viewers go, or all of them."""
        for receiver in self.receivers[:count]:
            await self.let_go(receiver)
            await receiver.close()
            self.gone_packets += receiver.packets
            self.gone_lost += receiver.lost
        del self.receivers[:count]

    async def load(self, seconds: float) -> "Load":
        """What happens in this time."""
        packets, cpu, began = self.packets, self.cpu_seconds(), clock.monotonic()
        await asyncio.sleep(seconds)
        return Load(self.packets - packets, self.cpu_seconds() - cpu, clock.monotonic() - began)

    @property
    def packets(self) -> int:
        """All that arrived, at those who left as well."""
        return self.gone_packets + sum(each.packets for each in self.receivers)


@asynccontextmanager
async def stand(which: str) -> AsyncIterator[Stand]:
    """Start `ours` or `naive` of _live_server; viewers that join it report and check until the end."""
    command = [sys.executable, "-m", "tests.bench._live_server", which]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=HERE.parents[2])
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        base = f"http://127.0.0.1:{int(await process.stdout.readline())}"
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http, AsyncExitStack() as ending:
            found = Stand(base, psutil.Process(process.pid), http, ending)
            found.keeping = asyncio.create_task(keep(found.receivers))
            ending.callback(found.keeping.cancel)
            ending.push_async_callback(found.leave)
            yield found
    finally:
        process.stdin.close()
        await process.wait()
