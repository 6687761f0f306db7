"""Media over IPv6: the same port, ::1 in the answer, checks and packets by it in both directions, by UDP and by TCP."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aioice import ice
from av import VideoFrame

from media.api import MediaSettings
from media.mux import plain_ip
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets
from tests.media.conftest import Stage, staged

PICTURES = h264_pictures(30)


@pytest.fixture(params=["::1", "::"])
async def stage6(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """One whose peers have no other address than ::1."""
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["::1"])
    settings = MediaSettings(udp_host=request.param, advertised_ips=("::1",), tcp_port=0)
    async for each in staged(settings):
        yield each


async def test_a_lesson_runs_over_ipv6(stage6: Stage) -> None:
    teacher = await stage6.publish(EncodedVideo(PICTURES, 30), EncodedAudio(opus_packets(50)))
    answer = teacher.connection.remoteDescription.sdp
    assert f"udp 2130706431 ::1 {stage6.media.port} typ host" in answer
    assert f"::1 {stage6.media.tcp_port} typ host tcptype passive" in answer
    _, tracks = await stage6.watch()
    async with asyncio.timeout(10):
        for _ in range(5):
            picture = await tracks["video"].recv()
            assert isinstance(picture, VideoFrame)
            assert picture.width == 320
            await tracks["audio"].recv()
    addresses = [plain_ip(address) for address in stage6.media._plane._by_address]
    assert addresses == ["::1", "::1"]
