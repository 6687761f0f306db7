"""Decides how the voice of a room becomes AAC, for players that have no Opus: once for all, while there are any.

What is sampled waits a fifth of a second, goes through a thread in its order (pictures as they are), and comes out
again on the loop, so that pictures and voice stay together and nothing overtakes the end of a source.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress

import av

from media.boxes import AUDIO_SCALE, VIDEO_SCALE
from media.samples import Picture, Sink, Voice

BITS_PER_SECOND = 64_000
FRAME = 1_024
BATCH_SECONDS = 0.2
#: a longer gap is no gap but a beginning
MOST_GAP_SECONDS = 1.0
#: ten seconds may wait for the thread; then a piece is lost, and all begins anew
MOST_WAITING = 50
BLIND, CEASE = "blind", "cease"
Item = Picture | Voice | str


class Encoder:
    """Opus packets in, AAC frames out, on the same clock. Not for two threads at once."""

    def __init__(self) -> None:
        self._end: int | None = None
        """Up to where there is sound."""

    def encode(self, items: Sequence[Item]) -> list[Item]:
        """The same in the same order, with AAC in the place of Opus."""
        found: list[Item] = []
        for item in items:
            if isinstance(item, Voice):
                found += self._voice(item)
            else:
                found.append(item)
                if item == CEASE:
                    self._end = None
        return found

    def _voice(self, voice: Voice) -> Iterator[Voice]:
        if self._end is None or not 0 <= voice.time - self._end <= MOST_GAP_SECONDS * AUDIO_SCALE:
            self.begin(voice.time)
        gap = voice.time - (self._end or 0)
        self._end = voice.time + voice.duration
        for frame in (*_silence(gap), *self._decoded(voice)):
            frame.pts = None
            self._fifo.write(frame)
        while whole := self._fifo.read(FRAME):
            yield from self._encoded(whole)

    def begin(self, time: int) -> None:
        """Begin anew: frames are at `time` and every FRAME ticks from there on."""
        self._end = self._first = self._at = time
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.layout, self._decoder.sample_rate = "stereo", AUDIO_SCALE
        self._resampler = av.AudioResampler("fltp", "stereo", AUDIO_SCALE)
        self._fifo = av.AudioFifo()
        self._encoder = av.AudioCodecContext.create("aac", "w")
        self._encoder.layout, self._encoder.sample_rate, self._encoder.format = "stereo", AUDIO_SCALE, "fltp"
        self._encoder.bit_rate = BITS_PER_SECOND

    def _decoded(self, voice: Voice) -> list[av.AudioFrame]:
        with suppress(av.FFmpegError):
            decoded = self._decoder.decode(av.Packet(voice.data))
            frames = [each for frame in decoded for each in self._resampler.resample(frame)]
            if sum(frame.samples for frame in frames) == voice.duration:
                return frames
        return _silence(voice.duration)  # what is no Opus is not heard, and nothing shifts

    def _encoded(self, frame: av.AudioFrame) -> Iterator[Voice]:
        frame.pts, frame.sample_rate = self._at, AUDIO_SCALE
        self._at += FRAME
        for packet in self._encoder.encode(frame):
            if packet.pts is not None and packet.pts >= self._first:  # before that it only warms up
                yield Voice(packet.pts, FRAME, bytes(packet))


class Dub:
    """A sink that hands on what it is given, with AAC for Opus. Calls on the loop."""

    def __init__(self, onward: Sink, threads: Executor) -> None:
        self._onward, self._threads = onward, threads
        self._encoder = Encoder()
        self._held: list[Item] = []
        self._waiting = 0

    def picture(self, picture: Picture) -> None:
        self._take(picture)

    def voice(self, voice: Voice) -> None:
        self._take(voice)

    def blind(self) -> None:
        self._held.append(BLIND)
        self._flush()

    def cease(self) -> None:
        self._held.append(CEASE)
        self._flush()

    def _take(self, item: Picture | Voice) -> None:
        self._held.append(item)
        first = next(each for each in self._held if not isinstance(each, str))
        if _seconds(item) - _seconds(first) >= BATCH_SECONDS:
            self._flush()

    def _flush(self) -> None:
        items, self._held = self._held, []
        if self._waiting >= MOST_WAITING:
            items = [CEASE]
        loop = asyncio.get_running_loop()
        try:
            done = self._threads.submit(self._encoder.encode, items)
        except RuntimeError:  # the plane is stopping
            return
        self._waiting += 1
        done.add_done_callback(lambda future: self._back(loop, future))

    def _back(self, loop: asyncio.AbstractEventLoop, done: "Future[list[Item]]") -> None:
        with suppress(RuntimeError):  # everything has ended meanwhile
            loop.call_soon_threadsafe(self._hand_on, done)

    def _hand_on(self, done: "Future[list[Item]]") -> None:
        self._waiting -= 1
        if done.cancelled():
            return
        for item in done.result():
            if isinstance(item, Picture):
                self._onward.picture(item)
            elif isinstance(item, Voice):
                self._onward.voice(item)
            else:
                (self._onward.blind if item == BLIND else self._onward.cease)()


def _seconds(item: Picture | Voice) -> float:
    return item.time / (VIDEO_SCALE if isinstance(item, Picture) else AUDIO_SCALE)


def _silence(samples: int) -> list[av.AudioFrame]:
    if not samples:
        return []
    frame = av.AudioFrame("fltp", "stereo", samples)
    frame.sample_rate = AUDIO_SCALE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return [frame]
