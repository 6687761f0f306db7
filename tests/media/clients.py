"""WHIP and WHEP clients for tests: aiortc's peer connection on the client's side only.

A synthetic teacher needs no more than `publish` with two tracks. A track whose `recv` returns an `av.Packet` is sent
as it is (already encoded H.264 or Opus); one that returns a frame is encoded by aiortc.
"""

import asyncio
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import aiohttp
import av
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av.video.frame import PictureType

VIDEO_CLOCK = Fraction(1, 90_000)
AUDIO_CLOCK = Fraction(1, 48_000)
Protocol = Literal["whip", "whep"]


class Refused(Exception):
    """The server's refusal."""

    def __init__(self, status: int, code: str, data: dict[str, object]) -> None:
        super().__init__(status, code, data)
        self.status, self.code, self.data = status, code, data


@dataclass
class Client:
    """One WHIP or WHEP session: the peer connection and where its resource is."""

    http: aiohttp.ClientSession
    base: str
    token: str
    connection: RTCPeerConnection
    location: str = ""
    etag: str = ""
    port: int = 0
    """When set, media goes to this port instead of the answer's: a relay's."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def open(self, protocol: Protocol, room: str) -> None:
        """Offer, post, apply the answer. Raises Refused."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = self.connection.localDescription.sdp
        headers = {**self.headers, "Content-Type": "application/sdp"}
        async with self.http.post(f"{self.base}/media/{protocol}/{room}", data=offer, headers=headers) as response:
            if response.status != 201:
                body = await response.json()
                raise Refused(response.status, body["code"], body["data"])
            self.location, self.etag = response.headers["Location"], response.headers["ETag"]
            answer = await response.text()
        if self.port:
            answer = re.sub(r"(a=candidate:\S+ 1 udp \d+ \S+) \d+", rf"\1 {self.port}", answer)
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def connected(self, seconds: float = 10) -> None:
        """Wait until ICE and DTLS are up."""
        changed = asyncio.Event()
        self.connection.on("connectionstatechange", changed.set)
        async with asyncio.timeout(seconds):
            while self.connection.connectionState != "connected":
                await changed.wait()
                changed.clear()

    async def delete(self) -> int:
        async with self.http.delete(self.base + self.location, headers=self.headers) as response:
            return response.status

    async def close(self) -> None:
        await self.connection.close()


async def publish(
    http: aiohttp.ClientSession,
    base: str,
    room: str,
    token: str,
    *tracks: MediaStreamTrack,
    codec: str = "H264",
    port: int = 0,
) -> Client:
    """Publish tracks into a room through WHIP, in the order of its slots."""
    connection = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    for track in tracks:
        transceiver = connection.addTransceiver(track, direction="sendonly")
        if track.kind == "video":
            prefer(transceiver, codec)
    client = Client(http, base, token, connection, port=port)
    return await _opened(client, "whip", room)


async def watch(
    http: aiohttp.ClientSession,
    base: str,
    room: str,
    token: str,
    kinds: tuple[str, ...] = ("audio", "video"),
    port: int = 0,
) -> tuple[Client, dict[str, MediaStreamTrack]]:
    """Watch a room through WHEP: the client and its received tracks by kind."""
    connection = RTCPeerConnection()
    for kind in kinds:
        connection.addTransceiver(kind, direction="recvonly")
    client = await _opened(Client(http, base, token, connection, port=port), "whep", room)
    return client, {each.receiver.track.kind: each.receiver.track for each in connection.getTransceivers()}


async def _opened(client: Client, protocol: Protocol, room: str) -> Client:
    try:
        await client.open(protocol, room)
    except BaseException:
        await client.close()
        raise
    return client


def prefer(transceiver: object, codec: str) -> None:
    """Offer only one video codec and its retransmissions."""
    capabilities = RTCRtpReceiver.getCapabilities("video")
    assert capabilities is not None
    chosen = [each for each in capabilities.codecs if each.name in (codec, "rtx")]
    transceiver.setCodecPreferences(chosen)  # type: ignore[attr-defined]


class _Paced(MediaStreamTrack):
    """Packets encoded beforehand, sent again and again at their own pace."""

    def __init__(self, packets: list[bytes], duration: int, clock: Fraction) -> None:
        super().__init__()
        self._packets, self._duration, self._clock = packets, duration, clock
        self._index = 0
        self._started: float | None = None

    async def recv(self) -> "av.Packet[Any]":
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        if self._started is None:
            self._started = loop.time()
        due = self._started + float(self._index * self._duration * self._clock)
        await asyncio.sleep(max(0.0, due - loop.time()))
        packet = av.Packet(self._packets[self._index % len(self._packets)])
        packet.pts, packet.time_base = self._index * self._duration, self._clock
        self._index += 1
        return packet


class EncodedVideo(_Paced):
    """H.264 pictures (Annex B, one access unit each) at a constant rate."""

    kind = "video"

    def __init__(self, pictures: list[bytes], rate: int) -> None:
        super().__init__(pictures, 90_000 // rate, VIDEO_CLOCK)


class EncodedAudio(_Paced):
    """Opus packets of 20 ms."""

    kind = "audio"

    def __init__(self, packets: list[bytes]) -> None:
        super().__init__(packets, 960, AUDIO_CLOCK)


def h264_pictures(count: int, rate: int = 30, size: tuple[int, int] = (320, 240), kbps: int = 300) -> list[bytes]:
    """`count` pictures of a moving grey, the first and only the first a keyframe with its parameter sets."""
    return encode(grey(count, size), rate, kbps)


def grey(count: int, size: tuple[int, int]) -> list[av.VideoFrame]:
    """Pictures of a moving grey."""
    frames = []
    for index in range(count):
        frame = av.VideoFrame(*size, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes((index * 3 + at // 64) % 256 for at in range(plane.buffer_size)))
        frames.append(frame)
    return frames


CALL = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "level": "31", "g": "99999"}


def encode(frames: list[av.VideoFrame], rate: int, kbps: int, options: dict[str, str] = CALL) -> list[bytes]:
    """Frames (yuv420p, one size) as H.264, Constrained Baseline unless told otherwise: an access unit each."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.bit_rate = Fraction(1, rate), Fraction(rate), kbps * 1_000
    encoder.options = options
    pictures = []
    for index, frame in enumerate(frames):
        frame.pts, frame.time_base = index, encoder.time_base
        frame.pict_type = PictureType.NONE  # what a test source gives asks for a keyframe each time
        pictures += [bytes(packet) for packet in encoder.encode(frame)]
    return pictures + [bytes(packet) for packet in encoder.encode(None)]


def main_profile(count: int, b_frames: int) -> list[bytes]:
    """H.264 as programs make it that are set for files: pictures may refer to later ones."""
    options = {"preset": "medium", "profile": "main", "g": "99999", "bf": str(b_frames), "b_strategy": "0"}
    return encode(grey(count, (320, 240)), 30, 300, options)


def opus_packets(count: int) -> list[bytes]:
    """`count` Opus packets of 20 ms of silence."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    packets: list[bytes] = []
    index = 0
    while len(packets) < count:
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = 48_000, index * 960
        packets += [bytes(packet) for packet in encoder.encode(frame)]
        index += 1
    return packets[:count]


def picture_of(width: int, height: int) -> bytes:
    """A keyframe (Annex B) whose parameter set says this size, in whole macroblocks; there is no picture in it."""
    fields = [66, 0xC0, 62]
    bits = "".join(f"{field:08b}" for field in fields) + "".join(map(_golomb, (0, 0, 2, 1))) + "0"
    bits += _golomb(width // 16 - 1) + _golomb(height // 16 - 1) + "11001"
    bits += "0" * (-len(bits) % 8)
    sps = b"\x67" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return b"\0\0\0\1" + sps + b"\0\0\0\1\x65" + b"\xff" * 100


def _golomb(value: int) -> str:
    bits = f"{value + 1:b}"
    return "0" * (len(bits) - 1) + bits
