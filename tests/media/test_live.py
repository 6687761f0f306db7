"""A lesson over a WebSocket: what FFmpeg can read, at once, from a keyframe on, and cut like any other."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from media.api import Grant
from media.fmp4 import Init, Part
from media.live import MOST_SAID, Follower, Frames, frame
from media.window import MOST_WAITING, Window
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets
from tests.media.conftest import Stage
from tests.media.reel import read_back


@dataclass
class Received:
    """What one viewer was sent."""

    socket: aiohttp.ClientWebSocketResponse
    told: list[dict[str, object]] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)

    async def until(self, messages: int) -> None:
        """Read until there are so many binary messages."""
        async with asyncio.timeout(20):
            while len(self.data) < messages:
                message = await self.socket.receive()
                if message.type is aiohttp.WSMsgType.TEXT:
                    self.told.append(json.loads(message.data))
                elif message.type is aiohttp.WSMsgType.BINARY:
                    self.data.append(message.data)
                else:
                    break

    async def ended(self) -> None:
        async with asyncio.timeout(10):
            while (await self.socket.receive()).type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                pass


@asynccontextmanager
async def following(stage: Stage, token: str, rendition: str = "picture", origin: str = "") -> AsyncIterator[Received]:
    headers = {"Origin": origin or stage.base}
    async with stage.http.ws_connect(f"{stage.base}/media/live/lesson", headers=headers) as socket:
        await socket.send_json({"token": token, "rendition": rendition})
        yield Received(socket)


async def teach(stage: Stage) -> None:
    await stage.publish(EncodedVideo(h264_pictures(30), 30), EncodedAudio(opus_packets(50)))
    await stage.until(lambda: stage.media.stats("lesson").publisher_live)


async def test_a_viewer_gets_a_file_that_begins_at_a_keyframe(stage: Stage) -> None:
    await teach(stage)
    async with following(stage, stage.token("watch", "trainee")) as viewer:
        await viewer.until(8)
        assert str(viewer.told[0]["codecs"]).startswith("avc1.42")
        found = read_back(b"".join(viewer.data))
        assert len(found["video"]) >= 30
        assert len(found["audio"]) >= 40
        assert stage.media.stats("lesson").viewers == ("trainee",)
        assert stage.media.figures().viewers == 1
    await stage.until(lambda: ("viewer_gone", "trainee") in stage.told())
    assert stage.media.stats("lesson").viewers == ()
    assert ("viewer_live", "trainee") in stage.told()


async def test_voice_alone_can_be_had(stage: Stage) -> None:
    await teach(stage)
    async with following(stage, stage.token("watch", "trainee"), "voice") as viewer:
        await viewer.until(4)
        assert viewer.told == [{"codecs": "opus", "width": 0, "height": 0}]
        assert len(read_back(b"".join(viewer.data))["audio"]) >= 20


async def test_who_is_cut_is_sent_no_more_and_the_token_is_worth_nothing(stage: Stage) -> None:
    await teach(stage)
    token = stage.token("watch", "trainee")
    async with following(stage, token) as viewer, following(stage, stage.token("watch", "other")) as other:
        await viewer.until(2)
        await stage.media.cut("trainee")
        await viewer.ended()
        await other.until(4)
    assert await refusal(stage, token) == "token_revoked"


async def test_with_the_room_all_end(stage: Stage) -> None:
    await teach(stage)
    async with following(stage, stage.token("watch", "trainee")) as viewer:
        await viewer.until(2)
        await stage.media.close_room("lesson")
        await viewer.ended()


async def test_a_second_page_of_the_same_peer_takes_the_place_of_the_first(stage: Stage) -> None:
    await teach(stage)
    async with following(stage, stage.token("watch", "trainee")) as first:
        await first.until(2)
        async with following(stage, stage.token("watch", "trainee")) as second:
            await second.until(2)
            await first.ended()
            await stage.until(lambda: stage.media.stats("lesson").viewers == ("trainee",))


async def refusal(stage: Stage, token: str, rendition: Any = "picture") -> object:
    async with following(stage, token, rendition) as viewer:
        return json.loads(await viewer.socket.receive_str(timeout=10))["code"]


async def test_others_are_refused_with_a_code(stage: Stage) -> None:
    assert await refusal(stage, "") == "token_invalid"
    assert await refusal(stage, stage.token("publish", "teacher")) == "grant_mismatch"
    assert await refusal(stage, stage.token("watch", "trainee", room="another")) == "grant_mismatch"
    odds: tuple[Any, ...] = ("voices", ["voice"], {}, None)
    for odd in odds:
        assert await refusal(stage, stage.token("watch", "trainee"), odd) == "grant_mismatch"
    assert await refusal(stage, stage.token("watch", "trainee", seconds=-1)) == "token_expired"


async def test_another_origin_is_refused_before_anything_is_said(stage: Stage) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with following(stage, stage.token("watch", "trainee"), origin="https://elsewhere.example"):
            pass
    assert refused.value.status == 403


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
async def test_a_frame_of_any_size_is_read_by_others(size: int) -> None:
    """What is written past aiohttp is what its own client takes for one binary message."""
    said = bytes(size)

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert request.transport is not None
        request.transport.write(frame(said))
        await socket.send_str("more")
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http, http.ws_connect(f"http://127.0.0.1:{runner.addresses[0][1]}") as socket:
        assert await socket.receive_bytes(timeout=10) == said
        assert await socket.receive_str(timeout=10) == "more"
    await runner.cleanup()


class Slow:
    """A connection on paper. `full`: bytes that it has not got rid of yet."""

    closed = False

    def __init__(self) -> None:
        self.full = 0
        self.sent: list[tuple[str, object]] = []
        self.through = asyncio.Event()
        self.through.set()

    def get_write_buffer_size(self) -> int:
        return self.full

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.sent.append(("at once", data))

    async def send_str(self, text: str) -> None:
        self.sent.append(("text", text))

    async def send_bytes(self, data: bytes) -> None:
        await self.through.wait()
        self.sent.append(("bytes", data))

    async def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.sent.append(("aborted", None))

    @property
    def ways(self) -> str:
        return " ".join(way for way, _ in self.sent)


class Followed:
    """A follower of a window, over a connection on paper."""

    def __init__(self) -> None:
        self.window, self.line = Window(lambda: None), Slow()
        self.number = 0
        self.init = Init(1, "opus", 0, 0, b"init")
        line: Any = self.line
        grant = Grant("lesson", "trainee", "watch", 0, 60)
        self.follower = Follower(grant, "picture", line, line, self.window.join(), Frames())
        self.sending = asyncio.ensure_future(self.follower.send())

    async def add(self, *, key: bool = False) -> None:
        self.number += 1
        self.window.add(Part(self.init, self.number, key, self.number / 5, 0.2, bytes([self.number])))
        for _ in range(5):
            await asyncio.sleep(0)


async def test_who_keeps_up_is_written_to_at_once_and_who_does_not_in_order() -> None:
    one = Followed()
    await one.add(key=True)
    await one.add()
    assert one.line.ways == "text bytes bytes at once"
    one.line.full = 1
    one.line.through.clear()
    await one.add()
    one.line.full = 0
    await one.add()
    assert one.line.ways == "text bytes bytes at once"
    one.line.through.set()
    await one.add()
    await one.add()
    sent = [b"\x01", frame(b"\x02"), b"\x03", b"\x04", b"\x05", frame(b"\x06")]
    assert [data for _, data in one.line.sent[2:]] == sent
    assert one.follower.taken == 6
    one.init = Init(2, "opus", 0, 0, b"another")
    await one.add(key=True)
    assert one.line.ways.endswith("at once text bytes bytes")
    one.follower.end()
    await one.add()
    await one.sending
    assert one.line.closed
    assert len(one.line.sent) == 11


async def test_who_takes_nothing_begins_again_at_a_keyframe_with_an_init_segment() -> None:
    one = Followed()
    await one.add(key=True)
    one.line.full = 1
    one.line.through.clear()
    for _ in range(MOST_WAITING + 2):
        await one.add()
    one.line.full = 0
    one.line.through.set()
    await one.add()
    before = len(one.line.sent)
    await one.add(key=True)
    await one.add()
    assert [way for way, _ in one.line.sent[before:]] == ["text", "bytes", "bytes", "at once"]
    one.sending.cancel()


async def test_who_talks_without_end_is_let_go(stage: Stage) -> None:
    await teach(stage)
    async with following(stage, stage.token("watch", "trainee")) as viewer:
        for _ in range(MOST_SAID):
            await viewer.socket.send_str("more")
        await viewer.until(2)
        await viewer.socket.send_str("and more")
        await viewer.ended()
    await stage.until(lambda: stage.media.stats("lesson").viewers == ())
