"""Opus becomes AAC at its own time: a tone stays where it was, holes are silence, a source's end stays in its order."""

import asyncio
import math
import threading
from array import array
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise

import av
import pytest

from media.aac import BLIND, CEASE, FRAME, MOST_WAITING, Dub, Encoder, Item
from media.boxes import AUDIO_SCALE, Sample, init_segment, part
from media.samples import SILENCE, Picture, Voice
from tests.media.reel import read_back

SECOND = AUDIO_SCALE


def opus(sound: list[float], start: int) -> list[Voice]:
    """Mono sound of 48 kHz as Opus packets of 20 ms."""
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = AUDIO_SCALE, "stereo", "flt"
    found: list[Voice] = []
    for at in range(0, len(sound) - 959, 960):
        frame = av.AudioFrame("flt", "stereo", 960)
        frame.planes[0].update(array("f", [each for each in sound[at : at + 960] for _ in "lr"]).tobytes())
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_SCALE, at, Fraction(1, AUDIO_SCALE)
        found += [Voice(start + len(found) * 960, 960, bytes(packet)) for packet in encoder.encode(frame)]
    return found


def tone(seconds: float, begins: float, ends: float) -> list[float]:
    """440 Hz between two moments, silence around it."""
    times = (number / SECOND for number in range(int(seconds * SECOND)))
    return [0.5 * math.sin(2 * math.pi * 440 * at) * (begins <= at < ends) for at in times]


def heard(items: list[Item]) -> tuple[float, float]:
    """When a tone begins and ends, in seconds, as FFmpeg decodes what came out."""
    voices = [Sample(each.time, each.duration, each.data) for each in items if isinstance(each, Voice)]
    found = read_back(init_segment(None, "aac") + part(1, 0, [], voices))["audio"]
    loud = [time for time, frame in found if max(array("f", bytes(frame.planes[0]))) > 0.1]
    return loud[0], loud[-1]


def test_a_tone_is_heard_when_it_was() -> None:
    items = Encoder().encode(opus(tone(3, 1, 2), 0))
    begins, ends = heard(items)
    assert abs(begins - 1) < 0.05
    assert abs(ends - 2) < 0.05


def test_frames_follow_each_other_without_a_hole_also_over_what_is_missing_or_no_opus() -> None:
    voices = opus(tone(2, 0, 2), 7_000)
    voices[20] = Voice(voices[20].time, 960, b"\xff\xff")
    late = [Voice(each.time + 480, each.duration, each.data) for each in voices[50:]]
    found = [each for each in Encoder().encode([*voices[:50], *late]) if isinstance(each, Voice)]
    assert found[0].time == 7_000
    assert all(after.time - before.time == FRAME for before, after in pairwise(found))
    assert found[-1].time + FRAME >= late[-1].time + 960 - 3 * FRAME


def test_a_source_that_comes_back_begins_at_its_own_time() -> None:
    silence = [Voice(number * 960, 960, SILENCE) for number in range(20)]
    later = [Voice(10 * SECOND + number * 960, 960, SILENCE) for number in range(20)]
    items = Encoder().encode([*silence, CEASE, *later])
    after = [each for each in items[items.index(CEASE) :] if isinstance(each, Voice)]
    assert after[0].time == 10 * SECOND
    apart = [each for each in Encoder().encode([*silence, *later]) if isinstance(each, Voice)]
    assert 10 * SECOND in [each.time for each in apart]


class Told:
    """A sink that keeps the order of what it was given."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def picture(self, picture: Picture) -> None:
        self.items.append(picture)

    def voice(self, voice: Voice) -> None:
        self.items.append(voice)

    def blind(self) -> None:
        self.items.append(BLIND)

    def cease(self) -> None:
        self.items.append(CEASE)


async def until(told: Told, item: Item) -> None:
    async with asyncio.timeout(20):
        while item not in told.items:  # noqa: ASYNC110 - a thread has no event
            await asyncio.sleep(0.01)


async def test_nothing_overtakes_the_end_of_a_source() -> None:
    told = Told()
    dub = Dub(told, ThreadPoolExecutor(1))
    for number in range(30):
        dub.voice(Voice(number * 960, 960, SILENCE))
    dub.blind()
    dub.voice(Voice(30 * 960, 960, SILENCE))
    dub.cease()
    await until(told, CEASE)
    assert told.items[-1] == CEASE
    assert told.items.index(BLIND) > 20


async def test_a_thread_that_does_not_keep_up_loses_a_piece_and_goes_on() -> None:
    told, threads = Told(), ThreadPoolExecutor(1)
    dub, go_on = Dub(told, threads), asyncio.Event()
    loop = asyncio.get_running_loop()
    held = threads.submit(lambda: asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result())
    for number in range(MOST_WAITING * 10 + 200):
        dub.voice(Voice(number * 960, 960, SILENCE))
    go_on.set()
    await asyncio.wrap_future(held)
    await until(told, CEASE)
    assert any(isinstance(each, Voice) for each in told.items)


def test_what_is_made_when_everything_has_ended_troubles_nobody(caplog: pytest.LogCaptureFixture) -> None:
    threads, ended = ThreadPoolExecutor(1), threading.Event()
    threads.submit(ended.wait)

    async def flush() -> None:
        Dub(Told(), threads).blind()

    asyncio.run(flush())
    ended.set()
    threads.shutdown()
    assert caplog.records == []
