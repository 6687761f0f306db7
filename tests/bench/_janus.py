"""Debian's Janus as an audience would use it: a streaming mountpoint fed with plain RTP, one event loop for everybody.

It leaves out what our plane does for a publisher (ICE, DTLS, SRTP, feedback), so it is measured with less to do.
"""

import asyncio
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from aiortc.codecs.h264 import H264Encoder
from aiortc.rtp import RtpPacket
from aiortc.sdp import SessionDescription

from tests.bench._live_receiver import PICTURE_TYPE, VOICE_TYPE, Receiver, keep
from tests.bench._live_stand import Stand, pictures
from tests.media.clients import opus_packets

START_SECONDS = 20
MODULES = next(Path("/usr/lib").glob("*/janus"), Path("/usr/lib/janus"))
MOUNTPOINT = 1
GENERAL = """general: {{
  configs_folder = "{folder}"
  plugins_folder = "{modules}/plugins"
  transports_folder = "{modules}/transports"
  loggers_folder = "{folder}"
  events_folder = "{folder}"
  debug_level = 2
  session_timeout = 0
  event_loops = 1
}}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
HTTP = 'general: {{ json = "compact" base_path = "/janus" http = true port = {http} ip = "127.0.0.1" https = false }}\n'
STREAMING = """lesson: {{
  type = "rtp"
  id = {mountpoint}
  media = (
    {{ type = "audio" mid = "a" port = {audio} pt = {voice} codec = "opus" }},
    {{ type = "video" mid = "v" port = {video} pt = {picture} codec = "h264"
      fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f" }}
  )
}}
"""


def here() -> bool:
    return shutil.which("janus") is not None


def _all_but(kind: str, wanted: str) -> str:
    """The modules of a kind that are not to be loaded."""
    names = {path.name for path in (MODULES / kind).glob("libjanus_*.so")}
    return ",".join(sorted(names - {wanted}))


class Feed:
    """The same pictures and voice as plain RTP, each at its pace, until closed."""

    def __init__(self, audio: int, video: int) -> None:
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ssrc = secrets.randbelow(1 << 31)  # another each time: Janus goes on in sequence only with another source
        self._audio, self._video = ("127.0.0.1", audio), ("127.0.0.1", video)
        self._tasks = [asyncio.create_task(self._pictures()), asyncio.create_task(self._voice())]

    async def _pictures(self) -> None:
        made = [H264Encoder._packetize(H264Encoder._split_bitstream(each)) for each in pictures()]
        sequence = 0
        async for number in _paced(1 / 30):
            payloads = made[number % len(made)]
            for at, payload in enumerate(payloads, start=1):
                sequence += 1
                last = int(at == len(payloads))
                packet = RtpPacket(PICTURE_TYPE, last, sequence & 0xFFFF, number * 3_000, self._ssrc, payload)
                self._out.sendto(packet.serialize(), self._video)

    async def _voice(self) -> None:
        made = opus_packets(50)
        async for number in _paced(0.02):
            packet = RtpPacket(VOICE_TYPE, 0, number & 0xFFFF, number * 960, self._ssrc + 1, made[number % len(made)])
            self._out.sendto(packet.serialize(), self._audio)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._out.close()


async def _paced(seconds: float) -> AsyncIterator[int]:
    loop, number = asyncio.get_running_loop(), 0
    began = loop.time()
    while True:
        await asyncio.sleep(max(0.0, began + number * seconds - loop.time()))
        yield number
        number += 1


class Janus(Stand):
    """Its viewers are handles of one session over its HTTP API."""

    session = ""
    ports: tuple[int, int] = (0, 0)

    async def _ask(self, path: str, **said: Any) -> dict[str, Any]:
        async with self.http.post(f"{self.base}{path}", json={**said, "transaction": secrets.token_hex(6)}) as response:
            found: dict[str, Any] = await response.json(content_type=None)
        assert found["janus"] in ("success", "ack"), found
        return found

    async def begin(self) -> None:
        """Open the one session."""
        self.session = f"/{(await self._ask('', janus='create'))['data']['id']}"

    async def teach(self) -> Feed:  # type: ignore[override]
        await asyncio.to_thread(pictures)
        return Feed(*self.ports)

    async def token(self, kind: str) -> str:
        return ""

    async def let_in(self, receiver: Receiver, token: str) -> str:
        """Ask for the stream, answer the offer."""
        attached = await self._ask(self.session, janus="attach", plugin="janus.plugin.streaming")
        handle = attached["data"]["id"]
        receiver.resource = f"{self.session}/{handle}"
        watched = {"request": "watch", "id": MOUNTPOINT}
        await self._ask(receiver.resource, janus="message", body=watched)
        offer = await self._offered(handle)
        mids = tuple(str(each.rtp.muxId) for each in SessionDescription.parse(offer).media)
        answer = {"type": "answer", "sdp": receiver.description("active", mids)}
        await self._ask(receiver.resource, janus="message", body={"request": "start"}, jsep=answer)
        return offer

    async def _offered(self, handle: int) -> str:
        while True:
            async with self.http.get(f"{self.base}{self.session}?maxev=1") as response:
                event = await response.json(content_type=None)
            if event.get("sender") == handle and "jsep" in event:
                return str(event["jsep"]["sdp"])

    async def let_go(self, receiver: Receiver) -> None:
        await self._ask(receiver.resource, janus="detach")


def _free_ports(count: int) -> list[int]:
    held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    return ports


@asynccontextmanager
async def janus() -> AsyncIterator[Janus]:
    """Start one and let viewers that join it report and check until the end."""
    http_port, audio, video = _free_ports(3)
    with tempfile.TemporaryDirectory(prefix="keshi-bench-") as name:
        folder = Path(name)
        types = {"voice": VOICE_TYPE, "picture": PICTURE_TYPE}
        unused = {
            "plugins": _all_but("plugins", "libjanus_streaming.so"),
            "transports": _all_but("transports", "libjanus_http.so"),
        }
        (folder / "janus.jcfg").write_text(GENERAL.format(folder=folder, modules=MODULES, **unused))
        (folder / "janus.transport.http.jcfg").write_text(HTTP.format(http=http_port))
        streaming = STREAMING.format(mountpoint=MOUNTPOINT, audio=audio, video=video, **types)
        (folder / "janus.plugin.streaming.jcfg").write_text(streaming)
        log = (folder / "log").open("wb")
        process = await asyncio.create_subprocess_exec("janus", "-F", name, stdout=log, stderr=log)
        try:
            async with aiohttp.ClientSession() as http, AsyncExitStack() as ending:
                found = Janus(f"http://127.0.0.1:{http_port}/janus", psutil.Process(process.pid), http, ending)
                found.ports, found.controlling = (audio, video), False  # it makes the offers
                await _started(found)
                found.keeping = asyncio.create_task(keep(found.receivers))
                ending.callback(found.keeping.cancel)
                ending.push_async_callback(found.leave)
                yield found
        finally:
            process.terminate()
            await process.wait()
            log.close()


async def _started(found: Janus) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                await found.begin()
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
            else:
                return
