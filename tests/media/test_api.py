"""A real publisher, real viewers: pictures and voice arrive, late, after a reload, over a bad network."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import av
import pytest
from aiortc import MediaStreamTrack

from media import packets
from tests.media.clients import EncodedAudio, EncodedVideo, Refused, h264_pictures, opus_packets
from tests.media.conftest import Stage
from tests.media.relay import Relay, every

SECONDS = 10
PICTURES = h264_pictures(240)
VOICE = opus_packets(50)


def video() -> EncodedVideo:
    return EncodedVideo(PICTURES, 30)


def voice() -> EncodedAudio:
    return EncodedAudio(VOICE)


async def frames(track: MediaStreamTrack, count: int) -> list[Any]:
    """Decoded frames of a received track."""
    async with asyncio.timeout(SECONDS):
        return [await track.recv() for _ in range(count)]


@pytest.fixture
async def relay(stage: Stage) -> AsyncIterator[Relay]:
    each = Relay(("127.0.0.1", stage.media.port), every(20))
    await each.start()
    yield each
    each.close()


async def test_pictures_and_voice_reach_viewers(stage: Stage) -> None:
    await stage.publish(video(), voice())
    seen = [await stage.watch(f"trainee {index}") for index in range(3)]
    for _, tracks in seen:
        pictures = await frames(tracks["video"], 20)
        assert (pictures[0].width, pictures[0].height) == (320, 240)
        sounds = await frames(tracks["audio"], 20)
        assert sounds[0].sample_rate == 48_000
    stats = stage.media.stats("lesson")
    assert (stats.publisher, stats.publisher_live, len(stats.viewers)) == ("teacher", True, 3)
    assert stats.video_codec == "H264"
    assert stage.media.counts == {}


@pytest.mark.parametrize("kind", ["audio", "video"])
async def test_one_kind_alone_is_enough(stage: Stage, kind: str) -> None:
    await stage.publish(video() if kind == "video" else voice())
    _, tracks = await stage.watch()
    assert len(await frames(tracks[kind], 5)) == 5


async def test_a_viewer_may_want_voice_only(stage: Stage) -> None:
    await stage.publish(video(), voice())
    _, tracks = await stage.watch(kinds=("audio",))
    assert len(await frames(tracks["audio"], 5)) == 5


async def test_a_viewer_who_was_first_gets_the_picture_when_it_comes(stage: Stage) -> None:
    _, tracks = await stage.watch()
    await stage.publish(video(), voice())
    assert len(await frames(tracks["video"], 5)) == 5


async def test_a_late_joiner_gets_the_cached_picture_from_one_who_makes_no_keyframes(stage: Stage) -> None:
    await stage.publish(video())
    await stage.until(lambda: stage.media.stats("lesson").packets_in > 30)
    _, tracks = await stage.watch()
    assert len(await frames(tracks["video"], 40)) == 40
    assert stage.media.stats("lesson").keyframes_asked == 0


async def test_a_reload_of_the_publisher_needs_nothing_of_the_viewers(stage: Stage) -> None:
    first = await stage.publish(video(), voice())
    _, tracks = await stage.watch()
    await frames(tracks["video"], 5)
    await stage.publish(video(), voice())
    await stage.until(lambda: first.connection.connectionState == "closed")
    await stage.until(lambda: stage.told().count(("publisher_live", "teacher")) == 2)
    assert len(await frames(tracks["video"], 60)) == 60
    assert len(await frames(tracks["audio"], 60)) == 60
    publishers = [kind for kind, peer in stage.told() if peer == "teacher"]
    assert publishers == ["publisher_live", "publisher_gone", "publisher_live"]


async def test_another_publisher_is_refused_until_the_first_has_left(stage: Stage) -> None:
    first = await stage.publish(video())
    with pytest.raises(Refused) as refused:
        await stage.publish(video(), peer="colleague")
    assert (refused.value.status, refused.value.code) == (409, "publisher_taken")
    assert await first.delete() == 200
    await stage.publish(video(), peer="colleague")
    await stage.until(lambda: stage.media.stats("lesson").publisher == "colleague")


async def test_vp8_is_forwarded_when_a_publisher_has_nothing_else(stage: Stage) -> None:
    class Grey(MediaStreamTrack):
        kind = "video"
        count = 0

        async def recv(self) -> av.VideoFrame:
            await asyncio.sleep(1 / 15)
            frame = av.VideoFrame(160, 120, "yuv420p")
            frame.pts, frame.time_base = self.count * 6_000, EncodedVideo([], 30)._clock
            self.count += 1
            return frame

    await stage.publish(Grey(), codec="VP8")
    _, tracks = await stage.watch()
    assert len(await frames(tracks["video"], 10)) == 10
    assert stage.media.stats("lesson").video_codec == "VP8"


async def test_what_a_viewer_loses_is_sent_again(stage: Stage, relay: Relay) -> None:
    await stage.publish(video(), voice())
    _, tracks = await stage.watch(port=relay.port)
    assert len(await frames(tracks["video"], 90)) == 90
    assert relay.lost > 3
    assert stage.media.stats("lesson").resent > 3


async def test_what_the_publisher_loses_is_asked_for_again(stage: Stage, relay: Relay) -> None:
    await stage.publish(video(), voice(), port=relay.port)
    _, tracks = await stage.watch()
    assert len(await frames(tracks["video"], 90)) == 90
    assert relay.lost > 3
    slot = stage.media._plane.rooms["lesson"].slots["camera"]
    held = [slot.history.get((slot._sequence - back) & 0xFFFF) for back in range(60, 10, -1)]
    assert None not in held


async def test_keyframe_requests_of_many_become_one(stage: Stage) -> None:
    await stage.publish(video())
    await stage.until(lambda: stage.media.stats("lesson").publisher_live)
    room = stage.media._plane.rooms["lesson"]
    for _ in range(50):
        room.ask_keyframe()
    assert stage.media.stats("lesson").keyframes_asked == 1
    await stage.until(lambda: stage.media.stats("lesson").keyframes_asked == 2)


async def test_packets_are_never_changed_but_in_their_headers(stage: Stage) -> None:
    await stage.publish(video())
    await stage.until(lambda: stage.media.stats("lesson").packets_in > 20)
    slot = stage.media._plane.rooms["lesson"].slots["camera"]
    sent = [packet[packets.RTP_HEADER.size :] for packet in slot.gop]
    nals = [payload for payload in sent if payload[0] & 0x1F not in (packets.NAL_FU_A, packets.NAL_STAP_A)]
    assert nals
    assert all(any(nal in picture for picture in PICTURES) for nal in nals)
