"""Decides the bit rate a publisher is advised (REMB, draft-alvestrand-rmcat-remb-03).

Pure. The estimator is aiortc's. On its own it follows what is sent: a still picture would pull the advice down to a
few kilobits and the next movement would be mud. So until the path shows overuse the advice stays at the start rate,
and after overuse it climbs back to it slowly.
"""

from aiortc.rate import BandwidthUsage, RemoteBitrateEstimator
from aiortc.rtp import RtpPacket

GROWTH_PER_SECOND = 1.08
MIN_BPS = 50_000
#: an advice names so many sources at most; the estimator itself forgets none
MOST_SOURCES = 32


class RateAdvice:
    """The advice to one publisher, in bits per second."""

    def __init__(self, start_kbps: int, max_kbps: int) -> None:
        self._start, self._max = start_kbps * 1_000, max_kbps * 1_000
        self._floor = float(self._start)
        self._at: float | None = None
        self._estimator = RemoteBitrateEstimator()

    def add(self, packet: RtpPacket, now: float) -> tuple[int, list[int]] | None:
        """Take a packet with its send time; (bits per second, SSRCs) when there is new advice."""
        if packet.extensions.abs_send_time is None:
            return None
        estimate = self._estimator.add(
            arrival_time_ms=int(now * 1_000),
            abs_send_time=packet.extensions.abs_send_time,
            payload_size=len(packet.payload) + packet.padding_size,
            ssrc=packet.ssrc,
        )
        heard = self._estimator.ssrcs
        if len(heard) > MOST_SOURCES:
            del heard[next(iter(heard))]
        if estimate is None:
            return None
        overused = self._estimator.detector.state() == BandwidthUsage.OVERUSING
        return self.advise(estimate[0], overused=overused, now=now), list(heard)

    def advise(self, estimated_bps: int, *, overused: bool, now: float) -> int:
        """The advice for an estimate."""
        if overused:
            self._floor = float(min(estimated_bps, self._start))
        elif self._at is not None:
            self._floor = min(self._floor * GROWTH_PER_SECOND ** (now - self._at), float(self._start))
        self._at = now
        return max(MIN_BPS, min(max(estimated_bps, int(self._floor)), self._max))
