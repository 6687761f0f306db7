"""What the generated teacher sends is real H.264 with the clock in it, and Opus that can be heard."""

import asyncio

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from server.core.clock import ManualClock
from server.demo.picture import CLOCK_AT, HEIGHT, WIDTH
from server.demo.tracks import KEYFRAME_EVERY, PACKET_S, RATE, SPEECH_S, Figure, Voice, loudness

START_MS = 1_795_400_000_000
#: the loop counts whole milliseconds: a wait may seem as much shorter
CLOCK_S = 0.001


def decoded(packets: list[bytes]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    return [frame for packet in [*map(av.Packet, packets), None] for frame in decoder.decode(packet)]


def test_the_picture_survives_the_encoder_and_changes_every_tenth() -> None:
    clock = ManualClock(START_MS)
    teacher = Figure(clock)
    packets = []
    for index in range(3 * KEYFRAME_EVERY):
        packets.append(teacher._content(index))
        clock.advance(1000 // RATE)
    frames = decoded(packets)
    assert len(frames) == len(packets)
    assert {(frame.width, frame.height) for frame in frames} == {(WIDTH, HEIGHT)}
    assert [index for index, frame in enumerate(frames) if frame.key_frame] == [0, KEYFRAME_EVERY, 2 * KEYFRAME_EVERY]
    assert len({_tenths(frame) for frame in frames[:10]}) > 1


def _tenths(frame: av.VideoFrame) -> bytes:
    """The part of the picture in which the last digit stands."""
    plane = frame.planes[0]
    row = CLOCK_AT[1] + 20
    return bytes(round(value / 64) for value in bytes(plane)[row * plane.line_size + 540 : row * plane.line_size + 600])


def test_the_voice_is_loud_and_pauses() -> None:
    voice = Voice()
    assert len(voice._packets) == round(SPEECH_S / PACKET_S)
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    peaks = []
    for packet in voice._packets:
        for frame in decoder.decode(av.Packet(packet)):
            samples = memoryview(bytes(frame.planes[0])).cast("h")
            peaks.append(max(map(abs, samples)))
    assert max(peaks) > 3_000
    assert min(peaks[115:145]) < 100, "a pause after each phrase"


def test_speech_has_syllables_and_a_pause() -> None:
    assert loudness(0.125) == pytest.approx(1)
    assert loudness(0.25) == pytest.approx(0, abs=1e-9)
    assert loudness(2.5) == 0


async def test_packets_come_at_their_pace_and_end_with_the_track() -> None:
    voice = Voice()
    loop = asyncio.get_running_loop()
    start = loop.time()
    packets = [await voice.recv() for _ in range(11)]
    assert loop.time() - start >= 10 * PACKET_S - CLOCK_S
    assert [packet.pts for packet in packets] == [960 * index for index in range(11)]
    voice.stop()
    with pytest.raises(MediaStreamError):
        await voice.recv()
