"""An uplink that is spent, with real receivers: the next is told what is left, and nobody who watches is thrown out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from media.admission import PICTURES_SHARE
from media.api import MediaSettings
from media.audience import Audience
from tests.media.clients import EncodedAudio, EncodedVideo, Refused, h264_pictures, opus_packets
from tests.media.conftest import Stage, staged
from tests.media.test_live import following

#: what publishers are advised here, and with it what a picture and a voice are expected to take
KBPS, VOICE_BPS = 300, 62_000
PICTURE_BPS = KBPS * 1_000 + VOICE_BPS


@asynccontextmanager
async def with_room_for(bps: float) -> AsyncIterator[Stage]:
    """A lesson with a camera of one size, whose pictures may take so much together."""
    settings = MediaSettings(uplink_mbps=bps / PICTURES_SHARE / 1_000_000, start_kbps=KBPS, max_kbps=KBPS)
    stages = staged(settings)
    stage = await anext(stages)
    try:
        await stage.publish(EncodedVideo(h264_pictures(30, kbps=100), 30), EncodedAudio(opus_packets(50)))
        await stage.until(lambda: stage.media.stats("lesson").publisher_live)
        yield stage
    finally:
        await anext(stages, None)


async def refused(stage: Stage, peer: str) -> Refused:
    with pytest.raises(Refused) as caught:
        await stage.watch(peer)
    return caught.value


async def said(stage: Stage, peer: str, rendition: str) -> dict[str, object]:
    """What the WebSocket says first."""
    async with following(stage, stage.token("watch", peer), rendition) as viewer:
        message: dict[str, object] = await viewer.socket.receive_json(timeout=10)
        return message


async def test_the_next_is_told_what_is_left_and_who_watches_stays() -> None:
    async with with_room_for(2 * PICTURE_BPS + 1_000) as stage:
        _, tracks = await stage.watch("one")
        await stage.watch("two")
        no = await refused(stage, "three")
        assert (no.status, no.code, no.data) == (503, "uplink_spent", {"next": "voice"})
        assert await said(stage, "three", "picture") == {"code": "uplink_spent", "data": {"next": "voice"}}
        assert (await said(stage, "three", "voice"))["codecs"] == "opus"
        assert stage.media.counts["uplink_spent"] == 2
        async with asyncio.timeout(10):
            await tracks["video"].recv()
        await stage.watch("one")  # the page was loaded again
        assert set(stage.media.stats("lesson").viewers) == {"one", "two"}


async def test_a_place_that_is_left_is_given_to_the_next() -> None:
    async with with_room_for(PICTURE_BPS + 1_000) as stage:
        first, _ = await stage.watch("one")
        await refused(stage, "two")
        assert await first.delete() == 200
        await stage.watch("two")


async def test_parts_take_of_the_same_uplink() -> None:
    async with with_room_for(PICTURE_BPS + 1_000) as stage:
        async with following(stage, stage.token("watch", "one")) as viewer:
            await viewer.until(2)
            assert (await refused(stage, "two")).code == "uplink_spent"
        await stage.until(lambda: not stage.media.stats("lesson").viewers)
        await stage.watch("two")


async def test_what_is_really_sent_counts_once_it_is_known() -> None:
    """The camera sends a third of what was expected of it: then more come in, by what was measured."""
    async with with_room_for(PICTURE_BPS + 1_000) as stage:
        await stage.watch("one")
        await refused(stage, "two")
        admission = stage.media._plane.admission
        async with asyncio.timeout(30):
            while not 0 < admission.used < PICTURE_BPS * 0.8:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        measured = stage.media.figures().uplink_bps
        assert 60_000 < measured < 250_000
        await stage.watch("two")


async def test_cpu_spent_sends_to_parts_and_the_instructor_publishes_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with with_room_for(50 * PICTURE_BPS) as stage:
        busy = stage.media._plane.admission.busy
        monkeypatch.setattr(busy, "look", lambda _now, _seconds: None)
        busy.peers_spent = True
        no = await refused(stage, "one")
        assert (no.status, no.code, no.data) == (503, "cpu_spent", {"next": "parts"})
        async with following(stage, stage.token("watch", "one")) as viewer:
            await viewer.until(2)
        busy.parts_spent = True
        assert (await refused(stage, "two")).data == {"next": "voice"}
        assert await said(stage, "two", "picture") == {"code": "cpu_spent", "data": {"next": "voice"}}
        assert (await said(stage, "two", "voice"))["codecs"] == "opus"
        assert await stage.clients[0].delete() == 200
        await stage.publish(EncodedAudio(opus_packets(50)))


async def test_the_instructor_publishes_also_where_the_uplink_is_spent(stage: Stage) -> None:
    stage.media._plane.admission.limit = 1_000.0
    assert (await refused(stage, "one")).data == {"next": None}
    await stage.publish(EncodedAudio(opus_packets(50)))
    await stage.until(lambda: stage.media.stats("lesson").publisher_live)


async def test_who_watches_and_what_is_left_can_be_asked_for() -> None:
    async with with_room_for(2 * PICTURE_BPS + 1_000) as stage:
        await stage.watch("one")
        async with following(stage, stage.token("watch", "two"), "voice") as viewer:
            await viewer.until(2)
            await stage.until(lambda: stage.media.figures().uplink_bps > VOICE_BPS)
            seen = stage.media.audience("lesson")
            assert isinstance(seen, Audience)
            assert (seen.peers, seen.small, seen.parts, seen.voices, seen.spent) == (1, 0, 0, 1, "uplink_spent")
            assert seen.limit_bps == stage.media.figures().limit_bps > seen.used_bps > 0
            assert stage.media.figures().ways == {"peers": 1, "small": 0, "parts": 0, "voices": 1}
    assert stage.media.audience("nowhere") is None
