"""Decides when an NTP server is believed: SNTP (RFC 4330, RFC 5905 section 14) with the checks that they ask for.

A request carries 64 random bits where our time would stand (as RFC 4330 allows), and only an answer that returns them
counts: who does not see our packets cannot answer them.
"""

import asyncio
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final

import structlog

from server.core.clock import SystemClock

log = structlog.get_logger("time")

PORT: Final = 123
PACKET: Final = struct.Struct("!BBbbIIIQQQQ")
CLIENT: Final = 4 << 3 | 3
SERVER_MODE: Final = 4
VERSIONS: Final = (3, 4)
UNSYNCHRONISED: Final = 3
MOST_STRATUM: Final = 15
UNIX_SECONDS: Final = 2_208_988_800
ERA_MS: Final = 1_000 << 32
ANSWER_S: Final = 2.0
#: half of it may be error
MOST_DELAY_MS: Final = 1_000.0
#: how far a server may be from its own reference, by its own word (RFC 5905: MAXDIST)
MOST_DISTANCE_MS: Final = 1_500.0
#: a server that sends a kiss of death is left alone for so long
MUTED_MS: Final = 3_600_000
EVERY_S: Final = 256.0


class NtpRefusedError(Exception):
    """An answer that is not believed, with a word that says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server shows more than we, and how long its answer took."""

    offset_ms: float
    delay_ms: float


class Ntp:
    """A set of NTP servers as a reference. `servers`: (host, port)."""

    name = "ntp"
    every_s = EVERY_S
    trusted = False  # nobody signs these packets

    def __init__(self, servers: Sequence[tuple[str, int]]) -> None:
        self._servers = servers
        self._muted: dict[tuple[str, int], int] = {}

    async def measure(self, clock: SystemClock) -> float | None:
        """What the servers show more than we, in milliseconds; None when none is believed."""
        free = [one for one in self._servers if self._muted.get(one, 0) <= clock.ms()]
        asked = await asyncio.gather(*(self._ask(clock, one) for one in free))
        return agreed([one for one in asked if one is not None])

    async def _ask(self, clock: SystemClock, server: tuple[str, int]) -> Answer | None:
        try:
            return await ask(clock, *server)
        except NtpRefusedError as error:
            log.warning("ntp_not_believed", server=server[0], why=str(error))
            if str(error).startswith("kiss"):
                self._muted[server] = clock.ms() + MUTED_MS
        except (OSError, TimeoutError) as error:
            log.warning("ntp_silent", server=server[0], error=type(error).__name__)
        return None


def agreed(answers: Sequence[Answer]) -> float | None:
    """One offset of several: of three and more the median, so that one false one does not count; else the quickest."""
    if len(answers) > 2:
        return median_low(one.offset_ms for one in answers)
    return min(answers, key=lambda one: one.delay_ms).offset_ms if answers else None


async def ask(clock: SystemClock, host: str, port: int = PORT) -> Answer:
    """Ask one server. Raises NtpRefusedError, OSError, TimeoutError."""
    nonce = secrets.randbits(64)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(ANSWER_S):
        found: asyncio.Future[Answer] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Waiting(clock, nonce, found), remote_addr=(host, port)
        )
        try:
            return await found
        finally:
            transport.close()


class _Waiting(asyncio.DatagramProtocol):
    """One question on its way. Only the asked address can answer: the socket is connected."""

    def __init__(self, clock: SystemClock, nonce: int, found: asyncio.Future[Answer]) -> None:
        self._clock, self._nonce, self._found = clock, nonce, found
        self._sent_ms = 0.0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._sent_ms = self._clock.ns() / 1e6
        transport.sendto(PACKET.pack(CLIENT, 0, 0, 0, 0, 0, 0, 0, 0, 0, self._nonce))

    def datagram_received(self, data: bytes, _address: object) -> None:
        received_ms = self._clock.ns() / 1e6
        if self._found.done() or len(data) < PACKET.size or PACKET.unpack_from(data)[8] != self._nonce:
            return  # not an answer to us: the true one may still come
        try:
            self._found.set_result(read(data, self._sent_ms, received_ms))
        except NtpRefusedError as error:
            self._found.set_exception(error)

    def error_received(self, error: Exception) -> None:
        if not self._found.done():
            self._found.set_exception(error)


def read(data: bytes, sent_ms: float, received_ms: float) -> Answer:
    """An answer that carries our nonce, by ledger times of sending and receipt. Raises NtpRefusedError."""
    first, stratum, _, _, root_delay, root_dispersion, _, _, _, got, gone = PACKET.unpack_from(data)
    _check_header(first, stratum, data)
    if not got or not gone:
        raise NtpRefusedError("no_time")
    distance = root_delay / 65.536 / 2 + root_dispersion / 65.536
    if distance > MOST_DISTANCE_MS:
        raise NtpRefusedError("far_from_its_reference")
    got_ms, gone_ms = to_unix_ms(got, received_ms), to_unix_ms(gone, received_ms)
    delay = (received_ms - sent_ms) - (gone_ms - got_ms)
    if gone_ms < got_ms or delay < -1.0:
        raise NtpRefusedError("times_reversed")
    if delay > MOST_DELAY_MS:
        raise NtpRefusedError("slow")
    return Answer(((got_ms - sent_ms) + (gone_ms - received_ms)) / 2, delay)


def _check_header(first: int, stratum: int, data: bytes) -> None:
    if first & 7 != SERVER_MODE or first >> 3 & 7 not in VERSIONS:
        raise NtpRefusedError("no_server")
    if stratum == 0:
        raise NtpRefusedError(f"kiss_{data[12:16].decode('ascii', 'replace')}")
    if stratum > MOST_STRATUM or first >> 6 == UNSYNCHRONISED:
        raise NtpRefusedError("unsynchronised")


def to_unix_ms(timestamp: int, near_ms: float) -> float:
    """A 64-bit NTP timestamp in the era (they last 136 years, the next begins in 2036) that is nearest to `near_ms`."""
    bare = (timestamp >> 32) * 1_000 + (timestamp & 0xFFFF_FFFF) * 1_000 / (1 << 32) - UNIX_SECONDS * 1_000
    return bare + round((near_ms - bare) / ERA_MS) * ERA_MS


def read_server(text: str) -> tuple[str, int]:
    """`host`, `host:port`, `[2001:db8::1]:port` or a bare IPv6 address. Raises ValueError."""
    host, port = text.strip(), ""
    if host.startswith("["):
        host, closing, rest = host[1:].partition("]")
        if not closing or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is no host and port")
        port = rest[1:]
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not host or (port and not (port.isdecimal() and 0 < int(port) <= 65_535)):
        raise ValueError(f"{text!r} is no host and port")
    return host, int(port) if port else PORT
