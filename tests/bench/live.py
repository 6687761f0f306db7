"""CPU per forwarded packet: our plane beside aiortc as it is commonly used, taken in turns in the same run.

The load is 720p30 H.264 at about a megabit a second with Opus. The servers run in processes of their own; their CPU
time, everything included, is divided by the packets that authenticated at viewers in this process.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp
import av
import psutil
from aiortc import RTCCertificate

from tests.bench._live_receiver import Receiver
from tests.media.clients import EncodedAudio, EncodedVideo, encode, opus_packets, publish

OUR_VIEWERS = 40
NAIVE_VIEWERS = 2
ROUNDS = 3
ROUND_SECONDS = 4.0
PICTURES = 90
ROOM = "lesson"
HERE = Path(__file__).resolve()


@dataclass
class Contender:
    """A server under load, and what it has been measured at so far."""

    process: psutil.Process
    receivers: list[Receiver]

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    async def microseconds_a_packet(self) -> float:
        """One round."""
        packets, cpu = sum(each.packets for each in self.receivers), self.cpu_seconds()
        await asyncio.sleep(ROUND_SECONDS)
        packets = sum(each.packets for each in self.receivers) - packets
        return (self.cpu_seconds() - cpu) * 1e6 / packets


def pictures() -> list[bytes]:
    """Three seconds of a moving test picture, 1280 x 720."""
    with av.open("testsrc2=size=1280x720:rate=30", format="lavfi") as source:
        frames = source.decode(video=0)
        return encode([next(frames).reformat(format="yuv420p") for _ in range(PICTURES)], rate=30, kbps=1_050)


@asynccontextmanager
async def contender(which: str, viewers: int, shown: list[bytes], heard: list[bytes]) -> AsyncIterator[Contender]:
    """Start a server, publish to it and watch it."""
    command = [sys.executable, "-m", "tests.bench._live_server", which]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=HERE.parents[2])
    assert process.stdout is not None
    base = f"http://127.0.0.1:{int(await process.stdout.readline())}"
    async with AsyncExitStack() as ending, aiohttp.ClientSession() as http:
        ending.callback(process.kill)

        async def token(kind: str) -> str:
            async with http.get(f"{base}/token/{kind}") as response:
                return await response.text()

        tracks = EncodedVideo(shown, 30), EncodedAudio(heard)
        teacher = await publish(http, base, ROOM, await token("publish"), *tracks)
        ending.push_async_callback(teacher.close)
        await teacher.connected()
        certificate = RTCCertificate.generateCertificate()
        receivers = [Receiver(certificate) for _ in range(viewers)]
        for receiver in receivers:
            await receiver.watch(http, base, ROOM, await token("watch"))
            ending.push_async_callback(receiver.close)
        yield Contender(psutil.Process(process.pid), receivers)
    await process.wait()


async def run() -> list[dict[str, object]]:
    """The figures; about a minute."""
    shown, heard = await asyncio.to_thread(pictures), opus_packets(50)
    ours: list[float] = []
    naive: list[float] = []
    for _ in range(ROUNDS):
        async with contender("ours", OUR_VIEWERS, shown, heard) as ours_now:
            ours.append(await ours_now.microseconds_a_packet())
        async with contender("naive", NAIVE_VIEWERS, shown, heard) as naive_now:
            naive.append(await naive_now.microseconds_a_packet())
    mine, theirs = median(ours), median(naive)
    return [
        {
            "name": "live.packet_us",
            "value": mine,
            "unit": "us",
            "peer": f"aiortc decode, relay, encode: {theirs:.0f} us",
            "ratio": theirs / mine,
        }
    ]
