"""A lesson over a WebSocket: what FFmpeg can read, at once, from a keyframe on, and cut like any other."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest

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


async def refusal(stage: Stage, token: str) -> object:
    async with following(stage, token) as viewer:
        return json.loads(await viewer.socket.receive_str(timeout=10))["code"]


async def test_others_are_refused_with_a_code(stage: Stage) -> None:
    assert await refusal(stage, "") == "token_invalid"
    assert await refusal(stage, stage.token("publish", "teacher")) == "grant_mismatch"
    assert await refusal(stage, stage.token("watch", "trainee", room="another")) == "grant_mismatch"
    assert await refusal(stage, stage.token("watch", "trainee", seconds=-1)) == "token_expired"


async def test_another_origin_is_refused_before_anything_is_said(stage: Stage) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with following(stage, stage.token("watch", "trainee"), origin="https://elsewhere.example"):
            pass
    assert refused.value.status == 403
