"""Decides how many sockets may be open, how fast one may speak, and how long one may stay without saying who it is.

All three are generous: an honest page opens one socket and speaks a few times a minute, also after a lost line.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from aiohttp import web

from server.core.clock import elapsed_ms
from server.core.errors import DomainError
from server.core.wire.peer import client_address

#: of one login: as many pages as anybody keeps open; counted by login, because a school shares one address
MOST_PER_LOGIN: Final = 24
#: of everybody: beyond it a process of this size has no memory left for those who are in
MOST_IN_ALL: Final = 10_000
#: a socket must have sent its CONNECT by then, and ends so long after its DISCONNECT
CONNECT_SECONDS: Final = 10.0
#: events that a page may send at once, and in the long run each second; a page of ours sends one in ten seconds
EVENTS_AT_ONCE: Final = 100
EVENTS_PER_SECOND: Final = 10.0
#: messages of whatever kind, in units of UNIT_BYTES begun; an honest page is far below, and beyond it the line is cut
UNITS_AT_ONCE: Final = 1_000
UNITS_PER_SECOND: Final = 50.0
UNIT_BYTES: Final = 4_096
#: come back after so long when there were too many sockets
FULL_RETRY_SECONDS: Final = 5


class Bucket:
    """A token bucket over a monotonic clock in milliseconds: full at first."""

    def __init__(self, now_ms: float, most: float, per_second: float) -> None:
        self._most, self._per_second = most, per_second
        self._left, self._at_ms = most, now_ms

    def take(self, now_ms: float, units: int = 1) -> None:
        """Spend units. Raises DomainError too_many_tries, with whole seconds until there are so many."""
        grown = self._left + (now_ms - self._at_ms) * self._per_second / 1000
        self._left, self._at_ms = min(self._most, grown), now_ms
        if self._left < units:
            raise DomainError("too_many_tries", retry_after_s=ceil((units - self._left) / self._per_second))
        self._left -= units


class Ticket:
    """A socket that passed the handshake. It is hung up unless it says in time who it is."""

    def __init__(self, request: web.Request, token: str) -> None:
        self.token = token
        self.address = client_address(request)
        self.bucket = Bucket(elapsed_ms(), EVENTS_AT_ONCE, EVENTS_PER_SECOND)
        self._heard = Bucket(elapsed_ms(), UNITS_AT_ONCE, UNITS_PER_SECOND)
        self._request = request
        self._timer: asyncio.TimerHandle | None = None
        self.end_soon()

    def end_soon(self) -> None:
        """Hang up after CONNECT_SECONDS."""
        self.stay()
        self._timer = asyncio.get_running_loop().call_later(CONNECT_SECONDS, self.hang_up)

    def stay(self) -> None:
        """It is somebody's: it stays until it ends by itself."""
        if self._timer is not None:
            self._timer.cancel()

    def hear(self, length: int) -> None:
        """A message of so many bytes came, whatever it was. Raises DomainError too_many_tries."""
        self._heard.take(elapsed_ms(), 1 + length // UNIT_BYTES)

    def hang_up(self) -> None:
        """End the line at once: what was to be sent would wait for somebody who may never read it."""
        if (transport := self._request.transport) is not None:
            transport.abort()


TICKET: Final = web.RequestKey("ticket", Ticket)


@dataclass(slots=True)
class Gate:
    """Counts open sockets, and refusals by (event, reason): the handshake's event is `connect`."""

    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    open: int = 0
    _by_login: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def passing(self, session_id: str) -> Iterator[None]:
        """Hold a place while the block runs. Raises DomainError too_many_connections."""
        if self._by_login[session_id] >= MOST_PER_LOGIN or self.open >= MOST_IN_ALL:
            raise DomainError("too_many_connections", retry_after_s=FULL_RETRY_SECONDS)
        self.open += 1
        self._by_login[session_id] += 1
        try:
            yield
        finally:
            self.open -= 1
            self._by_login[session_id] -= 1
            if not self._by_login[session_id]:
                del self._by_login[session_id]

    def count(self, event: str, error: DomainError) -> None:
        """One refusal; the reasons within a code are ours, never what somebody sent."""
        why = error.data.get("why")
        self.refused[event, f"{error.code}:{why}" if why else error.code] += 1
